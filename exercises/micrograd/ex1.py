"""Slopes: by a small step, and by the chain rule.

A derivative is a slope: how fast the output of a function goes up or down when one input is nudged. It can
be measured, by taking a small step and looking, and it can be worked out, line by line from the output back
to the inputs. The second is what the whole course is about: it needs no step, and it gives all the slopes at
once. Everything here is a plain Python number.
"""

import math


def numgrad(f, x, h):
    """The slope of the function f at x, measured with a step of h to the right.

    f is called with a number and gives a number. With f(x) = 3x² - 4x + 5 the slope at 3 is close to 14, at
    -3 close to -22, and at 2/3 close to 0.
    """
    raise NotImplementedError("numgrad: not written yet")


def lgraph(a, b, c, f):
    """The gradients of L with respect to all seven numbers of this graph, as a dict by name:

        e = a * b
        d = e + c
        L = d * f

    The keys are "L", "f", "d", "c", "e", "b" and "a". The gradient of L with respect to itself is 1. At
    a = 2, b = -3, c = 10, f = -2 the one of a is 6.
    """
    raise NotImplementedError("lgraph: not written yet")


def raised(a, b, c, f, rate):
    """L after a, b, c and f have each taken one small step that makes L larger.

    The step of each is `rate` times its gradient. At a = 2, b = -3, c = 10, f = -2 and a rate of 0.01, L goes
    from -8 to -7.286496.
    """
    raise NotImplementedError("raised: not written yet")


def neuron(x1, x2, w1, w2, b):
    """The gradients of a neuron's output o with respect to n, x1, w1, x2, w2 and b, as a dict by name:

        n = x1 * w1 + x2 * w2 + b
        o = tanh(n)

    With x = (2, 0), w = (-3, 1) and b = 6.8813735870195432 the gradient of n and of b is 0.5, of x1 -1.5.
    """
    raise NotImplementedError("neuron: not written yet")


def step(values, grads, rate):
    """One step of gradient descent: a new dict of the values, each moved so that the loss goes down.

    `values` and `grads` are dicts with the same keys, the values and their gradients.
    """
    raise NotImplementedError("step: not written yet")
