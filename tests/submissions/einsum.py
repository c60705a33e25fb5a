# expect: ex1 dW2 exact
# expect: ex1 dh exact
# expect: ex1 dbngain approximate
import torch


def dW2(h, dlogits):
    return torch.einsum("nh,nv->hv", h, dlogits)


def dh(W2, dlogits):
    return torch.einsum("nv,hv->nh", dlogits, W2)


def dbngain(bnraw, dhpreact):
    return torch.einsum("nh,nh->h", bnraw, dhpreact)[None]
