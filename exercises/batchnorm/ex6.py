"""The layers as torch.nn has them, and how numbers spread through a stack of them.

The lecture writes its network a second time, out of modules: Linear, Tanh and BatchNorm1d, each with the interface of
torch.nn. With them it looks at a stack of layers: how large the activations of each layer are, how many of them are
saturated, and how large the gradients are beside the weights. What goes wrong in a deep network is seen there first.

The modules are yours to write; torch.nn's own are what they are compared with. Weights come from a list of noise
instead of torch.randn, so that there is one right answer.
"""

import torch
import torch.nn.functional as F


class Linear:
    """A linear layer. torch.nn keeps the weight transposed, (fan_out, fan_in); the lecture, and this one, don't."""

    def __init__(self, noise, bias=True):
        """weight: the noise (fan_in, fan_out) over the root of fan_in. bias: zeros (fan_out,), or None without one."""
        raise NotImplementedError("Linear.__init__: not written yet")

    def __call__(self, x):
        """x (n, fan_in) times the weight, plus the bias if there is one."""
        raise NotImplementedError("Linear.__call__: not written yet")

    def parameters(self):
        """A list: the weight, and the bias if there is one."""
        raise NotImplementedError("Linear.parameters: not written yet")


class Tanh:
    """The tanh of each number, as a layer."""

    def __call__(self, x):
        """tanh of x."""
        raise NotImplementedError("Tanh.__call__: not written yet")

    def parameters(self):
        """An empty list: there is nothing to learn."""
        raise NotImplementedError("Tanh.parameters: not written yet")


class BatchNorm1d:
    """A batch norm whose numbers are torch.nn.BatchNorm1d's. Write it by hand, without torch's own.

    gamma and beta, of (dim,), begin as ones and zeros, running_mean and running_var as zeros and ones,
    training as True.
    """

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        """Set eps, momentum, training, gamma, beta, running_mean and running_var."""
        raise NotImplementedError("BatchNorm1d.__init__: not written yet")

    def __call__(self, x):
        """gamma · (x - mean) / the root of (variance + eps) + beta, for x of (n, dim).

        In training mean and variance are the batch's, the variance over n; and the running values move towards the
        batch's by the fraction momentum, for which the variance is the one over n - 1. Else the running values are
        used.
        """
        raise NotImplementedError("BatchNorm1d.__call__: not written yet")

    def parameters(self):
        """What the layer learns, as a list: gamma and beta."""
        raise NotImplementedError("BatchNorm1d.parameters: not written yet")


class Sequential:
    """Layers, one after the other."""

    def __init__(self, layers):
        """Keep the list of layers."""
        raise NotImplementedError("Sequential.__init__: not written yet")

    def __call__(self, x):
        """What the last layer gives; each reads what the one before it gave."""
        raise NotImplementedError("Sequential.__call__: not written yet")

    def parameters(self):
        """Those of all layers, in order, in one list."""
        raise NotImplementedError("Sequential.parameters: not written yet")


def scaled_losses(h, W2, b2, Y, scales):
    """The loss at the start for several scales of the output layer: a list of floats.

    The logits are scale · (h @ W2 + b2), the bias scaled too; the lecture tries 1, 0.1, 0.01 and 0. The loss
    is the mean cross entropy.
    """
    raise NotImplementedError("scaled_losses: not written yet")


def spread(x, noises, gain, limit):
    """How numbers go through a stack of linear layers and tanhs: for each layer a pair (std, share).

    Each layer's weight is the gain times its noise, (fan_in, fan_out), over the root of fan_in, and there is no
    bias. Of what the tanh gives, std is the standard deviation (over one less than there are), and share the part
    that is farther than `limit` from 0. Floats, a list.
    """
    raise NotImplementedError("spread: not written yet")


def grad_data(weights, gradients):
    """The size of each gradient beside its weights, for those that are matrices: a list of floats.

    Both are lists of tensors, in the same order. Each figure is the standard deviation of the gradient over the one
    of the weights. What has one axis, a bias, is left out.
    """
    raise NotImplementedError("grad_data: not written yet")


def dead_share(h, limit):
    """The share of the neurons that are saturated for every example, a float.

    h has a row for each example and a column for each neuron; saturated is what is farther than `limit` from 0.
    """
    raise NotImplementedError("dead_share: not written yet")
