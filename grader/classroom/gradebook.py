"""Grades in the form that a platform imports: its own export, with one column filled in. Pure.

Facts: Canvas exports `Student,ID,…` with Canvas's user id, rows of no student (their ID is empty) such as
`Points Possible`, and a column `name (number)` for each assignment; `;` separates where the user's settings
say so. Moodle's grading worksheet has in its first column the participant's number behind a localised word,
and finds its columns by their localised headings, so a heading is never changed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

from grader.core.errors import UsageError
from grader.core.verdict import Points

BOM = "\ufeff"
PARTICIPANT = re.compile(r"\D+(\d+)")
POINTS = "points possible"
# What Moodle calls the column of the grade, and that of the maximum, where it is known; else `--column`.
GRADE = frozenset(("Grade", "Bewertung", "Calificación", "Note", "Valutazione", "Cijfer", "Betyg", "Ocena"))
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
COMMA = re.compile(r"\d+,\d+")


@dataclass(frozen=True)
class Grade:
    """What a student earned: points, of how many."""

    score: Points
    of: Points


@dataclass(frozen=True)
class Gradebook:
    """An export: its cells, the column to fill, the row of each student by the platform's number."""

    rows: tuple[tuple[str, ...], ...]
    column: int
    students: Mapping[str, int]
    maxima: Mapping[str, float]  # by student, where the export tells
    delimiter: str
    bom: bool
    newline: str

    def filled(self, grades: Mapping[str, Grade]) -> str:
        """The export with the grades in its column, scaled to the column's maximum; all else as it was."""
        rows = [list(row) for row in self.rows]
        near = (cell for row in rows for cell in row[self.column : self.column + 2])
        comma = any(COMMA.fullmatch(cell.strip()) for cell in near)  # the decimal sign there
        for student, grade in grades.items():
            if student in self.students:
                of = self.maxima.get(student, grade.of)
                points = grade.score if of == grade.of else grade.score / grade.of * of if grade.of else 0
                shown = f"{points:.2f}".rstrip("0").rstrip(".")
                rows[self.students[student]][self.column] = shown.replace(".", ",") if comma else shown
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline).writerows(rows)
        return (BOM if self.bom else "") + out.getvalue()


def read(data: bytes, name: str, column: str | None) -> Gradebook:
    """Canvas's gradebook or Moodle's worksheet. column: its heading, or a Canvas assignment's number.

    UsageError, which begins with `name`, where it is neither, or the column can't be told.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8: import the export as it was downloaded") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    newline = "\r\n" if first.endswith("\r") else "\n"
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{name} is no CSV: {error}") from None
    rows = tuple(tuple(row) for row in table if row)
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise UsageError(f"{name} is no export: its rows are not as long as its headings")
    canvas = [heading.strip() for heading in rows[0][:2]] == ["Student", "ID"]
    index, students, maxima = (_canvas if canvas else _moodle)(rows, name, column)
    return Gradebook(rows, index, students, maxima, delimiter, data.startswith(BOM.encode()), newline)


Read = tuple[int, dict[str, int], dict[str, float]]


def _canvas(rows: tuple[tuple[str, ...], ...], name: str, column: str | None) -> Read:
    """Points Possible is for all; the number of an assignment is in brackets behind its name."""
    headings = rows[0]
    numbered = [i for i, h in enumerate(headings) if re.search(r"\(\d+\)\s*$", h)]
    found = [i for i in numbered if column in (None, headings[i], *_halves(headings[i]))]
    index = _one(found, headings, numbered, name)
    students = {row[1].strip(): i for i, row in enumerate(rows) if i and row[1].strip().isdecimal()}
    points = next((row[index] for row in rows if row[0].strip().lower() == POINTS), "")
    return index, students, dict.fromkeys(students, _number(points)) if _number(points) else {}


def _halves(heading: str) -> tuple[str, str]:
    before, _, number = heading.rstrip().rpartition("(")
    return before.strip(), number.removesuffix(")")


def _moodle(rows: tuple[tuple[str, ...], ...], name: str, column: str | None) -> Read:
    """The number is at the end of the first cell. The maximum stands in the column behind the grade."""
    headings, body = rows[0], rows[1:]
    numbers = [PARTICIPANT.fullmatch(row[0].strip()) for row in body]
    if not all(numbers):
        raise UsageError(f"{name} is neither Canvas's gradebook nor Moodle's grading worksheet")
    known = (column,) if column else GRADE
    index = _one(
        [i for i, h in enumerate(headings) if h.strip() in known], headings, range(len(headings)), name
    )
    students = {match[1]: i for i, match in enumerate(numbers, 1) if match}
    behind = [row[index + 1] if index + 1 < len(row) else "" for row in rows]
    return index, students, {s: _number(behind[i]) for s, i in students.items() if _number(behind[i])}


def _one(found: list[int], headings: tuple[str, ...], among: range | list[int], name: str) -> int:
    if len(found) != 1:
        listed = ", ".join(headings[i] for i in among)
        raise UsageError(f"{name}: which column is the grade's? Name it with --column: {listed}")
    return found[0]


def _number(cell: str) -> float:
    return float(cell.strip().replace(",", ".")) if NUMBER.fullmatch(cell.strip()) else 0.0
