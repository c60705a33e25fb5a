"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch
import torch.nn.functional as F


def dlogprobs(logprobs, Yb, n):
    """the values at the labels are scaled, but the mean has a constant gradient there"""
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -logprobs[range(n), Yb] / n
    return d


def dlogprobs(logprobs, Yb, n):
    """divided by the number of all elements: the mean runs over the n labels' cells alone"""
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -1.0 / logprobs.numel()
    return d


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """the mask marks whole rows: zeros[idx] = 1 takes idx for row numbers"""
    mask = torch.zeros_like(logits)
    mask[logits.max(1).indices] = 1
    return dnorm_logits + mask * dlogit_maxes


def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    """the mask marks the same columns in every row: indices of shape (n, 1), from keepdim=True, broadcast"""
    mask = torch.zeros_like(logits)
    mask[:, logits.max(1).indices] = 1
    return dnorm_logits + mask * dlogit_maxes


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """the mask marks the first column: logit_maxes has one column, so its own argmax is 0 in each row"""
    mask = torch.zeros_like(logits)
    mask[:, 0] = 1
    return dnorm_logits + mask * dlogit_maxes


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """the mask marks one cell, the maximum of the whole matrix: each row has its own"""
    mask = torch.zeros_like(logits)
    mask.view(-1)[logits.argmax()] = 1
    return dnorm_logits + mask * dlogit_maxes


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """the mask marks the column of the whole matrix's maximum: each row has its own"""
    mask = torch.zeros_like(logits)
    mask[:, logits.argmax() % logits.shape[1]] = 1
    return dnorm_logits + mask * dlogit_maxes


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """the wrong dim: the mask marks the maximum of each column, not of each row"""
    mask = (logits == logits.max(0).values).to(logits.dtype)
    return dnorm_logits + mask * dlogit_maxes


def dlogits(dnorm_logits, dlogit_maxes):
    """dlogit_maxes goes to every cell of its row: only the maximum's cell is meant"""
    return dnorm_logits + dlogit_maxes


def dlogits(logits, Yb, dnorm_logits, dlogit_maxes):
    """the mask marks the labels' cells, where the rows' maxima are meant"""
    return dnorm_logits + F.one_hot(Yb, num_classes=logits.shape[1]) * dlogit_maxes


def dlogits(logits, dnorm_logits, dlogit_maxes, n):
    """assigned, not added, at the rows' maxima: what was there before is lost"""
    d = dnorm_logits.clone()
    d[range(n), logits.argmax(1)] = dlogit_maxes[:, 0]
    return d


def dC(C, Xb, demb):
    """only the first position of each context is there: those of all positions add up"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[:, 0], demb[:, 0])


def dC(C, Xb, demb):
    """only the last position of each context is there: those of all positions add up"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[:, -1], demb[:, -1])


def dC(C, Xb, demb):
    """only the last example is there: those of the whole batch add up"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[-1], demb[-1])


def dC(demb):
    """the shape is that of emb: a gradient has its tensor's shape, here that of C, so the look-ups add up"""
    return demb
