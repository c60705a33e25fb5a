# expect: ex1 dcounts_sum_inv wrong: right on the lecture's numbers, wrong in general: with another upstream gradient, at
# expect: ex1 dlogits wrong: right on the lecture's numbers, wrong in general: with another upstream gradient, at
# expect: ex1 dprobs wrong: right on the lecture's numbers, wrong in general: with another upstream gradient
# The lecture's dprobs is zero off the targets, and its dlogit_maxes is about zero.
import torch


def dcounts_sum_inv(counts, dprobs, Yb, n):
    return (counts * dprobs)[range(n), Yb].unsqueeze(1)


def dlogits(dnorm_logits):
    return dnorm_logits.clone()


def dprobs(probs, dlogprobs, Yb):
    # a literal for what arrives from upstream
    d = torch.zeros_like(probs)
    d[range(len(Yb)), Yb] = -0.03125 / probs[range(len(Yb)), Yb]
    return d
