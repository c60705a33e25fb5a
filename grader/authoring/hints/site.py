"""Where a rule stands: one operation on the way of a tensor's element to the loss, and what it answers."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from grader.authoring.hints.notation import Index, Named, Sum, code, element, evaluate, name, number, write
from grader.authoring.hints.simplify import simplified

Shape = tuple[int, ...]
FLAT = ("detach", "zeros_like", "ones_like", "full_like", "sign", "floor", "ceil", "round")  # no gradient


class NoRule(Exception):
    """The table has no rule for an operation, or not for this use of it."""


class Scope:
    """Values of a small run, and of others, the lecture's first, for the sizes that the text names."""

    def __init__(self, small: Mapping[str, Any], *others: Mapping[str, Any]) -> None:
        self.runs = small, *others
        self._values: dict[tuple[str, int], Any] = {}

    def value(self, node: ast.expr, run: int = 0) -> Any:
        key = ast.dump(node), run
        if key not in self._values:
            self._values[key] = evaluate(node, self.runs[run])
        return self._values[key]

    def shape(self, node: ast.expr, lecture: bool = False, run: int = 0) -> Shape:
        value = self.value(node, run or lecture)
        return shape_of(value.values if is_pair(value) else value)

    def size(self, node: ast.expr, axis: int) -> ast.expr:
        """How many there are along an axis: by name if one is right in all runs, else a number."""
        known = [k for k, v in self.runs[0].items() if isinstance(v, int)]
        sizes = []
        for run, values in enumerate(self.runs):
            sizes.append(self.shape(node, run=run)[axis])
            known = [k for k in known if values.get(k) == sizes[-1]]
        if known:
            return name(known[0])
        return code("size(node, axis, said)", node=node, axis=number(axis), said=number(sizes[1]))


def is_pair(value: Any) -> bool:
    return hasattr(value, "values") and hasattr(value, "indices") and isinstance(value, tuple)


def shape_of(value: Any) -> Shape:
    return tuple(getattr(value, "shape", ()))


def differentiable(value: Any) -> bool:
    value = value.values if is_pair(value) else value
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

    def run(self, axis: int) -> tuple[ast.expr, Sum]:
        """A fresh index that runs over all of an axis of the result."""
        return self.over(self.scope.size(self.node, axis))

    def over(self, size: ast.expr) -> tuple[ast.expr, Sum]:
        """A fresh index that runs over so many values."""
        letter = self.fresh()
        return letter, Sum(write(letter), size)

    def count(self, axes: Iterable[int]) -> ast.expr:
        """How many numbers the operand has along some axes."""
        return product(self.scope.size(self.child, a) for a in axes)

    def at(self, node: ast.expr, index: Index) -> ast.expr:
        """The element of an operand that meets the element `index` of the result."""
        shape = self.scope.shape(node)
        if not shape:
            return node
        met = index[len(index) - len(shape) :]
        own = tuple(
            number(0) if n == 1 and not isinstance(i, ast.Constant) else i
            for n, i in zip(shape, met, strict=True)
        )
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            return ast.BinOp(self.at(node.left, own), node.op, self.at(node.right, own))
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self.at(node.operand, own))
        return element(node, own)


def plus(node: ast.expr, more: int) -> ast.expr:
    if more == 0:
        return node
    return code("node + more" if more > 0 else "node - more", node=node, more=number(abs(more)))


def product(nodes: Iterable[ast.expr]) -> ast.expr:
    """1 of no factors."""
    found = list(nodes) or [number(1)]
    return functools.reduce(lambda a, b: code("a * b", a=a, b=b), found)


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


def spread(site: Site, say: str, derivative: str = "1", **operands: ast.expr) -> Step:
    """Elementwise with broadcasting: an axis that x lacks, or has once, is met by all of the result's.

    derivative: the local gradient, in the operands' elements, x itself and the result y.
    """
    before, after = site.before, site.after
    met = {axis: site.run(axis) for axis in _new_axes(before, after)}
    index = tuple(
        met[a][0] if a in met else site.index[a - len(after) + len(before)] for a in range(len(after))
    )
    if met:
        say = f"{say} {_replicated(site)}".strip()
    y = element(name(site.output), index) if site.output else site.at(site.node, index)
    known = {"x": site.at(site.child, index), "y": y, **{k: site.at(v, index) for k, v in operands.items()}}
    return followed(index, say, code(derivative, **known), tuple(total for _, total in met.values()))


def followed(
    index: Index,
    say: str,
    derivative: ast.expr,
    sums: tuple[Sum, ...] = (),
    named: Mapping[str, Named] | None = None,
) -> Step:
    """A step by its local gradient: the sign, the factors, and the conditions without which it is 0."""
    sign, factors, where, todo = 1, [], [], [simplified(derivative)]
    while todo:
        match todo.pop():
            case ast.UnaryOp(ast.USub(), operand):
                sign, todo = -sign, [*todo, operand]
            case ast.BinOp(left, ast.Mult(), right):
                todo += [right, left]
            case ast.BinOp(ast.UnaryOp() | ast.Call() as left, ast.Div(), right):
                todo += [code("1 / right", right=right), left]
            case ast.Call(ast.Name("hit"), [condition]):
                where.append(condition)
            case ast.Constant(int() | float() as value) if value < 0 or value == 1:
                sign, todo = (-sign if value < 0 else sign), [*todo, *([number(-value)] if value < 0 else [])]
            case factor:
                factors.append(factor)
    return Step(index, say, tuple(factors), sign, sums, tuple(where), named or {})


def _new_axes(before: Shape, after: Shape) -> list[int]:
    """The axes of `after` along which what has the shape `before` is broadcast."""
    padded = (-1,) * (len(after) - len(before)) + before
    return [a for a, (own, size) in enumerate(zip(padded, after, strict=True)) if own < 0 or own == 1 < size]


def _replicated(site: Site) -> str:
    before = site.scope.shape(site.child, lecture=True)
    after = site.scope.shape(site.node, lecture=True)
    axes = _new_axes(before, after)
    copies = math.prod(after[a] for a in axes)
    what = " and ".join(f"axis {a}" for a in axes)
    return (
        f"{site.x} is {times(before)} and the result {times(after)}: it was broadcast, so each of its "
        f"numbers was used {copies} times along {what}. Contributions of all uses add up: a broadcast "
        f"forwards is a sum over the same axis backwards."
    )


def times(shape: Shape) -> str:
    """A shape as it is written: 32×27, (64,), scalar."""
    return "×".join(map(str, shape)) if len(shape) > 1 else f"({shape[0]},)" if shape else "scalar"


def axes_said(axes: Iterable[int]) -> str:
    """axis 0; axes 0 and 1; axes 0, 2 and 3."""
    *rest, last = map(str, axes)
    return f"axes {', '.join(rest)} and {last}" if rest else f"axis {last}"


def constants(site: Site, *names: str) -> dict[str, Any]:
    """A call's constant arguments by name, after its operand; None for what is no constant."""
    out = {}
    for key, value in parts(site, "", *names).items():
        try:
            out["dim" if key == "axis" else key] = ast.literal_eval(value)
        except ValueError:
            out[key] = None
    return out


def parts(site: Site, *names: str) -> dict[str, ast.expr]:
    """A call's arguments by name, as they are written; the owner of a method first."""
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    given = node.args if leading(site) else [node.func.value, *node.args]
    return dict(zip(names, given, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}


def leading(site: Site) -> int:
    """How many positional arguments of a call are operands: 1 of torch.sum(x, 0), 0 of x.sum(0)."""
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return 1 if isinstance(site.scope.value(node.func.value), ModuleType) else 0


def operation(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else ""
