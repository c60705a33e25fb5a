"""What agrees with the saved within rounding is the saved one; all else is what was derived."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.reference.near import OF_LARGEST, OF_SIZE, near, references

floats = st.floats(-1e3, 1e3, width=32)


@given(st.lists(floats, min_size=1, max_size=20), st.floats(0, 10), st.randoms(use_true_random=False))
def test_within_the_noise_the_saved_one_is_kept_and_beyond_it_the_new(
    numbers: list[float], size: float, random: Any
) -> None:
    old = torch.tensor(numbers, dtype=torch.float64)
    noise = OF_LARGEST * float(old.abs().max()) + OF_SIZE * size
    moved = old.clone()
    at = random.randrange(len(numbers))
    moved[at] += 0.9 * noise
    assert near(moved, old, size) is old
    moved[at] += noise + 1e-9
    assert near(moved, old, size) is moved


KEPT: dict[str, tuple[Any, Any, bool]] = {
    "a last bit in plain data": (
        {"loss": [0.1, (2, 0.5)]},
        {"loss": [math.nextafter(0.1, 1), (2, 0.5)]},
        True,
    ),
    "another number": ([0.1], [0.2], False),
    "another integer": ([1000000], [1000001], False),
    "a float for an integer": ([2.0], [2], False),
    "another text": (["a", 0.5], ["b", 0.5], False),
    "another length": ([0.5], [0.5, 0.5], False),
    "a key more": ({"a": 0.5}, {"a": 0.5, "b": 0.5}, False),
    "NaN in the same place": ([math.nan, 1.0], [math.nan, 1.0 + 1e-9], True),
    "NaN for a number": ([math.nan, 1.0], [1.0, 1.0], False),
    "another infinity": ([math.inf, 1.0], [-math.inf, 1.0], False),
    "nothing saved": ([0.5], None, False),
    "another shape": (torch.ones(2, 3), torch.ones(3, 2), False),
    "another dtype": (torch.ones(2), torch.ones(2, dtype=torch.float64), False),
    "indices that differ": (torch.tensor([1000000]), torch.tensor([1000001]), False),
    "a last bit in a tensor": (torch.tensor([0.1, 1.0]), torch.tensor([0.1, 1.0 + 2**-23]), True),
    "no elements": (torch.zeros(0, 3), torch.zeros(0, 3), True),
}


@pytest.mark.parametrize("new, old, kept", KEPT.values(), ids=KEPT)
def test_what_agrees_is_kept(new: Any, old: Any, kept: bool) -> None:
    assert near(new, old) is (old if kept else new)


def reference(value: float, size: float, bound: float = 0.0) -> dict[str, torch.Tensor]:
    told = {"d": torch.tensor([value]), "size.d": torch.tensor(size, dtype=torch.float64)}
    return told | ({"bound.d": torch.tensor(bound, dtype=torch.float64)} if bound else {})


def test_a_bound_that_is_there_on_one_processor_alone_follows_the_saved() -> None:
    with_one, without = reference(1.0, 1.0, 1e-6), reference(1.0 + 1e-7, 1.0 + 1e-7)
    assert references(with_one, without) == without
    assert references(without, with_one) == with_one


def test_a_bound_that_is_another_is_the_new_one() -> None:
    wide, narrow = reference(1.0, 1.0, 1e-3), reference(1.0, 1.0)
    assert references(wide, narrow)["bound.d"] == 1e-3
    assert "bound.d" not in references(narrow, wide)


def test_what_cancels_is_measured_by_what_it_sums() -> None:
    """db1 before a batch norm is rounding alone: its sign differs between processors."""
    new, old = reference(3e-9, 0.5), reference(-2e-9, 0.5)
    assert references(new, old) == old
    assert references(reference(3e-9, 1e-4), reference(-2e-9, 1e-4))["d"] == torch.tensor([3e-9])
