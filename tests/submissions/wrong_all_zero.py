# expect: ex1 db1 wrong: all zero
# expect: ex1 dlogit_maxes wrong: all zero
# expect: ex1 dprobs wrong: all zero
# expect: ex1 dbnmeani wrong: all zero
import torch


def db1(dhprebn):
    return torch.zeros_like(dhprebn[0])


def dlogit_maxes(logit_maxes):
    return torch.zeros_like(logit_maxes)


def dprobs(probs):
    return 0 * probs


def dbnmeani(bnmeani):
    return -torch.zeros_like(bnmeani)
