"""A whole block: two residual joins around attention and MLP.

The stream of activations runs straight through the block; attention and MLP each read a normalised
copy of it and add what they have found. So the gradient has a straight way back too: at each join
it is handed on as it is, and what comes back through the branch is added to it.

The steps are bigger than before: GELU, LayerNorm and the whole of attention in one go each. You have
worked out all of their parts. What the forward pass has saved is there to be used: norm and rstd of
each LayerNorm, the attention att, the queries, keys and values. The channels are nh * hs.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, w1, b1, Wqkv, bqkv, Wo, bo, w2, b2, Wfc, bfc, Wproj, bproj, future, goal, B, T, nh, hs):
    # LayerNorm
    rstd1 = (x.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm1 = (x - x.mean(-1, keepdim=True)) * rstd1
    ln1 = norm1 * w1 + b1
    # attention
    qkv = ln1 @ Wqkv + bqkv
    q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
    k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
    v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    att = torch.softmax((q @ k.mT * hs**-0.5).masked_fill(future, float("-inf")), -1)
    y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    # first residual join
    res = x + (y @ Wo + bo)
    # LayerNorm
    rstd2 = (res.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm2 = (res - res.mean(-1, keepdim=True)) * rstd2
    ln2 = norm2 * w2 + b2
    # MLP, second residual join
    fc = ln2 @ Wfc + bfc
    act = F.gelu(fc, approximate="tanh")
    out = res + (act @ Wproj + bproj)
    loss = ((out - goal) ** 2).mean()
    return loss


def dact(Wproj, dout):
    """dact (4, 6, 40): the gradient of the loss with respect to act.

    Forward:  out = res + (act @ Wproj + bproj)
    Upstream: dout (4, 6, 10)
    """
    raise NotImplementedError("dact: not written yet")


def dfc(fc, dact):
    """dfc (4, 6, 40): the gradient of the loss with respect to fc.

    Forward:  act = F.gelu(fc, approximate="tanh")
    Upstream: dact (4, 6, 40)
    With c, the square root of 2/pi, gelu(x) is 0.5 * x * (1 + tanh(c * (x + 0.044715 * x**3))).
    """
    raise NotImplementedError("dfc: not written yet")


def dln2(Wfc, dfc):
    """dln2 (4, 6, 10): the gradient of the loss with respect to ln2.

    Forward:  fc = ln2 @ Wfc + bfc
    Upstream: dfc (4, 6, 40)
    """
    raise NotImplementedError("dln2: not written yet")


def dres(norm2, rstd2, w2, dln2, dout):
    """dres (4, 6, 10): the gradient of the loss with respect to res.

    Forward:  out = res + (act @ Wproj + bproj)
              the lines from rstd2 down to ln2 = norm2 * w2 + b2
    Upstream: dout (4, 6, 10), dln2 (4, 6, 10)
    The residual's own gradient, and what comes back through the LayerNorm.
    """
    raise NotImplementedError("dres: not written yet")


def dy(Wo, dres):
    """dy (4, 6, 10): the gradient of the loss with respect to y.

    Forward:  res = x + (y @ Wo + bo)
    Upstream: dres (4, 6, 10)
    """
    raise NotImplementedError("dy: not written yet")


def dqkv(q, k, v, att, dy, B, T, nh, hs):
    """dqkv (4, 6, 30): the gradient of the loss with respect to qkv.

    Forward:  the lines from q down to y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    Upstream: dy (4, 6, 10)
    All of attention in one function.
    """
    raise NotImplementedError("dqkv: not written yet")


def dln1(Wqkv, dqkv):
    """dln1 (4, 6, 10): the gradient of the loss with respect to ln1.

    Forward:  qkv = ln1 @ Wqkv + bqkv
    Upstream: dqkv (4, 6, 30)
    """
    raise NotImplementedError("dln1: not written yet")


def dx(norm1, rstd1, w1, dln1, dres):
    """dx (4, 6, 10): the gradient of the loss with respect to x.

    Forward:  res = x + (y @ Wo + bo)
              the lines from rstd1 down to ln1 = norm1 * w1 + b1
    Upstream: dres (4, 6, 10), dln1 (4, 6, 10)
    The first join: again two gradients meet.
    """
    raise NotImplementedError("dx: not written yet")
