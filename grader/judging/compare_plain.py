"""Plain data held against the author's: a walk over both sides, entry by entry. Pure; NumPy only.

The rules stand in `compare_outputs`: what is forgiven with a note, and by how much a number may be off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from grader.core import plain
from grader.core.calling import RAISES
from grader.core.finding import Code, Finding
from grader.core.plain import Tensor
from grader.core.text import text
from grader.core.tolerance import FLOOR, RTOL
from grader.core.verdict import Check, Verdict
from grader.diagnosis.relations import leading_ones
from grader.judging.compare import judge
from grader.judging.shown import array, both, shown

NUMBER = "a number where the solution returns a tensor of one"
Path = tuple[Any, ...]  # keys and indices, from the outermost


@dataclass
class _Found:
    """What a walk over both sides found. first: the first difference; path: where that is."""

    exact: bool
    bound: float
    floor: float = 0.0
    named: bool = False
    entries: int = 0
    wrong: int = 0
    first: Finding | None = None
    what: str = ""  # it says, without the place
    path: Path = ()
    lengths: str = ""  # the first list that is longer or shorter
    not_finite: bool = False
    maxdiff: float = 0.0
    identical: bool = True
    notes: dict[str, None] = field(default_factory=dict)

    def differ(self, path: Path, what: str, code: Code = Code.VALUE_DIFFERS) -> None:
        self.wrong += 1
        if self.first is None:
            place = "".join(f"[{shown(key)}]" for key in path)
            self.what = what
            self.first, self.path = Finding(code, f"{'at ' + place + ': ' if place else ''}{what}"), path


def held(answer: Any, wanted: Any, exact: bool, bound: float = 0.0, named: bool = False) -> Check:
    """Judge a plain answer. named: a driver's, whose keys are calls."""
    found = _Found(exact, bound, named=named)
    _walk_all(answer, wanted, found)
    numeric = any(True for _ in numbers(wanted))
    maxdiff = found.maxdiff if numeric and math.isfinite(found.maxdiff) else None
    if found.first:
        first = _told(answer, wanted, found)
        return Check(Verdict.NOT_FINITE if found.not_finite else Verdict.WRONG, maxdiff=maxdiff, **first)
    verdict = Verdict.EXACT if found.identical else Verdict.APPROXIMATE
    return Check(
        verdict,
        note="; ".join(found.notes),
        exact=found.identical,
        approx=True,
        allclose=True,
        maxdiff=maxdiff if maxdiff is not None or not numeric else 0.0,
    )


def first_difference(answer: Any, wanted: Any, exact: bool, bound: float = 0.0) -> Path | None:
    """Where one part of a plain answer first is other than it should be; None where it is as it should be."""
    found = _Found(exact, bound)
    _walk_all(answer, wanted, found)
    return tuple(found.path) if found.first else None


def _walk_all(answer: Any, wanted: Any, found: _Found) -> None:
    found.floor = FLOOR * max((abs(x) for x in numbers(wanted) if math.isfinite(x)), default=0.0)
    _walk(answer, wanted, (), found)


def _told(answer: Any, wanted: Any, found: _Found) -> dict[str, Any]:
    """The finding of a difference, what came and what was wanted, and the call where a driver says it."""
    assert found.first
    call, reason, path = "", found.first.text, found.path
    if found.named and path and type(answer) is type(wanted) is dict and path[0] in wanted:
        answer, wanted = answer.get(path[0]), wanted[path[0]]
        call, path = text(path[0]), path[1:]
    came, asked = both(answer, wanted, tuple(path))
    if call:
        reason = f"{call} gives {came}, wanted {asked}"
        if found.first.code in (Code.WRONG_SHAPE, Code.WRONG_DTYPE, Code.NOT_FINITE, Code.WRONG_TYPE):
            reason = f"{call}: {found.what}"
    code = found.first.code
    reason += f"; {found.lengths}" if found.lengths else ""
    if found.entries > 1:
        reason += f"; {found.wrong} of {found.entries} entries differ"
        code = Code.NOT_FINITE if found.not_finite else Code.ENTRIES_DIFFER
    return {"finding": Finding(code, reason), "call": call, "came": came, "wanted": asked}


def _walk(a: Any, w: Any, path: Path, found: _Found) -> None:
    if type(a) is Tensor and type(w) in (list, tuple) and a.shape:
        found.notes[f"a tensor where the solution returns {kind_of(w)}"] = None
        a = _listed(a)
    if type(a) in (list, tuple) and type(w) in (list, tuple):
        if type(a) is not type(w):
            found.notes[f"{kind_of(a)} where the solution returns {kind_of(w)}"] = None
        for k, (x, y) in enumerate(zip(a, w, strict=False)):
            _walk(x, y, (*path, k), found)
        if more := abs(len(a) - len(w)):
            at = min(len(a), len(w))
            end, asked = (shown(x[at]) if at < len(x) else "nothing" for x in (a, w))
            found.lengths = found.lengths or f"{len(a)} entries, wanted {len(w)}"
            found.entries += more
            found.differ((*path, at), f"{end}, wanted {asked}", Code.ENTRIES_DIFFER)
            found.wrong += more - 1
        return
    if raises(a) or raises(w):
        found.entries += 1
        if a != w:
            found.differ(path, f"{shown(a)}, wanted {shown(w)}")
        return
    if type(a) is dict and type(w) is dict:
        for key, value in w.items():
            if key in a:
                _walk(a[key], value, (*path, key), found)
            else:
                found.entries += 1
                what = f"there is no {shown(key)}, wanted {shown(value)} there"
                found.differ((*path, key), what, Code.ENTRIES_DIFFER)
        for key in a.keys() - w.keys() if len(a) > len(w.keys() & a.keys()) else ():
            found.entries += 1
            found.differ((*path, key), f"{shown(key)}, which is not wanted", Code.ENTRIES_DIFFER)
        return
    found.entries += 1
    if type(a) is Tensor or type(w) is Tensor:
        _inner_tensor(a, w, path, found)
    elif number(a) and number(w):
        _numbers(a, w, path, found)
    elif type(a) is bool and type(w) is int and a == w and path:
        found.notes["True and False where the solution returns 1 and 0"] = None
    elif type(a) is not type(w):
        hint = " (is a `return` missing?)" if a is None and not path else ""
        code = Code.MISSING_RETURN if hint else Code.WRONG_TYPE
        found.differ(path, f"{kind_of(a)}{_value(a)}{hint}, wanted {kind_of(w)}{_value(w)}", code)
    elif a != w:
        found.differ(path, _sets(a, w) if type(w) is set else f"{shown(a)}, wanted {shown(w)}")


def raises(value: Any) -> bool:
    """Whether a driver has an exception here that it waited for."""
    return type(value) is dict and value.keys() == {RAISES}


def _listed(tensor: Tensor) -> Any:
    """A tensor as lists, of integers or booleans where it is of such."""
    kind = int if whole(tensor.dtype) else bool if tensor.dtype == "bool" else float
    return array(tensor).astype(kind).tolist()


def _numbers(a: float, w: float, path: Path, found: _Found) -> None:
    if type(a) is not type(w) and (a == w or not found.exact):
        if found.exact and type(w) is int:
            found.differ(path, f"a float {shown(a)}, wanted an int {shown(w)}", Code.WRONG_TYPE)
            return
        found.notes[f"{kind_of(a)} where the solution returns {kind_of(w)}"] = None
    if a == w:
        return
    found.identical = False
    difference = _apart(a, w)
    found.maxdiff = max(found.maxdiff, difference) if difference == difference else math.inf
    finite = type(a) is int or math.isfinite(a)
    near = not found.exact and difference <= max(RTOL * _apart(w, 0) + found.floor, found.bound)
    if not (near and finite and (type(w) is int or math.isfinite(w))):
        found.not_finite = found.not_finite or not (finite or found.wrong)
        code = Code.VALUE_DIFFERS if finite else Code.NOT_FINITE
        found.differ(path, f"{_digits(a, w)}, wanted {_digits(w, a)}", code)


def _apart(a: float, b: float) -> float:
    """How far two numbers are apart; inf where no float is so large."""
    try:
        return float(abs(a - b))
    except OverflowError:
        return math.inf


def _digits(value: float, other: float) -> str:
    if type(value) is int:
        return shown(value)
    return f"{value:.{4 if _apart(value, other) > 1e-2 * _apart(other, 0) else 9}g}"


def _inner_tensor(a: Any, w: Any, path: Path, found: _Found) -> None:
    if type(w) is not Tensor and type(a) is Tensor and number(w) and a.shape == () and a.data:
        found.notes["a tensor of one number where the solution returns a number"] = None
        one = array(a).item()
        _numbers(int(one) if type(w) is int and one.is_integer() else one, w, path, found)
        return
    if type(w) is Tensor and w.shape == () and w.dtype != "bool" and number(a):
        found.notes[NUMBER] = None
        _numbers(a, int(array(w)) if whole(w.dtype) else float(array(w)), path, found)
        return
    if type(a) is not type(w):
        found.differ(path, f"{kind_of(a)}, wanted {kind_of(w)}", Code.WRONG_TYPE)
        return
    if a.shape != w.shape:
        if not leading_ones(a.shape, w.shape):
            found.differ(path, f"a tensor of shape {a.shape}, wanted {w.shape}", Code.WRONG_SHAPE)
            return
        found.notes[f"{a.shape} for {w.shape}: the same but for a leading 1"] = None
        a = replace(a, shape=w.shape)
    if not as_good(a.dtype, w.dtype, found.exact):
        found.differ(path, f"a tensor of {text(a.dtype)}, wanted {w.dtype}", Code.WRONG_DTYPE)
        return
    if a.dtype == "float64" != w.dtype:
        found.notes[f"float64 where the solution returns {w.dtype}"] = None
    x, y = array(a).astype(np.float64), array(w).astype(np.float64)
    other = np.where(np.isfinite(x) & np.isfinite(y), 0, x != y)
    if other.any():
        at = tuple(map(int, np.argwhere(other)[0]))
        finite = bool(np.isfinite(x[at]))
        found.not_finite = found.not_finite or not (finite or found.wrong)
        code = Code.VALUE_DIFFERS if finite else Code.NOT_FINITE
        what = f"{int(np.isfinite(x).size - np.isfinite(x).sum())} numbers that are not finite, "
        found.differ(path + at, f"{'' if finite else what}{x[at]:.4g}, wanted {y[at]:.4g}", code)
        return
    same = ~np.isfinite(x)
    x, y = np.where(same, 0, x), np.where(same, 0, y)
    check = judge(x, y, float(np.abs(y).max(initial=0)), found.bound, wants="wanted")
    found.identical = found.identical and check.exact
    found.maxdiff = max(found.maxdiff, check.maxdiff or 0.0)
    if not (check.exact if found.exact else check.approx):
        at = tuple(map(int, np.unravel_index(int(np.abs(x - y).argmax()), x.shape))) if x.size else ()
        found.differ(path + at, check.reason or "not exact", check.code or Code.NOT_EXACT)


def _sets(a: set[Any], w: set[Any]) -> str:
    parts = []
    if missing := w - a:
        parts.append(f"lacks {shown(min(missing, key=plain.encode))}")
    if extra := a - w:
        parts.append(f"has {shown(min(extra, key=plain.encode))}, which is not wanted")
    return " and ".join(parts)


def numbers(value: Any) -> Iterator[float]:
    """Every number of plain data that an approximate item may have a little off: floats, and tensors'."""
    if type(value) is float:
        yield value
    elif type(value) is Tensor:
        yield from (float(x) for x in array(value).ravel())
    elif type(value) in (list, tuple):
        for one in value:
            yield from numbers(one)
    elif type(value) is dict:
        for one in value.values():
            yield from numbers(one)


def kind_of(value: Any) -> str:
    """What a value is, in words: a list, an int, None."""
    if value is None:
        return "None"
    name = {"str": "text", "bytes": "bytes", "Tensor": "a tensor"}.get(type(value).__name__)
    return name or f"{'an' if type(value) is int else 'a'} {type(value).__name__}"


def _value(value: Any) -> str:
    return f" {shown(value)}" if type(value) in (bool, int, float, str, bytes) else ""


def number(value: Any) -> bool:
    return type(value) in (int, float)


def whole(dtype: str) -> bool:
    return dtype.startswith(("int", "uint"))


def as_good(dtype: str, wanted: str, exact: bool) -> bool:
    """Whether a type does as well: integers of any width, and where rounding is no matter more precision."""
    return (
        dtype == wanted
        or whole(dtype)
        and whole(wanted)
        or (dtype, wanted, exact) == ("float64", "float32", False)
    )
