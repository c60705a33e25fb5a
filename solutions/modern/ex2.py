"""SwiGLU: a feed-forward layer with a gate.

GPT-2's feed-forward layer widens each token's vector, bends it with GELU, and narrows it again. Llama's has
two matrices side by side: one makes the values, up, the other says how much of each goes through, gate;
their product goes down to the channels and is added to the residual stream. The gate is bent by SiLU (also
called Swish), which is a · σ(a): it goes to 0 on the left and to a on the right.

In steps: a = x @ Wgate (3, 4, 7), its share σ(a) and the gate a · share; up = x @ Wup (3, 4, 7) and h =
gate · up; y = x + h @ Wdown (3, 4, 5). SiLU stands in two lines, so a is read twice: by the sigmoid and by
the product. x is read three times, and the residual is the way that is lost most easily. Derive the
gradients of all that lies between y and x, and of two of the matrices; the third is like the second.

Shazeer, 2020, arXiv:2002.05202.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=3, T=4, C=5, M=7)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=2, T=5, C=4, M=6),
    "probe-3": dict(seed=3, B=4, T=3, C=6, M=8),
}


def inputs(g, B, T, C, M):
    """Activations, the layer's three matrices and what is to come out; drawn with the generator g."""

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    return {
        "x": torch.randn((B, T, C), generator=g),
        "Wgate": matrix(C, M),
        "Wup": matrix(C, M),
        "Wdown": matrix(M, C),
        "target": torch.randn((B, T, C), generator=g),
    }


def forward(x, Wgate, Wup, Wdown, target):
    # how much: SiLU in two steps
    a = x @ Wgate
    share = torch.sigmoid(a)
    gate = a * share
    # of what
    up = x @ Wup
    h = gate * up
    # back to the channels, onto the residual stream
    y = x + h @ Wdown
    loss = F.mse_loss(y, target)
    return loss


def dWdown(h, dy):
    """dWdown (7, 5): the gradient of the loss with respect to Wdown.

    Forward:  y = x + h @ Wdown
    Upstream: dy (3, 4, 5)
    """
    return h.flatten(0, 1).T @ dy.flatten(0, 1)


def dh(Wdown, dy):
    """dh (3, 4, 7): the gradient of the loss with respect to h.

    Forward:  y = x + h @ Wdown
    Upstream: dy (3, 4, 5)
    """
    return dy @ Wdown.T


def dup(gate, dh):
    """dup (3, 4, 7): the gradient of the loss with respect to up.

    Forward:  h = gate * up
    Upstream: dh (3, 4, 7)
    """
    return gate * dh


def dgate(up, dh):
    """dgate (3, 4, 7): the gradient of the loss with respect to gate.

    Forward:  h = gate * up
    Upstream: dh (3, 4, 7)
    """
    return up * dh


def dshare(a, dgate):
    """dshare (3, 4, 7): the gradient of the loss with respect to share.

    Forward:  gate = a * share
    Upstream: dgate (3, 4, 7)
    """
    return a * dgate


def da(share, dgate, dshare):
    """da (3, 4, 7): the gradient of the loss with respect to a.

    Forward:  gate = a * share
              share = torch.sigmoid(a)
    Upstream: dgate (3, 4, 7), dshare (3, 4, 7)
    Read twice: as what goes through, and as how much of it.
    """
    return share * dgate + share * (1.0 - share) * dshare


def dWgate(x, da):
    """dWgate (5, 7): the gradient of the loss with respect to Wgate.

    Forward:  a = x @ Wgate
    Upstream: da (3, 4, 7)
    """
    return x.flatten(0, 1).T @ da.flatten(0, 1)


def dx(Wgate, Wup, dy, dup, da):
    """dx (3, 4, 5): the gradient of the loss with respect to x.

    Forward:  y = x + h @ Wdown
              up = x @ Wup
              a = x @ Wgate
    Upstream: dy (3, 4, 5), dup (3, 4, 7), da (3, 4, 7)
    Three ways, one of them without a matrix.
    """
    return dy + dup @ Wup.T + da @ Wgate.T
