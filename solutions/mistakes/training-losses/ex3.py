"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dmargin(margin, P):
    """the wrong side of the sigmoid: a pair that is ranked rightly already, by a large margin, must pull least"""
    return -torch.sigmoid(margin) / P
