"""Trusted code graded in this process: the same questions and the same judges, without a child."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import safetensors.torch
import torch

from grader.authoring.author_outputs import counted
from grader.authoring.authored import Item
from grader.core.exercise import Exercise, File, Fixtures, Output, Task
from grader.core.verdict import Check, ItemReport
from grader.judging import choices, findings, items
from grader.judging.compare import compare
from grader.judging.compare_outputs import held
from grader.reference import oracle
from grader.reference.values import unpacked
from grader.runner import wire
from grader.runner.host.client import WALL, Part, Run, Runner
from grader.runner.host.turns import Turns
from grader.runner.untrusted import asking, bounded, loading, variants
from grader.submissions.script import Script


class Staying:
    """What a child does that stays, as a job of which is asked."""

    def __init__(self, asked: variants.Asked) -> None:
        self.asked = asked
        self.first: list[dict[str, Any]] = [{"off": []}, {"loaded": True}]

    def ask(
        self, data: bytes, take: Callable[[bytes], object], complete: Callable[[], bool], wall: float
    ) -> None:
        request = json.loads(data[wire.LENGTH.size :])
        on = replace(self.asked, fixtures={f: self.asked.fixtures[f] for f in request["fixtures"]})
        for header in self.first:
            take(wire.encode(header))
        for record in variants.gradients_changed(on, request["variants"]):
            take(wire.encode(*record))
        take(wire.encode({"end": True}))
        self.first = []
        assert complete()

    def leave(self) -> None:
        pass


class Local(Runner):
    """Grades one function of trusted source at a time. steps: lines of it, after which a call is an error."""

    def __init__(self, exercise: Exercise, fixtures: Fixtures, steps: int | None = None) -> None:
        self.task, self.exercise, self.fixtures = Task(exercise, fixtures), exercise, fixtures
        self.steps = steps
        self.given = {
            name: {**exercise.sizes[name], **unpacked(safetensors.torch.load(data))}
            for name, data in fixtures.given.items()
            if name != "training"
        }
        self.cache: dict[str, bytes] = {}
        self.asked: tuple[str, str] | None = None  # of the last function its source and name, and its values
        self.last: dict[str, wire.Record] = {}
        self.turns, self.wall = Turns(), WALL

    def ask(self, request: Mapping[str, Any], given: bytes = b"") -> bytes:
        key = repr(request)
        if key not in self.cache:
            tensors = dict(safetensors.torch.load(given)) | request["sizes"]
            self.cache[key] = safetensors.torch.save(
                oracle.ANSWERS[request["ask"]](self.exercise, tensors, request)
            )
        return self.cache[key]

    def run(self, part: Part, file: File, wall: float | None = None, cpu: int | None = None) -> Run:
        """What other functions give in place of an output's own, or what torch does in an item."""
        turns = bounded.Turns()
        submission = loading.load(file.data, "mutant.py", turns)
        numbers = [*map(str, range(len(part.variants))), *(f"in {name}" for name in part.recorded)]
        parser = wire.Parser({(f, one) for f in part.fixtures for one in numbers}, off=())
        given = {f: self.given[f] for f in part.fixtures}
        asked = variants.Asked(submission, self.exercise, given)
        changed = variants.outputs_changed(asked, part.variants, turns)
        for record in (*changed, *variants.recorded(asked, part.recorded)):
            parser.feed(wire.encode(*record))
        return Run(parser.records, b"", False, "", False)

    def staying(self, part: Part, file: File) -> Staying:
        submission = loading.load(file.data, "mutant.py")
        return Staying(variants.Asked(submission, self.exercise, {f: self.given[f] for f in part.fixtures}))

    def values(self, source: str, name: str) -> dict[str, wire.Record]:
        """What a function of `source` gives on every fixture; it is run once, however often this is asked."""
        if self.asked == (source, name):
            return self.last
        item = self.exercise.item(name)
        submission = loading.load(source.encode(), "mutant.py")
        records = {}
        for fixture, given in self.given.items():
            parser = wire.Parser({(fixture, name)}, off=())
            # each call is counted anew: what one raises is swallowed, and Python then stops counting
            with counted(self.steps, "mutant.py") if self.steps else contextlib.nullcontext():
                parser.feed(wire.encode(*asking.ask(submission, item, fixture, given, self.exercise)))
            records[fixture] = parser.records[fixture, name]
        self.asked, self.last = (source, name), records
        return records

    def judge(self, source: str, name: str) -> dict[str, Check]:
        """The checks of one item, other choices of upstream gradients considered."""
        item = self.exercise.item(name)
        answer = choices.Answer(item, self.values(source, name), {})
        checks = {}
        for fixture, record in answer.records.items():
            reference = self.fixtures.references[fixture]
            assert record is not None
            if isinstance(item, Output):
                checks[fixture] = held(record, reference, name, item.exact)
                continue
            key = answer.key_in(reference)
            checks[fixture] = compare(record, reference.values[key], reference.sizes[key])
        answer = replace(answer, checks=checks)
        return dict(choices.reconsider(self, self.task, [answer])[0].checks)

    def report(self, source: str, name: str) -> ItemReport:
        """The whole report of one item, diagnosis included."""
        item = self.exercise.item(name)
        answer = choices.Answer(item, self.values(source, name), self.judge(source, name))
        code = Script(source.encode(), name="mutant.py")
        told, places = findings.diagnoses(self, self.task, [answer], code)
        answer = findings.traced(self, self.task, [answer], code, told)[0]
        return items.report(self.exercise, answer, code, told.get(name), places.get(name))

    def passes(self, source: str, name: str) -> bool:
        return all(c.verdict.passed for c in self.judge(source, name).values())


def after(item: Item, *statements: str) -> str:
    """A submission whose function of the item is the author's, with more statements that know its value v."""
    call = f"{item.name}({', '.join(item.params)})"
    body = [*item.source.splitlines(), f"v = {call}", *statements]
    return (
        "import torch\nimport torch.nn.functional as F\n\n\n" + "\n    ".join([f"def {call}:", *body]) + "\n"
    )


def lecture_cmp(record: wire.Record, reference: Any) -> bool:
    """What the lecture's own check says: torch.allclose, which broadcasts."""
    if record.data is None:
        return False
    import numpy as np

    value = torch.from_numpy(np.frombuffer(record.data, record.encoded).reshape(record.shape).copy())
    try:
        return torch.allclose(value, torch.from_numpy(np.array(reference)))
    except RuntimeError:
        return False
