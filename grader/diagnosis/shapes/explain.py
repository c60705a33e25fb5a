"""What made an answer's shape wrong: the operation, found in the trace of the learner's function.

`explain` speaks only where the trace ends in the very shapes, or in the very refusal of torch, that came on
every fixture.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.core.finding import Code, Finding
from grader.core.text import text as harmless
from grader.diagnosis.shapes.rules import REDUCTIONS as REDUCING
from grader.diagnosis.shapes.trace import PRODUCTS, Event, Trace, function, trace
from grader.diagnosis.shapes.values import Shape

REDUCTIONS = 6  # that are tried with another dim or keepdim, the last ones
QUOTED = 60  # characters of an expression that are shown
SHAPES = re.compile(r"size of tensor|shapes cannot be multiplied|is invalid for input of size|expanded size")


# --- what to say -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Came:
    """What came on one fixture. given: as for `trace`. message: torch's, and its line, where it refused."""

    given: Mapping[str, Any]
    wanted: Shape
    shape: Shape | None
    message: str = ""
    line: int | None = None


def explain(source: bytes, name: str, evidence: Sequence[Came], advise: bool = True) -> Finding | None:
    """Which operation made the shape that came, or which one torch refused; None where that isn't certain.

    The evidence is the lecture's fixture first, and others; one alone tells only of a width that varies.
    advise: say what would make it right, too; not where a diagnosis does.
    """
    tree = function(source, name)
    if tree is None or not evidence:
        return None
    if len(evidence) < 2:
        return _one_hot(source, tree, evidence)
    traces = [trace(tree, e.given) for e in evidence]
    followed = [t for t in traces if t is not None]
    if len(followed) < len(evidence):
        return _one_hot(source, tree, evidence)
    if all(t.clash for t in followed):
        return _clash(source, followed, evidence)
    if any(t.clash or t.shape != e.shape or not t.events for t, e in zip(followed, evidence, strict=True)):
        return None
    first = followed[0]
    nodes = [e.node for e in first.events]
    if any([e.node for e in t.events] != nodes for t in followed):
        return None
    for event in [e for e in reversed(first.events) if e.reduced][:REDUCTIONS]:
        if told := _reduction(source, tree, event, evidence, advise):
            return replace(told, spot=_spot(source, event.node))
    last = first.events[-1]
    return replace(_last(source, last, evidence, len(first.shape or ())), spot=_spot(source, last.node))


def _last(source: bytes, last: Event, evidence: Sequence[Came], ndim: int) -> Finding:
    """The operation that an answer of `ndim` axes came from."""
    code = _code(source, last.node)
    if isinstance(last.node, ast.BinOp) and not isinstance(last.node.op, ast.MatMult):
        return Finding(Code.BROADCAST, f"broadcast to {last.after} by {code}: {_listed(last.before)}")
    made = Finding(Code.WRONG_SHAPE, f"{code} makes it of {_listed(last.before)}")
    if short := _short(evidence):
        return Finding(Code.PLACES_MISSING, f"{made.text}; {short}")
    if last.reduced and ndim != len(evidence[0].wanted):
        return _drops(code, last)
    return made


def drops(source: bytes, name: str) -> bool:
    """Whether a function reduces along an axis without keepdim; yes where its text isn't at hand."""
    tree = function(source, name)
    return tree is None or any(isinstance(n, ast.Call) and _without_keepdim(n) for n in ast.walk(tree))


def _without_keepdim(call: ast.Call) -> bool:
    named = {k.arg for k in call.keywords}
    known = isinstance(call.func, ast.Attribute) and call.func.attr in REDUCING
    return known and bool(call.args or named) and not named & {"keepdim", "keepdims"}


def _short(evidence: Sequence[Came]) -> str:
    """The one axis that lacks places, where all others are as they should be on every fixture."""
    axes = set()
    for e in evidence:
        if e.shape is None or len(e.shape) != len(e.wanted):
            return ""
        pairs = list(zip(e.shape, e.wanted, strict=True))
        off = [k for k, (came, wanted) in enumerate(pairs) if came != wanted]
        if len(off) != 1 or not 1 < e.shape[off[0]] < e.wanted[off[0]]:
            return ""
        axes.add(off[0])
    if len(axes) != 1:
        return ""
    axis = axes.pop()
    came, wanted = evidence[0].shape, evidence[0].wanted
    return f"axis {axis} has {came[axis] if came else 0} of its {wanted[axis]} places"


def _one_hot(source: bytes, tree: ast.FunctionDef, evidence: Sequence[Came]) -> Finding | None:
    """A one_hot that is not told how wide to be, on the line that torch refused: its width varies."""
    message, line = evidence[0].message, evidence[0].line or 0
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and n.lineno <= line <= (n.end_lineno or 0)]
    for call in calls if "size of tensor" in message else []:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called == "one_hot" and len(call.args) == 1 and not call.keywords:
            code = _code(source, call).removesuffix(f" on line {line}")
            said = f"{code} is only as wide as its largest index asks: num_classes sets its width"
            return Finding(Code.ONE_HOT_WIDTH, said, spot=_spot(source, call))
    return None


def _reduction(
    source: bytes, tree: ast.FunctionDef, event: Event, evidence: Sequence[Came], advise: bool
) -> Finding | None:
    """A reduction that would give the wanted shape everywhere with keepdim, or along another dim."""
    assert event.reduced
    dim, keepdim = event.reduced
    code = _code(source, event.node)

    def right(change: tuple[Any, bool]) -> bool:
        again = (trace(tree, e.given, {event.node: change}) for e in evidence)  # mostly the first is wrong
        return all(t is not None and t.shape == e.wanted for t, e in zip(again, evidence, strict=True))

    if dim is not None and not keepdim and right((dim, True)):
        found = _drops(code, event)
        return replace(found, text=f"{found.text}: keepdim=True keeps it") if advise else found
    ndim = len(event.before[0])
    if (
        type(dim) is int
        and len(others := [d for d in range(ndim) if d != dim % ndim and right((d, keepdim))]) == 1
    ):
        where = f", where axis {others[0]} has to go" if advise else ""
        return Finding(Code.WRONG_AXIS, f"{code} goes along axis {dim % ndim} of {event.before[0]}{where}")
    return None


def _drops(code: str, event: Event) -> Finding:
    assert event.reduced
    (shape, *_), (dim, keepdim) = event.before, event.reduced
    if dim is None:
        return Finding(Code.ALL_REDUCED, f"{code} goes over all of {shape}")
    dims = [d % max(len(shape), 1) for d in (dim if isinstance(dim, tuple) else (dim,))]
    axes = f"{'axis' if len(dims) == 1 else 'axes'} {' and '.join(map(str, dims))}"
    if keepdim:
        return Finding(Code.WRONG_AXIS, f"{code} goes along {axes} of {shape}")
    return Finding(Code.AXIS_DROPPED if len(dims) == 1 else Code.AXES_DROPPED, f"{code} drops {axes}")


def _clash(source: bytes, traces: Sequence[Trace], evidence: Sequence[Came]) -> Finding | None:
    """The operands that torch refused, where its own messages have their sizes."""
    clashes = [t.clash for t in traces if t.clash]
    node = clashes[0].node
    for clash, e in zip(clashes, evidence, strict=True):
        there = node.lineno <= (e.line or 0) <= (node.end_lineno or 0)
        if clash.node is not node or not there or not SHAPES.search(e.message):
            return None
        sizes = {d for shape in clash.before for d in shape} | {math.prod(s) for s in clash.before}
        if not {int(n) for n in re.findall(r"\((\d+)\)", e.message)} <= sizes:
            return None
    code = _code(source, node).removesuffix(f" on line {evidence[0].line}")  # which the error says itself
    turned = _turned(source, node, clashes, evidence)
    said = f"{code} has {_listed(clashes[0].before)}{turned}"
    return Finding(Code.SHAPES_CLASH, said, spot=_spot(source, node))


def _turned(source: bytes, node: ast.expr, clashes: Sequence[Event], evidence: Sequence[Came]) -> str:
    """Which operand of a matrix product, turned, would make the wanted shape, if just one would."""
    pairs = [c.before for c in clashes]
    operands: list[ast.expr] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        operands = [node.left, node.right]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PRODUCTS:
        operands = [node.func.value, *node.args][-2:]
    if not operands or any(len(shapes) != 2 or any(len(s) != 2 for s in shapes) for shapes in pairs):
        return ""
    wanted = [e.wanted for e in evidence]
    left = all(a[0] == b[0] and (a[1], b[1]) == w for (a, b), w in zip(pairs, wanted, strict=True))
    right = all(a[1] == b[1] and (a[0], b[0]) == w for (a, b), w in zip(pairs, wanted, strict=True))
    if left == right:
        return ""
    what = ast.get_source_segment(source.decode("utf-8", "replace"), operands[0 if left else 1]) or ""
    name = harmless(what) if what.isidentifier() else f"the {'first' if left else 'second'}"
    return f": they would fit with {name} transposed"


def _listed(shapes: Sequence[Shape]) -> str:
    *first, last = map(str, shapes)
    return f"{', '.join(first)} and {last}" if first else last


def _spot(source: bytes, node: ast.expr) -> str:
    return ast.get_source_segment(source.decode("utf-8", "replace"), node) or ""


def _code(source: bytes, node: ast.expr) -> str:
    """An expression as it is written, and its line; what is long is called by its place alone."""
    text = _spot(source, node)
    text = harmless(" ".join(text.split()), QUOTED + 1)
    if not text or len(text) > QUOTED or "`" in text:
        return f"what stands on line {node.lineno}"
    return f"`{text}` on line {node.lineno}"
