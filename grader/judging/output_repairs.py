"""Which one change of a learner's functions would make a wrong output right: the child runs them changed.

What comes back is material for words alone: no verdict rests on it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from grader.core.exercise import TRAINING, Output, Task, definition
from grader.core.finding import Finding
from grader.core.limits import MAX_CHANGED, OUTPUT_CHANGES, OUTPUT_CPU, OUTPUT_ROUND
from grader.diagnosis import resting, syntax
from grader.diagnosis.repairs import scope, search
from grader.diagnosis.repairs.source import About, Source
from grader.judging.choices import Answer
from grader.judging.compare_outputs import held
from grader.runner.host.client import Part, Runner
from grader.runner.wire import Record
from grader.submissions.script import Script

FIELD = re.compile(r"\b[a-z]\w*\.([a-z_]\w*)\b(?!\()")

Records = Mapping[tuple[str, int], Record]  # by fixture and number of the change


def sources(code: Script, item: Output, others: Collection[str] = ()) -> list[Source]:
    """The functions and methods that an output rests on, in the learner's file; what it is about first.

    others: definitions that other items judge, whose mistakes are told there.
    """
    text = code.functions
    lines = text.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    wanted = [item.judged, *item.asks]
    own = syntax.definitions(text)
    reached = {definition(n) for n in resting.reached(own, [n for n in own if definition(n) in wanted])}
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

    def __init__(self, runner: Runner, task: Task, code: Script) -> None:
        self.runner, self.task, self.code = runner, task, code
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
        return self._changed(item, found, first, on) or _unused(found[0], item)

    def _changed(
        self, item: Output, found: Sequence[Source], first: str, on: Sequence[str]
    ) -> Finding | None:
        """What the likeliest change says that is right on `first`, where the answer is not, and elsewhere."""
        rest = [f for f in on if f != first]
        changes = search.of_output(found, OUTPUT_CHANGES)
        for some in _rounds(list(changes)):
            if self.seconds <= 0:
                return None
            records = self._run(item, [found[0].data.decode(), *some], [first])
            fits = self._fits(item, records, first)
            for text in [some[k - 1] for k in fits if k]:
                of, tried = changes[text]
                others = self._run(item, [found[of].data.decode(), text], rest)
                if all(1 in self._fits(item, others, f) for f in rest):
                    told = search.told(tried)
                    alike = {search.told(changes[some[k - 1]][1]).line for k in fits
                             if k and search.told(changes[some[k - 1]][1]).text == told.text}  # fmt: skip
                    return replace(told, on=tuple(on), line=told.line if len(alike) == 1 else None)
        return None

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
        right: dict[int, bool] = {}
        for (f, number), record in sorted(records.items(), key=lambda r: r[0][1]):
            if f == fixture:
                earlier = record.same is not None and right.get(record.same, False)
                judged = record.same is None and held(record, reference, item.name, item.exact).verdict.passed
                right[number] = earlier or judged
        return [k for k, fits in right.items() if fits]


def _unused(source: Source, item: Output) -> Finding | None:
    """An argument that the function that an output is about never reads."""
    about = item.about.rpartition(".")[2]
    return scope.unused(source) if source.function.name == about else None


def _rounds(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The likeliest changes first, in runs that become longer."""
    start, size = 0, 60
    while start < len(texts):
        yield texts[start : start + size]
        start, size = start + size, 2 * size
