"""An authored file, read as text: its statement, forward program and items. Pure; no torch, no file.

`read(source)` is the only way in. It raises AuthoredError, one line naming file, line and repair.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields
from functools import cached_property

from grader.authoring import read_outputs
from grader.authoring.item import AuthoredError as AuthoredError
from grader.authoring.item import Item as Item
from grader.authoring.item import Source
from grader.core.exercise import Exercise, Gradient, Line, Output
from grader.core.graph import downstream

RUNGS = ("concept", "shapes", "example", "formula")  # of an item's ladder of hints


@dataclass(frozen=True)
class Authored:
    """An authored file taken apart. `program` is its text without the items: nothing of a solution."""

    title: str
    statement: str
    opening: str  # the statement's docstring as it is written
    program: str
    imports: str
    forward: str
    inputs: tuple[str, ...]
    lines: tuple[Line, ...]
    items: tuple[Item, ...]
    hints: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # what the author says himself
    blanks: tuple[str, ...] = ()  # of outputs: functions and classes without what is to be written
    source: str = ""  # the whole file, where it has outputs

    @cached_property
    def gradients(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if not item.compare)

    @property
    def outputs(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.compare)

    @cached_property
    def public(self) -> Exercise:
        """What a submission's process gets: all but the bodies, with no id and no fixtures yet."""
        return Exercise(
            id="",
            title=self.title,
            statement=self.statement,
            program=self.program,
            inputs=self.inputs,
            lines=self.lines,
            items=tuple(self._public(item) for item in self.items),
        )

    def _public(self, item: Item) -> Gradient | Output:
        if not item.compare:
            return Gradient(
                name=item.name,
                tensor=item.tensor,
                params=item.params,
                cut=tuple(sorted(self.cut(item))),
                siblings=self.siblings(item),
                available=(*self.available(item), *self.siblings(item)),
                doc=item.doc,
            )
        return Output(**{field.name: getattr(item, field.name) for field in fields(Output)})

    @cached_property
    def upstream(self) -> frozenset[str]:
        """The tensors whose gradients some item receives."""
        return frozenset(p[1:] for item in self.gradients for p in item.params if self.is_gradient(p))

    @cached_property
    def _tensors(self) -> frozenset[str]:
        return frozenset((*self.inputs, *(line.name for line in self.lines)))

    def is_gradient(self, param: str) -> bool:
        return param.startswith("d") and param[1:] in self._tensors

    def cut(self, item: Item) -> frozenset[str]:
        """The tensors whose upstream gradients the author's function receives."""
        reached = downstream(self.lines, item.tensor)
        return frozenset(p[1:] for p in item.params if self.is_gradient(p) and p[1:] in reached)

    def siblings(self, item: Item) -> tuple[str, ...]:
        """Gradients the author's function receives that don't lie between its tensor and the loss.

        dhprebn may use dbngain, since both are sums over the same dhpreact: it must receive one that
        agrees with the dhpreact it receives.
        """
        cut = self.cut(item)
        return tuple(p for p in item.params if self.is_gradient(p) and p[1:] not in cut)

    def available(self, item: Item) -> tuple[str, ...]:
        """The gradients that exist when the backward pass reaches this item, nearest to the loss first.

        Those of the items before it, those that arrive from outside the exercise, and dloss; of all
        these only the ones that lie between the item's tensor and the loss.
        """
        names = {other.tensor for other in self.gradients}
        before = {other.tensor for other in self.gradients[: self.gradients.index(item)]}
        outside = {t for t in self.upstream if t not in names}
        reached = downstream(self.lines, item.tensor)
        exists = (before | outside | {self.lines[-1].name}) & reached
        return tuple("d" + line.name for line in reversed(self.lines) if line.name in exists)


def read(source: str, filename: str) -> Authored:
    """Take an authored file apart; AuthoredError where it breaks a rule."""
    file = Source.parsed(source, filename)
    statement = ast.get_docstring(file.tree)
    if not statement:
        raise file.error("begin with a docstring, the exercise's statement")
    outputs = read_outputs.items(file)
    forward = file.definitions.get("forward")
    whole = isinstance(forward, ast.FunctionDef)
    if not isinstance(file.definitions.get("inputs"), ast.FunctionDef) or not (outputs or whole):
        raise file.error("needs the functions inputs(g, ...) and forward(...)")
    inputs, lines = network(source, filename) if whole else ((), ())
    gradients = _gradients(file, {*inputs, *(line.name for line in lines)}, outputs)
    items = (*outputs, *(_item(file, node) for node in gradients))
    if not items:
        raise file.error("has no item, a function d<name> for a tensor of forward: `grader new` adds them")
    theirs = {*read_outputs.listed(file, "CARRIED"), *(name for item in outputs for name in item.asks)}
    asked = [n for n in file.definitions.values() if n.name in theirs]
    return Authored(
        title=statement.splitlines()[0].rstrip("."),
        statement=statement,
        opening=ast.get_source_segment(source, file.tree.body[0]) or "",
        program=_without(file, [*gradients, *asked]),
        imports=_imports(file, asked),
        forward=file.lines(forward) if forward else "",
        inputs=inputs,
        lines=lines,
        items=items,
        hints=_hints(file, items),
        blanks=read_outputs.blanks(file, [n.name for n in asked]) if outputs else (),
        source=source if outputs else "",
    )


def network(source: str, filename: str) -> tuple[tuple[str, ...], tuple[Line, ...]]:
    """The arguments and lines of forward, of a file that has no items yet; AuthoredError without one."""
    file = Source.parsed(source, filename)
    forward = file.definitions.get("forward")
    if not isinstance(forward, ast.FunctionDef):
        raise file.error("write forward(…), one named tensor a line, or OUTPUTS and their functions")
    return tuple(a.arg for a in forward.args.args), _lines(file, forward)


def _gradients(file: Source, tensors: Set[str], outputs: Sequence[Item]) -> list[ast.FunctionDef]:
    """The functions d<name>, of tensors of forward."""
    taken = {*read_outputs.provided(file), *(n for item in outputs for n in (*item.asks, item.driver))}
    nodes = (n for whole in file.definitions.values() for n in ast.walk(whole))
    taken |= {ast.unparse(n.func) for n in nodes if isinstance(n, ast.Call)}  # a helper that inputs() calls
    found = []
    for node in file.definitions.values():
        if isinstance(node, ast.FunctionDef) and node.name[:1] == "d" and node.name[1:] in tensors:
            found.append(node)
        elif node.name.startswith("d") and node.name not in taken:
            raise file.error(f"{node.name} begins with d, and forward has no tensor {node.name[1:]}", node)
    if outputs and found:
        raise file.error(
            f"{found[0].name} is a gradient and {outputs[0].name} an output: put the gradients into an "
            "exercise of their own, another file of the set",
            found[0],
        )
    return found


def _without(file: Source, secret: Sequence[ast.stmt]) -> str:
    """The file's text without some definitions and the author's hints."""
    text = file.text.splitlines(keepends=True)
    hints = file.assignment("HINTS")
    for gone in sorted([*secret, *([hints] if hints else [])], key=lambda n: -n.lineno):
        del text[gone.lineno - 1 : gone.end_lineno]
    return "".join(text).rstrip() + "\n"


def _imports(file: Source, asked: Sequence[ast.stmt]) -> str:
    """The imports that a learner's file needs: all where it has forward, else those that are used, and torch
    where tensors are spoken of."""
    learners = [*asked, *(file.definitions[name] for name in read_outputs.provided(file))]
    return "\n".join(
        ast.unparse(n)
        for n in file.tree.body
        if isinstance(n, ast.Import | ast.ImportFrom)
        and not _ours(n)
        and ("forward" in file.definitions or _used(n, learners))
    )


def _hints(file: Source, items: Sequence[Item]) -> dict[str, dict[str, str]]:
    """HINTS = {"dx": {"concept": "...", "formula": "..."}}: rungs that go before the derived ones."""
    hints, node = file.literal("HINTS", {}), file.assignment("HINTS")
    names = [item.name for item in items]
    if not isinstance(hints, dict):
        raise file.error("HINTS is a dict by item", node)
    for item, rungs in hints.items():
        if item not in names:
            raise file.error(f"HINTS names {item!r}, which is no item", node)
        if not isinstance(rungs, dict) or not all(
            k in RUNGS and isinstance(v, str) and v.strip() for k, v in rungs.items()
        ):
            raise file.error(f"HINTS of {item}: a dict of {', '.join(RUNGS)} to texts", node)
    return {item: {k: _flowed(v) for k, v in rungs.items()} for item, rungs in hints.items()}


def _flowed(text: str) -> str:
    """A paragraph is one line; what is indented, as formulas are, stays as it is."""
    lines: list[str] = []
    for line in text.strip("\n").rstrip().split("\n"):
        if lines and all(part and part[0] != " " for part in (lines[-1], line)):
            lines[-1] += " " + line
        else:
            lines.append(line)
    return "\n".join(lines)


def _ours(node: ast.Import | ast.ImportFrom) -> bool:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return any(name.split(".")[0] == "grader" for name in names)


def _used(node: ast.Import | ast.ImportFrom, definitions: Sequence[ast.stmt]) -> bool:
    """Whether an import is of use to what the learner's file holds."""
    names = {(a.asname or a.name).split(".")[0] for a in node.names}
    loaded = {n.id for d in definitions for n in ast.walk(d) if isinstance(n, ast.Name)}
    loaded |= {"torch" for d in definitions if re.search(r"\btensors?\b", "".join(_docs(d)))}
    return bool(names & loaded) or isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _docs(definition: ast.stmt) -> Iterator[str]:
    for node in ast.walk(definition):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield ast.get_docstring(node) or ""


def _lines(file: Source, forward: ast.FunctionDef) -> tuple[Line, ...]:
    known = {a.arg for a in forward.args.args}
    lines: list[Line] = []
    body = forward.body[1:] if ast.get_docstring(forward) else forward.body
    for node in body[:-1]:
        match node:
            case ast.Assign([ast.Name(name)], value):
                loaded = [n.id for n in ast.walk(value) if isinstance(n, ast.Name)]
            case _:
                raise file.error("each line of forward names one tensor", node)
        if name in known:
            raise file.error(f"forward names {name} twice", node)
        code = file.code(node)
        lines.append(Line(name, code, tuple(dict.fromkeys(u for u in loaded if u in known))))
        known.add(name)
    if not body:
        raise file.error("forward has no lines", forward)
    last = body[-1]
    if not (isinstance(last, ast.Return) and lines and ast.unparse(last) == f"return {lines[-1].name}"):
        raise file.error("forward ends by returning its last tensor", last)
    return tuple(lines)


def _item(file: Source, node: ast.FunctionDef) -> Item:
    doc = ast.get_docstring(node)
    if not doc:
        raise file.error(f"{node.name} has no docstring, its task", node)
    if not read_outputs.begins_below(node):
        raise file.error(f"the body of {node.name} begins on a line after its docstring", node)
    header = file.text.splitlines()[node.lineno - 1 : node.body[0].end_lineno]
    return Item(
        name=node.name,
        tensor=node.name[1:],
        params=tuple(a.arg for a in node.args.args),
        doc=doc,
        source=file.lines(node),
        header="\n".join(header),
        line=node.lineno,
    )


def stub(authored: Authored) -> str:
    """The learner's file: statement, forward program, and every item with its body taken out."""
    head = f"{authored.opening}\n" + (f"\n{authored.imports}\n" if authored.imports else "")
    note = "# The forward pass, to read; the grader runs its own copy."
    parts = [f"{note}\n{authored.forward}"] if authored.forward else []
    parts += authored.blanks
    for item in authored.gradients:
        parts.append(f"{item.header}\n{read_outputs.unwritten('    ', item.name)}")
    return head + "".join(f"\n\n{part}\n" for part in parts)
