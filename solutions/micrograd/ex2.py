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

import torch

FIXTURES = {
    "lecture": dict(seed=1, cases=4, lines=6),
    "probe-1": dict(seed=2, cases=4, lines=6),
    "probe-2": dict(seed=3, cases=3, lines=9),
    "probe-3": dict(seed=4, cases=5, lines=12),
}
OUTPUTS = {
    "add": "approximate",
    "multiply": "approximate",
    "power": "approximate",
    "exp": "approximate",
    "tanh": "approximate",
    "relu": "approximate",
    "composed": "approximate",
    "order": "exact",
    "accumulate": "approximate",
    "backward": "approximate",
    "tanh_from_exp": "approximate",
}
HINTS = {
    "add": {
        "concept": "The sum is a new Value that remembers both operands as its children. Its _backward is "
        "called later, when out.grad is known, and passes that on. The local gradient of a sum is 1 for both "
        "operands. Add to their gradients, since an operand may be used elsewhere too.",
        "shapes": "self is a Value, other a Value or a number, the result is a Value. _backward takes "
        "nothing and returns nothing; data and grad are plain numbers.",
        "example": """
    >>> a, b = Value(2.0), Value(-3.0)
    >>> out = a + b
    >>> out
    >>> out.grad = 0.5
    >>> out._backward()
    >>> a.grad, b.grad
""",
        "formula": "grad of self += grad of out; grad of other += grad of out. Store the function itself in "
        "out._backward, without calling it.",
    },
    "multiply": {
        "concept": "As for the sum, with another local gradient: that of a product with respect to one factor "
        "is the other factor.",
        "shapes": "self is a Value, other a Value or a number, the result is a Value. _backward takes "
        "nothing and returns nothing; data and grad are plain numbers.",
        "example": """
    >>> a, b = Value(2.0), Value(-3.0)
    >>> out = a * b
    >>> out
    >>> out.grad = 0.5
    >>> out._backward()
    >>> a.grad, b.grad
""",
        "formula": "grad of self += (data of other) · (grad of out); grad of other += (data of self) · (grad "
        "of out).",
    },
    "power": {
        "concept": "The exponent is a plain number and no Value: only the base has a gradient. The rule is "
        "that of powers: the exponent comes down in front, and the power is one less.",
        "shapes": "self is a Value, exponent an int or a float, the result is a Value with one child.",
        "example": """
    >>> a = Value(3.0)
    >>> out = a ** 2
    >>> out
    >>> out.grad = 0.5
    >>> out._backward()
    >>> a.grad
""",
        "formula": "With k for the exponent and x for the base, the local gradient is k · x^(k − 1). Times "
        "the grad of out, added to the base's grad.",
    },
    "exp": {
        "concept": "The derivative of e^x is e^x itself: the number that the result holds already.",
        "shapes": "exp takes no argument beside self and returns a Value with one child.",
        "example": """
    >>> a = Value(1.0)
    >>> out = a.exp()
    >>> out.data
    >>> out.grad = 0.5
    >>> out._backward()
    >>> a.grad
""",
        "formula": "grad of self += (data of out) · (grad of out).",
    },
    "tanh": {
        "concept": "The slope of tanh is given by its output: steep where the output is near 0, flat where "
        "it is near −1 or 1.",
        "shapes": "tanh takes no argument beside self and returns a Value with one child.",
        "example": """
    >>> a = Value(0.5)
    >>> out = a.tanh()
    >>> out.data
    >>> out.grad = 2.0
    >>> out._backward()
    >>> a.grad
""",
        "formula": "With t for the output, not the input, the local gradient is 1 − t². Times the grad of "
        "out, added to self's grad.",
    },
    "relu": {
        "concept": "Where the input is positive the relu is the identity, and its slope is 1; elsewhere it "
        "is constant, and nothing comes back. At 0 the slope counts as 0.",
        "shapes": "relu takes no argument beside self and returns a Value with one child.",
        "example": """
    >>> a, b = Value(1.5), Value(-1.5)
    >>> a.relu(), b.relu()
    >>> for leaf in (a, b):
    ...     out = leaf.relu()
    ...     out.grad = 2.0
    ...     out._backward()
    >>> a.grad, b.grad
""",
        "formula": "data: the larger of self's data and 0. Gradient: the grad of out where the output is "
        "larger than 0, else nothing.",
    },
    "composed": {
        "concept": "None of these needs a _backward of its own: made of +, * and ** they get the right "
        "gradients from those. Where the left operand is a plain number, Python asks the right one for "
        "__radd__ or __rmul__.",
        "shapes": "self is a Value. other is a Value or a number in __sub__ and __truediv__, a number in "
        "__radd__ and __rmul__. Each returns a Value.",
        "example": """
    >>> a, b = Value(3.0), Value(2.0)
    >>> -a, a - b, a / b, 2 + a, 2 * a
    >>> out = a / b
    >>> out.backward()
    >>> a.grad, b.grad
""",
        "formula": "−a is a · (−1); a − b is a + (−b); a / b is a · b^(−1). 2 + a and 2 * a are a + 2 and "
        "a * 2.",
    },
    "order": {
        "concept": "A Value may be listed only when all that it was made from is listed already. So visit "
        "its children, theirs before them, and append it to the list last. Remember which nodes you "
        "have been at: one that is used twice is listed once.",
        "shapes": "order takes no argument beside self and returns a list of Values, self the last.",
        "example": """
    >>> a, b = Value(2.0), Value(3.0)
    >>> c = a * b
    >>> d = c + a
    >>> [node.data for node in d.order()]
""",
        "formula": "visit(node): if it is not in the set of those seen, add it there, visit each of its "
        "children, then append it to the list. Begin with self.",
    },
    "accumulate": {
        "concept": "A Value that is used twice gets two gradients, and they add up. With = the second one "
        "would replace the first; with += both count. In a + a, self and other are the same object, so this "
        "happens within one _backward.",
        "shapes": "Nothing new to write: this runs your __add__, __mul__ and backward. Gradients are plain "
        "numbers.",
        "example": """
    >>> a = Value(-2.0)
    >>> (a + a).backward()
    >>> a.grad
    >>> a, b = Value(-2.0), Value(3.0)
    >>> (a * b * (a + b)).backward()
    >>> a.grad, b.grad
""",
        "formula": "In every _backward: grad += local gradient · grad of out, never =. And backward itself "
        "sets only the output's own grad, to 1: no other gradient is made 0 first.",
    },
    "backward": {
        "concept": "The output's gradient with respect to itself is 1. A node's _backward may be called only "
        "when its own gradient is complete, that is after all nodes made from it: so from the end of `order` "
        "to its beginning.",
        "shapes": "backward takes no argument beside self and returns nothing.",
        "example": """
    >>> a, b = Value(2.0), Value(-3.0)
    >>> out = (a * b + 10.0).tanh()
    >>> out.backward()
    >>> out.data, out.grad
    >>> a.grad, b.grad
""",
        "formula": "grad of self = 1; then _backward of every node of self's `order`, reversed.",
    },
    "tanh_from_exp": {
        "concept": "tanh can be taken apart into operations that you have: then its gradient needs no rule "
        "of its own, and must come out the same.",
        "shapes": "x is a Value; tanh_from_exp returns a Value.",
        "example": """
    >>> x = Value(0.5)
    >>> out = tanh_from_exp(x)
    >>> out.data
    >>> out.backward()
    >>> x.grad
""",
        "formula": "tanh x = (e^2x − 1) / (e^2x + 1). Work e^2x out once and use it twice.",
    },
}


def inputs(g, cases, lines):
    """Numbers, upstream gradients, and expressions: leaves, and lines that each name an operation."""

    def draw(count, low=-2.0, high=2.0):
        return [round(x, 3) for x in (torch.rand(count, generator=g) * (high - low) + low).tolist()]

    def pick(options):
        return options[int(torch.randint(len(options), (1,), generator=g))]

    def expression():
        values = draw(3)
        leaves, made = list(values), []
        for _ in range(lines):
            i, j = pick(range(len(values))), pick(range(len(values)))
            x, y = values[i], values[j]
            possible = [("tanh", math.tanh(x))]
            if abs(x) + abs(y) < 6:
                possible += [("+", x + y), ("-", x - y)]
            if abs(x * y) < 6:
                possible += [("*", x * y), ("*", x * y)]
            if abs(y) > 0.5 and abs(x / y) < 6:
                possible.append(("/", x / y))
            if abs(x) < 1.5:
                possible.append(("exp", math.exp(x)))
            name, value = pick(possible)
            made.append((name, i, j))
            values.append(value)
        used = len(values) - 1
        for i in range(len(leaves)):  # the last lines use every leaf, so that none has a gradient of 0
            made.append(("*", used, i))
            used += 1
            made.append(("+", used, i))
            used += 1
        made.append(("tanh", used, used))
        return leaves, made

    return dict(
        pairs=list(zip(draw(cases), draw(cases))),
        numbers=[2, 3, 1, 4, *draw(4, 0.5, 3.0)],
        bases=[*draw(cases, 0.5, 2.5), -1.5, -0.75, -1.25],
        exponents=[*[2, -1, 3, 0.5, *draw(2, -2.5, 2.5)][:cases], 2, -2, 3],
        signed=[-1.5, 0.75, *draw(cases), 0.0],
        upstream=[*draw(cases + 2, 0.5, 2.0)[:-1], -1.5, 1.25],
        expressions=[expression() for _ in range(cases)],
    )


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
        other = Value.wrap(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        """self * other: a new Value, whose _backward adds to the gradients of both."""
        other = Value.wrap(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, exponent):
        """self ** exponent, where the exponent is a plain number, an int or a float."""
        out = Value(self.data**exponent, (self,))

        def _backward():
            self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        """e to the power of self."""
        out = Value(math.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        """The hyperbolic tangent of self."""
        out = Value(math.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data * out.data) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        """self where it is larger than 0, and 0 elsewhere."""
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            if out.data > 0:
                self.grad += out.grad

        out._backward = _backward
        return out

    def __radd__(self, other):
        """other + self, where other is a plain number."""
        return self + other

    def __rmul__(self, other):
        """other * self, where other is a plain number."""
        return self * other

    def __neg__(self):
        """-self, made from what is there already."""
        return self * -1

    def __sub__(self, other):
        """self - other, made from what is there already."""
        return self + -Value.wrap(other)

    def __truediv__(self, other):
        """self / other, made from what is there already."""
        return self * Value.wrap(other) ** -1

    def order(self):
        """A list of this Value and all that it was made from: each once, operands before what is made from them."""
        found = []
        seen = set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for child in node.children:
                    visit(child)
                found.append(node)

        visit(self)
        return found

    def backward(self):
        """Set this Value's gradient to 1 and pass gradients back to all that it was made from.

        They are added to what is there: no gradient is set to 0 before.
        """
        self.grad = 1.0
        for node in reversed(self.order()):
            node._backward()


def tanh_from_exp(x):
    """The tanh of a Value, made from exp, a sum, a difference and a division; x * 2 or x + x is fine too."""
    e = (x * 2).exp()
    return (e - 1) / (e + 1)


def operands(node):
    """What a node was made from: its children, or `_prev`, as the lecture calls them."""
    return node._prev if hasattr(node, "_prev") and not hasattr(node, "children") else node.children


def added(out, **leaves):
    """An operation's value, and what was added to gradients that were 0.25 already."""
    return {"data": out.data} | {f"gradient added to {name}": leaf.grad - 0.25 for name, leaf in leaves.items()}


def local(out, grad, **leaves):
    """The same for one operation's own _backward."""
    for leaf in leaves.values():
        leaf.grad = 0.25
    out.grad = grad
    out._backward()
    return added(out, **leaves)


def pulled(out, **leaves):
    """The same for what may be made of several operations: each passes back after all that were made from it."""
    above, todo = {}, [out]
    while todo:
        for child in operands(todo.pop()):
            if id(child) not in above:
                todo.append(child)
            above[id(child)] = above.get(id(child), 0) + 1
    for leaf in leaves.values():
        leaf.grad = 0.25
    out.grad = 1.5
    ready = [out]
    while ready:
        node = ready.pop()
        node._backward()
        for child in operands(node):
            above[id(child)] -= 1
            if not above[id(child)]:
                ready.append(child)
    return added(out, **leaves)


def build(Value, expression):
    """The nodes of an expression: leaves, then one for each line; the last is the output."""
    leaves, lines = expression
    nodes = [Value(x) for x in leaves]
    for name, i, j in lines:
        x, y = nodes[i], nodes[j]
        if name == "+":
            nodes.append(x + y)
        elif name == "-":
            nodes.append(x - y)
        elif name == "*":
            nodes.append(x * y)
        elif name == "/":
            nodes.append(x / y)
        else:
            nodes.append(getattr(x, name)())
    return nodes


def use_add(Value, pairs, upstream):
    """The sum: its value, and its _backward alone, which adds to the gradients of both operands."""
    found = {}
    for (x, y), grad in zip(pairs, upstream):
        a, b = Value(x), Value(y)
        found[f"Value({x}) + Value({y}), its grad {grad}"] = local(a + b, grad, a=a, b=b)
    return found


def use_multiply(Value, pairs, upstream):
    """The product: its value, and its _backward alone, which adds to the gradients of both factors."""
    found = {}
    for (x, y), grad in zip(pairs, upstream):
        a, b = Value(x), Value(y)
        found[f"Value({x}) * Value({y}), its grad {grad}"] = local(a * b, grad, a=a, b=b)
    return found


def use_power(Value, bases, exponents, upstream):
    """The power: its value, and its _backward alone, with integer, negative and fractional exponents.

    A base may be negative where the exponent is an integer.
    """
    found = {}
    for x, k, grad in zip(bases, exponents, upstream):
        a = Value(x)
        found[f"Value({x}) ** {k}, its grad {grad}"] = local(a**k, grad, a=a)
    return found


def of_each(Value, name, signed, upstream):
    """A method without arguments, for each number."""
    found = {}
    for x, grad in zip(signed, upstream):
        a = Value(x)
        found[f"Value({x}).{name}(), its grad {grad}"] = local(getattr(a, name)(), grad, a=a)
    return found


def use_exp(Value, signed, upstream):
    """The exponential: its value, and its _backward alone."""
    return of_each(Value, "exp", signed, upstream)


def use_tanh(Value, signed, upstream):
    """The hyperbolic tangent: its value, and its _backward alone."""
    return of_each(Value, "tanh", signed, upstream)


def use_relu(Value, signed, upstream):
    """The rectifier: its value, and its _backward alone, for inputs on both sides of 0, and at 0, where nothing passes."""
    return of_each(Value, "relu", signed, upstream)


def use_composed(Value, pairs, numbers):
    """What is made from other operations: -a, a - b, a / b, and plain numbers on either side.

    First a + b, a * b and a ** 3, of which they are made. Of the others 2 + a and 2 * a are asked for, 2 - a and 2 / a are not. Values, and what the operations' _backward add
    to the gradients of a and b, from the last one to the first.
    """
    operations = {
        "a + b": lambda a, b, k: a + b,
        "a * b": lambda a, b, k: a * b,
        "a ** 3": lambda a, b, k: a**3,
        "-a": lambda a, b, k: -a,
        "a - b": lambda a, b, k: a - b,
        "a / b": lambda a, b, k: a / b,
        "a + {}": lambda a, b, k: a + k,
        "{} + a": lambda a, b, k: k + a,
        "a * {}": lambda a, b, k: a * k,
        "{} * a": lambda a, b, k: k * a,
        "a - {}": lambda a, b, k: a - k,
        "a / {}": lambda a, b, k: a / k,
        "{} * a - b": lambda a, b, k: k * a - b,
        "{} * a / b": lambda a, b, k: k * a / b,
    }
    found = {}
    for n, (x, y) in enumerate(pairs):
        for m, (said, operation) in enumerate(operations.items()):
            a, b, k = Value(x), Value(y), numbers[(n + m) % len(numbers)]
            call = f"{said.format(k)} with a = Value({x}), b = Value({y})"
            found[call] = pulled(operation(a, b, k), a=a, b=b)
    return found


def use_order(Value, expressions):
    """The order of an expression's nodes: each once, all of them, operands before the nodes made from them.

    There are several such orders, and any will do. An operation may be made of more nodes than one.
    """
    found = {}
    for expression in expressions:
        nodes = build(Value, expression)
        last = nodes[-1]
        order = last.order()
        place = {id(node): k for k, node in enumerate(order)}
        reached, todo = {id(last)}, [last]
        while todo:
            children = operands(todo.pop())
            todo += [c for c in children if id(c) not in reached]
            reached |= {id(c) for c in children}
        leaves, lines = expression
        above = {len(nodes) - 1: []}  # of each node that the last one needs, those made from it
        for k in range(len(nodes) - 1, len(leaves) - 1, -1):
            name, i, j = lines[k - len(leaves)]
            for operand in (i, j) if k in above and name in "+-*/" else (i,) if k in above else ():
                above.setdefault(operand, []).append(k)
        places = {k: place.get(id(nodes[k]), -1) for k in above}
        found[f"the order of {told(expression)}"] = (
            {
                "each once": len(place) == len(order),
                "all, and no other": set(place) == reached,
                "children first": all(
                    place.get(id(c), -1) < place[id(node)] for node in order for c in operands(node)
                ),
                "in their places": sum(
                    places[k] >= 0 and all(places[k] < places[a] for a in above[k]) for k in above
                ),
            }
        )
    return found


def use_accumulate(Value, pairs):
    """Numbers that are used more than once: a + a, a * a, and (a * b) * (a + b). Gradients after backward.

    For a + a it is 2; for the last one with a = -2 and b = 3 they are -3 and -8. What two passes bring adds up
    as well: backward of a * a and then of another a * a gives 4 * a. Only the output's own gradient is set: 1.
    And what was worked out may be used more than once too: with c = a * b in c * c + c, c passes its gradient
    back when all of it is there, once.
    """
    found = {}
    for a, b in [(-2.0, 3.0), *pairs]:
        x = Value(a)
        (x + x).backward()
        y = Value(a)
        (y * y).backward()
        p, q = Value(a), Value(b)
        (p * q * (p + q)).backward()
        said = f"with a = Value({a}), b = Value({b})"
        found[f"a + a, {said}"] = {"a.grad": x.grad}
        found[f"a * a, {said}"] = {"a.grad": y.grad}
        found[f"(a * b) * (a + b), {said}"] = {"a.grad": p.grad, "b.grad": q.grad}
        (y * y).backward()
        found[f"a * a, then another a * a, {said}"] = {"a.grad": y.grad}
        z = Value(b)
        inner = z * z
        (inner * 3).backward()
        inner.backward()
        found[f"c = b * b; backward of c * 3, then of c, {said}"] = {"c.grad": inner.grad, "b.grad": z.grad}
        r = Value(a)
        r.grad = 0.5
        ((r + r) * 3).backward()
        found[f"a.grad is 0.5; backward of (a + a) * 3, {said}"] = {"a.grad": r.grad}
        s = Value(a)
        twice = s * b
        twice.grad = 0.5
        (twice + 1).backward()
        found[f"c = a * {b}, its grad 0.5; backward of c + 1, {said}"] = {"a.grad": s.grad, "c.grad": twice.grad}
        last = Value(b)
        whole = last * 2 * 3
        whole.backward()
        whole.backward()
        found[f"b * 2 * 3, backward twice, {said}"] = {"b.grad": last.grad}
        u, v = Value(a), Value(b)
        c = u * v
        (c * c + c).backward()
        found[f"c = a * b; backward of c * c + c, {said}"] = {"a.grad": u.grad, "b.grad": v.grad, "c.grad": c.grad}
    return found


def told(expression):
    """An expression as it is written: what each line names, a to c first."""
    leaves, lines = expression
    names = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    said = [f"{name} = Value({x})" for name, x in zip(names, leaves)]
    for name, (operation, i, j) in zip(names[len(leaves) :], lines):
        x, y = names[i], names[j]
        said.append(f"{name} = {x} {operation} {y}" if operation in "+-*/" else f"{name} = {x}.{operation}()")
    return "; ".join(said)


def use_backward(Value, expressions):
    """Random expressions: the output, and the gradients of the leaves and the output after backward.

    What it passes back is added to gradients that are there: it sets none to 0 before.
    """
    found = {}
    for expression in expressions:
        nodes = build(Value, expression)
        nodes[-1].backward()
        grads = {f"{name}.grad": leaf.grad for name, leaf in zip("abc", nodes)}
        found[told(expression)] = {"data": nodes[-1].data, "its grad": nodes[-1].grad, **grads}
    nodes = build(Value, expressions[0])
    leaves = dict(zip("abc", nodes))
    for leaf in leaves.values():
        leaf.grad = 0.25
    nodes[-1].grad = 0.5
    nodes[-1].backward()
    before = f"{told(expressions[0])}; the gradients of a to c are 0.25 before, its own 0.5"
    found[before] = {"its grad": nodes[-1].grad, **{f"{name}.grad": leaf.grad for name, leaf in leaves.items()}}
    return found


def use_tanh_from_exp(tanh_from_exp, Value, signed):
    """A tanh that is made from exp: value and gradient must be those of tanh itself, which is not there."""

    def missing(self):
        raise ValueError("tanh is to be made from exp here, and tanh itself is not there")

    found, own = {}, Value.__dict__.get("tanh")
    Value.tanh = missing
    try:
        for x in signed:
            leaf = Value(x)
            out = tanh_from_exp(leaf)
            out.backward()
            found[f"tanh_from_exp(Value({x}))"] = {"data": out.data, "gradient of x": leaf.grad}
    finally:
        if own is None:
            del Value.tanh
        else:
            Value.tanh = own
    return found
