"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch
import torch.nn.functional as F


def dx1(norm2, rstd2, ln2w, dln2, dx2):
    """what goes past the norm is sent through it too: it is meant as it came, beside the norm's way"""
    g = (dln2 + dx2) * ln2w
    return rstd2 * (g - g.mean(-1, keepdim=True) - norm2 * (g * norm2).mean(-1, keepdim=True))


def dx1(norm2, rstd2, ln2w, dln2, dx2):
    """ln2w multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    back = dln2 - dln2.mean(-1, keepdim=True) - norm2 * (dln2 * norm2).mean(-1, keepdim=True)
    return dx2 + rstd2 * ln2w * back


def dx0(norm1, rstd1, ln1w, dln1, dx1):
    """what goes past the norm is sent through it too: it is meant as it came, beside the norm's way"""
    g = (dln1 + dx1) * ln1w
    return rstd1 * (g - g.mean(-1, keepdim=True) - norm1 * (g * norm1).mean(-1, keepdim=True))


def dx0(norm1, rstd1, ln1w, dln1, dx1):
    """ln1w multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    back = dln1 - dln1.mean(-1, keepdim=True) - norm1 * (dln1 * norm1).mean(-1, keepdim=True)
    return dx1 + rstd1 * ln1w * back


def dx2(normf, rstdf, lnfw, dlnf):
    """lnfw multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    return rstdf * lnfw * (dlnf - dlnf.mean(-1, keepdim=True) - normf * (dlnf * normf).mean(-1, keepdim=True))


def dx2(normf, rstdf, lnfw, dlnf):
    """the sums run over the examples, as in a batch norm: a layer norm's run over the channels"""
    g = dlnf * lnfw
    return rstdf * (g - g.mean((0, 1)) - normf * (g * normf).mean((0, 1)))


def dqkv(q, k, v, att, dy, B, T, nh, hs):
    """the scale is taken of the values' gradient too: it belongs to queries and keys alone"""
    dheads = dy.reshape(B, T, nh, hs).transpose(1, 2)
    datt = dheads @ v.mT
    dscores = att * (datt - (att * datt).sum(-1, keepdim=True))
    parts = (dscores @ k, dscores.mT @ q, att.mT @ dheads)
    return torch.cat([d.transpose(1, 2).reshape(B, T, nh * hs) for d in parts], -1) * hs**-0.5


def dqkv(q, k, v, att, dy, B, T, nh, hs):
    """the softmax's sum is left out: each score rests on all of its row"""
    dheads = dy.reshape(B, T, nh, hs).transpose(1, 2)
    dscores = att * (1 - att) * (dheads @ v.mT) * hs**-0.5
    parts = (dscores @ k, dscores.mT @ q, att.mT @ dheads)
    return torch.cat([d.transpose(1, 2).reshape(B, T, nh * hs) for d in parts], -1)


def dlogits(logits, Yb, B, T):
    """the softmax runs over the padding too: only the first V columns are in the loss"""
    return (torch.softmax(logits, -1) - F.one_hot(Yb, logits.shape[-1])) / (B * T)


def dfc(fc, dact):
    """the exact GELU's derivative, with erf, is used: the forward pass has the tanh form"""
    cdf = 0.5 * (1 + torch.erf(fc / 2**0.5))
    return dact * (cdf + fc * torch.exp(-fc * fc / 2) / (2 * torch.pi) ** 0.5)
