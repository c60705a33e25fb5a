"""Where a rule stands: one operation on the way of a tensor's element to the loss, and what it answers."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from grader.authoring.hints.notation import (
    Index,
    Named,
    Sum,
    binary,
    call,
    element,
    evaluate,
    name,
    number,
    write,
)

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
        return shape_of(value.values if is_pair(value) else value)

    def size(self, node: ast.expr, axis: int) -> ast.expr:
        """How many there are along an axis: by name if the forward program has one for it, else a number."""
        small, said = self.shape(node)[axis], self.shape(node, lecture=True)[axis]
        for known, value in self.small.items():
            if isinstance(value, int) and value == small and self.lecture.get(known) == said:
                return name(known)
        return call("size", node, number(axis), number(said))


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
        f"{site.x} is {times(before)} and the result {times(after)}: it was broadcast, so each of its "
        f"numbers was used {copies} times along {what}. Contributions of all uses add up: a broadcast "
        f"forwards is a sum over the same axis backwards."
    )


def times(shape: Shape) -> str:
    """A shape as it is written: 32×27, (64,), scalar."""
    return "×".join(map(str, shape)) if len(shape) > 1 else f"({shape[0]},)" if shape else "scalar"


def arguments(node: ast.expr, names: tuple[str, ...], operands: int) -> dict[str, Any]:
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


def leading(site: Site) -> int:
    """How many positional arguments of a call are operands: 1 of torch.sum(x, 0), 0 of x.sum(0)."""
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return 1 if isinstance(site.scope.value(node.func.value), ModuleType) else 0


def operation(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else ""
