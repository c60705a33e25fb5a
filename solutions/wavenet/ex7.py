"""The tree's modules: flattening, a batch norm with running statistics, and a bug to find.

The lecture builds the network out of small modules, as torch.nn has them. Write the two that are new,
FlattenConsecutive and a BatchNorm1d that takes two axes or three, count the parameters, and fix the first
version of the batch norm: it raises no error on three axes, and it is wrong there all the same.

torch's own BatchNorm1d is of no help here: it wants the channels on axis 1, and would normalise positions.
"""

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, n=4, t=8, c=5),
    "probe-1": dict(seed=2, n=4, t=8, c=5),
    "probe-2": dict(seed=3, n=3, t=6, c=4),
    "probe-3": dict(seed=4, n=5, t=4, c=7),
}
OUTPUTS = {
    "flatten": "exact",
    "mended": "approximate",
    "batchnorm": "approximate",
    "running": "approximate",
    "evaluated": "approximate",
    "count": "exact",
}
PROVIDED = ("first_version",)
HINTS = {
    "flatten": {
        "concept": "Neighbours lie side by side in memory: position 0's channels, then position 1's. So k of them become "
        "one vector when nothing but the shape changes.",
        "shapes": "x is a float tensor (n, t, c), t a multiple of k. A call returns (n, t // k, c · k), or (n, c · k) "
        "where t is k.",
        "example": """
    >>> x = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]])
    >>> FlattenConsecutive(2)(x)
    >>> FlattenConsecutive(4)(x)
""",
        "formula": "A view to (n, t // k, c · k). Where the middle axis comes out as 1, squeeze it away, and only "
        "that one: n may be 1 too.",
    },
    "mended": {
        "concept": "first_version takes its mean over axis 0 only. On (n, t, c) every position then has statistics of its own, "
        "(1, t, c), where every channel should have one, over the batch and the positions.",
        "example": """
    >>> x = torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]])
    >>> first_version(x, 0.0)
    >>> mended(x, 0.0)
""",
        "formula": "Mean and variance over all axes but the last, 0 for two axes and (0, 1) for three, which stay as "
        "1. Then (x − mean) / √(var + eps).",
    },
    "batchnorm": {
        "concept": "As in batchnorm.ex5, but the batch may have positions too: a channel's mean and variance run over "
        "all axes but the last. Then gamma and beta, one number for each channel.",
        "shapes": "x is a float tensor (n, c) or (n, t, c), and so is what a call returns; gamma and beta are (c,).",
        "example": """
    >>> bn = BatchNorm1d(1, eps=0.0)
    >>> bn(torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]]))
""",
        "formula": "gamma · (x − mean) / √(var + eps) + beta, with this batch's statistics, the variance over one less "
        "than there are.",
    },
    "running": {
        "concept": "Each batch moves the running statistics towards its own, by the fraction momentum. They are one "
        "number for each channel, whatever axes the batch has.",
        "shapes": "x is a float tensor (n, c) or (n, t, c). running_mean and running_var are (c,), or that with ones "
        "before it.",
        "example": """
    >>> bn = BatchNorm1d(1, momentum=0.5)
    >>> out = bn(torch.tensor([[[0.0], [2.0]], [[4.0], [6.0]]]))
    >>> bn.running_mean.view(-1), bn.running_var.view(-1)
""",
        "formula": "running ← (1 − momentum) · running + momentum · the batch's, for mean and variance, only while "
        "training.",
    },
    "evaluated": {
        "concept": "With training off, what the module gives for one example does not depend on the batch. It reads "
        "the running statistics and leaves them as they are.",
        "shapes": "x is a float tensor (n, c) or (n, t, c), n may be 1; a call returns the same shape.",
        "example": """
    >>> bn = BatchNorm1d(1, eps=0.0)
    >>> bn.running_mean, bn.running_var = torch.tensor([4.0]), torch.tensor([4.0])
    >>> bn.training = False
    >>> bn(torch.tensor([[2.0]])), bn(torch.tensor([[[2.0], [8.0]]]))
""",
        "formula": "The same line as in training, with the running statistics for the batch's.",
    },
    "count": {
        "concept": "Go through the network once: the table, three levels of two layers each, the last layer. A level "
        "joins two vectors, so its matrix has twice as many rows as a vector is wide.",
        "example": """
    >>> count(27, 10, 68)
    >>> count(3, 2, 4)
""",
        "formula": "V·E; 2E·H for the first level and 2H·H for each of the two others, without biases; 2·H for each "
        "level's gain and bias; H·V + V for the last layer.",
    },
}


def inputs(g, n, t, c):
    """Activations of two and of three axes, in several batches; sizes of networks."""
    return dict(
        x=torch.randn((n, t, c), generator=g),
        flat_batches=[torch.randn((n, c), generator=g) * 2 + 1 for _ in range(3)],
        batches=[torch.randn((n, t, c), generator=g) * 2 + 1 for _ in range(3)],
        networks=[[27, 10, 68], [27, 24, 128], [n, t, c], [c, n, t]],
        eps=0.01 * n,
        momentum=1 / (n + 1),
    )


class FlattenConsecutive:
    """A module that lays the vectors of k neighbours side by side."""

    def __init__(self, k):
        self.k = k

    def __call__(self, x):
        """x (n, t, c) as (n, t // k, c * k); where one position is left, without that axis: (n, c * k)."""
        n, t, c = x.shape
        x = x.view(n, t // self.k, c * self.k)
        return x.squeeze(1) if x.shape[1] == 1 else x


def first_version(x, eps=1e-5):
    mean = x.mean(0, keepdim=True)
    var = x.var(0, keepdim=True)
    return (x - mean) / torch.sqrt(var + eps)


def mended(x, eps=1e-5):
    """What first_version is meant to give: every channel normalised over all batch axes.

    x is (n, c) or (n, t, c). Print the shape of the mean on three axes, and see what is wrong.
    """
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axes, keepdim=True)
    var = x.var(axes, keepdim=True)
    return (x - mean) / torch.sqrt(var + eps)


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
        if self.training:
            axes = tuple(range(x.ndim - 1))
            mean = x.mean(axes, keepdim=True)
            var = x.var(axes, keepdim=True)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
        else:
            mean, var = self.running_mean, self.running_var
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta


def count(vocab_size, n_embd, n_hidden):
    """How many parameters the lecture's network has: a table, three levels of pairs, a last linear layer with a bias.

    A level is a linear layer without bias and a batch norm. With 27, 10 and 68 there are 22397.
    """
    levels = 2 * n_embd * n_hidden + 2 * (2 * n_hidden * n_hidden) + 3 * 2 * n_hidden
    return vocab_size * n_embd + levels + n_hidden * vocab_size + vocab_size


def use_flatten(FlattenConsecutive, x):
    """FlattenConsecutive of 2, and of as many as there are positions, for a single example too."""
    t = x.shape[1]
    found = {}
    for k, some in ((2, x), (t, x), (2, x[:1]), (t, x[:1]), (1, x), (2, x[:, :2])):
        out = FlattenConsecutive(k)(some.clone())
        said = f"FlattenConsecutive({k})(x) of {tuple(some.shape)}"
        found[f"the shape of {said}"] = list(out.shape)
        found[said] = out
    return found


def use_mended(mended, x, eps):
    """The first version, fixed: on two axes it was right, on three it was not. Once with an eps of its own."""
    cases = {"(x)": (x,), "(x) of two axes": (x[:, 0],), f"(x, {eps * 10:.6g})": (x, eps * 10)}
    return {f"mended{said}": mended(case[0].clone(), *case[1:]) for said, case in cases.items()}


def trained(BatchNorm1d, batches, eps, momentum):
    """A module with a gain, a bias, an eps and a momentum of its own, and what it gave for each batch."""
    c = batches[0].shape[-1]
    module = BatchNorm1d(c, eps, momentum)
    for name, value in (("gamma", torch.linspace(0.5, 1.5, c)), ("beta", torch.linspace(-1.0, 1.0, c))):
        own = getattr(module, name, None)
        setattr(module, name, torch.nn.Parameter(value) if isinstance(own, torch.nn.Parameter) else value)
    return module, [module(batch.clone()) for batch in batches]


def kept(module):
    """The running statistics as they are now."""
    mean, var = module.running_mean, module.running_var
    return {"running_mean": mean.clone().view(-1), "running_var": var.clone().view(-1)}


def use_batchnorm(BatchNorm1d, flat_batches, batches, eps, momentum):
    """What BatchNorm1d gives while it trains, for batches of two axes and of three."""
    found = {}
    for said, some in (("two axes", flat_batches), ("three axes", batches)):
        for k, out in enumerate(trained(BatchNorm1d, some, eps, momentum)[1], 1):
            found[f"BatchNorm1d(c, {eps:.6g}, {momentum:.6g}), batch {k} of {said}"] = out
    return found


def use_running(BatchNorm1d, flat_batches, batches, eps, momentum):
    """The running statistics after some batches: a fraction of each batch's."""
    found = {}
    for said, some in (("two axes", flat_batches), ("three axes", batches)):
        for by in (momentum, 0.1):
            module, _ = trained(BatchNorm1d, some, eps, by)
            found[f"BatchNorm1d(c, {eps:.6g}, {by:.6g}) after batches of {said}"] = kept(module)
        module = BatchNorm1d(some[0].shape[-1], eps, momentum)
        module.training = True
        module(some[0].clone())
        found[f"training set to True, after a batch of {said}"] = kept(module)
    return found


def use_evaluated(BatchNorm1d, flat_batches, batches, eps, momentum):
    """With training switched off: the running statistics are used, for a single example too, and kept."""
    found = {}
    for said, some in (("two axes", flat_batches), ("three axes", batches)):
        module, _ = trained(BatchNorm1d, some, eps, momentum)
        module.training = False
        found[f"a single example of {said}"] = module(some[0][:1].clone())
        found[f"a batch of {said}"] = module(some[1].clone())
        found[f"after that, of {said}"] = kept(module)
    return found


def use_count(count, networks):
    """The parameters of several networks: 22397 and 76579 are the lecture's."""
    return calls("count", count, *networks)
