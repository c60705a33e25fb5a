"""`grader feedback-zip`: each student's feedback, for a platform to give back."""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

from grader.classroom import giving, remarks
from grader.classroom.files import results, told
from grader.commands.grades import given, who
from grader.core.errors import UsageError
from grader.core.text import text
from grader.suite.files import replaced, writable


def run(args: argparse.Namespace) -> int:
    folder = Path(args.batch)
    out = writable(Path(args.out or folder / f"feedback-{args.platform}.zip"), "--out")
    told_of = {r["student"]: r for r in results(folder)}
    grades, left = given(folder, args.exercise, told_of)
    nothing: dict[str, str] = {}  # by student, why nothing goes back
    said = remarks.read(folder, told_of)
    packed = io.BytesIO()
    taken: dict[str, str] = {}  # names in the zip, and whose they are
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for result in results(folder):
            student = result["student"]
            if not result.get("counts", True) or result.get("absent"):
                continue
            name = giving.own_name(result, args.platform)
            if not name:
                nothing[student] = f"{args.platform} matches nothing called {result['submission']}"
                continue
            if args.platform == "gradescope" and taken.get(name.casefold(), student) != student:
                name += f"-{giving.safe(student)}"  # of a group, which has one folder
            if taken.setdefault(name.casefold(), student) != student:
                raise UsageError(
                    f"{text(name)} would be of {text(taken[name.casefold()])} and of {text(student)}"
                )
            exercise = next((e["id"] for e in result["exercises"]), "")
            if f"{name}.html" in made.namelist():  # of one more exercise
                name += f"-{exercise or 'not-graded'}"
            page = giving.feedback(result, grades.get(student), said.get(student))
            for ending, content in ((".html", page), (".txt", told(giving.own(result)))):
                made.writestr(zipfile.ZipInfo(name + ending), content)
    if not taken:
        raise UsageError(
            f"{folder}: nothing in it is called as {args.platform} calls it; --for folder takes all"
        )
    replaced(out, packed.getvalue())
    print(f"{out} is written: feedback for {len(set(taken.values()))} students")
    for what, why in (("grade", left), ("feedback", nothing)):
        for student in sorted(why):
            print(f"no {what} for {who(told_of[student])}: {text(why[student])}")
    return 1 if left or nothing else 0
