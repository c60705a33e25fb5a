"""Before the first gradient: how to check one, and a bug that only a gradient shows.

A gradient by hand is right if a small step says the same. The step is taken in every number of a tensor, one at a
time and in both directions, and the two losses are compared. It is slow, it is never exact, and it needs a step that
is neither too large nor too small; but it knows nothing of your formula, and so it can judge it.

Then a bug that the lecture found in real code: somebody wanted to keep gradients small, and clipped the loss. The loss
looks as it should, and training goes on. Only the gradient of an outlier tells.
"""

import torch


def numeric_gradient(f, x, h):
    """The gradient of f at x by central differences with the step h: a tensor like x.

    x is a tensor of any shape, f takes such a tensor and gives a single number, as a tensor of no axes. x itself
    is to be as it was afterwards. With f = sum of the squares it is close to 2x.
    """
    raise NotImplementedError("numeric_gradient: not written yet")


def best_step(f, slope, x, steps):
    """Which of `steps` measures the slope of f at x best, by a central difference: one of them.

    x is a tensor of no axes, float32 or float64, and f keeps its precision; `slope` is the true one, a number.
    Work in the precision of x. In float64 the best step for the sine is about 1e-5, in float32 about 1e-2.
    """
    raise NotImplementedError("best_step: not written yet")


def kinks(f, x, h, limit):
    """Where f has a kink: a tensor of torch.bool like x.

    At a kink the slope measured to the right, from x to x + h, and the one measured to the left, from x - h to x,
    differ by more than `limit`. As above, one number of x is moved at a time.
    """
    raise NotImplementedError("kinks: not written yet")


def relative_error(a, b):
    """The largest relative error of two tensors of one shape: a float.

    At each place it is the distance of the two numbers over the larger of their sizes, and 0 where both are 0.
    """
    raise NotImplementedError("relative_error: not written yet")


def wrong_places(f, grad, x, h, tolerance):
    """Where a gradient is wrong: a list of pairs (row, column), row by row; empty if it is right.

    x has two axes, and grad, of its shape, is what somebody derived by hand for the gradient of f at x. A place is
    wrong where it is farther than `tolerance` from the numeric gradient with the step h.
    """
    raise NotImplementedError("wrong_places: not written yet")


def first_version(delta, limit):
    """The loss that was found: errors clipped, squared, and the mean."""
    return (delta.clamp(-limit, limit) ** 2).mean()


def outlier_gradient(delta, limit):
    """The gradient of first_version(delta, limit) with respect to delta, by hand: a tensor like delta.

    delta has one axis, the errors of n examples, and no error is exactly at the limit. Look at what the largest
    of them gets.
    """
    raise NotImplementedError("outlier_gradient: not written yet")


def mended(delta, limit):
    """The loss that was meant: the mean of the squares, but with a gradient that is limited. A tensor of no axes.

    Of an error up to the limit it is the square. From there on it grows along a straight line, which continues the
    parabola with the value and the slope that it has at the limit.
    """
    raise NotImplementedError("mended: not written yet")


def mended_gradient(delta, limit):
    """The gradient of mended(delta, limit) with respect to delta, by hand: a tensor like delta."""
    raise NotImplementedError("mended_gradient: not written yet")
