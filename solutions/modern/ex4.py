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

LECTURE = dict(B=2, T=5, C=7, G=3, R=2, D=4)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=5, T=4, C=8, G=2, R=3, D=7),
    "probe-3": dict(seed=3, B=3, T=5, C=7, G=4, R=2, D=6),
}

HINTS = {
    "dk": {
        "formula": """
    dk[b,g,t,c] = Σ_r dkr[b,g·R + r,t,c]  with r from 0 to R − 1

R, the size of a group, is 2 here.
""",
    },
    "dv": {
        "formula": """
    dv[b,g,t,c] = Σ_r dvr[b,g·R + r,t,c]  with r from 0 to R − 1

R, the size of a group, is 2 here.
""",
    },
}


def inputs(g, B, T, C, G, R, D):
    """What the tokens hold, the matrices of G groups with R query heads each, a target; drawn with g."""

    def matrix(rows, columns):
        return torch.randn((rows, columns), generator=g) * rows**-0.5

    return {
        "x": torch.randn((B, T, C), generator=g),
        "Wq": matrix(C, G * R * D),
        "Wk": matrix(C, G * D),
        "Wv": matrix(C, G * D),
        "Wo": matrix(G * R * D, C),
        "later": torch.tril(torch.ones(T, T)) == 0,
        "target": torch.randn((B, T, C), generator=g),
    }


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
    return djoined.view(B, T, G * R, D).transpose(1, 2)


def datt(vr, dout):
    """datt (2, 6, 5, 5): the gradient of the loss with respect to att.

    Forward:  out = att @ vr
    Upstream: dout (2, 6, 5, 4)
    """
    return dout @ vr.mT


def dvr(att, dout):
    """dvr (2, 6, 5, 4): the gradient of the loss with respect to vr.

    Forward:  out = att @ vr
    Upstream: dout (2, 6, 5, 4)
    """
    return att.mT @ dout


def dscores(att, datt):
    """dscores (2, 6, 5, 5): the gradient of the loss with respect to scores.

    Forward:  att = F.softmax(scores.masked_fill(later, float("-inf")), -1)
    Upstream: datt (2, 6, 5, 5)
    """
    return att * (datt - (att * datt).sum(-1, keepdim=True))


def dq(kr, dscores, D):
    """dq (2, 6, 5, 4): the gradient of the loss with respect to q.

    Forward:  scores = q @ kr.transpose(-2, -1) * D**-0.5
    Upstream: dscores (2, 6, 5, 5)
    """
    return dscores @ kr * D**-0.5


def dkr(q, dscores, D):
    """dkr (2, 6, 5, 4): the gradient of the loss with respect to kr.

    Forward:  scores = q @ kr.transpose(-2, -1) * D**-0.5
    Upstream: dscores (2, 6, 5, 5)
    """
    return dscores.mT @ q * D**-0.5


def dv(dvr, G, R):
    """dv (2, 3, 5, 4): the gradient of the loss with respect to v.

    Forward:  vr = v.repeat_interleave(R, 1)
    Upstream: dvr (2, 6, 5, 4)
    """
    return dvr.unflatten(1, (G, R)).sum(2)


def dk(dkr, G, R):
    """dk (2, 3, 5, 4): the gradient of the loss with respect to k.

    Forward:  kr = k.repeat_interleave(R, 1)
    Upstream: dkr (2, 6, 5, 4)
    """
    return dkr.unflatten(1, (G, R)).sum(2)


def dxk(dk):
    """dxk (2, 5, 12): the gradient of the loss with respect to xk.

    Forward:  k = xk.view(B, T, G, D).transpose(1, 2)
    Upstream: dk (2, 3, 5, 4)
    """
    return dk.transpose(1, 2).flatten(2)


def dWk(x, dxk):
    """dWk (7, 12): the gradient of the loss with respect to Wk.

    Forward:  xk = x @ Wk
    Upstream: dxk (2, 5, 12)
    """
    return x.flatten(0, 1).T @ dxk.flatten(0, 1)


def dx(Wq, Wk, Wv, dxq, dxk, dxv):
    """dx (2, 5, 7): the gradient of the loss with respect to x.

    Forward:  xq = x @ Wq
              xk = x @ Wk
              xv = x @ Wv
    Upstream: dxq (2, 5, 24), dxk (2, 5, 12), dxv (2, 5, 12)
    """
    return dxq @ Wq.T + dxk @ Wk.T + dxv @ Wv.T
