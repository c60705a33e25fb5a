"""A scalar engine: numbers that know where they came from.

`Value` holds one number, `data`, and its gradient, `grad`. Each operation makes a new Value that remembers
the Values it was made from, its `children`, and how to pass its own gradient on to them, in `_backward`. A
number may be used more than once, so a gradient is always added to what is there. `backward` then calls
these in the right order, from the output to the inputs.

The methods without a task are given. An operand may also be a plain number, which `wrap` makes a Value of.

The lecture's own engine is accepted, with `_prev` for `children`, `_op` and `label`. `order`, which the lecture
builds inside `backward`, is a method here, and `relu` is the one of the micrograd repository.
"""

import math


class Value:
    """One number of a computation, its gradient, and where it came from."""

    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = tuple(children)
        self._backward = lambda: None

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    @staticmethod
    def wrap(other):
        return other if isinstance(other, Value) else Value(other)

    def __add__(self, other):
        """self + other: a new Value, whose _backward adds to the gradients of both."""
        raise NotImplementedError("Value.__add__: not written yet")

    def __mul__(self, other):
        """self * other: a new Value, whose _backward adds to the gradients of both."""
        raise NotImplementedError("Value.__mul__: not written yet")

    def __pow__(self, exponent):
        """self ** exponent, where the exponent is a plain number, an int or a float."""
        raise NotImplementedError("Value.__pow__: not written yet")

    def exp(self):
        """e to the power of self."""
        raise NotImplementedError("Value.exp: not written yet")

    def tanh(self):
        """The hyperbolic tangent of self."""
        raise NotImplementedError("Value.tanh: not written yet")

    def relu(self):
        """self where it is larger than 0, and 0 elsewhere."""
        raise NotImplementedError("Value.relu: not written yet")

    def __radd__(self, other):
        """other + self, where other is a plain number."""
        raise NotImplementedError("Value.__radd__: not written yet")

    def __rmul__(self, other):
        """other * self, where other is a plain number."""
        raise NotImplementedError("Value.__rmul__: not written yet")

    def __neg__(self):
        """-self, made from what is there already."""
        raise NotImplementedError("Value.__neg__: not written yet")

    def __sub__(self, other):
        """self - other, made from what is there already."""
        raise NotImplementedError("Value.__sub__: not written yet")

    def __truediv__(self, other):
        """self / other, made from what is there already."""
        raise NotImplementedError("Value.__truediv__: not written yet")

    def order(self):
        """A list of this Value and all that it was made from: each once, operands before what is made from them."""
        raise NotImplementedError("Value.order: not written yet")

    def backward(self):
        """Set this Value's gradient to 1 and pass gradients back to all that it was made from.

        They are added to what is there: no gradient is set to 0 before.
        """
        raise NotImplementedError("Value.backward: not written yet")


def tanh_from_exp(x):
    """The tanh of a Value, made from exp, a sum, a difference and a division; x * 2 or x + x is fine too."""
    raise NotImplementedError("tanh_from_exp: not written yet")
