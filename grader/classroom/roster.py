"""Who is in the class: a list of ours (id, name, section, group, extension), or a platform's own export.

A submission is somebody's by any of the ids there, or else by a name that one on the list has alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.classroom.gradebook import HEADINGS
from grader.core.errors import UsageError
from grader.core.text import text
from grader.judging.points.policy import moment
from grader.submissions.choosing import Chosen
from grader.submissions.files import Folder
from grader.submissions.owners import MOODLE_BLIND, PARTICIPANT
from grader.submissions.tables import table
from grader.submissions.uploads import Upload

LONG = 4  # characters of an id that may be told from a number in a file's name
TESTED = "Student, Test"  # whom Canvas makes for an instructor who looks at the course as a student
NOBODY: dict[str, Any] = {"section": "", "ids": []}
ABSENT = "on the roster, and nothing is handed in"


@dataclass(frozen=True)
class Entry:
    """ids: all by which platforms may call the student; the first is the list's own."""

    ids: tuple[str, ...]
    name: str
    section: str = ""
    group: str = ""
    extension: datetime | None = None

    def document(self) -> dict[str, Any]:
        """What a result says of the student."""
        return {"section": self.section, "ids": list(self.ids)}


def read(path: Path) -> list[Entry]:
    """The roster. UsageError, one line: no header, somebody twice, a time that can't be read."""
    rows = table(path, "--roster")
    header = [cell.strip().strip("#").casefold() for cell in rows[0][1]] if rows else []
    columns = {what: [i for i, h in enumerate(header) if h in known] for what, known in HEADINGS.items()}
    if "id" in header:  # Canvas's "Student" is a name, and an id only where there is no other
        columns["id"].sort(key=lambda i: header[i] != "id")
        columns["id"] = [i for i in columns["id"] if header[i] != "student"]
    if not columns["id"]:
        raise UsageError(
            f"--roster {path}: its first line has no column of ids: begin it with id,name,section"
        )
    found: list[Entry] = []
    seen: dict[str, int] = {}
    for number, row in rows[1:]:
        own = {what: [row[i].strip() for i in at if i < len(row)] for what, at in columns.items()}
        ids = tuple(_number(cell.removeprefix("#")) for cell in own["id"] if cell)
        name = " ".join([*own["first"][:1], *own["last"][:1]]) or next(iter(own["name"]), "")
        tested = header[:2] == ["student", "id"] and name == TESTED
        if not ids or own["id"][0] == "" or "points possible" in name.lower() or tested:
            continue  # Canvas's rows of no student
        if ids[0] in seen:
            raise UsageError(
                f"--roster {path}, line {number}: {text(ids[0])} is in line {seen[ids[0]]} already"
            )
        seen[ids[0]] = number
        try:
            until = moment(own["extension"][0]) if own["extension"] and own["extension"][0] else None
        except ValueError as error:
            raise UsageError(f"--roster {path}, line {number}: {error}") from None
        section, group = (next(iter(own[k]), "") for k in ("section", "group"))
        found.append(Entry(ids, name, section, group, until))
    if not found:
        raise UsageError(f"--roster {path} has nobody in it")
    return found


def _number(cell: str) -> str:
    """An id without Moodle's word for a participant."""
    match = PARTICIPANT.fullmatch(cell)
    return match[1] if match and cell[: match.start(1)].strip() in MOODLE_BLIND else cell


def _words(name: str) -> str:
    """A name to compare by: its words, in whatever order and however its marks are written."""
    return " ".join(sorted(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name).casefold())))


def groups(roster: Sequence[Entry]) -> dict[str, list[str]]:
    """The members of each group, by their ids."""
    found: dict[str, list[str]] = {}
    for entry in roster:
        if entry.group:
            found.setdefault(entry.group, []).append(entry.ids[0])
    return found


def named(roster: Sequence[Entry]) -> Callable[[str], str]:
    """The id of the one on the roster whose whole name, or an id of whom, is in a file's name; or nothing."""
    whole = [({*_words(e.name).split()}, e.ids[0]) for e in roster if " " in _words(e.name)]
    whole += [({i.casefold()}, e.ids[0]) for e in roster for i in e.ids if len(i) >= LONG]

    def find(stem: str) -> str:
        words = {*_words(stem).split()}
        found = {i for own, i in whole if own <= words}
        return found.pop() if len(found) == 1 else ""

    return find


@dataclass(frozen=True)
class Called:
    """A class after the call of its roster. entries: by the student's key in the results."""

    uploads: list[Upload]
    entries: dict[str, Entry]
    strangers: list[str]  # their names behind the keys
    unclaimed: list[Upload]  # that are nobody's, for all that is known


def called(uploads: Sequence[Upload], roster: Sequence[Entry], path: Path) -> Called:
    """The uploads with the roster's names, and one more, with nothing to grade, of who is absent."""
    by_id = {i.casefold(): entry for entry in roster for i in entry.ids}
    several = Counter(_words(entry.name) for entry in roster if entry.name)
    by_name = {_words(e.name): e for e in roster if e.name and several[_words(e.name)] == 1}

    def entry_of(name: str, *ids: str) -> Entry | None:
        known = (by_id.get(i.casefold()) for i in ids if i)
        return next(filter(None, known), None) or by_name.get(_words(name))

    uploads = [own for upload in uploads for own in _each(upload, entry_of)]
    students = {u.chosen.student: u.chosen.name for u in uploads}
    entries = {s: entry for s, name in students.items() if (entry := entry_of(name, s))}
    here = {entry.ids[0] for entry in entries.values()}
    strangers = sorted(students.keys() - entries.keys())
    untold = {_words(students[s]) for s in strangers}
    unclaimed = [
        u for u in uploads if u.chosen.nobodys or (u.chosen.nameless and u.chosen.student not in entries)
    ]
    named = [_named(u, entries.get(u.chosen.student)) for u in uploads]
    for entry in roster:
        if entry.ids[0] not in here:
            why, unknown = ABSENT, True
            if _words(entry.name) in untold:
                why = f"several on the roster are called {entry.name}: --owners FILE says which is whose"
            elif unclaimed:
                why = f"on the roster; one of {len(unclaimed)} files that are nobody's yet may be theirs"
            else:
                unknown = False
            what = "unknown" if unknown else "absent"
            chosen = Chosen(entry.ids[0], entry.ids[0], entry.name, "", "", problem=why, absent=what)
            named.append(Upload(f"{path}/{entry.ids[0]}", chosen, Folder(path.parent, path.name)))
            entries[entry.ids[0]] = entry
    unclaimed += [
        u
        for u in uploads
        if u.chosen.student in strangers and not u.chosen.nameless and several[_words(u.chosen.name)] > 1
    ]
    told = {u.chosen.student for u in unclaimed}
    named_strangers = [f"{s} ({n})" if (n := students[s]) != s else s for s in strangers if s not in told]
    return Called(named, entries, named_strangers, unclaimed)


def _each(upload: Upload, entry_of: Callable[..., Entry | None]) -> list[Upload]:
    """An upload of which the platform tells who handed it in, once for each of them on the roster."""
    found = list(dict.fromkeys(entry for who in upload.submitters if (entry := entry_of(*who))))
    if not found:
        return [upload]
    several = len(upload.submitters) > 1
    return [
        replace(
            upload,
            id=f"{upload.id} of {entry.ids[0]}" if several else upload.id,
            chosen=replace(upload.chosen, student=entry.ids[0], name=entry.name),
        )
        for entry in found
    ]


def _named(upload: Upload, entry: Entry | None) -> Upload:
    return replace(upload, chosen=replace(upload.chosen, name=entry.name)) if entry and entry.name else upload
