"""A neuron, a layer, a network, and the loop that trains it.

With an engine for single numbers a network is a few short classes. A neuron weighs its inputs, adds a bias
and takes the tanh; a layer is some neurons that see the same inputs; a network is layers, each of which reads
what the one before it gives. Training is four lines: forward, gradients to zero, backward, a step down.

Nothing is random: `draw()` gives the next number to begin with. What you get are numbers that can be added,
subtracted, multiplied and raised to a power, with one another and with plain numbers, and that have `tanh()`,
`backward()`, `data` and `grad`. Like those of your own engine they add to a gradient that is there already.

The lecture's own classes are accepted as well: without `draw`, on its `Value` and `random.uniform(-1, 1)`, and
with a single output given alone instead of in a list.
"""

import inspect
import math
import operator
import random

import torch

FIXTURES = {
    "lecture": dict(seed=1, nin=3, wide=4, steps=4),
    "probe-1": dict(seed=2, nin=3, wide=4, steps=4),
    "probe-2": dict(seed=3, nin=2, wide=3, steps=3),
    "probe-3": dict(seed=4, nin=5, wide=2, steps=6),
}
OUTPUTS = {
    "neuron": "approximate",
    "layer": "approximate",
    "mlp": "approximate",
    "squared_error": "approximate",
    "zero_grad": "approximate",
    "descend": "approximate",
    "train": "approximate",
}
HINTS = {
    "neuron": {
        "concept": "A neuron weighs each input, adds its bias, and squashes the sum. Weights and bias are "
        "numbers of the engine, so that they get gradients: never take their .data in the forward pass.",
        "shapes": "nin is an integer, draw a function without arguments that returns a number to learn. x is a list "
        "of nin numbers; a call returns one number. parameters() returns a list of nin + 1.",
        "example": """
    >>> numbers = iter([0.5, -1.0, 0.25])
    >>> neuron = Neuron(2, lambda: Value(next(numbers)))
    >>> neuron([2.0, 1.0]).data
    >>> [p.data for p in neuron.parameters()]
""",
        "formula": "tanh(Σ w·x + b), the sum over the pairs of weights and inputs. draw() once for each "
        "weight, then once for the bias: that order is asked for.",
    },
    "layer": {
        "concept": "The neurons of a layer all read the same inputs and know nothing of one another. A "
        "layer's result is a list, also where it has a single neuron.",
        "shapes": "nin and nout are integers, draw is a function. x is a list of nin numbers; a call returns a "
        "list of nout numbers. parameters() returns a flat list of nout · (nin + 1).",
        "example": """
    >>> numbers = iter([0.5, -1.0, 0.25, 1.0, 2.0, 0.0])
    >>> layer = Layer(2, 2, lambda: Value(next(numbers)))
    >>> [out.data for out in layer([2.0, 1.0])]
    >>> [p.data for p in layer.parameters()]
""",
        "formula": "nout neurons Neuron(nin, draw), made one after the other; the result is each one's "
        "output for x. parameters(): one neuron's after the other's, not a list of lists.",
    },
    "mlp": {
        "concept": "Each layer reads what the one before it gives. So the sizes are a chain: what one layer "
        "gives is how many inputs the next one has.",
        "shapes": "nin is an integer, nouts a list of integers, draw a function. x is a list of nin numbers; "
        "a call returns a list of nouts[-1] numbers. parameters() returns one flat list.",
        "example": """
    >>> numbers = iter([0.5, -1.0, 0.25, 1.0, 2.0, 0.0, -0.5, 0.5, 0.125])
    >>> net = MLP(2, [2, 1], lambda: Value(next(numbers)))
    >>> [out.data for out in net([2.0, 1.0])]
    >>> len(net.parameters())
""",
        "formula": "With the sizes nin, nouts[0], nouts[1], …, layer k goes from the k-th size to the next. "
        "To call it, hand x to the first layer, its result to the second, and so on.",
    },
    "squared_error": {
        "concept": "Each output is held against its target; the squares are added, not averaged, and the "
        "result is a number of the engine again, from which backward can start.",
        "shapes": "outputs is a list of numbers of the engine, targets a list of floats of the same length. "
        "squared_error returns one number of the engine.",
        "example": """
    >>> squared_error([Value(0.5), Value(-1.0)], [1.0, 1.0]).data
""",
        "formula": "Σ (output − target)² over the pairs.",
    },
    "zero_grad": {
        "concept": "backward adds to gradients that are there. Without this, every step would follow the sum "
        "of all gradients so far.",
        "shapes": "parameters is a list of numbers that have data and grad. Nothing is returned.",
        "example": """
    >>> p = Value(1.5)
    >>> p.grad = 0.25
    >>> zero_grad([p])
    >>> p.data, p.grad
""",
        "formula": "grad = 0 for each of them; the data stay.",
    },
    "descend": {
        "concept": "The gradient says where the loss grows; the step goes the other way, in proportion to it. The "
        "parameters are changed in place, so that the network that holds them changes.",
        "shapes": "parameters is a list of numbers that have data and grad, rate a float. Nothing is returned.",
        "example": """
    >>> p = Value(1.5)
    >>> p.grad = 0.25
    >>> descend([p], 0.1)
    >>> p.data, p.grad
""",
        "formula": "data ← data − rate · grad, for each of them.",
    },
    "train": {
        "concept": "A step has four parts, in this order: the outputs of all points and their error, the "
        "gradients to zero, backward, a step down. One loss over all points, not one step for each point.",
        "shapes": "net is a network, points a list of lists of floats, targets a list of floats, steps an integer, "
        "rate a float. train returns a list of as many floats as there are steps.",
        "example": """
    >>> numbers = iter([0.5, 0.25])
    >>> net = MLP(1, [1], lambda: Value(next(numbers)))
    >>> train(net, [[1.0], [-1.0]], [1.0, -1.0], 3, 0.1)
    >>> [p.data for p in net.parameters()]
""",
        "formula": "For each step: loss = squared_error of net's outputs for all points; zero_grad of the "
        "parameters; backward of the loss; descend by the rate. Append the loss's data, which is that of "
        "before the step.",
    },
}


def inputs(g, nin, wide, steps):
    """Numbers to begin with, points and their targets, and gradients that are there already."""

    def draw(count):
        return [round(x, 3) for x in (torch.rand(count, generator=g) * 2 - 1).tolist()]

    count = 1 + steps
    return dict(
        begin=draw(90),
        points=[draw(nin) for _ in range(count)],
        targets=draw(count),
        old=draw(count),
        rate=0.05 * nin,
        networks=[[wide, wide, 1], [wide, 2], [wide + 1], [wide, wide + 1, 2, 3]],
    )


class Neuron:
    """tanh(w·x + b)."""

    def __init__(self, nin, draw):
        """nin weights, then a bias: each is what a call of draw() gives."""
        self.w = [draw() for _ in range(nin)]
        self.b = draw()

    def __call__(self, x):
        """What the neuron gives for the list of inputs x."""
        return sum((w * v for w, v in zip(self.w, x)), self.b).tanh()

    def parameters(self):
        """The weights in order, then the bias, in a list."""
        return [*self.w, self.b]


class Layer:
    """nout neurons that read the same nin inputs."""

    def __init__(self, nin, nout, draw):
        """The neurons, made one after the other."""
        self.neurons = [Neuron(nin, draw) for _ in range(nout)]

    def __call__(self, x):
        """A list of what each neuron gives for x, also for one neuron."""
        return [neuron(x) for neuron in self.neurons]

    def parameters(self):
        """Those of every neuron, in order, in one list."""
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    """Layers, one after the other."""

    def __init__(self, nin, nouts, draw):
        """The layers in order: nouts is a list of how many neurons each has, nin what the first one reads."""
        sizes = [nin, *nouts]
        self.layers = [Layer(a, b, draw) for a, b in zip(sizes, nouts)]

    def __call__(self, x):
        """The list that the last layer gives."""
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        """Those of every layer, in order, in one list. MLP(3, [4, 4, 1], draw) has 41."""
        return [p for layer in self.layers for p in layer.parameters()]


def squared_error(outputs, targets):
    """The sum of the squared differences of two lists, outputs and their targets."""
    return sum((o - t) ** 2 for o, t in zip(outputs, targets))


def zero_grad(parameters):
    """Make the gradient of each parameter 0, before a backward pass adds to it. Nothing is returned."""
    for p in parameters:
        p.grad = 0.0


def descend(parameters, rate):
    """One step of gradient descent on each parameter's data, by `rate` times its grad. Nothing is returned."""
    for p in parameters:
        p.data -= rate * p.grad


def train(net, points, targets, steps, rate):
    """Train a network of one output on all points; a list of the loss's data in each step, before it.

    net(point) gives a list of one number, net.parameters() what is to be changed. A step is: the squared
    error of all outputs, gradients to zero, its backward(), and a step of gradient descent.
    """
    losses = []
    for _ in range(steps):
        loss = squared_error([o for point in points for o in net(point)], targets)
        zero_grad(net.parameters())
        loss.backward()
        descend(net.parameters(), rate)
        losses.append(loss.data)
    return losses


class Number:
    """A number that is worked out from others. Its gradients are measured by small steps, not derived."""

    def __init__(self, data, rule=None, parts=(), fixed=False):
        self.data, self.grad, self.rule, self.parts, self.fixed = data, 0.0, rule, parts, fixed

    def made(self, rule, *others):
        parts = [self, *(o if isinstance(o, Number) else Number(o, fixed=True) for o in others)]
        return Number(rule(*(part.data for part in parts)), rule, parts)

    def __add__(self, other):
        return self.made(operator.add, other)

    def __radd__(self, other):
        return self.made(operator.add, other)

    def __sub__(self, other):
        return self.made(operator.sub, other)

    def __rsub__(self, other):
        return self.made(lambda a, b: b - a, other)

    def __mul__(self, other):
        return self.made(operator.mul, other)

    def __rmul__(self, other):
        return self.made(operator.mul, other)

    def __pow__(self, other):
        return self.made(operator.pow, other)

    def __neg__(self):
        return self.made(operator.neg)

    def tanh(self):
        return self.made(math.tanh)

    def again(self, known):
        """Its value once more, from the data of what it begins with."""
        if id(self) not in known:
            values = [part.again(known) for part in self.parts]
            known[id(self)] = self.rule(*values) if self.rule else self.data
        return known[id(self)]

    def backward(self):
        begun, seen, todo = [], set(), [self]
        while todo:
            node = todo.pop()
            if id(node) not in seen:
                seen.add(id(node))
                begun += [node] * (node.rule is None and not node.fixed)
                todo += node.parts
        for node in begun:
            there = node.data
            node.data = there + 1e-5
            above = self.again({})
            node.data = there - 1e-5
            node.grad += (above - self.again({})) / 2e-5
            node.data = there


Value = Number  # in the hints' examples, where a learner has the engine of exercise 2


def source(begin):
    """A draw() that gives the numbers of a list, one after the other."""
    left = iter(begin)
    return lambda: Number(next(left))


def made(kind, begin, *sizes):
    """A neuron, layer or network, by draw() or, as in the lecture, by random.uniform."""
    needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty]
    if len([p for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]) != len(sizes):
        return kind(*sizes, source(begin))
    left, own = iter(begin), random.uniform
    random.uniform = lambda low, high: next(left)
    try:
        return kind(*sizes)
    finally:
        random.uniform = own


def answers(net, begin, points):
    """What it gives for each point, a single output in a list too, and its parameters in order."""
    found = {}
    for point in points:
        out = net(point)
        outs = out if isinstance(out, list | tuple) else [out]
        found[f"of {point}"] = [o.data if hasattr(o, "data") else f"{o}, a plain number" for o in outs]
    return {**found, "parameters()": [p.data for p in net.parameters()]}


def use_neuron(Neuron, begin, points, nin):
    """A neuron: what it gives for some points, and its parameters in order."""
    neuron = made(Neuron, begin, nin)
    found = {f"of {point}": neuron(point).data for point in points}
    return {f"Neuron({nin}, draw)": {**found, "parameters()": [p.data for p in neuron.parameters()]}}


def use_layer(Layer, begin, points, nin, wide):
    """A layer: what it gives for some points, and its parameters in order. Once with a single neuron."""
    return {
        f"Layer({nin}, {nout}, draw)": answers(made(Layer, begin, nin, nout), begin, points)
        for nout in (wide, 1)
    }


def use_mlp(MLP, begin, points, nin, networks):
    """Networks of one layer to four: what each gives for some points, and its parameters in order."""
    return {
        f"MLP({nin}, {nouts}, draw)": answers(made(MLP, begin, nin, list(nouts)), begin, points)
        for nouts in networks
    }


def use_squared_error(squared_error, points, targets):
    found = {}
    for count in (len(targets), 2):
        outputs = [point[0] for point in points[:count]]
        said = f"squared_error({outputs}, {targets[:count]})"
        found[said] = squared_error([Number(x) for x in outputs], targets[:count]).data
    return found


def use_zero_grad(zero_grad, targets, old):
    parameters = [Number(x) for x in targets]
    for p, grad in zip(parameters, old):
        p.grad = grad
    zero_grad(parameters)
    return {f"a parameter of data {x}, grad {g}": {"data": p.data, "grad": p.grad}
            for x, g, p in zip(targets, old, parameters)}


def use_descend(descend, targets, old, rate):
    found = {}
    for step in (rate, rate / 3 + 0.01):
        parameters = [Number(x) for x in targets]
        for p, grad in zip(parameters, old):
            p.grad = grad
        descend(parameters, step)
        for x, g, p in zip(targets, old, parameters):
            found[f"descend([…], {step:.6g}): a parameter of data {x}, grad {g}"] = {"data": p.data}
    return found


class Out(Number):
    """A network's only output: alone, as in the lecture, or as the list of it."""

    def __len__(self):
        return 1

    def __getitem__(self, k):
        return [self][k]


class Plane:
    """A network of one neuron, to train."""

    def __init__(self, begin, nin):
        self.numbers = [Number(x) for x in begin[: nin + 1]]

    def __call__(self, point):
        out = sum((w * x for w, x in zip(self.numbers, point)), self.numbers[-1]).tanh()
        return Out(out.data, out.rule, out.parts)

    def parameters(self):
        return self.numbers


def use_train(train, begin, points, targets, nin, steps, rate):
    """Some steps of training: the losses, and where the parameters end.

    Gradients are added to what is there, so a forgotten zero shows from the second step on.
    """
    found = {}
    for many, step in ((steps, rate), (steps - 2, rate / 2)):
        net = Plane(begin, nin)
        losses = train(net, [list(point) for point in points], list(targets), many, step)
        ends = [p.data for p in net.parameters()]
        found[f"train(net, …, {many}, {step:.6g})"] = {"losses": losses, "parameters after it": ends}
    return found
