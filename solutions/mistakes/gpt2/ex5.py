"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch
import torch.nn.functional as F


def dlogits(logits, Yb, B, T):
    """the softmax runs over the padding too: only the first V columns are in the loss"""
    return (torch.softmax(logits, -1) - F.one_hot(Yb, logits.shape[-1])) / (B * T)
