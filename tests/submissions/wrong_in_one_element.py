# expect: ex1 dh wrong: at [5, 6]
# expect: ex1 dC wrong: at [2, 3]
import torch


def dh(W2, dlogits):
    d = dlogits @ W2.T
    d[5, 6] *= 1.001
    return d


def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    d.index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    d[2, 3] += 1e-4
    return d
