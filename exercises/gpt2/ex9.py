"""From gradients to a step: clipping, decay groups, learning rate, AdamW.

The optimiser of GPT-2 does four things with a gradient. It clips the whole of it, all tensors together,
to a greatest length. It pulls matrices towards zero a little, but neither biases nor gains. It scales the
step by a learning rate that rises in a straight line and falls along half a cosine. And it divides each
number's step by how large its gradients have been of late. Each item gives values, which are compared
with what they should be.
"""

import math
import torch


def norm(grads):
    """The length of a whole gradient, a number or a tensor of no axes, from a list of tensors of any shapes.

    As if all their numbers stood in one long vector: the root of the sum of all squares.
    """
    raise NotImplementedError("norm: not written yet")


def clipped(grads, most):
    """The list of tensors `grads`, scaled by one common factor so that its length is at most `most`.

    The factor is most / (length + 1e-6), and never greater than 1: a short gradient stays as it is.
    """
    raise NotImplementedError("clipped: not written yet")


def groups(named):
    """Which parameters decay, and which do not: two lists of names, in the order of the dict `named`.

    What has two axes or more decays: the matrices and the embeddings. Biases and gains do not.
    """
    raise NotImplementedError("groups: not written yet")


def rate(step, warmup, last, high, low):
    """The learning rate at a step, counted from 0.

    Before `warmup` it rises in a straight line: high / warmup at step 0, high at step warmup - 1. It is `high`
    again at step warmup, where half a cosine begins, along which it falls to `low` at step `last`. After `last` it
    stays at `low`. This is build-nanogpt's get_lr, with what that takes from outside as arguments.
    """
    raise NotImplementedError("rate: not written yet")


def adamw(p, grad, m, v, t, lr, decay):
    """One step of AdamW: the new p, m and v, as a tuple. t counts the steps from 1.

    m and v are running means of the gradient and of its square, with 0.9 and 0.95 of the old value kept. Both
    began at zero, so the weights in them add up to 1 - 0.9**t and 1 - 0.95**t only: divide by that for the step,
    lr * m / (v**0.5 + 1e-8), and give m and v back undivided. Apart from the step p shrinks by lr * decay * p, of
    p as it was before it.
    """
    raise NotImplementedError("adamw: not written yet")
