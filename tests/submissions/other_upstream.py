# expect: ex1 dlogits exact: graded for what it uses: dnorm_logits
# expect: ex1 dbndiff approximate: graded for what it uses: dbnraw, dbnvar
# expect: ex1 dC exact: graded for what it uses: dembcat
# expect: ex1 dnorm_logits approximate: graded for what it uses: no upstream gradient
# expect: ex1 dprobs exact: graded for what it uses: no upstream gradient
# expect: ex1 dcounts approximate: graded for what it uses: dprobs
# expect: ex1 dW1 exact
import torch
import torch.nn.functional as F


def dlogits(logits, dnorm_logits):
    top = F.one_hot(logits.max(1).indices, num_classes=logits.shape[1])
    return dnorm_logits + top * (-dnorm_logits).sum(1, keepdim=True)


def dbndiff(bndiff, bnvar_inv, dbnraw, dbnvar, n):
    return bnvar_inv * dbnraw + 2 * bndiff * dbnvar / (n - 1)


def dC(C, Xb, dembcat):
    d = torch.zeros_like(C)
    return d.index_add_(0, Xb.reshape(-1), dembcat.reshape(-1, C.shape[1]))


def dnorm_logits(probs, Yb, n):
    d = probs.clone()
    d[range(n), Yb] -= 1
    return d / n


def dprobs(probs, Yb, n):
    d = torch.zeros_like(probs)
    d[range(n), Yb] = -1.0 / n
    return (1.0 / probs) * d


def dcounts(counts, counts_sum, dprobs):
    return dprobs / counts_sum - (counts * dprobs).sum(1, keepdim=True) / counts_sum**2


def dW1(embcat, dhprebn):
    return embcat.T @ dhprebn
