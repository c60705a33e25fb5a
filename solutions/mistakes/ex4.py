"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""
import torch


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    """Bessel's correction, n / (n - 1), is left out"""
    return bngain * bnvar_inv / n * (n * dhpreact - dhpreact.sum(0) - bnraw * (dhpreact * bnraw).sum(0))


def dhprebn(bngain, bnvar_inv, dhpreact):
    """the terms with sums over the batch are left out, through mean and variance"""
    return bngain * bnvar_inv * dhpreact


def dlogits(logits, Yb, n):
    """this is the diagonal of softmax's own derivative: the labels do not come into it"""
    p = torch.softmax(logits, -1)
    return p * (1 - p) / n
