"""Causal self-attention with all heads in one batch.

GPT-2 computes queries, keys and values of all heads by a single matrix product, cuts the result in
three along the channels, and makes the heads an axis beside the batch: (B, nh, T, hs). From
there on every line works on all heads at once. At the end the heads are laid side by side again.

Going backwards, each transpose and each cut is undone by its inverse. `x.mT` is the transpose of the last two
axes. The mask `future` is true where a position would look ahead; after the softmax those places
hold exactly 0. Write nh * hs for the number of channels.
"""

import torch


# The forward pass, to read; the grader runs its own copy.
def forward(x, Wqkv, bqkv, Wo, bo, future, goal, B, T, nh, hs):
    # queries, keys and values of all heads at once
    qkv = x @ Wqkv + bqkv
    q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
    k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
    v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    # attention
    scores = q @ k.mT * hs**-0.5
    att = torch.softmax(scores.masked_fill(future, float("-inf")), -1)
    y = att @ v
    # the heads side by side, and the output projection
    ycat = y.transpose(1, 2).reshape(B, T, nh * hs)
    out = ycat @ Wo + bo
    loss = ((out - goal) ** 2).mean()
    return loss


def dycat(Wo, dout):
    """dycat (4, 6, 10): the gradient of the loss with respect to ycat.

    Forward:  out = ycat @ Wo + bo
    Upstream: dout (4, 6, 10)
    Wo is square: here the shapes do not tell whether it is to be transposed.
    """
    raise NotImplementedError("dycat: not written yet")


def dWo(ycat, dout):
    """dWo (10, 10): the gradient of the loss with respect to Wo.

    Forward:  out = ycat @ Wo + bo
    Upstream: dout (4, 6, 10)
    """
    raise NotImplementedError("dWo: not written yet")


def dbo(dout):
    """dbo (10,): the gradient of the loss with respect to bo.

    Forward:  out = ycat @ Wo + bo
    Upstream: dout (4, 6, 10)
    """
    raise NotImplementedError("dbo: not written yet")


def dy(dycat, B, T, nh, hs):
    """dy (4, 2, 6, 5): the gradient of the loss with respect to y.

    Forward:  ycat = y.transpose(1, 2).reshape(B, T, nh * hs)
    Upstream: dycat (4, 6, 10)
    """
    raise NotImplementedError("dy: not written yet")


def datt(v, dy):
    """datt (4, 2, 6, 6): the gradient of the loss with respect to att.

    Forward:  y = att @ v
    Upstream: dy (4, 2, 6, 5)
    """
    raise NotImplementedError("datt: not written yet")


def dv(att, dy):
    """dv (4, 2, 6, 5): the gradient of the loss with respect to v.

    Forward:  y = att @ v
    Upstream: dy (4, 2, 6, 5)
    A value goes to the positions that look at it; they are all at or after its own.
    """
    raise NotImplementedError("dv: not written yet")


def dscores(att, datt):
    """dscores (4, 2, 6, 6): the gradient of the loss with respect to scores.

    Forward:  att = torch.softmax(scores.masked_fill(future, float("-inf")), -1)
    Upstream: datt (4, 2, 6, 6)
    Each row of it sums to zero. Where the mask was set it is 0: see which factor makes it so by itself.
    """
    raise NotImplementedError("dscores: not written yet")


def dq(k, dscores, hs):
    """dq (4, 2, 6, 5): the gradient of the loss with respect to q.

    Forward:  scores = q @ k.mT * hs**-0.5
    Upstream: dscores (4, 2, 6, 6)
    """
    raise NotImplementedError("dq: not written yet")


def dk(q, dscores, hs):
    """dk (4, 2, 6, 5): the gradient of the loss with respect to k.

    Forward:  scores = q @ k.mT * hs**-0.5
    Upstream: dscores (4, 2, 6, 6)
    """
    raise NotImplementedError("dk: not written yet")


def dqkv(dq, dk, dv, B, T, nh, hs):
    """dqkv (4, 6, 30): the gradient of the loss with respect to qkv.

    Forward:  q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
              k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
              v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    Upstream: dq (4, 2, 6, 5), dk (4, 2, 6, 5), dv (4, 2, 6, 5)
    Three blocks of channels that do not overlap.
    """
    raise NotImplementedError("dqkv: not written yet")


def dx(Wqkv, dqkv):
    """dx (4, 6, 10): the gradient of the loss with respect to x.

    Forward:  qkv = x @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    The three ways through queries, keys and values add up inside of one matrix product.
    """
    raise NotImplementedError("dx: not written yet")


def dWqkv(x, dqkv):
    """dWqkv (10, 30): the gradient of the loss with respect to Wqkv.

    Forward:  qkv = x @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    """
    raise NotImplementedError("dWqkv: not written yet")


def dbqkv(dqkv):
    """dbqkv (30,): the gradient of the loss with respect to bqkv.

    Forward:  qkv = x @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    With what the network itself sends back its middle third, that of the keys' bias, is about 0: a constant
    added to every score of a row is lost in the softmax. It must be right all the same.
    """
    raise NotImplementedError("dbqkv: not written yet")
