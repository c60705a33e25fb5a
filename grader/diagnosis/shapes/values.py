"""What a followed function has for values: shapes, numbers, how they broadcast. Pure: no torch, no NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]
LARGE = 10**9
DIMS = 8


class Lost(Exception):
    """Here the trace ends: not known, or not a matter of shapes alone."""


class Clash(Exception):
    """Torch refuses these shapes."""

    def __init__(self, *shapes: Shape) -> None:
        super().__init__(*shapes)
        self.shapes = shapes


@dataclass(frozen=True)
class Tensor:
    """kind: f, i or b: float, integer or boolean. story: the numbers of the events that made its shape."""

    shape: Shape
    kind: str = "f"
    story: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if len(self.shape) > DIMS or math.prod(self.shape) > LARGE:
            raise Lost


@dataclass(frozen=True)
class Number:
    """A number that isn't known, or isn't whole."""

    kind: str = "f"


@dataclass(frozen=True)
class Pair:
    """What max and min over a dim return."""

    values: Tensor
    indices: Tensor


def integer(value: Any) -> int:
    if type(value) is int and abs(value) <= LARGE:
        return value
    raise Lost


def tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value
    raise Lost


def sizes(values: Sequence[Any]) -> Shape:
    """Sizes as torch takes them: several numbers, or one sequence of them."""
    if len(values) == 1 and isinstance(values[0], tuple):
        values = values[0]
    return tuple(integer(v) for v in values)


def axis(dim: Any, ndim: int) -> int:
    number, count = integer(dim), max(ndim, 1)
    if not -count <= number < count:
        raise Lost
    return number % count


def kind_of(value: Any) -> str:
    if isinstance(value, Tensor | Number):
        return value.kind
    if isinstance(value, bool):
        return "b"
    if isinstance(value, int | float):
        return "i" if isinstance(value, int) else "f"
    raise Lost


def promoted(*values: Any) -> str:
    return max((kind_of(v) for v in values), key="bif".index)


def broadcast(*shapes: Shape) -> Shape:
    """The common shape. Clash where there is none."""
    ndim = max(map(len, shapes), default=0)
    padded = [(1,) * (ndim - len(s)) + s for s in shapes]
    out = []
    for column in zip(*padded, strict=True):
        wide = {d for d in column if d != 1}
        if len(wide) > 1:
            raise Clash(*shapes)
        out.append(wide.pop() if wide else 1)
    return tuple(out)


def elementwise(*values: Any, kind: str | None = None) -> Tensor | Number:
    """Any operation on each element; numbers take part without a shape."""
    shapes = [v.shape for v in values if isinstance(v, Tensor)]
    kind = kind or promoted(*values)
    return Tensor(broadcast(*shapes), kind) if shapes else Number(kind)
