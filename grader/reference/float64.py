"""How far float32 is from float64 in an answer: where it is too far, the fixture wants another draw."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from grader.core import plain

MARGIN = 4.0  # an answer may be twice as far from the truth as float32 is here, and so may the other
MOST = 1e-3  # of an answer's size: where float32 is farther from float64, another seed is to be drawn


class Unfit(ValueError):
    """A draw that can't be graded on. item: the one that says so; the text goes on after its name."""

    def __init__(self, item: str, text: str) -> None:
        super().__init__(f"{item}{text}")
        self.item = item


def bound(item: str, deviation: float, largest: float, enough: bool) -> float:
    """The bound that an item needs, 0.0 where the rule is wide enough. Unfit where none would do.

    deviation: of float32 from float64. largest: the answer's. enough: the rule allows MARGIN times that.
    """
    if deviation > MOST * largest:
        raise Unfit(
            item,
            f": float32 and float64 are {deviation:.2g} apart where the answer is {largest:.2g} at most: "
            "draw another seed",
        )
    return 0.0 if enough else MARGIN * deviation


@contextlib.contextmanager
def double() -> Iterator[None]:
    """What is made without a dtype is float64."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def doubled(value: Any) -> Any:
    """Plain data with every float32 tensor as float64."""
    return plain.rebuilt(
        value,
        lambda v: v.double() if isinstance(v, torch.Tensor) and v.dtype is torch.float32 else v,
    )
