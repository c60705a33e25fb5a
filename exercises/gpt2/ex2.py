"""The MLP of GPT-2, with the tanh form of GELU.

Two linear layers with a bend between them: up to four times the channels, GELU, and back. GELU is
the number times a gate that opens smoothly from 0 to 1. The exact gate is the normal distribution
function; GPT-2 was trained when that was slow to compute, so it uses an approximation with tanh.

The gate is cut into small lines here: h reaches the loss in three places. The linear layers work
on three axes, (B, T, C): a weight gets a contribution from every position of every example.
"""

import torch


# The forward pass, to read; the grader runs its own copy.
def forward(x, Wfc, bfc, Wproj, bproj, goal):
    h = x @ Wfc + bfc
    # GELU: h times its gate; 0.79788456 is the square root of 2/pi
    u = 0.79788456 * (h + 0.044715 * h**3)
    t = torch.tanh(u)
    gate = 0.5 * (1.0 + t)
    act = h * gate
    out = act @ Wproj + bproj
    loss = ((out - goal) ** 2).mean()
    return loss


def dact(Wproj, dout):
    """dact (4, 6, 20): the gradient of the loss with respect to act.

    Forward:  out = act @ Wproj + bproj
    Upstream: dout (4, 6, 5)
    """
    raise NotImplementedError("dact: not written yet")


def dWproj(act, dout):
    """dWproj (20, 5): the gradient of the loss with respect to Wproj.

    Forward:  out = act @ Wproj + bproj
    Upstream: dout (4, 6, 5)
    The result has no batch and no time axis: contributions of all positions add up.
    """
    raise NotImplementedError("dWproj: not written yet")


def dbproj(dout):
    """dbproj (5,): the gradient of the loss with respect to bproj.

    Forward:  out = act @ Wproj + bproj
    Upstream: dout (4, 6, 5)
    """
    raise NotImplementedError("dbproj: not written yet")


def dgate(h, dact):
    """dgate (4, 6, 20): the gradient of the loss with respect to gate.

    Forward:  act = h * gate
    Upstream: dact (4, 6, 20)
    """
    raise NotImplementedError("dgate: not written yet")


def dt(dgate):
    """dt (4, 6, 20): the gradient of the loss with respect to t.

    Forward:  gate = 0.5 * (1.0 + t)
    Upstream: dgate (4, 6, 20)
    """
    raise NotImplementedError("dt: not written yet")


def du(t, dt):
    """du (4, 6, 20): the gradient of the loss with respect to u.

    Forward:  t = torch.tanh(u)
    Upstream: dt (4, 6, 20)
    """
    raise NotImplementedError("du: not written yet")


def dh(h, gate, dact, du):
    """dh (4, 6, 20): the gradient of the loss with respect to h.

    Forward:  act = h * gate
              u = 0.79788456 * (h + 0.044715 * h**3)
    Upstream: dact (4, 6, 20), du (4, 6, 20)
    One line reads it once, the other twice.
    """
    raise NotImplementedError("dh: not written yet")


def dx(Wfc, dh):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  h = x @ Wfc + bfc
    Upstream: dh (4, 6, 20)
    """
    raise NotImplementedError("dx: not written yet")


def dWfc(x, dh):
    """dWfc (5, 20): the gradient of the loss with respect to Wfc.

    Forward:  h = x @ Wfc + bfc
    Upstream: dh (4, 6, 20)
    """
    raise NotImplementedError("dWfc: not written yet")


def dbfc(dh):
    """dbfc (20,): the gradient of the loss with respect to bfc.

    Forward:  h = x @ Wfc + bfc
    Upstream: dh (4, 6, 20)
    """
    raise NotImplementedError("dbfc: not written yet")
