"""Pretraining: documents packed into rows.

Documents are as long as they are; a batch has B rows of T tokens. So all documents are laid end to end,
each followed by the token that says "end of text" (number 0 here), and the long row is cut into a batch:
no place is padding, and a row may begin and end within a document. The labels are the same row, read one
token further on.

The model below is the smallest there is, a table of embeddings and a matrix. Its loss is the plain mean
over all B times T places. The end of a text is a token like any other: it is a label, and it is looked
up.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(packed, E, W, B, T, V):
    # one long row of tokens: what is read, and what is to be predicted
    Xb = packed[:-1].view(B, T)
    Yb = packed[1:].view(B, T)
    # the model
    x = E[Xb]
    logits = x @ W
    loss = F.cross_entropy(logits.view(-1, V), Yb.reshape(-1))
    return loss


def dlogits(logits, Yb, B, T, V):
    """dlogits (4, 6, 9): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits.view(-1, V), Yb.reshape(-1))
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dlogits: not written yet")


def dx(W, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    raise NotImplementedError("dx: not written yet")


def dW(x, dlogits):
    """dW (5, 9): the gradient of the loss with respect to W.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    raise NotImplementedError("dW: not written yet")


def dE(E, Xb, dx):
    """dE (9, 5): the gradient of the loss with respect to E.

    Forward:  x = E[Xb]
    Upstream: dx (4, 6, 5)
    The row of the end of text is learnt like the others.
    """
    raise NotImplementedError("dE: not written yet")
