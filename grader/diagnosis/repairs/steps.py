"""The steps of a function, and whether what each gives is needed on the right way back. Pure; NumPy only.

A function is ended early, so that it returns what a step gives; a change that makes this what autograd comes
by may be one of two slips. That it is one is only known once a second change makes the whole right.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.diagnosis.relations import broadcasts
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number

Array = NDArray[Any]
CLOSE = 1e-4  # relative, of float32 that has come another way
MOST = 400  # values of one kind

Step = tuple[Edit, Edit]  # that end a function early: it returns what a step gives


def steps(s: Source) -> Iterator[Step]:
    """The steps of statements that are run once, in order; the parts of a statement first."""
    end = s.span(s.function)[1]
    values = {id(n) for n in s.values}
    for statement in s.body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr):
            continue
        start, after = s.span(statement)
        inner = [n for n in ast.walk(statement) if id(n) in values and _computes(n)]
        for n in sorted(inner, key=lambda n: s.span(n)[1] - s.span(n)[0]):
            a, b = s.span(n)
            if a > start:
                yield Edit(start, a, "return ("), Edit(b, end, ")")
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        changed = statement.target if isinstance(statement, ast.AugAssign) else None
        if changed or isinstance(target, ast.Subscript):
            name = changed or target
            while isinstance(name, ast.Subscript):
                name = name.value
            if isinstance(name, ast.Name):
                indent = " " * statement.col_offset
                yield Edit(start, start, ""), Edit(after, end, f"\n{indent}return {name.id}")


def _computes(n: ast.AST) -> bool:
    return isinstance(n, ast.BinOp | ast.UnaryOp | ast.Call | ast.Subscript) and not is_number(n)


def told_by(change: Change, whole: Sequence[Step]) -> list[tuple[int, Step]]:
    """By number the steps that a change may put right: those that it is a part of, else the next one."""
    start, end = min(e.start for e in change.edits), max(e.end for e in change.edits)
    numbered = list(enumerate(whole))
    inner = [(k, s) for k, s in numbered if s[0].end <= start and end <= s[1].start]
    return inner or [(k, s) for k, s in numbered if end <= s[0].start][:1]


def likely(
    tried: Sequence[tuple[int, Change]], gave: Sequence[Array | None], known: tuple[Known, Known, Known]
) -> list[Change]:
    """The changes with which a step, by its number, gives what is needed; the likeliest first.

    known: what is needed for certain, what may be, and what the function comes by unchanged.
    """
    certain, needed, there = known
    found: dict[tuple[int, int], tuple[bool, bool, int, Change]] = {}
    for (number, change), v in zip(tried, gave, strict=True):
        if v is not None and (row := needed.row(v)) is not None:
            found.setdefault((number, row), (v not in certain, v in there, change.rank, change))
    return list(dict.fromkeys(f[-1] for f in sorted(found.values(), key=lambda f: f[:-1])))


@dataclass(frozen=True)
class Known:
    """Values by shape: one a row, and what each comes to along one direction."""

    rows: dict[tuple[int, ...], tuple[Array, Array]]

    def __contains__(self, value: Array) -> bool:
        return self.row(value) is not None

    def row(self, value: Array) -> int | None:
        """Which one a value is."""
        known = self.rows.get(value.shape)
        if known is None or not np.isfinite(value).all():
            return None
        rows, along = known
        flat, off = value.ravel(), CLOSE * np.abs(value).max()
        near = np.flatnonzero(np.abs(along - flat @ _direction(flat.size)) <= off * flat.size)
        return next((int(k) for k in near if np.abs(rows[k] - flat).max() <= off), None)


def needed(values: Sequence[Array], gradients: Sequence[Array]) -> tuple[Known, Known]:
    """What a way back comes by for certain: values of the forward pass, gradients, and what one gradient is
    multiplied by to give another. And what it may come by besides: products, sums, means, what is left of a
    gradient without one of these, a gradient that is not yet divided by a size.
    """
    values, gradients = _unlike(values), _unlike(gradients)
    with np.errstate(all="ignore"):
        local = [g / h for g, h in permutations(gradients, 2) if g.shape == h.shape][:MOST]
        products = list(islice(_products([*values, *local], gradients), MOST))
        sums = [s for g in (*gradients, *products) for s in _sums(g)]
        rests = (g - s for g in gradients for s in sums if broadcasts(s.shape, g.shape))
        scaled = [g * n for g in gradients for n in (*g.shape, g.size)]
        certain = [*values, *gradients, *local]
        return known(certain), known([*certain, *products, *sums, *scaled, *islice(rests, MOST)])


def known(values: Iterable[Array]) -> Known:
    found: dict[tuple[int, ...], list[Array]] = {}
    for v in values:
        if v.size and np.isfinite(v).all() and np.ptp(v):  # what is the same everywhere tells nothing
            found.setdefault(v.shape, []).append(v.ravel())
    stacked = {shape: np.stack(rows) for shape, rows in found.items()}
    return Known({shape: (rows, rows @ _direction(rows.shape[1])) for shape, rows in stacked.items()})


def _direction(size: int) -> Array:
    return np.asarray(np.cos(np.arange(size) + 0.5))


def _unlike(values: Iterable[Array]) -> list[Array]:
    return list({(v.shape, v.tobytes()): v for v in values}.values())


def _products(values: Iterable[Array], gradients: Sequence[Array]) -> Iterator[Array]:
    for v in values:
        for g in gradients:
            if broadcasts(v.shape, g.shape) or broadcasts(g.shape, v.shape):
                yield v * g


def _sums(g: Array) -> Iterator[Array]:
    for axis in range(g.ndim):
        for keep in (True, False):
            total = g.sum(axis, keepdims=keep)
            yield total
            yield total / g.shape[axis]
