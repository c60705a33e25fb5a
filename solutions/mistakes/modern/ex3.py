"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def drq(k, dscores, P):
    """the keys stand here as they were before they were rotated"""
    return dscores @ k * (2 * P)**-0.5


def drk(q, dscores, P):
    """the queries stand here as they were before they were rotated"""
    return dscores.transpose(-2, -1) @ q * (2 * P)**-0.5


def dpairs(drq):
    """the halves were taken for the pairs: a pair is two neighbouring channels"""
    return torch.stack([drq[..., : drq.shape[-1] // 2], drq[..., drq.shape[-1] // 2 :]], -1)


def dq1(cos, sin, dr1, dr2):
    """it is rotated forward once more: the gradient is rotated back"""
    return dr1 * cos - dr2 * sin


def dq2(cos, sin, dr1, dr2):
    """it is rotated forward once more: the gradient is rotated back"""
    return dr1 * sin + dr2 * cos


def dq1(cos, sin, dr1, dr2):
    """cos and sin are exchanged"""
    return dr1 * sin + dr2 * cos


def dq2(cos, sin, dr1, dr2):
    """cos and sin are exchanged"""
    return dr2 * sin - dr1 * cos


def dq(dq1, dq2):
    """the firsts of all pairs stand before the seconds: they alternate in q"""
    return torch.cat([dq1, dq2], -1)


def dk(cos, sin, drk):
    """it is rotated forward once more: the gradient is rotated back"""
    r1, r2 = drk[:, :, 0::2], drk[:, :, 1::2]
    return torch.stack([r1 * cos - r2 * sin, r1 * sin + r2 * cos], -1).flatten(2)


def dk(cos, sin, drk):
    """the halves were taken for the pairs: a pair is two neighbouring channels"""
    r1, r2 = drk.chunk(2, -1)
    return torch.cat([r1 * cos + r2 * sin, r2 * cos - r1 * sin], -1)


def dk(cos, sin, drk):
    """rotated rightly, but put together as two halves: the two of a pair are neighbours"""
    r1, r2 = drk[:, :, 0::2], drk[:, :, 1::2]
    return torch.cat([r1 * cos + r2 * sin, r2 * cos - r1 * sin], -1)
