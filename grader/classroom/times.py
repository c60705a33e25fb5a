"""When submissions came, as a list of the instructor's or Moodle's grading worksheet tells."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from pathlib import Path

from grader.core.errors import UsageError
from grader.judging.points.policy import moment
from grader.submissions.owners import PARTICIPANT
from grader.submissions.tables import table

HANDED_IN = frozenset((
    "Last modified (submission)", "Zuletzt geändert (Abgabe)", "Dernière modification (travail remis)",
    "Última modificación (entrega)", "Última modificação (envio)", "最后修改时间(提交)",
))  # fmt: skip
MONTHS = tuple(
    map(
        re.compile,
        ("jan|ene", "f[eé]v|feb", "m[aä]r", "apr|avr|abr", "ma[iy]", "juin|jun", "juil|jul")
        + ("aug|ao[uû]t|ago", "sep|set", "o[ck]t|out", "nov", "d[eé][cz]|dic"),
    )
)
WRITTEN = re.compile(
    r"\D*(?P<day>\d{1,2})\.? (?:de )?(?P<month>[^\W\d]+)\.?,? (?:de )?(?P<year>\d{4}),?"
    r" (?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?: ?(?P<half>[AP])M)?"
)
CHINESE = re.compile(
    r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日.*?(?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<half>)"
)


def read(path: Path, zone: tzinfo | None) -> dict[str, datetime]:
    """By student: a CSV of student,time, or Moodle's worksheet. zone: of times without one.

    UsageError, one line, of a time that can't be read and of a student who is there twice.
    """
    found: dict[str, datetime] = {}
    rows = table(path, "--times")
    heading = [cell.strip() for cell in rows[0][1]] if rows else []
    column = next((i for i, h in enumerate(heading) if h in HANDED_IN), None)
    for number, row in rows[column is not None or heading[:1] in (["student"], ["Student"]) :]:
        cells = [cell.strip() for cell in row] + [""] * (len(heading) + 2)
        student, told = cells[0], cells[1 if column is None else column]
        if column is not None:
            match = PARTICIPANT.fullmatch(student)
            student = match[1] if match else student
            if told in ("", "-"):
                continue
        try:
            if student in found:
                raise ValueError(f"{student} is there twice: keep one line")
            found[student] = moment(told) if column is None else _written(told, zone)
        except ValueError as error:
            raise UsageError(f"--times {path}, line {number}: {error}") from None
    return found


def _written(told: str, zone: tzinfo | None) -> datetime:
    """A time as Moodle writes it in a language. ValueError where that is not known."""
    match = WRITTEN.fullmatch(told) or CHINESE.fullmatch(told)
    month = 0
    if match:
        name = match["month"].casefold()
        month = (
            int(name) if name.isdecimal() else next((n for n, m in enumerate(MONTHS, 1) if m.match(name)), 0)
        )
    if not match or not month:
        raise ValueError(f"{told[:60]!r} is no time that is known: give a CSV of student,time in its place")
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + 12 * (match["half"] == "P")
    return datetime(int(match["year"]), month, int(match["day"]), hour, int(match["minute"]), tzinfo=zone)
