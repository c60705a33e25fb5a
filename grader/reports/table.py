"""What both tables say, in words: the cells of a row, the summary, and what to do next. Pure."""

from __future__ import annotations

from grader.core.finding import Code
from grader.core.text import times
from grader.core.verdict import RULE, ExerciseReport, ItemReport, Report, Verdict

HEADINGS = ("item", "shape", "exact", "approx", "maxdiff", "relative", "verdict")
RIGHT = (4, 5, 6)  # columns of numbers, where they aren't the last


def headings(report: Report) -> tuple[str, ...]:
    return (*HEADINGS[:-1], "points", HEADINGS[-1]) if report.marked else HEADINGS


def row(item: ItemReport) -> tuple[str, ...]:
    """One item's cells. Numbers and flags stay empty where there was nothing to compare."""
    check = item.check
    compared = check.maxdiff is not None
    return (
        item.id,
        times(item.shape),
        *(("no", "yes")[flag] if compared else "" for flag in (check.exact, check.approx)),
        number(check.maxdiff),
        number(check.relative),
        *((of(item),) if item.marks else ()),
        verdict_line(check.verdict, item.diagnosis, check.reason, check.note, item.place),
    )


def verdict_line(verdict: Verdict, diagnosis: str | None, reason: str, note: str, place: str) -> str:
    """The verdict in words, why, nothing twice, and where in the submission."""
    parts = dict.fromkeys(p for part in (diagnosis, reason, note) for p in (part or "").split("; ") if p)
    said = "; ".join(p for p in parts if not any(longer.startswith(f"{p}: ") for longer in parts))
    located = verdict is not Verdict.NOT_WRITTEN or reason  # as of a syntax error that hides it
    where = f" ({place})" if place and not verdict.passed and located else ""
    return words(verdict) + (f": {said}" if said else "") + where


def words(verdict: str) -> str:
    return verdict.replace("-", " ")


def of(graded: ItemReport | ExerciseReport | Report) -> str:
    """Its points, of how many."""
    return f"{graded.score} of {graded.max_score}"


def summary(exercise: ExerciseReport) -> str:
    """How many items passed, and the points where a policy says what they are worth."""
    passed = f"{exercise.id}: {exercise.right} of {len(exercise.items)} passed"
    return f"{passed}, {earned(exercise)}" if exercise.marks else passed


def absent(exercise: ExerciseReport) -> str:
    """Of an exercise that flat code has nothing of, one line for all its items; empty for any other."""
    codes = {item.check.code for item in exercise.items}
    if len(exercise.items) < 2 or not codes <= {Code.NOT_ASSIGNED, Code.WAITS}:
        return ""
    return f"{summary(exercise)}: nothing assigns any of its gradients"


def earned(exercise: ExerciseReport) -> str:
    """An exercise's points, with what was taken off."""
    return f"{of(exercise)} points" + "".join(f"; {text}" for text in exercise.deductions)


def score(report: Report) -> str:
    """The last line: the points, and what to do next."""
    return f"score: {of(report)}{' points' * report.marked}. {advice(report)}"


def rule(report: Report) -> str:
    """What approx means, where something was compared."""
    return f"approx: {RULE}" if any(i.check.maxdiff is not None for i in report.items) else ""


def advice(report: Report) -> str:
    """What to do next: the first item in backward order that has not passed."""
    todo = next((item for item in report.items if not item.passed), None)
    if todo is None:
        return all_passed(report)
    if todo.verdict is Verdict.NOT_WRITTEN:
        return f"Next: write {todo.id} (`grader show {todo.id}` tells the task)."
    where = f", {todo.place}" if todo.place else ""
    return f"Next: fix {todo.id}{where}."


def all_passed(report: Report) -> str:
    """That nothing is left to do, unless Python can't read the file."""
    unparsed = next((e.unparsed for e in report.exercises if e.unparsed), "")
    return f"All that parses passed, but {unparsed}." if unparsed else "All passed."


def number(value: float | None) -> str:
    """A difference in two digits; empty where there is none."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:.1e}"
