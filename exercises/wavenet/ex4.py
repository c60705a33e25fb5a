"""The whole tree: from the loss down to the embedding table.

Eight characters, three levels: pairs, pairs of pairs, and one vector for the whole context. Each
level is FlattenConsecutive(2), a linear layer without bias, a batch norm over all batch axes, and a
tanh. With the steps of the exercises before, write the backward pass of all of it: of the last level step
by step, of the second with the view and the tanh in one, of the first with the linear layer and the view in
one, and the tanh in one with what comes before it. Each step fewer is a tensor that is never made.

A level's batch norm runs over n examples and over the positions that are left: 4, then 2, then 1.
From the first two levels a vector is 2 * n_hidden wide, where at the bottom it was 2 * n_embd.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, gamma1, beta1, W2, gamma2, beta2, W3, gamma3, beta3, W4, b4, Xb, Yb, n):
    emb = C[Xb]
    # level 1: pairs of characters
    x1 = emb.view(n, 4, -1)
    a1 = x1 @ W1
    mean1 = a1.mean((0, 1), keepdim=True)
    inv1 = (a1.var((0, 1), keepdim=True) + 1e-5)**-0.5
    xhat1 = (a1 - mean1) * inv1
    y1 = gamma1 * xhat1 + beta1
    h1 = torch.tanh(y1)
    # level 2: pairs of pairs
    x2 = h1.view(n, 2, -1)
    a2 = x2 @ W2
    mean2 = a2.mean((0, 1), keepdim=True)
    inv2 = (a2.var((0, 1), keepdim=True) + 1e-5)**-0.5
    xhat2 = (a2 - mean2) * inv2
    y2 = gamma2 * xhat2 + beta2
    h2 = torch.tanh(y2)
    # level 3: one vector for the whole context
    x3 = h2.view(n, 1, -1)
    a3 = x3 @ W3
    mean3 = a3.mean((0, 1), keepdim=True)
    inv3 = (a3.var((0, 1), keepdim=True) + 1e-5)**-0.5
    xhat3 = (a3 - mean3) * inv3
    y3 = gamma3 * xhat3 + beta3
    h3 = torch.tanh(y3)
    # the last linear layer
    last = h3.view(n, -1)
    logits = last @ W4 + b4
    loss = F.cross_entropy(logits, Yb)
    return loss


def dlogits(logits, Yb, n):
    """dlogits (7, 27): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits, Yb)
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dlogits: not written yet")


def dW4(last, dlogits):
    """dW4 (5, 27): the gradient of the loss with respect to W4.

    Forward:  logits = last @ W4 + b4
    Upstream: dlogits (7, 27)
    """
    raise NotImplementedError("dW4: not written yet")


def db4(dlogits):
    """db4 (27,): the gradient of the loss with respect to b4.

    Forward:  logits = last @ W4 + b4
    Upstream: dlogits (7, 27)
    """
    raise NotImplementedError("db4: not written yet")


def dlast(W4, dlogits):
    """dlast (7, 5): the gradient of the loss with respect to last.

    Forward:  logits = last @ W4 + b4
    Upstream: dlogits (7, 27)
    """
    raise NotImplementedError("dlast: not written yet")


def dh3(h3, dlast):
    """dh3 (7, 1, 5): the gradient of the loss with respect to h3.

    Forward:  last = h3.view(n, -1)
    Upstream: dlast (7, 5)
    One position is left, an axis of size 1.
    """
    raise NotImplementedError("dh3: not written yet")


def dy3(h3, dh3):
    """dy3 (7, 1, 5): the gradient of the loss with respect to y3.

    Forward:  h3 = torch.tanh(y3)
    Upstream: dh3 (7, 1, 5)
    """
    raise NotImplementedError("dy3: not written yet")


def dgamma3(xhat3, dy3):
    """dgamma3 (1, 1, 5): the gradient of the loss with respect to gamma3.

    Forward:  y3 = gamma3 * xhat3 + beta3
    Upstream: dy3 (7, 1, 5)
    """
    raise NotImplementedError("dgamma3: not written yet")


def dbeta3(dy3):
    """dbeta3 (1, 1, 5): the gradient of the loss with respect to beta3.

    Forward:  y3 = gamma3 * xhat3 + beta3
    Upstream: dy3 (7, 1, 5)
    """
    raise NotImplementedError("dbeta3: not written yet")


def da3(gamma3, inv3, xhat3, dy3, n):
    """da3 (7, 1, 5): the gradient of the loss with respect to a3.

    Forward:  the lines from mean3 down to y3 = gamma3 * xhat3 + beta3
    Upstream: dy3 (7, 1, 5)
    One position is left: n numbers share a mean.
    """
    raise NotImplementedError("da3: not written yet")


def dx3(W3, da3):
    """dx3 (7, 1, 10): the gradient of the loss with respect to x3.

    Forward:  a3 = x3 @ W3
    Upstream: da3 (7, 1, 5)
    """
    raise NotImplementedError("dx3: not written yet")


def dW3(x3, da3):
    """dW3 (10, 5): the gradient of the loss with respect to W3.

    Forward:  a3 = x3 @ W3
    Upstream: da3 (7, 1, 5)
    """
    raise NotImplementedError("dW3: not written yet")


def dy2(h2, dx3):
    """dy2 (7, 2, 5): the gradient of the loss with respect to y2.

    Forward:  h2 = torch.tanh(y2)
              x3 = h2.view(n, 1, -1)
    Upstream: dx3 (7, 1, 10)
    Two lines in one: two neighbours that were laid side by side are two vectors again, and then the tanh.
    """
    raise NotImplementedError("dy2: not written yet")


def dgamma2(xhat2, dy2):
    """dgamma2 (1, 1, 5): the gradient of the loss with respect to gamma2.

    Forward:  y2 = gamma2 * xhat2 + beta2
    Upstream: dy2 (7, 2, 5)
    """
    raise NotImplementedError("dgamma2: not written yet")


def dbeta2(dy2):
    """dbeta2 (1, 1, 5): the gradient of the loss with respect to beta2.

    Forward:  y2 = gamma2 * xhat2 + beta2
    Upstream: dy2 (7, 2, 5)
    """
    raise NotImplementedError("dbeta2: not written yet")


def da2(gamma2, inv2, xhat2, dy2, n):
    """da2 (7, 2, 5): the gradient of the loss with respect to a2.

    Forward:  the lines from mean2 down to y2 = gamma2 * xhat2 + beta2
    Upstream: dy2 (7, 2, 5)
    Two positions are left: how many numbers share a mean?
    """
    raise NotImplementedError("da2: not written yet")


def dW2(x2, da2):
    """dW2 (10, 5): the gradient of the loss with respect to W2.

    Forward:  a2 = x2 @ W2
    Upstream: da2 (7, 2, 5)
    Summed over the examples and over the positions.
    """
    raise NotImplementedError("dW2: not written yet")


def dh1(h1, W2, da2):
    """dh1 (7, 4, 5): the gradient of the loss with respect to h1.

    Forward:  x2 = h1.view(n, 2, -1)
              a2 = x2 @ W2
    Upstream: da2 (7, 2, 5)
    Two lines in one: the linear layer, and the view.
    """
    raise NotImplementedError("dh1: not written yet")


def dgamma1(xhat1, h1, dh1):
    """dgamma1 (1, 1, 5): the gradient of the loss with respect to gamma1.

    Forward:  y1 = gamma1 * xhat1 + beta1
              h1 = torch.tanh(y1)
    Upstream: dh1 (7, 4, 5)
    The tanh and the gain in one.
    """
    raise NotImplementedError("dgamma1: not written yet")


def dbeta1(h1, dh1):
    """dbeta1 (1, 1, 5): the gradient of the loss with respect to beta1.

    Forward:  y1 = gamma1 * xhat1 + beta1
              h1 = torch.tanh(y1)
    Upstream: dh1 (7, 4, 5)
    The tanh and the shift in one.
    """
    raise NotImplementedError("dbeta1: not written yet")


def da1(gamma1, inv1, xhat1, h1, dh1, n):
    """da1 (7, 4, 5): the gradient of the loss with respect to a1.

    Forward:  the lines from mean1 down to h1 = torch.tanh(y1)
    Upstream: dh1 (7, 4, 5)
    The tanh and the whole batch norm in one. Four positions: how many numbers share a mean?
    """
    raise NotImplementedError("da1: not written yet")


def dW1(x1, da1):
    """dW1 (6, 5): the gradient of the loss with respect to W1.

    Forward:  a1 = x1 @ W1
    Upstream: da1 (7, 4, 5)
    Summed over the examples and over the positions.
    """
    raise NotImplementedError("dW1: not written yet")


def demb(emb, W1, da1):
    """demb (7, 8, 3): the gradient of the loss with respect to emb.

    Forward:  x1 = emb.view(n, 4, -1)
              a1 = x1 @ W1
    Upstream: da1 (7, 4, 5)
    The linear layer and the view in one, as at the level above.
    """
    raise NotImplementedError("demb: not written yet")


def dC(C, Xb, demb):
    """dC (27, 3): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (7, 8, 3)
    Eight look-ups for each example; what meets at one row adds up.
    """
    raise NotImplementedError("dC: not written yet")
