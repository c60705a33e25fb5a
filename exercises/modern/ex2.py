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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dWdown: not written yet")


def dh(Wdown, dy):
    """dh (3, 4, 7): the gradient of the loss with respect to h.

    Forward:  y = x + h @ Wdown
    Upstream: dy (3, 4, 5)
    """
    raise NotImplementedError("dh: not written yet")


def dup(gate, dh):
    """dup (3, 4, 7): the gradient of the loss with respect to up.

    Forward:  h = gate * up
    Upstream: dh (3, 4, 7)
    """
    raise NotImplementedError("dup: not written yet")


def dgate(up, dh):
    """dgate (3, 4, 7): the gradient of the loss with respect to gate.

    Forward:  h = gate * up
    Upstream: dh (3, 4, 7)
    """
    raise NotImplementedError("dgate: not written yet")


def dshare(a, dgate):
    """dshare (3, 4, 7): the gradient of the loss with respect to share.

    Forward:  gate = a * share
    Upstream: dgate (3, 4, 7)
    """
    raise NotImplementedError("dshare: not written yet")


def da(share, dgate, dshare):
    """da (3, 4, 7): the gradient of the loss with respect to a.

    Forward:  gate = a * share
              share = torch.sigmoid(a)
    Upstream: dgate (3, 4, 7), dshare (3, 4, 7)
    Read twice: as what goes through, and as how much of it.
    """
    raise NotImplementedError("da: not written yet")


def dWgate(x, da):
    """dWgate (5, 7): the gradient of the loss with respect to Wgate.

    Forward:  a = x @ Wgate
    Upstream: da (3, 4, 7)
    """
    raise NotImplementedError("dWgate: not written yet")


def dx(Wgate, Wup, dy, dup, da):
    """dx (3, 4, 5): the gradient of the loss with respect to x.

    Forward:  y = x + h @ Wdown
              up = x @ Wup
              a = x @ Wgate
    Upstream: dy (3, 4, 5), dup (3, 4, 7), da (3, 4, 7)
    Three ways, one of them without a matrix.
    """
    raise NotImplementedError("dx: not written yet")
