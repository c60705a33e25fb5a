"""The bigram network's backward pass, one step at a time.

One letter goes in as a one-hot row, one matrix W makes logits of it, and a softmax turns them into
probabilities for the next letter. The loss is the mean negative log likelihood of the letters that
did come next. Walk it backwards: for every tensor write the gradient of the loss with respect to
it, d<name>.

The lecture's batch is the word emma: .e, em, mm, ma, a. are five bigrams, with 27 characters.

Your formulas are asked at other sizes too. Parameters are passed by name; you may ask for others, which
`grader show` lists. Each function receives the right upstream gradients, whatever the ones before it
return.
"""

import torch

from grader.lecture import bigrams

LECTURE = dict(n=5, vocab_size=27)

FIXTURES = {
    "lecture": dict(seed=2147483647, **LECTURE),
    "probe-1": dict(seed=1, **LECTURE),
    "probe-2": dict(seed=2, n=9, vocab_size=6),
    "probe-3": dict(seed=3, n=11, vocab_size=8),
}


def inputs(g, n, vocab_size):
    """The weights, drawn first as in the lecture, and n bigrams; of five, those of emma."""
    W = torch.randn((vocab_size, vocab_size), generator=g)
    xs, ys = bigrams(g, n, vocab_size)
    return {"xenc": torch.eye(vocab_size)[xs], "ys": ys, "W": W}


def forward(xenc, ys, W, n):
    # each one-hot row picks a row of W
    logits = xenc @ W
    # softmax: counts, each over the sum of its row
    counts = logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    probs = counts / counts_sum
    # the probabilities of the letters that came, and their mean negative log
    picked = probs[range(n), ys]
    loss = -picked.log().mean()
    return loss


def dpicked(picked, n):
    """dpicked (5,): the gradient of the loss with respect to picked.

    Forward:  loss = -picked.log().mean()
    Upstream: none, the loss itself (its gradient is 1)
    """
    return -1.0 / (n * picked)


def dprobs(probs, ys, dpicked, n):
    """dprobs (5, 27): the gradient of the loss with respect to probs.

    Forward:  picked = probs[range(n), ys]
    Upstream: dpicked (5,)
    One number of each row was picked; the others never reach the loss.
    """
    dprobs = torch.zeros_like(probs)
    dprobs[range(n), ys] = dpicked
    return dprobs


def dcounts_sum(counts, counts_sum, dprobs):
    """dcounts_sum (5, 1): the gradient of the loss with respect to counts_sum.

    Forward:  probs = counts / counts_sum
    Upstream: dprobs (5, 27)
    It divides every number of its row.
    """
    return -(counts * dprobs).sum(1, keepdim=True) / counts_sum**2


def dcounts(counts_sum, dprobs, dcounts_sum):
    """dcounts (5, 27): the gradient of the loss with respect to counts.

    Forward:  probs = counts / counts_sum
              counts_sum = counts.sum(1, keepdim=True)
    Upstream: dprobs (5, 27), dcounts_sum (5, 1)
    Used twice in the forward pass, so two gradients meet here.
    """
    return dprobs / counts_sum + dcounts_sum


def dlogits(counts, dcounts):
    """dlogits (5, 27): the gradient of the loss with respect to logits.

    Forward:  counts = logits.exp()
    Upstream: dcounts (5, 27)
    """
    return counts * dcounts


def dW(xenc, dlogits):
    """dW (27, 27): the gradient of the loss with respect to W.

    Forward:  logits = xenc @ W
    Upstream: dlogits (5, 27)
    In emma the letter m is an input twice: two rows of dlogits meet in one row of dW.
    """
    return xenc.T @ dlogits
