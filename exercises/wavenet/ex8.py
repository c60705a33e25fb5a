"""The paper's network, forward: dilated layers, gates that are conditioned, µ-law, and a head.

The lecture's tree is a first step towards WaveNet. What the paper has beyond it: a stack of dilated convolutions whose
reach doubles from layer to layer, gates that are told whose voice it is and what is to be said, samples of sound that
are squeezed into 256 values, and a head that makes a softmax of all layers' skips. Here they are as functions; and the
claim that the tree and the convolution are one is put to the test.

Activations have the axes example, position, channel. A convolution with a kernel of 2 has two matrices: one for the
past position and one for the present; what lies before the beginning is zeros.
"""

import math
import torch
import torch.nn.functional as F


class Embedding:
    """A table of vectors, as a module."""

    def __init__(self, weight):
        """Keep the weight, (V, c), where torch.nn would draw it."""
        raise NotImplementedError("Embedding.__init__: not written yet")

    def __call__(self, ix):
        """The rows for the numbers ix, of any shape: the axes of ix and one of c."""
        raise NotImplementedError("Embedding.__call__: not written yet")

    def parameters(self):
        """A list: the weight."""
        raise NotImplementedError("Embedding.parameters: not written yet")


def smoothed(losses, width):
    """The losses of a training, averaged `width` steps at a time: a tensor, shorter by that factor.

    losses is a list of floats. The last steps that don't fill `width` are left out.
    """
    raise NotImplementedError("smoothed: not written yet")


def flat_count(vocab_size, n_embd, n_hidden, block_size):
    """How many parameters the network has that reads its whole context at once.

    An embedding, a linear layer without bias to n_hidden, a batch norm, and a linear layer with a bias to
    vocab_size. With 27, 10, 200 and a context of 8 there are 22097.
    """
    raise NotImplementedError("flat_count: not written yet")


def dilated(x, Wpast, Wnow, b, dilation):
    """A causal convolution with a kernel of 2: x (n, T, c) to (n, T, d).

    At each position: what stood `dilation` positions before it times Wpast (c, d), what stands there times Wnow (c,
    d), and b (d,). Before the beginning there are zeros. dilation may be larger than T.
    """
    raise NotImplementedError("dilated: not written yet")


def by_tree(x, weights):
    """The tree of the lecture: x (n, T, c), with T = 2^levels, to one vector for each example, (n, d).

    weights has (Wpast, Wnow, b) for each level. A level joins neighbours two by two: the earlier one times Wpast,
    the later one times Wnow, plus b, then tanh.
    """
    raise NotImplementedError("by_tree: not written yet")


def by_convolution(x, weights):
    """The same by dilated convolutions, each followed by tanh, with dilations 1, 2, 4, …: the last position, (n, d)."""
    raise NotImplementedError("by_convolution: not written yet")


def receptive_field(kernel, dilations):
    """How many positions the output of a stack of causal convolutions sees, itself among them.

    Every layer has the same kernel, and a dilation of the list.
    """
    raise NotImplementedError("receptive_field: not written yet")


def mu_law(x, mu):
    """Samples between -1 and 1 as integers from 0 to mu: a tensor of torch.int64 like x.

    f(x) = sign(x) · ln(1 + mu · |x|) / ln(1 + mu) lies between -1 and 1; that is brought to 0 … mu, and rounded by
    adding 0.5 and taking the floor.
    """
    raise NotImplementedError("mu_law: not written yet")


def mu_law_back(k, mu):
    """The samples for integers from 0 to mu: a float32 tensor like k, between -1 and 1."""
    raise NotImplementedError("mu_law_back: not written yet")


def gated(a):
    """The gate: tanh of the first half of the channels times the sigmoid of the second. (n, T, 2h) to (n, T, h)."""
    raise NotImplementedError("gated: not written yet")


def conditioned(a, speaker, V, local, U):
    """The gate of a layer that is told more: a (n, T, 2h) to (n, T, h).

    speaker (n, s) times V (s, 2h) is added at every position alike. local (n, Ty, c) times U (c, 2h) is added too,
    each of its positions at T / Ty neighbours. Then comes the gate. Either may be None, with its matrix: then it is
    left out.
    """
    raise NotImplementedError("conditioned: not written yet")


def head(skips, Wa, Wb):
    """The paper's output: probabilities (n, T, V) from a list of skips (n, T, h), one for each layer.

    The sum of the skips, a ReLU, Wa (h, m), a ReLU, Wb (m, V), and the softmax at every position.
    """
    raise NotImplementedError("head: not written yet")
