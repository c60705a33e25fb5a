"""A function's text, and changes of it: edits that leave all other characters, and lines, where they were."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from grader.core import parsing
from grader.core.finding import Code, Finding
from grader.core.text import text as harmless

QUOTED = 48  # characters of an expression that are shown
LIBRARIES = frozenset(("torch", "F", "math", "np", "numpy", "nn"))


@dataclass(frozen=True)
class Edit:
    """The bytes from start to end, replaced."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Change:
    """Edits that make one change, and what it says of the code that needs it. rank: the least is told."""

    edits: tuple[Edit, ...]
    finding: Finding
    rank: int
    asks: tuple[str, ...] = ()  # names that it uses

    def apart(self, other: Change) -> bool:
        return all(a.end <= b.start or b.end <= a.start for a in self.edits for b in other.edits)

    def erases(self, other: Change) -> bool:
        """Whether it writes anew what the other changes a part of."""
        return any(
            a.start <= b.start and b.end <= a.end and a.end - a.start > b.end - b.start
            for a in self.edits
            for b in other.edits
        )


@dataclass(frozen=True)
class About:
    """What a function may ask for, by name. shapes: of floating tensors and gradients, the lecture's.

    wanted: the stub's own parameters. sizes, whole, masks: names of sizes, of integer and of boolean tensors.
    tensor: whose gradient it gives. numbers: those in the forward lines between, as they are written there.
    fields: of an output's function, the attributes that its objects have.
    """

    shapes: Mapping[str, tuple[int, ...]]
    wanted: Sequence[str]
    sizes: Sequence[str]
    whole: Collection[str] = ()
    masks: Collection[str] = ()
    tensor: str = ""
    numbers: Sequence[str] = ()
    fields: Sequence[str] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.shapes or name in self.sizes or name in self.whole or name in self.masks


class Source:
    """One function as text and tree."""

    def __init__(self, text: str, about: About, lines: Sequence[int] = ()) -> None:
        """lines: by line of the text, from 1, that of the submission; without them it is the text's own."""
        self.data, self.about, self.lines = text.encode(), about, lines
        node = parsing.module(text).body[-1]
        if isinstance(node, ast.ClassDef):  # with one method
            node = node.body[-1]
        assert isinstance(node, ast.FunctionDef)
        self.function = node

    @cached_property
    def starts(self) -> list[int]:
        """By line, from 0, its first byte."""
        found = [0]
        for line in self.data.splitlines(keepends=True):
            found.append(found[-1] + len(line))
        return found

    @cached_property
    def body(self) -> list[ast.stmt]:
        """The statements that do something."""
        first, *rest = self.function.body
        docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        return rest if docstring and rest else self.function.body

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return [n for statement in self.body for n in ast.walk(statement)]

    @cached_property
    def parents(self) -> dict[int, ast.AST]:
        return {id(c): n for n in self.nodes for c in ast.iter_child_nodes(n)}

    @cached_property
    def params(self) -> list[str]:
        args = self.function.args
        return [a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)]

    @cached_property
    def kept(self) -> frozenset[str]:
        """Parameters whose default is a list, a set or a dict: one for all calls."""
        args = self.function.args
        pairs = zip(reversed(args.args), reversed(args.defaults), strict=False)
        return frozenset(p.arg for p, d in pairs if isinstance(d, ast.List | ast.Dict | ast.Set | ast.Call))

    @cached_property
    def switches(self) -> frozenset[str]:
        """Parameters that are on or off: by their default, or since they are only asked for their truth."""
        args = self.function.args
        defaults = zip(reversed(args.args), reversed(args.defaults), strict=False)
        found = {p.arg for p, d in defaults if isinstance(d, ast.Constant) and type(d.value) is bool}
        tests = [n.test for n in self.nodes if isinstance(n, ast.If | ast.IfExp | ast.While)]
        tests += [t.operand for t in tests if isinstance(t, ast.UnaryOp) and isinstance(t.op, ast.Not)]
        asked = {id(t) for t in tests}
        reads = [n for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        for name in {n.id for n in reads if id(n) in asked} & set(self.params):
            if all(id(n) in asked for n in reads if n.id == name):
                found.add(name)
        return frozenset(found)

    @cached_property
    def local(self) -> frozenset[str]:
        return frozenset(n.id for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))

    @cached_property
    def scope(self) -> list[str]:
        """The names of its values: its parameters, and what it assigns, but in comprehensions."""
        inner = {id(t) for n in self.nodes if isinstance(n, ast.comprehension) for t in ast.walk(n.target)}
        stored = [n for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        return list(dict.fromkeys([*self.params, *(n.id for n in stored if id(n) not in inner)]))

    @cached_property
    def turns(self) -> list[str]:
        """The variables of its loops."""
        return [n.target.id for n in self.nodes if isinstance(n, ast.For) and isinstance(n.target, ast.Name)]

    @cached_property
    def blocks(self) -> list[list[ast.stmt]]:
        """The lists of statements in it, outermost first."""
        found = [self.function.body]
        for n in self.nodes:
            found += [
                b for f in ("body", "orelse", "finalbody") if isinstance(b := getattr(n, f, None), list)
            ]
        return [b for b in found if b]

    @cached_property
    def loads(self) -> list[ast.Name]:
        """The places where a name is read that the function may ask for."""
        names = [n for n in self.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
        return [n for n in names if n.id in self.about and n.id not in self.local]

    @property
    def sizes(self) -> frozenset[str]:
        return frozenset(self.about.sizes)

    @cached_property
    def used(self) -> list[str]:
        return list(dict.fromkeys(n.id for n in self.loads))

    @cached_property
    def values(self) -> list[ast.expr]:
        """The expressions that are computed with: no called function's name, no index, no keyword."""
        skipped: set[int] = set()
        for n in self.nodes:
            if isinstance(n, ast.Call):
                skipped.add(id(n.func))
                if isinstance(n.func, ast.Attribute) and getattr(n.func.value, "id", "") in LIBRARIES:
                    skipped.add(id(n.func.value))
                skipped |= {id(c) for k in n.keywords for c in ast.walk(k.value)}
            elif isinstance(n, ast.Subscript):
                skipped |= {id(c) for c in ast.walk(n.slice)}
            elif isinstance(n, ast.For | ast.comprehension):
                skipped |= {id(c) for c in ast.walk(n.iter)} | {id(c) for c in ast.walk(n.target)}
        kept = [n for n in self.nodes if isinstance(n, ast.expr) and id(n) not in skipped]
        return [n for n in kept if not isinstance(getattr(n, "ctx", None), ast.Store)]

    @cached_property
    def returned(self) -> list[ast.expr]:
        return [n.value for n in self.nodes if isinstance(n, ast.Return) and n.value is not None]

    def compared(self, node: ast.AST) -> bool:
        """Whether a node is a part of what is compared: another would often do as well there."""
        inner = self.parents.get(id(node))
        while inner is not None and (parent := self.parents.get(id(inner))) is not None:
            if isinstance(parent, ast.Compare):
                return True
            inner = parent
        return False

    def span(self, node: ast.AST) -> tuple[int, int]:
        line, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        return self.starts[line - 1] + node.col_offset, self.starts[end - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def line(self, node: ast.AST) -> int | None:
        number = getattr(node, "lineno", None)
        if number is None or not self.lines:
            return number
        return self.lines[number - 1] if number <= len(self.lines) else None

    def quoted(self, node: ast.AST) -> str:
        """A piece as it is written, on one line; what is long by its place alone."""
        written = " ".join(self.text(node).split())
        if len(written) > QUOTED or "`" in written:
            return f"what is on line {self.line(node)}"
        return written if written.isidentifier() else f"`{harmless(written)}`"

    def within(self, node: ast.AST, *kinds: type[ast.AST]) -> bool:
        """Whether it stands in one of these, of this function."""
        above = self.parents.get(id(node))
        return above is not None and (isinstance(above, kinds) or self.within(above, *kinds))

    def put(self, node: ast.AST, new: str) -> Edit:
        return Edit(*self.span(node), f"({new})")

    def edit(self, node: ast.AST, new: str) -> Edit:
        """What stands at a node, replaced as it is, without brackets."""
        return Edit(*self.span(node), new)

    def change(
        self, node: ast.AST, new: str | Sequence[Edit], code: Code, told: str, rank: int, *asks: str
    ) -> Change:
        """One change at a node, by what stands there afterwards or by edits, with what is said of it."""
        edits = (self.put(node, new),) if isinstance(new, str) else tuple(new)
        spot = self.text(node) if isinstance(node, ast.expr) else ""
        return Change(edits, Finding(code, told, line=self.line(node), spot=spot), rank, asks)

    def rewritten(self, node: ast.AST, code: Code, told: str, rank: int) -> Change:
        """The change that its tree has at this moment, and that is taken back afterwards; of a node."""
        indent = "\n" + " " * self.function.col_offset
        new = ast.unparse(self.function).replace("\n", indent)
        return self.change(node, [Edit(*self.span(self.function), new)], code, told, rank)

    def changed(self, *changes: Change, until: Sequence[Edit] = ()) -> str:
        """The function's text with changes that are apart, its parameters what it then asks for.

        until: edits that end it early.
        """
        edits = [*until, *(e for c in changes for e in c.edits)]
        more = dict.fromkeys(
            n for c in changes for n in c.asks if n not in self.params and n not in self.local
        )
        if more:
            edits.append(self._parameters(more))
        data = self.data
        for e in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
            data = data[: e.start] + e.new.encode() + data[e.end :]
        return data.decode()

    def joined(self, a: Change, b: Change) -> tuple[Edit, ...] | None:
        """The edits of both; what one changes within what the other writes anew is changed there.

        None where they overlap otherwise.
        """
        found: list[Edit] = []
        for e in sorted((*a.edits, *b.edits), key=lambda e: e.start - e.end):  # the widest first
            over = [o for o in found if o.start < e.end and e.start < o.end]
            if over:
                (o, *more), old = over, self.data[e.start : e.end].decode()
                if more or not (o.start <= e.start and e.end <= o.end):
                    return None
                places = list(re.finditer(rf"(?<!\w){re.escape(old)}(?!\w)", o.new))
                if len(places) != 1:
                    return None
                start, end = places[0].span()
                found.remove(o)
                e = Edit(o.start, o.end, o.new[:start] + e.new + o.new[end:])
            found.append(e)
        return tuple(found)

    def both(self, a: Change, b: Change) -> Change:
        """Two changes that can be joined as one, without words for it."""
        return Change(self.joined(a, b) or (), a.finding, a.rank + b.rank, (*a.asks, *b.asks))

    def _parameters(self, more: Collection[str]) -> Edit:
        args = self.function.args
        first = next(iter((*args.posonlyargs, *args.args)), None)
        if first is not None:
            at, _ = self.span(first)
            return Edit(at, at, "".join(f"{name}, " for name in more))
        at = self.data.index(b"(", self.starts[self.function.lineno - 1]) + 1
        return Edit(at, at, ", ".join(more) + (", " if args.kwonlyargs or args.vararg else ""))


def is_number(node: ast.AST, *values: float) -> bool:
    """Whether a node is a number, one of `values` where there are some."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant) and is_number(node.operand, *(-v for v in values))
    number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return number and (not values or node.value in values)  # type: ignore[attr-defined]


def names_in(node: ast.AST) -> Iterator[str]:
    return (n.id for n in ast.walk(node) if isinstance(n, ast.Name))


def method(node: ast.AST) -> str:
    """The name of a called function or method; nothing of another node."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def subject(node: ast.Call) -> ast.expr | None:
    """What a call works on: x of x.sum(0), of torch.sum(x, 0), of F.softmax(x, 1)."""
    if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in LIBRARIES:
        return node.func.value
    return node.args[0] if node.args and not isinstance(node.args[0], ast.Starred) else None
