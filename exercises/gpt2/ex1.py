"""LayerNorm: every position is normalised on its own.

Batch norm took the mean of a column, over the batch. LayerNorm takes the mean of a row, over the
channels of one position: no example touches another, and training and evaluation are the same.
Its variance divides by C, not by C - 1. After it come a weight and a bias for each channel.

Write the gradients of the bias and the weight, and then that of the input in one step, from what the
forward pass has saved: norm and rstd.

Parameters are passed by name; you may ask for others, which `grader show` lists. The shapes given are
those of one set of tensors, (B, T, C) = (4, 6, 10); your formulas are asked at other sizes too.
"""

import torch


# The forward pass, to read; the grader runs its own copy.
def forward(x, w, b, goal):
    mean = x.mean(-1, keepdim=True)
    xshift = x - mean
    var = (xshift**2).mean(-1, keepdim=True)
    rstd = (var + 1e-5) ** -0.5
    norm = xshift * rstd
    out = norm * w + b
    loss = ((out - goal) ** 2).mean()
    return loss


def db(dout):
    """db (10,): the gradient of the loss with respect to b.

    Forward:  out = norm * w + b
    Upstream: dout (4, 6, 10)
    Every position of every example uses the same b.
    """
    raise NotImplementedError("db: not written yet")


def dw(norm, dout):
    """dw (10,): the gradient of the loss with respect to w.

    Forward:  out = norm * w + b
    Upstream: dout (4, 6, 10)
    """
    raise NotImplementedError("dw: not written yet")


def dx(w, norm, rstd, dout):
    """dx (4, 6, 10): the gradient of the loss with respect to x.

    Forward:  the lines from mean down to out = norm * w + b
    Upstream: dout (4, 6, 10)
    Each row of it sums to zero: the mean is taken out, so a shift of a whole row does nothing.
    """
    raise NotImplementedError("dx: not written yet")
