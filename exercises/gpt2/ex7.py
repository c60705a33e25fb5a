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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dmicro: not written yet")


def dnll(nll, dmicro):
    """dnll (3, 4): the gradient of the loss with respect to nll.

    Forward:  micro = nll.mean(1)
    Upstream: dmicro (3,)
    """
    raise NotImplementedError("dnll: not written yet")


def dlogits(logits, Y, dnll):
    """dlogits (3, 4, 7): the gradient of the loss with respect to logits.

    Forward:  logprobs = F.log_softmax(logits, -1)
              nll = -logprobs.gather(2, Y.unsqueeze(2)).squeeze(2)
    Upstream: dnll (3, 4)
    """
    raise NotImplementedError("dlogits: not written yet")


def dW(X, dlogits):
    """dW (6, 7): the gradient of the loss with respect to W.

    Forward:  logits = X @ W + b
    Upstream: dlogits (3, 4, 7)
    The accumulation itself: a sum over all examples of all micro-batches.
    """
    raise NotImplementedError("dW: not written yet")


def db(dlogits):
    """db (7,): the gradient of the loss with respect to b.

    Forward:  logits = X @ W + b
    Upstream: dlogits (3, 4, 7)
    """
    raise NotImplementedError("db: not written yet")
