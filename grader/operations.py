"""The table of operations: what each does to one number on its way to the loss, and how to think of it.

A rule follows the element x[index] through one operation: at which elements of the result it appears, by
what local gradient it counts there, and the sentence that a teaching assistant would say. The rules know
tensors only by their values and shapes, through a Scope; nothing here imports torch.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from grader.notation import Index, Named, Sum, Term, binary, call, element, evaluate, name, number, write

LETTERS = "ijklmrstuv"
Shape = tuple[int, ...]


class NoRule(Exception):
    """The table has no rule for an operation, or not for this use of it."""


class Scope:
    """Values of a small run, and of the lecture's for the sizes that the text names."""

    def __init__(self, small: Mapping[str, Any], lecture: Mapping[str, Any]) -> None:
        self.small, self.lecture = small, lecture
        self._values: dict[tuple[str, bool], Any] = {}

    def value(self, node: ast.expr, lecture: bool = False) -> Any:
        key = ast.dump(node), lecture
        if key not in self._values:
            self._values[key] = evaluate(node, self.lecture if lecture else self.small)
        return self._values[key]

    def shape(self, node: ast.expr, lecture: bool = False) -> Shape:
        value = self.value(node, lecture)
        return _shape(value.values if _is_pair(value) else value)

    def size(self, node: ast.expr, axis: int) -> ast.expr:
        """How many there are along an axis: by name if the forward program has one for it, else a number."""
        small, said = self.shape(node)[axis], self.shape(node, lecture=True)[axis]
        for known, value in self.small.items():
            if isinstance(value, int) and value == small and self.lecture.get(known) == said:
                return name(known)
        return call("size", node, number(axis), number(said))


def _is_pair(value: Any) -> bool:
    return hasattr(value, "values") and hasattr(value, "indices") and isinstance(value, tuple)


def _shape(value: Any) -> Shape:
    return tuple(getattr(value, "shape", ()))


def _differentiable(value: Any) -> bool:
    value = value.values if _is_pair(value) else value
    return hasattr(value, "is_floating_point") and bool(value.is_floating_point())


@dataclass(frozen=True)
class Site:
    """One operation on the way of x: the operation, the operand through which x comes, and its element."""

    scope: Scope
    node: ast.expr
    child: ast.expr
    index: Index
    output: str | None  # the line's tensor, where this is its outermost operation
    letters: Iterator[str] = field(compare=False)

    @property
    def before(self) -> Shape:
        return self.scope.shape(self.child)

    @property
    def after(self) -> Shape:
        return self.scope.shape(self.node)

    @property
    def x(self) -> str:
        return ast.unparse(self.child)

    def fresh(self) -> ast.expr:
        return name(next(self.letters))

    def at(self, node: ast.expr, index: Index) -> ast.expr:
        """The element of an operand that meets the element `index` of the result."""
        shape = self.scope.shape(node)
        if not shape:
            return node
        own = tuple(
            number(0) if n == 1 and self.after_is_more(index, k - len(shape)) else index[k - len(shape)]
            for k, n in enumerate(shape)
        )
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            return binary(self.at(node.left, own), node.op, self.at(node.right, own))
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self.at(node.operand, own))
        return element(node, own)

    @staticmethod
    def after_is_more(index: Index, k: int) -> bool:
        return not (isinstance(index[k], ast.Constant))

    def result(self) -> ast.expr:
        """The operation's own result at the element, by the line's name if it has one."""
        return element(name(self.output), self.index) if self.output else self.at(self.node, self.index)


@dataclass(frozen=True)
class Step:
    """What one operation does: where x[index] appears in the result, and by what it counts there."""

    index: Index
    say: str
    factors: Index = ()
    sign: int = 1
    sums: tuple[Sum, ...] = ()
    where: Index = ()
    named: Mapping[str, Named] = field(default_factory=dict)


def spread(site: Site, say: str) -> Step:
    """Elementwise with broadcasting: an axis that x lacks, or has once, is met by all of the result's."""
    before, after = site.before, site.after
    index: list[ast.expr] = []
    sums: list[Sum] = []
    for axis, size in enumerate(after):
        own = axis - len(after) + len(before)
        if own < 0 or (before[own] == 1 and size > 1):
            letter = site.fresh()
            sums.append(Sum(write(letter), site.scope.size(site.node, axis)))
            index.append(letter)
        else:
            index.append(site.index[own])
    if sums:
        say = f"{say} {_replicated(site)}".strip()
    return Step(tuple(index), say, sums=tuple(sums))


def _replicated(site: Site) -> str:
    before = site.scope.shape(site.child, lecture=True)
    after = site.scope.shape(site.node, lecture=True)
    axes = [
        a
        for a, size in enumerate(after)
        if a - len(after) + len(before) < 0 or (before[a - len(after) + len(before)] == 1 and size > 1)
    ]
    copies = math.prod(after[a] for a in axes)
    what = " and ".join(f"axis {a}" for a in axes)
    return (
        f"{site.x} is {times(before)} and the result {times(after)}: it was broadcast, so each of its numbers "
        f"was used {copies} times along {what}. Contributions of all uses add up: a broadcast forwards is a "
        f"sum over the same axis backwards."
    )


def times(shape: Shape) -> str:
    """A shape as it is written: 32×27, (64,), scalar."""
    return "×".join(map(str, shape)) if len(shape) > 1 else f"({shape[0]},)" if shape else "scalar"


# --- arithmetic ------------------------------------------------------------------------------------


def _binop(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.BinOp)
    left = site.child is node.left
    other = node.right if left else node.left
    if isinstance(node.op, ast.MatMult):
        return _matmul(site, left, other)
    constant = not site.scope.shape(other)
    if isinstance(node.op, ast.Add):
        text = ast.unparse(node)
        say = (
            ""
            if constant
            else f"{text} is a sum: the upstream gradient is handed on to each summand as it is."
        )
        return spread(site, say)
    if isinstance(node.op, ast.Sub):
        if left:
            text = ast.unparse(node)
            return spread(
                site, f"{text} is a difference: its first part gets the upstream gradient as it is."
            )
        return replace(
            spread(site, f"{site.x} is subtracted, so it gets the upstream gradient with its sign changed."),
            sign=-1,
        )
    if isinstance(node.op, ast.Pow):
        return _pow(site, left, other)
    if isinstance(node.op, ast.Mult):
        text = ast.unparse(other)
        say = (
            f"The constant factor {text} stays a factor on the way back."
            if constant
            else f"In a product, the local gradient towards one factor is the other factor; here that is {text}."
        )
        step = spread(site, say)
        return replace(step, factors=(site.at(other, step.index),))
    if isinstance(node.op, ast.Div) and left:
        step = spread(site, f"Dividing by {ast.unparse(other)} forwards is dividing by it backwards.")
        return replace(step, factors=(binary(number(1), ast.Div(), site.at(other, step.index)),))
    if isinstance(node.op, ast.Div):
        step = spread(
            site, f"{site.x} stands in the denominator: the derivative of 1/x, times the numerator."
        )
        own = site.at(node.right, step.index)
        return replace(
            step,
            factors=(binary(site.at(other, step.index), ast.Div(), binary(own, ast.Pow(), number(2))),),
            sign=-1,
        )
    raise NoRule(type(node.op).__name__)


def _pow(site: Site, base: bool, other: ast.expr) -> Step:
    if not base:
        step = spread(site, f"{site.x} is an exponent: the derivative of aˣ is aˣ · ln a.")
        return replace(step, factors=(site.result(), call("ln", site.at(other, step.index))))
    try:
        power = ast.literal_eval(other)
    except ValueError:
        raise NoRule("a power that is not a number") from None
    step = spread(site, "A power, element by element: the power rule, with the exponent going down by one.")
    own = site.at(site.child, step.index)
    rest = own if power == 2 else binary(own, ast.Pow(), number(power - 1))
    scale = (number(abs(power)),) if abs(power) != 1 else ()
    return replace(step, factors=(*scale, rest), sign=-1 if power < 0 else 1)


def _matmul(site: Site, left: bool, other: ast.expr) -> Step:
    before, after, with_ = site.before, site.after, site.scope.shape(other)
    if len(before) < 2 or len(with_) < 2:
        raise NoRule("a matrix product with a vector")
    index = list(site.index)
    sums = []

    def new(axis: int) -> ast.expr:
        letter = site.fresh()
        sums.append(Sum(write(letter), site.scope.size(site.node, axis)))
        return letter

    batch = []
    for axis in range(len(after) - 2):
        own = axis - len(after) + len(before)
        lone = own < 0 or (before[own] == 1 and after[axis] > 1)
        batch.append(new(axis) if lone else index[own])
    row, column = index[-2], index[-1]
    if left:
        end = new(len(after) - 1)
        out, meets = [*batch, row, end], (column, end)
    else:
        end = new(len(after) - 2)
        out, meets = [*batch, end, column], (end, row)
    lead = [
        number(0) if n == 1 and after[k - len(with_) + len(after)] > 1 else batch[k - len(with_) + len(after)]
        for k, n in enumerate(with_[:-2])
    ]
    say = (
        "A matrix product: the gradient of either factor is itself a matrix product, of the upstream gradient "
        f"and the other factor, {ast.unparse(other)}. There is nothing to memorise, since the shapes leave one "
        "way to put them together: transpose what must be, and see what stands on which side."
    )
    return Step(tuple(out), say, (element(other, (*lead, *meets)),), sums=tuple(sums))


def _unary(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.UnaryOp)
    if isinstance(node.op, ast.UAdd):
        return Step(site.index, "")
    return Step(site.index, "The minus stays a minus.", sign=-1)


# --- element by element ------------------------------------------------------------------------------

Local = Callable[[ast.expr, ast.expr], tuple[int, Index]]  # of x and of the result: sign, factors


def _code(text: str, **parts: ast.expr) -> ast.expr:
    """An expression in which the given parts stand for names."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

    return Fill().visit(ast.parse(text, mode="eval").body)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Elementwise:
    """A function of one number: what to say, its derivative in x and y, and a condition if it has one."""

    say: str
    factor: str = ""  # in x and the result y; none where it is 1
    sign: int = 1
    where: str = ""
    nice: tuple[float, ...] = ()  # inputs that are good to calculate with


LN = tuple(math.log(k) for k in (1, 2, 3, 4))
POSITIVE = (1.0, 2.0, 4.0, 0.5)

ELEMENTWISE: dict[str, Elementwise] = {
    "exp": Elementwise(
        "The exponential works element by element, and it is its own derivative: the number that you need has "
        "been computed in the forward pass already.",
        "y",
        nice=LN,
    ),
    "log": Elementwise(
        "The logarithm works element by element; take its derivative from calculus, at {x}.", "1/x", nice=POSITIVE
    ),
    "tanh": Elementwise(
        "tanh works element by element. Its derivative is simplest when written with its output, {y}, and not "
        "with its input.",
        "1 - y**2",
        nice=tuple(math.atanh(v) for v in (0, 0.5, -0.5, 0.8)),
    ),
    "sigmoid": Elementwise(
        "The sigmoid works element by element; its derivative is simplest when written with its output, {y}.",
        "y*(1 - y)",
        nice=(0.0, math.log(3), -math.log(3), math.log(4)),
    ),
    "relu": Elementwise(
        "A ReLU is a gate: where its input is positive the gradient passes unchanged, elsewhere nothing does.",
        where="x > 0",
    ),
    "sqrt": Elementwise(
        "A square root is the power ½; its derivative is simplest when written with its output.",
        "1/(2*y)",
        nice=(1, 4, 16, 0.25),
    ),
    "rsqrt": Elementwise(
        "A reciprocal square root is the power −½: the power rule.", "x**-1.5/2", -1, nice=(1, 4, 16, 0.25)
    ),
    "square": Elementwise("A square, element by element: the power rule.", "2*x"),
    "reciprocal": Elementwise("1/x is the power −1: the power rule.", "x**-2", -1, nice=POSITIVE),
    "neg": Elementwise("The minus stays a minus.", sign=-1),
    "sin": Elementwise("The sine works element by element.", "cos(x)"),
    "cos": Elementwise("The cosine works element by element.", "sin(x)", -1),
    "abs": Elementwise("The absolute value passes the gradient with the sign of its input.", "sign(x)"),
    "gelu": Elementwise(
        "GELU is x · Φ(x), with Φ the normal distribution function: the product rule, and Φ' is the normal "
        "density.",
        "Phi(x) + x*phi(x)",
    ),
    "clone": Elementwise(""),
    "contiguous": Elementwise(""),
    "float": Elementwise(""),
}  # fmt: skip


def _elementwise(site: Site, rule: Elementwise) -> Step:
    x = site.at(site.child, site.index)
    y = site.result()
    say = rule.say.format(x=site.x, y=site.output or "the result")
    factors = (_code(rule.factor, x=x, y=y),) if rule.factor else ()
    where = (_code(rule.where, x=x),) if rule.where else ()
    return Step(site.index, say, factors, rule.sign, where=where)


# --- over an axis ------------------------------------------------------------------------------------


def _arguments(node: ast.expr, names: tuple[str, ...], operands: int) -> dict[str, Any]:
    """A call's constant arguments by name; `operands` of the positional ones are tensors."""
    assert isinstance(node, ast.Call)
    given: dict[str, ast.expr] = dict(zip(names, node.args[operands:], strict=False))
    given |= {k.arg: k.value for k in node.keywords if k.arg}
    out = {}
    for key, value in given.items():
        try:
            out["dim" if key == "axis" else key] = ast.literal_eval(value)
        except ValueError:
            out[key] = None
    return out


def _axes(site: Site, names: tuple[str, ...] = ("dim", "keepdim")) -> tuple[tuple[int, ...], bool]:
    given = _arguments(site.node, names, _leading(site))
    dim = given.get("dim")
    n = len(site.before)
    dims = tuple(range(n)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    return tuple(d % n for d in dims), bool(given.get("keepdim"))


def _leading(site: Site) -> int:
    """How many positional arguments of a call are operands: 1 of torch.sum(x, 0), 0 of x.sum(0)."""
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return 1 if isinstance(site.scope.value(node.func.value), ModuleType) else 0


def _reduced(site: Site, axes: tuple[int, ...], keep: bool) -> Index:
    kept = [number(0) if a in axes else letter for a, letter in enumerate(site.index)]
    return tuple(x for a, x in enumerate(kept) if keep or a not in axes)


def _over(site: Site, axes: tuple[int, ...]) -> str:
    return "all of it" if len(axes) == len(site.before) else "axis " + " and ".join(map(str, axes))


def _sum(site: Site) -> Step:
    axes, keep = _axes(site)
    say = (
        f"A sum over {_over(site, axes)}: each number of {site.x} enters one total, with weight 1. So the "
        "upstream gradient of that total is handed to all of its summands: a sum forwards is a broadcast "
        "backwards."
    )
    return Step(_reduced(site, axes, keep), say)


def _mean(site: Site) -> Step:
    axes, keep = _axes(site)
    many = [site.scope.size(site.child, a) for a in axes]
    count = many[0]
    for size in many[1:]:
        count = binary(count, ast.Mult(), size)
    say = (
        f"A mean over {_over(site, axes)}: each number enters it with the same weight, one over how many there "
        "are, and gets that share of the upstream gradient."
    )
    return Step(_reduced(site, axes, keep), say, (binary(number(1), ast.Div(), count),))


def _max(site: Site) -> Step:
    axes, keep = _axes(site)
    if len(axes) != 1 or not _is_pair(site.scope.value(site.node)):
        raise NoRule("a maximum over several axes")
    axis = axes[0]
    inner = tuple(x for a, x in enumerate(site.index) if a != axis)
    where = ast.Compare(site.index[axis], [ast.Eq()], [element(name("m"), inner)])
    method = _leading(site) == 0
    owner = site.child
    code = (
        f"({ast.unparse(owner)}).max({axis}).indices"
        if method
        else f"torch.max({ast.unparse(owner)}, {axis}).indices"
    )
    line = {0: "column", 1: "row"}.get(axis, "line") if len(site.before) == 2 else "line"
    m = element(name("m"), inner)
    named = {
        "m": Named(ast.parse(code, mode="eval").body, f"{write(m)} is the place of the maximum in its {line}")
    }
    say = (
        f"A maximum over axis {axis} is decided by one number of each {line}: nudge another one a little and "
        "nothing changes. So the gradient goes to the place of the maximum alone, the rest gets 0."
    )
    return Step(_reduced(site, axes, keep), say, where=(where,), named=named)


def _var(site: Site, root: bool) -> Step:
    given = _arguments(site.node, ("dim", "unbiased", "keepdim"), _leading(site))
    dim = given.get("dim")
    axes = (dim % len(site.before),) if isinstance(dim, int) else tuple(range(len(site.before)))
    if len(axes) != 1:
        raise NoRule("a variance over several axes")
    off = 1 if given.get("unbiased", True) and given.get("correction", 1) else 0
    size = site.scope.size(site.child, axes[0])
    count = binary(size, ast.Sub(), number(1)) if off else size
    mean = ast.parse(f"({ast.unparse(site.child)}).mean({axes[0]}, keepdim=True)", mode="eval").body
    centre = tuple(number(0) if a in axes else x for a, x in enumerate(site.index))
    away = binary(site.at(site.child, site.index), ast.Sub(), element(name("mu"), centre))
    named = {"mu": Named(mean, f"mu is the mean of {site.x} over axis {axes[0]}")}
    index = _reduced(site, axes, bool(given.get("keepdim")))
    say = (
        f"A variance: each number counts by its distance from the mean, over {write(count)}. That the mean moves "
        "as well makes no difference, because the distances from it sum to 0."
    )
    if root:
        spread_ = element(site.node if not site.output else name(site.output), index)
        return Step(
            index,
            say.replace("variance", "standard deviation"),
            (binary(away, ast.Div(), binary(count, ast.Mult(), spread_)),),
            named=named,
        )
    return Step(index, say, (binary(binary(number(2), ast.Mult(), away), ast.Div(), count),), named=named)


def _softmax(site: Site, log: bool) -> Step:
    given = _arguments(site.node, ("dim",), _leading(site))
    dim = given.get("dim")
    if dim is None:
        raise NoRule("a softmax without its axis")
    axis = dim % len(site.before)
    letter = site.fresh()
    out = tuple(letter if a == axis else x for a, x in enumerate(site.index))
    own = call("hit", ast.Compare(letter, [ast.Eq()], [site.index[axis]]))
    total = Sum(write(letter), site.scope.size(site.node, axis))
    y = name(site.output) if site.output else site.node
    if log:
        p = Named(
            ast.parse(f"({ast.unparse(y)}).exp()", mode="eval").body, "p is the softmax, exp of the result"
        )
        factor = binary(own, ast.Sub(), element(name("p"), site.index))
        say = "log-softmax: every output of a line depends on every input of it, through the sum that normalises."
        return Step(out, say, (factor,), sums=(total,), named={"p": p})
    factor = binary(own, ast.Sub(), element(y, site.index))
    say = (
        "A softmax: every output of a line depends on every input of it, through the sum that normalises. Take "
        "out how the output moves with its own input, and how with the others."
    )
    return Step(out, say, (element(y, out), factor), sums=(total,))


def _cross_entropy(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    if len(node.args) != 2 or node.keywords or len(site.before) != 2:
        raise NoRule("this use of cross_entropy")
    i, j = site.index
    labels = node.args[1]
    x, target = site.x, ast.unparse(labels)
    p = Named(
        ast.parse(f"torch.softmax({x}, 1)", mode="eval").body,
        f"p is the softmax of {x} along each row: p[{write(i)},{write(j)}] = exp({x}[{write(i)},{write(j)}]) / "
        f"Σ_k exp({x}[{write(i)},k])",
    )
    hit = call("hit", ast.Compare(element(labels, (i,)), [ast.Eq()], [j]))
    away = binary(element(name("p"), (i, j)), ast.Sub(), hit)
    factor = binary(away, ast.Div(), site.scope.size(site.child, 0))
    say = (
        "The cross entropy is the mean over the rows of −log p at the label, where p is the softmax of the row. "
        f"Write one row's loss out, with l its logits: −l[label] + log Σ_k exp(l[k]). Each of the two parts has a "
        f"short derivative: the first touches the label ({target}) alone, and the second is a function you have "
        "seen in the forward pass. Then comes the mean over the rows."
    )
    return Step((), say, (factor,), named={"p": p})


# --- moving numbers ------------------------------------------------------------------------------------


def _view(site: Site) -> Step:
    say = (
        f"{site.x} only changes its shape here, and no number changes: the gradient's numbers go back into the "
        f"shape of {site.x}, in the same order."
    )
    before, after = site.before, site.after
    size = site.scope.size
    index: list[ast.expr] = []
    a = b = 0
    while a < len(before) or b < len(after):
        i, j, m, n = a, b, 1, 1
        while True:
            if m <= n and i < len(before) and (m < n or i == a):
                m, i = m * before[i], i + 1
            elif j < len(after) and (n < m or j == b):
                n, j = n * after[j], j + 1
            elif m == n:
                break
            else:
                raise NoRule("this change of shape")
        flat: ast.expr = number(0)
        for axis in range(a, i):
            letter = site.index[axis]
            grown = binary(flat, ast.Mult(), size(site.child, axis))
            flat = letter if axis == a else binary(grown, ast.Add(), letter)
        if j - b == 1:
            index.append(flat)
        else:
            for axis in range(b, j):
                part = flat
                for later in range(axis + 1, j):
                    part = binary(part, ast.FloorDiv(), size(site.node, later))
                index.append(binary(part, ast.Mod(), size(site.node, axis)) if axis > b else part)
        a, b = i, j
    return Step(tuple(index), say)


def _permuted(site: Site, order: tuple[int, ...]) -> Step:
    say = "Transposed forwards, so the gradient is transposed back: the same axes exchanged once more."
    return Step(tuple(site.index[a] for a in order), say)


def _transpose(site: Site) -> Step:
    n = len(site.before)
    node = site.node
    order = list(range(n))
    if isinstance(node, ast.Attribute) or node_attr(node) == "t":
        a, b = -2, -1
    else:
        given = _arguments(node, ("dim0", "dim1"), _leading(site))
        a, b = given["dim0"], given["dim1"]
    order[a], order[b] = order[b], order[a]
    return _permuted(site, tuple(order))


def _permute(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    dims = [ast.literal_eval(x) for x in site.node.args[_leading(site) :]]
    dims = list(dims[0]) if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return _permuted(site, tuple(d % len(site.before) for d in dims))


def _concatenated(site: Site, stack: bool) -> Step:
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.args[0], ast.List | ast.Tuple)
    given = _arguments(node, ("dim",), 1)
    members = node.args[0].elts
    place = next(k for k, m in enumerate(members) if m is site.child)
    axis = (given.get("dim") or 0) % len(site.after)
    if stack:
        index = (*site.index[:axis], number(place), *site.index[axis:])
        return Step(
            index, f"Stacked: {site.x} is slice {place} of the result along axis {axis}, and gets that slice."
        )
    start: ast.expr | None = None
    for member in members[:place]:
        one = site.scope.size(member, axis)
        start = one if start is None else binary(start, ast.Add(), one)
    moved = list(site.index)
    moved[axis] = moved[axis] if start is None else binary(moved[axis], ast.Add(), start)
    say = f"Concatenated along axis {axis}: {site.x} gets its own stretch of the upstream gradient."
    return Step(tuple(moved), say)


def _subscript(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Subscript)
    picks = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if all(isinstance(p, ast.Slice | ast.Constant | ast.UnaryOp) for p in picks):
        return _sliced(site, picks)
    if any(isinstance(p, ast.Slice) for p in picks):
        raise NoRule("lookup and slice in one")
    shapes = [_shape(site.scope.value(p)) if not _range(p) else (0,) for p in picks]
    if len(picks) == 1:
        return _lookup(site, picks[0], shapes[0])
    if any(len(s) != 1 for s in shapes):
        raise NoRule("a lookup by several index tensors")
    runs = next((k for k, p in enumerate(picks) if _range(p)), None)
    if runs is None:
        letter = site.fresh()
        sums: tuple[Sum, ...] = (Sum(write(letter), site.scope.size(site.node, 0)),)
    else:
        letter, sums = site.index[runs], ()
    where = tuple(
        ast.Compare(element(p, (letter,)), [ast.Eq()], [site.index[k]])
        for k, p in enumerate(picks)
        if k != runs
    )
    say = (
        f"{ast.unparse(node)} picks one number from each row of {site.x}. What is not picked never reaches the "
        "result, so its gradient is 0; what is picked passes on unchanged."
    )
    return Step((letter, *site.index[len(picks) :]), say, sums=sums, where=where)


def _range(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("range", "torch.arange")


def _lookup(site: Site, pick: ast.expr, shape: Shape) -> Step:
    letters = tuple(site.fresh() for _ in shape)
    sums = tuple(Sum(write(x), site.scope.size(pick, a)) for a, x in enumerate(letters))
    where = (ast.Compare(element(pick, letters), [ast.Eq()], [site.index[0]]),)
    text = ast.unparse(pick)
    say = (
        f"A lookup: each number in {text} names a row of {site.x}, and that row is copied out. A row that was "
        "looked up several times receives one gradient for each copy, and they add up (assigning would keep only "
        "the last); a row that was never looked up gets 0."
    )
    return Step((*letters, *site.index[1:]), say, sums=sums, where=where)


def _sliced(site: Site, picks: list[ast.expr]) -> Step:
    index: list[ast.expr] = []
    where: list[ast.expr] = []
    for axis, letter in enumerate(site.index):
        pick = picks[axis] if axis < len(picks) else ast.Slice()
        if isinstance(pick, ast.Slice):
            if pick.step or any(s and (ast.literal_eval(s) < 0) for s in (pick.lower, pick.upper)):
                raise NoRule("a slice with a step or from the end")
            low = pick.lower or number(0)
            where += [ast.Compare(letter, [ast.Lt()], [pick.upper])] if pick.upper else []
            where += (
                [ast.Compare(binary(low, ast.Sub(), number(1)), [ast.Lt()], [letter])] if pick.lower else []
            )
            index.append(binary(letter, ast.Sub(), low) if pick.lower else letter)
        else:
            where.append(ast.Compare(letter, [ast.Eq()], [pick]))
    say = f"A slice: what is inside of it gets its upstream gradient, what is outside gets 0."
    return Step(tuple(index), say, where=tuple(where))


def _expand(site: Site) -> Step:
    return spread(site, "")


def _unsqueezed(site: Site) -> Step:
    before, after = list(site.before), list(site.after)
    index, own = [], 0
    rest = (
        [a for a, n in enumerate(before) if n != 1] if len(after) < len(before) else list(range(len(before)))
    )
    for n in after:
        if own < len(rest) and before[rest[own]] == n:
            index.append(site.index[rest[own]])
            own += 1
        else:
            index.append(number(0))
    return Step(tuple(index), "An axis of size 1 comes or goes; the gradient gets the shape before.")


def _masked_fill(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    mask = site.node.args[_leading(site)]
    step = spread(
        site,
        "Where the mask is set, the value was overwritten: nothing of it reaches the loss, and its gradient is 0. Elsewhere the upstream gradient passes.",
    )
    return replace(step, where=(ast.UnaryOp(ast.Not(), site.at(mask, step.index)),))


def _where(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    condition, first, _ = site.node.args
    step = spread(
        site,
        "where chooses one of two: the upstream gradient goes to the one that was chosen, the other gets 0.",
    )
    test = site.at(condition, step.index)
    return replace(step, where=(test if site.child is first else ast.UnaryOp(ast.Not(), test),))


CALLS: dict[str, Callable[[Site], Step]] = {
    "sum": _sum,
    "mean": _mean,
    "max": _max,
    "var": lambda site: _var(site, root=False),
    "std": lambda site: _var(site, root=True),
    "softmax": lambda site: _softmax(site, log=False),
    "log_softmax": lambda site: _softmax(site, log=True),
    "cross_entropy": _cross_entropy,
    "view": _view,
    "reshape": _view,
    "flatten": _view,
    "transpose": _transpose,
    "t": _transpose,
    "T": _transpose,
    "mT": _transpose,
    "permute": _permute,
    "unsqueeze": _unsqueezed,
    "squeeze": _unsqueezed,
    "expand": _expand,
    "cat": lambda site: _concatenated(site, stack=False),
    "stack": lambda site: _concatenated(site, stack=True),
    "embedding": lambda site: _embedding(site),
    "masked_fill": _masked_fill,
    "where": _where,
    "values": lambda site: Step(site.index, ""),
}  # fmt: skip


def _embedding(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    pick = site.node.args[0]
    return _lookup(site, pick, site.scope.shape(pick))


# --- along a line ------------------------------------------------------------------------------------


def node_attr(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else ""


def operands(node: ast.expr, scope: Scope) -> list[ast.expr]:
    """The expressions that an operation works on."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Subscript | ast.Attribute):
        return [node.value]
    if isinstance(node, ast.Call):
        method = isinstance(node.func, ast.Attribute) and not isinstance(
            scope.value(node.func.value), ModuleType
        )
        given = [*([node.func.value] if method and isinstance(node.func, ast.Attribute) else []), *node.args]
        return list(itertools.chain(*(x.elts if isinstance(x, ast.List | ast.Tuple) else [x] for x in given)))
    return []


def ways(node: ast.expr, tensor: str, scope: Scope) -> Iterator[list[ast.expr]]:
    """Each way from an occurrence of the tensor out to the whole expression: the name first."""
    if isinstance(node, ast.Name):
        if node.id == tensor:
            yield [node]
        return
    for operand in operands(node, scope):
        if isinstance(operand, ast.Constant) or not _differentiable(_try(scope, operand)):
            continue
        for way in ways(operand, tensor, scope):
            yield [*way, node]


def _try(scope: Scope, node: ast.expr) -> Any:
    try:
        return scope.value(node)
    except Exception:
        return None


def rule(site: Site) -> Step:
    if isinstance(site.node, ast.BinOp):
        return _binop(site)
    if isinstance(site.node, ast.UnaryOp):
        return _unary(site)
    if isinstance(site.node, ast.Subscript):
        return _subscript(site)
    operation = node_attr(site.node)
    if operation in ELEMENTWISE:
        return _elementwise(site, ELEMENTWISE[operation])
    if operation in CALLS:
        return CALLS[operation](site)
    raise NoRule(operation or ast.unparse(site.node))


@dataclass(frozen=True)
class Path:
    """One way of a tensor through one line: its term of the gradient, and what to say on the way."""

    term: Term
    say: tuple[str, ...]  # backwards, from the line's result to the tensor
    kinds: tuple[str, ...] = ()  # of the operations, by the type of their node


def paths(tensor: str, shape: Shape, line: str, code: str, scope: Scope, loss: bool) -> list[Path]:
    """Every way of a tensor through one forward line. NoRule where the table doesn't know an operation."""
    assign = ast.parse(code.strip()).body[0]
    assert isinstance(assign, ast.Assign)
    out = scope.shape(assign.value)
    first = 1 if len(shape) == 1 and len(out) > 1 else 0  # b[j], where the result is [i,j]
    start: Index = tuple(number(0) if n == 1 else name(LETTERS[first + k]) for k, n in enumerate(shape))
    used = {write(x) for x in start}
    found = []
    for way in ways(assign.value, tensor, scope):
        fresh = iter(x for x in LETTERS if x not in used)
        index, sign = start, 1
        factors: list[ast.expr] = []
        sums: list[Sum] = []
        where: list[ast.expr] = []
        named: dict[str, Named] = {}
        say = []
        for child, node in itertools.pairwise(way):
            step = rule(Site(scope, node, child, index, line if node is way[-1] else None, fresh))
            index, sign = step.index, sign * step.sign
            factors += step.factors
            sums += step.sums
            where += step.where
            named |= step.named
            say.append(step.say)
        term = Term(tensor, start, line, index, sign, tuple(factors), tuple(sums), tuple(where), named, loss)
        kinds = tuple(type(getattr(n, "op", n)).__name__ for n in way[1:])
        found.append(Path(term, tuple(dict.fromkeys(s for s in reversed(say) if s)), kinds))
    return found
