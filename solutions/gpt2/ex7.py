"""Gradient accumulation: a large batch in small steps.

GPT-2 was trained on half a million tokens a step, which no single GPU holds at once. So the batch is
cut into N micro-batches, each goes forward and backward by itself, and the gradients add up before the
optimiser steps. `backward` adds, and nothing else: so each micro-batch's mean loss has to be divided by
N, or the gradient is N times that of the large batch.

Here the micro-batches lie along the first axis, so that one backward pass does what the loop does: X is
(N, B, C), and the gradient of W adds up over both of its first axes.
"""

import torch
import torch.nn.functional as F

FIXTURES = {
    "lecture": dict(seed=1337, N=3, B=4, C=6, V=7),
    "probe-1": dict(seed=1, N=3, B=4, C=6, V=7),
    "probe-2": dict(seed=2, N=5, B=2, C=3, V=8),
    "probe-3": dict(seed=3, N=2, B=6, C=5, V=4),
}

HINTS = {
    "dlogits": {
        "concept": """
Take one example of one micro-batch: its nll is −log p at the label, with p the softmax of its logits. Written
out, −l[label] + log Σ_v exp(l[v]), it has a short derivative in each of its two parts. Every example has its
own upstream gradient, a single number, by which its whole row is multiplied.
""",
        "formula": """
    dlogits[m,b,v] = (p[m,b,v] − [v = Y[m,b]]) · dnll[m,b]

p is the softmax of the logits along the last axis, exp of logprobs. […] is 1 where it holds, else 0.
""",
    },
}


def inputs(g, N, B, C, V):
    """Activations and labels of N micro-batches, and one linear layer that all of them use."""
    return {
        "X": torch.randn((N, B, C), generator=g),
        "W": torch.randn((C, V), generator=g) * C**-0.5,
        "b": torch.randn(V, generator=g) * 0.1,
        "Y": torch.randint(0, V, (N, B), generator=g),
    }


def forward(X, W, b, Y, N):
    logits = X @ W + b
    logprobs = F.log_softmax(logits, -1)
    nll = -logprobs.gather(2, Y.unsqueeze(2)).squeeze(2)
    # the mean loss of each micro-batch, and what they add up to
    micro = nll.mean(1)
    loss = (micro / N).sum()
    return loss


def dmicro(micro, N):
    """dmicro (3,): the gradient of the loss with respect to micro.

    Forward:  loss = (micro / N).sum()
    Upstream: none, the loss itself (its gradient is 1)
    The line that is forgotten most often.
    """
    return torch.ones_like(micro) / N


def dnll(nll, dmicro):
    """dnll (3, 4): the gradient of the loss with respect to nll.

    Forward:  micro = nll.mean(1)
    Upstream: dmicro (3,)
    """
    return torch.ones_like(nll) * dmicro.unsqueeze(1) / nll.shape[1]


def dlogits(logits, Y, dnll):
    """dlogits (3, 4, 7): the gradient of the loss with respect to logits.

    Forward:  logprobs = F.log_softmax(logits, -1)
              nll = -logprobs.gather(2, Y.unsqueeze(2)).squeeze(2)
    Upstream: dnll (3, 4)
    """
    probs = F.softmax(logits, -1)
    return (probs - F.one_hot(Y, logits.shape[-1])) * dnll.unsqueeze(-1)


def dW(X, dlogits):
    """dW (6, 7): the gradient of the loss with respect to W.

    Forward:  logits = X @ W + b
    Upstream: dlogits (3, 4, 7)
    The accumulation itself: a sum over all examples of all micro-batches.
    """
    return X.flatten(0, 1).T @ dlogits.flatten(0, 1)


def db(dlogits):
    """db (7,): the gradient of the loss with respect to b.

    Forward:  logits = X @ W + b
    Upstream: dlogits (3, 4, 7)
    """
    return dlogits.sum((0, 1))
