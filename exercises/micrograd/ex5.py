"""The demo of micrograd: two moons, a hinge loss, and a rate that decays.

The network of exercise 3 learnt four points. micrograd's demo has a hundred, in two classes that no straight line
parts. Its neurons have a ReLU, but for the last one, which gives a score: positive for one class, negative for
the other. The loss is a hinge, with a penalty on the weights; accuracy is what one looks at.

Nothing is random, as before: `draw()` gives the next number to begin with. What you get are numbers that can be
added, subtracted, multiplied and raised to a power, with one another and with plain numbers, and that have `relu()`,
`backward()`, `data` and `grad`. Labels are plain numbers, 1 and -1.
"""


class Neuron:
    """relu(w·x + b), or w·x + b alone."""

    def __init__(self, nin, draw, nonlin=True):
        """nin weights, then a bias: each is what a call of draw() gives. nonlin: whether there is a ReLU."""
        raise NotImplementedError("Neuron.__init__: not written yet")

    def __call__(self, x):
        """What the neuron gives for the list of inputs x."""
        raise NotImplementedError("Neuron.__call__: not written yet")

    def parameters(self):
        """The weights in order, then the bias, in a list."""
        raise NotImplementedError("Neuron.parameters: not written yet")


class MLP:
    """Layers of neurons, all with a ReLU but for those of the last layer."""

    def __init__(self, nin, nouts, draw):
        """The layers in order: nouts is a list of how many neurons each has, nin what the first one reads."""
        raise NotImplementedError("MLP.__init__: not written yet")

    def __call__(self, x):
        """The score for the point x: what the only neuron of the last layer gives, and no list."""
        raise NotImplementedError("MLP.__call__: not written yet")

    def parameters(self):
        """Those of every neuron, in order, in one list. MLP(2, [16, 16, 1], draw) has 337."""
        raise NotImplementedError("MLP.parameters: not written yet")


def hinge(scores, labels):
    """The mean over the points of max(0, 1 - label · score), where the maximum is a relu()."""
    raise NotImplementedError("hinge: not written yet")


def penalty(parameters, alpha):
    """alpha times the sum of the squares of the parameters."""
    raise NotImplementedError("penalty: not written yet")


def accuracy(scores, labels):
    """The share of the points that are on the right side, a plain float.

    A score counts as label 1 where its data is larger than 0.
    """
    raise NotImplementedError("accuracy: not written yet")


def decayed(k, steps):
    """The rate of step k, counted from 0, of a training of `steps` steps: from 1 evenly down towards 0.1.

    The demo has 100 steps, of which the last one, 99, has 0.109.
    """
    raise NotImplementedError("decayed: not written yet")


def minibatch(points, labels, positions):
    """The points at some positions, and their labels: a pair of lists.

    Where the lecture draws positions at random, they are given. One may be there twice.
    """
    raise NotImplementedError("minibatch: not written yet")


def train(net, points, labels, steps, alpha):
    """Train a network on all points; a list of pairs (the loss's data, accuracy), one a step, before it.

    net(point) gives a score, net.parameters() what is to be changed. A step is: the hinge of all scores plus the
    penalty, gradients to zero, its backward(), and p.data moved against p.grad by the rate of this step.
    """
    raise NotImplementedError("train: not written yet")
