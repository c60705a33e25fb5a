"""Token and position embeddings.

A token's vector says what it is, a position's vector where it stands; the network gets their sum.
The position table has a row for as many positions as the network can look at, but a batch may be
shorter: then only the first T rows are read. One row serves position t in every example.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F

LECTURE = dict(B=4, T=6, unread=2, C=5, vocab_size=11)

FIXTURES = {
    "lecture": dict(seed=1337, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, B=3, T=5, unread=4, C=6, vocab_size=7),
    "probe-3": dict(seed=3, B=5, T=3, unread=1, C=7, vocab_size=6),
}


def inputs(g, B, T, unread, C, vocab_size):
    """A batch of T positions, where there is room for more; both tables and a linear layer; drawn with g."""
    text = torch.randint(0, vocab_size, (B, T + 1), generator=g)
    return {
        "wte": torch.randn((vocab_size, C), generator=g),
        "wpe": torch.randn((T + unread, C), generator=g),
        "W": torch.randn((C, vocab_size), generator=g) * C**-0.5,
        "b": torch.randn(vocab_size, generator=g) * 0.1,
        "idx": text[:, :-1].contiguous(),
        "labels": text[:, 1:].reshape(-1),
    }


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
    return (x.transpose(-2, -1) @ dlogits).sum(0)


def db(dlogits):
    """db (11,): the gradient of the loss with respect to b.

    Forward:  logits = x @ W + b
    Upstream: dlogits (4, 6, 11)
    """
    return dlogits.sum((0, 1))


def dx(W, dlogits):
    """dx (4, 6, 5): the gradient of the loss with respect to x.

    Forward:  logits = x @ W + b
    Upstream: dlogits (4, 6, 11)
    """
    return dlogits @ W.T


def dtok(dx):
    """dtok (4, 6, 5): the gradient of the loss with respect to tok.

    Forward:  x = tok + pos
    Upstream: dx (4, 6, 5)
    A sum hands its gradient on to each summand.
    """
    return dx


def dpos(dx):
    """dpos (6, 5): the gradient of the loss with respect to pos.

    Forward:  x = tok + pos
    Upstream: dx (4, 6, 5)
    pos has no batch axis: position t has one vector for all examples.
    """
    return dx.sum(0)


def dwpe(wpe, dpos, T):
    """dwpe (8, 5): the gradient of the loss with respect to wpe.

    Forward:  pos = wpe[:T]
    Upstream: dpos (6, 5)
    Rows from T on were not read.
    """
    dwpe = torch.zeros_like(wpe)
    dwpe[:T] = dpos
    return dwpe


def dwte(wte, idx, dtok):
    """dwte (11, 5): the gradient of the loss with respect to wte.

    Forward:  tok = wte[idx]
    Upstream: dtok (4, 6, 5)
    A token that stands at several places receives several gradients.
    """
    dwte = torch.zeros_like(wte)
    dwte.index_add_(0, idx.reshape(-1), dtok.reshape(-1, wte.shape[1]))
    return dwte
