# expect: ex1 dW2 approximate
# expect: ex1 dh approximate
# expect: ex1 dC approximate
# expect: ex1 dlogprobs exact
# expect: ex1 db2 approximate
# expect: ex1 dlogits exact
# expect: ex1 dbnmeani approximate
# expect: ex1 dprobs exact
# expect: ex1 dembcat approximate
# expect: ex1 db1 exact
import numpy as np
import torch


def dW2(h, dlogits):
    return torch.stack([h.T @ dlogits[:, j] for j in range(dlogits.shape[1])], dim=1) * 1.0000001


def dh(W2, dlogits):
    return torch.einsum("nv,hv->nh", dlogits.flip(1), W2.flip(1))


def dC(C, Xb, demb):
    d = torch.zeros(C.shape)
    for k in reversed(range(Xb.shape[0])):
        for j in range(Xb.shape[1]):
            d[Xb[k, j]] += demb[k, j]
    return d


def dlogprobs(Yb, n, vocab_size):
    return torch.tensor([[-1.0 / n if j == y else 0.0 for j in range(vocab_size)] for y in Yb.tolist()])


def db2(dlogits):
    total = torch.zeros(dlogits.shape[1])
    for row in dlogits.flip(0):
        total += row
    return total


def dlogits(logits, dnorm_logits, dlogit_maxes):
    d = dnorm_logits.clone()
    d.scatter_add_(1, logits.argmax(1, keepdim=True), dlogit_maxes)
    return d


def dbnmeani(dbndiff):
    return torch.from_numpy(np.sum(-dbndiff.numpy().astype(np.float64), 0, keepdims=True)).float()


def dprobs(probs, dlogprobs):
    d = (1.0 / probs) * dlogprobs
    return d.clone().requires_grad_()


def dembcat(W1, dhprebn):
    return (W1 @ dhprebn.T).T


def db1(dhprebn):
    return torch.func.vmap(torch.sum, in_dims=1)(dhprebn)
