# expect: ex1 dhpreact approximate
# expect: ex1 dbnvar approximate
# expect: ex1 dh approximate
import torch


def dhpreact(h, dh):
    return dh - h * dh * h


def dbnvar(bnvar, dbnvar_inv):
    return -dbnvar_inv / (2 * (bnvar + 1e-5) * torch.sqrt(bnvar + 1e-5))


def dh(W2, dlogits):
    # a loop over the classes
    return sum(dlogits[:, [j]] * W2[:, j] for j in reversed(range(W2.shape[1])))
