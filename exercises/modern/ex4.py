"""Grouped-query attention: many heads ask, few answer.

While a model writes, it keeps the keys and values of all tokens before, for every head: that is most of the
memory. So Llama, Mistral and others have fewer of them. H heads make queries, only G make keys and values,
and each of those serves the H/G query heads of its group.

In steps: queries q (2, 6, 5, 4), that is (B, H, T, D), are cut from the channels as ever; keys k and values
v are (2, 3, 5, 4). Before they meet, each key and value head is repeated, twice here: kr and vr (2, 6, 5,
4), heads 0 and 1 the first, 2 and 3 the second. The rest is attention as you know it, with all heads as a
batch axis, and the heads side by side in joined (2, 5, 24).

What is copied forwards is summed backwards: the new step is the way from dkr to dk. Which copies belong
together?

Ainslie et al., 2023, arXiv:2305.13245.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, Wq, Wk, Wv, Wo, later, target, B, T, G, R, D):
    # H = G * R heads ask, G heads answer
    xq = x @ Wq
    xk = x @ Wk
    xv = x @ Wv
    q = xq.view(B, T, G * R, D).transpose(1, 2)
    k = xk.view(B, T, G, D).transpose(1, 2)
    v = xv.view(B, T, G, D).transpose(1, 2)
    # each head of keys and values serves a group of R
    kr = k.repeat_interleave(R, 1)
    vr = v.repeat_interleave(R, 1)
    # attention as ever
    scores = q @ kr.transpose(-2, -1) * D**-0.5
    att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    out = att @ vr
    joined = out.transpose(1, 2).flatten(2)
    y = joined @ Wo
    loss = F.mse_loss(y, target)
    return loss


def dout(djoined, B, T, G, R, D):
    """dout (2, 6, 5, 4): the gradient of the loss with respect to out.

    Forward:  joined = out.transpose(1, 2).flatten(2)
    Upstream: djoined (2, 5, 24)
    """
    raise NotImplementedError("dout: not written yet")


def datt(vr, dout):
    """datt (2, 6, 5, 5): the gradient of the loss with respect to att.

    Forward:  out = att @ vr
    Upstream: dout (2, 6, 5, 4)
    """
    raise NotImplementedError("datt: not written yet")


def dvr(att, dout):
    """dvr (2, 6, 5, 4): the gradient of the loss with respect to vr.

    Forward:  out = att @ vr
    Upstream: dout (2, 6, 5, 4)
    """
    raise NotImplementedError("dvr: not written yet")


def dscores(att, datt):
    """dscores (2, 6, 5, 5): the gradient of the loss with respect to scores.

    Forward:  att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    Upstream: datt (2, 6, 5, 5)
    """
    raise NotImplementedError("dscores: not written yet")


def dq(kr, dscores, D):
    """dq (2, 6, 5, 4): the gradient of the loss with respect to q.

    Forward:  scores = q @ kr.transpose(-2, -1) * D**-0.5
    Upstream: dscores (2, 6, 5, 5)
    """
    raise NotImplementedError("dq: not written yet")


def dkr(q, dscores, D):
    """dkr (2, 6, 5, 4): the gradient of the loss with respect to kr.

    Forward:  scores = q @ kr.transpose(-2, -1) * D**-0.5
    Upstream: dscores (2, 6, 5, 5)
    """
    raise NotImplementedError("dkr: not written yet")


def dv(dvr, G, R):
    """dv (2, 3, 5, 4): the gradient of the loss with respect to v.

    Forward:  vr = v.repeat_interleave(R, 1)
    Upstream: dvr (2, 6, 5, 4)
    """
    raise NotImplementedError("dv: not written yet")


def dk(dkr, G, R):
    """dk (2, 3, 5, 4): the gradient of the loss with respect to k.

    Forward:  kr = k.repeat_interleave(R, 1)
    Upstream: dkr (2, 6, 5, 4)
    """
    raise NotImplementedError("dk: not written yet")


def dxk(dk):
    """dxk (2, 5, 12): the gradient of the loss with respect to xk.

    Forward:  k = xk.view(B, T, G, D).transpose(1, 2)
    Upstream: dk (2, 3, 5, 4)
    """
    raise NotImplementedError("dxk: not written yet")


def dWk(x, dxk):
    """dWk (7, 12): the gradient of the loss with respect to Wk.

    Forward:  xk = x @ Wk
    Upstream: dxk (2, 5, 12)
    """
    raise NotImplementedError("dWk: not written yet")


def dx(Wq, Wk, Wv, dxq, dxk, dxv):
    """dx (2, 5, 7): the gradient of the loss with respect to x.

    Forward:  xq = x @ Wq
              xk = x @ Wk
              xv = x @ Wv
    Upstream: dxq (2, 5, 24), dxk (2, 5, 12), dxv (2, 5, 12)
    """
    raise NotImplementedError("dx: not written yet")
