"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dxrelu(xrelu, dyrelu):
    """the gate is open where xrelu is exactly 0: it is to be shut there, open only above 0"""
    return dyrelu * (xrelu >= 0)


def dxleaky(xleaky, dyleaky):
    """the slope is 0.01, which is torch's own unless it is told: the forward line says 0.1"""
    return torch.where(xleaky > 0, dyleaky, dyleaky / 100)


def dxleaky(xleaky, dyleaky):
    """the negative side is shut, as in a plain ReLU: a leaky one lets a tenth through there"""
    return dyleaky * (xleaky > 0)
