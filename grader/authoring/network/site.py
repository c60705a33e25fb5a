"""What a rule of the table is given: the step, what arrives at it, and the body that it writes into."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

from grader.authoring.hints.notation import code, filled, name, number
from grader.authoring.hints.simplify import simplified
from grader.authoring.network.sizes import Unknown
from grader.authoring.network.trace import Number, Step

Value = Callable[[Any], ast.expr]
Write = Callable[[Step, Value], ast.expr]
Fit = Callable[[Sequence[int]], ast.expr]


class NotWritten(Exception):
    """The table has no local gradient for this use of an operator."""


class Later(Exception):
    """The term is one of several slices, which are put together at the end."""


class Writer:
    """Expressions for steps: by name, or written out where they stand inside a line.

    fit: a number at each of the settings as an expression in the sizes. write: a step as an expression.
    """

    def __init__(self, fit: Fit, write: Write) -> None:
        self.fit, self.write = fit, write

    def value(self, what: Any) -> ast.expr:
        if isinstance(what, Step):
            return name(what.name) if not what.inline else self.write(what, self.value)
        if isinstance(what, Number):
            return copy.deepcopy(what.code)
        if isinstance(what, list):
            return ast.Tuple([self.value(w) for w in what], ast.Load())
        return ast.Constant(what)

    def line(self, step: Step) -> str:
        """`name = expression`."""
        return f"{step.name} = {ast.unparse(simplified(self.write(step, self.value)))}"

    def shape(self, step: Step) -> ast.expr:
        if step.name and not step.inline:
            return code("x.shape", x=name(step.name))
        return ast.Tuple([self.size(step, k) for k in range(len(step.shape))], ast.Load())

    def size(self, step: Step, axis: int) -> ast.expr:
        """How many there are along an axis: by a size's name where there is one."""
        try:
            return self.fit([s[axis] for s in step.shapes])
        except Unknown:
            return code("x.shape[axis]", x=self.value(step), axis=number(axis))

    def count(self, step: Step, axes: list[int]) -> ast.expr:
        if len(axes) > 2 and len(axes) == len(step.shape) and not step.inline:
            return code("x.numel()", x=self.value(step))
        node = self.size(step, axes[0]) if axes else number(1)
        for axis in axes[1:]:
            node = code("a * b", a=node, b=self.size(step, axis))
        if all(isinstance(n, ast.Constant | ast.BinOp | ast.operator) for n in ast.walk(node)):
            return number(math.prod(step.shape[a] for a in axes))
        return node


class Statements(Writer):
    """A body as it is written. tensor: whose gradient it is. taken: names that mean something else."""

    def __init__(self, fit: Fit, write: Write, tensor: Step, taken: set[str]) -> None:
        super().__init__(fit, write)
        self.tensor, self.taken = tensor, {*taken}
        self.statements: list[str] = []
        self.known: dict[str, ast.expr] = {}
        self.parts: list[tuple[Step, ast.expr, ast.expr]] = []  # slices: the step, where, what

    def let(self, wanted: str, value: ast.expr) -> ast.expr:
        """A statement that names a value; its name."""
        text = ast.unparse(simplified(value))
        if isinstance(value, ast.Name):
            return value
        if text in self.known:
            return self.known[text]
        free, k = wanted, 2
        while free in self.taken:
            free, k = f"{wanted}{k}", k + 1
        self.taken.add(free)
        self.statements.append(f"{free} = {text}")
        if "zeros" not in text:
            self.known[text] = name(free)
        return name(free)

    def change(self, target: ast.expr, where: ast.expr, sign: str, what: ast.expr) -> None:
        """The statement `target[where] sign what`."""
        cut = ast.Subscript(target, where, ast.Store())
        self.statements.append(f"{ast.unparse(cut)} {sign} {ast.unparse(simplified(what))}")

    def placed(self, site: Site, where: ast.expr) -> ast.expr:
        """What comes back through a slice: into its place among zeros."""
        if site.x is self.tensor:
            self.parts.append((site.step, where, site.dy))
            raise Later
        own = self.let("d" + site.x.name, code("torch.zeros(whole)", whole=self.shape(site.x)))
        self.change(own, where, "=", site.dy)
        return own


class Site:
    """Where a local gradient is written: the step, the argument that it is for, and what arrives."""

    def __init__(self, body: Statements, step: Step, arg: str, place: int, dy: ast.expr) -> None:
        self.body, self.step, self.arg, self.place, self.dy = body, step, arg, place, dy
        found = step.args[arg]
        self.x: Step = found[place] if isinstance(found, list) else found

    def raw(self, name: str, default: Any = None) -> Any:
        found = self.step.args.get(name)
        if isinstance(found, list):
            return [n.value if isinstance(n, Number) else n for n in found]
        return found.value if isinstance(found, Number) else default if found is None else found

    def has(self, name: str) -> bool:
        return isinstance(self.step.args.get(name), Step)

    def _parts(self, template: str, more: dict[str, ast.expr]) -> dict[str, ast.expr]:
        wanted = {n.id for n in ast.walk(ast.parse(template)) if isinstance(n, ast.Name)} - {*more}
        known = {**self.step.args, "y": self.step, "x": self.x}
        return {"dy": self.dy, **{k: self.body.value(v) for k, v in known.items() if k in wanted}, **more}

    def fill(self, template: str, **more: ast.expr) -> ast.expr:
        """A template with the step's arguments, its result and what arrives in their places."""
        return code(template, **self._parts(template, more))

    def let(self, name: str, value: ast.expr | str, **more: ast.expr) -> ast.expr:
        return self.body.let(name, self.fill(value, **more) if isinstance(value, str) else value)

    def own(self, value: str) -> ast.expr:
        """What the gradient begins with, under its own name."""
        return self.let(f"d{'x' if self.x.inline else self.x.name}", value)

    def do(self, template: str, **more: ast.expr) -> None:
        """A statement."""
        tree = filled(ast.parse(template), self._parts(template, more))
        self.body.statements += [ast.unparse(simplified(s)) for s in tree.body]

    def shape(self) -> ast.expr:
        return self.body.shape(self.x)

    def size(self, axis: int) -> ast.expr:
        return self.body.size(self.x, axis)

    def count(self, axes: list[int]) -> ast.expr:
        return self.body.count(self.x, axes)

    def dims(self) -> list[int]:
        """The axes that a reduction runs over, from the front."""
        n, found = len(self.x.shape), self.raw("dim")
        found = range(n) if found in (None, []) else [found] if isinstance(found, int) else found
        return sorted(d % n for d in found)

    def kept(self, node: ast.expr | None = None) -> ast.expr:
        """What arrives, with the axes that the reduction took away as axes of size 1."""
        node = self.dy if node is None else node
        axes = self.dims()
        if self.raw("keepdim") or is_number(node) or len(axes) == len(self.x.shape):
            return node
        for axis in axes:
            node = code("node.unsqueeze(axis)", node=node, axis=number(axis))
        return node


def is_number(node: ast.expr) -> bool:
    """Whether what arrives is a number, not a tensor: the loss's own gradient, with a factor."""
    return not any(isinstance(n, ast.Name) for n in ast.walk(node))


def axes_code(axes: Sequence[int]) -> ast.expr:
    return joined([number(a) for a in axes])


def joined(nodes: Sequence[ast.expr]) -> ast.expr:
    """What stands in brackets: one, or a tuple of several."""
    return nodes[0] if len(nodes) == 1 else ast.Tuple(list(nodes), ast.Load())


def along(axis: int, pick: ast.expr) -> ast.expr:
    """The subscript that picks along one axis, all of those before it."""
    return joined([*(ast.Slice() for _ in range(axis)), pick])


def summed(node: ast.expr, whole: tuple[int, ...], own: tuple[int, ...]) -> ast.expr:
    """A gradient of what was broadcast, summed over its copies."""
    more = len(whole) - len(own)
    if more:
        node = code("node.sum(axes)", node=node, axes=axes_code(range(more)))
    ones = [k for k, n in enumerate(own) if n == 1 < whole[more + k]]
    if ones:
        node = code("node.sum(axes, keepdim=True)", node=node, axes=axes_code(ones))
    return node
