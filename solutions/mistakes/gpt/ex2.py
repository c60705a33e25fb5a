"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dflat(flat, labels, B, T):
    """this is the diagonal of softmax's own derivative: the labels do not come into it"""
    p = torch.softmax(flat, -1)
    return p * (1 - p) / (B * T)
