"""The engine from both sides, and its graph.

A Value on the left asks its own method, `a - 2` calls a.__sub__(2). With a plain number on the left, `2 - a`,
Python finds that an int knows no Values, and asks the right operand for the reflected method, a.__rsub__(2).
With all of them the expression of micrograd's README can be written as it stands there.

Then the graph is looked at instead of run: which node was made by which operation, and what it was made from.
The lecture draws that as a picture. Here it is the data behind the picture.

The class is yours of exercise 2, with what is new in it: each result keeps in `op` the sign of its operation.

Last, the same trick in PyTorch: an operation that it lacks is a class with a forward and a backward of your own, and
PyTorch calls the second one when gradients come back. What your _backward found in the names around it, a
torch.autograd.Function keeps in `ctx`. Here yours are called directly, as PyTorch would call them.
"""

import torch


class Value:
    """One number of a computation, its gradient, where it came from, and by what operation."""

    def __init__(self, data, children=(), op=""):
        self.data = data
        self.grad = 0.0
        self.children = tuple(children)
        self.op = op
        self._backward = lambda: None

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    @staticmethod
    def wrap(other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        """self + other: yours of micrograd.ex2; the new Value's op is "+"."""
        raise NotImplementedError("Value.__add__: not written yet")

    def __mul__(self, other):
        """self * other: yours of micrograd.ex2; the new Value's op is "*"."""
        raise NotImplementedError("Value.__mul__: not written yet")

    def __pow__(self, exponent):
        """self ** exponent, for a plain number: yours of micrograd.ex2. The op is "**3" for an exponent of 3."""
        raise NotImplementedError("Value.__pow__: not written yet")

    def relu(self):
        """self where it is larger than 0, and 0 elsewhere: yours of micrograd.ex2; the op is "ReLU"."""
        raise NotImplementedError("Value.relu: not written yet")

    def backward(self):
        """Set this Value's gradient to 1 and pass gradients back, as in micrograd.ex2."""
        raise NotImplementedError("Value.backward: not written yet")

    def __radd__(self, other):
        """other + self, where other is a plain number."""
        raise NotImplementedError("Value.__radd__: not written yet")

    def __rmul__(self, other):
        """other * self, where other is a plain number."""
        raise NotImplementedError("Value.__rmul__: not written yet")

    def __neg__(self):
        """-self."""
        raise NotImplementedError("Value.__neg__: not written yet")

    def __sub__(self, other):
        """self - other, where other is a Value or a plain number."""
        raise NotImplementedError("Value.__sub__: not written yet")

    def __rsub__(self, other):
        """other - self, where other is a plain number."""
        raise NotImplementedError("Value.__rsub__: not written yet")

    def __truediv__(self, other):
        """self / other, where other is a Value or a plain number."""
        raise NotImplementedError("Value.__truediv__: not written yet")

    def __rtruediv__(self, other):
        """other / self, where other is a plain number."""
        raise NotImplementedError("Value.__rtruediv__: not written yet")


def readme(a, b):
    """The expression of micrograd's README, of the Values a and b: returns g, a Value.

        c = a + b
        d = a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + (b + a).relu()
        d += 3 * d + (b - a).relu()
        e = c - d
        f = e**2
        g = f / 2.0
        g += 10.0 / f

    With a = -4 and b = 2 its data is 24.7041, and after backward the gradients are 138.8338 and 645.5773.
    """
    raise NotImplementedError("readme: not written yet")


def trace(root):
    """All nodes and all edges of the graph that ends in `root`: two sets.

    Nodes are Values, root among them. An edge is a pair (child, node): the node was made from the child.
    For a + a there are two nodes and one edge, since a set holds (a, a + a) once.
    """
    raise NotImplementedError("trace: not written yet")


def labelled(label, data, grad):
    """What the lecture's picture writes into a node's box: "{ a | data 2.0000 | grad 6.0000 }".

    label is a string, data and grad are numbers, which get four digits after the point.
    """
    raise NotImplementedError("labelled: not written yet")


class TanhProduct(torch.autograd.Function):
    """tanh(a * b) as one operation of PyTorch's, with a backward of its own."""

    @staticmethod
    def forward(ctx, a, b):
        """tanh(a * b), for tensors of one shape. ctx.save_for_backward(…) keeps the tensors that backward needs."""
        raise NotImplementedError("TanhProduct.forward: not written yet")

    @staticmethod
    def backward(ctx, grad):
        """The gradients of a and b, a pair, where that of the result is grad. ctx.saved_tensors has what was kept."""
        raise NotImplementedError("TanhProduct.backward: not written yet")
