"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dh(h, dact):
    """the exact GELU's derivative, with erf, is used: the forward pass has the tanh form"""
    cdf = 0.5 * (1 + torch.erf(h / 2**0.5))
    return dact * (cdf + h * torch.exp(-h * h / 2) / (2 * torch.pi) ** 0.5)
