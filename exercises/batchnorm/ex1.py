"""A good start: the loss to expect, saturated neurons, and the scale of weights.

A network that knows nothing should consider every character equally likely. Its first loss can be
predicted, and where it is far above, the logits are confidently wrong. Inside, a tanh that stands near
-1 or 1 hardly lets a gradient through. Both are fixed by the scale of the weights at the start, and the
right scale follows from the number of inputs of a neuron, its fan-in.
"""

import math
import torch


def expected_loss(vocab_size):
    """The loss of a network that considers all vocab_size characters equally likely, as a float.

    Minus the natural logarithm of a probability. The lecture's network should begin with 3.2958.
    """
    raise NotImplementedError("expected_loss: not written yet")


def saturated(h, limit):
    """The share of the numbers of h that are farther than `limit` from 0, as a float between 0 and 1.

    On either side: a tanh saturates at -1 as at 1. The lecture's limit is 0.99.
    """
    raise NotImplementedError("saturated: not written yet")


def dead(h, limit):
    """Which neurons are saturated for every example: a tensor of torch.bool, one entry a neuron.

    h has a row for each example and a column for each neuron. One example that gets through is enough for
    a neuron to learn.
    """
    raise NotImplementedError("dead: not written yet")


def gains(activations):
    """The gain of each activation, a list of floats: what its weights' scale is multiplied with.

    torch's table: 1 for linear, 1 for sigmoid, 5/3 for tanh, which makes the spread of its input smaller, and the
    square root of 2 for relu, which drops half of its inputs. `activations` are names.
    """
    raise NotImplementedError("gains: not written yet")


def kaiming(noise, gain):
    """Weights at a good start: `noise`, drawn with standard deviation 1, times the gain over the root of the fan-in.

    Don't measure the spread of the noise that you get: it is 1 by how it is drawn. noise has a row for each
    input of a neuron, and a column for each neuron: x @ noise. In the lecture a neuron reads three vectors of
    10 numbers each, so its fan-in is 30, not 10.
    """
    raise NotImplementedError("kaiming: not written yet")


def parameter_count(vocab_size, block_size, n_embd, n_hidden, layers):
    """How many numbers a deep network learns, without and with batch norm: two integers.

    C is (vocab_size, n_embd). The first layer reads block_size vectors; there are `layers` hidden layers of
    n_hidden neurons, then an output layer. Without batch norm every layer has a bias. With it none has, and a
    gain and a bias for each of its outputs instead, also after the output layer. For the lecture's network of
    five hidden layers of 100 the two are 46497 and 47024.
    """
    raise NotImplementedError("parameter_count: not written yet")
