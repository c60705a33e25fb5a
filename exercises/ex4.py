"""All together, a training loop whose gradients are yours.

The network of the lecture at its full size: 200 hidden units, 12297 parameters. Write the whole
backward pass, with what exercises 2 and 3 gave. Seven of the gradients are those of the parameters.
They drive real training: a check takes 100 steps with them and compares the parameters with those
that autograd's training ends with; `grader train ex4` does the whole run. Each gradient is also
judged on its own, at several steps of the training and at other sizes.

In the training run your functions are called in the order in which they stand here, and what one
returns is passed to the later ones. Where each is judged on its own, it receives the right upstream
gradients, whatever the ones before it return. Parameters are passed by name; you may ask for others,
which `grader show` lists.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n):
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hprebn = embcat @ W1 + b1
    bnmean = hprebn.mean(0, keepdim=True)
    bndiff = hprebn - bnmean
    bnvar = (bndiff**2).sum(0, keepdim=True) / (n - 1)
    bnvar_inv = (bnvar + 1e-5)**-0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    return loss


def dlogits(logits, Yb, n):
    """dlogits (32, 27): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits, Yb)
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dlogits: not written yet")


def dh(W2, dlogits):
    """dh (32, 200): the gradient of the loss with respect to h.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    raise NotImplementedError("dh: not written yet")


def dW2(h, dlogits):
    """dW2 (200, 27): the gradient of the loss with respect to W2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    raise NotImplementedError("dW2: not written yet")


def db2(dlogits):
    """db2 (27,): the gradient of the loss with respect to b2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    raise NotImplementedError("db2: not written yet")


def dhpreact(h, dh):
    """dhpreact (32, 200): the gradient of the loss with respect to hpreact.

    Forward:  h = torch.tanh(hpreact)
    Upstream: dh (32, 200)
    """
    raise NotImplementedError("dhpreact: not written yet")


def dbngain(bnraw, dhpreact):
    """dbngain (1, 200): the gradient of the loss with respect to bngain.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 200)
    """
    raise NotImplementedError("dbngain: not written yet")


def dbnbias(dhpreact):
    """dbnbias (1, 200): the gradient of the loss with respect to bnbias.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 200)
    """
    raise NotImplementedError("dbnbias: not written yet")


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, dbngain, dbnbias, n):
    """dhprebn (32, 200): the gradient of the loss with respect to hprebn.

    Forward:  the lines from bnmean down to hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 200)
    The two sums over the batch are needed here once more: dbngain and dbnbias hold them.
    """
    raise NotImplementedError("dhprebn: not written yet")


def dembcat(W1, dhprebn):
    """dembcat (32, 30): the gradient of the loss with respect to embcat.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 200)
    """
    raise NotImplementedError("dembcat: not written yet")


def dW1(embcat, dhprebn):
    """dW1 (30, 200): the gradient of the loss with respect to W1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 200)
    """
    raise NotImplementedError("dW1: not written yet")


def db1(dhprebn):
    """db1 (200,): the gradient of the loss with respect to b1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 200)
    """
    raise NotImplementedError("db1: not written yet")


def demb(emb, dembcat):
    """demb (32, 3, 10): the gradient of the loss with respect to emb.

    Forward:  embcat = emb.view(emb.shape[0], -1)
    Upstream: dembcat (32, 30)
    """
    raise NotImplementedError("demb: not written yet")


def dC(C, Xb, demb):
    """dC (27, 10): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (32, 3, 10)
    A loop over the batch works; one indexed addition is a hundred times as fast.
    """
    raise NotImplementedError("dC: not written yet")
