"""What a picture is drawn from, read without trust: numbers and names, no more than it has room for. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MOST = 200_000  # numbers of a picture
FEW = 64  # names, lines, heads, layers


def plain(value: Any) -> Any:
    """A tensor's or an array's numbers as lists."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


def row(value: Any, most: int = MOST) -> list[float]:
    found = [float(v) for v in plain(value)]
    if not 0 < len(found) <= most:
        raise ValueError("no row of numbers")
    return found


def rows(value: Any) -> list[list[float]]:
    """A matrix whose rows are equally long."""
    value = plain(value)
    if len(value) * len(value[0]) > MOST or len({len(one) for one in value}) != 1:
        raise ValueError("no matrix")
    return [row(one) for one in value]


def finite(found: list[list[float]]) -> list[list[float]]:
    if not all(math.isfinite(v) for one in found for v in one):
        raise ValueError("not all finite")
    return found


def names(value: Any, many: int) -> list[str]:
    """So many names: of a list or a string, or of a dict by number, as itos is."""
    return [str(value[k])[:20] for k in range(many)]
