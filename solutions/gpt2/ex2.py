"""The MLP of GPT-2, with the tanh form of GELU.

Two linear layers with a bend between them: up to four times the channels, GELU, and back. GELU is
the number times a gate that opens smoothly from 0 to 1. The exact gate is the normal distribution
function; GPT-2 was trained when that was slow to compute, so it uses an approximation with tanh.

The gate is cut into small lines here: h reaches the loss in three places. The linear layers work
on three axes, (B, T, C): a weight gets a contribution from every position of every example.
"""

import torch

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, C=5),
    "probe-1": dict(seed=1, B=4, T=6, C=5),
    "probe-2": dict(seed=2, B=3, T=5, C=2),
    "probe-3": dict(seed=3, B=2, T=7, C=3),
}


def inputs(g, B, T, C):
    """Activations, the two linear layers, and what the output is wanted to be."""
    return {
        "x": torch.randn((B, T, C), generator=g),
        "Wfc": torch.randn((C, 4 * C), generator=g) * C**-0.5,
        "bfc": torch.randn(4 * C, generator=g) * 0.1,
        "Wproj": torch.randn((4 * C, C), generator=g) * (4 * C) ** -0.5,
        "bproj": torch.randn(C, generator=g) * 0.1,
        "goal": torch.randn((B, T, C), generator=g),
    }


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
    return dout @ Wproj.T


def dWproj(act, dout):
    """dWproj (20, 5): the gradient of the loss with respect to Wproj.

    Forward:  out = act @ Wproj + bproj
    Upstream: dout (4, 6, 5)
    The result has no batch and no time axis: contributions of all positions add up.
    """
    return act.flatten(0, 1).T @ dout.flatten(0, 1)


def dbproj(dout):
    """dbproj (5,): the gradient of the loss with respect to bproj.

    Forward:  out = act @ Wproj + bproj
    Upstream: dout (4, 6, 5)
    """
    return dout.sum((0, 1))


def dgate(h, dact):
    """dgate (4, 6, 20): the gradient of the loss with respect to gate.

    Forward:  act = h * gate
    Upstream: dact (4, 6, 20)
    """
    return h * dact


def dt(dgate):
    """dt (4, 6, 20): the gradient of the loss with respect to t.

    Forward:  gate = 0.5 * (1.0 + t)
    Upstream: dgate (4, 6, 20)
    """
    return 0.5 * dgate


def du(t, dt):
    """du (4, 6, 20): the gradient of the loss with respect to u.

    Forward:  t = torch.tanh(u)
    Upstream: dt (4, 6, 20)
    """
    return (1.0 - t**2) * dt


def dh(h, gate, dact, du):
    """dh (4, 6, 20): the gradient of the loss with respect to h.

    Forward:  act = h * gate
              u = 0.79788456 * (h + 0.044715 * h**3)
    Upstream: dact (4, 6, 20), du (4, 6, 20)
    One line reads it once, the other twice.
    """
    dh = gate * dact
    dh += 0.79788456 * (1.0 + 3 * 0.044715 * h**2) * du
    return dh


def dx(Wfc, dh):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  h = x @ Wfc + bfc
    Upstream: dh (4, 6, 20)
    """
    return dh @ Wfc.T


def dWfc(x, dh):
    """dWfc (5, 20): the gradient of the loss with respect to Wfc.

    Forward:  h = x @ Wfc + bfc
    Upstream: dh (4, 6, 20)
    """
    return x.flatten(0, 1).T @ dh.flatten(0, 1)


def dbfc(dh):
    """dbfc (20,): the gradient of the loss with respect to bfc.

    Forward:  h = x @ Wfc + bfc
    Upstream: dh (4, 6, 20)
    """
    return dh.sum((0, 1))
