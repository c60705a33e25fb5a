"""What made an answer's shape wrong: the operation, found in what torch did while the function ran. Pure.

The child tells what was done (`runner/untrusted/recording`), so it is material for words alone; `explain`
speaks only where it ends in the very shapes, or in the very refusal of torch, that came on every fixture.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from grader.core.finding import Code, Finding
from grader.core.text import listed
from grader.core.text import text as harmless
from grader.diagnosis import syntax
from grader.diagnosis.relations import broadcasts

Shape = tuple[int, ...]
QUOTED = 60  # characters of an expression that are shown
SHAPES = re.compile(r"size of tensor|shapes cannot be multiplied|is invalid for input of size|expanded size")
PRODUCTS = ("matmul", "mm")
REDUCING = frozenset(
    ("sum", "mean", "prod", "std", "var", "amax", "amin", "logsumexp", "argmax", "argmin", "max", "min")
) | {"all", "any"}


class Step(NamedTuple):
    """An operation. place: line, last line, column and last column in UTF-8. operands: of each tensor the
    number of the step that made it, or -1, and its shape. shape: of its result, None where torch refused.
    dims: the axes that it was told to go along.
    """

    name: str
    place: tuple[int, int, int, int]
    operands: tuple[tuple[int, Shape], ...]
    shape: Shape | None
    dims: tuple[int, ...] | None

    @property
    def before(self) -> tuple[Shape, ...]:
        return tuple(shape for _, shape in self.operands)

    @property
    def reduces(self) -> bool:
        return self.name in REDUCING and len(self.operands) == 1


@dataclass(frozen=True)
class Came:
    """What came on one fixture, and how. result: the step that made it. message: torch's, and its line, where
    it refused.
    """

    steps: Sequence[Step]
    result: int
    wanted: Shape
    shape: Shape | None
    message: str = ""
    line: int | None = None

    @property
    def refused(self) -> Step | None:
        return self.steps[-1] if self.steps and self.steps[-1].shape is None else None

    def events(self) -> list[Step]:
        """The steps that made the shape of the result, in order."""
        found, todo = set(), [self.result]
        while todo:
            number = todo.pop()
            if number >= 0 and number not in found:
                found.add(number)
                todo += [made for made, _ in self.steps[number].operands if made < number]
        return [s for s in (self.steps[n] for n in sorted(found)) if any(b != s.shape for b in s.before)]


def read(told: Any) -> tuple[int, list[Step]] | None:
    """The number of the step that made an answer, and all steps, from what a child tells; else None."""
    try:
        result, steps = told
        result = _whole(result)
        whole = [
            Step(
                str(name),
                _four(place),
                tuple((_whole(made), _shape(shape)) for made, shape in operands),
                None if shape is None else _shape(shape),
                None if dims is None else tuple(map(_whole, dims)),
            )
            for name, place, operands, shape, dims in steps
        ]
    except (TypeError, ValueError):
        return None
    made = [m for k, step in enumerate(whole) for m, _ in step.operands if not -1 <= m < max(k, 0)]
    return None if made or not -1 <= result < len(whole) else (result, whole)


def refuses(message: str) -> bool:
    """Whether an error is torch's of shapes that don't fit."""
    return bool(SHAPES.search(message))


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError
    return value


def _shape(value: Any) -> Shape:
    return tuple(map(_whole, value))


def _four(value: Any) -> tuple[int, int, int, int]:
    a, b, c, d = map(_whole, value)
    return a, b, c, d


class Words:
    """How steps are spoken of, with what the learner wrote. where: says a line's place: "on line 3"."""

    def __init__(self, source: bytes, where: Callable[[int], str]) -> None:
        self.lines, self.where = source.split(b"\n"), where

    def written(self, step: Step) -> str:
        """An expression, or a statement, as it stands."""
        line, last, column, end = step.place
        if not 0 < line <= last <= len(self.lines):
            return ""
        lines = self.lines[line - 1 : last]
        lines[-1] = lines[-1][:end]
        lines[0] = lines[0][column:]
        return b"\n".join(lines).decode("utf-8", "replace")

    def node(self, step: Step) -> ast.AST | None:
        parsed = syntax.tree(b"(" + self.written(step).encode() + b")").body
        return parsed[0].value if parsed and isinstance(parsed[0], ast.Expr) else None

    def code(self, step: Step, there: int | None = None) -> str:
        """What is written, and where; what is long by its place. there: a line spoken of already."""
        text = " ".join(self.written(step).split())
        place = self.where(step.place[0])
        if not text or len(text) > QUOTED or "`" in text:
            return f"what stands {place}"
        return f"`{harmless(text, QUOTED + 1)}`" + (f" {place}" if there != step.place[0] else "")


def explain(words: Words, evidence: Sequence[Came], advise: bool = True) -> Finding | None:
    """Which operation made the shape that came, or which one torch refused; None where that isn't certain.

    The evidence is the lecture's fixture first, and others; one alone tells only of a width that varies.
    advise: say what would make it right, too; not where a diagnosis does.
    """
    if evidence and (told := _one_hot(words, evidence[0])):
        return told
    if len(evidence) < 2:
        return None
    refused = [r for e in evidence if (r := e.refused)]
    if len(refused) == len(evidence):
        return _clash(words, refused, evidence, advise)
    if refused or any(e.result < 0 or e.steps[e.result].shape != e.shape for e in evidence):
        return None
    events = [e.events() for e in evidence]
    if any([s.place for s in one] != [s.place for s in events[0]] for one in events) or not events[0]:
        return None
    lasts = [one[-1] for one in events]
    last, code = lasts[0], words.code(lasts[0])
    node = words.node(last)
    if last.reduces:
        found = _reduction(code, lasts, evidence, advise)
    elif isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
        found = Finding(Code.BROADCAST, f"broadcast to {last.shape} by {code}: {listed(last.before)}")
    else:
        found = _made(code, last, evidence)
    return replace(found, spot=words.written(last))


def _made(code: str, step: Step, evidence: Sequence[Came]) -> Finding:
    made = f"{code} makes it of {listed(step.before)}"
    if short := _short(evidence):
        return Finding(Code.PLACES_MISSING, f"{made}; {short}")
    return Finding(Code.WRONG_SHAPE, made)


def _reduction(code: str, steps: Sequence[Step], evidence: Sequence[Came], advise: bool) -> Finding:
    """What a reduction lost, and whether keepdim or another axis would give the shape that is wanted."""
    step, wanted = steps[0], [e.wanted for e in evidence]
    (before,) = step.before
    if step.shape == () or step.dims is None:
        return Finding(Code.ALL_REDUCED, f"{code} goes over all of {before}")
    dims = [d % max(len(before), 1) for d in step.dims]
    kept = len(step.shape or ()) == len(before)
    keeping = [_reduced(s.before[0], dims, True) for s in steps]
    if len(dims) == 1:
        others = [
            d
            for d in range(len(before))
            if d != dims[0] and [_reduced(s.before[0], [d], kept) for s in steps] == wanted
        ]
        if len(others) == 1 and (kept or keeping != wanted):
            rest = f", where axis {others[0]} has to go" if advise else ""
            return Finding(Code.WRONG_AXIS, f"{code} goes along axis {dims[0]} of {before}{rest}")
    axes = f"{'axis' if len(dims) == 1 else 'axes'} {' and '.join(map(str, dims))}"
    if kept:
        return Finding(Code.WRONG_AXIS, f"{code} goes along {axes} of {before}")
    if keeping != wanted and all(len(w) == len(s.shape or ()) for s, w in zip(steps, wanted, strict=True)):
        return _made(code, step, evidence)
    what = Code.AXIS_DROPPED if len(dims) == 1 else Code.AXES_DROPPED
    rest = ": keepdim=True keeps it" if advise and keeping == wanted else ""
    return Finding(what, f"{code} drops {axes}{rest}")


def _reduced(shape: Shape, dims: Sequence[int], keepdim: bool) -> Shape:
    one = [1] if keepdim else []
    return tuple(n for k, d in enumerate(shape) for n in (one if k in dims else [d]))


def drops(source: bytes, name: str) -> bool:
    """Whether a function reduces along an axis without keepdim; yes where its text isn't at hand."""
    functions = [n for n in syntax.tree(source).body if getattr(n, "name", "") == name]
    return not functions or any(
        isinstance(n, ast.Call) and _without_keepdim(n) for n in ast.walk(functions[-1])
    )


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


def _one_hot(words: Words, e: Came) -> Finding | None:
    """A one_hot that is not told how wide to be, in what torch refused: its width varies."""
    if not e.refused or "size of tensor" not in e.message:
        return None
    for made in _makers(e):
        node = words.node(made) if made.name == "one_hot" else None
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            code = words.code(made, e.line)
            said = f"{code} is only as wide as its largest index asks: num_classes sets its width"
            return Finding(Code.ONE_HOT_WIDTH, said, spot=words.written(made))
    return None


def _makers(e: Came) -> Iterator[Step]:
    """What made the operands of the operation that torch refused, the last first."""
    todo = [made for made, _ in e.steps[-1].operands]
    seen: set[int] = set()
    while todo:
        number = todo.pop()
        if number >= 0 and number not in seen:
            seen.add(number)
            yield e.steps[number]
            todo += [made for made, _ in e.steps[number].operands]


def _clash(words: Words, refused: Sequence[Step], evidence: Sequence[Came], advise: bool) -> Finding | None:
    """The operands that torch refused, where its own messages have their sizes."""
    place = refused[0].place
    for step, e in zip(refused, evidence, strict=True):
        there = place[0] <= (e.line or 0) <= place[1]
        if step.place != place or not there or not refuses(e.message):
            return None
        sizes = {d for shape in step.before for d in shape} | {math.prod(s) for s in step.before}
        if not {int(n) for n in re.findall(r"\((\d+)\)", e.message)} <= sizes:
            return None
    code = words.code(refused[0], evidence[0].line)  # which the error says itself
    fit = _fit(words, refused, [e.wanted for e in evidence]) if advise else ""
    said = f"{code} has {listed(refused[0].before)}{fit and f': they would fit with {fit}'}"
    return Finding(Code.SHAPES_CLASH, said, spot=words.written(refused[0]))


def _fit(words: Words, refused: Sequence[Step], wanted: Sequence[Shape]) -> str:
    """What would make the wanted shape of two operands, if just one thing would: a transpose of a matrix
    product's, or axes of size 1 in another operation.
    """
    node = words.node(refused[0])
    operands: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        operands = [node.left, node.right]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PRODUCTS:
        operands = [node.func.value, *node.args][-2:]
    cases = [(*s.before, w) for s, w in zip(refused, wanted, strict=True)]
    if len(operands) != 2 or any(len(case) != 3 for case in cases):
        return ""
    if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
        told = [_widened(o, [(case[k], case[2]) for case in cases]) for k, o in enumerate(operands)]
        return "" if None in told else listed([t for t in told if t])
    if any(len(shape) != 2 for case in cases for shape in case):
        return ""
    written = zip(map(ast.unparse, operands), ("the first", "the second"), strict=True)
    a, b = (harmless(w) if w.isidentifier() else which for w, which in written)
    ways: dict[str, Callable[[Shape, Shape], tuple[Shape, Shape]]] = {
        f"{a} transposed": lambda x, y: (x[::-1], y),
        f"{b} transposed": lambda x, y: (x, y[::-1]),
        "their order reversed": lambda x, y: (y, x),
        f"{a} transposed, as the second": lambda x, y: (y, x[::-1]),
        f"{b} transposed, as the first": lambda x, y: (y[::-1], x),
    }

    def fits(first: Shape, second: Shape, wanted: Shape) -> bool:
        return first[1] == second[0] and (first[0], second[1]) == wanted

    found = [told for told, way in ways.items() if all(fits(*way(x, y), w) for x, y, w in cases)]
    return found[0] if len(found) == 1 else ""


def _widened(operand: ast.expr, cases: Sequence[tuple[Shape, Shape]]) -> str | None:
    """What gives an operand an axis of size 1 in the one place where it then broadcasts to the shape that is
    wanted; nothing where it does so as it is, None where no place, or several, would do.
    """

    axes = [k for k in range(len(cases[0][1])) if all(broadcasts((*s[:k], 1, *s[k:]), w) for s, w in cases)]
    if axes == [0] or all(broadcasts(*case) for case in cases):
        return ""
    named = isinstance(operand, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    code = f"`{harmless(ast.unparse(operand), QUOTED + 1)}.unsqueeze({axes[0]})`" if len(axes) == 1 else ""
    return code if named and 0 < len(code) <= QUOTED else None
