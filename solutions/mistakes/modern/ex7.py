"""Mistakes that no single change of a solution makes: each docstring is the diagnosis."""

import torch
import torch.nn.functional as F


def dmargin(margin, P):
    """σ(margin) stands where σ(−margin) belongs: a pair weighs little where the margin is large"""
    return -torch.sigmoid(margin) / P


def dmargin(margin, P):
    """this is sigmoid's derivative: the loss is the log of it, which divides by σ(margin) once more"""
    return -torch.sigmoid(margin) * torch.sigmoid(-margin) / P


def dmargin(margin, P):
    """this is −1/σ(margin): log's derivative is there, sigmoid's is not"""
    return -1 / torch.sigmoid(margin) / P


def dratiob(dmargin):
    """it is divided by 0.1: the factor is the same on the way back as forward"""
    return dmargin / 0.1


def dratiow(dmargin):
    """both ratios get the same gradient: the worse answer's is subtracted"""
    return 0.1 * dmargin


def dpickedb(maskb, dlogpb):
    """the mean over the answer's tokens is taken: its log probability is their sum"""
    return maskb * (dlogpb / maskb.sum(-1)).unsqueeze(-1)


def dpickedb(maskb, dlogpb):
    """the mask is left out: what stands after the answer's end is not part of it"""
    return torch.ones_like(maskb) * dlogpb.unsqueeze(-1)


def dlogprobsb(logprobsb, dpickedb):
    """every token of the vocabulary gets it: only the one that was picked reaches the loss"""
    return torch.ones_like(logprobsb) * dpickedb.unsqueeze(-1)


def dlogitsb(logprobsb, dlogprobsb):
    """this is softmax's way back: the line is its log"""
    probs = logprobsb.exp()
    return probs * (dlogprobsb - (probs * dlogprobsb).sum(-1, keepdim=True))


def dlogitsb(logprobsb, dlogprobsb):
    """the log probabilities stand where the probabilities belong"""
    return dlogprobsb - logprobsb * dlogprobsb.sum(-1, keepdim=True)


def dlogitsb(dlogprobsb):
    """only each logit's own way is there: all of a row meet in the sum that normalises"""
    return dlogprobsb.clone()


def dlogitsw(logitsw, yw, dlogpw, V):
    """the mask is left out: what stands after the answer's end is not part of it"""
    return dlogpw.view(-1, 1, 1) * (F.one_hot(yw, V) - F.softmax(logitsw, -1))


def dlogitsw(logitsw, yw, maskw, dlogpw, V):
    """the sign is that of cross entropy: there it is −log p, here it is log p"""
    return (maskw * dlogpw.unsqueeze(-1)).unsqueeze(-1) * (F.softmax(logitsw, -1) - F.one_hot(yw, V))


def dlogitsw(yw, maskw, dlogpw, V):
    """only the picked logit's way is there: all of a row meet in the sum that normalises"""
    return (maskw * dlogpw.unsqueeze(-1)).unsqueeze(-1) * F.one_hot(yw, V)


def dlogprobsb(logprobsb, yb, dpickedb):
    """whole columns are marked, [:, :, yb]: in each row only one cell is meant"""
    back = logprobsb * 0
    back[:, :, yb] = dpickedb
    return back


def dlogprobsb(logprobsb, yb, dpickedb):
    """whole columns are marked, [:, :, yb]: in each row only one cell is meant"""
    back = logprobsb * 0
    back[:, :, yb] = 1.0
    return back * dpickedb.unsqueeze(-1)
