"""The bigram network in one step, with regularisation.

Exercise 3 took five steps from the loss to the logits. Derive the way on paper instead: what comes
out is short. And the loss has a second part now, which pulls the weights towards zero: a hundredth
of the mean of their squares. It does to W what smoothing did to the counts: the more of it, the more even
the probabilities.

The loss is the sum of the two parts, nll and penalty. Your formulas receive the gradients of both,
dnll and dpenalty, which are single numbers: 1 in the network, others on the probes.
"""

import torch
import torch.nn.functional as F

from grader.lecture import bigrams

LECTURE = dict(n=5, vocab_size=27)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=9, vocab_size=6),
    "probe-3": dict(seed=3, n=11, vocab_size=8),
}

HINTS = {
    "dlogits": {
        "concept": """
Take one row. Its share of nll is the negative log of the probability at its label, over n. Write that
probability out as the exponential of the label's logit over the sum of the exponentials: the logarithm
makes a difference of the two, and each has a short derivative. The first part is the label's own logit and
nothing else; in the second stands every logit of the row, and its derivative has been computed in the
forward pass.
""",
        "formula": """
    dlogits[i,j] = dnll · (probs[i,j] − [ys[i] = j])/n

[…] is 1 where it holds, else 0.
""",
    },
}


def inputs(g, n, vocab_size):
    """The weights, drawn first as in the lecture, and n bigrams; of five, those of emma."""
    W = torch.randn((vocab_size, vocab_size), generator=g)
    xs, ys = bigrams(g, n, vocab_size)
    return {"xenc": torch.eye(vocab_size)[xs], "ys": ys, "W": W}


def forward(xenc, ys, W, n):
    logits = xenc @ W
    probs = logits.softmax(1)
    nll = -probs[range(n), ys].log().mean()
    # the weights' own part of the loss
    squares = W**2
    penalty = 0.01 * squares.mean()
    loss = nll + penalty
    return loss


def dlogits(probs, ys, dnll, n):
    """dlogits (5, 27): the gradient of the loss with respect to logits.

    Forward:  probs = logits.softmax(1)
              nll = -probs[range(n), ys].log().mean()
    Upstream: dnll ()
    Each row of it sums to zero: what is pulled down at the label is pushed up elsewhere.
    """
    return dnll * (probs - F.one_hot(ys, num_classes=probs.shape[1])) / n


def dsquares(squares, dpenalty):
    """dsquares (27, 27): the gradient of the loss with respect to squares.

    Forward:  penalty = 0.01 * squares.mean()
    Upstream: dpenalty ()
    """
    return 0.01 / squares.numel() * torch.ones_like(squares) * dpenalty


def dW(xenc, W, dlogits, dsquares):
    """dW (27, 27): the gradient of the loss with respect to W.

    Forward:  logits = xenc @ W
              squares = W**2
    Upstream: dlogits (5, 27), dsquares (27, 27)
    The second part reaches every weight, also those of letters that never came.
    """
    return xenc.T @ dlogits + 2 * W * dsquares
