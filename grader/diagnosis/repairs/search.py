"""All that is tried on one function, the likeliest first; two changes at once where no single one does."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, combinations, islice, product

from grader.core.finding import Code, Finding
from grader.diagnosis.repairs import (
    axes,
    brackets,
    calls,
    conditions,
    elements,
    formulas,
    missing,
    names,
    places,
    scope,
    statements,
    wrappers,
)
from grader.diagnosis.repairs.source import Change, Source

KINDS: tuple[Callable[[Source], Iterator[Change]], ...] = (
    names.another, names.made, names.products, names.exchanged, names.transposes, names.functions,
    names.joined,
    formulas.operators, formulas.brackets, formulas.numbers, formulas.too_many, missing.too_few,
    axes.reductions, axes.products, axes.sums, places.parts, places.columns,
    places.examples, axes.assignments, axes.lengths, axes.maxima,
    axes.loops, axes.choices,
)  # fmt: skip
OUTPUT_KINDS: tuple[Callable[[Source], Iterator[Change]], ...] = (
    statements.left_out, statements.moved, statements.nested, statements.steps, statements.loops,
    statements.copies,
    scope.variables, scope.attributes, scope.constants, scope.missing,
    conditions.comparisons, conditions.conditions, conditions.flags, places.places, calls.calls,
    wrappers.wrapped, elements.collections, elements.gathered, brackets.formulas,
    brackets.brackets, formulas.operators, formulas.brackets,
)  # fmt: skip
FARTHER = 8  # ranks that a change of another function than the one that an output is about comes after
MOST = 900  # changes of one function that are tried; where it has loops, fewer
TOGETHER = 1200  # pairs of changes
BESIDE = 400  # pairs of a change and a factor that is missing
OFTEN = frozenset(
    (Code.ANOTHER_TENSOR, Code.TRANSPOSED, Code.MEAN_FOR_SUM, Code.WRONG_AXIS, Code.TERM_SIGN, Code.KEEPDIM,
     Code.EXTRA_FACTOR, Code.MATRIX_PRODUCT)
)  # fmt: skip

MISSING = frozenset((Code.FACTOR_MISSING, Code.TERM_MISSING))
SURE = 6  # changes that are paired with all others; of more, only the likelier pairs
REMOVED = frozenset((Code.EXTRA_TERM, Code.EXTRA_FACTOR, Code.EXTRA_STEP))

Tried = tuple[Change, ...]


def most(s: Source, most: int) -> int:
    """A function with loops is slower; one with `while` may not end."""
    if any(isinstance(n, ast.While) for n in s.nodes):
        return 0
    loops = sum(isinstance(n, ast.For) for n in s.nodes)
    return most // (1 + loops)


def single(s: Source) -> dict[str, Tried]:
    """By the text of the function that it makes, each change; the likeliest first."""
    found: dict[str, Tried] = {}
    whole = sorted((c for kind in KINDS for c in kind(s)), key=lambda c: c.rank)
    many = most(s, MOST)
    for change in whole:
        if len(found) >= many:
            break
        found.setdefault(s.changed(change), (change,))
    found.pop(s.data.decode(), None)
    return found


def of_output(sources: Sequence[Source], most: int) -> dict[str, tuple[int, Tried]]:
    """By the text that it makes, each change of one of several functions and which one; the likeliest first.

    sources: the function or method that an output is about first.
    """
    whole = [
        (c.rank + FARTHER * bool(k), k, c)
        for k, s in enumerate(sources)
        for kind in OUTPUT_KINDS
        for c in kind(s)
    ]
    found: dict[str, tuple[int, Tried]] = {}
    for _, k, change in sorted(whole, key=lambda found: found[:2]):
        if len(found) >= most:
            break
        found.setdefault(sources[k].changed(change), (k, (change,)))
    for s in sources:
        found.pop(s.data.decode(), None)
    return found


def double(s: Source, tried: Sequence[Tried]) -> dict[str, Tried]:
    """The same of two changes that are often made, and of one beside a factor that is missing."""
    often = [c for (c,) in tried if c.finding.code in OFTEN]
    unused = {*s.about.wanted} - {*s.used}
    missed = [c for (c,) in tried if c.finding.code is Code.FACTOR_MISSING and unused >= {*c.asks}]
    factors = {c.finding: c for c in reversed(missed)}.values()  # of the forms of one, the plainest

    def likely(pair: tuple[Change, Change]) -> int:
        return pair[0].rank + pair[1].rank

    pairs = sorted(combinations(often, 2), key=likely)[:TOGETHER]
    kept = [c for c in often if c.finding.code is not Code.EXTRA_FACTOR]  # one for another is no two slips
    pairs += sorted(product(kept, factors), key=likely)
    found: dict[str, Tried] = {}
    many = most(s, TOGETHER + BESIDE)
    for a, b in pairs:
        if len(found) >= many:
            break
        if a.apart(b):
            found.setdefault(s.changed(a, b), (a, b))
    return found


def distinct(gave: Iterable[tuple[Change, Hashable]]) -> list[Change]:
    """Of changes of one kind with which a function gives the same the likeliest."""
    found: dict[tuple[Hashable, Code, bool], Change] = {}
    for change, data in gave:
        found.setdefault((data, change.finding.code, bool(change.asks)), change)
    return list(found.values())


def pairs(
    firsts: Sequence[Change],
    others: Collection[Change],
    many: int,
    apart: Callable[[Change, Change], object] = Change.apart,
) -> list[tuple[Change, Change]]:
    """Two changes that are two slips, and not one told in two parts; the likeliest first.

    firsts: of which one is among them, the surest first. apart: whether both can be made.
    """

    def rank(pair: tuple[Change, Change]) -> int:
        return pair[0].rank + pair[1].rank

    def one(a: Change, b: Change) -> bool:
        codes = {a.finding.code, b.finding.code}
        together = a.finding.line == b.finding.line and a.apart(b)
        moved = codes & MISSING and (codes & REMOVED or (together and codes <= MISSING))
        renamed = Code.ANOTHER_TENSOR in codes and (
            Code.EXTRA_TERM in codes or a.finding.spot in b.asks or b.finding.spot in a.asks
        )
        return bool(moved or renamed)

    number = {id(a): k for k, a in enumerate(firsts)}

    def later(a: Change, b: Change) -> bool:
        """Whether it is a pair that does not come the other way round, too."""
        return number.get(id(b), len(firsts)) > number[id(a)]

    every = chain(product(firsts[:SURE], others), sorted(product(firsts[SURE:], others), key=rank))
    found = ((a, b) for a, b in every if later(a, b) and not one(a, b) and apart(a, b))
    return sorted(islice(found, many), key=rank)


def numbers(s: Source, sizes: Mapping[str, int]) -> list[Change]:
    """The sizes of the lecture that a function has as numbers, as names."""
    by_value = {value: name for name, value in sizes.items() if value > 3}  # axes and exponents are small
    whole = [(n, n.value) for n in s.nodes if isinstance(n, ast.Constant) and isinstance(n.value, int)]
    found = [(n, value, by_value[value]) for n, value in whole if value in by_value]
    return [
        s.change(n, name, Code.HARD_CODED, f"{value} is written where {name} is meant", 21, name)
        for n, value, name in found
    ]


def rounds(texts: Sequence[str], few: int, part: float) -> Iterator[tuple[int, Sequence[str]]]:
    """The likeliest first, a few or a part of how many there have been at a time; with the first's number."""
    start = 0
    while start < len(texts):
        some = texts[start : start + max(few, int(part * start))]
        yield start, some
        start += len(some)


def told(tried: Tried) -> Finding:
    """What the changes say of the code."""
    first, *more = (c.finding for c in tried)
    return two_slips(first, first, more[0]) if more else first


def two_slips(at: Finding, first: Finding, second: Finding) -> Finding:
    """Two findings as one, at the place of one of them."""
    said = f"two slips: {first.text}, and {second.text}"
    return replace(at.under(Code.TWO_SLIPS, said), also=frozenset((first.code, second.code)))
