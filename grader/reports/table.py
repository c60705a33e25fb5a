"""What all tables say, in words: the cells of a row, the summary, and what to do next. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from grader.core.finding import Code
from grader.core.text import times
from grader.core.verdict import RULE, ExerciseReport, ItemReport, Report, Verdict

HEADINGS = ("item", "shape", "exact", "approx", "maxdiff", "relative", "verdict")
PARTED = re.compile(r"; (?!or )")  # what comes of several mistakes stays one
RIGHT = (4, 5, 6)  # columns of numbers, where they aren't the last


def headings(report: Report) -> tuple[str, ...]:
    return (*HEADINGS[:-1], "points", HEADINGS[-1]) if report.marked else HEADINGS


def row(item: ItemReport) -> tuple[str, ...]:
    """One item's cells. Numbers and flags stay empty where there was nothing to compare."""
    check = item.check
    return (
        item.id,
        form(item),
        *flags(item),
        number(check.relative) if compared(item) else "",
        *((of(item),) if item.marks else ()),
        verdict_line(check.verdict, item.diagnosis, check.reason, check.note, item.place),
    )


def compared(item: ItemReport) -> bool:
    """Whether its numbers say something: of an answer that failed otherwise on a probe they don't."""
    return item.check.maxdiff is not None and (item.passed or item.verdict is Verdict.WRONG)


def form(item: ItemReport) -> str:
    """Its shape; of plain data its type."""
    return item.kind or times(item.shape)


def flags(item: ItemReport) -> tuple[str, str, str]:
    """exact, approx and maxdiff, on the lecture's numbers."""
    check = item.check
    if not compared(item):
        return "", "", ""
    return ("no", "yes")[check.exact], ("no", "yes")[check.approx], number(check.maxdiff)


def verdict_line(verdict: Verdict, diagnosis: str | None, reason: str, note: str, place: str) -> str:
    """The verdict in words, why, nothing twice, and where in the submission."""
    said = "; ".join(once(diagnosis, reason, note))
    located = verdict is not Verdict.NOT_WRITTEN or reason  # as of a syntax error that hides it
    where = f" ({place})" if place and not verdict.passed and located else ""
    return words(verdict) + (f": {said}" if said else "") + where


def parts(item: ItemReport) -> list[str]:
    """What is said in words, without the values, which have lines of their own."""
    check, reason = item.check, item.check.reason
    values = [f"{check.call} gives {check.came}, wanted {check.wanted}"] if check.came else []
    values += [f"{check.call}: "] if check.came and check.call else []
    if check.worst:
        values += [check.worst.told("autograd has"), check.worst.told("wanted")]
    if check.shape is not None:
        values.append(f"came {check.shape}, wanted {item.shape}")
    for value in values:
        reason = reason.replace(value, "", 1).strip(" ,;:")
    return [part for p in once(item.diagnosis, reason) if (part := p.strip(" ,;:"))]


def once(*texts: str | None) -> list[str]:
    """The parts of all texts, without those that another repeats and goes on from."""
    parts = dict.fromkeys(p for part in texts for p in PARTED.split(part or "") if p)
    return [p for p in parts if not any(x.startswith(f"{p}: ") or x.endswith(f", {p}") for x in parts)]


def capital(text: str, names: Collection[str] = (), item: ItemReport | None = None) -> str:
    """With a capital where it begins with a word that is no code: none of `names`, nor the item's own."""
    first = text.split(" ", 1)[0].rstrip(",")
    lines = item.excerpt.lines if item and item.excerpt else ()
    own = {word for _, line in lines for word in re.findall(r"\w+", line)}
    return text[:1].upper() + text[1:] if first.isalpha() and first not in own.union(names) else text


def unwritten(item: ItemReport) -> bool:
    """Whether there is nothing of it yet: what can't be read may be there."""
    return item.verdict is Verdict.NOT_WRITTEN and item.check.code is not Code.UNREADABLE


def failed(item: ItemReport) -> bool:
    """Whether there is something to mend; what is not written is a matter of its own."""
    return not item.passed and not unwritten(item)


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
    """What to do next: the first item in backward order that has not passed, and where it is."""
    for exercise in report.exercises:
        for item in exercise.items:
            if not item.passed:
                at = located(exercise, item)
                if item.verdict is Verdict.NOT_WRITTEN:
                    task = f"`grader show {item.id}` tells the task"
                    return f"Next: write {item.id} ({task}){f', {at}' if at else ''}."
                return f"Next: fix {item.id}{f', {at}' if at else ''}."
    return report.ahead or all_passed(report)


def located(exercise: ExerciseReport, item: ItemReport) -> str:
    """Where an item is: "exercises/ex1.py:45", "cell 3, line 2 of my.ipynb", or nothing."""
    if not item.line or item.cell or not exercise.file:
        return f"{item.place} of {exercise.file}" if item.place and exercise.file else item.place
    return f"{exercise.file}:{item.line}"


def all_passed(report: Report) -> str:
    """That nothing is left to do, unless Python can't read the file."""
    unparsed = next((e.unparsed for e in report.exercises if e.unparsed), "")
    return f"All that parses passed, but {unparsed}." if unparsed else "All passed."


def number(value: float | None) -> str:
    """A difference in two digits; empty where there is none."""
    if value is None:
        return ""
    return "0" if value == 0 else f"{value:.1e}"
