"""The tree's modules: flattening, a batch norm with running statistics, and a bug to find.

The lecture builds the network out of small modules, as torch.nn has them. Write the two that are new,
FlattenConsecutive and a BatchNorm1d that takes two axes or three, count the parameters, and fix the first
version of the batch norm: it raises no error on three axes, and it is wrong there all the same.

torch's own BatchNorm1d is of no help here: it wants the channels on axis 1, and would normalise positions.
"""

import torch


class FlattenConsecutive:
    """A module that lays the vectors of k neighbours side by side."""

    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        """x (n, t, c) as (n, t // k, c * k); where one position is left, without that axis: (n, c * k)."""
        raise NotImplementedError("FlattenConsecutive.__call__: not written yet")


def first_version(x, eps=1e-5):
    mean = x.mean(0, keepdim=True)
    var = x.var(0, keepdim=True)
    return (x - mean) / torch.sqrt(var + eps)


def mended(x, eps=1e-5):
    """What first_version is meant to give: every channel normalised over all batch axes.

    x is (n, c) or (n, t, c). Print the shape of the mean on three axes, and see what is wrong.
    """
    raise NotImplementedError("mended: not written yet")


class BatchNorm1d:
    """A batch norm for (n, c) and for (n, t, c); it keeps running statistics for later.

    The variance is the unbiased one, which divides by one less than there are, as in the lecture; torch's
    own module takes the biased one to normalise.
    """

    def __init__(self, c, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.gamma = torch.ones(c)
        self.beta = torch.zeros(c)
        self.running_mean = torch.zeros(c)
        self.running_var = torch.ones(c)

    def __call__(self, x):
        """The batch norm of x: by the batch's statistics while self.training, else by the running ones.

        While training, the running statistics move towards the batch's by the fraction self.momentum.
        They have the shape (c,), or with ones before it, as the lecture's own class has them.
        """
        raise NotImplementedError("BatchNorm1d.__call__: not written yet")


def count(vocab_size, n_embd, n_hidden):
    """How many parameters the lecture's network has: a table, three levels of pairs, a last linear layer with a bias.

    A level is a linear layer without bias and a batch norm. With 27, 10 and 68 there are 22397.
    """
    raise NotImplementedError("count: not written yet")
