"""What a grade is made of: verdicts, checks, reports. Frozen data, no behaviour but their own sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """All that can be said of an item. Closed: a renderer or a CI recipe may list them."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    WRONG = "wrong"
    WRONG_SHAPE = "wrong-shape"
    WRONG_DTYPE = "wrong-dtype"
    NOT_FINITE = "not-finite"
    NOT_A_TENSOR = "not-a-tensor"
    ERROR = "error"
    NOT_WRITTEN = "not-written"
    REFUSED = "refused"
    OVER_LIMIT = "over-limit"

    @property
    def passed(self) -> bool:
        return self in (Verdict.EXACT, Verdict.APPROXIMATE)


@dataclass(frozen=True)
class Check:
    """One answer held against one reference.

    maxdiff: largest absolute difference; relative: maxdiff over the largest reference element;
    tolerance: the largest maxdiff that passes. All None where there was nothing to compare.
    allclose: what torch.allclose(answer, reference) with its defaults says.
    note: something to tell although it doesn't fail. shape: of the answer.
    """

    verdict: Verdict
    reason: str = ""
    note: str = ""
    shape: tuple[int, ...] | None = None
    exact: bool = False
    approx: bool = False
    allclose: bool = False
    maxdiff: float | None = None
    relative: float | None = None
    tolerance: float | None = None


@dataclass(frozen=True)
class ItemReport:
    """An item's verdict over all fixtures; the numbers are those of the lecture fixture."""

    id: str
    shape: tuple[int, ...]
    check: Check
    fixture: str
    line: int | None = None
    diagnosis: str | None = None
    checks: Mapping[str, Check] | None = None
    cell: int | None = None  # of a notebook, from 1; `line` is in it

    @property
    def verdict(self) -> Verdict:
        return self.check.verdict

    @property
    def passed(self) -> bool:
        return self.verdict.passed

    @property
    def place(self) -> str:
        return place(self.cell, self.line)


def place(cell: int | None, line: int | None) -> str:
    """Where in a submission: "line 3", "cell 12, line 3", or nothing."""
    if not line:
        return ""
    return f"cell {cell}, line {line}" if cell else f"line {line}"


@dataclass(frozen=True)
class ExerciseReport:
    """All graded items of one exercise, in backward order."""

    id: str
    title: str
    items: tuple[ItemReport, ...]
    unparsed: str = ""  # what of the submission Python can't read: "line 3 is not Python (…)"

    @property
    def score(self) -> int:
        return sum(item.passed for item in self.items)


@dataclass(frozen=True)
class Report:
    """What one submission earned. `output` is what it printed, made harmless; `notes` are for people."""

    submission: str
    exercises: tuple[ExerciseReport, ...]
    output: str = ""
    notes: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[ItemReport, ...]:
        return tuple(item for exercise in self.exercises for item in exercise.items)

    @property
    def score(self) -> int:
        return sum(item.passed for item in self.items)

    @property
    def max_score(self) -> int:
        return len(self.items)

    @property
    def passed(self) -> bool:
        return self.score == self.max_score
