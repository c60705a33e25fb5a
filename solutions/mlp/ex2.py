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

from grader.lecture import minibatch, mlp_parameters

LECTURE = dict(n=8, block_size=3, vocab_size=27, n_embd=2, n_hidden=12)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=7, block_size=2, vocab_size=11, n_embd=5, n_hidden=13),
    "probe-3": dict(seed=3, n=9, block_size=4, vocab_size=6, n_embd=3, n_hidden=8),
}


def inputs(g, n, block_size, vocab_size, n_embd, n_hidden):
    """A minibatch and the parameters, drawn with the generator g."""
    return {
        **minibatch(g, n, block_size, vocab_size),
        **mlp_parameters(g, block_size, vocab_size, n_embd, n_hidden),
    }


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
    dlogprobs = torch.zeros_like(logprobs)
    dlogprobs[range(n), Yb] = -1.0 / n
    return dlogprobs


def dlogsum(dlogprobs):
    """dlogsum (8, 1): the gradient of the loss with respect to logsum.

    Forward:  logprobs = shifted - logsum
    Upstream: dlogprobs (8, 27)
    """
    return -dlogprobs.sum(1, keepdim=True)


def dcounts_sum(counts_sum, dlogsum):
    """dcounts_sum (8, 1): the gradient of the loss with respect to counts_sum.

    Forward:  logsum = counts_sum.log()
    Upstream: dlogsum (8, 1)
    """
    return dlogsum / counts_sum


def dcounts(counts, dcounts_sum):
    """dcounts (8, 27): the gradient of the loss with respect to counts.

    Forward:  counts_sum = counts.sum(1, keepdim=True)
    Upstream: dcounts_sum (8, 1)
    A sum in the forward pass: think of what its backward pass does to shapes.
    """
    return torch.ones_like(counts) * dcounts_sum


def dshifted(counts, dlogprobs, dcounts):
    """dshifted (8, 27): the gradient of the loss with respect to shifted.

    Forward:  logprobs = shifted - logsum
              counts = shifted.exp()
    Upstream: dlogprobs (8, 27), dcounts (8, 27)
    Used twice in the forward pass, so two gradients meet here.
    """
    return dlogprobs + counts * dcounts


def dmaxes(dshifted):
    """dmaxes (8, 1): the gradient of the loss with respect to maxes.

    Forward:  shifted = logits - maxes
    Upstream: dshifted (8, 27)
    In the network it is 0 but for rounding: a shift changes no probability. It must be right all the same.
    """
    return -dshifted.sum(1, keepdim=True)


def dlogits(logits, dshifted, dmaxes):
    """dlogits (8, 27): the gradient of the loss with respect to logits.

    Forward:  shifted = logits - maxes
              maxes = logits.max(1, keepdim=True).values
    Upstream: dshifted (8, 27), dmaxes (8, 1)
    Used twice; the maximum passes its gradient to one place in each row.
    """
    return dshifted + F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dmaxes
