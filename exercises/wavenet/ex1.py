"""Flattening two at a time, and a linear layer over two batch axes.

The lecture's tree does not squash all characters of a context at once. FlattenConsecutive(2) lays
the vectors of two neighbours side by side, and the linear layer after it works on every pair on its
own. So its input has three axes, (batch, position, channel), and the first two are both batch axes:
the same W1 serves every example and every position.

The view hides what is moved. The second half of the forward pass does the same with slices, as the
lecture checks it: the even and the odd places, joined along the channels.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, b1, W2, W3, Xb, Yb, n, pairs):
    emb = C[Xb]
    # FlattenConsecutive(2), then a linear layer for each pair
    flat = emb.view(n, pairs, -1)
    hpre = flat @ W1 + b1
    h = torch.tanh(hpre)
    # flatten what is left
    hcat = h.view(n, -1)
    # the same pairs, by slices: the even places, the odd ones
    even = emb[:, ::2]
    odd = emb[:, 1::2]
    joined = torch.cat([even, odd], 2)
    logits = hcat @ W2 + joined.mean(1) @ W3
    loss = F.cross_entropy(logits, Yb)
    return loss


def dh(h, dhcat):
    """dh (6, 4, 7): the gradient of the loss with respect to h.

    Forward:  hcat = h.view(n, -1)
    Upstream: dhcat (6, 28)
    Only the shape changes, so only the shape changes back.
    """
    raise NotImplementedError("dh: not written yet")


def dhpre(h, dh):
    """dhpre (6, 4, 7): the gradient of the loss with respect to hpre.

    Forward:  h = torch.tanh(hpre)
    Upstream: dh (6, 4, 7)
    """
    raise NotImplementedError("dhpre: not written yet")


def dflat(W1, dhpre):
    """dflat (6, 4, 10): the gradient of the loss with respect to flat.

    Forward:  hpre = flat @ W1 + b1
    Upstream: dhpre (6, 4, 7)
    Each pair goes through the layer alone, so each pair's gradient comes back alone.
    """
    raise NotImplementedError("dflat: not written yet")


def dW1(flat, dhpre):
    """dW1 (10, 7): the gradient of the loss with respect to W1.

    Forward:  hpre = flat @ W1 + b1
    Upstream: dhpre (6, 4, 7)
    One W1 serves all examples and all positions: both are summed over.
    """
    raise NotImplementedError("dW1: not written yet")


def db1(dhpre):
    """db1 (7,): the gradient of the loss with respect to b1.

    Forward:  hpre = flat @ W1 + b1
    Upstream: dhpre (6, 4, 7)
    Replicated along two axes in the forward line.
    """
    raise NotImplementedError("db1: not written yet")


def deven(even, djoined):
    """deven (6, 4, 5): the gradient of the loss with respect to even.

    Forward:  joined = torch.cat([even, odd], 2)
    Upstream: djoined (6, 4, 10)
    The first half of the channels.
    """
    raise NotImplementedError("deven: not written yet")


def dodd(even, djoined):
    """dodd (6, 4, 5): the gradient of the loss with respect to odd.

    Forward:  joined = torch.cat([even, odd], 2)
    Upstream: djoined (6, 4, 10)
    The second half of the channels.
    """
    raise NotImplementedError("dodd: not written yet")


def demb(emb, dflat, deven, dodd):
    """demb (6, 8, 5): the gradient of the loss with respect to emb.

    Forward:  flat = emb.view(n, pairs, -1)
              even = emb[:, ::2]
              odd = emb[:, 1::2]
    Upstream: dflat (6, 4, 10), deven (6, 4, 5), dodd (6, 4, 5)
    Read by three lines. A slice's gradient goes back to the places that it was taken from.
    """
    raise NotImplementedError("demb: not written yet")


def dC(C, Xb, demb):
    """dC (27, 5): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (6, 8, 5)
    A row of C that was looked up several times receives several gradients.
    """
    raise NotImplementedError("dC: not written yet")
