"""Batch norm as a layer, and the figures that tell whether training goes well.

While it trains, a batch norm uses the mean and the variance of the batch, and keeps running ones beside them.
When the network is used, there may be one example and no batch: then the running ones stand in. The layer
here is the lecture's: its variance is the unbiased one, over n - 1, in both places. torch.nn's own
divides by n when it normalises, and by n - 1 for the running variance. It may be an nn.Module whose gamma and
beta are Parameters.
"""

import torch

FIXTURES = {
    "lecture": dict(seed=2147483647, n=32, n_hidden=10, batches=3),
    "probe-1": dict(seed=2, n=32, n_hidden=10, batches=3),
    "probe-2": dict(seed=3, n=7, n_hidden=5, batches=4),
    "probe-3": dict(seed=4, n=9, n_hidden=6, batches=2),
}
OUTPUTS = {
    "normalised": "approximate",
    "running": "approximate",
    "evaluated": "approximate",
    "constant": "approximate",
    "calibrated": "approximate",
    "collapsed": "approximate",
    "update_ratios": "approximate",
}
HINTS = {
    "normalised": {
        "concept": "Each column is a neuron: its mean and its variance run over the rows, the batch. Normalised it has "
        "mean 0 and variance 1; gamma and beta, one number each for a neuron, scale and shift it then.",
        "shapes": "x is a float tensor (n, dim), and so is what a call returns. gamma and beta are (dim,); eps and momentum "
        "are floats. parameters() returns a list of two tensors.",
        "example": """
    >>> bn = BatchNorm1d(2, eps=0.0)
    >>> bn(torch.tensor([[0.0, 1.0], [2.0, 5.0]]))
    >>> bn.parameters()
""",
        "formula": "gamma · (x − mean) / √(var + eps) + beta, with mean and variance over axis 0 and the variance over "
        "n − 1. eps stands inside the root.",
    },
    "running": {
        "concept": "A running value remembers: it moves a little towards each batch's. Mean and variance are kept "
        "so, in training only.",
        "shapes": "x is a float tensor (n, dim). running_mean and running_var are (dim,); (1, dim) is accepted too.",
        "example": """
    >>> bn = BatchNorm1d(1, momentum=0.5)
    >>> out = bn(torch.tensor([[2.0], [6.0]]))
    >>> bn.running_mean, bn.running_var
    >>> out = bn(torch.tensor([[2.0], [6.0]]))
    >>> bn.running_mean, bn.running_var
""",
        "formula": "running ← (1 − momentum) · running + momentum · the batch's, for the mean and for the variance over "
        "n − 1.",
    },
    "evaluated": {
        "concept": "Once training is over the layer uses what it has kept: what it gives for one example no longer "
        "depends on the others of the batch, and a batch of one works.",
        "shapes": "x is a float tensor (n, dim), n may be 1; a call returns the same shape.",
        "example": """
    >>> bn = BatchNorm1d(1, eps=0.0)
    >>> bn.running_mean, bn.running_var = torch.tensor([4.0]), torch.tensor([4.0])
    >>> bn.training = False
    >>> bn(torch.tensor([[2.0]])), bn(torch.tensor([[2.0], [8.0]]))
    >>> bn.running_mean
""",
        "formula": "The same line as in training, with running_mean and running_var in the place of the batch's; neither "
        "changes.",
    },
    "constant": {
        "concept": "A neuron that is the same for the whole batch has variance 0. x − mean is 0 there as well, and eps "
        "keeps 0 / 0 away: what is left is beta.",
        "shapes": "x is a float tensor (n, dim); a call returns the same shape, without NaN.",
        "example": """
    >>> bn = BatchNorm1d(2)
    >>> bn.beta = torch.tensor([0.5, 0.5])
    >>> bn(torch.tensor([[1.0, -1.0], [1.0, 1.0]]))
""",
        "formula": "√(var + eps), not √var + eps, and not √var: at variance 0 it is √eps.",
    },
    "calibrated": {
        "concept": "One mean and one standard deviation for each neuron, over all examples there are: the batch's "
        "place is taken by the whole training set.",
        "example": """
    >>> calibrated(torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 4.0]]))
""",
        "formula": "mean[0, j] = (1/n) Σ_i h[i, j]; std[0, j] = √(Σ_i (h[i, j] − mean[0, j])² / (n − 1)). The axis that is "
        "summed stays, as 1.",
    },
    "collapsed": {
        "concept": "Products of matrices are associative: x through one matrix after another is x times their product. "
        "The order matters.",
        "example": """
    >>> collapsed([torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.tensor([[1.0], [1.0]])])
""",
        "formula": "W = linears[0] · linears[1] · … · the last, matrix products from left to right.",
    },
    "update_ratios": {
        "concept": "How far a step moves the weights, compared with how large they are: both measured by their spread, "
        "the ratio by its power of ten.",
        "shapes": "weights and gradients are lists of tensors, pairwise of one shape, rate a float. update_ratios "
        "returns a list of floats, one for each matrix.",
        "example": """
    >>> W, b = torch.tensor([[1.0, 3.0]]), torch.tensor([5.0])
    >>> update_ratios([W, b], [torch.tensor([[0.0, 1.0]]), torch.tensor([1.0])], 0.1)
""",
        "formula": "log10(std(rate · gradient) / std(weights)), for what has two axes.",
    },
}


def inputs(g, n, n_hidden, batches):
    """Batches of one layer, a gain and a bias, a stack of linear layers, and weights with their gradients."""

    def draw(*shape):
        return torch.randn(shape, generator=g)

    return dict(
        xs=[(1 + k) * draw(n, n_hidden) + k for k in range(batches)],
        example=draw(1, n_hidden),
        gamma=1 + 0.1 * draw(n_hidden),
        beta=0.1 * draw(n_hidden),
        eps=1e-3 * n,
        momentum=1 / n,
        hprebn=2 * draw(5 * n, n_hidden) + 1,
        linears=[draw(n, n), draw(n, n), draw(n, n + 1), draw(n + 1, batches)],
        weights=[draw(n_hidden, n), draw(n), 5 * draw(n, batches)],
        gradients=[0.01 * draw(n_hidden, n), draw(n), 0.1 * draw(n, batches)],
        rate=0.01 * n,
    )


class BatchNorm1d:
    """A batch norm of `dim` neurons. In training it normalises with the batch, else with what it has kept.

    gamma and beta, of (dim,), begin as ones and zeros, running_mean and running_var as zeros and ones,
    training as True.
    """

    def __init__(self, dim, eps=1e-5, momentum=0.1):
        """Set eps, momentum, training, gamma, beta, running_mean and running_var."""
        self.eps = eps
        self.momentum = momentum
        self.training = True
        self.gamma = torch.ones(dim)
        self.beta = torch.zeros(dim)
        self.running_mean = torch.zeros(dim)
        self.running_var = torch.ones(dim)

    def __call__(self, x):
        """gamma · (x - mean) / the root of (variance + eps) + beta, for x of (n, dim).

        In training mean and variance are the batch's, the variance over n - 1, and each running value becomes
        (1 - momentum) times itself plus momentum times the batch's. Else the running values are used.
        """
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
        return self.gamma * (x - mean) / (var + self.eps) ** 0.5 + self.beta

    def parameters(self):
        """What the layer learns, as a list: gamma and beta. The running values are no part of it."""
        return [self.gamma, self.beta]


def layer(BatchNorm1d, gamma, beta, eps, momentum):
    """A layer with a gain and a bias of its own, which may be torch.nn.Parameters."""
    bn = BatchNorm1d(len(gamma), eps, momentum)
    for name, value in (("gamma", gamma), ("beta", beta)):
        own = getattr(bn, name, None)
        setattr(bn, name, torch.nn.Parameter(value) if isinstance(own, torch.nn.Parameter) else value)
    return bn


def kept(bn):
    """The running statistics as they are now."""
    return {"running_mean": bn.running_mean.clone().view(-1), "running_var": bn.running_var.clone().view(-1)}


def use_normalised(BatchNorm1d, xs, gamma, beta, eps, momentum):
    """What the layer gives for a batch in training, and the parameters of a fresh layer.

    Each neuron is normalised over the batch, then scaled by gamma and shifted by beta.
    """
    fresh = BatchNorm1d(len(gamma))
    return {
        "bn(x) in training": layer(BatchNorm1d, gamma, beta, eps, momentum)(xs[0]),
        "bn(x) of a fresh one": fresh(xs[-1]),
        "parameters() of a fresh one": list(fresh.parameters()),
        "training of a fresh one": BatchNorm1d(len(gamma)).training,
    }


def use_running(BatchNorm1d, xs, gamma, beta, eps, momentum):
    """The running mean and the running variance after several batches.

    Each batch moves them by a fraction, `momentum`. With small batches that is to be small: 0.1 at one of 32
    makes them jitter. (1, dim) is accepted too, as the lecture's own class has it after a batch.
    """
    found = {}
    for by in (momentum, 0.1):
        bn = layer(BatchNorm1d, gamma, beta, eps, by)
        for k, x in enumerate(xs, 1):
            bn(x)
            found[f"with a momentum of {by:.6g}, after batch {k}"] = kept(bn)
    bn = layer(BatchNorm1d, gamma, beta, eps, momentum)
    bn.training = True
    bn(xs[0])
    return {**found, "training set to True, after a batch": kept(bn)}


def use_evaluated(BatchNorm1d, xs, example, gamma, beta, eps, momentum):
    """What the layer gives for a single example once `training` is False, and what it has kept after that.

    A batch of one has no variance: the running values are used, and they stay as they are.
    """
    bn = layer(BatchNorm1d, gamma, beta, eps, momentum)
    for x in xs:
        bn(x)
    bn.training = False
    single, several = bn(example), bn(xs[0])
    return {"bn(x) of a single example": single, "bn(x) of a batch": several, "after that": kept(bn)}


def use_constant(BatchNorm1d, gamma, beta, eps, n):
    """What the layer gives for a batch in which one neuron changes and no other does.

    Where it doesn't the variance is 0: without eps there would be a division of 0 by 0.
    """
    x = torch.ones(n, len(gamma))
    x[:, 1] = torch.linspace(-1, 2, n)
    bn = layer(BatchNorm1d, gamma, beta, eps, 0.1)
    bn.training = True
    return {"bn(x)": layer(BatchNorm1d, gamma, beta, eps, 0.1)(x), "bn(x), training set to True": bn(x)}


def calibrated(hprebn):
    """The mean and the standard deviation of each neuron over the whole training set, each (1, n_hidden).

    hprebn has a row for every example there is. The standard deviation is the unbiased one.
    """
    return hprebn.mean(0, keepdim=True), hprebn.std(0, keepdim=True)


def collapsed(linears):
    """The one matrix that does what a stack of linear layers does, x first times linears[0].

    `linears` is a list of matrices. Without activations between them, layers are a product of matrices.
    """
    W = linears[0]
    for linear in linears[1:]:
        W = W @ linear
    return W


def update_ratios(weights, gradients, rate):
    """How large a step is relative to its weights, for those that are matrices: a list of floats.

    `weights` and `gradients` are lists of tensors, in the same order. Each figure is the logarithm to base 10 of the
    standard deviation of `rate` times the gradient over that of the weights. The lecture would see about -3; biases,
    which have one axis, are left out.
    """
    return [
        ((rate * g).std() / w.std()).log10().item()
        for w, g in zip(weights, gradients, strict=True)
        if w.ndim == 2
    ]
