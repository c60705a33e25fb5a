"""The bigram table, and the cross entropy over all positions.

The first language model of the lecture is a table: row i holds the logits of what follows token i.
Every position of every example makes a prediction, so there are B*T of them, and the cross entropy
wants them as one long list: the logits as (B*T, vocab_size), the targets as (B*T,).

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dflat: not written yet")


def dlogits(logits, dflat):
    """dlogits (4, 8, 11): the gradient of the loss with respect to logits.

    Forward:  flat = logits.view(B*T, -1)
    Upstream: dflat (32, 11)
    """
    raise NotImplementedError("dlogits: not written yet")


def dtable(table, idx, dlogits):
    """dtable (11, 11): the gradient of the loss with respect to table.

    Forward:  logits = table[idx]
    Upstream: dlogits (4, 8, 11)
    A token that stands at several places had its row looked up as often.
    """
    raise NotImplementedError("dtable: not written yet")
