# expect: ex1 db1 wrong: all zero
# expect: ex1 dlogit_maxes wrong: all zero
# expect: ex1 dprobs wrong: all zero
# expect: ex1 dbnmeani wrong: all zero
import torch


def db1(dhprebn):
    return torch.zeros_like(dhprebn[0])


def dlogit_maxes(dnorm_logits):
    return torch.zeros_like(dnorm_logits[:, :1])


def dprobs(dlogprobs):
    return 0 * dlogprobs


def dbnmeani(dbndiff):
    return -torch.zeros_like(dbndiff[:1])
