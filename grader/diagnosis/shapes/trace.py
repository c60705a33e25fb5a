"""The shapes inside a learner's function, followed from its text and the shapes it receives. Never runs it.

What isn't known is unknown, and so is all that depends on it: no trace rather than a guess.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.core.limits import MAX_NODES
from grader.diagnosis import syntax
from grader.diagnosis.shapes import rules, views
from grader.diagnosis.shapes.values import (
    Clash,
    Lost,
    Number,
    Pair,
    Shape,
    Tensor,
    axis,
    elementwise,
    integer,
    tensor,
)

RESHAPES_ITSELF = re.compile(r"^(t|squeeze|unsqueeze|transpose|swapaxes|resize|resize_as|set)_$")
PRODUCTS = ("matmul", "mm")
LIBRARIES = ("torch", "F", "nn", "torch.nn.functional", "nn.functional")
NO_SHAPE = ("dtype", "device", "requires_grad", "alpha")  # keywords


@dataclass(frozen=True)
class Event:
    """An operation that changed a shape. reduced: its dim and keepdim, if it is a reduction."""

    node: ast.expr
    before: tuple[Shape, ...]
    after: Shape
    reduced: tuple[Any, bool] | None = None


@dataclass(frozen=True)
class Trace:
    """shape: of what is returned. events: what made it, in order. clash: or what torch refuses."""

    shape: Shape
    events: tuple[Event, ...] = ()
    clash: Event | None = None


Change = Mapping[ast.AST, tuple[Any, bool]]  # reductions with another dim or keepdim


def function(source: bytes, name: str) -> ast.FunctionDef | None:
    """The function's tree; None where there is none, or a source that is too much."""
    found = {n.name: n for n in syntax.tree(source).body if isinstance(n, ast.FunctionDef)}.get(name)
    return found if found and sum(1 for _ in ast.walk(found)) <= MAX_NODES else None


def trace(tree: ast.FunctionDef, given: Mapping[str, Any], change: Change | None = None) -> Trace | None:
    """Follow a function. given: by parameter its Tensor, or a size. None where the trace is lost."""
    if tree.decorator_list:
        return None
    a = tree.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs]
    tracer = _Tracer({p.arg: given[p.arg] for p in named if p.arg in given}, change or {})
    try:
        result = tensor(tracer.run(tree.body))
    except _Refused as refused:
        return Trace((), (), refused.event)
    except (Lost, RecursionError, MemoryError, OverflowError):
        return None
    return Trace(result.shape, tuple(tracer.events[i] for i in sorted(result.story)))


class _Refused(Exception):
    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class _Tracer:
    """Values by name. A value is a Tensor, Number, Pair, int, bool, str, None, slice, or a tuple of such."""

    def __init__(self, names: dict[str, Any], change: Change) -> None:
        self.names, self.change = names, change
        self.local = set(names)  # what the function itself calls so, known or not
        self.events: list[Event] = []

    # --- statements

    def run(self, body: Sequence[ast.stmt]) -> Any:
        for statement in body:
            if isinstance(statement, ast.Return):
                return self.value(statement.value)
            self.statement(statement)
        raise Lost

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            value = self.attempt(node.value)
            for target in node.targets:
                self.assign(target, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.attempt(node.value))
        elif isinstance(node, ast.AugAssign):
            self.augmented(node)
        elif isinstance(node, ast.Expr):
            self.expression(node.value)
        elif isinstance(node, ast.For | ast.If | ast.While | ast.With):
            self.forget(node)
        elif not isinstance(node, ast.Pass | ast.Assert | ast.Import | ast.ImportFrom):
            raise Lost

    def expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if RESHAPES_ITSELF.match(node.func.attr):
                raise Lost
            self.attempt(node)

    def attempt(self, node: ast.expr) -> Any:
        """A value, or Lost itself as one."""
        try:
            return self.value(node)
        except Lost:
            return Lost

    def assign(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = value
            self.local.add(target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            fits = isinstance(value, tuple) and len(value) == len(target.elts)
            for k, part in enumerate(target.elts):
                self.assign(part, value[k] if fits else Lost)
        elif not isinstance(target, ast.Subscript):  # writing into a tensor leaves its shape
            raise Lost

    def augmented(self, node: ast.AugAssign) -> None:
        if not isinstance(node.target, ast.Name):
            if not isinstance(node.target, ast.Subscript):
                raise Lost
            return
        whole = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        was = self.attempt(node.target)
        value = self.attempt(whole)
        if isinstance(was, Tensor):  # in place: its shape stays, or torch refuses
            if isinstance(value, Tensor) and value.shape != was.shape:
                raise Lost
            value = was
        self.assign(node.target, value)

    def forget(self, block: ast.stmt) -> None:
        """Not followed: what a loop or a branch may assign is unknown after it."""
        for node in ast.walk(block):
            if isinstance(node, ast.Return | ast.FunctionDef | ast.ClassDef | ast.Global | ast.NamedExpr):
                raise Lost
            if isinstance(node, ast.Attribute) and (
                isinstance(node.ctx, ast.Store) or RESHAPES_ITSELF.match(node.attr)
            ):
                raise Lost
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                self.assign(ast.Name(node.id, ast.Store()), Lost)

    # --- expressions

    def value(self, node: ast.expr | None) -> Any:
        rule = EXPRESSIONS.get(type(node))
        if rule is None:
            raise Lost
        found = rule(self, node)
        if found is Lost:
            raise Lost
        return found

    def name(self, node: ast.Name) -> Any:
        if node.id not in self.names:
            raise Lost
        return self.names[node.id]

    def constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, float):
            return Number()
        if node.value is None or node.value is Ellipsis or isinstance(node.value, bool | int | str):
            return node.value
        raise Lost

    def sequence(self, node: ast.Tuple | ast.List) -> Any:
        return tuple(self.value(e) for e in node.elts)

    def slice(self, node: ast.Slice) -> Any:
        ends = [None if e is None else self.value(e) for e in (node.lower, node.upper, node.step)]
        if any(e is not None and type(e) is not int for e in ends) or (ends[2] or 1) < 1:
            raise Lost
        return slice(*ends)

    def unary(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.USub) and type(value) is int:
            return -value
        if isinstance(node.op, ast.Not):
            raise Lost
        return value if isinstance(value, Tensor | Number) else integer(value)

    def binary(self, node: ast.BinOp) -> Any:
        a, b = self.value(node.left), self.value(node.right)
        if type(a) is int and type(b) is int:
            return _whole_numbers(node.op, a, b)
        if isinstance(node.op, ast.MatMult):
            return self.made(node, rules.matmul, [a, b])
        kind = "f" if isinstance(node.op, ast.Div) else None
        return self.made(node, lambda *v: elementwise(*v, kind=kind), [a, b])

    def compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1 or not isinstance(
            node.ops[0], ast.Eq | ast.NotEq | ast.Lt | ast.LtE | ast.Gt | ast.GtE
        ):
            raise Lost
        values = [self.value(node.left), self.value(node.comparators[0])]
        return self.made(node, lambda *v: elementwise(*v, kind="b"), values)

    def subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.value(node.slice)
        if isinstance(value, tuple):
            if type(index) is not int or not -len(value) <= index < len(value):
                raise Lost
            return value[index]
        if isinstance(value, Pair) and index in (0, 1) and type(index) is int:
            return (value.values, value.indices)[index]
        parts = index if isinstance(node.slice, ast.Tuple) else (index,)
        parts = tuple(rules.nested(p) if isinstance(p, tuple) else p for p in parts)
        return self.made(node, lambda x, *_: views.indexed(x, parts), [value, *parts])

    def attribute(self, node: ast.Attribute) -> Any:
        value = self.value(node.value)
        if isinstance(value, Pair) and node.attr in ("values", "indices"):
            return getattr(value, node.attr)
        shape = tensor(value).shape
        if node.attr == "shape":
            return shape
        if node.attr == "ndim":
            return len(shape)
        if node.attr in ("T", "mT"):
            swap = views.t if node.attr == "T" else lambda x: views.transpose(x, -2, -1)
            return self.made(node, swap, [value])
        if node.attr == "data":
            return value
        raise Lost

    def call(self, node: ast.Call) -> Any:
        name, first = self.called(node.func)
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise Lost
        args = [*first, *(self.value(a) for a in node.args)]
        keywords = {k.arg: self.value(k.value) for k in node.keywords if k.arg and k.arg not in NO_SHAPE}
        if not first and isinstance(node.func, ast.Name):
            return _builtin(name, args, keywords)
        if name in ("size", "dim", "numel", "nelement") and isinstance(args[0], Tensor):
            return _measured(name, args, keywords)
        if name in ("max", "min") and len(args) == 2 and isinstance(args[1], Tensor):
            name = "maximum"
        if name in rules.REDUCTIONS:
            dim, keepdim = self.change.get(node) or rules.arguments(name, args[1:], keywords)
            wanted = dim, keepdim
            return self.made(node, lambda x: rules.reduction(name, x, dim, keepdim), args[:1], wanted)
        if name == "softmax" or name == "log_softmax":
            keywords.pop("dim", None)
        if name not in rules.RULES or set(keywords) - rules.KEYWORDS:
            raise Lost
        rule = rules.RULES[name]

        def apply(*values: Any) -> Any:
            try:
                return rule(*values, **keywords)
            except TypeError:  # other arguments than the rule knows
                raise Lost from None

        return self.made(node, apply, args)

    def called(self, func: ast.expr) -> tuple[str, list[Any]]:
        """A function's name, and the tensor whose method it is."""
        if isinstance(func, ast.Name) and func.id not in self.local:
            return func.id, []
        if not isinstance(func, ast.Attribute):
            raise Lost
        owner = ast.unparse(func.value) if isinstance(func.value, ast.Name | ast.Attribute) else ""
        if owner in LIBRARIES and owner.partition(".")[0] not in self.local:
            return func.attr, []
        return func.attr, [tensor(self.value(func.value))]

    def made(
        self,
        node: ast.expr,
        rule: Callable[..., Any],
        values: Sequence[Any],
        reduction: tuple[Any, bool] | None = None,
    ) -> Any:
        """What a rule makes of values, with their stories and, where the shape changed, one event more."""
        sources = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
        tensors = [v for v in sources if isinstance(v, Tensor)]
        before = tuple(v.shape for v in tensors)
        try:
            found = rule(*values)
        except Clash:
            raise _Refused(Event(node, before, ())) from None
        story = frozenset().union(*(v.story for v in tensors))
        if isinstance(found, Pair):
            self.events.append(Event(node, before, found.values.shape, reduction))
            story |= {len(self.events) - 1}
            return Pair(replace(found.values, story=story), replace(found.indices, story=story))
        if not isinstance(found, Tensor):
            return found
        if tensors and any(shape != found.shape for shape in before):
            self.events.append(Event(node, before, found.shape, reduction))
            story |= {len(self.events) - 1}
        return replace(found, story=story)


EXPRESSIONS: dict[type, Callable[[_Tracer, Any], Any]] = {
    ast.Name: _Tracer.name,
    ast.Constant: _Tracer.constant,
    ast.Tuple: _Tracer.sequence,
    ast.List: _Tracer.sequence,
    ast.Slice: _Tracer.slice,
    ast.UnaryOp: _Tracer.unary,
    ast.BinOp: _Tracer.binary,
    ast.Compare: _Tracer.compare,
    ast.Subscript: _Tracer.subscript,
    ast.Attribute: _Tracer.attribute,
    ast.Call: _Tracer.call,
}


def _whole_numbers(op: ast.operator, a: int, b: int) -> Any:
    if isinstance(op, ast.Div | ast.Pow):
        return Number()
    if isinstance(op, ast.FloorDiv | ast.Mod) and b == 0:
        raise Lost
    integer(a), integer(b)
    known: dict[type, Callable[[], int]] = {
        ast.Add: lambda: a + b,
        ast.Sub: lambda: a - b,
        ast.Mult: lambda: a * b,
        ast.FloorDiv: lambda: a // b,
        ast.Mod: lambda: a % b,
    }
    if type(op) not in known:
        raise Lost
    return known[type(op)]()


def _builtin(name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    if keywords or not args:
        raise Lost
    if name == "range":
        return rules.arange(*args)  # in an index it is one
    if name == "len" and isinstance(args[0], tuple):
        return len(args[0])
    if name == "len" and tensor(args[0]).shape:
        return args[0].shape[0]
    if name == "float" and isinstance(args[0], int | Number):
        return Number()
    if name == "int" and type(args[0]) is int:
        return args[0]
    raise Lost


def _measured(name: str, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    shape = args[0].shape
    if keywords or len(args) > 2:
        raise Lost
    if name == "size" and len(args) == 2 and not shape:
        raise Lost
    if name == "size":
        return shape if len(args) == 1 else shape[axis(args[1], len(shape))]
    return len(shape) if name == "dim" else math.prod(shape)
