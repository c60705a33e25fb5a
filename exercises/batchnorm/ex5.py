"""Batch norm as a layer, and the figures that tell whether training goes well.

While it trains, a batch norm uses the mean and the variance of the batch, and keeps running ones beside them.
When the network is used, there may be one example and no batch: then the running ones stand in. The layer
here is the lecture's: its variance is the unbiased one, over n - 1, in both places. torch.nn's own
divides by n when it normalises, and by n - 1 for the running variance. It may be an nn.Module whose gamma and
beta are Parameters.
"""

import torch


class BatchNorm1d:
    """A batch norm of `dim` neurons. In training it normalises with the batch, else with what it has kept.

    gamma and beta, of (dim,), begin as ones and zeros, running_mean and running_var as zeros and ones,
    training as True.
    """

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        """Set eps, momentum, training, gamma, beta, running_mean and running_var."""
        raise NotImplementedError("BatchNorm1d.__init__: not written yet")

    def __call__(self, x):
        """gamma · (x - mean) / the root of (variance + eps) + beta, for x of (n, dim).

        In training mean and variance are the batch's, the variance over n - 1, and each running value becomes
        (1 - momentum) times itself plus momentum times the batch's. Else the running values are used.
        """
        raise NotImplementedError("BatchNorm1d.__call__: not written yet")

    def parameters(self):
        """What the layer learns, as a list: gamma and beta. The running values are no part of it."""
        raise NotImplementedError("BatchNorm1d.parameters: not written yet")


def calibrated(hprebn):
    """The mean and the standard deviation of each neuron over the whole training set, each (1, n_hidden).

    hprebn has a row for every example there is. The standard deviation is the unbiased one.
    """
    raise NotImplementedError("calibrated: not written yet")


def collapsed(linears):
    """The one matrix that does what a stack of linear layers does, x first times linears[0].

    `linears` is a list of matrices. Without activations between them, layers are a product of matrices.
    """
    raise NotImplementedError("collapsed: not written yet")


def update_ratios(weights, gradients, rate):
    """How large a step is relative to its weights, for those that are matrices: a list of floats.

    `weights` and `gradients` are lists of tensors, in the same order. Each figure is the logarithm to base 10 of the
    standard deviation of `rate` times the gradient over that of the weights. The lecture would see about -3; biases,
    which have one axis, are left out.
    """
    raise NotImplementedError("update_ratios: not written yet")
