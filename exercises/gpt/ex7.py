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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dgamma: not written yet")


def dbeta(dy):
    """dbeta (7,): the gradient of the loss with respect to beta.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    """
    raise NotImplementedError("dbeta: not written yet")


def dxhat(gamma, dy):
    """dxhat (4, 5, 7): the gradient of the loss with respect to xhat.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    """
    raise NotImplementedError("dxhat: not written yet")


def dinv(diff, dxhat):
    """dinv (4, 5, 1): the gradient of the loss with respect to inv.

    Forward:  xhat = diff * inv
    Upstream: dxhat (4, 5, 7)
    One number for each token: the sum runs over its channels.
    """
    raise NotImplementedError("dinv: not written yet")


def dvar(var, dinv):
    """dvar (4, 5, 1): the gradient of the loss with respect to var.

    Forward:  inv = (var + 1e-5)**-0.5
    Upstream: dinv (4, 5, 1)
    """
    raise NotImplementedError("dvar: not written yet")


def ddiff2(diff2, dvar, C):
    """ddiff2 (4, 5, 7): the gradient of the loss with respect to diff2.

    Forward:  var = 1/C * diff2.sum(-1, keepdim=True)
    Upstream: dvar (4, 5, 1)
    A sum in the forward pass turns into a broadcast.
    """
    raise NotImplementedError("ddiff2: not written yet")


def ddiff(diff, inv, dxhat, ddiff2):
    """ddiff (4, 5, 7): the gradient of the loss with respect to diff.

    Forward:  xhat = diff * inv
              diff2 = diff**2
    Upstream: dxhat (4, 5, 7), ddiff2 (4, 5, 7)
    Used twice in the forward pass.
    """
    raise NotImplementedError("ddiff: not written yet")


def dmean(ddiff):
    """dmean (4, 5, 1): the gradient of the loss with respect to mean.

    Forward:  diff = x - mean
    Upstream: ddiff (4, 5, 7)
    """
    raise NotImplementedError("dmean: not written yet")


def dx(x, ddiff, dmean, C):
    """dx (4, 5, 7): the gradient of the loss with respect to x.

    Forward:  diff = x - mean
              mean = 1/C * x.sum(-1, keepdim=True)
    Upstream: ddiff (4, 5, 7), dmean (4, 5, 1)
    Used twice in the forward pass.
    """
    raise NotImplementedError("dx: not written yet")
