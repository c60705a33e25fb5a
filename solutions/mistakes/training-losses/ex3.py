"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dmargin(margin, P):
    """the wrong side of the sigmoid: a pair that is ranked rightly already, by a large margin, must pull least"""
    return -torch.sigmoid(margin) / P


def dmargin(margin, P):
    """a division by the sigmoid of the margin is half of the local gradient: the sigmoid's own is missing"""
    return -1 / torch.sigmoid(margin) / P


def dmargin(margin, P):
    """the mean's gradient alone: the local gradient of logsigmoid is missing"""
    return torch.full_like(margin, -1 / P)
