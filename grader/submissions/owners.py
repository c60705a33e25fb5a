"""Whose file is it? Paths as the platforms name them, put together by student. Pure.

Facts: Canvas names a file `{sortable name}[_LATE]_{user id}_{attachment id}_{file name}`, or
`[LATE_]anon_{id}_{attachment id}_{file name}`, and a repeated upload `name-1.py`, `name-2.py`.
Moodle makes a folder `{full name}_{participant id}_assignsubmission_file/` (older ones end in `_`),
or flat `…_file_{file name}`; blind marking calls everybody `Participant`. Gradescope makes
`…_export/submission_{id}/` and lists the people in `submission_metadata.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from grader.core.course import CORE, NOTEBOOK, SETS

CANVAS = re.compile(r"(?P<name>.*?)(?P<late>_LATE)?_(?P<id>\d+)_\d+_(?P<file>.+)")
CANVAS_BLIND = re.compile(r"(?P<late>LATE_)?anon_(?P<id>\w+?)_\d+_(?P<file>.+)")
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<file>.*))?")
# of a folder the last number is Moodle's: a name, which a student may choose, stands before it
MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)")
GRADESCOPE = re.compile(r"submission_(?P<id>\d+)")
REPEATED = re.compile(r"(?P<stem>.+)-(?P<number>\d+)(?P<suffix>\.\w+)")
IGNORED = re.compile(r"(^|/)(__MACOSX|__pycache__|\.[^/]*)(/|$)")
METADATA = "submission_metadata.yml"
SUFFIXES = (".py", ".ipynb")


@dataclass(frozen=True)
class Owned:
    """One file: its path in the upload, whose it is, and what it is called there."""

    path: str
    student: str  # the key by which files belong together
    name: str  # for people
    file: str
    late: bool = False
    number: int = 0  # of a repeated upload
    declared: str | None = None  # the exercise that it was derived for, whatever it is called now
    flat: bool = False  # a script of the lecture's exercises


@dataclass(frozen=True)
class Chosen:
    """What to grade for one student and exercise. problem: why nothing can be graded; note: what to know."""

    path: str
    student: str
    name: str
    exercise: str
    file: str  # what it is called there
    late: bool = False
    note: str = ""
    problem: str = ""
    shared: bool = False  # the file is chosen for other exercises too


def owners(paths: Iterable[str], people: Mapping[str, str]) -> list[Owned]:
    """The owner of every file. people: names by Gradescope's submission id."""
    kept = sorted(p for p in paths if not IGNORED.search(p) and PurePosixPath(p).name != METADATA)
    return [_owner(path, people) for path in without_common_folder(kept)]


def without_common_folder(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Paths with the one folder that all lie in taken off, unless that folder is a student's."""
    tops = {p.split("/", 1)[0] for p in paths}
    if len(tops) == 1 and all("/" in p for p in paths):
        top = tops.pop()
        platform = MOODLE.fullmatch(top.rstrip("_")) or GRADESCOPE.fullmatch(top)
        # with files right in it, it is a student's own folder; with folders in it, the class's
        flat = (CANVAS, CANVAS_BLIND, MOODLE)
        inner = [p.split("/")[1] for p in paths]
        if not platform and any(
            p.count("/") > 1 or any(f.fullmatch(head) for f in flat)
            for p, head in zip(paths, inner, strict=True)
        ):
            return [(p, p.split("/", 1)[1]) for p in paths]
    return [(p, p) for p in paths]


def _owner(path: tuple[str, str], people: Mapping[str, str]) -> Owned:
    whole, inner = path
    head, _, rest = inner.partition("/")
    if rest:
        if match := GRADESCOPE.fullmatch(head):
            return Owned(whole, match["id"], people.get(match["id"], head), rest)
        if match := MOODLE_FOLDER.fullmatch(head.rstrip("_")):
            return Owned(whole, match["id"], _blind(match["name"], match["id"]), rest)
        return Owned(whole, head, head, rest)
    # with two marks nobody can tell which is Moodle's, and which a name's or a file's
    if (match := MOODLE.fullmatch(head)) and match["file"] and head.count("_assignsubmission_") == 1:
        return Owned(whole, match["id"], _blind(match["name"], match["id"]), match["file"])
    if match := CANVAS_BLIND.fullmatch(head):
        return _canvas(whole, match, f"anon_{match['id']}")
    if match := CANVAS.fullmatch(head):
        return _canvas(whole, match, match["name"] or match["id"])
    return Owned(whole, PurePosixPath(head).stem, PurePosixPath(head).stem, head)


def _blind(name: str, number: str) -> str:
    return f"Participant {number}" if name == "Participant" else name


def _canvas(path: str, match: re.Match[str], name: str) -> Owned:
    file, number = match["file"], 0
    if again := REPEATED.fullmatch(file):
        file, number = again["stem"] + again["suffix"], int(again["number"])
    return Owned(path, match["id"], name, file, bool(match["late"]), number)


def unnamed(file: Owned, exercises: Iterable[str]) -> bool:
    """Whether a file is a notebook or a script whose name tells no exercise."""
    return file.file.endswith(SUFFIXES) and not any(_called(file, e) for e in exercises)


def choose(files: Sequence[Owned], exercises: Sequence[str], only: str | None) -> list[Chosen]:
    """What to grade: for each student and exercise one file, or a problem in words. Nothing is guessed.

    only: the exercise of all files; without it a file is of the exercise that it is called after.
    """
    students: dict[str, list[Owned]] = {}
    for one in files:
        students.setdefault(one.student, []).append(one)
    return [c for own in students.values() for c in _of_student(own, exercises, only)]


def _of_student(own: list[Owned], exercises: Sequence[str], only: str | None) -> list[Chosen]:
    code = [f for f in own if f.file.endswith(SUFFIXES)]
    first = own[0]
    if not code:
        have = ", ".join(sorted(f.file for f in own)[:5])
        return [_problem(first, only or "", f"no {' or '.join(SUFFIXES)} file; it has {have}")]
    if only:
        named = [f for f in code if _called(f, only)]
        return [_one(named or code, code, only)]
    chosen: list[Chosen] = []
    known = {f.file for f in code if any(_called(f, exercise) for exercise in exercises)}
    for exercise in exercises:
        named = [f for f in code if _called(f, exercise)]
        if named:
            others = [] if chosen else [f for f in code if f.file not in known]
            chosen.append(_one(named, named + others, exercise))
    books = [f for f in code if f.file.endswith(".ipynb") or f.flat]
    if not chosen and books and set(NOTEBOOK) & set(exercises):
        candidates = [replace(_one(books, code, e), shared=True) for e in NOTEBOOK if e in exercises]
        return candidates if not candidates[0].problem else candidates[:1]
    if not chosen:
        names = ", ".join(sorted({f.file for f in code})[:5])
        chosen.append(
            _problem(code[0], "", f"no file is called after an exercise ({names}); --exercise names it")
        )
    return chosen


def _called(file: Owned, exercise: str) -> bool:
    """Whether a file is called after an exercise: ex1.py; gpt.ex1.py, gpt-ex1.py, ex1.py in a folder gpt.

    A notebook of ours is the one it was derived for, whatever it is called.
    """
    if file.declared:
        return file.declared == exercise
    path = PurePosixPath(file.file).with_suffix("")
    group, _, name = exercise.rpartition(".")
    if not group:
        return path.name == name and path.parent.name not in SETS.keys() - {CORE}
    return path.name in (exercise, f"{group}-{name}") or (path.name == name and path.parent.name == group)


def _one(candidates: list[Owned], code: list[Owned], exercise: str) -> Chosen:
    """The newest of one file's uploads; a problem where different files could be meant."""
    if len({f.file for f in candidates}) > 1:
        names = ", ".join(sorted({f.file for f in candidates})[:5])
        return _problem(candidates[0], exercise, f"several files could be {exercise}: {names}")
    newest = max(candidates, key=lambda f: f.number)
    if sum(f.number == newest.number for f in candidates) > 1:
        return _problem(
            newest, exercise, f"{newest.file} was handed in twice, and nothing tells which is newer"
        )
    notes = []
    if len(candidates) > 1:
        notes.append(f"the newest of {len(candidates)} uploads")
    if others := sorted({f.file for f in code} - {newest.file}):
        notes.append(f"not graded: {', '.join(others[:5])}")
    if newest.late:
        notes.append("late")
    n = newest
    return Chosen(n.path, n.student, n.name, exercise, n.file, n.late, "; ".join(notes))


def _problem(one: Owned, exercise: str, problem: str) -> Chosen:
    return Chosen(one.path, one.student, one.name, exercise, one.file, one.late, problem=problem)
