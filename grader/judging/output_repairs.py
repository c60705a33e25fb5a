"""Which one change of a learner's functions would make a wrong output right: the child runs them changed.

What comes back is material for words alone: no verdict rests on it.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grader.core.exercise import TRAINING, Output, Task, definition
from grader.core.finding import Code, Finding
from grader.core.limits import (
    MAX_CHANGED,
    OUTPUT_CHANGES,
    OUTPUT_CPU,
    OUTPUT_FIRSTS,
    OUTPUT_PAIRS,
    OUTPUT_PAIRS_CPU,
    OUTPUT_ROUND,
)
from grader.core.plain import Tensor
from grader.diagnosis import resting, syntax
from grader.diagnosis.diagnose import FIXTURES
from grader.diagnosis.repairs import scope, search
from grader.diagnosis.repairs.source import About, Change, Source
from grader.diagnosis.syntax import read_only
from grader.judging.choices import Answer
from grader.judging.compare_outputs import answer_of, held
from grader.judging.compare_plain import first_difference
from grader.judging.output_fingerprints import known, wanted
from grader.judging.shown import array
from grader.runner.host.client import Part, Runner
from grader.runner.wire import Record
from grader.submissions.script import Script

FIELD = re.compile(r"\b[a-z]\w*\.([a-z_]\w*)\b(?!\()")

ROUNDS = 60, 1.0  # changes of a run: at least, and as a part of those before
SAMPLED, HIDDEN = 24, 3  # changes that are tried beside another one; what part of them it may hide
Tries = Mapping[str, tuple[int, search.Tried]]  # by its text a function, which one, and what is changed
Records = Mapping[tuple[str, int], Record]  # by fixture and number of the change


def sources(code: Script, item: Output, others: Collection[str] = ()) -> list[Source]:
    """The functions and methods that an output rests on, in the learner's file; what it is about first.

    others: definitions that other items judge, whose mistakes are told there.
    """
    text = code.functions
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    about = [item.judged, *item.asks]
    own = syntax.definitions(text)
    reached = {definition(n) for n in resting.reached(own, [n for n in own if definition(n) in about])}
    found: list[tuple[int, Source]] = []
    for node in syntax.tree(text).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name not in reached - set(others):
            continue
        of_class = isinstance(node, ast.ClassDef)
        fields = _fields("\n".join(lines[node.lineno - 1 : node.end_lineno]), item.doc)
        for function in node.body if of_class else [node]:
            if isinstance(function, ast.FunctionDef) and sum(1 for _ in ast.walk(function)) <= MAX_CHANGED:
                name = f"{node.name}.{function.name}" if of_class else node.name
                if made := _source(function, lines, node.name if of_class else "", fields):
                    far = 0 if name == item.about else 1 if node.name == item.judged else 2
                    found.append((far, made))
    return [s for _, s in sorted(found, key=lambda f: f[0])]


def _fields(own: str, *others: str) -> list[str]:
    """The attributes that stand in a text; where there are none, in others."""
    for text in (own, *others):
        if found := [f for f in dict.fromkeys(FIELD.findall(text)) if not f.startswith("__")]:
            return found[:8]
    return []


def _source(node: ast.FunctionDef, lines: Sequence[str], of: str, fields: Sequence[str]) -> Source | None:
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    last = node.end_lineno or node.lineno
    head = [f"class {of}:"] if of else []
    text = "\n".join([*head, *lines[first - 1 : last]])
    try:
        return Source(text, About({}, (), (), fields=fields), range(first - len(head), last + 1))
    except (SyntaxError, ValueError, AssertionError, IndexError):
        return None


class OutputSearch:
    """What makes one wrong output right, on all of its fixtures."""

    def __init__(self, runner: Runner, task: Task, code: Script, mistakes: Mapping[str, Any]) -> None:
        """mistakes: by item what the fixtures know of them."""
        self.runner, self.task, self.code, self.mistakes = runner, task, code, mistakes
        self.seconds = float(OUTPUT_CPU)  # of processor time that is left for all outputs of a submission

    def explain(self, answer: Answer) -> Finding | None:
        """The likeliest change that makes an answer right everywhere; None where none does."""
        item = answer.item
        assert isinstance(item, Output)
        on = [f for f in answer.checks if f != TRAINING]
        failed = [f for f in on if not answer.checks[f].verdict.passed]
        others = {o.judged for o in self.task.exercise.items if isinstance(o, Output)} - {item.judged}
        found = sources(self.code, item, others)
        if not found or not failed or len(on) < 2:
            return None
        first = min(failed, key=lambda f: len(self.task.fixtures.given[f]))
        on = [first, *(f for f in on if f != first)]
        changes = search.of_output(found, OUTPUT_CHANGES)
        gave: dict[str, Record] = {}
        told = self._right(item, found, changes, on, gave) or _unused(found[0], item)
        return told or self._two(item, found, changes, on, gave)

    def _right(
        self, item: Output, found: Sequence[Source], tries: Tries, on: Sequence[str], gave: dict[str, Record]
    ) -> Finding | None:
        """What the likeliest change says that is right on all fixtures.

        gave: is told what comes on the first fixture, by the text of the function; what is alike, as one.
        """
        first, *rest = on
        alike: dict[tuple[Any, ...], Record] = {}
        own = found[0].data.decode()
        for _, some in search.rounds(list(tries), *ROUNDS):
            if self.seconds <= 0:
                return None
            records = self._run(item, [own, *some], [first])
            for k, r in _whole(records, first).items():
                gave[some[k - 1] if k else own] = alike.setdefault((r.dtype, r.shape, r.data), r)
            texts = [some[k - 1] for k in self._fits(item, records, first) if k]
            fits = {text: search.told(tries[text][1]) for text in texts}
            for text, told in fits.items():
                others = self._run(item, [found[tries[text][0]].data.decode(), text], rest)
                if all(1 in self._fits(item, others, f) for f in rest):
                    lines = {f.line for f in fits.values() if f.text == told.text}
                    return replace(told, on=tuple(on), line=told.line if len(lines) == 1 else None)
        return None

    def _two(
        self,
        item: Output,
        found: Sequence[Source],
        changes: Tries,
        on: Sequence[str],
        gave: dict[str, Record],
    ) -> Finding | None:
        """What two changes of one function say, or one and a mistake that is known.

        Those come first of which one makes more of the answer right.
        """
        right = wanted(self.task.fixtures.references[on[0]], item.name)
        shares = {id(r): share(answer_of(r), right) for r in gave.values()}
        own = gave.get(found[0].data.decode())
        base = shares[id(own)] if own else 0.0
        tries: dict[str, tuple[int, search.Tried]] = {}
        for number, source in enumerate(found):
            came = {c: gave[t] for t, (k, (c,)) in changes.items() if k == number and t in gave}
            better = {c: shares[id(r)] for c, r in came.items()}
            distinct = search.distinct((c, id(r)) for c, r in came.items() if r is not own)
            firsts = sorted(distinct, key=lambda c: (-max(base, better[c]), c.rank))[:OUTPUT_FIRSTS]
            mends = [c for c in firsts if c.finding.code not in search.REMOVED | {Code.OVERWRITTEN}]
            lines: dict[int, set[int | None]] = {}
            for c, r in came.items():
                lines.setdefault(id(r), set()).add(c.finding.line)
            # what many changes lead to is no sign of a slip
            likely = {c: came[c] for c in mends if better[c] >= base + 1e-9 * (len(lines[id(came[c])]) > 1)}
            if told := self._beside_known(item, source, likely, distinct, on):
                return told
            for a, b in search.pairs(firsts, distinct, OUTPUT_PAIRS, source.joined):
                tries.setdefault(source.changed(source.both(a, b)), (number, (a, b)))
        spent, self.seconds = self.seconds, min(self.seconds, OUTPUT_PAIRS_CPU)
        left = self.seconds
        told = self._right(item, found, tries, on, {})
        self.seconds += spent - left
        return told

    def _beside_known(
        self,
        item: Output,
        source: Source,
        likely: Mapping[Change, Record],
        others: Sequence[Change],
        on: Sequence[str],
    ) -> Finding | None:
        """A change after which an answer is that of a mistake that is known."""
        mistakes = self.mistakes.get(item.name, {}).get("mistakes", [])
        first, *rest = [f for f in on if f in FIXTURES] or [""]
        if first != on[0] or not rest or not mistakes:
            return None
        references = self.task.fixtures.references
        read = read_only(self.code.functions, item.about) or ()
        for change, record in likely.items():
            if self.seconds <= 0:
                return None
            if not known(mistakes, {first: record}, references, item, read, 1):
                continue
            records = self._run(item, [source.data.decode(), source.changed(change)], rest)
            gave = {f: given[1] for f in rest if 1 in (given := _whole(records, f))}
            said = known(mistakes, {first: record, **gave}, references, item, read)
            if said and len(gave) == len(rest) and not self._hides(item, source, change, others, first):
                return replace(search.two_slips(change.finding, change.finding, said), on=(first, *rest))
        return None

    def _hides(
        self, item: Output, source: Source, change: Change, others: Sequence[Change], fixture: str
    ) -> bool:
        """Whether what else may be changed makes no difference any more: then all mistakes look alike."""
        joined = [(c, source.joined(change, c)) for c in others]
        if sum(change.erases(c) for c, edits in joined if not edits) * HIDDEN >= len(others):
            return True
        pairs = [source.both(change, c) for c, edits in joined if edits]
        some = pairs[:: len(pairs) // SAMPLED + 1]
        texts = [source.data.decode(), *(source.changed(c) for c in (change, *some))]
        records = self._run(item, texts, [fixture])
        hidden = sum(r.same == 1 for r in records.values())
        return hidden * HIDDEN >= len(some)

    def _run(self, item: Output, texts: Sequence[str], on: Sequence[str]) -> Records:
        """What the submission gives with each change; of a run that was ended, what came before."""
        variants = [(item.name, text) for text in texts]
        part = Part(self.task.exercise.id, on, [], variants=variants)
        run = self.runner.run(part, self.code.file, cpu=OUTPUT_ROUND)
        self.seconds -= run.cpu
        return {(f, int(k)): r for (f, k), r in run.records.items() if k.isdecimal()}

    def _fits(self, item: Output, records: Records, fixture: str) -> list[int]:
        """The numbers of the changes that are right on a fixture."""
        reference = self.task.fixtures.references[fixture]
        whole, bound = wanted(reference, item.name), reference.bounds.get(item.name, 0.0)
        right: dict[int, bool] = {}
        for (f, number), record in sorted(records.items(), key=lambda r: r[0][1]):
            if f != fixture:
                continue
            if record.same is not None:
                right[number] = right.get(record.same, False)
            elif item.name in reference.values:
                right[number] = held(record, reference, item.name, item.exact).verdict.passed
            else:
                right[number] = first_difference(answer_of(record), whole, item.exact, bound) is None
        return [k for k, fits in right.items() if fits]


def _whole(records: Records, fixture: str) -> dict[int, Record]:
    """The records of a fixture by number; one that says that it is another one's is that one."""
    own = {k: r for (f, k), r in records.items() if f == fixture}
    return {k: r if r.same is None else own[r.same] for k, r in own.items()}


def share(answer: Any, right: Any) -> float:
    """How much of an answer is as it should be, each of its parts counting alike. Decoded plain data."""
    if type(right) is Tensor:
        if type(answer) is not Tensor or answer.shape != right.shape or not answer.data:
            return 0.0
        return float(np.isclose(array(answer), array(right), 1e-4, 1e-7, equal_nan=True).mean())
    if type(right) is dict and type(answer) is dict:
        many = max(len(answer), len(right))
        return sum(share(answer[k], v) for k, v in right.items() if k in answer) / max(many, 1)
    if type(right) in (list, tuple) and type(answer) in (list, tuple):
        return sum(map(share, answer, right)) / max(len(answer), len(right), 1)
    near = type(right) is float and type(answer) is float and math.isclose(answer, right, rel_tol=1e-4)
    return float(near or answer == right)


def _unused(source: Source, item: Output) -> Finding | None:
    """An argument that the function that an output is about never reads."""
    about = item.about.rpartition(".")[2]
    return scope.unused(source) if source.function.name == about else None
