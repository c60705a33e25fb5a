"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch


def dsaid(dy, E):
    """each expert gets the whole gradient: its weight in the gate is left out"""
    return dy.unsqueeze(1).repeat(1, E, 1)


def dsaid(gate, dy):
    """every expert gets its mean weight: each token has weights of its own"""
    return torch.einsum("e,nm->nem", gate.mean(0), dy)


def dh(said, dsaid):
    """what was said multiplies it: relu's derivative is 1 or 0"""
    return dsaid * said


def dW(x, gate, dh):
    """the gate is in twice: dsaid, and so dh, has it already"""
    return torch.einsum("nc,ne,nem->ecm", x, gate, dh)


def dload(load, dbalance, E):
    """the whole sum is squared: each load is squared by itself"""
    return 2 * E * load.sum() * dbalance * (load * 0 + 1)


def dgate(said, dy, dload):
    """the mean over the tokens is left out on the load's way: each token's part of it is 1/n"""
    return torch.einsum("nem,nm->ne", said, dy) + dload


def dgate(said, dy):
    """the load's way is left out: the second part of the loss reads the gate too"""
    return torch.einsum("nem,nm->ne", said, dy)


def dgate(h, dy, dload, n):
    """h stands where said belongs: the gate weighs what comes out of the ReLU"""
    return torch.einsum("nem,nm->ne", h, dy) + dload / n


def dscores(gate, dgate):
    """each expert was taken by itself, as with a sigmoid: in a softmax all share one sum"""
    return gate * (1 - gate) * dgate


def dscores(gate, dgate):
    """this is the way back of log_softmax: here it is softmax's, whose sum is weighted by gate too"""
    return dgate - gate * dgate.sum(-1, keepdim=True)


def dx(Wgate, W, gate, dscores, dh):
    """the gate is in twice on the experts' way: dh has it already"""
    return dscores @ Wgate.T + torch.einsum("ne,nem,ecm->nc", gate, dh, W)


def dx(W, dh):
    """the way through the gate is left out: its scores are made of x too"""
    return torch.einsum("nem,ecm->nc", dh, W)
