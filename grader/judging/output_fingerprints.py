"""What the fixtures know of mistakes in outputs: by which marks a mistake's answers are known again. Pure.

An answer has a mark for each call that its driver makes, one alone where there is no driver: a digest of its
form, with what is infinite or NaN in it, and of an approximate item the fingerprint of its numbers. An
exception has one too. Of a mistake the fixtures hold the marks of those calls that it makes wrong.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from grader.core import plain
from grader.core.exercise import Output, Reference
from grader.core.finding import Finding
from grader.core.plain import Tensor
from grader.diagnosis.diagnose import fingerprint, spoken
from grader.diagnosis.outputs import raises, related
from grader.judging.compare_outputs import answer_of
from grader.judging.shown import array
from grader.runner.wire import Record

CLOSE = 2e-5  # relative: an answer that a mistake explains, by its marks
SAME = 1e-6  # two marks of the same answer
ROUNDED = 5e-6  # what a saved number may be off
WHOLE = "whole"  # the key of an answer of no calls, and of an exception
MORE = "more"  # that of calls which the author's driver does not make
TYPE = re.compile(r"\b[A-Z]\w+(?=: |$)")  # of an exception, with which its text begins
EXACT = 1 << 53  # whole numbers below it are told apart as float64

Mark = list[Any]  # the form's digest, then the numbers' fingerprint


class Sized(Mark):
    """The mark of an answer at hand, with the size of its numbers: a projection may be small by chance."""

    size = 0.0


def _apart(own: Mark, other: Mark | None) -> float:
    """How far an answer at hand is from something else, in parts of its own size, as rounding is."""
    return between(own, other, own.size if isinstance(own, Sized) else 0.0)


Marks = dict[str, Mark]  # by call


def marks(value: Any, item: Output) -> Marks | None:
    """By what each call's result is known again; None where its form is none. value: decoded plain data."""
    try:
        if item.driver and type(value) is dict:
            return {str(call): _mark(one, item.exact) for call, one in value.items()}
        return {WHOLE: _mark(value, item.exact, 2)}
    except (plain.NotPlain, TypeError, ValueError, OverflowError):  # too long now, or a tensor in a set
        return None


def of_error(message: str) -> Marks:
    """The mark of an exception in place of all calls. message: its type and text, and the call, or where."""
    begin = TYPE.search(message)
    said = message[begin.start() if begin else 0 :].partition("; of ")[0][:400].rstrip(": ")
    return {WHOLE: [_digest("!" + said)]}


def _mark(value: Any, exact: bool, most: int = 1) -> Mark:
    found: list[float] = []
    form = _digest(plain.encode(_form(value, None if exact else found)))
    prints = fingerprint(np.array(found))[: most if len(found) > 1 else 1] if found else []
    mark = Sized([form, *(float(f"{p:.6g}") for p in prints)])
    size = math.hypot(*found)
    mark.size = size if math.isfinite(size) else 0.0
    return mark


def _digest(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:8]


def _form(value: Any, found: list[float] | None) -> Any:
    """A value as lists in one order; finite numbers go to `found`, where that is a list.

    What a comparison forgives is no difference here: a tuple for a list, a leading axis of 1.
    """
    kind = type(value)
    if kind in (list, tuple):
        return ["list", *(_form(one, found) for one in value)]
    if kind is dict:
        items = sorted((plain.encode(k).decode(), v) for k, v in value.items())
        return ["dict", *([k, _form(v, found)] for k, v in items)]
    if kind is Tensor:
        shape = list(value.shape)
        while shape[:1] == [1]:
            del shape[0]
        numbers = array(value).astype(np.float64)
        if found is not None and not shape and value.dtype != "bool":
            return _number(float(numbers.ravel()[0]), found)
        name = "int" if value.dtype.startswith(("int", "uint")) else value.dtype[:4]
        if found is None:
            return [name, shape, _digest((numbers + 0.0).tobytes())]
        odd = np.where(np.isfinite(numbers), 0.0, numbers)
        found.extend(np.where(np.isfinite(numbers), numbers, 0.0).ravel().tolist())
        return [name, shape, _digest(np.nan_to_num(odd, nan=9.0).tobytes()) if odd.any() else ""]
    if found is not None and kind in (int, float) and (kind is float or abs(value) < EXACT):
        return _number(float(value), found)
    return value


def _number(x: float, found: list[float] | None) -> Any:
    if not math.isfinite(x):
        return str(x)
    if found is None:
        return x + 0.0
    found.append(x)
    return 0


def differing(own: Marks, right: Marks) -> Marks:
    """Of an answer's marks those that are not the right ones', by the number of the call."""
    keys = {call: str(k) for k, call in enumerate(right)}
    if own.keys() != right.keys() and (WHOLE in own or WHOLE in right):
        return own
    found = {keys[c]: own.get(c, [""]) for c in right if between(own.get(c), right[c]) > SAME}
    more = {c: own[c] for c in own if c not in right}
    return found | ({MORE: [_digest(repr(sorted(more)))]} if more else {})


def between(a: Mark | None, b: Mark | None, size: float = 0.0) -> float:
    """How far apart two marks are, in parts of the larger or of `size`; infinity for two forms."""
    if a is None or b is None or a[0] != b[0] or len(a) != len(b):
        return math.inf
    if a == b:
        return 0.0
    scale = max(size, *(abs(p) for p in (*a[1:], *b[1:])))
    return max((abs(p - q) / scale for p, q in zip(a[1:], b[1:], strict=True) if p != q), default=0.0)


def same(a: Marks, b: Marks, within: float = SAME) -> bool:
    return a.keys() == b.keys() and all(between(a[k], b[k]) <= within for k in a)


def known(
    mistakes: list[dict[str, Any]],
    answers: Mapping[str, Record],
    references: Mapping[str, Reference],
    item: Output,
    read: Collection[str] = (),
    least: int = 2,
) -> Finding | None:
    """The first mistake whose marks an answer has on every call that tells it from right, and no others.

    There are `least` such calls, or fixtures. It must be far closer to them than the right answer is: a
    mistake may change little.
    read: the parameters that the learner's function works with.
    """
    wrong: dict[str, Marks] = {}
    limits: dict[str, dict[str, float]] = {}
    for fixture, record in answers.items():
        right = marks(wanted(references[fixture], item.name), item) or {}
        own = marks(answer_of(record), item) if record.data is not None else None
        own = own or of_error(record.message)
        wrong[fixture] = differing(own, right)
        order = dict(enumerate(right))
        limits[fixture] = {
            k: min(CLOSE, _apart(mark, right.get(order.get(int(k), "") if k.isdigit() else WHOLE)) / 4)
            for k, mark in wrong[fixture].items()
        }
    whole: list[tuple[float, Finding]] = []
    for mistake in mistakes:
        on = {f: m for f, m in mistake["on"].items() if f in wrong}
        many = sum(map(len, on.values()))
        if many < least or not all(_has(wrong[f], m, limits[f]) for f, m in on.items()):
            continue
        if not any(_besides(wrong[f], m, limits[f]) for f, m in on.items()):
            far = [_apart(wrong[f][k], mark) for f, m in on.items() for k, mark in m.items()]
            if said := spoken(mistake, read):
                whole.append((max(far), said))
    if whole:  # of those that differ little among themselves the nearest
        nearest = min(distance for distance, _ in whole)
        return next(found for distance, found in whole if distance <= nearest + ROUNDED)
    return None


def symptom(
    answers: Mapping[str, Record], references: Mapping[str, Reference], item: Output
) -> Finding | None:
    """What the values say of themselves, or an exception: true, but not always why."""
    raised = [record.message for record in answers.values() if record.data is None]
    if raised:
        return raises(raised[0])
    return related(list(_pairs(answers, references, item)))


def _pairs(
    answers: Mapping[str, Record], references: Mapping[str, Reference], item: Output
) -> Iterator[tuple[Any, Any]]:
    """What came and what was wanted, of each call."""
    for fixture, record in answers.items():
        own, right = answer_of(record), wanted(references[fixture], item.name)
        if item.driver and type(own) is type(right) is dict:
            yield from ((own.get(call), one) for call, one in right.items())
        else:
            yield own, right


def _has(own: Marks, mistake: Marks, limits: Mapping[str, float]) -> bool:
    """Whether an answer has all marks of a mistake."""
    return all(k in own and _apart(own[k], mark) <= limits[k] for k, mark in mistake.items())


def _besides(own: Marks, mistake: Marks, limits: Mapping[str, float]) -> bool:
    """Whether a mistake leaves a call unexplained; one that is off by rounding alone is none."""
    return any(k not in mistake and limits[k] > CLOSE / 4 for k in own)


def wanted(reference: Reference, item: str) -> Any:
    if item in reference.plain:
        return plain.decode(reference.plain[item])
    value = reference.values[item]
    sent = "<f4" if value.dtype == np.float32 else "<f8"
    return Tensor(str(value.dtype), value.shape, value.astype(sent).tobytes())
