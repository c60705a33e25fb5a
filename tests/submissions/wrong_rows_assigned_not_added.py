# expect: ex1 dC wrong: autograd has
import torch


def dC(C, Xb, demb):
    d = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            d[Xb[k, j]] = demb[k, j]
    return d
