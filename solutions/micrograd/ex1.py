"""Slopes: by a small step, and by the chain rule.

A derivative is a slope: how fast the output of a function goes up or down when one input is nudged. It can
be measured, by taking a small step and looking, and it can be worked out, line by line from the output back
to the inputs. The second is what the whole course is about: it needs no step, and it gives all the slopes at
once. Everything here is a plain Python number.
"""

import math

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, cases=5),
    "probe-1": dict(seed=2, cases=5),
    "probe-2": dict(seed=3, cases=3),
    "probe-3": dict(seed=4, cases=7),
}
OUTPUTS = {
    "numgrad": "approximate",
    "lgraph": "approximate",
    "raised": "approximate",
    "neuron": "approximate",
    "step": "approximate",
}
HINTS = {
    "numgrad": {
        "concept": "A slope is rise over run: how much the output changes when the input moves a little, per "
        "unit of that move. You only have to call f twice; its formula is not needed, and it may be any "
        "function.",
        "example": """
    >>> numgrad(lambda x: x * x, 3.0, 0.5)
    >>> numgrad(lambda x: x * x, 3.0, 0.001)
    >>> numgrad(lambda x: 7.0, 3.0, 0.5)
""",
        "formula": "(f(x + h) − f(x))/h. The step goes to the right only, and h is an argument.",
    },
    "lgraph": {
        "concept": "Go backwards, from L to the leaves. L's own gradient is 1. Each operation multiplies what "
        "arrives by its local gradient: a sum passes it on unchanged to both operands, a product passes to "
        "each factor what arrives times the other factor.",
        "example": """
    >>> lgraph(2.0, -3.0, 10.0, -2.0)
""",
        "formula": "L = d · f: the gradient of d is f, that of f is d = a·b + c. d = e + c: e and c both get "
        "the gradient of d. e = a · b: a gets the gradient of e times b, b gets it times a.",
    },
    "raised": {
        "concept": "The gradient points uphill: moving every input a little along its own gradient makes L "
        "larger. All four move at once, by the gradients at the old values.",
        "example": """
    >>> raised(2.0, -3.0, 10.0, -2.0, 0.01)
    >>> raised(2.0, -3.0, 10.0, -2.0, 0.0)
""",
        "formula": "a ← a + rate · (gradient of a), and so for b, c and f; then L = (a·b + c) · f of the new "
        "values. Take all four gradients before you move anything.",
    },
    "neuron": {
        "concept": "From o back to n through the tanh, and from n on to each term of the sum. The slope of "
        "tanh is known from its output: 1 − o². A sum passes on what arrives, a product passes it on times "
        "the other factor.",
        "example": """
    >>> neuron(2.0, 0.0, -3.0, 1.0, 6.8813735870195432)
""",
        "formula": "n: 1 − o², with o the output and not n. b: the same. x1: that times w1; w1: that times "
        "x1; x2 and w2 likewise.",
    },
    "step": {
        "concept": "The gradient points to where the loss grows, so each value moves the other way. Make a "
        "new dict and leave the given one as it is.",
        "example": """
    >>> step({"a": 1.0, "b": 2.0}, {"a": 10.0, "b": -4.0}, 0.1)
""",
        "formula": "new value = value − rate · gradient, for every key.",
    },
}

KEYS = ["abc", ["w1", "w2", "b"], "xy", ["bias"], "pqrs", ["W", "C"], "fgh"]


def inputs(g, cases):
    """In each list the lecture's own numbers come first; the others are random."""

    def draw(*count):
        return [[round(x, 3) for x in row] for row in (torch.rand(count, generator=g) * 6 - 3).tolist()]

    return dict(
        parabolas=[[3.0, -4.0, 5.0, 3.0], [3.0, -4.0, 5.0, -3.0], *draw(cases, 4)],
        corners=[[2.0, -3.0, 10.0, -2.0], *draw(cases, 4)],
        neurons=[[2.0, 0.0, -3.0, 1.0, 6.8813735870195432], *[[x / 3 for x in row] for row in draw(cases, 5)]],
        weights=[dict(zip(KEYS[k], row)) for k, row in enumerate(draw(cases, 4))],
        slopes=[dict(zip(KEYS[k], row)) for k, row in enumerate(draw(cases, 4))],
        widths=[0.0001, *(abs(x) / 10 + 0.001 for (x,) in draw(cases + 1, 1))],
        rates=[0.01, *(abs(x) / 10 + 0.001 for (x,) in draw(cases, 1))],
    )


def numgrad(f, x, h):
    """The slope of the function f at x, measured with a step of h to the right.

    f is called with a number and gives a number. With f(x) = 3x² - 4x + 5 the slope at 3 is close to 14, at
    -3 close to -22, and at 2/3 close to 0.
    """
    return (f(x + h) - f(x)) / h


def use_numgrad(numgrad, parabolas, widths):
    found = {}
    for (p, q, r, x), h in zip(parabolas, widths):
        said = f"numgrad(f, {x}, {h:.6g}) of f(x) = {p:g}x² + {q:g}x + {r:g}".replace("+ -", "- ")
        found[said] = numgrad(lambda t, p=p, q=q, r=r: p * t * t + q * t + r, x, h)
        found[f"numgrad(f, {x}, {h:.6g}) of f(x) = x³"] = numgrad(lambda t: t * t * t, x, h)
    return found


def lgraph(a, b, c, f):
    """The gradients of L with respect to all seven numbers of this graph, as a dict by name:

        e = a * b
        d = e + c
        L = d * f

    The keys are "L", "f", "d", "c", "e", "b" and "a". The gradient of L with respect to itself is 1. At
    a = 2, b = -3, c = 10, f = -2 the one of a is 6.
    """
    e = a * b
    d = e + c
    return {"L": 1.0, "f": d, "d": f, "c": f, "e": f, "b": f * a, "a": f * b}


def use_lgraph(lgraph, corners):
    return calls("lgraph", lgraph, *corners)


def raised(a, b, c, f, rate):
    """L after a, b, c and f have each taken one small step that makes L larger.

    The step of each is `rate` times its gradient. At a = 2, b = -3, c = 10, f = -2 and a rate of 0.01, L goes
    from -8 to -7.286496.
    """
    grads = lgraph(a, b, c, f)
    a += rate * grads["a"]
    b += rate * grads["b"]
    c += rate * grads["c"]
    f += rate * grads["f"]
    return (a * b + c) * f


def use_raised(raised, corners, rates):
    return calls("raised", raised, *([*corner, rate] for corner, rate in zip(corners, rates)))


def neuron(x1, x2, w1, w2, b):
    """The gradients of a neuron's output o with respect to n, x1, w1, x2, w2 and b, as a dict by name:

        n = x1 * w1 + x2 * w2 + b
        o = tanh(n)

    With x = (2, 0), w = (-3, 1) and b = 6.8813735870195432 the gradient of n and of b is 0.5, of x1 -1.5.
    """
    o = math.tanh(x1 * w1 + x2 * w2 + b)
    dn = 1 - o * o
    return {"n": dn, "x1": dn * w1, "w1": dn * x1, "x2": dn * w2, "w2": dn * x2, "b": dn}


def use_neuron(neuron, neurons):
    return calls("neuron", neuron, *neurons)


def step(values, grads, rate):
    """One step of gradient descent: a new dict of the values, each moved so that the loss goes down.

    `values` and `grads` are dicts with the same keys, the values and their gradients.
    """
    return {name: value - rate * grads[name] for name, value in values.items()}


def use_step(step, weights, slopes, rates):
    return calls("step", step, *zip(weights, slopes, rates))
