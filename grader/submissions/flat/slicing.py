"""Cuts the function of one item out of flat code's statements. Runs nothing of a submission."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.core.exercise import Gradient, Line
from grader.core.finding import Code as Kind
from grader.core.finding import Finding
from grader.submissions.flat.compared import TOLD
from grader.submissions.flat.dataflow import Flow, Slice
from grader.submissions.flat.rewriting import GRAD
from grader.submissions.flat.statements import Code


@dataclass
class Flat:
    """The functions that were cut out, as one tree; what was not found and what is refused, in words."""

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imported: set[int] = field(default_factory=set)  # the statements that import what they need
    imports: list[ast.stmt] = field(default_factory=list)
    missing: dict[str, tuple[Finding, int | None]] = field(default_factory=dict)  # why, and the line
    refused: dict[str, tuple[str, int]] = field(default_factory=dict)
    unknown: dict[str, tuple[str, int]] = field(default_factory=dict)  # what an item reads, and where
    notes: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)  # which loop changed a size
    forward: dict[str, list[str]] = field(default_factory=dict)  # the tensors whose lines an item is about
    lines: dict[str, tuple[ast.FunctionDef, str]] = field(
        default_factory=dict
    )  # those lines, cut, and in words
    whole: ast.FunctionDef | None = None  # all gradients of the parameters at once, for training
    afterwards: dict[str, str] = field(default_factory=dict)  # and which statement that was
    changed: dict[str, ast.FunctionDef] = field(default_factory=dict)  # what later statements made of some


@dataclass(frozen=True)
class Slicer:
    """Cuts the function of one item out of the statements."""

    code: Code
    flow: Flow
    guesses: Mapping[str, str]  # what an unknown name may be
    other: Mapping[str, int]  # where forward lines are that differ
    uses: Sequence[tuple[str, Sequence[str]]]  # each tensor of the program, and what its line reads

    def cut(self, item: Gradient, flat: Flat) -> None:
        name, own, flow = item.name, self.flow.called.get(item.tensor), self.flow
        if own is None or own not in flow.final:
            ours = flow.given.get(item.tensor, item.tensor)
            merged = f"not found: your {item.tensor} is what is called {ours} here, and its gradient d{ours}"
            alias = Finding(Kind.OTHER_NAME, merged), None
            flat.missing[name] = self._why_missing(name, own or name) if ours == item.tensor else alias
            return
        available = set(item.available)
        leaves = {name: a for name, a in flow.leaves.items() if a in available}
        end = flow.final[own]
        cut = flow.slice([own], end, leaves)
        flat.functions[name] = self._function(name, cut, leaves, ast.Name(own, ast.Load()), flat)
        about = {item.tensor, *cut.given.values()}
        flat.forward[name] = [
            t for t, uses in self.uses if t in self.other and (t in about or item.tensor in uses)
        ]
        if (after := flow.changed.get(own, -1)) > end:
            later = flow.slice([own], after, leaves, shared=True)
            flat.changed[name] = self._function(name, later, leaves, ast.Name(own, ast.Load()), flat)
            culprit = ast.unparse(self.code.statements[after].node).split("\n")[0][:60]
            flat.afterwards[name] = (
                f"`{culprit}` changes {own} after it was made: both names stand for one tensor, "
                "of which .clone() makes two"
            )
        upstream = {
            f"{p.removeprefix(GRAD)}.grad": leaves[p] for p in sorted(cut.passed) if p.startswith(GRAD)
        }
        copied = [g for i in (*cut.below, *cut.taken) for g in self.code.statements[i].grads]
        if first := next((g for g in copied if g[0] not in upstream), None):
            what, line = first
            flat.refused[name] = f"{what} is autograd's own: a gradient is to be written by hand", line
        if cut.unknown:
            unknown, line = cut.unknown
            guess = f"is it {self.guesses[unknown]}? " if unknown in self.guesses else ""
            flat.unknown[name] = (
                f"`{unknown}` is not known: {guess}--rename says what it is called here",
                line,
            )
        theirs = self.code.kept.get(own, own)
        notes = [f"found as {theirs}"] if theirs != name else []
        told = [c.tensor for c in self.code.compared if c.gradient == own and c.weight == TOLD]
        told = [t for t in told if f"d{flow.given.get(t, t)}" in flow.leaves.values()]
        if told and item.tensor not in (flow.given.get(t, t) for t in told):
            notes.append(f"the cmp holds it against the gradient of {told[-1]}, another tensor")
        flat.lost[name] = flow.lost(cut.taken)
        flat.notes[name] = "; ".join(
            (
                *notes,
                *(f"{what} is taken for the upstream gradient, {ours}" for what, ours in upstream.items()),
            )
        )

    def _why_missing(self, name: str, own: str) -> tuple[Finding, int | None]:
        """Why a gradient is not found, and the line that shows it: of a placeholder, or of a syntax error."""
        if line := self.flow.empty.get(own):
            return Finding(Kind.NOT_WRITTEN), line
        for broken in self.code.broken:
            before = [s.section for s in self.code.statements if s.node.lineno < broken.line]
            assigned = rf"^[ \t]*(?:\w+, *)*{own}\b[^=(\n]*=(?!=)"
            here = (before[-1:] or [self.flow.section]) == [self.flow.section]
            if here and re.search(assigned, broken.lost, re.MULTILINE):
                why = f"not found: its cell can't be read from a syntax error on ({broken.message})"
                return Finding(Kind.UNREADABLE, why), broken.line
        why = f"not found: nothing assigns {own}"
        if own != name:
            return Finding(Kind.ALIAS_NOT_ASSIGNED, f"{why}; {name} is called {own} here"), None
        return Finding(Kind.NOT_ASSIGNED, why), None

    def cut_line(self, line: Line, own: str, flat: Flat) -> None:
        """The learner's own forward line of a tensor of ours, which they call `own`, where it may differ."""
        node = self.code.statements[end := self.other[line.name]].node
        cut = self.flow.slice([own], end, {})
        told = f"your forward line `{ast.unparse(node)[:100]}` is not `{line.code}`, whose gradient is graded"
        name = f"_forward_{line.name}"
        flat.lines[line.name] = self._function(name, cut, {}, ast.Name(own, ast.Load()), flat), told

    def cut_whole(self, parameters: Sequence[str], flat: Flat) -> None:
        own = [self.flow.called[t] for t in parameters]
        if any(name not in self.flow.final for name in own):
            return
        end = max(self.flow.final[name] for name in own)
        result = ast.Dict([ast.Constant(t) for t in parameters], [ast.Name(name, ast.Load()) for name in own])
        cut = self.flow.slice(own, end, {})
        if not any(
            self.code.statements[i].grads for i in cut.taken
        ):  # with x.grad item by item, as each is judged
            flat.whole = self._function("whole", cut, {}, result, flat)

    def _function(
        self, name: str, cut: Slice, leaves: Mapping[str, str], result: ast.expr, flat: Flat
    ) -> ast.FunctionDef:
        """A function of the statements of a slice that gives `result`. leaves: theirs -> ours."""
        statements, given, passed, taken = self.flow.statements, cut.given, cut.passed, cut.taken
        flat.imported |= cut.imports
        body: list[ast.stmt] = []
        last = statements[cut.end].node
        parameters = sorted({*given.values(), *(leaves[p] for p in passed)})

        def bind(theirs: str, ours: str) -> None:
            target = ast.Assign([ast.Name(theirs, ast.Store())], ast.Name(ours, ast.Load()))
            body.append(ast.fix_missing_locations(ast.copy_location(target, last)))

        written = {w for i in (*cut.below, *taken) for w in self.flow.writes[i]}
        kept: dict[str, str] = {}
        for theirs in sorted(passed):
            if leaves[theirs] in written or theirs in written:
                kept[theirs] = f"_passed_{leaves[theirs]}"
                bind(kept[theirs], leaves[theirs])
        for theirs, ours in sorted(given.items()):
            if theirs != ours:
                bind(theirs, ours)
        for theirs, after in sorted(passed.items()):
            early = after < (taken[0] if taken else 0) or theirs not in kept
            if early and (theirs != leaves[theirs] or theirs in kept):
                bind(theirs, kept.get(theirs, leaves[theirs]))
        body += [statements[i].node for i in cut.below]
        waiting = {t: after for t, after in passed.items() if t in kept and taken and after >= taken[0]}
        for i in taken:
            for theirs in [t for t, after in waiting.items() if after < i]:
                bind(theirs, kept[theirs])
                del waiting[theirs]
            body.append(statements[i].node)
        body.append(ast.Return(result))
        arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
        node = ast.FunctionDef(name, arguments, body, [])
        node.lineno = node.end_lineno = last.lineno
        node.col_offset = node.end_col_offset = 0
        body[-1] = ast.fix_missing_locations(ast.copy_location(body[-1], node))
        ast.fix_missing_locations(ast.copy_location(arguments, node))
        for argument in arguments.args:
            ast.copy_location(argument, node)
        return node
