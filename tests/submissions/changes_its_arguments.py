# expect: ex1 dprobs exact: changes its argument dlogprobs in place
# expect: ex1 dlogits exact: changes its argument dnorm_logits in place
# expect: ex1 dnorm_logits exact: changes its argument counts, dcounts in place
# expect: ex1 dW2 exact
# expect-not: ex1 dW2 in place
import torch.nn.functional as F


def dprobs(probs, dlogprobs):
    dlogprobs /= probs
    return dlogprobs


def dlogits(logits, dnorm_logits, dlogit_maxes):
    dnorm_logits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
    return dnorm_logits


def dnorm_logits(counts, dcounts):
    d = counts * dcounts
    counts.zero_()
    dcounts.zero_()
    return d


def dW2(h, dlogits):
    return h.T @ dlogits
