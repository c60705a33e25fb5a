"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dlogits(logits, Yb, B, T, V):
    """this is the diagonal of softmax's own derivative: the labels do not come into it"""
    p = torch.softmax(logits, -1)
    return p * (1 - p) / (B * T)
