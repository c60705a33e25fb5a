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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dlogits: not written yet")


def dsquares(squares, dpenalty):
    """dsquares (27, 27): the gradient of the loss with respect to squares.

    Forward:  penalty = 0.01 * squares.mean()
    Upstream: dpenalty ()
    """
    raise NotImplementedError("dsquares: not written yet")


def dW(xenc, W, dlogits, dsquares):
    """dW (27, 27): the gradient of the loss with respect to W.

    Forward:  logits = xenc @ W
              squares = W**2
    Upstream: dlogits (5, 27), dsquares (27, 27)
    The second part reaches every weight, also those of letters that never came.
    """
    raise NotImplementedError("dW: not written yet")
