# expect: ex1 dcounts_sum_inv wrong-shape: keepdim=True is missing; came (32,), wanted (32, 1) (line 16)
# expect: ex1 dbndiff2 wrong-shape: it is not expanded to its tensor's shape; came (1, 64), wanted (32, 64)
# expect: ex1 dbngain wrong-shape: the sum over axis 0 is missing; came (32, 64), wanted (1, 64) (line 24)
# expect: ex1 dlogit_maxes wrong-shape: the sum over axis 1 is missing; came (32, 27), wanted (32, 1) (line 28)
# expect: ex1 db2 wrong-shape: the sum over axis 0 is missing; came (32, 27), wanted (27,) (line 32)
# expect: ex1 dW2 wrong-shape: h and dlogits are exchanged; came (27, 64), wanted (64, 27) (line 36)
# expect: ex1 demb wrong-shape: dembcat is passed through as it came
# expect: ex1 dh wrong-shape: came (32, 27), wanted (32, 64)
# expect: ex1 dbnraw wrong-shape: came (), wanted (32, 64)
# expect: ex1 dprobs wrong-shape: came (0,), wanted (32, 27)
# expect: ex1 dlogprobs wrong-shape: (5000, 5000)
import torch


def dcounts_sum_inv(counts, dprobs):
    return (counts * dprobs).sum(1)


def dbndiff2(dbnvar, n):
    return 1.0 / (n - 1) * dbnvar


def dbngain(bnraw, dhpreact):
    return bnraw * dhpreact


def dlogit_maxes(dnorm_logits):
    return -dnorm_logits


def db2(dlogits):
    return dlogits


def dW2(h, dlogits):
    return dlogits.T @ h


def demb(dembcat):
    return dembcat


def dh(dlogits):
    return dlogits


def dbnraw(dhpreact):
    return dhpreact.sum()


def dprobs():
    return torch.zeros(0)


def dlogprobs():
    return torch.zeros(1).expand(5000, 5000)
