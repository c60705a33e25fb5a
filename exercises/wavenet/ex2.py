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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dgamma: not written yet")


def dbeta(dy):
    """dbeta (1, 1, 7): the gradient of the loss with respect to beta.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    """
    raise NotImplementedError("dbeta: not written yet")


def dxhat(gamma, dy):
    """dxhat (6, 4, 7): the gradient of the loss with respect to xhat.

    Forward:  y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    """
    raise NotImplementedError("dxhat: not written yet")


def dinv(diff, dxhat):
    """dinv (1, 1, 7): the gradient of the loss with respect to inv.

    Forward:  xhat = diff * inv
    Upstream: dxhat (6, 4, 7)
    """
    raise NotImplementedError("dinv: not written yet")


def dvar(var, dinv):
    """dvar (1, 1, 7): the gradient of the loss with respect to var.

    Forward:  inv = (var + 1e-5)**-0.5
    Upstream: dinv (1, 1, 7)
    """
    raise NotImplementedError("dvar: not written yet")


def ddiff2(diff2, dvar, n, t):
    """ddiff2 (6, 4, 7): the gradient of the loss with respect to diff2.

    Forward:  var = 1/(n*t - 1) * diff2.sum((0, 1), keepdim=True)
    Upstream: dvar (1, 1, 7)
    How many numbers does this sum run over?
    """
    raise NotImplementedError("ddiff2: not written yet")


def ddiff(diff, inv, dxhat, ddiff2):
    """ddiff (6, 4, 7): the gradient of the loss with respect to diff.

    Forward:  xhat = diff * inv
              diff2 = diff**2
    Upstream: dxhat (6, 4, 7), ddiff2 (6, 4, 7)
    Used twice in the forward pass.
    """
    raise NotImplementedError("ddiff: not written yet")


def dmean(ddiff):
    """dmean (1, 1, 7): the gradient of the loss with respect to mean.

    Forward:  diff = x - mean
    Upstream: ddiff (6, 4, 7)
    """
    raise NotImplementedError("dmean: not written yet")


def dx(x, ddiff, dmean, n, t):
    """dx (6, 4, 7): the gradient of the loss with respect to x.

    Forward:  diff = x - mean
              mean = 1/(n*t) * x.sum((0, 1), keepdim=True)
    Upstream: ddiff (6, 4, 7), dmean (1, 1, 7)
    Used twice in the forward pass.
    """
    raise NotImplementedError("dx: not written yet")
