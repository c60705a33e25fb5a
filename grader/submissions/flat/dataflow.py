"""Which statements of flat code a gradient depends on: what each reads and writes, as data. Pure.

Statements are spoken of by number; names are the learner's ("theirs") or the stub's ("ours").
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from grader.core.course import SIZES
from grader.core.exercise import Exercise
from grader.submissions.flat.rewriting import GRAD
from grader.submissions.flat.statements import Code, Statement


@dataclass(frozen=True)
class Slice:
    """The statements that a gradient depends on, and what a function of them is passed."""

    end: int  # the statement that makes it
    taken: Sequence[int]
    below: Sequence[int]  # definitions further down, of cells that were run in another order
    imports: Set[int]
    given: Mapping[str, str]  # theirs -> ours, from the beginning
    passed: Mapping[str, int]  # a gradient's name -> the statement after which it is passed in
    unknown: tuple[str, int] | None = None  # a name of the learner's own set-up that it reads, and where


@dataclass(frozen=True)
class Flow:
    """What the statements of one exercise write, where its gradients are made and what is there before."""

    statements: Sequence[Statement]
    section: int
    called: Mapping[str, str]  # by tensor the names of the gradients that are made here
    writes: Sequence[Set[str]]  # of each statement
    begin: int  # where the gradient code begins
    written: Mapping[str, Sequence[int]]  # a name -> where the gradient code writes it
    losses: Sequence[int]  # where it writes the loss
    final: Mapping[str, int]  # a gradient's name -> the last statement that makes it
    changed: Mapping[str, int]  # ... and the last that changes it by another name
    empty: Mapping[str, int]  # a name -> the line of its placeholder
    leaves: Mapping[str, str]  # gradients that may be passed in, theirs -> ours
    given: Mapping[str, str]  # forward tensors and sizes, theirs -> ours
    parameters: Set[str]  # what the learner lists as such

    def slice(
        self, wanted: Collection[str], end: int, leaves: Mapping[str, str], shared: bool = False
    ) -> Slice:
        """What `wanted` depends on up to the statement `end`.

        leaves: gradients that are passed in, theirs -> ours, once their last statement has run.
        shared: with the statements that change `wanted` by another name of the same tensor.
        """
        need = set(wanted)
        taken: list[int] = []
        imports: set[int] = set()
        given: dict[str, str] = {}
        passed: dict[str, int] = {}
        for i in range(end, -1, -1):
            effect = self.statements[i].effect
            changes = shared and effect.shared & set(wanted)
            if not (self.writes[i] & need or changes) or (
                self.statements[i].copy and i != end and all(self._before(w, i) for w in self.writes[i])
            ):
                continue
            need -= effect.strong
            if effect.imports:
                imports.add(i)
                continue
            taken.append(i)
            for read in effect.reads:
                final = self.final.get(read, -1)
                if read in leaves and read not in wanted and (final < i or not self._before(read, i)):
                    passed[read] = final
                elif read in self.given and not self._overwritten(read, i):
                    given[read] = self.given[read]
                else:
                    need.add(read)
        below: list[int] = []
        left, seen = sorted(need), set(need)  # written nowhere before
        for read in left:
            if read in self.given:
                given[read] = self.given[read]
            elif read in leaves and read not in wanted:
                passed[read] = -1
            elif read not in wanted and (later := self._later(read, end)) is not None:
                if self.statements[later].effect.imports:
                    imports.add(later)
                    continue
                if later not in below:
                    below.append(later)
                more = self.statements[later].effect.reads - seen
                seen |= more
                left += sorted(more)
        return Slice(end, taken[::-1], below[::-1], imports, given, passed, self._unknown(taken[::-1]))

    def _unknown(self, taken: Sequence[int]) -> tuple[str, int] | None:
        """A name that the gradient code reads, and where, whose value was drawn or loaded before."""
        drawn: set[str] = set()
        for i in taken:
            statement = self.statements[i]
            effect, before = statement.effect, i < self.begin
            if not before and (found := effect.reads & drawn):
                return min(found), statement.node.lineno
            own = effect.strong & self.parameters or statement.draws or effect.reads & drawn
            drawn = drawn | effect.written if before and own else drawn - effect.strong
        return None

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

    def lost(self, taken: Sequence[int]) -> str:
        """What a loop of those statements made of a size that a later one reads, in words."""
        for i in taken:
            read = {r for k in taken if k > i for r in self.statements[k].effect.reads} & set(self.given)
            for loop in (n for n in ast.walk(self.statements[i].node) if isinstance(n, ast.For)):
                for n in ast.walk(loop.target):
                    if isinstance(n, ast.Name) and n.id in read:
                        head = f"for {ast.unparse(loop.target)} in {ast.unparse(loop.iter)}"[:60]
                        return f"`{head}` leaves another number in {n.id} than the forward pass has"
        return ""

    def _later(self, name: str, end: int) -> int | None:
        """A definition further down: the cells were run in another order."""
        later = range(end + 1, len(self.statements))
        return next((i for i in later if name in self.statements[i].effect.strong), None)


def flow(
    code: Code,
    here: Sequence[int],
    called: Mapping[str, str],
    received: Mapping[str, str],
    renamed: Mapping[str, str],
    exercise: Exercise,
) -> Flow:
    """here: the statements of this exercise. called, received: by tensor the names of the gradients
    that are made here, and of those that may be passed in. renamed: theirs -> ours."""
    statements, mine = code.statements, set(called.values())
    section = statements[here[0]].section if here else 0
    # a temporary that is a gradient's other name makes it; another gradient spoils it
    writes = [
        s.effect.written if s.effect.written & mine else s.effect.written | s.effect.shared
        for s in statements
    ]
    final: dict[str, int] = {}
    changed: dict[str, int] = {}
    for i in here:
        for w in writes[i] & mine:
            if not statements[i].placeholder and not (statements[i].copy and w in final):
                final[w] = i
        if statements[i].effect.written & mine:
            changed |= dict.fromkeys(statements[i].effect.shared & mine, i)
    begin = _beginning(statements, here, [bool(w & mine) for w in writes])
    written: dict[str, list[int]] = {}
    for i in range(begin, len(statements)):
        for w in writes[i]:
            written.setdefault(w, []).append(i)
    given = _given(renamed, exercise)
    leaves = _leaves([s for s in statements if s.section <= section], received, exercise)
    open_ = [statements[i] for i in here if statements[i].placeholder]
    return Flow(
        statements=statements,
        section=section,
        called=called,
        writes=writes,
        begin=begin,
        written=written,
        losses=written.get(exercise.loss, []),
        final=final,
        changed=changed,
        empty={w: s.node.lineno for s in open_ for w in s.effect.strong},
        leaves=leaves | {GRAD + theirs: f"d{ours}" for theirs, ours in given.items()},
        given=given,
        parameters={p for s in statements for p in _listed(s.node)},
    )


def _listed(node: ast.stmt) -> Iterator[str]:
    """The names in `parameters = [C, W1, …]`."""
    listed = isinstance(node, ast.Assign) and any("param" in getattr(t, "id", "") for t in node.targets)
    if listed and isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.Tuple):
        yield from (e.id for e in node.value.elts if isinstance(e, ast.Name))


def _beginning(statements: Sequence[Statement], here: Sequence[int], makes: Sequence[bool]) -> int:
    """Where the gradient code begins, before which a name has the forward pass's value.

    makes: whether a statement writes a gradient. Exercises 1 to 3 go on from one another: a size that
    the first one lost is lost.
    """
    first = here[0] if here else 0
    earlier = range(first if {statements[i].section for i in here} & {2, 3} else 0)
    return next((i for i in (*earlier, *here) if makes[i]), first)


def _leaves(
    statements: Sequence[Statement], received: Mapping[str, str], exercise: Exercise
) -> dict[str, str]:
    made = {w for s in statements for w in s.effect.written}
    own = {f"d{t}": f"d{t}" for t in exercise.tensors if t not in received or f"d{t}" not in made}
    return own | {name: f"d{t}" for t, name in received.items()}


def _given(renamed: Mapping[str, str], exercise: Exercise) -> dict[str, str]:
    given = {t: t for t in (*exercise.tensors, *exercise.size_names)}
    given |= {theirs: ours for theirs, ours in SIZES.items() if ours in given}
    ours_of = {their: SIZES.get(ours, ours) for their, ours in renamed.items()}
    return given | {their: ours for their, ours in ours_of.items() if ours in given}
