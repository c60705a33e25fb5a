"""Token and position embeddings.

A token's vector says what it is, a position's vector where it stands; the network gets their sum.
The position table has a row for as many positions as the network can look at, but a batch may be
shorter: then only the first T rows are read. One row serves position t in every example.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(wte, wpe, W, b, idx, labels, B, T):
    tok = wte[idx]
    pos = wpe[:T]
    x = tok + pos
    logits = x @ W + b
    flat = logits.view(B*T, -1)
    loss = F.cross_entropy(flat, labels)
    return loss


def dW(x, dlogits):
    """dW (5, 11): the gradient of the loss with respect to W.

    Forward:  logits = x @ W + b
    Upstream: dlogits (4, 6, 11)
    One matrix for all examples and positions.
    """
    raise NotImplementedError("dW: not written yet")


def db(dlogits):
    """db (11,): the gradient of the loss with respect to b.

    Forward:  logits = x @ W + b
    Upstream: dlogits (4, 6, 11)
    """
    raise NotImplementedError("db: not written yet")


def dx(W, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ W + b
    Upstream: dlogits (4, 6, 11)
    """
    raise NotImplementedError("dx: not written yet")


def dtok(dx):
    """dtok (4, 6, 5): the gradient of the loss with respect to tok.

    Forward:  x = tok + pos
    Upstream: dx (4, 6, 5)
    A sum hands its gradient on to each summand.
    """
    raise NotImplementedError("dtok: not written yet")


def dpos(dx):
    """dpos (6, 5): the gradient of the loss with respect to pos.

    Forward:  x = tok + pos
    Upstream: dx (4, 6, 5)
    pos has no batch axis: position t has one vector for all examples.
    """
    raise NotImplementedError("dpos: not written yet")


def dwpe(wpe, dpos, T):
    """dwpe (8, 5): the gradient of the loss with respect to wpe.

    Forward:  pos = wpe[:T]
    Upstream: dpos (6, 5)
    Rows from T on were not read.
    """
    raise NotImplementedError("dwpe: not written yet")


def dwte(wte, idx, dtok):
    """dwte (11, 5): the gradient of the loss with respect to wte.

    Forward:  tok = wte[idx]
    Upstream: dtok (4, 6, 5)
    A token that stands at several places receives several gradients.
    """
    raise NotImplementedError("dwte: not written yet")
