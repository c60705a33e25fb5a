"""Grades in the form that a platform imports: its own export, and only the cells filled. Pure.

Facts: Canvas exports `Student,ID,…` with Canvas's user id, rows of no student (their ID is empty) such as
`Points Possible`, and a column `name (number)` for each assignment; `;` separates where the user's settings
say so. Moodle's grading worksheet has in its first column the participant's number behind a localised word,
and finds its columns by their localised headings, so a heading is never changed. Its column of
comments is the only one of either that a student reads. Brightspace's export begins with `OrgDefinedId`
or `Username`, whose cells begin with `#`, calls a column `name Points Grade <Numeric MaxPoints:100 …>`, and
ends in `End-of-Line Indicator`. Blackboard's has the login in `Username`, calls a column
`name [Total Pts: 100 Score] |1234`, and is UTF-16 where tabs separate. Sakai's `grades.csv`, which lies in
the zip, has two lines before its headings, `Display ID,ID,Last Name,First Name,grade,…`, and no maximum.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.core.errors import UsageError
from grader.core.verdict import Points
from grader.submissions.owners import PARTICIPANT

BOM = "\ufeff"
POINTS = "points possible"
# What Moodle calls the column of the grade, and that of the maximum, where it is known; else `--column`.
GRADE = frozenset(
    ("Grade", "Bewertung", "Calificación", "Note", "Nota", "成绩")
    + ("Valutazione", "Cijfer", "Betyg", "Ocena")
)
COMMENTS = frozenset((  # the last is Blackboard's
    "Feedback comments", "Feedback als Kommentar", "Feedback par commentaires",
    "Comentarios de retroalimentación", "Comentários de feedback", "反馈评论", "Feedback to Learner",
))  # fmt: skip
OURS = "score: "  # how a comment of ours begins: the next one replaces it, and no other
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
ENDING = "End-of-Line Indicator"
MAXIMUM = re.compile(  # Brightspace's heading of a column, and Blackboard's; a sum there is of "up to" points
    r"(?P<name>.+) (?:Points Grade <.*?MaxPoints:|\[Total Pts: )(?P<of>\d+(?:[.,]\d+)?)"
)
SAKAI = ["Display ID", "ID"]
# What the platforms and their languages call a column of a roster; without the marks of Brightspace's.
HEADINGS = {
    "id": (
        "id", "student", "identifier", "identifiant", "identificador", "编号", "sis user id", "sis login id",
        "login", "user", "username", "orgdefinedid", "student id", "sid", "email", "email address",
        "anonymous id", "e-mail-adresse", "adresse de courriel", "endereço de e-mail", "电子邮件地址",
        "github_username", "roster_identifier",
    ),
    "name": (
        "name", "student", "full name", "vollständiger name", "nom complet", "nome completo", "全名",
        "display name", "nombre completo",
    ),
    "first": ("first name", "first", "vorname", "prénom"),
    "last": ("last name", "last", "surname", "nachname", "nom"),
    "section": ("section", "sections"),
    "group": ("group", "team", "group_name"),
    "extension": ("extension", "extended", "until"),
}  # fmt: skip
ROSTERS = frozenset(heading for known in HEADINGS.values() for heading in known)
COMMA = re.compile(r"\d+,\d+")


@dataclass(frozen=True)
class Grade:
    """What a student earned: points, of how many."""

    score: Points
    of: Points


@dataclass(frozen=True)
class Gradebook:
    """An export: its text and cells, the column to fill, the row of each student by the platform's number.

    encoding: of its bytes. spans: of each cell, where it stands in the text. comments: the column for them,
    where there is one.
    """

    text: str
    encoding: str
    rows: tuple[tuple[str, ...], ...]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    column: int
    comments: int | None
    students: Mapping[str, int]
    maxima: Mapping[str, float]  # by student, where the export tells
    delimiter: str

    def filled(self, grades: Mapping[str, Grade], comments: Mapping[str, str] | None = None) -> bytes:
        """The export with the grades in its column, scaled to the column's maximum; all else as it was.

        comments: by student; a comment that somebody else wrote stays.
        """
        cells: dict[tuple[int, int], str] = {}
        near = (cell for row in self.rows for cell in row[self.column : self.column + 2])
        comma = any(COMMA.fullmatch(cell.strip()) for cell in near)  # the decimal sign there
        for student in grades.keys() & self.students.keys():
            grade, row = grades[student], self.students[student]
            of = self.maxima.get(student, grade.of)
            points = grade.score if of == grade.of else grade.score / grade.of * of if grade.of else 0
            shown = f"{points:.2f}".rstrip("0").rstrip(".")
            cells[row, self.column] = shown.replace(".", ",") if comma else shown
        for student in (comments or {}).keys() & self.students.keys():
            row = self.students[student]
            if self.comments is not None and _ours(self.rows[row][self.comments]):
                cells[row, self.comments] = (comments or {})[student]
        out, at = [], 0
        for place, cell in sorted(cells.items()):
            begin, end = self.spans[place[0]][place[1]]
            out += [self.text[at:begin], self._quoted(cell, self.text[begin:end].startswith('"'))]
            at = end
        return "".join([*out, self.text[at:]]).encode(self.encoding)

    def _quoted(self, cell: str, before: bool) -> str:
        if before or any(ch in cell for ch in (self.delimiter, '"', "\r", "\n")):
            return '"' + cell.replace('"', '""') + '"'
        return cell


def _ours(cell: str) -> bool:
    """Whether a comment may be replaced: there is none, or it is of an earlier run."""
    return not cell.strip() or cell.startswith(OURS)


def read(data: bytes, name: str, column: str | None) -> Gradebook:
    """A platform's export. column: a heading, or Canvas's number of it.

    UsageError, which begins with `name`, where it is none, or the column can't be told.
    """
    encoding = "utf-16-le" if data.startswith(codecs.BOM_UTF16_LE) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8: import the export as it was downloaded") from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        table = [row for row in _cells(text, delimiter) if any(end > begin for begin, end, _ in row)]
    except ValueError as error:
        raise UsageError(f"{name} is no CSV: {error}") from None
    sakai = next((i for i, row in enumerate(table[:3]) if [cell for *_, cell in row[:2]] == SAKAI), 0)
    table = table[sakai:]
    rows = tuple(tuple(cell for *_, cell in row) for row in table)
    if len(rows) < 2 or any(len(row) != len(rows[0]) for row in rows):
        raise UsageError(f"{name} is no export: its rows are not as long as its headings")
    canvas = [heading.strip() for heading in rows[0][:2]] == ["Student", "ID"]
    named = rows[0][-1].strip() == ENDING or any(map(MAXIMUM.match, rows[0]))
    platform = _canvas if canvas else _named if named else _sakai if sakai else _moodle
    index, students, maxima = platform(rows, name, column)
    behind = range(len(rows[0]) if canvas else index + 1, len(rows[0]))
    comments = next((i for i in behind if rows[0][i].strip() in COMMENTS), None)
    spans = tuple(tuple((begin, end) for begin, end, _ in row) for row in table)
    return Gradebook(text, encoding, rows, spans, index, comments, students, maxima, delimiter)


def _cells(text: str, delimiter: str) -> Iterator[list[tuple[int, int, str]]]:
    """The rows of a CSV: of each cell where it begins and ends, quotes included, and what it says."""
    token = re.compile(rf'(?:"((?:[^"]|"")*)"|((?!")[^{delimiter}\r\n]*))({delimiter}|\r\n|\r|\n|\Z)')
    row: list[tuple[int, int, str]] = []
    at = len(BOM) if text.startswith(BOM) else 0
    while at < len(text) or row:
        match = token.match(text, at)
        if not match:
            raise ValueError(f"line {text.count(chr(10), 0, at) + 1} has a quote that does not end")
        quoted, plain, after = match.groups()
        row.append((match.start(), match.start(3), plain if quoted is None else quoted.replace('""', '"')))
        at = match.end()
        if after != delimiter:
            yield row
            row = []


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


def _named(rows: tuple[tuple[str, ...], ...], name: str, column: str | None) -> Read:
    """Brightspace's, or Blackboard's: a column's heading tells its maximum."""
    headings = rows[0]
    maxima = {i: m for i, h in enumerate(headings) if (m := MAXIMUM.search(h))}
    found = [i for i, m in maxima.items() if column in (None, headings[i].strip(), m["name"].strip())]
    index = _one(found, headings, list(maxima), name)
    key = headings.index("Username") if "Username" in headings else 0
    students = {row[key].strip().removeprefix("#"): i for i, row in enumerate(rows) if i}
    return index, students, dict.fromkeys(students, _number(maxima[index]["of"]))


def _sakai(rows: tuple[tuple[str, ...], ...], name: str, column: str | None) -> Read:
    headings = rows[0]
    index = _one([4] if column in (None, headings[4]) else [], headings, [4], name)
    return index, {row[1].strip(): i for i, row in enumerate(rows) if i}, {}


def _moodle(rows: tuple[tuple[str, ...], ...], name: str, column: str | None) -> Read:
    """The number is at the end of the first cell. The maximum stands in the column behind the grade."""
    headings, body = rows[0], rows[1:]
    numbers = [PARTICIPANT.fullmatch(row[0].strip()) for row in body]
    if not all(numbers):
        others = "Canvas, Brightspace, Blackboard or Sakai"
        raise UsageError(f"{name} is no gradebook of {others}, nor Moodle's grading worksheet")
    like = [i for i in range(1, len(headings)) if _of_grades(headings[i], (row[i] for row in body))]
    if not like:
        raise UsageError(f"{name} has no column of grades, no more than a roster: name a gradebook")
    known = (column,) if column else GRADE
    index = _one([i for i in like if headings[i].strip() in known], headings, like, name)
    students = {match[1]: i for i, match in enumerate(numbers, 1) if match}
    behind = [row[index + 1] if index + 1 < len(row) else "" for row in rows]
    return index, students, {s: _number(behind[i]) for s, i in students.items() if _number(behind[i])}


def _of_grades(heading: str, cells: Iterable[str]) -> bool:
    """Whether a column may hold grades: nothing but numbers, and no heading of a roster's."""
    return heading.strip().casefold() not in ROSTERS and all(
        cell.strip() in ("", "-") or NUMBER.fullmatch(cell.strip()) for cell in cells
    )


def _one(found: list[int], headings: tuple[str, ...], among: list[int], name: str) -> int:
    if len(found) != 1:
        listed = ", ".join(headings[i] for i in among)
        raise UsageError(f"{name}: which column is the grade's? Name it with --column: {listed}")
    return found[0]


def _number(cell: str) -> float:
    return float(cell.strip().replace(",", ".")) if NUMBER.fullmatch(cell.strip()) else 0.0
