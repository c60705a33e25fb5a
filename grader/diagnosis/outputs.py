"""What a wrong output has to do with the right one, by values alone: reversed, a factor. Pure.

Whatever is said holds on all calls, those that are right included, and changes two of them at least.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from grader.core.finding import Code, Finding
from grader.core.plain import Tensor, rebuilt
from grader.diagnosis.relations import CLOSE, Array

Pair = tuple[Any, Any]  # what came, and what was wanted
Slots = dict[str, list[Pair]]

RAISED = (  # by a part of an exception's text
    ("index out of range", "an index goes past the end"),
    (
        "'NoneType' object is not callable",
        "what is called is None: a function was called where it is to be stored",
    ),
    (
        "() iterable argument is empty",
        "the smallest or largest of nothing is asked for: an empty case is missing",
    ),
    ("KeyError", "a key is looked up that is not there"),
    ("division by zero", "a division by 0: a case of no entries is missing, or a denominator is wrong"),
    ("must be tuple, not", "a tuple is joined with what is none"),
    ("can only concatenate", "things of two kinds are joined"),
    ("maximum recursion depth", "it calls itself without end"),
    ("object is not iterable", "one thing is gone through as if it were several"),
    ("object is not subscriptable", "one thing is indexed as if it were several"),
    ("unhashable type", "a list stands where a tuple is needed, as a key or in a set"),
)

LARGE = 1 << 1000  # of an integer that is a number here: a larger one is no float
SMALL = 4  # entries of a tuple that have a name each: its place


def related(pairs: Sequence[Pair]) -> Finding | None:
    """What explains the answers to several calls; None where nothing simple does."""
    pairs = [(_plain(a), _plain(w)) for a, w in pairs]
    wrong = [p for p in pairs if not _same(*p)]
    if len(wrong) < 2:
        return None
    if found := _told(pairs):
        return found
    slots = _slots(pairs)
    told = {name: _told(some) for name, some in slots.items() if not all(_same(*p) for p in some)}
    if not told or any(f is None or f.code is Code.HARD_CODED for f in told.values()):
        return None
    first = next(iter(told.values()))
    assert first
    if len({f.text for f in told.values() if f}) == 1 and len(told) == len(slots):
        return first
    text = "; ".join(f"{name}: {f.text}" for name, f in told.items() if f)
    return Finding(first.code, text) if len(told) <= 2 else None


def raises(message: str) -> Finding | None:
    """What an exception says of a function, in words. message: its type and text, and the call."""
    text, _, call = message.partition("; of ")
    for pattern, told in RAISED:
        if pattern in text:
            return Finding(Code.KNOWN_MISTAKE, told + (f", in {call}" if call else ""))
    return None


def _slots(pairs: Sequence[Pair]) -> Slots:
    """The parts of results that are all of one form, by name: entries of a short tuple, values of texts."""
    found: Slots = {}
    for a, w in pairs:
        if type(w) is dict and type(a) is dict and a.keys() == w.keys() and all(type(k) is str for k in w):
            parts = {k: (a[k], w[k]) for k in w}
        elif type(a) is type(w) is list and len(a) == len(w) <= SMALL:
            names = ("the first", "the second", "the third", "the fourth")
            parts = {names[k]: p for k, p in enumerate(zip(a, w, strict=True))}
        else:
            return {}
        if found and found.keys() != parts.keys():
            return {}
        for name, pair in parts.items():
            found.setdefault(name, []).append(pair)
    return found


def _told(pairs: Sequence[Pair]) -> Finding | None:
    wrong = [p for p in pairs if not _same(*p)]
    if len(wrong) < 2:
        return None
    return next(_whole(pairs, wrong), None)


def _whole(pairs: Sequence[Pair], wrong: Sequence[Pair]) -> Iterator[Finding]:
    if len({repr(w) for _, w in wrong}) > 1:  # else two calls are as good as one
        numbers = [x for a, _ in wrong for x in _all(a)]
        for code, text, change in CHANGES if any(numbers) or not numbers else ():  # much is true of zeros
            if all(_is(a, w, change) for a, w in pairs):
                yield Finding(code, text)
        if len(wrong) == len(pairs) > 2 and all(_same(a, wrong[0][0]) for a, _ in wrong):
            yield Finding(Code.HARD_CODED, "every call gives the same, whatever its arguments are")
        yield from _numbers(pairs, wrong)
        yield from _entries(wrong)


def _is(a: Any, w: Any, change: Callable[[Any], Any]) -> bool:
    try:
        with np.errstate(all="ignore"):
            return _same(a, change(w))
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return False


def _listed(w: Any) -> Any:
    if type(w) not in (list, str, bytes):
        raise TypeError
    return w


def _text(w: Any) -> str:
    if type(w) is not str:
        raise TypeError
    return w


def _matrix(w: Any) -> Array:
    if not isinstance(w, np.ndarray) or w.ndim < 2:
        raise TypeError
    return w


def _each(change: Callable[[float], float]) -> Callable[[Any], Any]:
    """The change of every number."""

    def all_(w: Any) -> Any:
        def one(x: Any) -> Any:
            if isinstance(x, np.ndarray):
                return np.vectorize(change)(x) if x.size else x
            return change(x) if type(x) in (int, float) else x

        return rebuilt(w, one)

    return all_


CHANGES: Sequence[tuple[Code, str, Callable[[Any], Any]]] = (
    (Code.REORDERED, "it is the wrong way round", lambda w: _listed(w)[::-1]),
    (Code.REORDERED, "it is sorted, which is not wanted", lambda w: sorted(_listed(w))),
    (Code.REORDERED, "the first two are exchanged", lambda w: [w[1], w[0], *_listed(w)[2:]]),
    (Code.REORDERED, "it begins too late: the first stands last", lambda w: w[1:] + _listed(w)[:1]),
    (Code.REORDERED, "it begins too early: the last stands first", lambda w: w[-1:] + _listed(w[:-1])),
    (Code.REORDERED, "keys and values are exchanged", lambda w: {v: k for k, v in w.items()}),
    (Code.TRANSPOSED, "it is transposed", lambda w: _matrix(w).swapaxes(-1, -2)),
    (Code.REORDERED, "the first axis is the wrong way round", lambda w: _matrix(w)[::-1]),
    (Code.REORDERED, "the last axis is the wrong way round", lambda w: _matrix(w)[..., ::-1]),
    (Code.PLACES_MISSING, "the first entry is missing", lambda w: _listed(w)[1:]),
    (Code.PLACES_MISSING, "the last entry is missing", lambda w: _listed(w)[:-1]),
    (Code.PLACES_MISSING, "the first and the last entry are missing", lambda w: _listed(w)[1:-1]),
    (Code.WRONG_PART, "only the first entry is there", lambda w: _listed(w)[:1]),
    (Code.WRONG_PART, "only the last entry is there", lambda w: _listed(w)[-1:]),
    (Code.WRONG_PART, "this is the first entry alone, not the whole", lambda w: _listed(w)[0]),
    (Code.WRONG_PART, "this is the last entry alone, not the whole", lambda w: _listed(w)[-1]),
    (Code.WRONG_PART, "every second entry is missing", lambda w: _listed(w)[::2]),
    (Code.PLACES_MISSING, "each entry comes once, and not again", lambda w: list(dict.fromkeys(w))),
    (Code.PLACES_MISSING, "empty entries are missing", lambda w: [x for x in _listed(w) if x]),
    (Code.SUMMED, "this is the sum of the entries", lambda w: sum(_listed(w))),
    (Code.WRONG_PART, "this is how many entries there are", lambda w: len(w)),
    (Code.WRONG_TYPE, "the entries are right: a list of them is wanted, not one text", lambda w: "".join(w)),
    (Code.WRONG_TYPE, "the text is cut up: one piece is wanted", lambda w: list(_text(w))),
    (Code.WRONG_TYPE, "these are texts where numbers are wanted", lambda w: rebuilt(w, str)),
    (Code.ANOTHER_FUNCTION, "small letters stand for large ones", lambda w: rebuilt(w, str.lower)),
    (Code.ANOTHER_FUNCTION, "white space at the ends is missing", lambda w: rebuilt(w, str.strip)),
    (Code.SIGN, "the sign is wrong", _each(lambda x: -x)),
    (Code.SIGN, "the absolute value is taken", _each(abs)),
    (Code.CONSTANT, "each number is 1 too high", _each(lambda x: x + 1)),
    (Code.CONSTANT, "each number is 1 too low", _each(lambda x: x - 1)),
    (Code.EXPONENT, "each number is the square of what it should be", _each(lambda x: x * x)),
    (Code.EXPONENT, "each number is the root of what it should be", _each(lambda x: math.sqrt(x))),
    (Code.OPERATOR, "each number is one over what it should be", _each(lambda x: 1 / x)),
    (Code.EXTRA_STEP, "each number is the logarithm of what it should be", _each(lambda x: math.log(x))),
    (Code.EXTRA_STEP, "each number is the exponential of what it should be", _each(lambda x: math.exp(x))),
    (Code.OPERATOR, "the numbers are cut to whole ones", _each(lambda x: float(int(x)))),
    (Code.EXTRA_STEP, "each number is rounded, to a whole one", _each(lambda x: float(round(x)))),
    (Code.EXTRA_STEP, "each number is rounded, to two places", _each(lambda x: round(x, 2))),
    (Code.EXTRA_STEP, "each number is rounded, to four places", _each(lambda x: round(x, 4))),
    (Code.OPERATOR, "each number is one minus what it should be", _each(lambda x: 1 - x)),
)  # fmt: skip


def _numbers(pairs: Sequence[Pair], wrong: Sequence[Pair]) -> Iterator[Finding]:
    """One factor, or one number more, for all numbers of all calls."""
    if not all(_form(a) == _form(w) for a, w in pairs):
        return
    came, wanted = (np.array([x for p in pairs for x in _all(p[k])], np.float64) for k in (0, 1))
    if len(came) < 2 or not (np.isfinite(came).all() and np.isfinite(wanted).all()) or not wanted.any():
        return
    at = int(np.abs(wanted).argmax())
    factor, off = float(came[at] / wanted[at]), float(came[at] - wanted[at])
    if factor and all(_is(a, w, _each(lambda x: factor * x)) for a, w in pairs):
        yield Finding(Code.FACTOR, f"each number is {factor:.5g} times what it should be{_known(factor)}")
    if off and all(_is(a, w, _each(lambda x: x + off)) for a, w in pairs) and len(set(wanted.tolist())) > 1:
        yield Finding(Code.CONSTANT, f"each number is {abs(off):.5g} too {'high' if off > 0 else 'low'}")


def _known(factor: float) -> str:
    for value, text in (
        (1 / math.log(2), "that between a logarithm of base 2 and the natural one"),
        (1 / math.log(10), "that between a logarithm of base 10 and the natural one"),
        (math.log(2), "that between the natural logarithm and one of base 2"),
        (100.0, "as in percent"),
    ):
        if math.isclose(factor, value, rel_tol=1e-4):
            return f", {text}"
    return ""


def _entries(wrong: Sequence[Pair]) -> Iterator[Finding]:
    """The right entries, but in another order, not all of them, or others besides."""
    if all(type(a) is type(w) is dict for a, w in wrong):
        if all(_within(a, w) for a, w in wrong):
            yield Finding(Code.PLACES_MISSING, "what is there is right, but keys are missing")
        if all(_within(w, a) for a, w in wrong):
            yield Finding(Code.EXTRA_STEP, "all that is wanted is there, and keys besides that are not")
        return
    if not all(type(a) is type(w) in (list, str, bytes) for a, w in wrong):
        return
    try:
        counts = [(Counter(map(repr, a)), Counter(map(repr, w))) for a, w in wrong]
    except RecursionError:
        return
    if max(len(w) for _, w in wrong) < 3:
        return
    entries = "characters" if type(wrong[0][1]) is str else "entries"
    if all(a == w for a, w in counts):
        yield Finding(Code.REORDERED, f"the right {entries} are there, in another order")
    elif all(a and a <= w and 2 * a.total() >= w.total() for a, w in counts):
        yield Finding(Code.PLACES_MISSING, f"what is there is wanted, but {entries} are missing")
    elif all(w and w <= a and a.total() <= 2 * w.total() for a, w in counts):
        yield Finding(Code.EXTRA_STEP, f"all that is wanted is there, and {entries} besides that are not")


def _within(part: dict[Any, Any], whole: dict[Any, Any]) -> bool:
    return 0 < len(part) < len(whole) and all(k in whole and _same(v, whole[k]) for k, v in part.items())


def _plain(value: Any) -> Any:
    """The same with arrays for tensors and lists for tuples."""
    if type(value) is Tensor:
        sent = np.float32 if value.dtype == "float32" else np.float64
        found = np.frombuffer(value.data, np.dtype(sent).newbyteorder("<")).reshape(value.shape)
        return found.astype(np.float64)
    if type(value) in (list, tuple):
        return [_plain(one) for one in value]
    if type(value) is dict:
        return {k: _plain(v) for k, v in value.items()}
    if type(value) is int and abs(value) > LARGE:
        return hex(value)
    return value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape:
            return False
        finite = b[np.isfinite(b)]
        scale = float(np.abs(finite).max()) if finite.size else 0.0
        return bool(np.allclose(a, b, CLOSE, CLOSE * scale, equal_nan=True))
    if type(a) in (int, float) and type(b) in (int, float):
        return a == b or (float in (type(a), type(b)) and math.isclose(a, b, rel_tol=CLOSE))
    if type(a) is not type(b):
        return False
    if type(a) is list:
        return len(a) == len(b) and all(map(_same, a, b))
    if type(a) is dict:
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return bool(a == b)


def _form(value: Any) -> str:
    """What a value is without its numbers."""

    def blank(one: Any) -> Any:
        if isinstance(one, np.ndarray):
            return one.shape
        return 0 if type(one) in (int, float) else one

    return repr(rebuilt(value, blank))


def _all(value: Any) -> Iterator[float]:
    if isinstance(value, np.ndarray):
        yield from value.ravel().tolist()
    elif type(value) in (int, float):
        yield float(value)
    elif type(value) is list:
        for one in value:
            yield from _all(one)
    elif type(value) is dict:
        for one in value.values():
            yield from _all(one)
