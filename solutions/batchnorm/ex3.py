"""Batch norm as the lecture writes it at first: mean, standard deviation, gain and bias.

Each column of hprebn, one neuron over the batch, is brought to mean 0 and standard deviation 1; the gain and
the bias then give the network its freedom back. A batch norm ties the examples of a batch together: a
number of hprebn reaches the whole of its column, through the mean and through the standard deviation.

The last item is the bias of the layer before. Whatever it adds, the mean takes out again: it is
useless before a batch norm, and its gradient says so.
"""

import torch
import torch.nn.functional as F

from grader.lecture import minibatch, parameters

LECTURE = dict(n=8, block_size=3, vocab_size=27, n_embd=2, n_hidden=12)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}


def inputs(g, n, block_size, vocab_size, n_embd, n_hidden):
    """A minibatch and the parameters, drawn with the generator g."""
    return {
        **minibatch(g, n, block_size, vocab_size),
        **parameters(g, block_size, vocab_size, n_embd, n_hidden),
    }


def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n):
    embcat = C[Xb].view(n, -1)
    hprebn = embcat @ W1 + b1
    # batch norm
    bnmeani = hprebn.mean(0, keepdim=True)
    bnstdi = hprebn.std(0, keepdim=True)
    bnraw = (hprebn - bnmeani) / bnstdi
    hpreact = bngain * bnraw + bnbias
    # the rest of the network
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    return loss


def dbngain(bnraw, dhpreact):
    """dbngain (1, 12): the gradient of the loss with respect to bngain.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (8, 12)
    One gain for each neuron, the same for every example.
    """
    return (bnraw * dhpreact).sum(0, keepdim=True)


def dbnbias(dhpreact):
    """dbnbias (1, 12): the gradient of the loss with respect to bnbias.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (8, 12)
    """
    return dhpreact.sum(0, keepdim=True)


def dbnraw(bngain, dhpreact):
    """dbnraw (8, 12): the gradient of the loss with respect to bnraw.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (8, 12)
    """
    return bngain * dhpreact


def dbnstdi(hprebn, bnmeani, bnstdi, dbnraw):
    """dbnstdi (1, 12): the gradient of the loss with respect to bnstdi.

    Forward:  bnraw = (hprebn - bnmeani) / bnstdi
    Upstream: dbnraw (8, 12)
    It divides a whole column.
    """
    return -((hprebn - bnmeani) * dbnraw).sum(0, keepdim=True) / bnstdi**2


def dbnmeani(bnstdi, dbnraw):
    """dbnmeani (1, 12): the gradient of the loss with respect to bnmeani.

    Forward:  bnraw = (hprebn - bnmeani) / bnstdi
    Upstream: dbnraw (8, 12)
    """
    return -dbnraw.sum(0, keepdim=True) / bnstdi


def dhprebn(hprebn, bnmeani, bnstdi, dbnraw, dbnstdi, dbnmeani, n):
    """dhprebn (8, 12): the gradient of the loss with respect to hprebn.

    Forward:  bnraw = (hprebn - bnmeani) / bnstdi
              bnstdi = hprebn.std(0, keepdim=True)
              bnmeani = hprebn.mean(0, keepdim=True)
    Upstream: dbnraw (8, 12), dbnstdi (1, 12), dbnmeani (1, 12)
    Used three times. std divides by n-1 (Bessel's correction), mean by n.
    """
    dhprebn = dbnraw / bnstdi
    dhprebn = dhprebn + (hprebn - bnmeani) / ((n - 1) * bnstdi) * dbnstdi
    dhprebn = dhprebn + dbnmeani / n
    return dhprebn


def db1(dhprebn):
    """db1 (12,): the gradient of the loss with respect to b1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (8, 12)
    In the network it is 0 but for rounding, since a batch norm follows. It must be right all the same.
    """
    return dhprebn.sum(0)
