"""The layers as torch.nn has them, and how numbers spread through a stack of them.

The lecture writes its network a second time, out of modules: Linear, Tanh and BatchNorm1d, each with the interface of
torch.nn. With them it looks at a stack of layers: how large the activations of each layer are, how many of them are
saturated, and how large the gradients are beside the weights. What goes wrong in a deep network is seen there first.

The modules are yours to write; torch.nn's own are what they are compared with. Weights come from a list of noise
instead of torch.randn, so that there is one right answer.
"""

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

FIXTURES = {
    "lecture": dict(seed=2147483647, n=16, n_hidden=8, layers=4, vocab_size=9),
    "probe-1": dict(seed=2, n=16, n_hidden=8, layers=4, vocab_size=9),
    "probe-2": dict(seed=3, n=9, n_hidden=6, layers=3, vocab_size=7),
    "probe-3": dict(seed=4, n=11, n_hidden=5, layers=5, vocab_size=12),
}
OUTPUTS = {
    "linear": "approximate",
    "tanh": "approximate",
    "batchnorm": "approximate",
    "running": "approximate",
    "sequential": "approximate",
    "scaled_losses": "approximate",
    "spread": "approximate",
    "grad_data": "approximate",
    "dead_share": "approximate",
}
HINTS = {
    "linear": {
        "shapes": "noise is a float tensor (fan_in, fan_out), bias True or False. x is (n, fan_in); a call returns (n, fan_out). "
        "parameters() returns a list of one tensor or two.",
        "example": """
    >>> layer = Linear(torch.tensor([[2.0], [4.0], [6.0], [8.0]]))
    >>> layer(torch.ones(1, 4))
    >>> len(layer.parameters()), len(Linear(torch.ones(2, 2), bias=False).parameters())
""",
        "concept": "A neuron adds up fan_in numbers, so that the spread of its sum grows with the root of fan_in. Dividing the "
        "weights by that root keeps it as it was.",
        "formula": "weight = noise / fan_in**0.5, bias zeros; x @ weight, plus bias if there is one.",
    },
    "tanh": {
        "shapes": "x is a float tensor of any shape; a call returns the same shape. parameters() returns an empty list.",
        "example": """
    >>> Tanh()(torch.tensor([0.0, 1.0]))
    >>> Tanh().parameters()
""",
        "concept": "A module without anything to learn: it is there so that all layers can be called alike.",
        "formula": "tanh of each number, and an empty list of parameters.",
    },
    "batchnorm": {
        "shapes": "x is a float tensor (n, dim), and so is what a call returns. gamma and beta are (dim,); eps and momentum are "
        "floats. parameters() returns a list of two tensors.",
        "example": """
    >>> bn = BatchNorm1d(1)
    >>> bn(torch.tensor([[1.0], [3.0]]))
""",
        "concept": "torch.nn normalises by the variance over n: the batch is all that there is. What it keeps for later is an "
        "estimate, and is divided by n − 1.",
        "formula": "xhat = (x − mean) / √(var over n + eps) in training; gamma · xhat + beta.",
    },
    "running": {
        "shapes": "x is a float tensor (n, dim). running_mean and running_var are (dim,).",
        "example": """
    >>> bn = BatchNorm1d(1, momentum=0.5)
    >>> out = bn(torch.tensor([[1.0], [3.0]]))
    >>> bn.running_mean, bn.running_var
""",
        "concept": "The running values follow the batches slowly. In use they stand in for a batch, and stay as they are.",
        "formula": "running = (1 − momentum) · running + momentum · the batch's, with the variance over n − 1.",
    },
    "sequential": {
        "shapes": "layers is a list of modules. x is what the first one takes; a call returns what the last one gives. parameters() "
        "returns one list of tensors.",
        "example": """
    >>> model = Sequential([Tanh(), Linear(torch.ones(1, 2))])
    >>> model(torch.tensor([[0.5]]))
    >>> len(model.parameters())
""",
        "concept": "What one layer gives the next one reads. The parameters are those of all layers, in order.",
        "formula": "for layer in layers: x = layer(x); [p for layer in layers for p in layer.parameters()].",
    },
    "scaled_losses": {
        "example": """
    >>> scaled_losses(torch.ones(1, 1), torch.tensor([[3.0, 0.0]]), torch.zeros(2), torch.tensor([1]), [1, 0.1, 0])
""",
        "concept": "At the start nothing is known, and all characters should be equally likely: a loss of log V. Logits that are "
        "large by chance make it larger, since they are confidently wrong. With a scale of 0 it is log V exactly.",
        "formula": "F.cross_entropy(scale · (h @ W2 + b2), Y) for each scale.",
    },
    "spread": {
        "shapes": "x is a float tensor (n, fan_in) of the first layer; noises is a list of tensors (fan_in, fan_out); gain and limit are "
        "numbers. spread returns a list of pairs of floats.",
        "example": """
    >>> spread(torch.tensor([[1.0, 2.0]]), [torch.eye(2)], 1, 0.8)
""",
        "concept": "Each tanh squeezes what comes in, so that with a gain of 1 the spread shrinks from layer to layer. With 5/3 it "
        "stays, with 3 it saturates.",
        "formula": "x = tanh(x @ (gain · noise / fan_in**0.5)) for each layer; x.std() and the share of |x| > limit.",
    },
    "grad_data": {
        "example": """
    >>> grad_data([torch.tensor([[1.0, 3.0]]), torch.ones(2)], [torch.tensor([[0.1, 0.2]]), torch.ones(2)])
""",
        "concept": "A gradient is neither small nor large by itself: what counts is its size beside the weights that it is to "
        "change.",
        "formula": "g.std() / w.std() for each pair whose w has two axes.",
    },
    "dead_share": {
        "example": """
    >>> dead_share(torch.tensor([[1.0, 0.5], [-1.0, 1.0]]), 0.99)
""",
        "concept": "A neuron that is saturated for every example gets no gradient from any of them.",
        "formula": "The mean over the columns of: all rows have |h| > limit.",
    },
}


def inputs(g, n, n_hidden, layers, vocab_size):
    """Batches, noise for the weights, a gain and a bias, labels, weights with their gradients."""

    def draw(*shape):
        return torch.randn(shape, generator=g)

    h = draw(n, n_hidden) * 0.5
    h[:, 1] = 0.995
    h[0, 2], h[1:, 2] = 0.9, -0.992
    h[:, 3] = torch.where(torch.arange(n) % 2 == 0, 0.999, -0.97)
    return dict(
        x=draw(n, n_hidden),
        batches=[(1 + k) * draw(n, n_hidden) + k for k in range(layers)],
        noises=[draw(n_hidden, n_hidden) for _ in range(layers)],
        wide=draw(n_hidden, n_hidden + 3),
        gamma=1 + 0.1 * draw(n_hidden),
        beta=0.1 * draw(n_hidden),
        eps=1e-3 * n,
        momentum=1 / n,
        h=h,
        W2=draw(n_hidden, vocab_size),
        b2=draw(vocab_size),
        Y=torch.randint(vocab_size, (n,), generator=g),
        weights=[draw(n_hidden, n), draw(n), 5 * draw(n, layers), draw(layers)],
        gradients=[0.01 * draw(n_hidden, n), draw(n), 0.1 * draw(n, layers), draw(layers)],
    )


class Linear:
    """A linear layer. torch.nn keeps the weight transposed, (fan_out, fan_in); the lecture, and this one, don't."""

    def __init__(self, noise, bias=True):
        """weight: the noise (fan_in, fan_out) over the root of fan_in. bias: zeros (fan_out,), or None without one."""
        self.weight = noise / noise.shape[0] ** 0.5
        self.bias = torch.zeros(noise.shape[1]) if bias else None

    def __call__(self, x):
        """x (n, fan_in) times the weight, plus the bias if there is one."""
        out = x @ self.weight
        return out if self.bias is None else out + self.bias

    def parameters(self):
        """A list: the weight, and the bias if there is one."""
        return [self.weight] if self.bias is None else [self.weight, self.bias]


class Tanh:
    """The tanh of each number, as a layer."""

    def __call__(self, x):
        """tanh of x."""
        return torch.tanh(x)

    def parameters(self):
        """An empty list: there is nothing to learn."""
        return []


class BatchNorm1d:
    """A batch norm whose numbers are torch.nn.BatchNorm1d's. Write it by hand, without torch's own.

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

        In training mean and variance are the batch's, the variance over n; and the running values move towards the
        batch's by the fraction momentum, for which the variance is the one over n - 1. Else the running values are
        used.
        """
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * x.var(0)
        return self.gamma * (x - mean) / (var + self.eps) ** 0.5 + self.beta

    def parameters(self):
        """What the layer learns, as a list: gamma and beta."""
        return [self.gamma, self.beta]


class Sequential:
    """Layers, one after the other."""

    def __init__(self, layers):
        """Keep the list of layers."""
        self.layers = layers

    def __call__(self, x):
        """What the last layer gives; each reads what the one before it gave."""
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        """Those of all layers, in order, in one list."""
        return [p for layer in self.layers for p in layer.parameters()]


def scaled_losses(h, W2, b2, Y, scales):
    """The loss at the start for several scales of the output layer: a list of floats.

    The logits are scale · (h @ W2 + b2), the bias scaled too; the lecture tries 1, 0.1, 0.01 and 0. The loss
    is the mean cross entropy.
    """
    return [F.cross_entropy(scale * (h @ W2 + b2), Y).item() for scale in scales]


def spread(x, noises, gain, limit):
    """How numbers go through a stack of linear layers and tanhs: for each layer a pair (std, share).

    Each layer's weight is the gain times its noise, (fan_in, fan_out), over the root of fan_in, and there is no
    bias. Of what the tanh gives, std is the standard deviation (over one less than there are), and share the part
    that is farther than `limit` from 0. Floats, a list.
    """
    found = []
    for noise in noises:
        x = torch.tanh(x @ (gain * noise / noise.shape[0] ** 0.5))
        found.append((x.std().item(), (x.abs() > limit).float().mean().item()))
    return found


def grad_data(weights, gradients):
    """The size of each gradient beside its weights, for those that are matrices: a list of floats.

    Both are lists of tensors, in the same order. Each figure is the standard deviation of the gradient over the one
    of the weights. What has one axis, a bias, is left out.
    """
    return [(g.std() / w.std()).item() for w, g in zip(weights, gradients, strict=True) if w.ndim == 2]


def dead_share(h, limit):
    """The share of the neurons that are saturated for every example, a float.

    h has a row for each example and a column for each neuron; saturated is what is farther than `limit` from 0.
    """
    return (h.abs() > limit).all(0).float().mean().item()


def use_linear(Linear, x, wide, noises):
    """A linear layer with a bias and one without: what each gives, and its parameters."""
    found = {}
    for said, noise, given in (
        ("Linear(noise)", noises[0], {}),
        ("Linear(noise, bias=False)", wide, {"bias": False}),
        ("Linear(noise, bias=True)", wide[1:3], {"bias": True}),
    ):
        layer = Linear(noise.clone(), **given)
        found[f"{said}.parameters()"] = list(layer.parameters())
        if layer.bias is not None:
            layer.bias = layer.bias + torch.linspace(-1, 1, len(layer.bias))
        found[f"{said}(x), with another bias if there is one"] = layer(x[:, -len(noise) :].clone())
    return found


def use_tanh(Tanh, x):
    """What the layer gives, and its parameters."""
    layer = Tanh()
    return {"Tanh()(x)": layer(x.clone()), "Tanh()(3 x)": layer(3 * x), "parameters()": list(layer.parameters())}


def layer_of(BatchNorm1d, gamma, beta, eps, momentum):
    """A layer with a gain and a bias of its own."""
    bn = BatchNorm1d(len(gamma), eps, momentum)
    bn.gamma, bn.beta = gamma.clone(), beta.clone()
    return bn


class ByHand(TorchFunctionMode):
    """As long as it lasts torch's own norms are refused."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if function.__name__.endswith(("layer_norm", "batch_norm", "group_norm", "instance_norm")):
            raise RuntimeError(f"{function.__name__} is torch's own: by hand is meant")
        return function(*args, **(kwargs or {}))


def use_batchnorm(BatchNorm1d, batches, gamma, beta, eps, momentum):
    """What the layer gives in training, the parameters of a fresh one, and a batch in which a neuron doesn't vary."""
    fresh = BatchNorm1d(len(gamma))
    constant = batches[0].clone()
    constant[:, 1] = 2.0
    with ByHand():
        return {
            "bn(x) in training": layer_of(BatchNorm1d, gamma, beta, eps, momentum)(batches[0].clone()),
            "bn(x) of a fresh one": fresh(batches[-1].clone()),
            "bn(x), one column of which is constant": layer_of(BatchNorm1d, gamma, beta, eps, momentum)(constant),
            "parameters() of a fresh one": list(fresh.parameters()),
        }


def use_running(BatchNorm1d, batches, gamma, beta, eps, momentum):
    """The running values after several batches, and what the layer gives once `training` is False."""
    found = {}
    for by in (momentum, 0.1):
        bn = layer_of(BatchNorm1d, gamma, beta, eps, by)
        for k, x in enumerate(batches, 1):
            with ByHand():
                bn(x.clone())
            kept = {"mean": bn.running_mean.clone(), "var": bn.running_var.clone()}
            found[f"momentum {by:.6g}, after batch {k}"] = kept
        bn.training = False
        found[f"momentum {by:.6g}, bn(x) of one example in use"] = bn(batches[0][:1].clone())
        found[f"momentum {by:.6g}, running mean after that"] = bn.running_mean.clone()
    return found


def use_sequential(Linear, Tanh, BatchNorm1d, Sequential, x, noises, wide):
    """A stack of your layers: what it gives, its parameters, and the stack of none."""
    layers = []
    for noise in noises[:2]:
        layers += [Linear(noise.clone(), bias=False), BatchNorm1d(noise.shape[1]), Tanh()]
    model = Sequential([*layers, Linear(wide.clone())])
    return {
        "model(x)": model(x.clone()),
        "parameters()": list(model.parameters()),
        "Sequential([])(x)": Sequential([])(x + 1),
        "parameters() of none": list(Sequential([]).parameters()),
    }


def use_scaled_losses(scaled_losses, h, W2, b2, Y):
    """The losses of several scales."""
    cases = {"lecture's scales": [1, 0.1, 0.01, 0], "large ones": [30.0, 3.0]}
    return {
        said: scaled_losses(h.clone(), W2.clone(), b2.clone(), Y.clone(), list(scales)) for said, scales in cases.items()
    }


def use_spread(spread, x, noises, wide):
    """The spread through a stack, for the lecture's gains 1, 5/3 and 3, and through layers of other widths."""
    found = {}
    for gain in (1, 5 / 3, 3):
        for limit in (0.97, 0.6):
            rows = spread(x.clone(), [noise.clone() for noise in noises], gain, limit)
            found[f"spread(x, noises, {gain:.6g}, {limit})"] = [list(row) for row in rows]
    found["of layers of other widths"] = [list(row) for row in spread(x.clone(), [wide, wide.T], 2, 0.5)]
    return found


def use_grad_data(grad_data, weights, gradients):
    return {
        "grad_data(weights, gradients)": grad_data(list(weights), list(gradients)),
        "grad_data of the last ones": grad_data(list(weights[2:]), [3 * g for g in gradients[2:]]),
    }


def use_dead_share(dead_share, h):
    found = {f"dead_share(h, {limit})": dead_share(h.clone(), limit) for limit in (0.99, 0.95, 0.85, 0.9935)}
    mixed = h.abs()
    mixed[::2] *= -1
    return {**found, "dead_share(-h.abs(), 0.85)": dead_share(-h.abs(), 0.85), "of columns of both signs": dead_share(mixed, 0.85)}
