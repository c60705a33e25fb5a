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

BY_HAND = "by-hand"  # the folder in the zip of what no platform gives back, but an instructor can


def run(args: argparse.Namespace) -> int:
    folder = Path(args.batch)
    out = writable(Path(args.out or folder / f"feedback-{args.platform}.zip"), "--out")
    found = list(results(folder))
    told_of = {r["student"]: r for r in found}
    said = remarks.read(folder, told_of)
    grades, left = given(found, args.exercise, said)
    nothing: dict[str, str] = {}  # by student, why nothing goes back
    packed = io.BytesIO()
    taken: dict[str, str] = {}  # names in the zip, and whose they are
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for result in found:
            student = result["student"]
            if not result.get("counts", True) or result.get("absent"):
                continue
            name = giving.own_name(result, args.platform)
            if not name:
                name = f"{BY_HAND}/{giving.own_name(result, 'folder')}"
                nothing[student] = f"{args.platform} matches no such file: {name}.html in the zip is theirs"
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
    if all(name.startswith(f"{BY_HAND}/") for name in taken):
        raise UsageError(
            f"{folder}: nothing in it is called as {args.platform} calls it; --for folder takes all"
        )
    replaced(out, packed.getvalue())
    print(f"{out} is written: feedback for {len(set(taken.values()) - nothing.keys())} students")
    for what, why in (("grade", left), ("feedback", nothing)):
        for student in sorted(why):
            print(f"no {what} for {who(told_of[student])}: {text(why[student])}")
    return 1 if left or nothing else 0
