"""The whole of GPT-2, backwards: the gradients of sixteen parameters, and eleven on the way.

One block between the embeddings and the head, at a tiny size: what is missing to the real network is more of
the same. Its parameters are llm.c's sixteen tensors, under its names (there one tensor holds that of all
blocks, so that they stand for the 148 of a checkpoint, which has four of each block transposed):
wte and wpe; in the block ln1, qkv, attproj, ln2, fc and fcproj with a weight (w) and a bias (b) each; and lnf
before the head. Weights are stored as linear layers store them, (channels out, channels in), and the forward
pass transposes them.

Walk from the loss to the embeddings. You know every step from the exercises before, so each is asked
in one go. When all pass, you can train this network without autograd.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(
    wte, wpe, ln1w, ln1b, qkvw, qkvb, attprojw, attprojb,
    ln2w, ln2b, fcw, fcb, fcprojw, fcprojb, lnfw, lnfb,
    future, Xb, Yb, B, T, V, nh, hs,
):  # fmt: skip
    # tokens and their positions
    x0 = wte[Xb] + wpe[:T]
    # attention
    rstd1 = (x0.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm1 = (x0 - x0.mean(-1, keepdim=True)) * rstd1
    ln1 = norm1 * ln1w + ln1b
    qkv = ln1 @ qkvw.T + qkvb
    q = qkv[:, :, : nh * hs].view(B, T, nh, hs).transpose(1, 2)
    k = qkv[:, :, nh * hs : 2 * nh * hs].view(B, T, nh, hs).transpose(1, 2)
    v = qkv[:, :, 2 * nh * hs :].view(B, T, nh, hs).transpose(1, 2)
    att = torch.softmax((q @ k.mT * hs**-0.5).masked_fill(future, float("-inf")), -1)
    y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    x1 = x0 + (y @ attprojw.T + attprojb)
    # MLP
    rstd2 = (x1.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    norm2 = (x1 - x1.mean(-1, keepdim=True)) * rstd2
    ln2 = norm2 * ln2w + ln2b
    fc = ln2 @ fcw.T + fcb
    act = F.gelu(fc, approximate="tanh")
    x2 = x1 + (act @ fcprojw.T + fcprojb)
    # head
    rstdf = (x2.var(-1, unbiased=False, keepdim=True) + 1e-5) ** -0.5
    normf = (x2 - x2.mean(-1, keepdim=True)) * rstdf
    lnf = normf * lnfw + lnfb
    logits = lnf @ wte.T
    loss = F.cross_entropy(logits[:, :, :V].reshape(-1, V), Yb.reshape(-1))
    return loss


def dlogits(logits, Yb, B, T, V):
    """dlogits (4, 6, 13): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits[:, :, :V].reshape(-1, V), Yb.reshape(-1))
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dlogits: not written yet")


def dlnf(wte, dlogits):
    """dlnf (4, 6, 10): the gradient of the loss with respect to lnf.

    Forward:  logits = lnf @ wte.T
    Upstream: dlogits (4, 6, 13)
    """
    raise NotImplementedError("dlnf: not written yet")


def dlnfw(normf, dlnf):
    """dlnfw (10,): the gradient of the loss with respect to lnfw.

    Forward:  lnf = normf * lnfw + lnfb
    Upstream: dlnf (4, 6, 10)
    """
    raise NotImplementedError("dlnfw: not written yet")


def dlnfb(dlnf):
    """dlnfb (10,): the gradient of the loss with respect to lnfb.

    Forward:  lnf = normf * lnfw + lnfb
    Upstream: dlnf (4, 6, 10)
    """
    raise NotImplementedError("dlnfb: not written yet")


def dx2(normf, rstdf, lnfw, dlnf):
    """dx2 (4, 6, 10): the gradient of the loss with respect to x2.

    Forward:  the lines from rstdf down to lnf = normf * lnfw + lnfb
    Upstream: dlnf (4, 6, 10)
    """
    raise NotImplementedError("dx2: not written yet")


def dfcprojw(act, dx2):
    """dfcprojw (10, 40): the gradient of the loss with respect to fcprojw.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
    Upstream: dx2 (4, 6, 10)
    """
    raise NotImplementedError("dfcprojw: not written yet")


def dfcprojb(dx2):
    """dfcprojb (10,): the gradient of the loss with respect to fcprojb.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
    Upstream: dx2 (4, 6, 10)
    """
    raise NotImplementedError("dfcprojb: not written yet")


def dact(fcprojw, dx2):
    """dact (4, 6, 40): the gradient of the loss with respect to act.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
    Upstream: dx2 (4, 6, 10)
    """
    raise NotImplementedError("dact: not written yet")


def dfc(fc, dact):
    """dfc (4, 6, 40): the gradient of the loss with respect to fc.

    Forward:  act = F.gelu(fc, approximate="tanh")
    Upstream: dact (4, 6, 40)
    With c, the square root of 2/pi, gelu(x) is 0.5 * x * (1 + tanh(c * (x + 0.044715 * x**3))).
    """
    raise NotImplementedError("dfc: not written yet")


def dfcw(ln2, dfc):
    """dfcw (40, 10): the gradient of the loss with respect to fcw.

    Forward:  fc = ln2 @ fcw.T + fcb
    Upstream: dfc (4, 6, 40)
    """
    raise NotImplementedError("dfcw: not written yet")


def dfcb(dfc):
    """dfcb (40,): the gradient of the loss with respect to fcb.

    Forward:  fc = ln2 @ fcw.T + fcb
    Upstream: dfc (4, 6, 40)
    """
    raise NotImplementedError("dfcb: not written yet")


def dln2(fcw, dfc):
    """dln2 (4, 6, 10): the gradient of the loss with respect to ln2.

    Forward:  fc = ln2 @ fcw.T + fcb
    Upstream: dfc (4, 6, 40)
    """
    raise NotImplementedError("dln2: not written yet")


def dln2w(norm2, dln2):
    """dln2w (10,): the gradient of the loss with respect to ln2w.

    Forward:  ln2 = norm2 * ln2w + ln2b
    Upstream: dln2 (4, 6, 10)
    """
    raise NotImplementedError("dln2w: not written yet")


def dln2b(dln2):
    """dln2b (10,): the gradient of the loss with respect to ln2b.

    Forward:  ln2 = norm2 * ln2w + ln2b
    Upstream: dln2 (4, 6, 10)
    """
    raise NotImplementedError("dln2b: not written yet")


def dx1(norm2, rstd2, ln2w, dln2, dx2):
    """dx1 (4, 6, 10): the gradient of the loss with respect to x1.

    Forward:  x2 = x1 + (act @ fcprojw.T + fcprojb)
              the lines from rstd2 down to ln2 = norm2 * ln2w + ln2b
    Upstream: dln2 (4, 6, 10), dx2 (4, 6, 10)
    A join: two gradients meet.
    """
    raise NotImplementedError("dx1: not written yet")


def dattprojw(y, dx1):
    """dattprojw (10, 10): the gradient of the loss with respect to attprojw.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
    Upstream: dx1 (4, 6, 10)
    """
    raise NotImplementedError("dattprojw: not written yet")


def dattprojb(dx1):
    """dattprojb (10,): the gradient of the loss with respect to attprojb.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
    Upstream: dx1 (4, 6, 10)
    """
    raise NotImplementedError("dattprojb: not written yet")


def dy(attprojw, dx1):
    """dy (4, 6, 10): the gradient of the loss with respect to y.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
    Upstream: dx1 (4, 6, 10)
    """
    raise NotImplementedError("dy: not written yet")


def dqkv(q, k, v, att, dy, B, T, nh, hs):
    """dqkv (4, 6, 30): the gradient of the loss with respect to qkv.

    Forward:  the lines from q down to y = (att @ v).transpose(1, 2).reshape(B, T, nh * hs)
    Upstream: dy (4, 6, 10)
    """
    raise NotImplementedError("dqkv: not written yet")


def dqkvw(ln1, dqkv):
    """dqkvw (30, 10): the gradient of the loss with respect to qkvw.

    Forward:  qkv = ln1 @ qkvw.T + qkvb
    Upstream: dqkv (4, 6, 30)
    """
    raise NotImplementedError("dqkvw: not written yet")


def dqkvb(dqkv):
    """dqkvb (30,): the gradient of the loss with respect to qkvb.

    Forward:  qkv = ln1 @ qkvw.T + qkvb
    Upstream: dqkv (4, 6, 30)
    """
    raise NotImplementedError("dqkvb: not written yet")


def dln1(qkvw, dqkv):
    """dln1 (4, 6, 10): the gradient of the loss with respect to ln1.

    Forward:  qkv = ln1 @ qkvw.T + qkvb
    Upstream: dqkv (4, 6, 30)
    """
    raise NotImplementedError("dln1: not written yet")


def dln1w(norm1, dln1):
    """dln1w (10,): the gradient of the loss with respect to ln1w.

    Forward:  ln1 = norm1 * ln1w + ln1b
    Upstream: dln1 (4, 6, 10)
    """
    raise NotImplementedError("dln1w: not written yet")


def dln1b(dln1):
    """dln1b (10,): the gradient of the loss with respect to ln1b.

    Forward:  ln1 = norm1 * ln1w + ln1b
    Upstream: dln1 (4, 6, 10)
    """
    raise NotImplementedError("dln1b: not written yet")


def dx0(norm1, rstd1, ln1w, dln1, dx1):
    """dx0 (4, 6, 10): the gradient of the loss with respect to x0.

    Forward:  x1 = x0 + (y @ attprojw.T + attprojb)
              the lines from rstd1 down to ln1 = norm1 * ln1w + ln1b
    Upstream: dln1 (4, 6, 10), dx1 (4, 6, 10)
    The other join.
    """
    raise NotImplementedError("dx0: not written yet")


def dwpe(wpe, dx0, T):
    """dwpe (8, 10): the gradient of the loss with respect to wpe.

    Forward:  x0 = wte[Xb] + wpe[:T]
    Upstream: dx0 (4, 6, 10)
    A context of T positions leaves the rows from T on alone.
    """
    raise NotImplementedError("dwpe: not written yet")


def dwte(wte, Xb, lnf, dx0, dlogits):
    """dwte (13, 10): the gradient of the loss with respect to wte.

    Forward:  x0 = wte[Xb] + wpe[:T]
              logits = lnf @ wte.T
    Upstream: dx0 (4, 6, 10), dlogits (4, 6, 13)
    The same matrix at both ends of the network.
    """
    raise NotImplementedError("dwte: not written yet")
