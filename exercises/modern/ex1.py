"""RMSNorm: only the size is taken out.

Layer norm subtracts the mean and divides by the standard deviation. RMSNorm, which most language models
have now, leaves the mean where it is: each token's vector is divided by its root mean square and multiplied
by a learnt gain. One sum less forward, one branch less on the way back.

Here are two of them with a matrix between. The second is written in steps: the mean square ms (3, 5, 1),
one over its root inv (3, 5, 1), the vector at its new size hhat (3, 5, 8), the gain. You walk back through
them one by one. h is read twice, by its own mean square and by the product; it has M = 8 channels, x C = 6.
Then comes the first norm, in one line, and with what you have found out you write its gradient in one go:
dx (3, 5, 6).

Parameters are passed by name; you may ask for others, which `grader show` lists. The shapes given are
those of one set of tensors; your formulas are asked at other sizes too.

Zhang and Sennrich, 2019, arXiv:1910.07467.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, gain1, W1, gain2, W2, labels, C, V):
    # a norm in one line, and a layer
    y = F.rms_norm(x, (C,), gain1, 1e-5)
    h = y @ W1
    # the next norm, step by step
    ms = (h**2).mean(-1, keepdim=True)
    inv = (ms + 1e-5).rsqrt()
    hhat = h * inv
    z = hhat * gain2
    # the head
    logits = z @ W2
    loss = F.cross_entropy(logits.view(-1, V), labels)
    return loss


def dgain2(hhat, dz):
    """dgain2 (8,): the gradient of the loss with respect to gain2.

    Forward:  z = hhat * gain2
    Upstream: dz (3, 5, 8)
    One gain for all tokens.
    """
    raise NotImplementedError("dgain2: not written yet")


def dhhat(gain2, dz):
    """dhhat (3, 5, 8): the gradient of the loss with respect to hhat.

    Forward:  z = hhat * gain2
    Upstream: dz (3, 5, 8)
    """
    raise NotImplementedError("dhhat: not written yet")


def dinv(h, dhhat):
    """dinv (3, 5, 1): the gradient of the loss with respect to inv.

    Forward:  hhat = h * inv
    Upstream: dhhat (3, 5, 8)
    One number scales a token's whole vector.
    """
    raise NotImplementedError("dinv: not written yet")


def dms(inv, dinv):
    """dms (3, 5, 1): the gradient of the loss with respect to ms.

    Forward:  inv = (ms + 1e-5).rsqrt()
    Upstream: dinv (3, 5, 1)
    rsqrt is the power -1/2. Its derivative is short in terms of its own result.
    """
    raise NotImplementedError("dms: not written yet")


def dh(h, inv, dhhat, dms, M):
    """dh (3, 5, 8): the gradient of the loss with respect to h.

    Forward:  hhat = h * inv
              ms = (h**2).mean(-1, keepdim=True)
    Upstream: dhhat (3, 5, 8), dms (3, 5, 1)
    """
    raise NotImplementedError("dh: not written yet")


def dgain1(x, dy):
    """dgain1 (6,): the gradient of the loss with respect to gain1.

    Forward:  y = F.rms_norm(x, (C,), gain1, 1e-5)
    Upstream: dy (3, 5, 6)
    The normed vector has no name here: make it anew.
    """
    raise NotImplementedError("dgain1: not written yet")


def dx(x, gain1, dy):
    """dx (3, 5, 6): the gradient of the loss with respect to x.

    Forward:  y = F.rms_norm(x, (C,), gain1, 1e-5)
    Upstream: dy (3, 5, 6)
    All the steps in one go. Both ways back through x have the factor inv.
    """
    raise NotImplementedError("dx: not written yet")
