"""What a grade is made of: verdicts, checks, reports. Frozen data, no behaviour but their own sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.core.finding import Code, Finding

# What approximate means, as judging/compare.py has it.
RULE = (
    "maxdiff <= 1e-5 * largest reference element + 2e-6 * size of the answer without cancellation, "
    "and not all zero where the reference is more than the second part"
)


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
class Worst:
    """Where an answer is farthest from its reference, both in few digits; how many of how many differ."""

    at: tuple[int, ...]
    came: str
    wanted: str
    differ: int
    of: int

    def told(self, wants: str) -> str:
        """In one phrase; wants: how it introduces the reference's number."""
        many = f"{self.differ} of {self.of} elements differ"
        return f"at {list(self.at)} yours {self.came}, {wants} {self.wanted}; {many}"


@dataclass(frozen=True)
class Check:
    """One answer held against one reference.

    maxdiff: largest absolute difference; relative: maxdiff over the largest reference element;
    tolerance: the largest maxdiff that passes. All None where there was nothing to compare.
    allclose: what torch.allclose(answer, reference) with its defaults says.
    finding: why it fails, else None; NOT_JUDGED in a notebook whose numbers can't tell that it passes.
    note: something to tell although it doesn't fail.
    shape: of the answer. call: what was called of an output that fails, as it is written; came, wanted: what
    it gave and what it was to give, both cut around the first difference. worst: of a wrong tensor.
    """

    verdict: Verdict
    finding: Finding | None = None
    note: str = ""
    shape: tuple[int, ...] | None = None
    exact: bool = False
    approx: bool = False
    allclose: bool = False
    maxdiff: float | None = None
    relative: float | None = None
    tolerance: float | None = None
    call: str = ""
    came: str = ""
    wanted: str = ""
    worst: Worst | None = None

    @property
    def code(self) -> Code | None:
        return self.finding.code if self.finding else None

    @property
    def reason(self) -> str:
        """The finding in words; empty where there is nothing to say."""
        return self.finding.text if self.finding else ""

    def says(self, code: Code) -> bool:
        return self.finding is not None and self.finding.says(code)


@dataclass(frozen=True)
class Marks:
    """Points by a policy: those earned, of those that can be. In hundredths, so that they add up exactly."""

    earned: int
    of: int


Points = int | float  # an integer where it is one, else with at most two decimals


def shared(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole parts as the weights are, which add up to it: the largest remainders get one more."""
    every = sum(weights)
    if not every:
        return [0] * len(weights)
    parts = [total * weight // every for weight in weights]
    order: Callable[[int], int] = lambda i: -(total * weights[i] % every)  # noqa: E731
    for i in sorted(range(len(weights)), key=order)[: total - sum(parts)]:
        parts[i] += 1
    return parts


def points(hundredths: int) -> Points:
    return hundredths / 100 if hundredths % 100 else hundredths // 100


@dataclass(frozen=True)
class Excerpt:
    """Two lines of a submission with their numbers, in their cell where there are cells, the last at fault;
    start, end: which columns of it, none where both are 0."""

    lines: tuple[tuple[int, str], ...]
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class ItemReport:
    """An item's verdict over all fixtures; the numbers are those of the lecture fixture."""

    id: str
    shape: tuple[int, ...]
    check: Check
    fixture: str
    line: int | None = None
    mistake: Finding | None = None  # that explains the answer
    checks: Mapping[str, Check] | None = None
    cell: int | None = None  # of a notebook, from 1; `line` is in it
    count: int | None = None  # what Jupyter shows beside that cell, where it has run
    marks: Marks | None = None  # by a policy; without one an item is a point
    kind: str = ""  # of plain data, which has no shape: dict, list, int
    excerpt: Excerpt | None = None  # of what fails

    @property
    def general(self) -> bool | None:
        """Whether it is right on every fixture; None where there are no others than the lecture's."""
        if self.verdict is Verdict.NOT_WRITTEN or len(self.checks or ()) < 2:
            return None
        return all(check.verdict.passed for check in (self.checks or {}).values())

    @property
    def verdict(self) -> Verdict:
        return self.check.verdict

    @property
    def diagnosis(self) -> str | None:
        """The mistake in words."""
        return self.mistake.text if self.mistake else None

    @property
    def passed(self) -> bool:
        return self.verdict.passed

    @property
    def score(self) -> Points:
        return points(self.marks.earned) if self.marks else int(self.passed)

    @property
    def max_score(self) -> Points:
        return points(self.marks.of) if self.marks else 1

    @property
    def place(self) -> str:
        return place(self.cell, self.line, self.count)


def place(cell: int | None, line: int | None, count: int | None = None) -> str:
    """Where in a submission: "line 3", "cell [7], line 3" as Jupyter counts, or nothing; of a notebook that
    has not run, "cell 12, line 3" from its top."""
    if not line:
        return ""
    return f"cell {f'[{count}]' if count else cell}, line {line}" if cell else f"line {line}"


@dataclass(frozen=True)
class ExerciseReport:
    """All graded items of one exercise, in backward order."""

    id: str
    title: str
    items: tuple[ItemReport, ...]
    nameless: tuple[str, ...] = ()  # items that passed, though the file defines no function of the name
    unparsed: str = ""  # what of the submission Python can't read: "line 3 is not Python (…)"
    file: str = ""  # as it is shown
    marks: Marks | None = None  # by a policy, after its deductions
    deductions: tuple[str, ...] = ()  # in words
    names: frozenset[str] = frozenset()  # that keep their letters where a sentence begins with one

    @property
    def right(self) -> int:
        """How many items passed."""
        return sum(item.passed for item in self.items)

    @property
    def score(self) -> Points:
        return points(self.marks.earned) if self.marks else self.right

    @property
    def max_score(self) -> Points:
        return points(self.marks.of) if self.marks else len(self.items)

    @property
    def parts(self) -> list[int]:
        """What each item contributes after the deductions, in hundredths: they add up to the score.

        For the formats that have nothing but items' points, which they add up themselves.
        """
        if self.marks is None:
            return [100 * item.passed for item in self.items]
        return shared(self.marks.earned, [item.marks.earned for item in self.items if item.marks])


@dataclass(frozen=True)
class Report:
    """What one submission earned. `output` is what it printed, made harmless; `notes` are for people.

    news: what is different from the check before, in words. ahead: what to do where nothing is left to mend.
    """

    submission: str
    exercises: tuple[ExerciseReport, ...]
    output: str = ""
    notes: tuple[str, ...] = ()
    news: str = ""
    ahead: str = ""

    @property
    def items(self) -> tuple[ItemReport, ...]:
        return tuple(item for exercise in self.exercises for item in exercise.items)

    @property
    def right(self) -> int:
        """How many items passed."""
        return sum(exercise.right for exercise in self.exercises)

    @property
    def marked(self) -> bool:
        """Whether a policy says what the items are worth."""
        return any(exercise.marks for exercise in self.exercises)

    @property
    def score(self) -> Points:
        """By the policy; without one, the number of items that passed."""
        return points(sum(e.marks.earned for e in self.exercises if e.marks)) if self.marked else self.right

    @property
    def max_score(self) -> Points:
        marks = [e.marks for e in self.exercises if e.marks]
        return points(sum(m.of for m in marks)) if marks else len(self.items)

    @property
    def passed(self) -> bool:
        """Whether every item passed, whatever it is worth."""
        return self.right == len(self.items)
