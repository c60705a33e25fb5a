"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dmasked(wei, dwei):
    """this is the way back of log_softmax: here it is softmax's, whose sum is weighted by wei too"""
    return dwei - wei * dwei.sum(-1, keepdim=True)


def dmasked(wei, dwei):
    """a plain mean is subtracted: the mean is meant that wei weights"""
    return wei * (dwei - dwei.mean(-1, keepdim=True))


def dsums(dmean1, T):
    """every position is divided by T: each is a mean of as many as there are up to it"""
    return dmean1 / T


def dsums(dmean1, C):
    """the numbers of positions are laid along the channels: they belong along the positions"""
    return dmean1 / torch.arange(1, C + 1)
