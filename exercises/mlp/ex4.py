"""The embedding: concatenation, lookup, and the table that learns.

C[Xb] looks every letter of the contexts up in the table C. The letters' vectors are laid side by
side, here as the lecture writes it at first: the letter at each place of the context is taken out, and
the pieces are joined. Then the gradient goes back into the table, and a letter that stands at several
places gets all of their gradients.

The context has three letters on every fixture, since the forward pass names the three places; all the other
sizes differ on the probes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, b1, W2, b2, Xb, Yb):
    # look the letters up
    emb = C[Xb]
    # take the three places apart, and lay them side by side
    first = emb[:, 0]
    second = emb[:, 1]
    third = emb[:, 2]
    embcat = torch.cat([first, second, third], 1)
    # the rest of the network
    h = torch.tanh(embcat @ W1 + b1)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    return loss


def dthird(first, second, dembcat):
    """dthird (8, 2): the gradient of the loss with respect to third.

    Forward:  embcat = torch.cat([first, second, third], 1)
    Upstream: dembcat (8, 6)
    """
    raise NotImplementedError("dthird: not written yet")


def dsecond(first, second, dembcat):
    """dsecond (8, 2): the gradient of the loss with respect to second.

    Forward:  embcat = torch.cat([first, second, third], 1)
    Upstream: dembcat (8, 6)
    """
    raise NotImplementedError("dsecond: not written yet")


def dfirst(first, dembcat):
    """dfirst (8, 2): the gradient of the loss with respect to first.

    Forward:  embcat = torch.cat([first, second, third], 1)
    Upstream: dembcat (8, 6)
    """
    raise NotImplementedError("dfirst: not written yet")


def demb(dfirst, dsecond, dthird):
    """demb (8, 3, 2): the gradient of the loss with respect to emb.

    Forward:  first = emb[:, 0]
              second = emb[:, 1]
              third = emb[:, 2]
    Upstream: dfirst (8, 2), dsecond (8, 2), dthird (8, 2)
    The three pieces go back to where they came from.
    """
    raise NotImplementedError("demb: not written yet")


def dC(C, Xb, demb):
    """dC (27, 2): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (8, 3, 2)
    A row of C that was looked up several times receives several gradients.
    """
    raise NotImplementedError("dC: not written yet")
