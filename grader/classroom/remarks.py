"""What an instructor says by hand of a class: remarks.csv, which no batch writes or removes."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from grader.core.errors import UsageError
from grader.core.text import text
from grader.submissions.tables import table

NAME = "remarks.csv"
SCORE = re.compile(r"\d{1,7}(?:[.,]\d{1,2})?")


@dataclass(frozen=True)
class Remark:
    """score: in hundredths, in place of what was earned; None leaves that. said: for the student."""

    score: int | None
    said: str


def read(folder: Path, students: Collection[str]) -> dict[str, Remark]:
    """By student, as in grades.csv; nothing where there is no file. UsageError names file and line."""
    path = folder / NAME
    if not path.exists():
        return {}
    found: dict[str, Remark] = {}
    for number, row in table(path, "remarks"):
        student, score, said = (cell.strip() for cell in [*row, "", ""][:3])
        if (number, student.casefold()) == (1, "student"):
            continue
        wrong = ""
        if student in found:
            wrong = f"{text(student)} is there twice: keep one line"
        elif student not in students:
            wrong = f"nobody in the results is called {text(student)}: write it as grades.csv does"
        elif score and not SCORE.fullmatch(score):
            wrong = f"{text(score)} are no points: a number, or nothing"
        if wrong:
            raise UsageError(f"{path}, line {number}: {wrong}")
        points = round(float(score.replace(",", ".")) * 100) if score else None
        found[student] = Remark(points, said)
    return found
