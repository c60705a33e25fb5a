"""Numbers and matrices as one writes them on paper. Imports torch."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from functools import lru_cache
from typing import Any

import torch

from grader.authoring.hints.site import times

LOGARITHMS = {math.log(k): f"ln {k}" for k in range(2, 10)}
WIDTH = 84


def is_exact(value: float) -> bool:
    return not figure(value).startswith("≈")


@lru_cache(1 << 16)  # of many draws of few values
def figure(value: float) -> str:
    """A number as one writes it on paper: 2, -1/3, 0.25, ln 2, or ≈ and four digits."""
    if math.isclose(value, round(value), abs_tol=1e-9):
        return str(round(value))
    for denominator in (2, 4, 5, 8, 10, 16, 20, 40, 100, 1000):
        if math.isclose(value * denominator, round(value * denominator), abs_tol=1e-9):
            return f"{value:.6g}"
    near = Fraction(value).limit_denominator(99)
    if math.isclose(value, near, abs_tol=1e-9):
        return f"{near.numerator}/{near.denominator}"
    for number, text in LOGARITHMS.items():
        if math.isclose(abs(value), number, abs_tol=1e-9):
            return text if value > 0 else "-" + text
    if abs(value) < 1e-4 and f"{value:.5f}".strip("-0.") != "":
        return f"≈{value:.5f}"
    return f"≈{value:.4g}" if f"{value:.4g}" not in ("-0", "0") else "≈0"


def matrix(title: str, values: Any) -> list[str]:
    """A tensor with its name above, aligned as on paper; one of three axes as one matrix after another."""
    tensor = torch.as_tensor(values, dtype=torch.float64)
    lines = [f"{title}  {times(tuple(tensor.shape)) if tensor.ndim else ''}".rstrip()]
    cells = [figure(float(v)) for v in tensor.reshape(-1)]
    width = max(map(len, cells), default=0)
    rows = tensor.reshape(-1, tensor.shape[-1]) if tensor.ndim else tensor.reshape(1, 1)
    per = rows.shape[1]
    for k in range(rows.shape[0]):
        if tensor.ndim > 2 and k and k % tensor.shape[-2] == 0:
            lines.append("")
        lines.append("  ".join(c.rjust(width) for c in cells[k * per : (k + 1) * per]))
    return lines


def side_by_side(blocks: list[list[str]]) -> str:
    """Blocks of lines, next to one another as far as they fit."""
    rows: list[list[list[str]]] = [[]]
    for block in blocks:
        used = sum(max(map(len, b)) + 4 for b in rows[-1])
        if rows[-1] and used + max(map(len, block)) > WIDTH:
            rows.append([])
        rows[-1].append(block)
    texts = []
    for row in rows:
        widths = [max(map(len, b)) for b in row]
        lines = itertools.zip_longest(*row, fillvalue="")
        texts.append("\n".join("    ".join(map(str.ljust, line, widths)).rstrip() for line in lines))
    return "\n\n".join(texts)
