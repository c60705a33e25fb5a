"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch
import torch.nn.functional as F


def da(a, dm):
    """it is divided by one side only: the mean is over height and width"""
    return (dm / a.shape[2])[:, :, None, None].expand_as(a)


def da(a, dm):
    """the whole goes to each place: the line is a mean, so each gets one share"""
    return dm[:, :, None, None].expand_as(a)


def dc(c, dp):
    """every number of a square gets the gradient: only the largest reached p"""
    return dp.repeat_interleave(2, 2).repeat_interleave(2, 3)


def dc(c, dp):
    """a quarter goes to each number of a square, as in average pooling: here the largest gets all"""
    return dp.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4


def dc(c, dp):
    """the upper left of each square gets it: it goes to where the largest was"""
    dc = torch.zeros_like(c)
    dc[:, :, ::2, ::2] = dp
    return dc


def db(dc):
    """the mean over examples and places is taken: every place used the same bias, so they add up"""
    return dc.mean((0, 2, 3))


def dK(x, K, dc):
    """the zeros are put below only: the window begins one row above the picture"""
    height, width = dc.shape[2:]
    padded = F.pad(x, (0, 0, 0, 2))
    dK = torch.zeros_like(K)
    for i in range(3):
        for j in range(2):
            dK[:, :, i, j] = torch.einsum("nohw,nkhw->ok", dc, padded[:, :, i : i + height, j : j + width])
    return dK


def dK(x, K, dc):
    """the mean over the examples is taken: what they give the kernel adds up"""
    height, width = dc.shape[2:]
    padded = F.pad(x, (0, 0, 1, 1))
    dK = torch.zeros_like(K)
    for i in range(3):
        for j in range(2):
            dK[:, :, i, j] = torch.einsum("nohw,nkhw->ok", dc, padded[:, :, i : i + height, j : j + width])
    return dK / len(x)


def dK(x, K, dc):
    """the kernel is flipped: a convolution here doesn't flip it, so neither does its way back"""
    height, width = dc.shape[2:]
    padded = F.pad(x, (0, 0, 1, 1))
    dK = torch.zeros_like(K)
    for i in range(3):
        for j in range(2):
            dK[:, :, 2 - i, 1 - j] = torch.einsum("nohw,nkhw->ok", dc, padded[:, :, i : i + height, j : j + width])
    return dK


def dx(x, K, dc):
    """the kernel is flipped: what went through K[i, j] comes back through the same one"""
    height, width = dc.shape[2:]
    dpadded = F.pad(torch.zeros_like(x), (0, 0, 1, 1))
    for i in range(3):
        for j in range(2):
            dpadded[:, :, i : i + height, j : j + width] += torch.einsum("nohw,ok->nkhw", dc, K[:, :, 2 - i, 1 - j])
    return dpadded[:, :, 1:-1]


def dx(x, K, dc):
    """it is assigned where it is to be added: a number of x was seen through several places of the window"""
    height, width = dc.shape[2:]
    dpadded = F.pad(torch.zeros_like(x), (0, 0, 1, 1))
    for i in range(3):
        for j in range(2):
            dpadded[:, :, i : i + height, j : j + width] = torch.einsum("nohw,ok->nkhw", dc, K[:, :, i, j])
    return dpadded[:, :, 1:-1]


def dx(x, K, dc):
    """the picture lies one row too high: the zeros above it come off first"""
    height, width = dc.shape[2:]
    dpadded = F.pad(torch.zeros_like(x), (0, 0, 1, 1))
    for i in range(3):
        for j in range(2):
            dpadded[:, :, i : i + height, j : j + width] += torch.einsum("nohw,ok->nkhw", dc, K[:, :, i, j])
    return dpadded[:, :, 2:]


def dx(x, K, dc):
    """each number went back into one place of the window only: every place of K led somewhere"""
    return torch.einsum("nohw,ok->nkhw", F.pad(dc, (0, 1)), K.sum((2, 3)))
