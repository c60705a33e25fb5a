"""A wrong answer -> the mistake that explains it. Pure; NumPy only.

Two ways: relations between the answer and the reference (a factor, a sign, a transpose, a branch left
out, the upstream gradient passed through …), and fingerprints of the mutants of the reference body,
which the fixtures carry, so that no solution is needed. An explanation is spoken only if it holds on
every fixture of the evidence, the lecture's and a probe of other sizes, and only if nothing simpler
does. None that fits is an honest None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PRINTS = 3  # projections in a fingerprint
CLOSE = 1e-5  # relative: what counts as the same
FIXTURES = ("lecture", "probe-2")  # where the evidence comes from


@dataclass(frozen=True)
class Evidence:
    """One fixture's answer and what it is explained from. given: forward tensors and upstream gradients."""

    fixture: str
    answer: Array
    reference: Array
    given: Mapping[str, Array]
    sizes: Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """What the fixtures know of an item: `say` of each mistake, its shape and fingerprint by fixture.

    branches: by direct consumer, the fingerprint of what comes back through it alone.
    """

    mistakes: Sequence[Mapping[str, Any]]
    branches: Mapping[str, Mapping[str, Sequence[float]]]


def fingerprint(values: Array) -> list[float]:
    """Projections of an array on fixed random directions: linear, and equal only for equal arrays."""
    flat = np.asarray(values, np.float64).ravel()
    # RandomState's stream is frozen; newer generators may change theirs
    return [float(flat @ np.random.RandomState(k + 1).standard_normal(flat.size)) for k in range(PRINTS)]


def diagnose(
    item: Mapping[str, Any], known: Known, evidence: Sequence[Evidence], tensors: Sequence[str]
) -> str | None:
    """The simplest mistake that explains the answer on all of the evidence; None where none is known.

    item: its description. tensors: the forward program's, for "the gradient of another tensor".
    """
    if len(evidence) < 2:
        return None
    for explain in (
        _zero,
        _sign,
        _branches(known),
        _passed_through(item, whole=True),
        _mistakes(known),
        _transposed,
        _passed_through(item, whole=False),
    ):
        if (told := _agreed(explain, evidence)) is not None:
            return told
    for explain in (_hard_coded, _factor, _another(item, tensors), _rows):
        if (told := _agreed(explain, evidence)) is not None:
            return told
    return None


Explain = Callable[[Evidence], Iterator[str]]


def _agreed(explain: Explain, evidence: Sequence[Evidence]) -> str | None:
    """The first explanation that every piece of the evidence gives."""
    rest = [set(explain(e)) for e in evidence[1:]]
    return next((told for told in explain(evidence[0]) if all(told in other for other in rest)), None)


def _same(a: Array, b: Array) -> bool:
    if a.shape != b.shape or not a.size:
        return False
    scale = float(np.abs(b).max())
    return bool(np.abs(a - b).max() <= CLOSE * scale) and scale > 0


def _near(a: Sequence[float], b: Sequence[float] | Array, scale: float) -> bool:
    return bool((np.abs(np.asarray(a) - np.asarray(b)) <= CLOSE * scale).all())


def _zero(e: Evidence) -> Iterator[str]:
    if e.answer.size and not e.answer.any():
        yield "all zero"


def _sign(e: Evidence) -> Iterator[str]:
    if _same(e.answer, -e.reference):
        yield "the sign is wrong"


def _transposed(e: Evidence) -> Iterator[str]:
    if e.answer.ndim == 2 and _same(e.answer.T, e.reference):
        yield "right when transposed"


def _branches(known: Known) -> Explain:
    """One or more of several branches instead of the sum of all; or one of them with the wrong sign."""

    def explain(e: Evidence) -> Iterator[str]:
        if len(known.branches) < 2 or e.answer.shape != e.reference.shape:
            return
        prints = {t: np.array(p[e.fixture]) for t, p in known.branches.items() if e.fixture in p}
        if len(prints) != len(known.branches):
            return
        own = fingerprint(e.answer)
        scale = float(np.linalg.norm(e.answer)) + float(np.linalg.norm(e.reference))
        for size in range(1, len(prints)):
            for kept in combinations(prints, size):
                left = [t for t in prints if t not in kept]
                names = " and ".join(left)
                there_too, gone = _total(prints, kept), _total(prints, left)
                if _near(own, there_too, scale):
                    there = " and ".join(kept)
                    yield f"the branch through {names} is left out: only what comes through {there} is there"
                if _near(own, there_too - gone, scale):
                    yield f"the branch through {names} has the wrong sign"

    return explain


def _total(prints: Mapping[str, Array], names: Sequence[str]) -> Array:
    return np.asarray(np.sum([prints[t] for t in names], axis=0))


def _mistakes(known: Known) -> Explain:
    """The mutants whose value this is, the likeliest first."""

    def explain(e: Evidence) -> Iterator[str]:
        own = fingerprint(e.answer)
        scale = float(np.linalg.norm(e.answer))
        if not scale > 0:
            return
        for mistake in known.mistakes:
            on = mistake["on"].get(e.fixture)
            if on and tuple(on["shape"]) == e.answer.shape and _near(own, on["prints"], scale):
                yield mistake["say"]

    return explain


def _passed_through(item: Mapping[str, Any], whole: bool) -> Explain:
    """The upstream gradient as it came. whole: only where the wanted shape is its own."""

    def explain(e: Evidence) -> Iterator[str]:
        if whole and e.answer.shape != e.reference.shape:
            return
        for name in item["available"]:
            if name in e.given and _same(e.answer, e.given[name].astype(np.float64)):
                yield f"{name} is passed through as it came: the forward line's own derivative is missing"

    return explain


def _another(item: Mapping[str, Any], tensors: Sequence[str]) -> Explain:
    def explain(e: Evidence) -> Iterator[str]:
        for t in tensors:
            for name in (t, "d" + t):
                if (
                    name != item["name"]
                    and name in e.given
                    and _same(e.answer, e.given[name].astype(np.float64))
                ):
                    yield f"this is {name}"

    return explain


def _ratio(e: Evidence) -> float | None:
    """c where the answer is c times the reference, else None."""
    if e.answer.shape != e.reference.shape or not e.reference.any():
        return None
    at = np.unravel_index(int(np.abs(e.reference).argmax()), e.reference.shape)
    c = float(e.answer[at] / e.reference[at])
    return c if c and _same(e.answer / c, e.reference) else None


def _factor(e: Evidence) -> Iterator[str]:
    c = _ratio(e)
    if c is None or abs(c - 1) < 1e-6:
        return
    for name, value in _factors(e.sizes):
        if abs(c / value - 1) < 1e-4:
            yield f"{name} times what it should be"


def _factors(sizes: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield from (("exactly 2", 2.0), ("exactly 1/2", 0.5), ("exactly -2", -2.0), ("exactly -1/2", -0.5))
    n = sizes.get("n")
    if isinstance(n, int) and n > 1:
        for name, value in (("n", n), ("1/n", 1 / n), ("n/(n-1)", n / (n - 1)), ("(n-1)/n", (n - 1) / n)):
            yield f"exactly {name}", value
            yield f"exactly -{name}", -value
        yield from (("exactly n-1", float(n - 1)), ("exactly 1/(n-1)", 1 / (n - 1)))
    for name, size in sizes.items():
        if name != "n" and isinstance(size, int) and size > 1:
            yield f"exactly {name}", float(size)
            yield f"exactly 1/{name}", 1 / size


def _hard_coded(e: Evidence) -> Iterator[str]:
    """A size of the lecture written as a number: right there, off by the sizes' ratio elsewhere."""
    c = _ratio(e)
    lecture = {"n": 32, "block_size": 3, "vocab_size": 27, "n_embd": 10}
    if c is None:
        return
    for name, number in lecture.items():
        size = e.sizes.get(name)
        for less, meant in ((0, name), (1, f"{name} - 1")):
            if isinstance(size, int) and size > less:
                ratio = (size - less) / (number - less)
                if abs(c / ratio - 1) < 1e-6 or abs(c * ratio - 1) < 1e-6:
                    yield f"{number - less} is written where {meant} is meant"


def _rows(e: Evidence) -> Iterator[str]:
    """Right in all but some rows, and what those have in common."""
    if e.answer.shape != e.reference.shape or e.answer.ndim < 2:
        return
    scale = float(np.abs(e.reference).max())
    off = np.abs(e.answer - e.reference).reshape(len(e.answer), -1).max(1) > CLOSE * scale
    if not off.any() or off.all():
        return
    index = e.given.get("Xb")
    if index is not None and e.reference.shape[0] == e.sizes.get("vocab_size"):
        counts = np.bincount(index.ravel(), minlength=len(off))
        if not off[counts < 2].any():
            yield "right for each row that is looked up once, wrong for those looked up several times"


def related(item: Mapping[str, Any], e: Evidence, tensors: Sequence[str]) -> str | None:
    """What explains an answer by one set of numbers alone; None where that could be coincidence.

    For a notebook, where there is no second fixture: relations that single out every element, of an
    answer with enough different ones. A factor that several sizes share is told as a number.
    """
    if (told := next(_zero(e), None)) is not None:
        return told
    if e.answer.size < MANY:
        return None
    for explain in (
        _sign,
        _passed_through(item, whole=True),
        _transposed,
        _passed_through(item, whole=False),
    ):
        if (told := next(explain(e), None)) is not None:
            return told
    named, c = list(_factor(e)), _ratio(e)
    if len(named) == 1:
        return named[0]
    for k, word in ((c or 0.0, "{} times"), (1 / c if c else 0.0, "1/{} of")):
        if abs(k) > 1.5 and abs(k / round(k) - 1) < 1e-4:
            return f"exactly {word.format(round(k))} what it should be"
    return next(_another(item, tensors)(e), None)


MANY = 4  # elements below which a relation between two arrays may be coincidence
