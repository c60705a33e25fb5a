"""Which one change of a wrong function would make it right: the child runs it changed, the references tell.

What comes back is material for words alone: no verdict rests on it.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import safetensors.numpy

from grader.core.exercise import ALT, Gradient, Task
from grader.core.finding import Code, Finding
from grader.core.graph import downstream
from grader.core.limits import ASKING, MAX_CHANGES
from grader.core.verdict import Verdict
from grader.diagnosis.diagnose import FIXTURES, Known, short_of
from grader.diagnosis.relations import Evidence, leading_ones
from grader.diagnosis.repairs import search, steps
from grader.diagnosis.repairs.source import Source
from grader.judging.choices import Answer, chosen
from grader.judging.compare import passes, values
from grader.judging.functions import about, cut_out, made, read, unparsed
from grader.runner.host.client import Part, Runner
from grader.runner.host.session import Round, Session
from grader.runner.wire import Record
from grader.submissions.script import Script

Given = Mapping[str, Mapping[str, Any]]  # by fixture its arrays
ROUNDS = 24, 0.25  # changes of a round: at least, and as a part of those before
STEPS, LIKELY = 1200, 24  # changes of which is looked at what a step then gives; of them that may be a slip
PAIRS, ROUND = 2800, 700  # of one of these and any other: in all, and in one run
DEEP = 2  # functions of a submission that are looked at so
BESIDE = search.OFTEN - {Code.EXTRA_FACTOR} | {  # what may go with a branch that is left out
    Code.FACTOR_MISSING,
    Code.SIGN,
    Code.CONSTANT,
}


@dataclass(frozen=True)
class Wanted:
    """What a changed function is held against on one fixture: references, each with its size and bound."""

    fixture: str
    by_name: Mapping[str, tuple[Any, float, float]]
    other: tuple[Any, float] | None = None  # for the upstream gradients that the learner's own reads
    came: tuple[int, ...] | None = None  # the learner's own shape

    def right(self, record: Record | None, item: Gradient) -> bool:
        value = values(record) if record is not None else None
        if record is None or value is None or record.dtype != "float32" or not np.isfinite(value).all():
            return False
        key = ALT + item.name if any(s in record.reads for s in item.siblings) else item.name
        ways = [self.by_name.get(key, self.by_name[item.name])]
        ways += [(*self.other, 0.0)] if self.other else []
        return any(
            passes(value.reshape(r.shape), r, size, bound)
            for r, size, bound in ways
            if value.shape == r.shape
            or (self.came and leading_ones(value.shape, r.shape) and len(value.shape) == len(self.came))
        )


class Search:
    """What makes a wrong answer right, on the fixtures that a diagnosis rests on; a context manager."""

    def __init__(self, runner: Runner, task: Task, code: Script, given: Given) -> None:
        self.runner, self.task, self.code, self.given = runner, task, code, given
        self.left, self.deep = MAX_CHANGES, DEEP
        self.whole = True  # whether nothing of what was to be tried since was lost, or left out
        self.on = sorted((f for f in FIXTURES if f in given), key=lambda f: len(task.fixtures.given[f]))
        self.session = Session(runner, Part(task.exercise.id, self.on, [], flat=code.flat), code.file)

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @cached_property
    def cut(self) -> Mapping[str, ast.FunctionDef]:
        return cut_out(self.code, self.task.exercise)

    def _source(self, answer: Answer, item: Gradient) -> Source | None:
        may_ask = about(self.task, item, self.given[FIXTURES[0]], answer.record_reads)
        if self.code.flat is None:
            return read(self.code, item.name, may_ask)
        node = self.cut.get(item.name)
        return unparsed(node, may_ask) if node else None

    def placed(self, answer: Answer, told: Finding, changed: bool) -> Finding:
        """A mistake that its value tells, with the line of the statement at fault: the only one, or, where
        changes may tell, the one in which all of those lie that make it right.
        """
        item = answer.item
        assert isinstance(item, Gradient)
        source = self._source(answer, item)
        if source is None or len(self.on) < 2:
            return told
        if len(source.body) == 1:
            lines = {source.line(n) for n in source.body if isinstance(n, ast.Return)}
        elif self.left <= 0 or not changed:
            return told
        else:
            single = search.single(source)
            held = self._held(item, single, {}, self._wanted(answer, item))
            self.whole, lines = True, set[int | None]()
            for some in held:
                lines |= {f.line for f in some}
                if len(lines) > 1:
                    break
            if not self.whole:  # another line may mend it as well
                return told
        return replace(told, line=lines.pop()) if len(lines) == 1 else told

    def explain(self, answer: Answer, known: Known, told: bool) -> Finding | None:
        """The change that makes an answer right on all fixtures, or two; None where none do.

        told: its values have told something already, than which two slips are no simpler.
        """
        item = answer.item
        assert isinstance(item, Gradient)
        if self.left <= 0:
            return None
        self.session.begin()
        source = self._source(answer, item)
        if source is None or len(self.on) < 2:
            return None
        wanted = self._wanted(answer, item)
        single, first = search.single(source), dict[tuple[str, int], Record]()
        if found := self._fit(item, single, first, wanted):
            return found
        if found := self._short(answer, single, first, known):
            return found
        if self.left <= 0:
            return None
        found = None
        if not told:
            tried = [t for k, t in enumerate(single.values()) if (self.on[0], k) in first]
            found = self._fit(item, search.double(source, tried), {}, wanted)
            if not found and self.deep:
                left, self.left, self.deep = self.left, MAX_CHANGES, self.deep - 1
                found = self._by_steps(answer, source, single, first, wanted)
                self.left = left
        found = found or self._beside_numbers(item, source, wanted)
        return found or self._without_upstream(answer, item, source)

    def _by_steps(
        self,
        answer: Answer,
        source: Source,
        single: Mapping[str, search.Tried],
        first: Round,
        wanted: Mapping[str, Wanted],
    ) -> Finding | None:
        """Two changes, of which one makes a step give what the right way back comes by."""
        item, fixture = answer.item, self.on[0]
        assert isinstance(item, Gradient)

        def came(texts: Sequence[str]) -> list[Any]:
            self.session.begin()
            records = self._run(item, texts, [fixture])
            found = [records.get((fixture, k)) for k in range(len(texts))]
            return [values(r) if r and r.dtype == "float32" else None for r in found]

        whole = list(steps.steps(source))
        certain, needed = self._needed(answer, item, wanted)
        own = came([source.changed(until=step) for step in whole])
        there = steps.known([v for v in own if v is not None])
        open_ = [step for step, v in zip(whole, own, strict=True) if v is not None and v not in certain]
        distinct = search.distinct(
            (c, record.data) for k, (c,) in enumerate(single.values()) if (record := first.get((fixture, k)))
        )
        tries = {
            source.changed(c, until=step): (number, c)
            for c in distinct
            for number, step in steps.told_by(c, open_)
        }
        texts = list(tries)[:STEPS]
        firsts = steps.likely([tries[t] for t in texts], came(texts), (certain, needed, there))
        pairs = search.pairs(firsts[:LIKELY], distinct, search.most(source, PAIRS))
        for at in range(0, len(pairs), ROUND):
            tried: dict[str, search.Tried] = {source.changed(*p): p for p in pairs[at : at + ROUND]}
            if found := self._fit(item, tried, {}, wanted):
                return found
        return None

    def _needed(
        self, answer: Answer, item: Gradient, wanted: Mapping[str, Wanted]
    ) -> tuple[steps.Known, steps.Known]:
        """What the right way back comes by, on the smallest fixture."""
        fixture, alt = self.on[0], answer.key != item.name
        request = {
            "ask": "parts",
            "exercise": self.task.exercise.id,
            "item": item.name,
            "cut": answer.reads if wanted[fixture].other else item.cut,
            "alt": alt,
            "sizes": self.task.exercise.sizes[fixture],
        }
        self.left -= ASKING
        found = safetensors.numpy.load(self.runner.ask(request, self.task.fixtures.given[fixture]))
        forward, gradients = (
            [found[f"{kind}.{n}"] for n in range(len(found)) if f"{kind}.{n}" in found]
            for kind in ("value", "gradient")
        )
        return steps.needed(forward, gradients)

    def _beside_numbers(self, item: Gradient, source: Source, wanted: Mapping[str, Wanted]) -> Finding | None:
        """One change of a function that has sizes of the lecture as numbers, once they are names."""
        numbers = search.numbers(source, self.task.exercise.lecture.sizes)
        if not numbers or self.left <= 0:
            return None
        named = made(source.changed(*numbers), source.about, source.lines)
        tried = search.single(named) if named else {}
        found = self._fit(item, tried, {}, wanted)
        if found is None or self.code.flat is not None:  # where only the lecture's sizes count, that is none
            return found
        return search.two_slips(found, numbers[0].finding, found)

    def _without_upstream(self, answer: Answer, item: Gradient, source: Source) -> Finding | None:
        """That nothing arrives from upstream: it uses no gradient, nor what leads to the loss."""
        lines = self.task.exercise.lines
        later = {name for t in item.cut for name in downstream(lines, t)}
        leads = {k for line in lines if line.name in later for k in (line.name, *line.uses)} - set(item.cut)
        wrong = answer.checks[FIXTURES[0]].verdict in (Verdict.WRONG, Verdict.WRONG_SHAPE)
        if not wrong or not item.cut or answer.record_reads or set(source.used) & (leads - source.sizes):
            return None
        arrives = " and ".join(f"d{t}" for t in item.cut)
        said = f"nothing arrives from upstream: it is made without {arrives}"
        return Finding(Code.UPSTREAM_MISSING, said, on=(FIXTURES[0],))

    def _wanted(self, answer: Answer, item: Gradient) -> dict[str, Wanted]:
        other = chosen(self.runner, self.task, answer, [f for f in self.on if f != FIXTURES[0]])
        self.left -= ASKING * len(other)
        found = {}
        for f in self.on:
            reference = self.task.fixtures.references[f]
            names = [n for n in (item.name, ALT + item.name) if n in reference.values]
            by_name = {
                n: (reference.values[n], reference.sizes[n], reference.bounds.get(n, 0.0)) for n in names
            }
            record = answer.records.get(f)
            found[f] = Wanted(f, by_name, other.get(f), record.shape if record and record.data else None)
        return found

    def _run(self, item: Gradient, texts: Sequence[str], on: Sequence[str]) -> Round:
        """What functions give, by fixture and number; nothing where the process didn't come to its end."""
        if not texts:
            return {}
        began, wall = time.monotonic(), self.runner.wall
        found = self.session.run([(item.name, text) for text in texts], on)
        taken = 1.0 if found is None else (time.monotonic() - began) / wall  # for who sleeps
        self.left -= max(len(texts), round(MAX_CHANGES // 2 * taken))
        self.whole &= found is not None
        return found or {}

    def _fit(
        self,
        item: Gradient,
        tried: Mapping[str, search.Tried],
        first: dict[tuple[str, int], Record],
        wanted: Mapping[str, Wanted],
    ) -> Finding | None:
        """The likeliest of what is right everywhere, with the next of its round that is another mistake."""
        held = next(self._held(item, tried, first, wanted), None)
        if not held:
            return None
        best = held[0]
        nearest = next((f.code for f in held if f.code is not best.code), None)
        return replace(best, on=tuple(f for f in FIXTURES if f in self.on), nearest=nearest)

    def _held(
        self,
        item: Gradient,
        tried: Mapping[str, search.Tried],
        first: dict[tuple[str, int], Record],
        wanted: Mapping[str, Wanted],
    ) -> Iterator[list[Finding]]:
        """What is right everywhere, round by round. first: is told what comes on the smallest fixture."""
        smallest, *rest = self.on
        texts = list(tried)
        self.session.begin()
        for start, some in search.rounds(texts, *ROUNDS):
            gave = {start + k: r for (_, k), r in self._run(item, some, self.on[:1]).items()}
            first |= {(smallest, k): r for k, r in gave.items()}
            fits = [k for k, r in gave.items() if wanted[smallest].right(r, item)]
            records = self._run(item, [texts[k] for k in fits], rest)
            found = [
                search.told(tried[texts[k]])
                for number, k in enumerate(fits)
                if all(wanted[f].right(records.get((f, number)), item) for f in rest)
            ]
            if found:
                yield found
            if self.left <= 0:
                self.whole &= start + len(some) >= len(texts)
                return

    def _short(
        self,
        answer: Answer,
        tried: Mapping[str, search.Tried],
        first: Round,
        known: Known,
    ) -> Finding | None:
        """A change after which just one branch, or several, is missing."""
        item = answer.item
        if len(known.branches) < 2 or not isinstance(item, Gradient):
            return None
        own = frozenset(answer.record_reads)  # a branch that the change removed is not one left out
        smallest, *rest = self.on
        texts = list(tried)
        fits: list[tuple[int, Finding]] = []
        for k, text in enumerate(texts):
            (change, *_), record = tried[text], first.get((smallest, k))
            if change.finding.code not in BESIDE or record is None:
                continue
            if said := self._left_out(item, smallest, record, known, own):
                fits.append((k, said))
        records = self._run(item, [texts[k] for k, _ in fits], rest)
        for number, (k, said) in enumerate(fits):
            others = [records.get((f, number)) for f in rest]
            if all(
                r and self._left_out(item, f, r, known, own) == said
                for f, r in zip(rest, others, strict=True)
            ):
                one = search.told(tried[texts[k]])
                return replace(search.two_slips(one, said, one), on=tuple(self.on))
        return None

    def _left_out(
        self, item: Gradient, fixture: str, record: Record, known: Known, own: frozenset[str]
    ) -> Finding | None:
        value = values(record)
        reference = self.task.fixtures.references[fixture]
        if value is None or not np.isfinite(value).all():
            return None
        wanted = reference.values[item.name].astype(float)
        uses = own | frozenset(record.reads)
        at = (fixture, value.astype(float), wanted, self.given[fixture], self.task.exercise.sizes[fixture])
        return short_of(known, Evidence(*at, reference.sizes[item.name], uses))
