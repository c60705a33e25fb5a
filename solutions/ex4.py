"""All together, a training loop whose gradients are yours.

The network of the lecture at its full size: 200 hidden units, 12297 parameters. Write the whole
backward pass, with what exercises 2 and 3 gave. Seven of the gradients are those of the parameters.
They drive real training: a check takes 100 steps with them and compares the parameters with those
that autograd's training ends with; `grader train ex4` does the whole run. Each gradient is also
judged on its own, at several steps of the training and at other sizes.

In the training run your functions are called in the order in which they stand here, and what one
returns is passed to the later ones. Where each is judged on its own, it receives the right upstream
gradients, whatever the ones before it return. Parameters are passed by name; you may ask for others,
which `grader show` lists.
"""

import torch
import torch.nn.functional as F

from grader.lecture import minibatch, parameters

LECTURE = dict(n=32, block_size=3, vocab_size=27, n_embd=10, n_hidden=200)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "step-10": dict(seed=2147483647, trained=10, **{**LECTURE, "n_hidden": 20}),
    "step-100": dict(seed=2147483647, trained=100, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}

TRAINING = dict(
    parameters=("C", "W1", "b1", "W2", "b2", "bngain", "bnbias"),
    steps=100,
    few=10,  # of a notebook, which is cut short
    lr=0.1,
    lr_late=0.01,  # from the middle of the run on
    calibrate=("bnmean", "bnvar"),  # fixed to the whole training set's for evaluation
)

HINTS = {
    "dhprebn": {
        "concept": """
The batch norm of exercise 3, in one step. One column of hprebn is normalised on its own. A number of it
reaches bnraw in three ways: directly, through the mean bnmean, and through the variance bnvar; the three
gradients add up. Two sums over the batch are all that they need: that of dhpreact, and that of dhpreact
times bnraw. Both have been computed already, for the gain and the bias.
""",
        "formula": """
    dhprebn[i,j] = bngain[0,j] · bnvar_inv[0,j] · (dhpreact[i,j] − s[j]/n − bnraw[i,j] · t[j]/(n − 1))

s[j] = Σ_i dhpreact[i,j], which dbnbias holds, is what comes back through the mean; and
t[j] = Σ_i dhpreact[i,j] · bnraw[i,j], which dbngain holds, what comes back through the variance. The
n − 1 is Bessel's correction, from the line of bnvar.
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
    emb = C[Xb]
    embcat = emb.view(emb.shape[0], -1)
    hprebn = embcat @ W1 + b1
    bnmean = hprebn.mean(0, keepdim=True)
    bndiff = hprebn - bnmean
    bnvar = (bndiff**2).sum(0, keepdim=True) / (n - 1)
    bnvar_inv = (bnvar + 1e-5)**-0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    return loss


def dlogits(logits, Yb, n):
    """dlogits (32, 27): the gradient of the loss with respect to logits.

    Forward:  loss = F.cross_entropy(logits, Yb)
    Upstream: none, the loss itself (its gradient is 1)
    """
    return (F.softmax(logits, 1) - F.one_hot(Yb, num_classes=logits.shape[1])) / n


def dh(W2, dlogits):
    """dh (32, 200): the gradient of the loss with respect to h.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    return dlogits @ W2.T


def dW2(h, dlogits):
    """dW2 (200, 27): the gradient of the loss with respect to W2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    return h.T @ dlogits


def db2(dlogits):
    """db2 (27,): the gradient of the loss with respect to b2.

    Forward:  logits = h @ W2 + b2
    Upstream: dlogits (32, 27)
    """
    return dlogits.sum(0)


def dhpreact(h, dh):
    """dhpreact (32, 200): the gradient of the loss with respect to hpreact.

    Forward:  h = torch.tanh(hpreact)
    Upstream: dh (32, 200)
    """
    return (1.0 - h**2) * dh


def dbngain(bnraw, dhpreact):
    """dbngain (1, 200): the gradient of the loss with respect to bngain.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 200)
    """
    return (bnraw * dhpreact).sum(0, keepdim=True)


def dbnbias(dhpreact):
    """dbnbias (1, 200): the gradient of the loss with respect to bnbias.

    Forward:  hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 200)
    """
    return dhpreact.sum(0, keepdim=True)


def dhprebn(bngain, bnvar_inv, bnraw, dhpreact, dbngain, dbnbias, n):
    """dhprebn (32, 200): the gradient of the loss with respect to hprebn.

    Forward:  the lines from bnmean down to hpreact = bngain * bnraw + bnbias
    Upstream: dhpreact (32, 200)
    The two sums over the batch are needed here once more: dbngain and dbnbias hold them.
    """
    shift = dbnbias + (n / (n - 1)) * dbngain * bnraw
    return (bngain * bnvar_inv) * (dhpreact - shift / n)


def dembcat(W1, dhprebn):
    """dembcat (32, 30): the gradient of the loss with respect to embcat.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 200)
    """
    return dhprebn @ W1.T


def dW1(embcat, dhprebn):
    """dW1 (30, 200): the gradient of the loss with respect to W1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 200)
    """
    return embcat.T @ dhprebn


def db1(dhprebn):
    """db1 (200,): the gradient of the loss with respect to b1.

    Forward:  hprebn = embcat @ W1 + b1
    Upstream: dhprebn (32, 200)
    """
    return dhprebn.sum(0)


def demb(emb, dembcat):
    """demb (32, 3, 10): the gradient of the loss with respect to emb.

    Forward:  embcat = emb.view(emb.shape[0], -1)
    Upstream: dembcat (32, 30)
    """
    return dembcat.view(emb.shape)


def dC(C, Xb, demb):
    """dC (27, 10): the gradient of the loss with respect to C.

    Forward:  emb = C[Xb]
    Upstream: demb (32, 3, 10)
    A loop over the batch works; one indexed addition is a hundred times as fast.
    """
    dC = torch.zeros_like(C)
    dC.index_add_(0, Xb.reshape(-1), demb.reshape(-1, C.shape[1]))
    return dC
