"""Batch norm over two axes, one tensor at a time.

After a linear layer of the tree the activations have three axes: (batch, position, channel). Every
channel is to have mean 0 and variance 1 over all batch axes, so mean and variance run over
axes 0 and 1: over n*t numbers, not over n. The lecture's first version forgot that, and kept other
statistics for every position.

Walk back through it as in the first exercise of the manual backward pass. What was (1, 64) there
is (1, 1, 7) here, and every sum over the batch runs over two axes.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
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
    mean = 1/(n*t) * x.sum((0, 1), keepdim=True)
    diff = x - mean
    diff2 = diff**2
    var = 1/(n*t - 1) * diff2.sum((0, 1), keepdim=True)
    inv = (var + 1e-5)**-0.5
    xhat = diff * inv
    y = gamma * xhat + beta
    # non-linearity, all positions side by side, second linear layer
    h = torch.tanh(y)
    logits = h.view(n, -1) @ W
    loss = F.cross_entropy(logits, Yb)
    return loss


def dgamma(xhat, dy):
    """dgamma (1, 1, 7): the gradient of the loss with respect to gamma.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    Replicated along the examples and along the positions.
    """
    return (xhat * dy).sum((0, 1), keepdim=True)


def dbeta(dy):
    """dbeta (1, 1, 7): the gradient of the loss with respect to beta.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    """
    return dy.sum((0, 1), keepdim=True)


def dxhat(gamma, dy):
    """dxhat (6, 4, 7): the gradient of the loss with respect to xhat.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    """
    return gamma * dy


def dinv(diff, dxhat):
    """dinv (1, 1, 7): the gradient of the loss with respect to inv.

    Forward:  xhat = diff * inv
    Upstream: dxhat (6, 4, 7)
    """
    return (diff * dxhat).sum((0, 1), keepdim=True)


def dvar(var, dinv):
    """dvar (1, 1, 7): the gradient of the loss with respect to var.

    Forward:  inv = (var + 1e-5)**-0.5
    Upstream: dinv (1, 1, 7)
    """
    return (-0.5 * (var + 1e-5) ** -1.5) * dinv


def ddiff2(diff2, dvar, n, t):
    """ddiff2 (6, 4, 7): the gradient of the loss with respect to diff2.

    Forward:  var = 1/(n*t - 1) * diff2.sum((0, 1), keepdim=True)
    Upstream: dvar (1, 1, 7)
    How many numbers does this sum run over?
    """
    return (1.0 / (n * t - 1)) * torch.ones_like(diff2) * dvar


def ddiff(diff, inv, dxhat, ddiff2):
    """ddiff (6, 4, 7): the gradient of the loss with respect to diff.

    Forward:  xhat = diff * inv
              diff2 = diff**2
    Upstream: dxhat (6, 4, 7), ddiff2 (6, 4, 7)
    Used twice in the forward pass.
    """
    return inv * dxhat + (2 * diff) * ddiff2


def dmean(ddiff):
    """dmean (1, 1, 7): the gradient of the loss with respect to mean.

    Forward:  diff = x - mean
    Upstream: ddiff (6, 4, 7)
    """
    return (-ddiff).sum((0, 1), keepdim=True)


def dx(x, ddiff, dmean, n, t):
    """dx (6, 4, 7): the gradient of the loss with respect to x.

    Forward:  diff = x - mean
              mean = 1/(n*t) * x.sum((0, 1), keepdim=True)
    Upstream: ddiff (6, 4, 7), dmean (1, 1, 7)
    Used twice in the forward pass.
    """
    return ddiff + 1.0 / (n * t) * (torch.ones_like(x) * dmean)
