"""Batch norm over two axes in one step.

The same batch norm, (batch, position, channel) with statistics over the first two axes. The short
formula of the two-axis case holds here as well, as soon as n is read as what it stood for: how many
numbers share a mean. Write dx in terms of dy and what the forward pass has saved.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formula is
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=6, t=4, n_hidden=7, vocab_size=9)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=5, t=3, n_hidden=8, vocab_size=11),
    "probe-3": dict(seed=3, n=3, t=5, n_hidden=4, vocab_size=6),
}

HINTS = {
    "dx": {
        "concept": """
One channel is normalised on its own, over all n examples and all t positions: lay its n*t numbers out
as one long column, and it is the batch norm that you know. A number of it reaches xhat in three ways:
directly, through the mean, and through the variance.
The way from the mean through the variance vanishes, because the distances from the mean sum to 0. What
is left needs two sums over the examples and the positions: that of dy, and that of dy times xhat.
""",
        "formula": """
    dx[i,j,k] = gamma[0,0,k] · inv[0,0,k] · (dy[i,j,k] − s[k]/m − xhat[i,j,k] · u[k]/(m − 1))

m = n · t is how many numbers share a mean. s[k] = Σ_{i,j} dy[i,j,k] comes back through the mean, and
u[k] = Σ_{i,j} dy[i,j,k] · xhat[i,j,k] through the variance; its m − 1 is Bessel's correction.
""",
    },
}


def inputs(g, n, t, n_hidden, vocab_size):
    """What a linear layer gave at t positions, and the parameters after it; drawn with the generator g."""
    return {
        "x": torch.randn((n, t, n_hidden), generator=g) * 0.3 + torch.randn(n_hidden, generator=g),
        "gamma": torch.randn((1, 1, n_hidden), generator=g) * 0.1 + 1.0,
        "beta": torch.randn((1, 1, n_hidden), generator=g) * 0.1,
        "W": torch.randn((t * n_hidden, vocab_size), generator=g) * (t * n_hidden) ** -0.5,
        "Yb": torch.randint(0, vocab_size, (n,), generator=g),
    }


def forward(x, gamma, beta, W, Yb, n, t):
    # batch norm: each channel over the examples and the positions
    mean = x.mean((0, 1), keepdim=True)
    var = x.var((0, 1), keepdim=True)
    inv = (var + 1e-5)**-0.5
    xhat = (x - mean) * inv
    y = gamma * xhat + beta
    # non-linearity, all positions side by side, second linear layer
    h = torch.tanh(y)
    logits = h.view(n, -1) @ W
    loss = F.cross_entropy(logits, Yb)
    return loss


def dx(gamma, inv, xhat, dy, n, t):
    """dx (6, 4, 7): the gradient of the loss with respect to x.

    Forward:  the lines from mean down to y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    Each channel of it sums to zero over the examples and the positions.
    """
    m = n * t
    shift = dy.sum((0, 1)) / m
    scale = (dy * xhat).sum((0, 1)) / (m - 1)
    return gamma * inv * (dy - shift - xhat * scale)
