"""Relations between a wrong answer and what it was made from. Pure; NumPy only.

Each function takes one fixture's evidence and yields the findings that are true there; `diagnose` says
one that is true on every fixture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.core.exercise import Gradient, Line
from grader.core.finding import Code, Finding

Array = NDArray[Any]
Lines = Mapping[str, Line]

CLOSE = 1e-5  # relative: what counts as the same
NOISE = 2e-6  # of the answer's size without cancellation: what is rounding


@dataclass(frozen=True)
class Evidence:
    """One fixture's answer and what it is explained from. given: forward tensors and upstream gradients.

    magnitude: of the answer if nothing in it cancelled, see `compare`. uses, numbers: the names whose values
    the function works with, and the numbers in it; None where its text isn't at hand. lecture: the
    lecture's sizes, which it may have as numbers.
    """

    fixture: str
    answer: Array
    reference: Array
    given: Mapping[str, Array]
    sizes: Mapping[str, Any]
    magnitude: float = 0.0
    uses: frozenset[str] | None = None
    numbers: frozenset[float] | None = None
    lecture: Mapping[str, Any] = field(default_factory=dict)

    def may_use(self, name: str) -> bool:
        """Whether a sentence may say that the function uses a tensor."""
        return self.uses is None or name in self.uses

    @property
    def noise(self) -> float:
        return NOISE * self.magnitude


def same(e: Evidence, a: Array, b: Array, scale: float = 1.0) -> bool:
    """Whether two arrays are the same; scale: how much the answer was scaled for it."""
    if a.shape != b.shape or not a.size:
        return False
    largest = float(np.abs(b).max())
    return 0 < largest < np.inf and bool(np.abs(a - b).max() <= CLOSE * largest + e.noise * scale)


def leading_ones(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes are the same but for ones in front of one of them."""
    short, long = sorted((a, b), key=len)
    more = len(long) - len(short)
    return more > 0 and long == (*[1] * more, *short)


def zero(e: Evidence) -> Iterator[Finding]:
    if e.answer.size and not e.answer.any():
        yield Finding(Code.ALL_ZERO, "all zero")
    elif e.answer.size and np.abs(e.answer).max() <= 10 * e.noise:
        yield Finding(Code.ALL_ZERO, "all zero, or as good as zero")


def ones(item: Gradient, lines: Lines) -> Callable[[Evidence], Iterator[Finding]]:
    """Ones alone: what arrives from upstream is missing; where nothing does, the local gradient."""

    def explain(e: Evidence) -> Iterator[Finding]:
        if not e.answer.size or not (e.answer == 1).all():
            return
        if item.cut:
            yield Finding(Code.UPSTREAM_MISSING, "all ones: what arrives from upstream is missing")
        else:
            line = next((line.code.strip() for line in lines.values() if item.tensor in line.uses), "")
            yield Finding(Code.LOCAL_GRADIENT, f"all ones: the local gradient of {line} is missing")

    return explain


def sign(e: Evidence) -> Iterator[Finding]:
    if same(e, e.answer, -e.reference):
        yield Finding(Code.SIGN, "the sign is wrong")


def transposed(e: Evidence) -> Iterator[Finding]:
    if e.answer.ndim == 2 and same(e, e.answer.T, e.reference):
        yield Finding(Code.TRANSPOSED, "right when transposed")


def unsummed(e: Evidence) -> Iterator[Finding]:
    """Right once summed over the axes that the forward line replicated, or contracted."""
    came, wanted = e.answer.shape, e.reference.shape
    for axis in range(len(came)):
        for keep in (True, False):
            if (*came[:axis], *((1,) if keep else ()), *came[axis + 1 :]) == wanted and came[axis] > 1:
                total = e.answer.sum(axis, keepdims=keep)
                if same(e, total, e.reference):
                    said = f"the sum over dim {axis} is missing: right once it is summed"
                    yield Finding(Code.NOT_SUMMED, said)


def summed(e: Evidence) -> Iterator[Finding]:
    """The right gradient, summed over an axis that it should have kept."""
    for axis in range(e.reference.ndim):
        for keep in (True, False):
            length = e.reference.shape[axis]
            total = e.reference.sum(axis, keepdims=keep)
            if length > 1 and same(e, e.answer, total, math.sqrt(length)):
                said = f"these are the sums of the right gradient over dim {axis}, which it keeps"
                yield Finding(Code.SUMMED, said)


def passed_through(item: Gradient, lines: Lines, whole: bool) -> Callable[[Evidence], Iterator[Finding]]:
    """The upstream gradient as it came. whole: only where the wanted shape is its own."""

    def explain(e: Evidence) -> Iterator[Finding]:
        if whole and e.answer.shape != e.reference.shape:
            return
        for name in item.available:
            if name in e.given and e.may_use(name) and same(e, e.answer, e.given[name].astype(np.float64)):
                others = [t for t in item.cut if "d" + t != name]
                if others and name[1:] in item.cut:
                    left = " and ".join(sorted(others))
                    said = f"the branch through {left} is left out: only {name} is there, as it came"
                    yield Finding(Code.BRANCH_MISSING, said)
                line = lines.get(name[1:])
                direct = line and item.tensor in line.uses
                what = f"the local gradient of {line.code.strip()}" if line and direct else "the way back"
                said = f"{name} is passed through as it came: {what} is missing"
                yield Finding(Code.PASSED_THROUGH, said)

    return explain


def another_gradient(item: Gradient) -> Callable[[Evidence], Iterator[Finding]]:
    def explain(e: Evidence) -> Iterator[Finding]:
        for name, value in e.given.items():
            if name != item.name and ":" not in name and same(e, e.answer, value.astype(np.float64)):
                yield Finding(Code.ANOTHER_GRADIENT, f"this is {name}")

    return explain


def broadcasts(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another of as many axes."""
    return len(shape) == len(wanted) and all(a in (1, b) for a, b in zip(shape, wanted, strict=True))


POWERS: dict[str, Callable[[Array], Array]] = {
    "is multiplied by {t} once too often, or a division by it is missing": lambda t: t,
    "is divided by {t} once too often, or a factor {t} is missing": lambda t: 1 / t,
    "is divided by {t} where a multiplication is meant": lambda t: 1 / t**2,
    "is multiplied by {t} where a division is meant": lambda t: t**2,
    "is multiplied by 1 - {t} squared, which belongs to another step": lambda t: 1 - t**2,
}


def another_factor(item: Gradient) -> Callable[[Evidence], Iterator[Finding]]:
    """The reference times a power of some tensor: a factor too many, or one upside down."""
    first = [*item.params, *item.available]

    def explain(e: Evidence) -> Iterator[Finding]:
        if e.answer.shape != e.reference.shape or not e.reference.any():
            return
        at = np.unravel_index(int(np.abs(e.reference).argmax()), e.reference.shape)
        want = e.answer[at] / e.reference[at]
        names = [*first, *(k for k in e.given if k not in first and not k.startswith("d") and ":" not in k)]
        for name in names:
            value = e.given.get(name)
            usable = value is not None and value.dtype.kind == "f" and e.may_use(name)
            if (
                value is None
                or not usable
                or value.size < 2
                or not broadcasts(value.shape, e.reference.shape)
            ):
                continue
            t = value.astype(np.float64)
            here = np.broadcast_to(t, e.reference.shape)[at]
            for text, power in POWERS.items():
                with np.errstate(all="ignore"):
                    close = abs(power(here) / want - 1) < 1e-3
                    if close and same(e, e.answer, power(t) * e.reference, 1 + abs(want)):
                        yield Finding(Code.ANOTHER_FACTOR, f"it {text.format(t=name)}")

    return explain


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "{t}": lambda t: t,
    "1/{t}": lambda t: 1 / t,
    "{t} squared": lambda t: t**2,
    "1/{t} squared": lambda t: 1 / t**2,
    "1 - {t}": lambda t: 1 - t,
    "1 - {t} squared": lambda t: 1 - t**2,
    "{t} * (1 - {t})": lambda t: t * (1 - t),
    "exp({t})": np.exp,
    "log({t})": np.log,
    "tanh({t})": np.tanh,
    "1 - tanh({t}) squared": lambda t: 1 - np.tanh(t) ** 2,
    "sigmoid({t}) * (1 - sigmoid({t}))": lambda t: 1 / (2 + np.exp(t) + np.exp(-t)),
    "2 * {t}": lambda t: 2 * t,
}


def products(item: Gradient, line: Line, e: Evidence) -> Iterator[tuple[str, Array]]:
    """The upstream gradient of one line times a simple function of each tensor in it or near it."""
    upstream = e.given.get("d" + line.name)
    if upstream is None:
        return
    d = upstream.astype(np.float64)
    own = [line.name, *line.uses]
    near = [k for k in e.given if k not in own and not k.startswith("d") and ":" not in k]
    for t in [*own, *near]:
        value = e.given.get(t)
        if value is None or value.dtype.kind != "f" or value.ndim != d.ndim:
            continue
        if not e.may_use(t) or not e.may_use("d" + line.name):
            continue
        v = value.astype(np.float64)
        if any(a != b and 1 not in (a, b) for a, b in zip(v.shape, d.shape, strict=True)):
            continue
        for text, function in FUNCTIONS.items():
            if t not in own and text not in ("{t}", "exp({t})", "2 * {t}"):
                continue
            with np.errstate(all="ignore"):
                product = function(v) * d
            if not np.isfinite(product).all():
                continue
            if e.reference.ndim == product.ndim:
                axes = tuple(i for i, s in enumerate(e.reference.shape) if s == 1 < product.shape[i])
                product = product.sum(axes, keepdims=True)
            what = text.format(t=t)
            for word in ("tanh", "sigmoid"):
                if f"{word}({line.name})" in what and f"{word}(" in line.code:
                    yield f"{word} is taken twice: {line.name} is its output already", product
            yield (
                f"d{line.name} is multiplied by {what}, which is not the local gradient of "
                f"{line.code.strip()}",
                product,
            )


def local_gradient(item: Gradient, lines: Lines) -> Callable[[Evidence], Iterator[Finding]]:
    """The right upstream gradient times a wrong factor."""

    def explain(e: Evidence) -> Iterator[Finding]:
        if len(item.cut) == 1 and item.cut[0] in lines:
            for say, value in products(item, lines[item.cut[0]], e):
                right = value.size == e.reference.size and same(
                    e, value.reshape(e.reference.shape), e.reference
                )
                if same(e, e.answer, value) and not right:
                    yield Finding(Code.LOCAL_GRADIENT, say)

    return explain


def added(e: Evidence) -> Iterator[Finding]:
    """The right gradient on top of something that was there before."""
    if e.answer.shape != e.reference.shape:
        return
    over = e.answer - e.reference
    if same(e, over, np.ones_like(over)):
        yield Finding(Code.ADDED, "1 too much everywhere: it starts from ones, not from zeros")
    for name, value in e.given.items():
        forward = not name.startswith("d") and value.dtype.kind == "f" and e.may_use(name)
        if forward and same(e, over, value.astype(np.float64)):
            yield Finding(Code.ADDED, f"{name} itself is added to it: it starts from {name}, not from zeros")
