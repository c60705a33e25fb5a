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

FIXTURES = {
    "lecture": dict(seed=1337, B=4, T=6, C=5, V=9),
    "probe-1": dict(seed=1, B=4, T=6, C=5, V=9),
    "probe-2": dict(seed=2, B=3, T=5, C=4, V=7),
    "probe-3": dict(seed=3, B=2, T=8, C=3, V=6),
}

HINTS = {
    "dlogits": {
        "concept": """
The loss is a mean over all places, B times T of them. For one place it is −log p at the label, with p the
softmax of its logits. Write it out as −l[label] + log Σ_v exp(l[v]): both parts have a short derivative, the
first at the label alone, the second everywhere. There is no exception for the end of a text.
""",
        "shapes": """
dlogits has the shape of logits: 4×6×9.
What arrives is the loss's own gradient, 1. The labels are 4×6: one place in each row of 9.
""",
        "formula": """
    dlogits[b,t,v] = (p[b,t,v] − [v = Yb[b,t]])/(B · T)

p is the softmax of the logits along the last axis. […] is 1 where it holds, else 0.
""",
    },
}


def inputs(g, B, T, C, V):
    """Documents of random tokens, packed: each with its 0 at the end, as many as fill B rows of T."""
    packed = []
    while len(packed) <= B * T:
        length = int(torch.randint(2, 6, (1,), generator=g))
        packed += torch.randint(1, V, (length,), generator=g).tolist() + [0]
    return {
        "packed": torch.tensor(packed[: B * T + 1]),
        "E": torch.randn((V, C), generator=g),
        "W": torch.randn((C, V), generator=g) * C**-0.5,
    }


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
    return (F.softmax(logits, -1) - F.one_hot(Yb, V)) / (B * T)


def dx(W, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    return dlogits @ W.T


def dW(x, dlogits):
    """dW (5, 9): the gradient of the loss with respect to W.

    Forward:  logits = x @ W
    Upstream: dlogits (4, 6, 9)
    """
    return x.flatten(0, 1).T @ dlogits.flatten(0, 1)


def dE(E, Xb, dx):
    """dE (9, 5): the gradient of the loss with respect to E.

    Forward:  x = E[Xb]
    Upstream: dx (4, 6, 5)
    The row of the end of text is learnt like the others.
    """
    dE = torch.zeros_like(E)
    dE.index_add_(0, Xb.flatten(), dx.flatten(0, 1))
    return dE
