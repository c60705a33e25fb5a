"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dkept(kept):
    """divided by the number of all labels: the mean runs over those of the answers alone"""
    return torch.full_like(kept, -1.0 / kept.numel())


def dlogits(logprobs, dlogprobs):
    """this is the way back of softmax: here it is log_softmax's"""
    p = logprobs.exp()
    return p * (dlogprobs - (p * dlogprobs).sum(-1, keepdim=True))


def dlogprobs(logprobs, labels, dpicked):
    """whole columns are marked, [:, :, labels]: in each row only one cell is meant"""
    back = logprobs * 0
    back[:, :, labels] = dpicked
    return back


def dlogprobs(logprobs, labels, dpicked):
    """whole columns are marked, [:, :, labels]: in each row only one cell is meant"""
    back = logprobs * 0
    back[:, :, labels] = 1.0
    return dpicked * back
