# expect: ex1 db1 wrong
# expect: ex1 dlogit_maxes wrong
# expect: ex1 dbnmeani wrong
import torch


def db1(b1):
    return torch.zeros_like(b1)


def dlogit_maxes(logit_maxes):
    return torch.zeros_like(logit_maxes)


def dbnmeani(bnmeani):
    return torch.zeros_like(bnmeani)
