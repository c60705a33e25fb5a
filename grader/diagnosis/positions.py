"""Where an answer is wrong: the relations of rows, of cells and of the order. Pure; NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np

from grader.core.finding import Code, Finding
from grader.diagnosis.relations import CLOSE, Array, Evidence, broadcasts, same

FEW = 4  # rows or columns that are listed
MANY = 6  # elements of a tensor that marks places


def order(e: Evidence) -> Iterator[Finding]:
    """The right numbers in another order."""
    if e.answer.shape != e.reference.shape or e.answer.size < 4:
        return
    for axes in list(permutations(range(e.answer.ndim)))[1:]:
        turned = tuple(e.reference.shape[i] for i in axes)
        back = np.argsort(axes)
        if same(e, e.answer, e.reference.reshape(turned).transpose(back)):
            said = "the right numbers in another order: two axes are exchanged"
            yield Finding(Code.REORDERED, said)
    if same(e, np.sort(e.answer, None), np.sort(e.reference, None)):
        yield Finding(Code.REORDERED, "the right numbers in another order")


def _wrong(e: Evidence) -> Array | None:
    """Which elements are wrong; None where all are, or none is."""
    if e.answer.shape != e.reference.shape or e.answer.ndim < 2:
        return None
    scale = float(np.abs(e.reference).max())
    off = np.abs(e.answer - e.reference) > CLOSE * scale + e.noise
    return off if off.any() and not off.all() else None


def where(e: Evidence) -> str:
    """Which rows or columns are wrong, if only a few are; else nothing."""
    off = _wrong(e)
    if off is None:
        return ""
    named = ((0, "row"), (1, "column")) if off.ndim == 2 else ()
    for axis, name in named or ((k, "") for k in range(off.ndim)):
        if off.shape[axis] == 1:
            continue
        other = tuple(i for i in range(off.ndim) if i != axis)
        wrong = np.flatnonzero(off.any(other)).tolist()
        if len(wrong) <= max(1, off.shape[axis] // 2):
            shown = ", ".join(map(str, wrong[:FEW])) + (
                f" and {len(wrong) - FEW} more" if len(wrong) > FEW else ""
            )
            many = "s" if len(wrong) > 1 else ""
            return f"only in {name}{many} {shown}" if name else f"only in place{many} {shown} of axis {axis}"
    return ""


def ends(e: Evidence) -> Iterator[Finding]:
    """Right in all but the first or the last row or column, or place of one of the first two axes."""
    off = _wrong(e)
    if off is None:
        return
    for axis, name in ((0, "row"), (1, "column")):
        other = tuple(i for i in range(off.ndim) if i != axis)
        wrong, length = np.flatnonzero(off.any(other)).tolist(), off.shape[axis]
        for end, at in (("first", 0), ("last", length - 1)):
            if length > 2 and wrong == [at]:
                place = name if off.ndim == 2 else f"place of axis {axis}"
                yield Finding(Code.PARTLY_RIGHT, f"right everywhere but in the {end} {place}")
        k = len(wrong)
        for end, at in (("first", 0), ("last", length - k)):
            if 1 < k <= length // 2 and wrong == list(range(at, at + k)):
                said = f"right everywhere but in the {end} {k} places of axis {axis}"
                yield Finding(Code.PARTLY_RIGHT, said)


MARKS: dict[str, Callable[[Array], Array]] = {
    "positive": lambda t: t > 0,
    "negative": lambda t: t < 0,
    "0": lambda t: t == 0,
}


def masks(e: Evidence) -> Iterator[Finding]:
    """Wrong just where a tensor is positive, negative or 0, or a mask is set or not."""
    off = _wrong(e)
    for name, value in e.given.items() if off is not None else ():
        if name.startswith("d") or ":" in name or value.ndim > e.answer.ndim or value.size < MANY:
            continue
        shape = value.shape + (1,) * (e.answer.ndim - value.ndim)
        if off is None or not broadcasts(shape, off.shape):
            continue
        wide = np.broadcast_to(value.reshape(shape), off.shape)
        marks = {"set": wide, "not set": ~wide} if value.dtype.kind == "b" else {}
        marks |= {word: mark(wide) for word, mark in MARKS.items()} if value.dtype.kind == "f" else {}
        for word, there in marks.items():
            if (off == there).all():
                zeros = ", and 0 there" if not e.answer[there].any() else ""
                said = f"right everywhere but where {name} is {word}{zeros}"
                yield Finding(Code.PARTLY_RIGHT, said)


def cells(e: Evidence) -> Iterator[Finding]:
    """Right in all but the cells of the labels or of the rows' maxima, or in these alone."""
    off = _wrong(e)
    labels, logits = e.given.get("Yb"), e.given.get("logits")
    if off is None or labels is None or logits is None or off.shape != logits.shape:
        return
    if labels.shape != off.shape[:-1]:
        return
    for name, columns in (
        ("the labels' cells, [range(n), Yb]", labels),
        ("each row's largest logit", logits.argmax(-1)),
    ):
        mask = np.arange(off.shape[-1]) == columns[..., None]
        if not off[~mask].any():
            some = "" if off[mask].mean() > 0.5 else "some of "
            yield Finding(Code.PARTLY_RIGHT, f"right everywhere but at {some}{name}")
        if not off[mask].any():
            yield Finding(Code.PARTLY_RIGHT, f"right at {name}, wrong elsewhere")


def rows(e: Evidence) -> Iterator[Finding]:
    """Right in all but some rows, and what those have in common."""
    index = e.given.get("Xb")
    if index is None or e.answer.shape != e.reference.shape or len(e.reference) != e.sizes.get("vocab_size"):
        return
    counts = np.bincount(index.ravel(), minlength=len(e.reference))
    if same(e, e.answer * np.maximum(counts, 1)[:, None], e.reference, math.sqrt(counts.max())):
        said = "each row is divided by the number of its look-ups: a mean is taken where a sum is meant"
        yield Finding(Code.MEAN_FOR_SUM, said)
    off = _wrong(e)
    if off is not None and not off[counts < 2].any():
        said = "right for each row that is looked up once, wrong for those looked up several times"
        yield Finding(Code.PARTLY_RIGHT, said)
