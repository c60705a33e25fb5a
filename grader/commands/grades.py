"""`grader grades`: a class's results in the file that Canvas or Moodle imports."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grader.classroom import gradebook
from grader.classroom.gradebook import Grade
from grader.core.errors import UsageError
from grader.core.verdict import points
from grader.suite.files import replaced, writable


def run(args: argparse.Namespace) -> int:
    out = writable(Path(args.out), "--out")
    if out.resolve() == Path(args.into).resolve():
        raise UsageError(f"--out {out} is the platform's export, which stays as it is: name another file")
    try:
        export = Path(args.into).read_bytes()
    except OSError as error:
        raise UsageError(f"{args.into} can't be read: {error.strerror}") from None
    book = gradebook.read(export, args.into, args.column)
    from grader.classroom.files import results
    from grader.core.text import text

    grades, left = earned(results(Path(args.batch)))
    replaced(out, book.filled(grades).encode())
    here = grades.keys() & book.students.keys()
    print(f"{out} is written: {len(here)} grades in {book.rows[0][book.column]!r}")
    if scaled := {book.maxima[s] for s in here if s in book.maxima} - {g.of for g in grades.values()}:
        of = next(iter(grades.values())).of
        most = ", ".join(f"{m:g}" for m in sorted(scaled))
        print(f"scaled from {of} point{'s' * (of != 1)} to a maximum of {most}")
    missing = sorted([*left, *(f"{text(s)}: not in {args.into}" for s in grades.keys() - here)])
    for line in missing:
        print(f"no grade for {line}")
    return 1 if missing else 0


def earned(found: Iterable[dict[str, Any]]) -> tuple[dict[str, Grade], list[str]]:
    """Each student's grade over all of the class's exercises, and who has none, with the reason.

    An exercise that a student did not hand in is worth nothing, but what can't be graded is nobody's zero.
    Nor is one of several submissions taken, unless a policy has said which counts.
    """
    scores: dict[str, int] = {}  # in hundredths
    maxima: dict[str, int] = {}
    problems: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for result in found:
        student = result["student"]
        if not result.get("counts", True):
            continue
        if result["problem"]:
            problems[student] = result["problem"]
            continue
        scores[student] = scores.get(student, 0) + round(100 * result["score"])
        for exercise in result["exercises"]:
            name = exercise["id"]
            maxima[name] = round(100 * exercise["max_score"])
            if (student, name) in seen:
                problems[student] = f"{name} is there twice: a policy's [attempts] says which counts"
            seen.add((student, name))
    of = points(sum(maxima.values()))
    grades = {s: Grade(points(score), of) for s, score in scores.items() if s not in problems}
    from grader.core.text import text

    return grades, [f"{text(student)}: {text(problem)}" for student, problem in problems.items()]
