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

from grader.lecture import minibatch, parameters

LECTURE = dict(n=32, block_size=3, vocab_size=27, n_embd=10, n_hidden=64)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}


def inputs(g, n, block_size, vocab_size, n_embd, n_hidden):
    """A minibatch and the parameters at their start, drawn with the generator g."""
    return {
        **minibatch(g, n, block_size, vocab_size),
        **parameters(g, block_size, vocab_size, n_embd, n_hidden),
    }


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
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / n
    return dlogprobs


def dprobs(probs, dlogprobs):
    """dprobs (32, 27): the gradient of the loss with respect to probs.

    Forward:  logprobs = probs.log()
    Upstream: dlogprobs (32, 27)
    """
    return (1.0 / probs) * dlogprobs


def dcounts_sum_inv(counts, dprobs):
    """dcounts_sum_inv (32, 1): the gradient of the loss with respect to counts_sum_inv.

    Forward:  probs = counts * counts_sum_inv
    Upstream: dprobs (32, 27)
    The forward line replicates it along each row.
    """
    return (counts * dprobs).sum(1, keepdim=True)


def dcounts_sum(counts_sum, dcounts_sum_inv):
    """dcounts_sum (32, 1): the gradient of the loss with respect to counts_sum.

    Forward:  counts_sum_inv = counts_sum**-1
    Upstream: dcounts_sum_inv (32, 1)
    """
    return (-(counts_sum**-2)) * dcounts_sum_inv


def dcounts(counts, counts_sum_inv, dprobs, dcounts_sum):
    """dcounts (32, 27): the gradient of the loss with respect to counts.

    Forward:  probs = counts * counts_sum_inv
              counts_sum = counts.sum(1, keepdim=True)
    Upstream: dprobs (32, 27), dcounts_sum (32, 1)
    Used twice in the forward pass, so two gradients meet here.
    """
    dcounts = counts_sum_inv * dprobs
    dcounts = dcounts + torch.ones_like(counts) * dcounts_sum
    return dcounts


def dnorm_logits(counts, dcounts):
    """dnorm_logits (32, 27): the gradient of the loss with respect to norm_logits.

    Forward:  counts = norm_logits.exp()
    Upstream: dcounts (32, 27)
    """
    return counts * dcounts


def dlogit_maxes(dnorm_logits):
    """dlogit_maxes (32, 1): the gradient of the loss with respect to logit_maxes.

    Forward:  norm_logits = logits - logit_maxes
    Upstream: dnorm_logits (32, 27)
    On the lecture's batch it is about 1e-9: ask yourself why. It must be right all the same.
    """
    return (-dnorm_logits).sum(1, keepdim=True)


def dlogits(logits, dnorm_logits, dlogit_maxes):
    """dlogits (32, 27): the gradient of the loss with respect to logits.

    Forward:  norm_logits = logits - logit_maxes
              logit_maxes = logits.max(1, keepdim=True).values
    Upstream: dnorm_logits (32, 27), dlogit_maxes (32, 1)
    Used twice; the maximum passes its gradient to one place in each row.
    """
    dlogits = dnorm_logits.clone()
    dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes
    return dlogits


def dh(W2, dlogits):
    """dh (32, 64): the gradient of the loss with respect to h.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    return dlogits @ W2.T


def dW2(h, dlogits):
    """dW2 (64, 27): the gradient of the loss with respect to W2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    return h.T @ dlogits


def db2(dlogits):
    """db2 (27,): the gradient of the loss with respect to b2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    The forward line replicates it down the batch.
    """
    return dlogits.sum(0)


def dhpreact(h, dh):
    """dhpreact (32, 64): the gradient of the loss with respect to hpreact.

    Forward:  h = torch.tanh(hpreact)
    Upstream: dh (32, 64)
    """
    return (1.0 - h**2) * dh


def dbngain(bnraw, dhpreact):
    """dbngain (1, 64): the gradient of the loss with respect to bngain.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    """
    return (bnraw * dhpreact).sum(0, keepdim=True)


def dbnbias(dhpreact):
    """dbnbias (1, 64): the gradient of the loss with respect to bnbias.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    """
    return dhpreact.sum(0, keepdim=True)


def dbnraw(bngain, dhpreact):
    """dbnraw (32, 64): the gradient of the loss with respect to bnraw.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    """
    return bngain * dhpreact


def dbnvar_inv(bndiff, dbnraw):
    """dbnvar_inv (1, 64): the gradient of the loss with respect to bnvar_inv.

    Forward:  bnraw = bndiff * bnvar_inv
    Upstream: dbnraw (32, 64)
    """
    return (bndiff * dbnraw).sum(0, keepdim=True)


def dbnvar(bnvar, dbnvar_inv):
    """dbnvar (1, 64): the gradient of the loss with respect to bnvar.

    Forward:  bnvar_inv = (bnvar + 1e-5)**-0.5
    Upstream: dbnvar_inv (1, 64)
    """
    return (-0.5 * (bnvar + 1e-5) ** -1.5) * dbnvar_inv


def dbndiff2(bndiff2, dbnvar, n):
    """dbndiff2 (32, 64): the gradient of the loss with respect to bndiff2.

    Forward:  bnvar = 1/(n-1) * bndiff2.sum(0, keepdim=True)
    Upstream: dbnvar (1, 64)
    A sum in the forward pass: think of what its backward pass does to shapes.
    """
    return (1.0 / (n - 1)) * torch.ones_like(bndiff2) * dbnvar


def dbndiff(bndiff, bnvar_inv, dbnraw, dbndiff2):
    """dbndiff (32, 64): the gradient of the loss with respect to bndiff.

    Forward:  bnraw = bndiff * bnvar_inv
              bndiff2 = bndiff**2
    Upstream: dbnraw (32, 64), dbndiff2 (32, 64)
    Used twice in the forward pass.
    """
    dbndiff = bnvar_inv * dbnraw
    dbndiff = dbndiff + (2 * bndiff) * dbndiff2
    return dbndiff


def dbnmeani(dbndiff):
    """dbnmeani (1, 64): the gradient of the loss with respect to bnmeani.

    Forward:  bndiff = hprebn - bnmeani
    Upstream: dbndiff (32, 64)
    """
    return (-dbndiff).sum(0, keepdim=True)


def dhprebn(hprebn, dbndiff, dbnmeani, n):
    """dhprebn (32, 64): the gradient of the loss with respect to hprebn.

    Forward:  bndiff = hprebn - bnmeani
              bnmeani = 1/n * hprebn.sum(0, keepdim=True)
    Upstream: dbndiff (32, 64), dbnmeani (1, 64)
    Used twice in the forward pass.
    """
    dhprebn = dbndiff.clone()
    dhprebn += 1.0 / n * (torch.ones_like(hprebn) * dbnmeani)
    return dhprebn


def dembcat(W1, dhprebn):
    """dembcat (32, 30): the gradient of the loss with respect to embcat.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 64)
    """
    return dhprebn @ W1.T


def dW1(embcat, dhprebn):
    """dW1 (30, 64): the gradient of the loss with respect to W1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 64)
    """
    return embcat.T @ dhprebn


def db1(dhprebn):
    """db1 (64,): the gradient of the loss with respect to b1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 64)
    On the lecture's batch it is about 0, since a batch norm follows. It must be right all the same.
    """
    return dhprebn.sum(0)


def demb(emb, dembcat):
    """demb (32, 3, 10): the gradient of the loss with respect to emb.

    Forward:  embcat = emb.view(emb.shape[0], -1)
    Upstream: dembcat (32, 30)
    """
    return dembcat.view(emb.shape)


def dC(C, Xb, demb):
    """dC (27, 10): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (32, 3, 10)
    A row of C that was looked up several times receives several gradients.
    """
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    return dC
