"""What the fixtures know of mistakes in outputs: by which marks a mistake's answers are known again. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from grader.core import plain
from grader.core.exercise import Reference
from grader.core.finding import Finding
from grader.core.plain import Tensor
from grader.diagnosis.diagnose import fingerprint, spoken
from grader.judging.compare_outputs import answer_of, numbers
from grader.runner.wire import Record

CLOSE = 1e-5  # relative: an answer that a mistake explains, by its marks
SAME = 1e-6  # two marks of the same answer


def mark(value: Any, exact: bool) -> dict[str, Any] | None:
    """By what an answer is known again: its digest, and for an approximate one its numbers' fingerprint.

    value: decoded plain data, a tensor as Tensor. None where its numbers are not finite, or its form is none.
    """
    found = [] if exact else list(numbers(value))
    if not all(map(math.isfinite, found)):
        return None
    try:
        form = hashlib.sha256(plain.encode(value if exact else _form(value))).hexdigest()[:16]
    except (plain.NotPlain, TypeError):  # too long now, or a tensor in a set
        return None
    if exact:
        return {"form": form}
    return {"form": form, "prints": [float(f"{p:.7g}") for p in fingerprint(np.array(found))]}


def _form(value: Any) -> Any:
    """A value with its numbers taken out. A tensor of no axes is a number here too."""

    def blank(one: Any) -> Any:
        if type(one) is Tensor:
            return ["tensor", list(one.shape)] if one.shape else 0.5
        return 0.5 if type(one) is float else one

    return plain.rebuilt(value, blank)


def same_mark(a: dict[str, Any] | None, b: dict[str, Any] | None) -> bool:
    return _between(a, b) <= SAME


def _between(a: dict[str, Any] | None, b: dict[str, Any] | None) -> float:
    """How far apart two marks are, in parts of the larger; infinity where they are of different form."""
    if a is None or b is None or a["form"] != b["form"]:
        return math.inf
    x, y = a.get("prints", []), b.get("prints", [])
    if len(x) != len(y):
        return math.inf
    scale = max((abs(p) for p in (*x, *y)), default=0.0)
    return max((abs(p - q) / scale for p, q in zip(x, y, strict=True) if p != q), default=0.0)


def known(
    mistakes: list[dict[str, Any]],
    answers: dict[str, Record],
    references: Mapping[str, Reference],
    item: str,
    exact: bool,
) -> Finding | None:
    """The first mistake that gives these answers on every fixture that it is known on, two at least.

    It must be far closer to them than the right answer is: a mistake may change little.
    """
    marks, distance = {}, {}
    for fixture, record in answers.items():
        marks[fixture] = mark(answer_of(record), exact) if record.data is not None else None
        distance[fixture] = _between(marks[fixture], mark(_wanted(references[fixture], item), exact))
    limit = {f: min(CLOSE, d / 4) if d > SAME else SAME for f, d in distance.items()}
    for mistake in mistakes:
        on = [f for f in mistake["on"] if f in marks]
        if len(on) > 1 and all(_between(mistake["on"][f], marks[f]) <= limit[f] for f in on):
            return spoken(mistake)
    return None


def _wanted(reference: Reference, item: str) -> Any:
    if item in reference.plain:
        return plain.decode(reference.plain[item])
    value = reference.values[item]
    sent = "<f4" if value.dtype == np.float32 else "<f8"
    return Tensor(str(value.dtype), value.shape, value.astype(sent).tobytes())
