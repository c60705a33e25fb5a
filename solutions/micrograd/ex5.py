"""The demo of micrograd: two moons, a hinge loss, and a rate that decays.

The network of exercise 3 learnt four points. micrograd's demo has a hundred, in two classes that no straight line
parts. Its neurons have a ReLU, but for the last one, which gives a score: positive for one class, negative for
the other. The loss is a hinge, with a penalty on the weights; accuracy is what one looks at.

Nothing is random, as before: `draw()` gives the next number to begin with. What you get are numbers that can be
added, subtracted, multiplied and raised to a power, with one another and with plain numbers, and that have `relu()`,
`backward()`, `data` and `grad`. Labels are plain numbers, 1 and -1.
"""

import operator

import torch

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, nin=2, wide=4, steps=4, many=8),
    "probe-1": dict(seed=2, nin=2, wide=4, steps=4, many=8),
    "probe-2": dict(seed=3, nin=3, wide=3, steps=3, many=7),
    "probe-3": dict(seed=4, nin=4, wide=2, steps=3, many=6),
}
OUTPUTS = {
    "neuron": "approximate",
    "mlp": "approximate",
    "hinge": "approximate",
    "penalty": "approximate",
    "accuracy": "approximate",
    "decayed": "approximate",
    "minibatch": "exact",
    "train": "approximate",
}
HINTS = {
    "neuron": {
        "example": """
    >>> numbers = iter([0.5, -1.0, 0.25, 0.5, -1.0, 0.25])
    >>> neuron = Neuron(2, lambda: Value(next(numbers)))
    >>> neuron([1.0, 2.0]).data, neuron([1.0, 0.0]).data
    >>> Neuron(2, lambda: Value(next(numbers)), nonlin=False)([1.0, 2.0]).data
""",
        "shapes": "nin is an integer, draw a function without arguments that returns a number to learn, nonlin True or False. "
        "x is a list of nin floats or numbers of the engine; a call returns one number. parameters() returns a list of nin + 1.",
        "concept": "The same weighted sum as before. The ReLU lets through what is positive; the neuron that gives "
        "the score must be able to say something negative, so it has none.",
        "formula": "Σ w·x + b, and relu of it where nonlin is True.",
    },
    "mlp": {
        "example": """
    >>> numbers = iter([1.0, 0.0, -1.0, 0.5, 2.0, 3.0, 0.25])
    >>> net = MLP(1, [2, 1], lambda: Value(next(numbers)))
    >>> net([2.0]).data, net([-2.0]).data
    >>> len(net.parameters())
""",
        "shapes": "nin is an integer, nouts a list of integers whose last is 1, draw a function. x is a list of nin floats; a "
        "call returns one number of the engine, no list. parameters() returns one flat list.",
        "concept": "Layers one after another, each neuron of a layer reading all that the one before gave. Only the "
        "last layer is linear.",
        "formula": "Layer k goes from size k to size k + 1 of the sizes, nin and then nouts; nonlin is k ≠ the last. Parameters: "
        "layer by layer, neuron by neuron, the weights and then the bias.",
    },
    "hinge": {
        "example": """
    >>> hinge([Value(0.5), Value(2.0), Value(1.0)], [1, 1, -1]).data
""",
        "shapes": "scores is a list of numbers of the engine, labels a list of as many integers, 1 or -1. hinge returns one number "
        "of the engine.",
        "concept": "A score on the right side of 0, by a margin of 1 or more, costs nothing. Any other costs as much "
        "as it lacks, also one that is right by less than the margin.",
        "formula": "The mean of relu(1 − y · score).",
    },
    "penalty": {
        "example": """
    >>> penalty([Value(2.0), Value(-3.0)], 0.5).data
""",
        "shapes": "parameters is a list of numbers of the engine, alpha a float. penalty returns one number of the engine.",
        "concept": "Large weights make a network that bends sharply between the points. The sum of the squares, times "
        "a small number, keeps them small.",
        "formula": "alpha · Σ p².",
    },
    "accuracy": {
        "example": """
    >>> accuracy([Value(0.5), Value(-2.0), Value(1.0)], [1, 1, -1])
""",
        "shapes": "scores is a list of numbers of the engine, labels a list of as many integers, 1 or -1. accuracy returns a float.",
        "concept": "The share of the points whose score has the sign of the label. It has no useful gradient, which is "
        "why there is a loss beside it.",
        "formula": "The share of pairs where (score > 0) is the same as (label > 0), by their data.",
    },
    "decayed": {
        "example": """
    >>> decayed(0, 100)
    >>> decayed(50, 100)
    >>> decayed(99, 100)
""",
        "concept": "Large steps at first, small ones when the network is nearly there.",
        "formula": "1 − 0.9 · k / steps.",
    },
    "minibatch": {
        "example": """
    >>> minibatch([[1.0], [2.0], [3.0]], [1, -1, 1], [2, 0, 2])
""",
        "concept": "A step needs no more than some of the points, as long as inputs and labels stay together.",
        "formula": "[points[i] for i in positions], and the same of labels.",
    },
    "train": {
        "example": """
    >>> numbers = iter([0.5, 0.25])
    >>> net = MLP(1, [1], lambda: Value(next(numbers)))
    >>> train(net, [[1.0], [-1.0]], [1, -1], 2, 0.1)
    >>> [p.data for p in net.parameters()]
""",
        "shapes": "net is a network, points a list of lists of floats, labels a list of as many integers, 1 or -1, steps an "
        "integer, alpha a float. train returns a list of `steps` pairs of floats.",
        "concept": "What the items before made, in a loop: forward, the whole loss, gradients to zero, backward, a step "
        "whose rate falls from step to step.",
        "formula": "For k = 0 … steps − 1: loss = hinge + penalty; p.grad = 0.0 for each p; loss.backward(); p.data −= "
        "decayed(k, steps) · p.grad; note the loss's data and the accuracy of before the step.",
    },
}


def inputs(g, nin, wide, steps, many):
    """Numbers to begin with, two moons with labels of 1 and -1, scores on both sides of 0, positions."""

    def draw(count, scale=1.0):
        return [round(scale * x, 3) for x in (torch.rand(count, generator=g) * 2 - 1).tolist()]

    angles = torch.rand(many, generator=g) * 3.14159
    points, labels = [], []
    for k, angle in enumerate(angles):
        x, y = float(angle.cos()), float(angle.sin())
        x, y = (x, y) if k % 3 else (1 - x, 0.5 - y)
        points.append([round(x, 3), round(y, 3), *draw(nin - 2)])
        labels.append(1 if k % 3 else -1)
    return dict(
        begin=draw(90),
        points=points,
        labels=labels,
        scores=[*draw(many - 2, 2.5), 0.25 + many / 100, -0.5 + many / 100],
        weights=draw(5 + wide, 2),
        alpha=many / 10_000,
        strong=0.01 * many,
        positions=torch.randint(many, (wide + 1,), generator=g).tolist(),
        networks=[[wide, wide, 1], [wide + 1, 1], [1]],
    )


class Neuron:
    """relu(w·x + b), or w·x + b alone."""

    def __init__(self, nin, draw, nonlin=True):
        """nin weights, then a bias: each is what a call of draw() gives. nonlin: whether there is a ReLU."""
        self.w = [draw() for _ in range(nin)]
        self.b = draw()
        self.nonlin = nonlin

    def __call__(self, x):
        """What the neuron gives for the list of inputs x."""
        out = sum((w * v for w, v in zip(self.w, x)), self.b)
        return out.relu() if self.nonlin else out

    def parameters(self):
        """The weights in order, then the bias, in a list."""
        return [*self.w, self.b]


class MLP:
    """Layers of neurons, all with a ReLU but for those of the last layer."""

    def __init__(self, nin, nouts, draw):
        """The layers in order: nouts is a list of how many neurons each has, nin what the first one reads."""
        sizes = [nin, *nouts]
        self.layers = [
            [Neuron(sizes[k], draw, nonlin=k < len(nouts) - 1) for _ in range(nout)]
            for k, nout in enumerate(nouts)
        ]

    def __call__(self, x):
        """The score for the point x: what the only neuron of the last layer gives, and no list."""
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]

    def parameters(self):
        """Those of every neuron, in order, in one list. MLP(2, [16, 16, 1], draw) has 337."""
        return [p for layer in self.layers for neuron in layer for p in neuron.parameters()]


def hinge(scores, labels):
    """The mean over the points of max(0, 1 - label · score), where the maximum is a relu()."""
    losses = [(1 + -y * score).relu() for score, y in zip(scores, labels)]
    return sum(losses) * (1.0 / len(losses))


def penalty(parameters, alpha):
    """alpha times the sum of the squares of the parameters."""
    return alpha * sum(p * p for p in parameters)


def accuracy(scores, labels):
    """The share of the points that are on the right side, a plain float.

    A score counts as label 1 where its data is larger than 0.
    """
    return sum((score.data > 0) == (y == 1) for score, y in zip(scores, labels)) / len(labels)


def decayed(k, steps):
    """The rate of step k, counted from 0, of a training of `steps` steps: from 1 evenly down towards 0.1.

    The demo has 100 steps, of which the last one, 99, has 0.109.
    """
    return 1.0 - 0.9 * k / steps


def minibatch(points, labels, positions):
    """The points at some positions, and their labels: a pair of lists.

    Where the lecture draws positions at random, they are given. One may be there twice.
    """
    return [points[i] for i in positions], [labels[i] for i in positions]


def train(net, points, labels, steps, alpha):
    """Train a network on all points; a list of pairs (the loss's data, accuracy), one a step, before it.

    net(point) gives a score, net.parameters() what is to be changed. A step is: the hinge of all scores plus the
    penalty, gradients to zero, its backward(), and p.data moved against p.grad by the rate of this step.
    """
    found = []
    for k in range(steps):
        scores = [net(point) for point in points]
        loss = hinge(scores, labels) + penalty(net.parameters(), alpha)
        for p in net.parameters():
            p.grad = 0.0
        loss.backward()
        for p in net.parameters():
            p.data -= decayed(k, steps) * p.grad
        found.append((loss.data, accuracy(scores, labels)))
    return found


class Number:
    """A number that is worked out from others. Its gradients are measured by small steps, not derived."""

    def __init__(self, data, rule=None, parts=(), fixed=False):
        self.data, self.grad, self.rule, self.parts, self.fixed = data, 0.0, rule, parts, fixed

    def made(self, rule, *others):
        parts = [self, *(o if isinstance(o, Number) else Number(o, fixed=True) for o in others)]
        return Number(rule(*(part.data for part in parts)), rule, parts)

    def __add__(self, other):
        return self.made(operator.add, other)

    __radd__ = __add__

    def __sub__(self, other):
        return self.made(operator.sub, other)

    def __rsub__(self, other):
        return self.made(lambda a, b: b - a, other)

    def __mul__(self, other):
        return self.made(operator.mul, other)

    __rmul__ = __mul__

    def __truediv__(self, other):
        return self.made(operator.truediv, other)

    def __pow__(self, other):
        return self.made(operator.pow, other)

    def __neg__(self):
        return self.made(operator.neg)

    def relu(self):
        return self.made(lambda a: max(a, 0.0))

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
            node.data = there + 1e-6
            above = self.again({})
            node.data = there - 1e-6
            node.grad += (above - self.again({})) / 2e-6
            node.data = there


Value = Number  # by this name in the examples


def source(begin):
    """A draw() that gives the numbers of a list, one after the other."""
    left = iter(begin)
    return lambda: Number(next(left))


def use_neuron(Neuron, begin, points, nin):
    """A neuron with a ReLU and one without: what each gives for some points, and its parameters in order."""
    found = {}
    for said, given in (("", {}), (", nonlin=True", {"nonlin": True}), (", nonlin=False", {"nonlin": False})):
        neuron = Neuron(nin, source(begin), **given)
        answers = {f"of {point}": neuron(list(point)).data for point in points}
        found[f"Neuron({nin}, draw{said})"] = {**answers, "parameters()": [p.data for p in neuron.parameters()]}
    return found


def use_mlp(MLP, begin, points, nin, networks):
    """Networks of one layer to three: the score of each point, and the parameters in order."""
    found = {}
    for nouts in networks:
        net = MLP(nin, list(nouts), source(begin))
        answers = {f"of {point}": net(list(point)).data for point in points}
        found[f"MLP({nin}, {nouts}, draw)"] = {**answers, "parameters()": [p.data for p in net.parameters()]}
    return found


def use_hinge(hinge, scores, labels):
    """The hinge loss of scores and labels, and the gradients of the scores after its backward()."""
    found = {}
    for many in (len(labels), 3):
        own = [Number(x) for x in scores[-many:]]
        loss = hinge(own, labels[:many])
        loss.backward()
        said = f"hinge({scores[-many:]}, {labels[:many]})"
        found[said] = {"data": loss.data, "gradients": [x.grad for x in own]}
    return found


def use_penalty(penalty, weights, alpha, strong):
    """The penalty on some weights, and their gradients after its backward()."""
    found = {}
    for by, some in ((alpha, weights), (strong, weights[2:])):
        own = [Number(x) for x in some]
        loss = penalty(own, by)
        loss.backward()
        found[f"penalty({some}, {by:.6g})"] = {"data": loss.data, "gradients": [x.grad for x in own]}
    return found


def use_accuracy(accuracy, scores, labels):
    """The accuracy of scores and labels."""
    found = {}
    for many in (len(labels), 4, 3):
        said = f"accuracy({scores[:many]}, {labels[:many]})"
        found[said] = accuracy([Number(x) for x in scores[:many]], labels[:many])
    for label in (1, -1):
        edge = [0.0, *scores[:2]], [label, *labels[:2]]
        found[f"accuracy({edge[0]}, {edge[1]})"] = accuracy([Number(x) for x in edge[0]], edge[1])
    return found


def use_decayed(decayed, steps):
    cases = [(0, 100), (50, 100), (99, 100), (steps - 1, steps), (steps, 2 * steps + 1)]
    return calls("decayed", decayed, *cases)


def use_minibatch(minibatch, points, labels, positions):
    return calls("minibatch", minibatch, (points, labels, positions), (points, labels, positions[1:2]))


class Plane:
    """A small network to train: two neurons with a ReLU, and a sum."""

    def __init__(self, begin, nin):
        self.numbers = [Number(x) for x in begin[: 2 * nin + 3]]
        self.nin = nin

    def __call__(self, point):
        n, *rest = self.nin, *self.numbers
        first = sum((w * x for w, x in zip(rest[:n], point)), rest[-3]).relu()
        second = sum((w * x for w, x in zip(rest[n : 2 * n], point)), rest[-2]).relu()
        return first - second + rest[-1]

    def parameters(self):
        return self.numbers


def use_train(train, begin, points, labels, nin, steps, alpha, strong):
    """Some steps of training: the losses and accuracies, and where the parameters end."""
    found = {}
    for many, by in ((steps, alpha), (steps - 1, strong)):
        net = Plane(begin, nin)
        told = train(net, [list(point) for point in points], list(labels), many, by)
        ends = [p.data for p in net.parameters()]
        found[f"train(net, …, {many}, {by:.6g})"] = {"losses": told, "parameters after it": ends}
    return found
