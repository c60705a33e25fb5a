"""A wrong answer -> the mistake that explains it. Pure; NumPy only.

Two ways: relations between the answer and the reference (`relations`: a factor, a sign, a transpose, the
upstream gradient passed through …), and fingerprints of mutants of the reference body and of known
mistakes, which the fixtures carry, so that no solution is needed. An explanation is spoken only if it
holds on every fixture of the evidence, the lecture's and probes of other sizes, and only if nothing
simpler does. None that fits is an honest None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from grader.core.exercise import Gradient, Line
from grader.core.finding import Code, Finding
from grader.core.text import listed
from grader.diagnosis import factors, positions, relations
from grader.diagnosis.relations import CLOSE, Array, Evidence

PRINTS = 2  # projections in a fingerprint, on each fixture
KEPT = 1 << 16  # elements: no tensor of an exercise has more, but an answer may
KEEPDIM = Finding(Code.KEEPDIM, "keepdim=True is missing")  # of a mistake, as the fixtures have it
AS_IF = "the values are those that come out when "
OR = "; or "  # between mistakes of which one answer does not tell which it is
FIXTURES = ("lecture", "probe-2", "probe-3")  # where the evidence comes from

Explain = Callable[[Evidence], Iterator[Finding]]


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
    directions = _kept(flat.size) if flat.size <= KEPT else _directions(flat.size)
    return [float(flat @ d) for d in directions]


def _directions(size: int) -> tuple[Array, ...]:
    # RandomState's stream is frozen; newer generators may change theirs
    return tuple(np.random.RandomState(k + 1).standard_normal(size) for k in range(PRINTS))


_kept = lru_cache(64)(_directions)


def diagnose(
    item: Gradient,
    known: Known,
    evidence: Sequence[Evidence],
    lines: Mapping[str, Line],
) -> Finding | None:
    """The simplest mistake that explains the answer on all of the evidence; None where none is known.

    item: its description. lines: the forward program's, by the tensor that each names. The evidence
    must have the lecture fixture and a probe. A leading 1 too many or too few is no matter.
    """
    if len(evidence) < 2 or all(relations.same(e, e.answer, e.reference) for e in evidence):
        return None  # wrong on other fixtures alone
    if all(relations.leading_ones(e.answer.shape, e.reference.shape) for e in evidence) and (
        told := _told(item, known, [_reshaped(e) for e in evidence], lines)
    ):
        return told
    return _told(item, known, evidence, lines) or _unexpanded(known, evidence, lines)


def _reshaped(e: Evidence) -> Evidence:
    fits = e.answer.size == e.reference.size
    return replace(e, answer=e.answer.reshape(e.reference.shape)) if fits else e


def _unexpanded(known: Known, evidence: Sequence[Evidence], lines: Mapping[str, Line]) -> Finding | None:
    """A branch that would have the tensor's shape once it is expanded."""
    try:
        wide = [replace(e, answer=np.broadcast_to(e.answer, e.reference.shape)) for e in evidence]
    except ValueError:
        return None
    told = _agreed(_branches(known, lines), wide)
    return told and told.under(Code.NOT_EXPANDED, f"{told.text}, not expanded to the tensor's shape")


def _told(
    item: Gradient,
    known: Known,
    evidence: Sequence[Evidence],
    lines: Mapping[str, Line],
) -> Finding | None:
    code = _forward(item.cut, lines)
    first: Finding | None = None
    for explain in (
        relations.zero,
        relations.ones(item, lines),
        relations.sign,
        _branches(known, lines),
        relations.passed_through(item, lines, whole=True),
        factors.hard_coded,
        factors.twice_or_half,
        _mistakes(known, code),
        relations.transposed,
        relations.unsummed,
        relations.summed,
        factors.factor(code),
        factors.constant(code),
        relations.another_factor(item),
        relations.local_gradient(item, lines),
        _local_of_a_branch(item, known, lines),
        relations.passed_through(item, lines, whole=False),
        relations.another_gradient(item),
        relations.added,
        positions.order,
        _mistakes(known, code, twice=True),
        positions.ends,
        positions.masks,
        positions.cells,
        positions.rows,
    ):
        told = _agreed(explain, evidence)
        if told is not None and first is None:
            first = replace(told, on=tuple(e.fixture for e in evidence))
        elif told is not None and first is not None and told.code is not first.code:
            return replace(first, nearest=told.code)
    return first


def _forward(cut: Sequence[str], lines: Mapping[str, Line]) -> str:
    """The code of the forward lines that an answer comes back through."""
    return "\n".join(lines[t].code for t in cut or ["loss"] if t in lines)


def _agreed(explain: Explain, evidence: Sequence[Evidence]) -> Finding | None:
    """The first explanation that every piece of the evidence gives; of mere rounding, only that it is."""
    if explain is not relations.zero and all(
        np.abs(e.answer).max(initial=0) <= 10 * e.noise for e in evidence
    ):
        return None
    found = list(explain(evidence[-1]))  # the smallest, which most explanations don't outlive
    for e in reversed(evidence[:-1]):
        if not found:
            return None
        here = set(explain(e))
        found = [told for told in found if told in here]
    return next(iter(found), None)


def _near(a: Sequence[float] | Array, b: Sequence[float] | Array, limit: float) -> bool:
    return bool((np.abs(np.asarray(a) - np.asarray(b)) <= limit).all())


def _limit(e: Evidence) -> float:
    """How far a fingerprint may be from the answer's to explain it. Where the answer is wrong, the right one
    must be far less near: else a slip that undoes another would explain what is almost right.
    """
    limit = CLOSE * float(np.linalg.norm(e.answer)) + e.noise * float(np.sqrt(e.reference.size))
    if e.answer.shape != e.reference.shape or relations.same(e, e.answer, e.reference):
        return limit
    return min(limit, max(map(abs, fingerprint(e.answer - e.reference))) / 4)


def _prints(known: Known, e: Evidence) -> dict[str, Array]:
    """Each branch's fingerprint on one fixture; empty unless there are several and the shape fits."""
    prints = {t: np.array(p[e.fixture]) for t, p in known.branches.items() if e.fixture in p}
    whole = len(prints) == len(known.branches) > 1 and e.answer.shape == e.reference.shape
    return prints if whole else {}


def _total(prints: Mapping[str, Array], names: Sequence[str]) -> Array:
    return np.asarray(np.sum([prints[t] for t in names], axis=0))


def _branches(known: Known, lines: Mapping[str, Line]) -> Explain:
    """One or more of several branches instead of the sum of all; or one with a wrong sign or factor."""

    def explain(e: Evidence) -> Iterator[Finding]:
        prints = _prints(known, e)
        own, limit = (fingerprint(e.answer), _limit(e)) if prints else ([], 0.0)
        for size in range(1, len(prints)):
            for kept in combinations(prints, size):
                left = [t for t in prints if t not in kept]
                names = listed(left)
                there_too, gone = _total(prints, kept), _total(prints, left)
                if _near(own, there_too, limit):
                    there = listed(kept)
                    tried = e.uses is not None and any("d" + t in e.uses for t in left)
                    nothing = ", or comes to nothing" if tried else ""
                    said = f"is left out{nothing}: only what comes through {there} is there"
                    yield Finding(Code.BRANCH_MISSING, f"the branch through {names} {said}")
                if _near(own, there_too - gone, limit):
                    yield Finding(Code.BRANCH_SIGN, f"the branch through {names} has the wrong sign")
                for name, value in factors.factors(e.sizes):
                    if _near(own, there_too + value * gone, limit):
                        why = factors.origin(name, _forward(left, lines))
                        joint = ": " if why else ""
                        said = f"is exactly {name} times what it should be{joint}{why}"
                        yield Finding(Code.BRANCH_FACTOR, f"what comes through {names} {said}")
                for found, ratio in factors.written(e):
                    if _near(own, there_too + ratio * gone, limit):
                        yield found

    return explain


def short_of(known: Known, e: Evidence) -> Finding | None:
    """The branches that are missing: an answer is what comes through the rest, and uses none of them."""
    prints = _prints(known, e)
    own, limit = (fingerprint(e.answer), _limit(e)) if prints else ([], 0.0)
    for size in range(1, len(prints)):
        for kept in combinations(prints, size):
            left = [t for t in prints if t not in kept]
            used = e.uses is not None and any("d" + t in e.uses for t in left)
            if not used and _near(own, _total(prints, kept), limit):
                said = f"the branch through {listed(left)} is left out"
                return Finding(Code.BRANCH_MISSING, said)
    return None


def _shape(mistake: Mapping[str, Any], e: Evidence) -> tuple[int, ...] | None:
    on = mistake["on"].get(e.fixture)
    return tuple(on["shape"]) if on else None


def spoken(mistake: Mapping[str, Any], read: Collection[str] = ()) -> Finding | None:
    """A mistake of the fixtures, which hold its sentence and no code.

    read: the parameters that the learner's function works with: what leaves one out is not said of it.
    None where nothing is left to say.
    """
    say = str(mistake["say"])
    if "any" in mistake:
        whole = (told for told, unread in mistake["any"] if not set(unread) & set(read))
        say = OR.join(dict.fromkeys(whole))
    if not say:
        return None
    return KEEPDIM if say == KEEPDIM.text else Finding(Code.KNOWN_MISTAKE, say)


def _said(mistake: Mapping[str, Any], e: Evidence) -> Finding | None:
    """What may be said of a mistake, by the names that the function uses; None where it can't be this one.

    The value alone tells less where nobody knows the names, or where what is missing is used after all.
    """
    found, claimed = spoken(mistake), frozenset(mistake.get("uses", ()))
    assert found, "a gradient's mistake has one sentence"
    as_if = Finding(Code.KNOWN_MISTAKE, f"{AS_IF}{found.text}")
    if e.uses is None:
        return as_if if claimed else found
    if not claimed <= e.uses:
        return None
    lacks = frozenset(mistake.get("lacks", ()))
    return as_if if lacks and lacks <= e.uses else found


def _mistakes(known: Known, code: str, twice: bool = False) -> Explain:
    """The mistakes whose value this is, the likeliest first. twice: a simple factor besides."""

    def explain(e: Evidence) -> Iterator[Finding]:
        alike = [m for m in known.mistakes if _shape(m, e) == e.answer.shape]
        if not alike:  # an answer may be large
            return
        own, limit = np.array(fingerprint(e.answer)), _limit(e)
        if twice and e.answer.shape != e.reference.shape:
            return
        scales = [f for f in factors.factors(e.sizes) if f[0] in ("n", "1/n")]
        for mistake in alike:
            if (found := _said(mistake, e)) is None:
                continue
            prints = np.array(mistake["on"][e.fixture]["prints"])
            if not twice and _near(own, prints, limit):
                yield found
            if twice and _near(own, -prints, limit):
                yield found.under(Code.TWO_SLIPS, f"two slips: the sign is wrong, and {found.text}")
            for name, value in scales if twice else ():
                if _near(own, value * prints, limit):
                    missing = factors.origin("n", code) or "it is n times too large"
                    slip = missing if name == "n" else "it is divided by n once too often"
                    yield found.under(Code.TWO_SLIPS, f"two slips: {slip}, and {found.text}")

    return explain


def _local_of_a_branch(item: Gradient, known: Known, lines: Mapping[str, Line]) -> Explain:
    """All branches but one are right, and in that one the upstream gradient meets a wrong factor."""

    def explain(e: Evidence) -> Iterator[Finding]:
        prints = _prints(known, e)
        own, limit = (np.array(fingerprint(e.answer)), _limit(e)) if prints else (None, 0.0)
        for t in prints:
            rest = _total(prints, [o for o in prints if o != t])
            for name, value in relations.products(item, lines[t], e):
                if value.shape == e.answer.shape and _near(own - rest, fingerprint(value), limit):
                    yield Finding(Code.LOCAL_GRADIENT, f"in the branch through {t} {name}")

    return explain


MANY = 4  # elements below which a relation between two arrays may be coincidence


def related(item: Gradient, e: Evidence, lines: Mapping[str, Line]) -> Finding | None:
    """What explains an answer by one set of numbers alone; None where that could be coincidence.

    For a notebook, where there is no second fixture: relations that single out every element, of an
    answer with enough different ones. A factor that several sizes share is told as a number.
    """
    if (told := next(relations.zero(e), None)) is not None:
        return told
    if e.answer.size < MANY:
        return None
    for explain in (
        relations.sign,
        relations.passed_through(item, lines, whole=True),
        relations.transposed,
        relations.passed_through(item, lines, whole=False),
    ):
        if (told := next(explain(e), None)) is not None:
            return told
    code = _forward(item.cut, lines)
    named, c = list(factors.factor(code)(e)), factors.ratio(e)
    if len(named) == 1:
        return named[0]
    for k, word in ((c or 0.0, "{} times"), (1 / c if c else 0.0, "1/{} of")):
        if abs(k) > 1.5 and abs(k / round(k) - 1) < 1e-4:
            return Finding(Code.FACTOR, f"exactly {word.format(round(k))} what it should be")
    return next(relations.another_gradient(item)(e), None)
