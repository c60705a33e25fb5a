# expect: ex1 dprobs exact
# expect: ex1 dlogprobs exact
import torch


def dprobs(dlogprobs, n, C, Xb, probs, loss, W1):
    return (1.0 / probs) * dlogprobs


def dlogprobs(n, vocab_size, Yb):
    d = torch.zeros(n, vocab_size)
    d[torch.arange(n), Yb] = -1.0 / n
    return d
