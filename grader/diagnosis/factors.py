"""How a wrong gradient is a multiple of the right one: by a factor, by a size written as a number. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from grader.core.finding import Code, Finding
from grader.diagnosis.relations import CLOSE, Evidence, same


def ratio(e: Evidence) -> float | None:
    """c where the answer is c times the reference, else None."""
    if e.answer.shape != e.reference.shape or not e.reference.any():
        return None
    at = np.unravel_index(int(np.abs(e.reference).argmax()), e.reference.shape)
    c = float(e.answer[at] / e.reference[at])
    return c if c and same(e, e.answer / c, e.reference, 1 + 1 / abs(c)) else None


def twice_or_half(e: Evidence) -> Iterator[Finding]:
    yield from _factor(e, [f for f in factors(e.sizes) if f[0] in ("2", "1/2")], "")


def factor(code: str) -> Callable[[Evidence], Iterator[Finding]]:
    """The right gradient times a simple factor. code: the forward lines that it comes back through."""

    def explain(e: Evidence) -> Iterator[Finding]:
        yield from _factor(e, list(factors(e.sizes)), code)

    return explain


def _factor(e: Evidence, known: list[tuple[str, float]], code: str) -> Iterator[Finding]:
    for name, value in known:
        if abs(value - 1) > 1e-6 and same(e, e.answer, value * e.reference, 1 + abs(value)):
            why = origin(name, code)
            if why and value < 0:
                yield Finding(Code.TWO_SLIPS, f"two slips: the sign is wrong, and {why}")
            else:
                said = f"exactly {name} times what it should be{': ' if why else ''}{why}"
                yield Finding(Code.FACTOR, said)


def constant(code: str) -> Callable[[Evidence], Iterator[Finding]]:
    """The right gradient times one number at all sizes; or that number, or another size, where n is meant."""

    def explain(e: Evidence) -> Iterator[Finding]:
        c, n = ratio(e), e.sizes.get("n")
        if c is None or abs(c - 1) < 1e-4:
            return
        for name, size in e.sizes.items():
            for less, meant in ((0, "n"), (1, "n-1")):
                if not isinstance(size, int) or not isinstance(n, int) or name == "n" or min(size, n) <= less:
                    continue
                if DIVIDES[meant].search(code) and abs(c * (size - less) / (n - less) - 1) < CLOSE:
                    said = f"{name}{' - 1' * less} stands where {'n - 1' if less else 'n'} is meant"
                    yield Finding(Code.WRONG_SIZE, said)
        if isinstance(n, int) and DIVIDES["n"].search(code) and _whole(n / c):
            yield Finding(Code.HARD_CODED, f"{round(n / c)} is written where n is meant")
        k = round(1 / c)
        if _whole(1 / c):
            written = e.numbers is not None and k in e.numbers
            why = f": a division by the number {k} is one too many" if written else ""
            yield Finding(Code.FACTOR, f"exactly 1/{k} of what it should be, at all sizes{why}")
        elif abs(20 * c - round(20 * c)) < 1e-4 * abs(c):
            said = f"exactly {round(20 * c) / 20:g} times what it should be, at all sizes"
            yield Finding(Code.FACTOR, said)

    return explain


def _whole(x: float) -> bool:
    return 1.5 < x < 1e5 and abs(x / round(x) - 1) < CLOSE


def factors(sizes: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Simple factors by name, at these sizes."""
    yield from (("2", 2.0), ("1/2", 0.5), ("-2", -2.0), ("-1/2", -0.5))
    n = sizes.get("n")
    if isinstance(n, int) and n > 1:
        for name, value in (("n", n), ("1/n", 1 / n), ("n/(n-1)", n / (n - 1)), ("(n-1)/n", (n - 1) / n)):
            yield name, value
            yield f"-{name}", -value
        yield from (("n-1", float(n - 1)), ("1/(n-1)", 1 / (n - 1)))
    for name, size in sizes.items():
        if name != "n" and isinstance(size, int) and size > 1:
            yield name, float(size)
            yield f"1/{name}", 1 / size


DIVIDES = {
    "n": re.compile(r"/ ?n\b|\bmean\(|cross_entropy"),
    "n-1": re.compile(r"/ ?\(n ?- ?1\)|\bvar\("),
}


def origin(name: str, code: str) -> str:
    """The likely origin of a factor, in words; where a division is told of, the forward lines have it."""
    bare = name.removeprefix("-")
    if bare in DIVIDES:
        return f"the division by {bare} is missing" if DIVIDES[bare].search(code) else ""
    if bare.startswith("1/") and bare != "1/2":
        what = bare.removeprefix("1/")
        return f"a mean is taken where a sum is meant, or a division by {what} is one too many"
    if bare == "n/(n-1)" and DIVIDES["n"].search(code):
        return "n - 1 stands where n is meant"
    return "n stands where n - 1 is meant" if bare == "(n-1)/n" and DIVIDES["n-1"].search(code) else ""


def written(e: Evidence) -> Iterator[tuple[Finding, float]]:
    """What a size of the lecture, written as a number, does to an answer at the evidence's sizes."""
    for name, number in e.lecture.items():
        size = e.sizes.get(name)
        for less, meant in ((0, name), (1, f"{name} - 1")):
            if isinstance(size, int) and isinstance(number, int) and min(size, number) > less:
                ratio = (size - less) / (number - less)
                found = Finding(Code.HARD_CODED, f"{number - less} is written where {meant} is meant")
                yield from ((found, ratio), (found, 1 / ratio))


def hard_coded(e: Evidence) -> Iterator[Finding]:
    """A size of the lecture written as a number: right there, off by the sizes' ratio elsewhere."""
    c = ratio(e)
    if c is not None:
        yield from (found for found, ratio in written(e) if abs(c / ratio - 1) < 1e-5)
