# expect: ex1 dbndiff2 wrong: right on the lecture's numbers, wrong in general: with other sizes (n=7
# expect: ex1 dlogprobs wrong: right on the lecture's numbers, wrong in general: with other sizes (n=7
# expect: ex1 demb error: right on the lecture's numbers, wrong in general: with other sizes (n=7
# expect: ex1 demb error: RuntimeError: shape '[32, 3, 10]' is invalid
# expect: ex1 dC wrong-shape: wrong in general
# expect: ex2 dlogits wrong: right on the lecture's numbers, wrong in general: with other sizes (n=7
import torch
import torch.nn.functional as F


def dlogprobs(logprobs, Yb, n):
    d = torch.zeros_like(logprobs)
    d[range(n), Yb] = -1.0 / 32
    return d


def dbndiff2(bndiff2, dbnvar):
    return (1.0 / 31) * torch.ones_like(bndiff2) * dbnvar


def demb(dembcat):
    return dembcat.view(32, 3, 10)


def dC(C, Xb, demb):
    d = torch.zeros(27, C.shape[1])
    return d.index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))


def dlogits(logits, Yb):
    d = F.softmax(logits, 1)
    d[range(len(Yb)), Yb] -= 1
    return d / 32
