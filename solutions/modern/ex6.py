"""LoRA: a large matrix is trained by two small ones.

To train a model further on a task of one's own, Adam would have to keep two more numbers for each weight,
and the gradient. LoRA leaves a matrix W (5, 6) as it is and adds a product of two narrow ones beside it: A
(5, 2) goes down to r numbers, B (2, 6) up again. Only A and B get gradients; with thousands of channels and
an r of 8 or 16 they are less than a hundredth of W.

In steps: dropout, on this path alone, xd = x · keep (7, 5), with keep either 0 or 1/(1 − p); low = xd @ A
(7, 2); delta = low @ B (7, 6); y = x @ W + delta · alpha/r, so that another r needs no other learning rate;
then a ReLU, and a head that is frozen like W.

Frozen doesn't mean that no gradient goes through: W has none, but x has one through it, for the layers
below. Training begins with B = 0, so that nothing is changed at first; what is then the gradient of A?
(Here B is not 0 any more.)

Hu et al., 2021, arXiv:2106.09685.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(n=7, C=5, M=6, r=2, V=4, alpha=3)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=5, C=6, M=8, r=3, V=7, alpha=4),
    "probe-3": dict(seed=3, n=6, C=7, M=5, r=4, V=3, alpha=9),
}


def inputs(g, n, C, M, r, V, alpha):
    """Activations, a mask of dropout, the frozen matrices, the two of the adapter; drawn with the generator g."""
    return {
        "x": torch.randn((n, C), generator=g),
        "keep": (torch.rand((n, C), generator=g) < 0.75) / 0.75,
        "W": torch.randn((C, M), generator=g) * C**-0.5,
        "A": torch.randn((C, r), generator=g) * C**-0.5,
        "B": torch.randn((r, M), generator=g) * r**-0.5,
        "Whead": torch.randn((M, V), generator=g) * M**-0.5,
        "labels": torch.randint(0, V, (n,), generator=g),
    }


def forward(x, keep, W, A, B, Whead, labels, r, alpha):
    # the adapter: down to r numbers, and up again
    xd = x * keep
    low = xd @ A
    delta = low @ B
    # beside the frozen matrix
    y = x @ W + delta * (alpha / r)
    h = torch.relu(y)
    logits = h @ Whead
    loss = F.cross_entropy(logits, labels)
    return loss


def dy(y, dh):
    """dy (7, 6): the gradient of the loss with respect to y.

    Forward:  h = torch.relu(y)
    Upstream: dh (7, 6)
    """
    return dh * (y > 0)


def ddelta(dy, alpha, r):
    """ddelta (7, 6): the gradient of the loss with respect to delta.

    Forward:  y = x @ W + delta * (alpha / r)
    Upstream: dy (7, 6)
    """
    return dy * (alpha / r)


def dB(low, ddelta):
    """dB (2, 6): the gradient of the loss with respect to B.

    Forward:  delta = low @ B
    Upstream: ddelta (7, 6)
    """
    return low.T @ ddelta


def dlow(B, ddelta):
    """dlow (7, 2): the gradient of the loss with respect to low.

    Forward:  delta = low @ B
    Upstream: ddelta (7, 6)
    """
    return ddelta @ B.T


def dA(xd, dlow):
    """dA (5, 2): the gradient of the loss with respect to A.

    Forward:  low = xd @ A
    Upstream: dlow (7, 2)
    """
    return xd.T @ dlow


def dxd(A, dlow):
    """dxd (7, 5): the gradient of the loss with respect to xd.

    Forward:  low = xd @ A
    Upstream: dlow (7, 2)
    """
    return dlow @ A.T


def dx(W, keep, dy, dxd):
    """dx (7, 5): the gradient of the loss with respect to x.

    Forward:  y = x @ W + delta * (alpha / r)
              xd = x * keep
    Upstream: dy (7, 6), dxd (7, 5)
    Through what is frozen, and through what is learnt.
    """
    return dy @ W.T + dxd * keep
