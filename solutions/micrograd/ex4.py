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

from grader.lecture import calls

FIXTURES = {
    "lecture": dict(seed=1, cases=3),
    "probe-1": dict(seed=2, cases=3),
    "probe-2": dict(seed=3, cases=4),
    "probe-3": dict(seed=4, cases=5),
}
OUTPUTS = {
    "radd": "approximate",
    "rmul": "approximate",
    "neg": "approximate",
    "sub": "approximate",
    "rsub": "approximate",
    "truediv": "approximate",
    "rtruediv": "approximate",
    "readme": "approximate",
    "op": "exact",
    "trace": "exact",
    "labelled": "exact",
    "forward": "approximate",
    "backward": "approximate",
}
HINTS = {
    "radd": {
        "shapes": "self is a Value, other a plain number, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = 2 + a
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "A sum is the same from both sides, so the method that you have does all the work.",
        "formula": "2 + a is a + 2.",
    },
    "rmul": {
        "shapes": "self is a Value, other a plain number, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = 2 * a
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "A product is the same from both sides, so the method that you have does all the work.",
        "formula": "2 * a is a * 2.",
    },
    "neg": {
        "shapes": "self is a Value, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = -a
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "An operation that is made from others gets its gradient from them.",
        "formula": "-a is a * -1.",
    },
    "sub": {
        "shapes": "self is a Value, other a Value or a plain number, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = a - 2
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "An operation that is made from others gets its gradient from them: 1 for the left operand, -1 "
        "for the right one.",
        "formula": "a - b is a + (-b).",
    },
    "rsub": {
        "shapes": "self is a Value, other a plain number, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = 2 - a
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "In __rsub__ self stands on the right: it is what is taken away. Mind which operand is negated.",
        "formula": "2 - a is -a + 2, and not a - 2.",
    },
    "truediv": {
        "shapes": "self is a Value, other a Value or a plain number, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = a / 2
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "A division is a product with a power: both are there, with their gradients.",
        "formula": "a / b is a * b**-1.",
    },
    "rtruediv": {
        "shapes": "self is a Value, other a plain number, the result is a Value.",
        "example": """
    >>> a = Value(4.0)
    >>> out = 2 / a
    >>> out
    >>> out.backward()
    >>> a.grad
""",
        "concept": "In __rtruediv__ self stands on the right: it is what is divided by.",
        "formula": "2 / a is a**-1 * 2.",
    },
    "readme": {
        "shapes": "a and b are each a Value; readme returns a Value.",
        "example": """
    >>> a, b = Value(-4.0), Value(2.0)
    >>> g = readme(a, b)
    >>> g.data
    >>> g.backward()
    >>> a.grad, b.grad
""",
        "concept": "Nothing is new in the function itself: copy the lines of the task. Each of its operators calls "
        "one of your methods, so an error here that no item above has shown is a typing error.",
        "formula": "The lines of the task, in their order; then return g. `c += x` is c = c + x, a new Value, and needs no __iadd__.",
    },
    "op": {
        "shapes": "op is a string, an attribute of every Value.",
        "example": """
    >>> a, b = Value(2.0), Value(3.0)
    >>> [node.op for node in (a, a + b, a * b, a**3, a.relu())]
""",
        "concept": "Only what makes a Value by itself needs to tell its name: what is made from other operations "
        "has theirs. A Value that nothing has made has the empty string.",
        "formula": "Value(…, children, op) with '+' in __add__, '*' in __mul__, '**' followed by the exponent in "
        "__pow__ and 'ReLU' in relu.",
    },
    "trace": {
        "shapes": "root is a Value. trace returns a tuple of two sets: one of Values, one of pairs (child, node) of Values.",
        "example": """
    >>> a, b = Value(2.0), Value(3.0)
    >>> c = a * b
    >>> nodes, edges = trace(c)
    >>> nodes == {a, b, c}, edges == {(a, c), (b, c)}
""",
        "concept": "Walk from the root to the children of each node, their children, and so on. A node that is "
        "reached twice is one node; each of the ways to it is an edge.",
        "formula": "visit(v): if v is not among the nodes, add it; then for each child add the edge (child, v) and "
        "visit the child.",
    },
    "labelled": {
        "example": """
    >>> labelled("a", 2.0, 6)
""",
        "concept": "A format specification says how many digits stand after the point: .4f is four, and rounds.",
        "formula": "'{ ' label ' | data ' data ' | grad ' grad ' }', both numbers by .4f.",
    },
    "forward": {
        "shapes": "a, b and the result are float tensors of one shape.",
        "example": """
    >>> class Context:
    ...     def save_for_backward(self, *tensors):
    ...         self.saved_tensors = tensors
    >>> ctx = Context()
    >>> TanhProduct.forward(ctx, torch.tensor([0.5, 2.0]), torch.tensor([1.0, 0.0]))
""",
        "concept": "forward computes as ever. What backward will need, it hands to ctx.save_for_backward, since it is called "
        "later, and for another call of forward with another ctx.",
        "formula": "tanh(a · b), with a, b and the result saved.",
    },
    "backward": {
        "shapes": "ctx is what forward got, grad a float tensor like the result. backward returns a pair of such tensors.",
        "example": """
    >>> class Context:
    ...     def save_for_backward(self, *tensors):
    ...         self.saved_tensors = tensors
    >>> ctx = Context()
    >>> out = TanhProduct.forward(ctx, torch.tensor([0.5, 2.0]), torch.tensor([1.0, 0.0]))
    >>> TanhProduct.backward(ctx, torch.ones(2))
""",
        "concept": "The gradient of each input: the local derivative times what comes from above. Forward had two inputs, so "
        "two gradients come back, in the same order. Nothing is added up: PyTorch does that itself.",
        "formula": "g = grad · (1 − t²), then g · b for a and g · a for b, where t is what forward gave.",
    },
}


def inputs(g, cases):
    """Pairs of numbers, the README's first; names of nodes."""

    def draw(count, low, high):
        return [round(x, 3) for x in (torch.rand(count, generator=g) * (high - low) + low).tolist()]

    letters = [[chr(97 + k) for k in torch.randperm(26, generator=g)[:6].tolist()] for _ in range(cases)]
    return dict(
        numbers=[-4.0, *draw(cases, -3, 3)],
        others=[2, *draw(cases, 0.5, 3)],
        pairs=[(-4.0, 2.0), (0.5, 0.25), *zip(draw(cases, -4, -2), draw(cases, 1, 2)), *zip(draw(2, 0.2, 0.5), draw(2, 0.6, 1.0))],
        names=letters,
        boxes=[(row[0] + row[1], x, y) for row, x, y in zip(letters, draw(cases, -9, 9), draw(cases, -9, 9))],
        factors=[torch.tensor([draw(cases, -2, 2) for _ in range(2)]) for _ in range(4)],
        slopes=[torch.tensor([draw(cases, -3, 3) for _ in range(2)]) for _ in range(3)],
    )


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
        other = Value.wrap(other)
        out = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        """self * other: yours of micrograd.ex2; the new Value's op is "*"."""
        other = Value.wrap(other)
        out = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, exponent):
        """self ** exponent, for a plain number: yours of micrograd.ex2. The op is "**3" for an exponent of 3."""
        out = Value(self.data**exponent, (self,), f"**{exponent}")

        def _backward():
            self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        """self where it is larger than 0, and 0 elsewhere: yours of micrograd.ex2; the op is "ReLU"."""
        out = Value(max(self.data, 0.0), (self,), "ReLU")

        def _backward():
            if out.data > 0:
                self.grad += out.grad

        out._backward = _backward
        return out

    def backward(self):
        """Set this Value's gradient to 1 and pass gradients back, as in micrograd.ex2."""
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()

    def __radd__(self, other):
        """other + self, where other is a plain number."""
        return self + other

    def __rmul__(self, other):
        """other * self, where other is a plain number."""
        return self * other

    def __neg__(self):
        """-self."""
        return self * -1

    def __sub__(self, other):
        """self - other, where other is a Value or a plain number."""
        return self + -Value.wrap(other)

    def __rsub__(self, other):
        """other - self, where other is a plain number."""
        return -self + other

    def __truediv__(self, other):
        """self / other, where other is a Value or a plain number."""
        return self * Value.wrap(other) ** -1

    def __rtruediv__(self, other):
        """other / self, where other is a plain number."""
        return self**-1 * other


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
    return g


def trace(root):
    """All nodes and all edges of the graph that ends in `root`: two sets.

    Nodes are Values, root among them. An edge is a pair (child, node): the node was made from the child.
    For a + a there are two nodes and one edge, since a set holds (a, a + a) once.
    """
    nodes, edges = set(), set()

    def visit(node):
        if node not in nodes:
            nodes.add(node)
            for child in node.children:
                edges.add((child, node))
                visit(child)

    visit(root)
    return nodes, edges


def labelled(label, data, grad):
    """What the lecture's picture writes into a node's box: "{ a | data 2.0000 | grad 6.0000 }".

    label is a string, data and grad are numbers, which get four digits after the point.
    """
    return f"{{ {label} | data {data:.4f} | grad {grad:.4f} }}"


class TanhProduct(torch.autograd.Function):
    """tanh(a * b) as one operation of PyTorch's, with a backward of its own."""

    @staticmethod
    def forward(ctx, a, b):
        """tanh(a * b), for tensors of one shape. ctx.save_for_backward(…) keeps the tensors that backward needs."""
        t = torch.tanh(a * b)
        ctx.save_for_backward(a, b, t)
        return t

    @staticmethod
    def backward(ctx, grad):
        """The gradients of a and b, a pair, where that of the result is grad. ctx.saved_tensors has what was kept."""
        a, b, t = ctx.saved_tensors
        g = grad * (1 - t**2)
        return g * b, g * a


def asked(Value, said, operation, cases):
    """Value and gradients of an operation: the operand's gradient begins at 0.25, and backward adds to it."""
    found = {}
    for case in cases:
        leaves = [Value(x) for x in case[: said.count("Value")]]
        for leaf in leaves:
            leaf.grad = 0.25
        out = operation(*leaves, *case[len(leaves) :])
        (out.relu() * 2 + out * 3).backward()
        said_of = "gradient of operand {} where 2 relu(it) + 3 it is the output"
        grads = {said_of.format(k): leaf.grad - 0.25 for k, leaf in enumerate(leaves, 1)}
        found[said.format(*case)] = {"data": out.data, **grads}
    return found


def use_radd(Value, numbers, others):
    """other + self, where other is a plain number: 2 + a. Its data, and the gradient of the Value."""
    return asked(Value, "{1} + Value({0})", lambda a, k: k + a, list(zip(numbers, others)))


def use_rmul(Value, numbers, others):
    """other * self, where other is a plain number: 2 * a. Its data, and the gradient of the Value."""
    return asked(Value, "{1} * Value({0})", lambda a, k: k * a, list(zip(numbers, others)))


def use_neg(Value, numbers):
    """-self. Its data, and the gradient of the Value."""
    return asked(Value, "-Value({0})", lambda a: -a, [(x,) for x in numbers])


def use_sub(Value, numbers, others):
    """self - other, for two Values and for a plain number on the right. Data and gradients."""
    cases = list(zip(numbers, others))
    both = asked(Value, "Value({0}) - Value({1})", lambda a, b: a - b, cases)
    return {**both, **asked(Value, "Value({0}) - {1}", lambda a, k: a - k, cases)}


def use_rsub(Value, numbers, others):
    """other - self, where other is a plain number: 2 - a. Its data, and the gradient of the Value."""
    return asked(Value, "{1} - Value({0})", lambda a, k: k - a, list(zip(numbers, others)))


def use_truediv(Value, numbers, others):
    """self / other, for two Values and for a plain number on the right. Data and gradients."""
    cases = list(zip(numbers, others))
    both = asked(Value, "Value({0}) / Value({1})", lambda a, b: a / b, cases)
    return {**both, **asked(Value, "Value({0}) / {1}", lambda a, k: a / k, cases)}


def use_rtruediv(Value, numbers, others):
    """other / self, where other is a plain number: 2 / a. Its data, and the gradient of the Value."""
    return asked(Value, "{1} / Value({0})", lambda a, k: k / a, list(zip(others, numbers)))


def use_readme(readme, Value, pairs):
    """The expression of micrograd's README: g's data, and after backward the gradients of a and b."""
    found = {}
    for x, y in pairs:
        a, b = Value(x), Value(y)
        g = readme(a, b)
        g.backward()
        found[f"readme(Value({x}), Value({y}))"] = {"g.data": g.data, "a.grad": a.grad, "b.grad": b.grad}
    return found


def operation(node):
    """The sign of what made a node: its op, or `_op`, as the lecture calls it."""
    return node._op if hasattr(node, "_op") and not hasattr(node, "op") else node.op


def use_op(Value, numbers):
    """The sign of the operation that made each result, in `op` (or `_op`): +, *, **3, ReLU, "" for a leaf."""
    found = {}
    for k, x in enumerate(numbers, 2):
        a, b = Value(x), Value(2.0)
        made = {"a": a, "a + b": a + b, "a * b": a * b, f"a**{k}": a**k, f"b**-{k}": b**-k, "a.relu()": a.relu()}
        made |= {"a + 1": a + 1, "a * 2": a * 2}
        found |= {f"{said}, with a = Value({x}), b = Value(2.0)": operation(node) for said, node in made.items()}
    return found


def use_trace(trace, Value, names):
    """The nodes and the edges of some graphs: by name, the ones that have no name left out."""
    found = {}
    for p, q, r, s, t, u in names:
        a, b, c = Value(2.0), Value(-3.0), Value(10.0)
        product = a * b
        total = product + c
        out, again = total * total, total * product
        graphs = {
            f"{s} = {p} * {q}; {t} = {s} + {r}; {u} = {t} * {s}": (
                again,
                (a, b, c, product, total, again),
                (p, q, r, s, t, u),
            ),
            f"{s} = {p} * {q}; {t} = {s} + {r}; {u} = {t} * {t}": (out, (a, b, c, product, total, out), (p, q, r, s, t, u)),
            f"{s} = {p} * {q}": (product, (a, b, product), (p, q, s)),
            f"{p} alone": (a, (a,), (p,)),
        }
        for said, (root, nodes, letters) in graphs.items():
            known = {id(node): letter for node, letter in zip(nodes, letters)}
            mine, edges = trace(root)
            found[said] = {
                "nodes": {known.get(id(node), "another") for node in mine},
                "edges": {tuple(known.get(id(node), "another") for node in edge) for edge in edges},
            }
    return found


def use_labelled(labelled, boxes):
    """The text of some boxes."""
    return calls("labelled", labelled, *boxes, ("w1", 12.345678, -0.123456))


class Context:
    """What PyTorch gives a Function to keep tensors in, without PyTorch."""

    saved_tensors = ()

    def save_for_backward(self, *tensors):
        self.saved_tensors = tensors


def use_forward(TanhProduct, factors):
    """What forward gives for several tensors."""
    cases = {"a, b": factors[:2], "b, c": factors[1:3], "one row of each": [x[:1] for x in factors[2:]]}
    return {f"forward(ctx, {said})": TanhProduct.forward(Context(), *(x.clone() for x in pair)) for said, pair in cases.items()}


def use_backward(TanhProduct, factors, slopes):
    """Gradients of two operations, of which the first one's are asked after the second one's forward, and twice."""
    first, second = Context(), Context()
    TanhProduct.forward(first, factors[0].clone(), factors[1].clone())
    TanhProduct.forward(second, factors[2].clone(), factors[3].clone())
    asks = {"a, b": (first, slopes[0]), "c, d": (second, slopes[1]), "a, b, of another grad": (first, slopes[2])}
    found = {}
    for said, (ctx, grad) in asks.items():
        grads = TanhProduct.backward(ctx, grad.clone())
        found[f"backward, after forward(ctx, {said})"] = [one.clone() for one in grads]
    return found
