"""An output held against the author's. Pure; NumPy only.

A tensor is judged as a gradient is (`compare`); an exact item passes only where every element is equal.
Plain data must have the author's structure: the same entries in the same places. Each number in an
approximate item may be off by

    1e-5 * its own size + 1e-9 * the largest number of the answer

or by the fixture's `bound`, where float32 and float64 were found to be farther apart when it was built.

What a learner can't know is forgiven, with a note: a tuple or a tensor for a list, 2 for 2.0, in lists True
and False for 1 and 0, a leading axis of 1, a number for a tensor of no axes or the reverse, an integer type
of another width, float64 for float32 in an approximate item. In an exact item 2.0 is no 2, which counts or is
an index; and text is no bytes. A value of a wrong kind is `wrong`: the reason says what came. What is
infinite has to be so on both sides.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.core import plain
from grader.core.exercise import Reference
from grader.core.finding import Code, Finding
from grader.core.plain import Tensor
from grader.core.text import text
from grader.core.verdict import Check, Verdict
from grader.judging import compare_plain
from grader.judging.compare import compare as compare_gradient
from grader.judging.compare import told, values
from grader.judging.compare_plain import NUMBER, as_good, kind_of, number
from grader.runner.wire import Record

Array = NDArray[Any]


def held(record: Record, reference: Reference, item: str, exact: bool, named: bool = False) -> Check:
    """Judge one record of an output item against its reference. named: a driver's, whose keys are calls."""
    if record.status != "value":
        kind = Verdict.WRONG if record.status == "not-a-tensor" else Verdict(record.status)
        return Check(kind, told(record))
    bound = reference.bounds.get(item, 0.0)
    if item in reference.values:
        return _tensor(record, reference.values[item], reference.sizes[item], bound, exact)
    wanted = reference.plain[item]
    if record.encoded == "plain" and record.data == wanted:
        return Check(Verdict.EXACT, exact=True, approx=True, allclose=True, maxdiff=0.0)
    return compare_plain.held(answer_of(record), plain.decode(wanted), exact, bound, named)


def answer_of(record: Record) -> Any:
    if record.encoded == "plain":
        return plain.decode(record.data or b"")
    return Tensor(record.dtype, record.shape, record.data or b"")


def _tensor(record: Record, wanted: Array, size: float, bound: float, exact: bool) -> Check:
    note = ""
    if record.encoded == "plain":
        came = plain.decode(record.data or b"")
        if wanted.shape or wanted.dtype == np.bool_ or not number(came):
            found = Finding(Code.NOT_A_TENSOR, f"returned {kind_of(came)}, not a tensor")
            return Check(Verdict.NOT_A_TENSOR, found)
        note = NUMBER
        record = replace(record, dtype=str(wanted.dtype), encoded="float64", data=_double(came).tobytes())
    elif record.dtype != str(wanted.dtype) and as_good(record.dtype, str(wanted.dtype), exact):
        note = f"{text(record.dtype)} where the solution returns {wanted.dtype}"
        record = replace(record, dtype=str(wanted.dtype))
    answer = values(record)
    if answer is not None and answer.shape == wanted.shape and np.isinf(wanted).any():
        if reason := _infinities(answer, wanted):
            return Check(Verdict.WRONG, Finding(Code.VALUE_DIFFERS, reason), shape=record.shape)
        finite = np.where(np.isinf(wanted), 0, answer).astype(answer.dtype)
        record = replace(record, data=finite.tobytes())
        wanted = np.where(np.isinf(wanted), 0, wanted).astype(wanted.dtype)
    check = compare_gradient(record, wanted, size, bound, wants="wanted")
    if exact and check.verdict is Verdict.APPROXIMATE:
        found = Finding(Code.NOT_EXACT, f"to be exact: off by {check.maxdiff:.2g} at most")
        return replace(check, verdict=Verdict.WRONG, finding=found, note="")
    if check.verdict.passed and note:
        return replace(check, note="; ".join(n for n in (check.note, note) if n))
    return check


def _double(number: float) -> Array:
    """A plain number as a float64 of no axes; infinite where it is too large for one."""
    try:
        return np.array(number, np.dtype("<f8"))
    except OverflowError:
        return np.array(math.inf if number > 0 else -math.inf, np.dtype("<f8"))


def _infinities(a: Array, w: Array) -> str:
    """The first place where one is infinite and the other another number; empty where there is none."""
    for at in np.argwhere((np.isinf(a) | np.isinf(w)) & ~(a == w)):
        place = tuple(map(int, at))
        return f"at {list(place)} {a[place]:.4g}, wanted {w[place]:.4g}"
    return ""
