"""A good start: the loss to expect, saturated neurons, and the scale of weights.

A network that knows nothing should consider every character equally likely. Its first loss can be
predicted, and where it is far above, the logits are confidently wrong. Inside, a tanh that stands near
-1 or 1 hardly lets a gradient through. Both are fixed by the scale of the weights at the start, and the
right scale follows from the number of inputs of a neuron, its fan-in.
"""

import math

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=2147483647, vocab_size=27, n=32, fan_in=30, n_hidden=40),
    "probe-1": dict(seed=2, vocab_size=27, n=32, fan_in=30, n_hidden=40),
    "probe-2": dict(seed=3, vocab_size=65, n=17, fan_in=20, n_hidden=12),
    "probe-3": dict(seed=4, vocab_size=10, n=24, fan_in=13, n_hidden=7),
}
OUTPUTS = {
    "expected_loss": "approximate",
    "saturated": "approximate",
    "dead": "exact",
    "gains": "approximate",
    "kaiming": "approximate",
    "parameter_count": "exact",
}
HINTS = {
    "expected_loss": {
        "concept": "All characters equally likely means that each has the same probability. The loss is minus the "
        "natural log of the one of the label, whichever that is.",
        "example": """
    >>> expected_loss(27)
    >>> expected_loss(2)
""",
        "formula": "−ln(1/V) = ln V, the natural logarithm.",
    },
    "saturated": {
        "concept": "Count how many numbers lie beyond the limit on either side, over how many there are. A number "
        "exactly at the limit is not beyond it.",
        "example": """
    >>> saturated(torch.tensor([[0.75, -1.0], [0.875, 0.0]]), 0.75)
""",
        "formula": "The mean over all entries of [|h| > limit], 1 where it holds and 0 where not.",
    },
    "dead": {
        "concept": "A neuron is a column, the examples are its rows. It is dead if none of them gets through, so "
        "one axis goes, that of the examples.",
        "example": """
    >>> dead(torch.tensor([[1.0, -1.0, 1.0], [0.5, 1.0, -1.0]]), 0.75)
""",
        "formula": "dead[j] is true where |h[i, j]| > limit for every i.",
    },
    "gains": {
        "concept": "A table with four entries: look each name up, in the order given.",
        "example": """
    >>> gains(["tanh", "linear", "relu"])
""",
        "formula": "linear 1, sigmoid 1, tanh 5/3, relu √2.",
    },
    "kaiming": {
        "concept": "A sum of fan-in products has fan-in times the variance of one, so √fan-in times its spread. "
        "Dividing the weights by that root keeps the spread at 1; the gain makes up for the activation.",
        "example": """
    >>> kaiming(torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]), 3.0)
""",
        "formula": "W = noise · gain / √fan_in, where fan_in is the number of rows of noise.",
    },
    "parameter_count": {
        "concept": "Weights are the same with and without batch norm. Without it each output of a layer has one more "
        "number, its bias; with it two, a gain and a bias.",
        "example": """
    >>> parameter_count(27, 3, 10, 100, 5)
    >>> parameter_count(5, 2, 3, 4, 2)
""",
        "formula": "Table V·E. Weights: block·E·H for the first layer, H² for each of the layers − 1 others, H·V for "
        "the last. Outputs: layers·H + V, counted once without batch norm, twice with it.",
    },
}

def inputs(g, vocab_size, n, fan_in, n_hidden):
    """A hidden layer of which two neurons are dead and one is nearly so, and random weights."""
    bits = int(torch.randint(4, 8, (1,), generator=g)) if fan_in != 30 else 6 + n_hidden % 2
    limit = 1 - 2.0**-bits  # the lecture's is about 0.984; the same number as a float32
    h = torch.tanh(3 * torch.randn((n, n_hidden), generator=g))
    h[:, 2] = 0.995
    h[:, 5] = torch.where(torch.arange(n) % 2 > 0, 1.0, -0.9999)
    h[:, 1] = 1.0
    h[n // 2, 1] = -0.5
    h[:, 4] = -1.0
    h[0, 4], h[1, 3] = -limit, limit  # not farther from 0 than the limit
    order = torch.randperm(4, generator=g).tolist()
    return dict(
        h=h,
        limit=limit,
        activations=[("linear", "tanh", "relu", "sigmoid")[k] for k in order],
        noise=torch.randn((fan_in, n_hidden), generator=g),
        gain=1 + vocab_size / 40,
        layers=n // 6,
        n_embd=fan_in // 3,
        block_size=3 + n % 5,
    )


def expected_loss(vocab_size):
    """The loss of a network that considers all vocab_size characters equally likely, as a float.

    Minus the natural logarithm of a probability. The lecture's network should begin with 3.2958.
    """
    return -math.log(1 / vocab_size)


def saturated(h, limit):
    """The share of the numbers of h that are farther than `limit` from 0, as a float between 0 and 1.

    On either side: a tanh saturates at -1 as at 1. The lecture's limit is 0.99.
    """
    return (h.abs() > limit).float().mean().item()


def use_saturated(saturated, h, limit):
    few = torch.tensor([[0.9, 0.25, -0.9], [0.1, 0.0, 0.25]])
    found = {f"saturated(h, {by})": saturated(h.clone(), by) for by in (limit, 0.75, 0.875)}
    return found | {f"saturated({few.tolist()}, 0.5)": saturated(few, 0.5)}


def dead(h, limit):
    """Which neurons are saturated for every example: a tensor of torch.bool, one entry a neuron.

    h has a row for each example and a column for each neuron. One example that gets through is enough for
    a neuron to learn.
    """
    return (h.abs() > limit).all(0)


def use_dead(dead, h, limit):
    return {f"dead(h, {by})": dead(h.clone(), by) for by in (limit, 0.375, 0.9990234375)}


def gains(activations):
    """The gain of each activation, a list of floats: what its weights' scale is multiplied with.

    torch's table: 1 for linear, 1 for sigmoid, 5/3 for tanh, which makes the spread of its input smaller, and the
    square root of 2 for relu, which drops half of its inputs. `activations` are names.
    """
    table = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": 2**0.5}
    return [table[name] for name in activations]


def use_gains(gains, activations):
    return calls("gains", gains, (activations,), (activations[1:] + activations[:3],), (activations[2:3],))


def kaiming(noise, gain):
    """Weights at a good start: `noise`, drawn with standard deviation 1, times the gain over the root of the fan-in.

    Don't measure the spread of the noise that you get: it is 1 by how it is drawn. noise has a row for each
    input of a neuron, and a column for each neuron: x @ noise. In the lecture a neuron reads three vectors of
    10 numbers each, so its fan-in is 30, not 10.
    """
    return noise * gain / noise.shape[0] ** 0.5


def parameter_count(vocab_size, block_size, n_embd, n_hidden, layers):
    """How many numbers a deep network learns, without and with batch norm: two integers.

    C is (vocab_size, n_embd). The first layer reads block_size vectors; there are `layers` hidden layers of
    n_hidden neurons, then an output layer. Without batch norm every layer has a bias. With it none has, and a
    gain and a bias for each of its outputs instead, also after the output layer. For the lecture's network of
    five hidden layers of 100 the two are 46497 and 47024.
    """
    weights = block_size * n_embd * n_hidden + (layers - 1) * n_hidden**2 + n_hidden * vocab_size
    outputs = layers * n_hidden + vocab_size
    table = vocab_size * n_embd
    return table + weights + outputs, table + weights + 2 * outputs
