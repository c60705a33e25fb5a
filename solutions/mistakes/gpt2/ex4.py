"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dres(norm2, rstd2, w2, dln2, dout):
    """what goes past the norm is sent through it too: it is meant as it came, beside the norm's way"""
    g = (dln2 + dout) * w2
    return rstd2 * (g - g.mean(-1, keepdim=True) - norm2 * (g * norm2).mean(-1, keepdim=True))


def dres(norm2, rstd2, w2, dln2, dout):
    """w2 multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    back = dln2 - dln2.mean(-1, keepdim=True) - norm2 * (dln2 * norm2).mean(-1, keepdim=True)
    return dout + rstd2 * w2 * back


def dx(norm1, rstd1, w1, dln1, dres):
    """what goes past the norm is sent through it too: it is meant as it came, beside the norm's way"""
    g = (dln1 + dres) * w1
    return rstd1 * (g - g.mean(-1, keepdim=True) - norm1 * (g * norm1).mean(-1, keepdim=True))


def dx(norm1, rstd1, w1, dln1, dres):
    """w1 multiplies after the sums: it differs from channel to channel, so it belongs inside them"""
    back = dln1 - dln1.mean(-1, keepdim=True) - norm1 * (dln1 * norm1).mean(-1, keepdim=True)
    return dres + rstd1 * w1 * back


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


def dfc(fc, dact):
    """the exact GELU's derivative, with erf, is used: the forward pass has the tanh form"""
    cdf = 0.5 * (1 + torch.erf(fc / 2**0.5))
    return dact * (cdf + fc * torch.exp(-fc * fc / 2) / (2 * torch.pi) ** 0.5)


def dfc(fc, dact):
    """c is missing once: it is a factor in the derivative of what is in the tanh, too"""
    t = torch.tanh((2 / torch.pi) ** 0.5 * (fc + 0.044715 * fc**3))
    return dact * (0.5 * (1 + t) + 0.5 * fc * (1 - t * t) * (1 + 0.134145 * fc * fc))
