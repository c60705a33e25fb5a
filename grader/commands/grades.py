"""`grader grades`: a class's results in the file that a platform imports."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.classroom import giving, gradebook, remarks
from grader.classroom.files import results
from grader.classroom.gradebook import Grade
from grader.classroom.remarks import Remark
from grader.core.errors import UsageError
from grader.core.text import text
from grader.core.verdict import points
from grader.suite.files import refusing, replaced, writable


def run(args: argparse.Namespace) -> int:
    out = writable(Path(args.out), "--out")
    if out.resolve() == Path(args.into).resolve():
        raise UsageError(f"--out {out} is the platform's export, which stays as it is: name another file")
    with refusing(f"{args.into} can't be read"):
        export = Path(args.into).read_bytes()
    book = gradebook.read(export, args.into, args.column)
    folder = Path(args.batch)
    found = list(results(folder))
    told = {r["student"]: r for r in found}
    said = remarks.read(folder, told)
    rows = {s: next((i for i in (s, *r.get("ids", ())) if i in book.students), s) for s, r in told.items()}
    earned_, left = given(found, args.exercise, said)
    comments = _comments(found, earned_, said) if book.comments is not None else {}
    grades = {rows[s]: grade for s, grade in earned_.items()}
    replaced(out, book.filled(grades, {rows[s]: comment for s, comment in comments.items()}))
    here = grades.keys() & book.students.keys()
    print(f"{out} is written: {len(here)} grades in {book.rows[0][book.column]!r}")
    if scaled := {book.maxima[s] for s in here if s in book.maxima} - {g.of for g in grades.values()}:
        of = next(iter(grades.values())).of
        most = ", ".join(f"{m:g}" for m in sorted(scaled))
        print(f"scaled from {of} point{'s' * (of != 1)} to a maximum of {most}")
    left |= {s: f"not in {args.into}" for s in earned_ if rows[s] not in here}
    for student in sorted(left):
        print(f"no grade for {who(told[student])}: {text(left[student])}")
    if absent := [s for s in book.students if s not in rows.values()]:
        print(f"nothing handed in by {len(absent)} in {args.into}, left as they are: {', '.join(absent)}")
    return 1 if left else 0


def who(result: Mapping[str, Any]) -> str:
    """A student as a list of those without a grade calls them."""
    student, name = text(result["student"]), text(result["name"])
    return student if name in ("", student) else f"{student} ({name})"


def given(
    found: Iterable[dict[str, Any]], exercises: Sequence[str] | None, said: Mapping[str, Remark]
) -> tuple[dict[str, Grade], dict[str, str]]:
    """As `earned`, with the scores that remarks.csv puts in their place."""
    grades, left = earned(found, dict.fromkeys(exercises or ()))
    of = next((g.of for g in grades.values()), None)
    for student, remark in said.items():
        if remark.score is not None:
            if of is None:
                raise UsageError(f"{remarks.NAME}: nobody has a grade here, so a score is of no maximum")
            grades[student] = Grade(points(remark.score), of)
            left.pop(student, None)
    return grades, left


def _comments(
    found: Iterable[dict[str, Any]], grades: Mapping[str, Grade], said: Mapping[str, Remark]
) -> dict[str, str]:
    own: dict[str, list[dict[str, Any]]] = {}
    for result in found:
        if result.get("counts", True):
            own.setdefault(result["student"], []).append(result)
    return {s: giving.comment(theirs, grades.get(s), said.get(s)) for s, theirs in own.items()}


def earned(
    found: Iterable[dict[str, Any]], exercises: Collection[str] = ()
) -> tuple[dict[str, Grade], dict[str, str]]:
    """Each student's grade over the exercises that count, and by student why there is none.

    exercises: those that count; none: what every student has handed in, worth anything, where that is the
    same for all. Else UsageError: what one student hands in must not change what another's points are of.
    An exercise that a student did not hand in is worth nothing, but what can't be graded is nobody's zero.
    Nor is one of several submissions taken, unless a policy has said which counts.
    """
    scores: dict[str, dict[str, int]] = {}  # in hundredths, by student and exercise
    maxima: dict[str, int] = {}
    problems: dict[str, str] = {}
    absent: list[str] = []  # whom a policy gives 0
    for result in found:
        student = result["student"]
        if not result.get("counts", True):
            continue
        if result.get("absent") == 0:
            absent.append(student)
            continue
        if result["problem"]:
            problems[student] = result["problem"]
            continue
        own = scores.setdefault(student, {})
        for exercise in result["exercises"]:
            name, of = exercise["id"], round(100 * exercise["max_score"])
            if maxima.setdefault(name, of) != of:
                raise UsageError(f"{name} is not of as many points for all: grade the class in one batch")
            if name in own and name in (exercises or own):
                problems[student] = f"{name} is there twice: a policy's [attempts] says which counts"
            own[name] = round(100 * exercise["score"])
    counted = exercises or _common(scores, maxima)
    if unknown := [name for name in counted if name not in maxima]:
        raise UsageError(f"--exercise {unknown[0]}: nobody has handed it in; here are {_listed(maxima)}")
    of = sum(maxima[name] for name in counted)
    grades = {student: Grade(0, points(of)) for student in absent}
    for student, own in scores.items():
        if counted and not own.keys() & set(counted):
            problems.setdefault(student, f"handed in {_listed(own)}, which does not count")
        if student not in problems:
            grades[student] = Grade(points(sum(own.get(name, 0) for name in counted)), points(of))
    return grades, problems


def _common(scores: Mapping[str, Mapping[str, int]], maxima: Mapping[str, int]) -> frozenset[str]:
    """The exercises that every student has handed in; UsageError where somebody has others too."""
    sets = {frozenset(name for name in own if maxima[name]) for own in scores.values()}
    if len(sets) > 1:
        every = _listed(frozenset().union(*sets))
        raise UsageError(f"not all have handed in the same of {every}: name each that counts with --exercise")
    return next(iter(sets), frozenset())


def _listed(exercises: Iterable[str]) -> str:
    return ", ".join(sorted(exercises))
