"""Backpropagation through the whole batch norm in one step.

In exercise 1 the way from hpreact to hprebn took seven small steps. Derive the gradient on paper,
from the normalised value to the variance, to the mean, to the input, simplify, and write down
dhprebn in terms of dhpreact and what the forward pass has saved. Mind Bessel's correction: the
variance divides by n-1.

Parameters are passed by name, as in exercise 1; `grader show` lists what you may ask for. The
formula is asked at several sizes.
"""

import torch
import torch.nn.functional as F

from grader.lecture import minibatch, parameters

LECTURE = dict(n=32, block_size=3, vocab_size=27, n_embd=10, n_hidden=64)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}

HINTS = {
    "dhprebn": {
        "concept": """
One column of hprebn is normalised on its own, so work on a single column. A number of it reaches
bnraw in three ways: directly, through the mean bnmeani, and through the variance bnvar. Go backwards on
paper in this order: to the normalised value bnraw, to the variance, to the mean, and last to hprebn
itself, where the three ways meet and add up.
Two things make it short. The way from the mean through the variance vanishes, because the distances
from the mean sum to 0. And whatever is summed over the column is one of only two sums: that of
dhpreact, and that of dhpreact times bnraw.
""",
        "formula": """
    dhprebn[i,j] = bngain[0,j] · bnvar_inv[0,j] · (dhpreact[i,j] − s[j]/n − bnraw[i,j] · t[j]/(n − 1))

s[j] = Σ_i dhpreact[i,j] is what comes back through the mean, and t[j] = Σ_i dhpreact[i,j] · bnraw[i,j]
what comes back through the variance; its n − 1 is Bessel's correction, from the line of bnvar.
""",
    },
}


def inputs(g, n, block_size, vocab_size, n_embd, n_hidden):
    """A minibatch and the parameters at their start, drawn with the generator g."""
    return {
        **minibatch(g, n, block_size, vocab_size),
        **parameters(g, block_size, vocab_size, n_embd, n_hidden),
    }


def forward(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb, n):
    # embed the characters, and lay the context's vectors side by side
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    # first linear layer
    hprebn = embcat @ W1 + b1
    # batch norm
    bnmeani = 1/n * hprebn.sum(0, keepdim=True)
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = 1/(n-1) * bndiff2.sum(0, keepdim=True)
    bnvar_inv = (bnvar + 1e-5)**-0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    # non-linearity, second linear layer
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    return loss


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, n):
    """dhprebn (32, 64): the gradient of the loss with respect to hprebn.

    Forward:  the lines from bnmeani down to hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 64)
    Each column of it sums to zero: the mean is taken out, so a shift of a whole column does nothing.
    """
    return (
        bngain
        * bnvar_inv
        / n
        * (n * dhpreact - dhpreact.sum(0) - n / (n - 1) * bnraw * (dhpreact * bnraw).sum(0))
    )
