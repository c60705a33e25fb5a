"""A policy: what items are worth, and what takes points away. One small TOML file, read and verified. Pure.

Points are kept in hundredths, as integers: whatever adds them up gets the same sum.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from grader.core.verdict import shared

MOST = 1_000_000  # points


@dataclass(frozen=True)
class Late:
    """per_day, flat, maximum: shares of what was earned. grace, buffer: after the deadline.

    marked: days that a platform's mark of being late counts as, where nothing tells a time.
    """

    deadline: datetime | None
    per_day: Fraction
    maximum: Fraction
    flat: Fraction = Fraction(0)
    grace: timedelta = timedelta(0)
    buffer: timedelta = timedelta(0)
    marked: int = 0


@dataclass(frozen=True)
class Attempts:
    best: bool
    most: int | None


@dataclass(frozen=True)
class Policy:
    """worth: every item's points, in hundredths. required: items. cap, approximate: shares."""

    name: str  # of the file
    worth: Mapping[str, int]
    required: frozenset[str] = frozenset()
    cap: Fraction = Fraction(0)
    approximate: Fraction = Fraction(1)
    late: Late | None = None
    attempts: Attempts | None = None
    absent: bool = False  # whether who is on the roster and hands in nothing gets 0

    @property
    def whole(self) -> bool:
        """Whether every score by this policy is a whole number of points."""
        fractions = self.late or self.approximate % 1 or (self.required and self.cap % 1)
        return not fractions and all(worth % 100 == 0 for worth in self.worth.values())


Known = Mapping[str, Sequence[str]]  # exercises in the suite's order, each with its items


def parse(text: str, name: str, known: Known) -> tuple[Policy, list[str]]:
    """The policy in `text`, and all that is wrong with it, a line each; with any, it is not to be used."""
    read = _Reader(name)
    try:
        table = tomllib.loads(text, parse_float=_decimal)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        hint = ': an item\'s name goes in quotes, "ex1.dprobs" = 2' if "overwrite" in str(error) else ""
        return Policy(name, {}), [f"{name} is no TOML: {' '.join(str(error).split())}{hint}"]
    read.keys(table, "", ("approximate", "points", "required", "late", "attempts", "absent"))
    approximate = read.share(table, "", "approximate", 1)
    worth = _worth(read, read.table(table, "points"), known)
    needed = read.table(table, "required")
    read.keys(needed, "required", ("items", "cap"))
    policy = Policy(
        name,
        worth,
        _required(read, needed, known),
        read.share(needed, "required", "cap", 0),
        approximate,
        _late(read, read.table(table, "late")) if "late" in table else None,
        _attempts(read, read.table(table, "attempts")) if "attempts" in table else None,
        _absent(read, table.get("absent", "blank")),
    )
    return policy, read.wrong


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > 20:
        raise ValueError(f"{text} is not a number that a policy can have")
    return number


@dataclass
class _Reader:
    """Reads a parsed file's tables, and collects what is wrong."""

    name: str
    wrong: list[str] = field(default_factory=list)

    def no(self, key: str, why: str) -> None:
        self.wrong.append(f"{self.name}: {key.lstrip('.')}: {why}")

    def table(self, within: Mapping[str, Any], key: str) -> dict[str, Any]:
        found = within.get(key, {})
        if isinstance(found, dict):
            return found
        self.no(key, f"is a table: begin a line [{key}]")
        return {}

    def keys(self, table: Mapping[str, Any], where: str, allowed: Sequence[str]) -> None:
        for key in table:
            if key not in allowed:
                place = f"[{where}]" if where else "a policy"
                self.no(f"{where}.{key}", f"{place} has {', '.join(allowed)}{close(key, allowed)}")

    def share(self, table: Mapping[str, Any], where: str, key: str, otherwise: int) -> Fraction:
        """A number from 0 to 1."""
        value = table.get(key, otherwise)
        if _number(value) and 0 <= value <= 1:
            return Fraction(value)
        self.no(f"{where}.{key}", f"{_shown(value)} is no share: write a number from 0 to 1")
        return Fraction(otherwise)

    def count(self, table: Mapping[str, Any], where: str, key: str) -> int:
        """A whole number, 0 where it is not there."""
        value = table.get(key, 0)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST:
            return value
        self.no(f"{where}.{key}", f"{_shown(value)}: write an integer from 0 up")
        return 0

    def points(self, key: str, value: Any) -> int:
        """In hundredths."""
        if not _number(value) or not 0 <= value <= MOST:
            self.no(key, f"{_shown(value)} are no points: write a number from 0 to {MOST}")
        elif Fraction(value) * 100 % 1:
            self.no(key, f"{_shown(value)}: points have at most two decimals")
        else:
            return int(Fraction(value) * 100)
        return 0


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if _number(value) else repr(value)[:60]


def close(word: str, names: Sequence[str]) -> str:
    found = difflib.get_close_matches(word, names, 1, 0.6)
    return f" (did you mean {found[0]}?)" if found else ""


def _worth(read: _Reader, table: Mapping[str, Any], known: Known) -> dict[str, int]:
    """Each item's points: its own, or its part of its exercise's, or the default."""
    flat: dict[str, Any] = {}
    for key, value in _flat(table, ""):
        if key in flat:
            read.no(f"points.{key}", "is there twice: keep one of them")
        flat[key] = value
    default = read.points("points.default", flat.pop("default", 1))
    given = {key: read.points(f"points.{key}", value) for key, value in flat.items()}
    _verify(read, "points", list(given), known)
    worth: dict[str, int] = {}
    for exercise, items in known.items():
        own = {item: given[i] for item in items if (i := f"{exercise}.{item}") in given}
        rest = [item for item in items if item not in own]
        if exercise in given:
            left = given[exercise] - sum(own.values())
            if left < 0 or (left and not rest):
                more = " or more" if rest else ""
                total = Fraction(sum(own.values()), 100)
                read.no(f"points.{exercise}", f"its items have {float(total):g} of them: make it that{more}")
            own |= dict(zip(rest, shared(max(left, 0), [1] * len(rest)), strict=True))
        worth |= {f"{exercise}.{item}": own.get(item, default) for item in items}
    return worth


def _flat(table: Mapping[str, Any], before: str) -> list[tuple[str, Any]]:
    """TOML reads `gpt.ex1 = 3` as a table in a table."""
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        pairs += _flat(value, f"{before}{key}.") if isinstance(value, dict) else [(before + key, value)]
    return pairs


def _verify(read: _Reader, where: str, names: Sequence[str], known: Known) -> None:
    """Say of each name that is neither an exercise nor an item what may be meant."""
    for name in names:
        exercise, _, item = name.rpartition(".")
        if name in known or item in known.get(exercise, ()):
            continue
        if exercise in known:
            meant = close(item, known[exercise])
            why = f"{exercise} has no item {item}{meant}; `grader list {exercise}` has all"
        else:
            every = [*known, *(f"{e}.{i}" for e, items in known.items() for i in items)]
            why = f"no exercise or item is called so{close(name, every)}; `grader list` has all"
        read.no(f"{where}.{name}", why)


def _required(read: _Reader, table: Mapping[str, Any], known: Known) -> frozenset[str]:
    names = table.get("items", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        read.no("required.items", 'is a list of names: ["ex1.dlogits", "ex2"]')
        return frozenset()
    _verify(read, "required.items", names, known)
    wholes = {name: [f"{name}.{item}" for item in items] for name, items in known.items()}
    return frozenset(item for name in names for item in wholes.get(name, [name]))


def _late(read: _Reader, table: Mapping[str, Any]) -> Late:
    minutes = ("grace_minutes", "buffer_minutes")
    read.keys(table, "late", ("deadline", "per_day", "flat", "maximum", *minutes, "mark_days"))
    if "per_day" not in table and "flat" not in table:
        read.no("late.per_day", "is missing: the share that a day takes, such as 0.1 (or flat, taken once)")
    deadline = None
    try:
        deadline = moment(table["deadline"]) if "deadline" in table else None
    except ValueError as error:
        read.no("late.deadline", str(error))
    maximum = read.share(table, "late", "maximum", 1)
    grace, buffer = (timedelta(minutes=read.count(table, "late", key)) for key in minutes)
    shares = read.share(table, "late", "per_day", 0), maximum, read.share(table, "late", "flat", 0)
    return Late(deadline, *shares, grace, buffer, read.count(table, "late", "mark_days"))


def _absent(read: _Reader, value: Any) -> bool:
    if value not in (0, "blank") or isinstance(value, bool):
        read.no("absent", f'{_shown(value)}: write 0 or "blank"')
    return bool(value == 0)


def _attempts(read: _Reader, table: Mapping[str, Any]) -> Attempts:
    read.keys(table, "attempts", ("counts", "most"))
    counts, most = table.get("counts", "last"), table.get("most")
    if counts not in ("last", "best"):
        read.no("attempts.counts", f'{_shown(counts)}: write "last" or "best"')
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        read.no("attempts.most", f"{_shown(most)}: write an integer from 1 up, or leave it out")
        most = None
    return Attempts(counts == "best", most)


def moment(value: Any) -> datetime:
    """A time in ISO 8601 with its offset from UTC. ValueError, which follows the time's name."""
    example = "write it as 2026-12-01T23:59:00+01:00"
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value[:40]!r} is no time: {example}") from None
    if not isinstance(value, datetime):
        raise ValueError(f"{_shown(value)} is no time: {example}")
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no offset from UTC: {example}")
    return value
