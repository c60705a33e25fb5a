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


class Neuron:
    """tanh(w·x + b)."""

    def __init__(self, nin, draw):
        """nin weights, then a bias: each is what a call of draw() gives."""
        raise NotImplementedError("Neuron.__init__: not written yet")

    def __call__(self, x):
        """What the neuron gives for the list of inputs x."""
        raise NotImplementedError("Neuron.__call__: not written yet")

    def parameters(self):
        """The weights in order, then the bias, in a list."""
        raise NotImplementedError("Neuron.parameters: not written yet")


class Layer:
    """nout neurons that read the same nin inputs."""

    def __init__(self, nin, nout, draw):
        """The neurons, made one after the other."""
        raise NotImplementedError("Layer.__init__: not written yet")

    def __call__(self, x):
        """A list of what each neuron gives for x, also for one neuron."""
        raise NotImplementedError("Layer.__call__: not written yet")

    def parameters(self):
        """Those of every neuron, in order, in one list."""
        raise NotImplementedError("Layer.parameters: not written yet")


class MLP:
    """Layers, one after the other."""

    def __init__(self, nin, nouts, draw):
        """The layers in order: nouts is a list of how many neurons each has, nin what the first one reads."""
        raise NotImplementedError("MLP.__init__: not written yet")

    def __call__(self, x):
        """The list that the last layer gives."""
        raise NotImplementedError("MLP.__call__: not written yet")

    def parameters(self):
        """Those of every layer, in order, in one list. MLP(3, [4, 4, 1], draw) has 41."""
        raise NotImplementedError("MLP.parameters: not written yet")


def squared_error(outputs, targets):
    """The sum of the squared differences of two lists, outputs and their targets."""
    raise NotImplementedError("squared_error: not written yet")


def zero_grad(parameters):
    """Make the gradient of each parameter 0, before a backward pass adds to it. Nothing is returned."""
    raise NotImplementedError("zero_grad: not written yet")


def descend(parameters, rate):
    """One step of gradient descent on each parameter's data, by `rate` times its grad. Nothing is returned."""
    raise NotImplementedError("descend: not written yet")


def train(net, points, targets, steps, rate):
    """Train a network of one output on all points; a list of the loss's data in each step, before it.

    net(point) gives a list of one number, net.parameters() what is to be changed. A step is: the squared
    error of all outputs, gradients to zero, its backward(), and a step of gradient descent.
    """
    raise NotImplementedError("train: not written yet")
