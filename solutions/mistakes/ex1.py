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


def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    """bnvar_inv multiplies what comes through bndiff2, too: a bracket in the wrong place"""
    return bnvar_inv * (dbnraw + 2 * bndiff * dbndiff2)


def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    """2 * bndiff multiplies what comes through bnraw, too: a bracket in the wrong place"""
    return 2 * bndiff * (bnvar_inv * dbnraw + dbndiff2)


def dcounts(counts_sum_inv, dprobs, dcounts_sum):
    """counts_sum_inv multiplies dcounts_sum, too: a bracket in the wrong place"""
    return counts_sum_inv * (dprobs + dcounts_sum)


def dhprebn(dbndiff, dbnmeani, n):
    """what comes through bndiff is divided by n, too: a bracket in the wrong place"""
    return (dbndiff + dbnmeani) / n


def dcounts_sum(counts_sum, dcounts_sum_inv):
    """this is the second derivative: the power rule is applied twice"""
    return 2 * counts_sum**-3 * dcounts_sum_inv


def dcounts_sum(counts_sum, dcounts_sum_inv):
    """the power rule is applied twice, and the sign is wrong"""
    return -2 * counts_sum**-3 * dcounts_sum_inv


def dprobs(probs, dlogprobs):
    """dlogprobs meets the derivative of 1/probs, not that of probs.log()"""
    return -dlogprobs / probs**2


def dcounts_sum_inv(counts, dprobs):
    """the last column is left out of the sum"""
    return (counts * dprobs)[:, :-1].sum(1, keepdim=True)


def dcounts_sum_inv(counts, dprobs):
    """the first column is left out of the sum"""
    return (counts * dprobs)[:, 1:].sum(1, keepdim=True)


def dcounts_sum_inv(counts, dprobs):
    """only the last column is there: those of all columns add up"""
    return (counts * dprobs)[:, -1:]


def dcounts_sum_inv(counts, dprobs):
    """only the first column is there: those of all columns add up"""
    return (counts * dprobs)[:, :1]


def dC(C, Xb, demb):
    """the last position of each context is left out"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[:, :-1].reshape(-1), demb[:, :-1].reshape(-1, C.shape[1]))


def dC(C, Xb, demb):
    """the first position of each context is left out"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[:, 1:].reshape(-1), demb[:, 1:].reshape(-1, C.shape[1]))


def dC(C, Xb, demb):
    """the last example is left out"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[:-1].reshape(-1), demb[:-1].reshape(-1, C.shape[1]))


def dC(C, Xb, demb):
    """the first example is left out"""
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb[1:].reshape(-1), demb[1:].reshape(-1, C.shape[1]))


def dC(C, Xb, demb):
    """d[index] += adds once to each row, however often the index has it: look-ups within a position are lost"""
    d = torch.zeros_like(C)
    for j in range(Xb.shape[1]):
        d[Xb[:, j]] += demb[:, j]
    return d


def dC(C, Xb, demb):
    """d[index] += adds once to each row, however often the index has it: other look-ups are lost"""
    d = torch.zeros_like(C)
    for i in range(Xb.shape[0]):
        d[Xb[i]] += demb[i]
    return d


def dlogits(logits, Yb):
    """the division by n is missing: the loss is a mean over the n examples"""
    return F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])


def dlogits(logits, Yb, n):
    """the sign is wrong"""
    return (F.one_hot(Yb, logits.shape[1]) - F.softmax(logits, 1)) / n


def dlogits(logits, n):
    """the step at the labels' cells is left out"""
    return F.softmax(logits, 1) / n


def dlogits(logits):
    """the step at the labels' cells and the division by n are left out"""
    return F.softmax(logits, 1)


def dlogits(logits, Yb, n):
    """the step at the labels' cells has the wrong sign"""
    return (F.softmax(logits, 1) + F.one_hot(Yb, logits.shape[1])) / n


def dlogits(logits, Yb, n):
    """only the softmax is divided by n: the -1 at the labels is to be divided too"""
    return F.softmax(logits, 1) / n - F.one_hot(Yb, logits.shape[1])


def dlogits(logits, Yb, n):
    """only the -1 is divided by n: the softmax is to be divided too"""
    return F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1]) / n


def dlogprobs(logprobs, Yb):
    """whole columns are marked, [:, Yb]: in each row only one cell is meant; and 32 is written where n is meant"""
    d = torch.zeros_like(logprobs)
    d[:, Yb] = -1 / 32
    return d


def dlogprobs(logprobs, Yb, n):
    """this is the gradient of the logits: the softmax's step is taken already"""
    d = logprobs.exp()
    d[range(n), Yb] -= 1
    return d / n
