"""LayerNorm, one tensor at a time.

Batch norm, transposed: each token is normalised over its own C channels, and no token
knows of another one. So mean and variance are sums over the last axis, and only gamma and beta,
which all tokens share, are summed over examples and positions. The variance is the biased one: it
divides by C.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
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


def inputs(g, B, T, C, vocab_size):
    """What the tokens hold, the norm's parameters and a linear layer; drawn with the generator g."""
    return {
        "x": torch.randn((B, T, C), generator=g) * 0.3 + torch.randn((B, T, 1), generator=g),
        "gamma": torch.randn(C, generator=g) * 0.1 + 1.0,
        "beta": torch.randn(C, generator=g) * 0.1,
        "W": torch.randn((C, vocab_size), generator=g) * C**-0.5,
        "labels": torch.randint(0, vocab_size, (B * T,), generator=g),
    }


def forward(x, gamma, beta, W, labels, B, T, C):
    # layer norm: each token over its channels
    mean = 1/C * x.sum(-1, keepdim=True)
    diff = x - mean
    diff2 = diff**2
    var = 1/C * diff2.sum(-1, keepdim=True)
    inv = (var + 1e-5)**-0.5
    xhat = diff * inv
    y = gamma * xhat + beta
    logits = y @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dgamma(xhat, dy):
    """dgamma (7,): the gradient of the loss with respect to gamma.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    All tokens share it: replicated along the examples and the positions.
    """
    return (xhat * dy).sum((0, 1))


def dbeta(dy):
    """dbeta (7,): the gradient of the loss with respect to beta.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    """
    return dy.sum((0, 1))


def dxhat(gamma, dy):
    """dxhat (4, 5, 7): the gradient of the loss with respect to xhat.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    """
    return gamma * dy


def dinv(diff, dxhat):
    """dinv (4, 5, 1): the gradient of the loss with respect to inv.

    Forward:  xhat = diff * inv
    Upstream: dxhat (4, 5, 7)
    One number for each token: the sum runs over its channels.
    """
    return (diff * dxhat).sum(-1, keepdim=True)


def dvar(var, dinv):
    """dvar (4, 5, 1): the gradient of the loss with respect to var.

    Forward:  inv = (var + 1e-5)**-0.5
    Upstream: dinv (4, 5, 1)
    """
    return (-0.5 * (var + 1e-5) ** -1.5) * dinv


def ddiff2(diff2, dvar, C):
    """ddiff2 (4, 5, 7): the gradient of the loss with respect to diff2.

    Forward:  var = 1/C * diff2.sum(-1, keepdim=True)
    Upstream: dvar (4, 5, 1)
    A sum in the forward pass turns into a broadcast.
    """
    return (1.0 / C) * torch.ones_like(diff2) * dvar


def ddiff(diff, inv, dxhat, ddiff2):
    """ddiff (4, 5, 7): the gradient of the loss with respect to diff.

    Forward:  xhat = diff * inv
              diff2 = diff**2
    Upstream: dxhat (4, 5, 7), ddiff2 (4, 5, 7)
    Used twice in the forward pass.
    """
    return inv * dxhat + (2 * diff) * ddiff2


def dmean(ddiff):
    """dmean (4, 5, 1): the gradient of the loss with respect to mean.

    Forward:  diff = x - mean
    Upstream: ddiff (4, 5, 7)
    """
    return (-ddiff).sum(-1, keepdim=True)


def dx(x, ddiff, dmean, C):
    """dx (4, 5, 7): the gradient of the loss with respect to x.

    Forward:  diff = x - mean
              mean = 1/C * x.sum(-1, keepdim=True)
    Upstream: ddiff (4, 5, 7), dmean (4, 5, 1)
    Used twice in the forward pass.
    """
    return ddiff + 1.0 / C * (torch.ones_like(x) * dmean)
