"""What values alone say of a wrong output: true of what came, on all calls, and silent where nothing is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.core import plain
from grader.core.finding import Code
from grader.diagnosis.outputs import CHANGES, raises, related
from grader.reference import values

numbers = st.lists(st.integers(2, 99), min_size=4, max_size=6, unique=True)


def sent(value: Any) -> Any:
    """A value as it comes off the wire."""
    return plain.decode(values.dumps(value))


@pytest.mark.parametrize(
    "came, code",
    [
        (lambda w: w[::-1], Code.REORDERED),
        (sorted, Code.REORDERED),
        (lambda w: w[1:], Code.PLACES_MISSING),
        (lambda w: w[:-1], Code.PLACES_MISSING),
        (lambda w: [*w[:2], *w[3:]], Code.PLACES_MISSING),
        (lambda w: [*w, 100], Code.EXTRA_STEP),
        (lambda w: w[0], Code.WRONG_PART),
        (sum, Code.SUMMED),
        (lambda w: [x + 1 for x in w], Code.CONSTANT),
        (lambda w: [-x for x in w], Code.SIGN),
        (lambda w: [7 * x for x in w], Code.FACTOR),
        (lambda w: [x * x for x in w], Code.EXPONENT),
        (lambda w: 1000, Code.HARD_CODED),
    ],
)
@given(wanted=st.lists(numbers, min_size=3, max_size=4, unique_by=tuple))
def test_one_change_of_all_calls_is_named(came: Any, code: Code, wanted: list[list[int]]) -> None:
    assume(all(w not in (w[::-1], sorted(w), sorted(w)[::-1]) for w in wanted))
    found = related([(sent(came(w)), w) for w in wanted])
    assert found and found.code is code


@given(st.lists(numbers, min_size=2, max_size=4, unique_by=tuple), st.sampled_from(CHANGES))
def test_what_holds_on_one_call_alone_is_not_said(wanted: list[list[int]], change: Any) -> None:
    _, text, changed = change
    try:
        first = changed(wanted[0])
    except (TypeError, ValueError, AttributeError):
        return
    assert related([(first, wanted[0]), *((w, w) for w in wanted[1:])]) is None
    other = [(["x"] * k, w) for k, w in enumerate(wanted[1:], 7)]  # wrong, and of no relation
    found = related([(first, wanted[0]), *other])
    assert found is None or found.text != text


@given(st.lists(numbers, min_size=2, max_size=5))
def test_a_right_answer_has_nothing_to_be_told(wanted: list[list[int]]) -> None:
    assert related([(tuple(w), w) for w in wanted]) is None


def test_a_part_of_each_result_is_named() -> None:
    wanted = [{"data": float(k), "grad": k * 1.5} for k in range(1, 5)]
    found = related([({**w, "grad": -w["grad"]}, w) for w in wanted])
    assert found and found.code is Code.SIGN and found.text == "grad: the sign is wrong"


def test_a_tensor_lies_on_its_side() -> None:
    wanted = [np.arange(6.0).reshape(2, 3) + k for k in range(2)]
    import torch

    pairs = [(sent(torch.from_numpy(w.T.copy())), sent(torch.from_numpy(w))) for w in wanted]
    found = related(pairs)
    assert found and found.code is Code.TRANSPOSED


def test_an_exception_is_said_in_words_or_not_at_all() -> None:
    found = raises("IndexError: list index out of range; of merge([4], (4, 4), 9)")
    assert found and "past the end" in found.text and "merge([4], (4, 4), 9)" in found.text
    assert raises("ValueError: something else") is None


def test_a_relation_of_numbers_holds_for_the_small_ones_too() -> None:
    assert related([(1e-9, 2e-9), (1.0, 1.0), (3e-8, 1e-8)]) is None
    found = related([(2e-9, 1e-9), (2.0, 1.0), (6e-8, 3e-8)])
    assert found and found.code is Code.FACTOR


def test_a_part_that_is_always_the_same_does_not_say_that_nothing_is_used() -> None:
    wanted = [{"data": -float(k), "grad": k * 1.5} for k in range(1, 5)]
    assert related([({"data": -w["data"], "grad": 0.0}, w) for w in wanted]) is None


@given(st.lists(st.lists(st.floats(0.1, 0.4), min_size=2, max_size=4), min_size=2, unique_by=tuple))
def test_of_zeros_no_more_is_said_than_that_they_are_the_same(wanted: list[list[float]]) -> None:
    found = related([([0.0] * len(w), w) for w in wanted])
    assert not found or found.code is Code.HARD_CODED
