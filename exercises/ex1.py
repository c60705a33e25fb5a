"""Backpropagation through the whole network, one tensor at a time.

The forward pass below is cut into small lines, each of which names one tensor. Walk it
backwards: for every tensor write the gradient of the loss with respect to it, d<name>.

A function's parameters are what it works with: tensors of the forward pass, gradients that
already arrived from upstream, and sizes such as n. The grader passes them by name, and you may
ask for others: any tensor of the forward pass, any gradient that an earlier function returns.
Every function always receives the right upstream gradients, whatever the ones before it return.

A gradient has the shape of its tensor. The shapes given are those of the lecture's network, but
your formulas are asked at other sizes too.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n):
    # embed the characters, and lay the context's vectors side by side
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    # first linear layer
    hprebn = embcat @ W1 + b1
    # batch norm
    bnmeani = 1/n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = 1/(n-1) * bndiff2.sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5)**-0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    # non-linearity, second linear layer
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    # cross entropy
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[range(n), Yb].mean()
    return loss


def dlogprobs(logprobs, Yb, n):
    """dlogprobs (32, 27): the gradient of the loss with respect to logprobs.

    Forward:  loss = -logprobs[range(n), Yb].mean()
    Upstream: none, the loss itself (its gradient is 1)
    Only n of its numbers reach the loss.
    """
    raise NotImplementedError("dlogprobs: not written yet")


def dprobs(probs, dlogprobs):
    """dprobs (32, 27): the gradient of the loss with respect to probs.

    Forward:  logprobs = probs.log()
    Upstream: dlogprobs (32, 27)
    """
    raise NotImplementedError("dprobs: not written yet")


def dcounts_sum_inv(counts, dprobs):
    """dcounts_sum_inv (32, 1): the gradient of the loss with respect to counts_sum_inv.

    Forward:  probs = counts * counts_sum_inv
    Upstream: dprobs (32, 27)
    The forward line replicates it along each row.
    """
    raise NotImplementedError("dcounts_sum_inv: not written yet")


def dcounts_sum(counts_sum, dcounts_sum_inv):
    """dcounts_sum (32, 1): the gradient of the loss with respect to counts_sum.

    Forward:  counts_sum_inv = counts_sum**-1
    Upstream: dcounts_sum_inv (32, 1)
    """
    raise NotImplementedError("dcounts_sum: not written yet")


def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    """dcounts (32, 27): the gradient of the loss with respect to counts.

    Forward:  probs = counts * counts_sum_inv
              counts_sum = counts.sum(1, keepdim=True)
    Upstream: dprobs (32, 27), dcounts_sum (32, 1)
    Used twice in the forward pass, so two gradients meet here.
    """
    raise NotImplementedError("dcounts: not written yet")


def dnorm_logits(counts, dcounts):
    """dnorm_logits (32, 27): the gradient of the loss with respect to norm_logits.

    Forward:  counts = norm_logits.exp()
    Upstream: dcounts (32, 27)
    """
    raise NotImplementedError("dnorm_logits: not written yet")


def dlogit_maxes(dnorm_logits):
    """dlogit_maxes (32, 1): the gradient of the loss with respect to logit_maxes.

    Forward:  norm_logits = logits - logit_maxes
    Upstream: dnorm_logits (32, 27)
    On the lecture's batch it is about 1e-9: ask yourself why. It must be right all the same.
    """
    raise NotImplementedError("dlogit_maxes: not written yet")


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """dlogits (32, 27): the gradient of the loss with respect to logits.

    Forward:  norm_logits = logits - logit_maxes
              logit_maxes = logits.max(1, keepdim=True).values
    Upstream: dnorm_logits (32, 27), dlogit_maxes (32, 1)
    Used twice; the maximum passes its gradient to one place in each row.
    """
    raise NotImplementedError("dlogits: not written yet")


def dh(W2, dlogits):
    """dh (32, 64): the gradient of the loss with respect to h.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    raise NotImplementedError("dh: not written yet")


def dW2(h, dlogits):
    """dW2 (64, 27): the gradient of the loss with respect to W2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    raise NotImplementedError("dW2: not written yet")


def db2(dlogits):
    """db2 (27,): the gradient of the loss with respect to b2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    The forward line replicates it down the batch.
    """
    raise NotImplementedError("db2: not written yet")


def dhpreact(h, dh):
    """dhpreact (32, 64): the gradient of the loss with respect to hpreact.

    Forward:  h = torch.tanh(hpreact)
    Upstream: dh (32, 64)
    """
    raise NotImplementedError("dhpreact: not written yet")


def dbngain(bnraw, dhpreact):
    """dbngain (1, 64): the gradient of the loss with respect to bngain.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    """
    raise NotImplementedError("dbngain: not written yet")


def dbnbias(dhpreact):
    """dbnbias (1, 64): the gradient of the loss with respect to bnbias.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    """
    raise NotImplementedError("dbnbias: not written yet")


def dbnraw(bngain, dhpreact):
    """dbnraw (32, 64): the gradient of the loss with respect to bnraw.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    """
    raise NotImplementedError("dbnraw: not written yet")


def dbnvar_inv(bndiff, dbnraw):
    """dbnvar_inv (1, 64): the gradient of the loss with respect to bnvar_inv.

    Forward:  bnraw = bndiff * bnvar_inv
    Upstream: dbnraw (32, 64)
    """
    raise NotImplementedError("dbnvar_inv: not written yet")


def dbnvar(bnvar, dbnvar_inv):
    """dbnvar (1, 64): the gradient of the loss with respect to bnvar.

    Forward:  bnvar_inv = (bnvar + 1e-5)**-0.5
    Upstream: dbnvar_inv (1, 64)
    """
    raise NotImplementedError("dbnvar: not written yet")


def dbndiff2(bndiff2, dbnvar, n):
    """dbndiff2 (32, 64): the gradient of the loss with respect to bndiff2.

    Forward:  bnvar = 1/(n-1) * bndiff2.sum(0, keepdim=True)
    Upstream: dbnvar (1, 64)
    A sum in the forward pass: think of what its backward pass does to shapes.
    """
    raise NotImplementedError("dbndiff2: not written yet")


def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    """dbndiff (32, 64): the gradient of the loss with respect to bndiff.

    Forward:  bnraw = bndiff * bnvar_inv
              bndiff2 = bndiff**2
    Upstream: dbnraw (32, 64), dbndiff2 (32, 64)
    Used twice in the forward pass.
    """
    raise NotImplementedError("dbndiff: not written yet")


def dbnmeani(dbndiff):
    """dbnmeani (1, 64): the gradient of the loss with respect to bnmeani.

    Forward:  bndiff = hprebn - bnmeani
    Upstream: dbndiff (32, 64)
    """
    raise NotImplementedError("dbnmeani: not written yet")


def dhprebn(hprebn, dbndiff, dbnmeani, n):
    """dhprebn (32, 64): the gradient of the loss with respect to hprebn.

    Forward:  bndiff = hprebn - bnmeani
              bnmeani = 1/n * hprebn.sum(0, keepdim=True)
    Upstream: dbndiff (32, 64), dbnmeani (1, 64)
    Used twice in the forward pass.
    """
    raise NotImplementedError("dhprebn: not written yet")


def dembcat(W1, dhprebn):
    """dembcat (32, 30): the gradient of the loss with respect to embcat.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 64)
    """
    raise NotImplementedError("dembcat: not written yet")


def dW1(embcat, dhprebn):
    """dW1 (30, 64): the gradient of the loss with respect to W1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 64)
    """
    raise NotImplementedError("dW1: not written yet")


def db1(dhprebn):
    """db1 (64,): the gradient of the loss with respect to b1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 64)
    On the lecture's batch it is about 0, since a batch norm follows. It must be right all the same.
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
    A row of C that was looked up several times receives several gradients.
    """
    raise NotImplementedError("dC: not written yet")
