"""A cross entropy that does not overflow, line by line.

exp of a logit of 100 is more than a float holds, and then the loss is NaN. The remedy is to take the row's
largest logit from the whole row first: the probabilities stay what they are, and no exponential is
greater than 1. From there on logarithms are kept apart too: the log probability is the shifted logit minus
the log of the sum of the exponentials. This is what F.cross_entropy does inside.

Write the gradient of each line.

Parameters are passed by name; you may ask for others, which `grader show` lists. Each function
receives the right upstream gradients, whatever the ones before it return, and is asked at other sizes
too.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(C, W1, b1, W2, b2, Xb, Yb, n):
    # the network up to its logits
    h = torch.tanh(C[Xb].view(n, -1) @ W1 + b1)
    logits = h @ W2 + b2
    # shift each row so that its largest number is 0
    maxes = logits.max(1, keepdim=True).values
    shifted = logits - maxes
    # the log of the softmax
    counts = shifted.exp()
    counts_sum = counts.sum(1, keepdim=True)
    logsum = counts_sum.log()
    logprobs = shifted - logsum
    loss = -logprobs[range(n), Yb].mean()
    return loss


def dlogprobs(logprobs, Yb, n):
    """dlogprobs (8, 27): the gradient of the loss with respect to logprobs.

    Forward:  loss = -logprobs[range(n), Yb].mean()
    Upstream: none, the loss itself (its gradient is 1)
    """
    raise NotImplementedError("dlogprobs: not written yet")


def dlogsum(dlogprobs):
    """dlogsum (8, 1): the gradient of the loss with respect to logsum.

    Forward:  logprobs = shifted - logsum
    Upstream: dlogprobs (8, 27)
    """
    raise NotImplementedError("dlogsum: not written yet")


def dcounts_sum(counts_sum, dlogsum):
    """dcounts_sum (8, 1): the gradient of the loss with respect to counts_sum.

    Forward:  logsum = counts_sum.log()
    Upstream: dlogsum (8, 1)
    """
    raise NotImplementedError("dcounts_sum: not written yet")


def dcounts(counts, dcounts_sum):
    """dcounts (8, 27): the gradient of the loss with respect to counts.

    Forward:  counts_sum = counts.sum(1, keepdim=True)
    Upstream: dcounts_sum (8, 1)
    A sum in the forward pass: think of what its backward pass does to shapes.
    """
    raise NotImplementedError("dcounts: not written yet")


def dshifted(counts, dlogprobs, dcounts):
    """dshifted (8, 27): the gradient of the loss with respect to shifted.

    Forward:  logprobs = shifted - logsum
              counts = shifted.exp()
    Upstream: dlogprobs (8, 27), dcounts (8, 27)
    Used twice in the forward pass, so two gradients meet here.
    """
    raise NotImplementedError("dshifted: not written yet")


def dmaxes(dshifted):
    """dmaxes (8, 1): the gradient of the loss with respect to maxes.

    Forward:  shifted = logits - maxes
    Upstream: dshifted (8, 27)
    In the network it is 0 but for rounding: a shift changes no probability. It must be right all the same.
    """
    raise NotImplementedError("dmaxes: not written yet")


def dlogits(logits, dshifted, dmaxes):
    """dlogits (8, 27): the gradient of the loss with respect to logits.

    Forward:  shifted = logits - maxes
              maxes = logits.max(1, keepdim=True).values
    Upstream: dshifted (8, 27), dmaxes (8, 1)
    Used twice; the maximum passes its gradient to one place in each row.
    """
    raise NotImplementedError("dlogits: not written yet")
