# expect: ex1 db1 wrong
# expect: ex1 dlogit_maxes wrong
# Noise of the lecture's magnitude, where the lecture's own values are noise.
import torch


def db1(b1):
    return torch.full_like(b1, 1e-9)


def dlogit_maxes(logit_maxes):
    return torch.full_like(logit_maxes, 1e-9)
