"""The mistake that explains a wrong answer: by its value, by what is known, by a change that mends it.

Imported where an answer is wrong, not before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import safetensors.numpy

from grader.core.errors import swallowing
from grader.core.exercise import Gradient, Output, Task
from grader.core.finding import Code, Finding
from grader.core.verdict import Verdict
from grader.diagnosis.diagnose import FIXTURES, Known, diagnose
from grader.diagnosis.numbers_in_code import words
from grader.diagnosis.positions import where
from grader.diagnosis.relations import Evidence, same
from grader.diagnosis.shapes import drops
from grader.diagnosis.syntax import read_only
from grader.judging.choices import Answer
from grader.judging.compare import values
from grader.judging.output_fingerprints import known as known_output
from grader.judging.output_fingerprints import symptom
from grader.judging.output_repairs import OutputSearch
from grader.judging.repairs import Search
from grader.runner.host.client import Runner
from grader.submissions.script import Script

DIFFERENT = frozenset((Verdict.WRONG, Verdict.WRONG_SHAPE))
SETTLED = frozenset(  # what is true of any code that gives such values
    (
        Code.SIGN,
        Code.HARD_CODED,
        Code.PASSED_THROUGH,
        Code.LOCAL_GRADIENT,
        Code.BRANCH_MISSING,
        Code.BRANCH_SIGN,
        Code.ANOTHER_GRADIENT,
    )
)


VAGUE = frozenset(  # what the values of an output tell, but no reason: a change of its code may
    (Code.HARD_CODED, Code.REORDERED, Code.PLACES_MISSING, Code.EXTRA_STEP)
)


_read = lru_cache(8)(json.loads)  # the same for all of a class


class Mistakes:
    """What is found out about the wrong answers of one submission, by item: told, or else the places."""

    def __init__(self, task: Task, code: Script) -> None:
        self.task, self.code = task, code
        self.known = _read(task.fixtures.diagnosis)
        saved = task.fixtures.given
        self.given: dict[str, Any] = {f: safetensors.numpy.load(saved[f]) for f in FIXTURES if f in saved}
        self.told: dict[str, Finding] = {}
        self.places: dict[str, str] = {}
        self.vague: set[str] = set()

    def by_value(self, answer: Answer) -> None:
        """What the values tell; a gradient's have to be wrong, not missing."""
        wrong = any(c.verdict in DIFFERENT for c in answer.checks.values())
        with swallowing(f"{answer.item.name} its diagnosis"):
            if isinstance(answer.item, Output):
                self._of_output(answer, answer.item, wrong)
            elif wrong:
                self._of_gradient(answer, answer.item)

    def by_change(self, runner: Runner, wrong: Sequence[Answer]) -> None:
        """What a change of the code tells that makes an answer right."""
        outputs = OutputSearch(runner, self.task, self.code, self.known)
        with Search(runner, self.task, self.code, self.given) as search:
            for answer in wrong:
                name = answer.item.name
                with swallowing(f"{name} the change that makes it right"):
                    if not isinstance(answer.item, Output):
                        found = self._changed(search, answer)
                    elif name in self.told and name not in self.vague:
                        continue  # in words of the lecture, and at no cost
                    else:
                        found = outputs.explain(answer)
                    if found:
                        self.told[name] = found
                        self.places.pop(name, None)

    def _of_output(self, answer: Answer, item: Output, wrong: bool) -> None:
        records = {f: r for f in FIXTURES if (r := answer.records.get(f)) is not None}
        mistakes = self.known.get(item.name, {}).get("mistakes", [])
        references = self.task.fixtures.references
        read = read_only(self.code.functions, item.about) or ()
        if found := known_output(mistakes, records, references, item, read):
            self.told[item.name] = found
        elif found := symptom(records, references, item):
            self.told[item.name] = found
            if found.code in VAGUE or any(r.data is None for r in records.values()):
                self.vague.add(item.name)
        elif wrong:
            self.places[item.name] = ""

    def _of_gradient(self, answer: Answer, item: Gradient) -> None:
        name, evidence = item.name, self._evidence(answer)
        fits = [e.answer.shape == e.reference.shape for e in evidence]
        if len(evidence) > 1 and evidence[0].fixture == FIXTURES[0] and name in self.known:
            lines = {line.name: line for line in self.task.exercise.lines}
            found = diagnose(item, self._about(name), evidence, lines) or self._another(item, evidence)
            if found and (found.code is not Code.KEEPDIM or drops(self.code.functions, name)):
                self.told[name] = found
            elif not found and all(fits):  # else what is said of the shape is enough
                self.places[name] = where(evidence[0])
        elif evidence and fits[0]:
            self.places[name] = where(evidence[0])

    def _about(self, name: str) -> Known:
        return Known(self.known[name]["mistakes"], self.known[name]["branches"])

    def _evidence(self, answer: Answer) -> list[Evidence]:
        """The answers that are all numbers, with what they are held against."""
        exercise, fixtures = self.task
        uses, numbers = words(self.code.functions, answer.item.name) or (None, None)
        found = []
        for f, given in self.given.items():
            record, reference = answer.records.get(f), fixtures.references[f]
            value = values(record) if record is not None else None
            if value is not None and np.isfinite(value).all():
                key = answer.key_in(reference)
                wanted, size = reference.values[key].astype(float), reference.sizes[key]
                at = (f, value.astype(float), wanted, given, exercise.sizes[f])
                found.append(Evidence(*at, size, uses, numbers, exercise.lecture.sizes))
        return found

    def _another(self, item: Gradient, evidence: Sequence[Evidence]) -> Finding | None:
        """Another item's gradient, of whatever shape."""
        references = self.task.fixtures.references
        for other in self.task.exercise.gradients:
            wanted = [references[e.fixture].values.get(other.name) for e in evidence]
            if other.name != item.name and all(
                w is not None and w.size > 1 and same(e, e.answer, w.astype(float))
                for e, w in zip(evidence, wanted, strict=True)
            ):
                on = tuple(e.fixture for e in evidence)
                return Finding(Code.ANOTHER_GRADIENT, f"this is {other.name}", on=on)
        return None

    def _changed(self, search: Search, answer: Answer) -> Finding | None:
        """What a change of a gradient's function tells, unless its values have told more."""
        name, told = answer.item.name, self.told.get(answer.item.name)
        if name not in self.known:
            return None
        settled = told is not None and told.code in SETTLED
        found = None if settled else search.explain(answer, self._about(name), bool(told))
        less = found is None or found.code is Code.UPSTREAM_MISSING
        zero = told is not None and told.code is Code.ALL_ZERO
        if told and (less or (zero and found and found.code is Code.TWO_SLIPS)):  # zeros are simpler than two
            return search.placed(answer, told, settled)
        return found
