"""The bigram table, and the cross entropy over all positions.

The first language model of the lecture is a table: row i holds the logits of what follows token i.
Every position of every example makes a prediction, so there are B*T of them, and the cross entropy
wants them as one long list: the logits as (B*T, vocab_size), the targets as (B*T,).

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=4, T=8, vocab_size=11)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=5, vocab_size=7),
    "probe-3": dict(seed=3, B=5, T=2, vocab_size=6),
}


def inputs(g, B, T, vocab_size):
    """A batch of tokens and of those that follow them, and the table; drawn with the generator g."""
    text = torch.randint(0, vocab_size, (B, T + 1), generator=g)
    return {
        "table": torch.randn((vocab_size, vocab_size), generator=g),
        "idx": text[:, :-1].contiguous(),
        "targets": text[:, 1:].contiguous(),
    }


def forward(table, idx, targets, B, T):
    logits = table[idx]
    flat = logits.view(B*T, -1)
    labels = targets.view(B*T)
    loss = F.cross_entropy(flat, labels)
    return loss


def dflat(flat, labels, B, T):
    """dflat (32, 11): the gradient of the loss with respect to flat.

    Forward:  loss = F.cross_entropy(flat, labels)
    Upstream: none, the loss itself (its gradient is 1)
    The mean runs over all predictions. How many are there?
    """
    dflat = F.softmax(flat, 1)
    dflat[range(B * T), labels] -= 1
    return dflat / (B * T)


def dlogits(logits, dflat):
    """dlogits (4, 8, 11): the gradient of the loss with respect to logits.

    Forward:  flat = logits.view(B*T, -1)
    Upstream: dflat (32, 11)
    """
    return dflat.view(logits.shape)


def dtable(table, idx, dlogits):
    """dtable (11, 11): the gradient of the loss with respect to table.

    Forward:  logits = table[idx]
    Upstream: dlogits (4, 8, 11)
    A token that stands at several places had its row looked up as often.
    """
    dtable = torch.zeros_like(table)
    dtable.index_add_(0, idx.reshape(-1), dlogits.reshape(-1, table.shape[1]))
    return dtable
