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

from grader.lecture import minibatch

LECTURE = dict(n=7, vocab_size=27, n_embd=3, n_hidden=5)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=5, vocab_size=11, n_embd=7, n_hidden=6),
    "probe-3": dict(seed=3, n=9, vocab_size=6, n_embd=5, n_hidden=3),
}

HINTS = {
    "da1": {
        "concept": """
The tanh first, whose local derivative h1 tells: what comes through it is the gradient with respect to y1. Then the
batch norm in one step, as in the exercise before: a number of a1 reaches xhat1 directly, through its channel's mean,
and through its channel's variance. Two sums over the examples and the positions are all that they need.
""",
        "formula": """
    dy1[i,j,k] = (1 − h1[i,j,k]²) · dh1[i,j,k]
    da1[i,j,k] = gamma1[0,0,k] · inv1[0,0,k] · (dy1[i,j,k] − s[k]/m − xhat1[i,j,k] · u[k]/(m − 1))

m = 4 · n numbers share a mean here. s[k] = Σ_{i,j} dy1[i,j,k] and u[k] = Σ_{i,j} dy1[i,j,k] · xhat1[i,j,k].
""",
    },
    "da2": {
        "concept": """
The batch norm in one step, as in the exercise before. A number of a2 reaches xhat2 in three ways:
directly, through its channel's mean, and through its channel's variance. Two sums over the examples and
the positions are all that they need: that of dy2, and that of dy2 times xhat2.
""",
        "formula": """
    da2[i,j,k] = gamma2[0,0,k] · inv2[0,0,k] · (dy2[i,j,k] − s[k]/m − xhat2[i,j,k] · u[k]/(m − 1))

m = 2 · n numbers share a mean here. s[k] = Σ_{i,j} dy2[i,j,k] and u[k] = Σ_{i,j} dy2[i,j,k] · xhat2[i,j,k].
""",
    },
    "da3": {
        "concept": """
The batch norm in one step, as in the exercise before. A number of a3 reaches xhat3 in three ways:
directly, through its channel's mean, and through its channel's variance. Two sums over the examples and
the positions are all that they need: that of dy3, and that of dy3 times xhat3.
""",
        "formula": """
    da3[i,j,k] = gamma3[0,0,k] · inv3[0,0,k] · (dy3[i,j,k] − s[k]/m − xhat3[i,j,k] · u[k]/(m − 1))

m = n numbers share a mean here. s[k] = Σ_{i,j} dy3[i,j,k] and u[k] = Σ_{i,j} dy3[i,j,k] · xhat3[i,j,k].
""",
    },
}


def inputs(g, n, vocab_size, n_embd, n_hidden):
    """A minibatch of contexts of 8 characters, and the parameters; drawn with the generator g."""
    if n < 3:
        raise ValueError("of two numbers, the last level's batch norm would make the same two always")
    fan_in = [2 * n_embd, 2 * n_hidden, 2 * n_hidden]
    weights = {
        f"W{k}": torch.randn((f, n_hidden), generator=g) * (5 / 3) / f**0.5 for k, f in enumerate(fan_in, 1)
    }
    gains = {f"gamma{k}": torch.randn((1, 1, n_hidden), generator=g) * 0.1 + 1.0 for k in (1, 2, 3)}
    biases = {f"beta{k}": torch.randn((1, 1, n_hidden), generator=g) * 0.1 for k in (1, 2, 3)}
    return {
        **minibatch(g, n, 8, vocab_size),
        "C": torch.randn((vocab_size, n_embd), generator=g),
        **weights,
        **gains,
        **biases,
        "W4": torch.randn((n_hidden, vocab_size), generator=g) * n_hidden**-0.5,
        "b4": torch.randn(vocab_size, generator=g) * 0.1,
    }


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
    return (F.softmax(logits, 1) - F.one_hot(Yb, num_classes=logits.shape[1])) / n


def dW4(last, dlogits):
    """dW4 (5, 27): the gradient of the loss with respect to W4.

    Forward:  logits = last @ W4 + b4
    Upstream: dlogits (7, 27)
    """
    return last.T @ dlogits


def db4(dlogits):
    """db4 (27,): the gradient of the loss with respect to b4.

    Forward:  logits = last @ W4 + b4
    Upstream: dlogits (7, 27)
    """
    return dlogits.sum(0)


def dlast(W4, dlogits):
    """dlast (7, 5): the gradient of the loss with respect to last.

    Forward:  logits = last @ W4 + b4
    Upstream: dlogits (7, 27)
    """
    return dlogits @ W4.T


def dh3(h3, dlast):
    """dh3 (7, 1, 5): the gradient of the loss with respect to h3.

    Forward:  last = h3.view(n, -1)
    Upstream: dlast (7, 5)
    One position is left, an axis of size 1.
    """
    return dlast.view(h3.shape)


def dy3(h3, dh3):
    """dy3 (7, 1, 5): the gradient of the loss with respect to y3.

    Forward:  h3 = torch.tanh(y3)
    Upstream: dh3 (7, 1, 5)
    """
    return (1.0 - h3**2) * dh3


def dgamma3(xhat3, dy3):
    """dgamma3 (1, 1, 5): the gradient of the loss with respect to gamma3.

    Forward:  y3 = gamma3 * xhat3 + beta3
    Upstream: dy3 (7, 1, 5)
    """
    return (xhat3 * dy3).sum((0, 1), keepdim=True)


def dbeta3(dy3):
    """dbeta3 (1, 1, 5): the gradient of the loss with respect to beta3.

    Forward:  y3 = gamma3 * xhat3 + beta3
    Upstream: dy3 (7, 1, 5)
    """
    return dy3.sum((0, 1), keepdim=True)


def da3(gamma3, inv3, xhat3, dy3, n):
    """da3 (7, 1, 5): the gradient of the loss with respect to a3.

    Forward:  the lines from mean3 down to y3 = gamma3 * xhat3 + beta3
    Upstream: dy3 (7, 1, 5)
    One position is left: n numbers share a mean.
    """
    shift = dy3.sum((0, 1)) / n
    scale = (dy3 * xhat3).sum((0, 1)) / (n - 1)
    return gamma3 * inv3 * (dy3 - shift - xhat3 * scale)


def dx3(W3, da3):
    """dx3 (7, 1, 10): the gradient of the loss with respect to x3.

    Forward:  a3 = x3 @ W3
    Upstream: da3 (7, 1, 5)
    """
    return da3 @ W3.T


def dW3(x3, da3):
    """dW3 (10, 5): the gradient of the loss with respect to W3.

    Forward:  a3 = x3 @ W3
    Upstream: da3 (7, 1, 5)
    """
    return (x3.transpose(-2, -1) @ da3).sum(0)


def dy2(h2, dx3):
    """dy2 (7, 2, 5): the gradient of the loss with respect to y2.

    Forward:  h2 = torch.tanh(y2)
              x3 = h2.view(n, 1, -1)
    Upstream: dx3 (7, 1, 10)
    Two lines in one: two neighbours that were laid side by side are two vectors again, and then the tanh.
    """
    return (1.0 - h2**2) * dx3.view(h2.shape)


def dgamma2(xhat2, dy2):
    """dgamma2 (1, 1, 5): the gradient of the loss with respect to gamma2.

    Forward:  y2 = gamma2 * xhat2 + beta2
    Upstream: dy2 (7, 2, 5)
    """
    return (xhat2 * dy2).sum((0, 1), keepdim=True)


def dbeta2(dy2):
    """dbeta2 (1, 1, 5): the gradient of the loss with respect to beta2.

    Forward:  y2 = gamma2 * xhat2 + beta2
    Upstream: dy2 (7, 2, 5)
    """
    return dy2.sum((0, 1), keepdim=True)


def da2(gamma2, inv2, xhat2, dy2, n):
    """da2 (7, 2, 5): the gradient of the loss with respect to a2.

    Forward:  the lines from mean2 down to y2 = gamma2 * xhat2 + beta2
    Upstream: dy2 (7, 2, 5)
    Two positions are left: how many numbers share a mean?
    """
    m = 2 * n
    shift = dy2.sum((0, 1)) / m
    scale = (dy2 * xhat2).sum((0, 1)) / (m - 1)
    return gamma2 * inv2 * (dy2 - shift - xhat2 * scale)


def dW2(x2, da2):
    """dW2 (10, 5): the gradient of the loss with respect to W2.

    Forward:  a2 = x2 @ W2
    Upstream: da2 (7, 2, 5)
    Summed over the examples and over the positions.
    """
    return (x2.transpose(-2, -1) @ da2).sum(0)


def dh1(h1, W2, da2):
    """dh1 (7, 4, 5): the gradient of the loss with respect to h1.

    Forward:  x2 = h1.view(n, 2, -1)
              a2 = x2 @ W2
    Upstream: da2 (7, 2, 5)
    Two lines in one: the linear layer, and the view.
    """
    return (da2 @ W2.T).view(h1.shape)


def dgamma1(xhat1, h1, dh1):
    """dgamma1 (1, 1, 5): the gradient of the loss with respect to gamma1.

    Forward:  y1 = gamma1 * xhat1 + beta1
              h1 = torch.tanh(y1)
    Upstream: dh1 (7, 4, 5)
    The tanh and the gain in one.
    """
    return (xhat1 * (1.0 - h1**2) * dh1).sum((0, 1), keepdim=True)


def dbeta1(h1, dh1):
    """dbeta1 (1, 1, 5): the gradient of the loss with respect to beta1.

    Forward:  y1 = gamma1 * xhat1 + beta1
              h1 = torch.tanh(y1)
    Upstream: dh1 (7, 4, 5)
    The tanh and the shift in one.
    """
    return ((1.0 - h1**2) * dh1).sum((0, 1), keepdim=True)


def da1(gamma1, inv1, xhat1, h1, dh1, n):
    """da1 (7, 4, 5): the gradient of the loss with respect to a1.

    Forward:  the lines from mean1 down to h1 = torch.tanh(y1)
    Upstream: dh1 (7, 4, 5)
    The tanh and the whole batch norm in one. Four positions: how many numbers share a mean?
    """
    m = 4 * n
    dy1 = (1.0 - h1**2) * dh1
    shift = dy1.sum((0, 1)) / m
    scale = (dy1 * xhat1).sum((0, 1)) / (m - 1)
    return gamma1 * inv1 * (dy1 - shift - xhat1 * scale)


def dW1(x1, da1):
    """dW1 (6, 5): the gradient of the loss with respect to W1.

    Forward:  a1 = x1 @ W1
    Upstream: da1 (7, 4, 5)
    Summed over the examples and over the positions.
    """
    return (x1.transpose(-2, -1) @ da1).sum(0)


def demb(emb, W1, da1):
    """demb (7, 8, 3): the gradient of the loss with respect to emb.

    Forward:  x1 = emb.view(n, 4, -1)
              a1 = x1 @ W1
    Upstream: da1 (7, 4, 5)
    The linear layer and the view in one, as at the level above.
    """
    return (da1 @ W1.T).view(emb.shape)


def dC(C, Xb, demb):
    """dC (27, 3): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (7, 8, 3)
    Eight look-ups for each example; what meets at one row adds up.
    """
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    return dC
