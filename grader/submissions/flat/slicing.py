"""Cuts the function of one item out of flat code's statements. Runs nothing of a submission."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from grader.core.exercise import Exercise, Gradient
from grader.core.finding import Code as Kind
from grader.core.finding import Finding
from grader.submissions.flat.statements import Code

SIZES = {"batch_size": "n"}  # what lectures call the sizes that fixtures have under another name


@dataclass
class Flat:
    """The functions that were cut out, as one tree; what was not found and what is refused, in words."""

    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    imports: list[ast.stmt] = field(default_factory=list)
    missing: dict[str, tuple[Finding, int | None]] = field(default_factory=dict)  # why, and the line
    refused: dict[str, tuple[str, int]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    whole: ast.FunctionDef | None = None  # all gradients of the parameters at once, for training
    afterwards: dict[str, str] = field(default_factory=dict)  # and which statement that was
    changed: dict[str, ast.FunctionDef] = field(default_factory=dict)  # what later statements made of some


class Slicer:
    """Cuts the function of one item out of the statements."""

    def __init__(
        self,
        code: Code,
        here: Sequence[int],
        called: Mapping[str, str],
        received: Mapping[str, str],
        renamed: Mapping[str, str],
        exercise: Exercise,
    ) -> None:
        """here: the statements of this exercise. called, received: by tensor the names of the gradients
        that are made here, and of those that may be passed in. renamed: theirs -> ours."""
        self.code, self.called, self.exercise = code, called, exercise
        self.section = code.statements[here[0]].section if here else 0
        statements = self.statements = code.statements
        self.grads = {id(s.node): s.grad for s in statements if s.grad} if ".grad" in code.text else {}
        self.imports: set[int] = set()
        self.final: dict[str, int] = {}
        self.changed: dict[str, int] = {}  # a gradient's name -> the last that changes it by another name
        mine = set(called.values())
        # a temporary that is a gradient's other name makes it; another gradient spoils it
        self.writes = [
            s.effect.written if s.effect.written & mine else s.effect.written | s.effect.shared
            for s in statements
        ]
        open_ = [statements[i] for i in here if statements[i].placeholder]
        self.empty = {w: s.node.lineno for s in open_ for w in s.effect.strong}
        for i in here:
            for w in self.writes[i] & mine:
                if not statements[i].placeholder and not (statements[i].copy and w in self.final):
                    self.final[w] = i
            if statements[i].effect.written & mine:
                for w in statements[i].effect.shared & mine:
                    self.changed[w] = i
        made = {w for s in statements if s.section <= self.section for w in s.effect.written}
        self.leaves = {f"d{t}": f"d{t}" for t in exercise.tensors if t not in received or f"d{t}" not in made}
        self.leaves |= {name: f"d{t}" for t, name in received.items()}
        self.begin = self._beginning(here, mine)
        self.written: dict[str, list[int]] = {}  # a name -> where the gradient code writes it
        for i in range(self.begin, len(statements)):
            for w in self.writes[i]:
                self.written.setdefault(w, []).append(i)
        self.losses = self.written.get(exercise.loss, [])
        self.given = {t: t for t in (*exercise.tensors, *exercise.size_names)}
        self.given |= {theirs: ours for theirs, ours in SIZES.items() if ours in self.given}
        for their, ours in renamed.items():
            ours = SIZES.get(ours, ours)
            if ours in self.given:
                self.given[their] = ours

    def _beginning(self, here: Sequence[int], mine: Collection[str]) -> int:
        """Where the gradient code begins, before which a name has the forward pass's value.

        Exercises 1 to 3 go on from one another: a size that the first one lost is lost.
        """
        earlier = range(here[0] if here else 0)
        sections = {self.statements[i].section for i in here}
        if not sections & {2, 3}:
            earlier = range(0)
        gradients = (i for i in (*earlier, *here) if self.writes[i] & mine)
        return next(gradients, here[0] if here else 0)

    def cut(self, item: Gradient, flat: Flat) -> None:
        tensor, name = item.tensor, item.name
        own = self.called.get(tensor)
        if own is None or own not in self.final:
            flat.missing[name] = self._why_missing(name, own or name)
            return
        available = set(item.available)
        leaves = {name: a for name, a in self.leaves.items() if a in available}
        end = self.final[own]
        node = self._function(name, [own], end, leaves, ast.Name(own, ast.Load()))
        if (after := self.changed.get(own, -1)) > end:
            flat.changed[name] = self._function(name, [own], after, leaves, ast.Name(own, ast.Load()), True)
            culprit = ast.unparse(self.statements[after].node).split("\n")[0][:60]
            flat.afterwards[name] = (
                f"`{culprit}` changes {own} after it was made: both names stand for one tensor, "
                "of which .clone() makes two"
            )
        if copied := next((self.grads[id(part)] for part in node.body if id(part) in self.grads), None):
            what, line = copied
            flat.refused[name] = f"{what} is autograd's own: a gradient is to be written by hand", line
        flat.functions[name] = node
        if (theirs := self.code.kept.get(own, own)) != name:
            flat.notes[name] = f"found as {theirs}"

    def _why_missing(self, name: str, own: str) -> tuple[Finding, int | None]:
        """Why a gradient is not found, and the line that shows it: of a placeholder, or of a syntax error."""
        if line := self.empty.get(own):
            return Finding(Kind.NOT_WRITTEN), line
        for broken in self.code.broken:
            before = [s.section for s in self.statements if s.node.lineno < broken.line]
            assigned = rf"^[ \t]*(?:\w+, *)*{own}\b[^=(]*=(?!=)"
            here = (before[-1:] or [self.section]) == [self.section]
            if here and re.search(assigned, broken.lost, re.MULTILINE):
                why = f"not found: its cell can't be read from a syntax error on ({broken.message})"
                return Finding(Kind.UNREADABLE, why), broken.line
        why = f"not found: nothing assigns {own}"
        if own != name:
            return Finding(Kind.ALIAS_NOT_ASSIGNED, f"{why}; {name} is called {own} here"), None
        return Finding(Kind.NOT_ASSIGNED, why), None

    def cut_whole(self, parameters: Sequence[str], flat: Flat) -> None:
        own = [self.called[t] for t in parameters]
        if any(name not in self.final for name in own):
            return
        end = max(self.final[name] for name in own)
        result = ast.Dict([ast.Constant(t) for t in parameters], [ast.Name(name, ast.Load()) for name in own])
        flat.whole = self._function("whole", own, end, {}, result)

    def _function(
        self,
        name: str,
        wanted: Sequence[str],
        end: int,
        leaves: Mapping[str, str],
        result: ast.expr,
        shared: bool = False,
    ) -> ast.FunctionDef:
        """A function whose body is what `wanted` depends on up to the statement `end`.

        leaves: gradients that are passed in, theirs -> ours, once their last statement has run.
        shared: with the statements that change `wanted` by another name of the same tensor.
        """
        need = set(wanted)
        taken: list[int] = []
        given: dict[str, str] = {}  # theirs -> ours, from the beginning
        passed: dict[str, int] = {}  # a gradient's name -> the statement after which it is passed in
        for i in range(end, -1, -1):
            effect = self.statements[i].effect
            changes = shared and effect.shared & set(wanted)
            if not (self.writes[i] & need or changes) or (
                self.statements[i].copy and i != end and all(self._before(w, i) for w in self.writes[i])
            ):
                continue
            if effect.imports:
                self.imports.add(i)
                need -= effect.strong
                continue
            taken.append(i)
            need -= effect.strong
            for read in effect.reads:
                final = self.final.get(read, -1)
                if read in leaves and read not in wanted and (final < i or not self._before(read, i)):
                    passed[read] = final
                elif read in self.given and not self._overwritten(read, i):
                    given[read] = self.given[read]
                else:
                    need.add(read)
        below: list[int] = []  # definitions further down, of cells that were run in another order
        left, seen = sorted(need), set(need)  # written nowhere before
        for read in left:
            if read in self.given:
                given[read] = self.given[read]
            elif read in leaves and read not in wanted:
                passed[read] = -1
            elif read not in wanted and (later := self._later(read, end)) is not None:
                if later not in below:
                    below.append(later)
                more = self.statements[later].effect.reads - seen
                seen |= more
                left += sorted(more)
        return self._assembled(name, below[::-1], sorted(taken), given, passed, leaves, result, end)

    def _before(self, name: str, i: int) -> bool:
        """Whether the gradient code before statement i writes a name."""
        return self.written.get(name, [i])[0] < i

    def _overwritten(self, name: str, i: int) -> bool:
        """Whether the gradient code before i gave a forward tensor or a size another value.

        Not where the forward pass was run again after that: then it is the forward pass's own.
        """
        k = bisect_left(self.losses, i)
        since = self.losses[k - 1] if k else self.begin
        written = self.written.get(name, [])
        at = bisect_left(written, since)
        return at < len(written) and written[at] < i

    def _later(self, name: str, end: int) -> int | None:
        """A definition further down: the cells were run in another order."""
        for i in range(end + 1, len(self.statements)):
            effect = self.statements[i].effect
            if name in effect.strong:
                if effect.imports:
                    self.imports.add(i)
                    return None
                return i
        return None

    def _assembled(
        self,
        name: str,
        below: Sequence[int],
        taken: Sequence[int],
        given: Mapping[str, str],
        passed: Mapping[str, int],
        leaves: Mapping[str, str],
        result: ast.expr,
        end: int,
    ) -> ast.FunctionDef:
        body: list[ast.stmt] = []
        line = self.statements[end].node.lineno
        parameters = sorted({*given.values(), *(leaves[p] for p in passed)})

        def bind(theirs: str, ours: str) -> None:
            target = ast.Assign([ast.Name(theirs, ast.Store())], ast.Name(ours, ast.Load()))
            body.append(ast.fix_missing_locations(ast.copy_location(target, self.statements[end].node)))

        written = {w for i in (*below, *taken) for w in self.writes[i]}
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
        body += [self.statements[i].node for i in below]
        waiting = {t: after for t, after in passed.items() if t in kept and taken and after >= taken[0]}
        for i in taken:
            for theirs in [t for t, after in waiting.items() if after < i]:
                bind(theirs, kept[theirs])
                del waiting[theirs]
            body.append(self.statements[i].node)
        body.append(ast.Return(result))
        arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
        node = ast.FunctionDef(name, arguments, body, [])
        node.lineno = node.end_lineno = line
        node.col_offset = node.end_col_offset = 0
        body[-1] = ast.fix_missing_locations(ast.copy_location(body[-1], node))
        ast.fix_missing_locations(ast.copy_location(arguments, node))
        for argument in arguments.args:
            ast.copy_location(argument, node)
        return node
