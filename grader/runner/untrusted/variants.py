"""What functions give when they are changed, and what torch does in them: material for words. Untrusted side.

No verdict rests on any of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.core.calling import BadRequest, resolve
from grader.core.exercise import Exercise, Gradient, Item, Output
from grader.core.limits import MAX_SENT
from grader.reference.values import copied
from grader.runner import wire
from grader.runner.untrusted import outputs
from grader.runner.untrusted.asking import Given, NoValue, arguments, called
from grader.runner.untrusted.bounded import Turns
from grader.runner.untrusted.loading import Submission
from grader.runner.untrusted.packing import pack, packed
from grader.runner.untrusted.recording import Recording

Sent = tuple[dict[str, Any], bytes]
SMALL = 1000
Wanted = Sequence[tuple[str, str]]  # an item and the text of another function for it, each


@dataclass(frozen=True)
class Asked:
    """Whose functions, of which exercise, on which fixtures."""

    submission: Submission
    exercise: Exercise
    fixtures: Mapping[str, Given]


def gradients_changed(asked: Asked, wanted: Wanted) -> Iterator[Sent]:
    """What other functions give in place of a gradient's own, where that can be compared."""
    gradients = {item.name: item for item in asked.exercise.gradients}
    for number, (item, source) in enumerate(wanted):
        for name, given in asked.fixtures.items():
            if found := _of_variant(asked.submission, gradients[item], source, given, asked.exercise):
                yield {**found[0], "fixture": name, "item": str(number)}, found[1]


def recorded(asked: Asked, items: Sequence[str]) -> Iterator[Sent]:
    """What torch does in some items."""
    for item in items:
        for name, given in asked.fixtures.items():
            if found := _of_recorded(asked.submission, asked.exercise.item(item), given, asked.exercise):
                yield {**found[0], "fixture": name, "item": f"in {item}"}, found[1]


def outputs_changed(asked: Asked, wanted: Wanted, turns: Turns | None) -> Iterator[Sent]:
    """The same of outputs. What has come before is not sent again; the first of them is the code as it is.

    turns: those of the loops of the submission.
    """
    turns, seen = turns or Turns(), dict[tuple[str, str, bytes], int]()
    sent, kept = 0, Kept(asked.submission)
    for number, (name, source) in enumerate(wanted):
        item = next(item for item in asked.exercise.outputs if item.name == name)
        turns.begin()
        kept.restore()
        try:
            with outputs.changed(asked.submission, source):
                given = asked.fixtures.items()
                found = [(f, _of_changed(asked.submission, item, g, asked.exercise)) for f, g in given]
        except BaseException:  # of what was run to put it there
            continue
        if not number:
            turns.hold()
        for fixture, record in found:
            if record is None or sent > MAX_SENT // 2:
                continue
            key = (fixture, str(record[0].get("shape")), record[1])
            header = {"fixture": fixture, "item": str(number)}
            if key in seen:
                yield {**header, "status": "value", "same": seen[key]}, b""
                continue
            seen[key] = number
            sent += wire.weight(*record)
            yield {**record[0], **header}, record[1]


class Kept:
    """What functions may keep from call to call, as it is now: data of the top level and of classes."""

    def __init__(self, submission: Submission) -> None:
        found = [v for v in submission.names.values() if isinstance(v, type)]
        classes = [c for c in found if c.__module__ == "submission"]
        self.submission = submission
        self.data = _data(submission.names)
        self.fields = [(c, _data(vars(c))) for c in classes]

    def restore(self) -> None:
        self.submission.names.update(copied(self.data))
        for owner, fields in self.fields:
            for name, value in copied(fields).items():
                setattr(owner, name, value)


def _data(names: Mapping[str, Any]) -> dict[str, Any]:
    """What is small enough to be copied for each variant."""
    return {k: copied(v) for k, v in names.items() if not k.startswith("__") and _small(v)}


def _small(value: Any) -> bool:
    kind = type(value)
    if kind in (list, dict, set):
        return len(value) <= SMALL
    return kind in (bool, int, float, type(None)) or kind is torch.Tensor and value.numel() <= SMALL


def _of_variant(
    submission: Submission, item: Gradient, source: str, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes] | None:
    """What another function for a gradient gives, among the submission's names; None where no tensor."""
    names = dict(submission.names)
    other = Submission(names, submission.filename)

    def define() -> None:
        exec(compile(source, submission.filename, "exec", dont_inherit=True), names)

    try:
        called(other, None, define)
        call = resolve(names[item.name], item, given, exercise)
        _, passed = arguments(call, item, given)
        header, data = pack({}, called(other, None, lambda: call(passed)))
    except (NoValue, BadRequest, KeyError):
        return None
    if header["status"] != "value":
        return None
    return {**header, "reads": call.reads}, data


def _of_recorded(
    submission: Submission, item: Item, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes] | None:
    """What torch does while an item runs, as plain data; None where that is too much, or nothing."""
    recording = Recording(submission.filename)
    value = None

    def code() -> Any:
        with recording:
            if isinstance(item, Output):
                return outputs.call(submission, item, given, exercise)[0]
            call = resolve(submission.functions[item.name], item, given, exercise)
            return call(arguments(call, item, given)[1])

    try:
        value = called(submission, None, code)
    except NoValue:
        pass  # what was done before is known
    told = recording.told(value)
    return outputs.pack({}, told) if told else None


def _of_changed(
    submission: Submission, item: Output, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes] | None:
    """What an output gives of a submission that has been changed; None where nothing to compare."""

    def code() -> tuple[dict[str, Any], bytes]:
        value, _ = outputs.call(submission, item, given, exercise)
        return packed({}, value)

    try:
        header, data = called(submission, None, code)
    except NoValue:
        return None
    return (header, data) if header["status"] == "value" else None
