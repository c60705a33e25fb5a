# expect: ex1 dlogprobs error: name 'N' is not defined; did you mean n? (line 19)
# expect: ex1 dprobs error: 'logprobs' is not defined; it is a tensor of the forward pass: add it to the parameters
# expect: ex1 dcounts_sum_inv error: 'dprobs_' is not defined; did you mean dprobs? (line 28)
# expect: ex1 dcounts_sum error: 'np' is not defined; `import numpy as np` is missing (line 32)
# expect: ex1 dcounts error: a function stands where a tensor should: is it missing among the parameters of dcounts?
# expect: ex1 dnorm_logits error: `^` is no power in Python: write `**` (line 40)
# expect: ex1 dlogit_maxes error: `^` is no power in Python: write `**` (line 44)
# expect: ex1 dlogits error: 'norm_logit' is not defined; did you mean norm_logits? (line 48)
# expect: ex1 dh error: 'n' is not defined; it is a size: add it to the parameters of dh (line 52)
# expect: ex1 dW2 error: 'dbngain' is not defined; dbngain does not exist yet when the backward pass reaches dW2
# expect: ex1 db2 error: 'dloss' is not defined; it is an upstream gradient: add it to the parameters of db2
# expect: ex1 dhpreact error: name 'zzz' is not defined (line 64)
# expect-not: ex1 dhpreact did you mean
import torch


def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(N), Yb] = -1.0 / n
    return d


def dprobs(dlogprobs):
    return dlogprobs / logprobs


def dcounts_sum_inv(counts):
    return (dprobs_ * counts).sum(1, keepdim=True)


def dcounts_sum(dcounts_sum_inv):
    return np.zeros(3)


def dcounts(counts_sum_inv):
    return dprobs * counts_sum_inv


def dnorm_logits(norm_logits):
    return norm_logits ^ 2


def dlogit_maxes(norm_logits):
    return 2.0 ^ 2


def dlogits(norm_logits):
    return norm_logit * 2


def dh(W2):
    return W2 / n


def dW2(h):
    return h.T @ dbngain


def db2(dlogits):
    return dloss * 1


def dhpreact(h):
    return zzz
