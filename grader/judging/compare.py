"""An answer held against a reference. Pure; NumPy only.

The rule, in one place. An answer passes when

    maxdiff <= 1e-5 * (largest reference element) + 2e-6 * size

where maxdiff is the largest absolute difference and `size` is how large the answer would be if
nothing in it cancelled, measured by pulling the arriving upstream gradients back with random signs
(`Program.pull`). Where nothing cancels, both are alike and the rule is a relative error of 1.2e-5:
right answers stay below 1e-6 and the smallest real mistake is at 4e-5. Where everything cancels
(db1 before a batch norm is a sum that is truly 0), the first part vanishes and the second allows
for the rounding of what was summed. Where a deep graph's own float32 is farther than this from its
float64, the fixture carries a `bound`, four times that distance, and a maxdiff up to it passes. An
all-zero answer never passes where the reference is more than that rounding; where it isn't, the probes
tell a zero from what cancels.

`exact` (every element equal) and `allclose` (torch.allclose's defaults) inform and never gate.
Every comparison is written so that NaN fails.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from grader.core.exercise import Reference
from grader.core.finding import Code, Finding
from grader.core.text import text
from grader.core.tolerance import ATOL, RTOL
from grader.core.verdict import Check, Verdict, Worst
from grader.diagnosis.relations import leading_ones
from grader.runner.wire import PLAIN, Record

Array = NDArray[Any]


def held(record: Record, reference: Reference, name: str) -> Check:
    """Judge one record against a reference by its name; quick where it has the reference's own bytes."""
    values = reference.values[name]
    if name not in reference.raw:
        same = judge(values, values, reference.sizes[name])
        reference.raw[name] = values.tobytes(), replace(same, shape=values.shape)
    raw, exact = cast(tuple[bytes, Check], reference.raw[name])
    if record.data == raw and record.shape == values.shape and record.dtype == "float32":
        return exact
    return compare(record, values, reference.sizes[name], reference.bounds.get(name, 0.0))


def spread(record: Record, reference: Reference, name: str) -> Check | None:
    """The check of an answer that is right once broadcast to its tensor's shape; None where it isn't.

    For flat code, which the lecture's `cmp` accepts so: what follows there broadcasts it too.
    """
    wanted, answer = reference.values[name], values(record)
    if answer is None or record.dtype != str(wanted.dtype) or not np.isfinite(answer).all():
        return None
    try:
        wide = np.broadcast_to(answer, wanted.shape)
    except ValueError:
        return None
    check = judge(wide, wanted, reference.sizes[name])
    note = f"{_shapes(answer.shape, wanted.shape)}: the same once it is broadcast"
    return replace(check, shape=answer.shape, note=note) if check.verdict.passed else None


def told(record: Record) -> Finding:
    """What a record without a value says of itself."""
    return Finding(record.code or Code(record.status), text(record.message))


def values(record: Record) -> Array | None:
    """The numbers that a record carries; None where it carries none, or sizes that no array has."""
    if not record.data or record.encoded == PLAIN:
        return None
    return np.frombuffer(record.data, np.dtype(record.encoded).newbyteorder("<")).reshape(record.shape)


def compare(
    record: Record, reference: Array, size: float, bound: float = 0.0, wants: str = "autograd has"
) -> Check:
    """Judge one record of a submission against the reference of its item; bound, wants: as in `judge`."""
    if record.status != "value":
        return Check(Verdict(record.status), told(record))
    shape = record.shape
    if record.encoded == PLAIN:  # only an output item's may be: a submission wrote to the wire
        return Check(Verdict.NOT_A_TENSOR, Finding(Code.NOT_A_TENSOR, "plain data, not a tensor"))
    if record.data is None:
        if shape != reference.shape:
            found = Finding(Code.WRONG_SHAPE, _shapes(shape, reference.shape))
            return Check(Verdict.WRONG_SHAPE, found, shape=shape)
        found = Finding(Code.WRONG_DTYPE, f"{text(record.dtype)}, wanted {reference.dtype}")
        return Check(Verdict.WRONG_DTYPE, found, shape=shape)
    answer = values(record)
    if answer is None:  # no elements, and perhaps sizes that no array has
        found = Finding(Code.WRONG_SHAPE, f"came {shape}, wanted {reference.shape}")
        return Check(Verdict.WRONG_SHAPE, found, shape=shape)
    note = ""
    if shape != reference.shape:
        if not leading_ones(shape, reference.shape):
            return _wrong_shape(answer, reference, size)
        more = len(shape) > reference.ndim
        repair = "sum without keepdim, or .squeeze(0), drops it" if more else "keepdim=True keeps it"
        note = f"{_shapes(shape, reference.shape)}: the same but for a leading 1, {repair}"
        answer = answer.reshape(reference.shape)
    if record.dtype != str(reference.dtype):
        reason = f"{text(record.dtype)}, wanted {reference.dtype}"
        if passes(answer, reference, size, bound):
            reason += "; the values are right"
        return Check(Verdict.WRONG_DTYPE, Finding(Code.WRONG_DTYPE, reason), shape=shape)
    finite = np.isfinite(answer)
    if not finite.all():
        first = tuple(int(i) for i in np.argwhere(~finite)[0])
        kind = "NaN" if np.isnan(answer[first]) else "inf" if answer[first] > 0 else "-inf"
        count = int((~finite).sum())
        reason = f"{count} of {answer.size} not finite, the first is {kind} at {list(first)}"
        return Check(Verdict.NOT_FINITE, Finding(Code.NOT_FINITE, reason), shape=shape)
    check = judge(answer, reference, size, bound, wants)
    return replace(check, shape=shape, note=note if check.verdict.passed else "")


def judge(
    answer: Array, reference: Array, size: float, bound: float = 0.0, wants: str = "autograd has"
) -> Check:
    """Judge finite values of the reference's shape.

    bound: a maxdiff that passes besides, where float32 itself was found to be so far from float64 when the
    fixture was built. wants: how a reason introduces the reference's number.
    """
    off = _off(answer, reference, size, bound)
    relative = off.maxdiff / off.largest if off.largest > 0 else (0.0 if off.maxdiff == 0 else None)
    if relative is not None and not relative < np.inf:
        relative = None
    exact = bool((answer == reference).all())
    verdict, found, worst = Verdict.EXACT if exact else Verdict.APPROXIMATE, None, None
    if not (exact or off.passes):
        worst = _worst(off)
        verdict, found = Verdict.WRONG, Finding(Code.ALL_ZERO, "all zero")
        if not off.zero:
            found = Finding(Code.VALUE_DIFFERS, worst.told(wants))
    return Check(
        verdict,
        found,
        exact=exact,
        approx=off.passes or exact,
        allclose=bool((off.difference <= 1e-8 + 1e-5 * np.abs(off.r)).all()),
        maxdiff=off.maxdiff,
        relative=relative,
        tolerance=off.tolerance,
        worst=worst,
    )


def passes(answer: Array, reference: Array, size: float, bound: float = 0.0) -> bool:
    """Whether finite values pass; of an answer to be judged, `judge` says by how much besides."""
    return _off(answer, reference, size, bound).passes


class _Off(NamedTuple):
    """How far values are off the reference's, both in float64."""

    a: Array
    r: Array
    difference: Array
    maxdiff: float
    largest: float  # of the reference
    tolerance: float
    zero: bool  # all zero, where the reference is more than rounding

    @property
    def passes(self) -> bool:
        return self.maxdiff <= self.tolerance and not self.zero


def _off(answer: Array, reference: Array, size: float, bound: float) -> _Off:
    a, r = answer.astype(np.float64), reference.astype(np.float64)
    difference = np.abs(a - r)
    maxdiff = float(difference.max(initial=0.0))
    largest = float(np.abs(r).max(initial=0.0))
    tolerance = max(RTOL * largest + ATOL * size, bound)
    return _Off(a, r, difference, maxdiff, largest, tolerance, largest > ATOL * size and not a.any())


def _worst(off: _Off) -> Worst:
    a, r = off.a, off.r
    at = np.unravel_index(int(off.difference.argmax()), a.shape)
    index = tuple(int(i) for i in at)
    count = int((off.difference > RTOL * off.largest).sum())
    digits = 4 if abs(a[at] - r[at]) > 1e-2 * abs(r[at]) else 7
    came, wanted = a[at] + 0.0, r[at] + 0.0  # no -0
    return Worst(index, f"{came:.{digits}g}", f"{wanted:.{digits}g}", count, a.size)


def _shapes(came: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    return f"{came} for {wanted}"


def reshaped(came: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """That only the shape is wrong, not the numbers."""
    return f"came {came}, wanted {wanted}: right after a reshape"


def _wrong_shape(answer: Array, reference: Array, size: float) -> Check:
    """Say what came and what was wanted, and whether the numbers are right under another shape."""
    came, wanted = answer.shape, reference.shape
    code, reason = Code.WRONG_SHAPE, f"came {came}, wanted {wanted}"

    def right(values: Array) -> bool:
        return bool(np.isfinite(values).all()) and passes(values, reference, size)

    if answer.size == reference.size:
        if right(answer.reshape(wanted)):
            dropped = came == tuple(d for d in wanted if d != 1)
            code = Code.KEEPDIM if dropped else Code.RESHAPED
            hint = f"give it the shape {wanted}"
            if dropped:
                calls = "".join(f".unsqueeze({k})" for k, d in enumerate(wanted) if d == 1)
                hint = f"an axis of size 1 is missing: {calls} (where a sum dropped it: keepdim=True)"
            reason = f"{reshaped(came, wanted)}; {hint}"
        elif answer.ndim == 2 and answer.T.shape == wanted and right(answer.T):
            code = Code.TRANSPOSED
            reason += "; right when transposed"
    else:
        try:
            wide = np.broadcast_to(answer, wanted)
        except ValueError:
            wide = None
        if wide is not None and right(wide):
            code = Code.NOT_EXPANDED
            reason += ": right after broadcasting; expand it to the tensor's own shape"
        elif (axes := _extra_axes(came, wanted)) is not None:
            with np.errstate(invalid="ignore"):  # a signalling NaN is cast
                summed = answer.astype(np.float64).sum(axes, keepdims=True).reshape(wanted)
            if right(summed):
                code = Code.NOT_SUMMED
                axis = ", ".join(str(i) for i in axes)
                reason += f": right once summed over dim {axis}, which the forward pass broadcast"
    return Check(Verdict.WRONG_SHAPE, Finding(code, reason), shape=came)


def _extra_axes(came: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...] | None:
    """The axes over which an answer is to be summed to get the wanted shape, if there are such."""
    padded = (1,) * (len(came) - len(wanted)) + wanted
    if len(padded) != len(came):
        return None
    axes = tuple(i for i, (c, w) in enumerate(zip(came, padded, strict=True)) if w == 1 and c != 1)
    fits = all(c == w or w == 1 for c, w in zip(came, padded, strict=True))
    return axes if axes and fits else None
