"""The rule that answers are judged by: what must pass, what must fail, and what is said of a failure."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from grader.core.tolerance import ATOL, RTOL
from grader.core.verdict import RULE, Verdict
from grader.judging import compare as module
from grader.judging.compare import compare, judge
from grader.runner.wire import Malformed, Parser, Record, encode

Array = NDArray[Any]
NEAR, FAR = 1e-6, 4e-5  # right answers stay below the one, the smallest real mistake is at the other

seeds = st.integers(0, 2**32 - 1)
shapes = st.lists(st.integers(1, 6), max_size=3).map(tuple)
scales = st.floats(-12, 6).map(lambda e: 10.0**e)
signs = st.sampled_from([-1, 1])


@st.composite
def references(draw: st.DrawFn) -> Array:
    """Random float32 values, none of them zero throughout."""
    rng = np.random.default_rng(draw(seeds))
    values = rng.standard_normal(draw(shapes)) * draw(scales)
    return np.asarray(values, np.float32)


def largest(reference: Array) -> float:
    return float(np.abs(reference.astype(np.float64)).max(initial=0))


def at(shape: tuple[int, ...], seed: int) -> tuple[int, ...]:
    return tuple(seed // 7**i % d for i, d in enumerate(shape))


def record(answer: Array, dtype: str = "", status: str = "value") -> Record:
    dtype = dtype or str(answer.dtype)
    return Record("f", "i", status, dtype, answer.shape, str(answer.dtype), answer.tobytes())


def f32(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@given(references(), st.floats(0, NEAR), seeds)
def test_noise_of_rounding_passes(reference: Array, level: float, seed: int) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, reference.shape) * level * largest(reference)
    answer = np.asarray(reference + noise, np.float32)
    check = judge(answer, reference, largest(reference))
    assert check.approx and check.verdict.passed and check.reason == ""


@given(references(), st.floats(FAR, 1e6), signs, seeds, st.floats(0, 10))
def test_one_element_off_by_a_real_mistake_fails(
    reference: Array, relative: float, sign: int, seed: int, size: float
) -> None:
    answer = reference.astype(np.float64)
    answer[at(reference.shape, seed)] += sign * relative * largest(reference)
    check = judge(answer, reference, size * largest(reference))
    assert check.verdict is Verdict.WRONG and not (check.approx or check.exact) and check.reason


@given(references())
def test_the_same_values_are_exact(reference: Array) -> None:
    check = judge(reference.copy(), reference, 0.0)
    assert check.verdict is Verdict.EXACT
    assert check.exact and check.approx and check.allclose and check.maxdiff == 0 and check.relative == 0


@given(references(), st.floats(0, 1e-4), seeds, st.floats(0, 100))
def test_exact_implies_approximate_and_the_verdict_says_which(
    reference: Array, level: float, seed: int, size: float
) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, reference.shape) * level * largest(reference)
    check = judge(np.asarray(reference + noise, np.float32), reference, size * largest(reference))
    assert check.approx or not check.exact
    assert check.verdict.passed is check.approx
    assert check.exact is (check.verdict is Verdict.EXACT)


@given(references(), st.floats(0, 1e-3), st.floats(0, 1e3), seeds)
def test_an_answer_passes_exactly_where_its_difference_is_within_the_documented_tolerance(
    reference: Array, level: float, size: float, seed: int
) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, reference.shape) * level * largest(reference)
    answer = np.asarray(reference + noise, np.float32)
    size *= largest(reference)
    check = judge(answer, reference, size)
    assert check.tolerance == RTOL * largest(reference) + ATOL * size
    assert check.maxdiff == np.abs(answer.astype(np.float64) - reference.astype(np.float64)).max()
    assert check.maxdiff is not None and check.tolerance is not None
    assert check.relative == check.maxdiff / largest(reference)
    zero = not answer.any() and largest(reference) > ATOL * size
    assert check.approx is (check.maxdiff <= check.tolerance and not zero)


@given(st.floats(0, 1e6), st.sampled_from([0.0, 0.25, 1e-3]))
def test_a_difference_of_the_tolerance_itself_passes_and_the_next_larger_does_not(
    size: float, bound: float
) -> None:
    reference = np.array([1.0, 0.0], np.float32)
    tolerance = max(RTOL + ATOL * size, bound)
    for difference, verdict in (
        (tolerance, Verdict.APPROXIMATE),
        (np.nextafter(tolerance, np.inf), Verdict.WRONG),
    ):
        check = judge(np.array([1.0, difference]), reference, size, bound)
        assert (check.maxdiff, check.tolerance, check.verdict) == (difference, tolerance, verdict)


def test_a_difference_of_allclose_s_own_tolerance_is_close() -> None:
    for difference, close in ((1e-8, True), (np.nextafter(1e-8, 1), False)):
        assert judge(np.array([1.0, difference]), np.array([1.0, 0.0]), 0.0).allclose is close


@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
def test_zeros_pass_where_the_reference_is_as_large_as_what_is_rounding_and_no_larger(size: float) -> None:
    rounding = ATOL * size
    zeros = np.zeros(2)
    assert judge(zeros, np.array([rounding, 0.0]), size).verdict is Verdict.APPROXIMATE
    assert judge(zeros, np.array([np.nextafter(rounding, 1), 0.0]), size).verdict is Verdict.WRONG


def test_the_documented_rule_names_the_numbers_in_use() -> None:
    form = r"maxdiff <= (\S+) \* \(?largest reference element\)? \+ (\S+) \* size"
    for text in (RULE, module.__doc__ or ""):
        found = re.search(form, text)
        assert found and tuple(map(float, found.groups())) == (RTOL, ATOL)
    assert NEAR < RTOL < RTOL + 10 * ATOL < FAR


@given(references(), st.floats(0, 0.9), st.sampled_from([0.0, -0.0]))
def test_zeros_never_pass_for_a_reference_that_is_more_than_rounding(
    reference: Array, level: float, zero: float
) -> None:
    answer = np.full_like(reference, zero)
    size = level * largest(reference) / ATOL
    check = judge(answer, reference, size)
    assert check.verdict is Verdict.WRONG and check.reason == "all zero"
    assert not compare(record(answer), reference, size).verdict.passed


@given(references(), st.floats(1.1, 1e3))
def test_zeros_pass_for_a_reference_that_is_rounding(reference: Array, level: float) -> None:
    size = level * largest(reference) / ATOL
    assert judge(np.zeros_like(reference), reference, size).verdict is Verdict.APPROXIMATE


@given(shapes, st.floats(1e-3, 1e3))
def test_a_zero_reference_takes_zeros_and_rounding_of_what_was_summed(
    shape: tuple[int, ...], size: float
) -> None:
    reference = np.zeros(shape, np.float32)
    assert judge(reference, reference, size).verdict is Verdict.EXACT
    assert judge(-reference, reference, 0.0).verdict is Verdict.EXACT
    near = judge(np.full(shape, 0.5 * ATOL * size, np.float32), reference, size)
    assert near.verdict is Verdict.APPROXIMATE and near.relative is None
    assert judge(np.full(shape, 2 * ATOL * size, np.float32), reference, size).verdict is Verdict.WRONG
    assert judge(np.full(shape, 1e-30, np.float32), reference, 0.0).verdict is Verdict.WRONG


@given(references(), st.floats(0, 1e-4), st.floats(0, 10), st.integers(-40, 40), seeds)
def test_scaling_everything_by_a_power_of_two_keeps_the_verdict(
    reference: Array, level: float, size: float, power: int, seed: int
) -> None:
    noise = np.random.default_rng(seed).uniform(-1, 1, reference.shape) * level
    answer = (reference * (1 + noise)).astype(np.float32)
    factor = np.float32(2.0**power)
    small = min(np.abs(reference).min(), np.abs(answer).min())
    assume(min(small, small * factor) > 1e-36)  # above the subnormals, that have fewer bits
    one = judge(answer, reference, size * largest(reference))
    other = judge(answer * factor, reference * factor, size * largest(reference) * float(factor))
    assert (one.verdict, one.approx, one.relative) == (other.verdict, other.approx, other.relative)


@given(references(), st.sampled_from([np.nan, np.inf, -np.inf]), seeds, st.floats(0, 1e30))
def test_one_value_that_is_not_finite_always_fails(
    reference: Array, bad: float, seed: int, size: float
) -> None:
    answer = reference.copy()
    answer[at(answer.shape, seed)] = bad
    check = compare(record(answer), reference, size)
    assert check.verdict is Verdict.NOT_FINITE
    assert not (check.verdict.passed or check.exact or check.approx or check.allclose)
    assert check.reason.startswith(f"1 of {answer.size} not finite, the first is ")
    assert str(list(at(answer.shape, seed))) in check.reason
    with np.errstate(all="ignore"):
        assert not judge(answer, reference, size).verdict.passed


@given(references(), st.sampled_from([np.nan, np.inf]), seeds, st.booleans())
def test_what_is_not_finite_fails_in_a_wrong_shape_or_dtype_too(
    reference: Array, bad: float, seed: int, leading: bool
) -> None:
    answer = reference.astype(np.float64)
    answer[at(answer.shape, seed)] = bad
    with np.errstate(all="ignore"):
        check = compare(record(answer[None] if leading else answer), reference, 1.0)
    assert check.verdict is Verdict.WRONG_DTYPE and "right" not in check.reason


@given(st.lists(st.integers(0, 5), max_size=4).map(tuple), st.lists(st.integers(1, 5), max_size=3).map(tuple))
@example((64,), (1, 64))
@example((1, 32, 1), (32, 1))
@example((1,), ())
@example((0,), (3,))
@example((), (1, 1))
@example((1, 1, 2), (2,))
@example((1,), (1, 2))
def test_a_wrong_shape_always_fails_but_for_leading_ones(
    came: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    check = compare(record(np.ones(came, np.float32)), np.ones(wanted, np.float32), 1.0)
    assert check.shape == came
    if came == wanted:
        assert check.verdict is Verdict.EXACT and check.note == ""
    elif (1,) * (len(came) - len(wanted)) + wanted == (1,) * (len(wanted) - len(came)) + came:
        assert check.verdict is Verdict.EXACT and check.note.startswith(f"{came} for {wanted}: ")
    else:
        assert check.verdict is Verdict.WRONG_SHAPE and f"came {came}, wanted {wanted}" in check.reason


def test_a_leading_1_excuses_no_wrong_values() -> None:
    reference = f32(1, 8)
    check = compare(record(reference[0] + 1), reference, 1.0)
    assert check.verdict is Verdict.WRONG and check.note == "" and check.shape == (8,)


LEVELS = st.sampled_from([0.0, 1e-7, 1e-6, 5e-6, 9e-6, 1.2e-5, 1e-4, 1e-2, 1.0])


@given(references(), LEVELS, st.sampled_from([0.0, 5e-9, 9e-9, 1.2e-8, 1e-6]), seeds, st.booleans())
def test_allclose_is_what_torch_says(
    reference: Array, relative: float, absolute: float, seed: int, everywhere: bool
) -> None:
    noise = relative * np.abs(reference.astype(np.float64)) + absolute
    if not everywhere:
        mask = np.zeros(reference.shape, bool)
        mask[at(reference.shape, seed)] = True
        noise = noise * mask
    answer = np.asarray(reference + noise, np.float32)
    allowed = 1e-8 + 1e-5 * np.abs(reference.astype(np.float64))
    off = np.abs(answer.astype(np.float64) - reference)
    assume((np.abs(off - allowed) > 1e-6 * allowed).all())  # torch rounds the bound itself to float32
    said = torch.allclose(torch.from_numpy(answer), torch.from_numpy(reference))
    assert judge(answer, reference, 1.0).allclose is said


def _case(answer: Array, reference: Array, said: str) -> tuple[Array, Array, str]:
    return answer, reference, said


TALL, WIDE, ROW = f32(32, 1), f32(8, 5), f32(1, 64)
SPREAD = f32(32, 64)
SHAPES = {
    "a dropped axis": _case(TALL[:, 0], TALL, "right after a reshape; an axis of size 1 is missing"),
    "a view": _case(WIDE.reshape(40), WIDE, "right after a reshape; give it the shape (8, 5)"),
    "a transpose": _case(np.ascontiguousarray(WIDE.T), WIDE, "right when transposed"),
    "a single row": _case(ROW, np.repeat(ROW, 32, 0), "right after broadcasting"),
    "a scalar": _case(np.asarray(f32(1)[0]), np.full((3, 4), f32(1)[0]), "right after broadcasting"),
    "unsummed down the batch": _case(
        SPREAD, SPREAD.sum(0, keepdims=True), "right once summed over dim 0, which the forward pass broadcast"
    ),
    "unsummed for a vector": _case(SPREAD, SPREAD.sum(0), "right once summed over dim 0"),
    "unsummed along the row": _case(SPREAD, SPREAD.sum(1, keepdims=True), "right once summed over dim 1"),
    "unsummed over two": _case(f32(4, 3, 5), f32(4, 3, 5).sum((0, 1)), "right once summed over dim 0, 1"),
}


@pytest.mark.parametrize("answer, reference, said", SHAPES.values(), ids=SHAPES)
def test_a_wrong_shape_with_the_right_values_is_told_its_repair(
    answer: Array, reference: Array, said: str
) -> None:
    check = compare(record(answer), reference, 10.0)
    assert check.verdict is Verdict.WRONG_SHAPE
    assert said in check.reason and "\n" not in check.reason
    other = compare(record(np.asarray(answer + 1)), reference, 10.0)
    assert other.verdict is Verdict.WRONG_SHAPE and other.reason == re.split("[:;] ", check.reason)[0]


LEADING = {
    "dropped": (ROW[0], ROW, "(64,) for (1, 64)", "keepdim=True keeps it"),
    "kept": (ROW, ROW[0], "(1, 64) for (64,)", "sum without keepdim, or .squeeze(0), drops it"),
}


@pytest.mark.parametrize("answer, reference, shapes_, said", LEADING.values(), ids=LEADING)
def test_a_leading_1_passes_with_a_note(answer: Array, reference: Array, shapes_: str, said: str) -> None:
    check = compare(record(answer), reference, 1.0)
    assert check.verdict is Verdict.EXACT and check.reason == ""
    assert check.note == f"{shapes_}: the same but for a leading 1, {said}"


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16", "int64", "bool"])
def test_another_dtype_fails_and_says_whether_the_values_are_right(dtype: str) -> None:
    reference = f32(4, 3)
    right = compare(record(reference.astype(np.float64), dtype), reference, 1.0)
    assert right.verdict is Verdict.WRONG_DTYPE
    assert right.reason == f"{dtype}, wanted float32; the values are right"
    wrong = compare(record(reference.astype(np.float64) + 1, dtype), reference, 1.0)
    assert wrong.verdict is Verdict.WRONG_DTYPE and wrong.reason == f"{dtype}, wanted float32"


def test_values_that_were_not_sent_fail_by_their_shape_or_their_dtype() -> None:
    reference = f32(4, 3)
    huge = Record("f", "i", "value", "float32", (1 << 30, 1 << 30))
    assert compare(huge, reference, 1.0).verdict is Verdict.WRONG_SHAPE
    complex_ = Record("f", "i", "value", "complex64", (4, 3))
    check = compare(complex_, reference, 1.0)
    assert check.verdict is Verdict.WRONG_DTYPE and check.reason == "complex64, wanted float32"


@pytest.mark.parametrize("status", ["not-written", "error", "refused", "not-a-tensor"])
def test_what_is_no_value_keeps_its_status_and_its_message(status: str) -> None:
    check = compare(Record("f", "i", status, message="why"), f32(2), 1.0)
    assert (check.verdict.value, check.reason, check.verdict.passed) == (status, "why", False)


dimensions = st.integers(0, 6) | st.sampled_from([1 << 20, 1 << 31, 1 << 61, (1 << 62) - 1])


@given(st.lists(dimensions, max_size=64), st.sampled_from(["float32", "float64"]), references(), st.data())
@example([0, 1 << 61], "float32", np.ones(3, np.float32), None)
@example([1] * 64, "float32", np.ones(1, np.float32), None)
def test_whatever_the_parser_lets_through_is_judged_without_an_error(
    shape: list[int], encoded: str, reference: Array, data: st.DataObject | None
) -> None:
    count = int(np.prod(np.array(shape, dtype=object)))
    assume(count <= 200)
    size = count * np.dtype(encoded).itemsize
    payload = data.draw(st.binary(min_size=size, max_size=size)) if data else bytes(size)
    header = {"fixture": "f", "item": "i", "status": "value", "dtype": encoded}
    parser = Parser({("f", "i")}, off=())
    try:
        parser.feed(encode({**header, "encoded": encoded, "shape": shape, "sent": True}, payload))
    except Malformed:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check = compare(parser.records["f", "i"], reference, 1.0)
    assert "\n" not in check.reason
