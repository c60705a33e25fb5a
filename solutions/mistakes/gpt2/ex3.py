"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dscores(att, datt):
    """this is the way back of log_softmax: here it is softmax's, whose sum is weighted by att too"""
    return datt - att * datt.sum(-1, keepdim=True)


def dscores(att, datt):
    """a plain mean is subtracted: the mean is meant that att weights"""
    return att * (datt - datt.mean(-1, keepdim=True))


def dqkv(dq, dk, dv):
    """queries, keys and values are added up: each has channels of its own"""
    whole = (dq + dk + dv).transpose(1, 2).flatten(2)
    return torch.cat([whole, whole, whole], -1)


def dqkv(dq, dk, dv):
    """stacked along a new axis: they lie one after the other along the channels"""
    return torch.stack([dq, dk, dv], -1)
