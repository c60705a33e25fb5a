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

from grader.lecture import minibatch, mlp_parameters

LECTURE = dict(n=8, vocab_size=27, n_embd=2, n_hidden=12)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, vocab_size=6, n_embd=4, n_hidden=8),
}

HINTS = {
    "demb": {
        "concept": """
emb is read by three lines, one for each place of the context. Each of them takes a slice: what is in it
gets the upstream gradient of that piece, and what is not gets nothing from there. The three slices don't
overlap and together they are all of emb, so the three gradients are laid where their pieces came
from.
""",
    },
}


def inputs(g, n, vocab_size, n_embd, n_hidden):
    """A minibatch and the parameters, drawn with the generator g."""
    return {
        **minibatch(g, n, 3, vocab_size),
        **mlp_parameters(g, 3, vocab_size, n_embd, n_hidden),
    }


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
    return dembcat[:, first.shape[1] + second.shape[1] :]


def dsecond(first, second, dembcat):
    """dsecond (8, 2): the gradient of the loss with respect to second.

    Forward:  embcat = torch.cat([first, second, third], 1)
    Upstream: dembcat (8, 6)
    """
    return dembcat[:, first.shape[1] : first.shape[1] + second.shape[1]]


def dfirst(first, dembcat):
    """dfirst (8, 2): the gradient of the loss with respect to first.

    Forward:  embcat = torch.cat([first, second, third], 1)
    Upstream: dembcat (8, 6)
    """
    return dembcat[:, : first.shape[1]]


def demb(dfirst, dsecond, dthird):
    """demb (8, 3, 2): the gradient of the loss with respect to emb.

    Forward:  first = emb[:, 0]
              second = emb[:, 1]
              third = emb[:, 2]
    Upstream: dfirst (8, 2), dsecond (8, 2), dthird (8, 2)
    The three pieces go back to where they came from.
    """
    return torch.stack([dfirst, dsecond, dthird], 1)


def dC(C, Xb, demb):
    """dC (27, 2): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (8, 3, 2)
    A row of C that was looked up several times receives several gradients.
    """
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    return dC
