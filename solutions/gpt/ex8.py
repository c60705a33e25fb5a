"""LayerNorm in one step.

The same derivation as for the batch norm: to the normalised value, to the variance, to the mean, to
the input, then simplify. What differs is the axis, the variance (it divides by C, so no correction
is left over), and where gamma stands: it varies along the axis of the sums, so it can't be taken out
of them.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formula is
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=4, T=5, C=7, vocab_size=9)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=4, C=6, vocab_size=8),
    "probe-3": dict(seed=3, B=2, T=3, C=5, vocab_size=6),
}

HINTS = {
    "dx": {
        "concept": """
One token is normalised on its own, so work on a single token with its C channels. First go back through
gamma: dy times gamma is the gradient of xhat. A number of the token reaches xhat in three ways: directly,
through the mean, and through the variance.
The way from the mean through the variance vanishes, because the distances from the mean sum to 0. What
is left are two means over the channels: that of the gradient of xhat, and that of this gradient times
xhat. Both have gamma inside.
""",
        "formula": """
    dx[i,j,k] = inv[i,j,0] · (g[i,j,k] − s[i,j] − xhat[i,j,k] · t[i,j])

g[i,j,k] = gamma[k] · dy[i,j,k] is the gradient of xhat. s[i,j] = Σ_l g[i,j,l] / C comes back through the
mean, and t[i,j] = Σ_l g[i,j,l] · xhat[i,j,l] / C through the variance, which divides by C.
""",
    },
}


def inputs(g, B, T, C, vocab_size):
    """What the tokens hold, the norm's parameters and a linear layer; drawn with the generator g."""
    return {
        "x": torch.randn((B, T, C), generator=g) * 0.3 + torch.randn((B, T, 1), generator=g),
        "gamma": torch.randn(C, generator=g) * 0.3 + 1.0,
        "beta": torch.randn(C, generator=g) * 0.1,
        "W": torch.randn((C, vocab_size), generator=g) * C**-0.5,
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }


def forward(x, gamma, beta, W, labels, B, T):
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, keepdim=True, unbiased=False)
    inv = (var + 1e-5)**-0.5
    xhat = (x - mean) * inv
    y = gamma * xhat + beta
    logits = y @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dx(gamma, inv, xhat, dy, C):
    """dx (4, 5, 7): the gradient of the loss with respect to x.

    Forward:  the lines from mean down to y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    Each token's gradient sums to zero over its channels.
    """
    dxhat = gamma * dy
    shift = dxhat.sum(-1, keepdim=True) / C
    scale = (dxhat * xhat).sum(-1, keepdim=True) / C
    return inv * (dxhat - shift - xhat * scale)
