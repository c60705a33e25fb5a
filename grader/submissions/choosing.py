"""Which of a student's files is graded for which exercise. Pure; nothing is guessed, everything is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath

from grader.core.course import CORE, NOTEBOOK, SETS
from grader.submissions.owners import SERVICE, Owned

SUFFIXES = (".py", ".ipynb")
ADDED = re.compile(r"(?<=\.py)\.txt$|(?<=\.ipynb)\.(?:txt|json)$")
NOBODYS = -1  # in place of an upload's number
FINAL = ("final", "new", "fixed", "corrected", "latest", "neu")
# what a browser, a platform or a student puts behind the name of one more attempt
MARK = re.compile(rf"(?:[ _]?\((?P<n>\d+)\)|[-_ ]v?(?P<m>\d+)|[-_ ](?P<word>{'|'.join(FINAL)}))$")
# Google's, of a copy made
COPY = re.compile(r"(?i)^(?:copy of|kopie van|kopie von|copie de|copia de|cópia de) ")
IN_ZIP = re.compile(r"(?i)(\.zip)/.*")
MORE = ("-", "_", " ", ".", "(")  # what may stand between an exercise and one more name


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
    attempts: int = 1  # how many the student made, of which this is the newest
    time: datetime | None = None  # of the attempt, without an offset, where the platform's name tells
    team: str = ""
    nameless: bool = False  # nothing tells whose it is but what the file is called
    nobodys: bool = False  # and that is what others are called, too
    # of whom nothing is here: "absent", or by a roster "unknown" where a file may be theirs
    absent: str = ""


@dataclass(frozen=True)
class Called:
    """How a file is called after an exercise: without its marks, and how new these say that it is."""

    base: str
    newness: tuple[int, int] = (0, 0)
    exact: bool = field(default=True, compare=False)


def is_code(file: str) -> bool:
    return plainly(file).endswith(SUFFIXES)


def plainly(file: str) -> str:
    """A file's name in small letters, without what a system or a browser that hides endings has added."""
    return ADDED.sub("", file.lower())


def unnamed(file: Owned, exercises: Iterable[str]) -> bool:
    """Whether a file is a notebook or a script whose name tells no exercise."""
    return is_code(file.file) and not any(called(file, e) for e in exercises)


def choose(
    files: Sequence[Owned],
    exercises: Sequence[str],
    only: str | None,
    teams: Mapping[str, Sequence[str]] | None = None,
) -> list[Chosen]:
    """What to grade: for each student and exercise one file, or a problem in words.

    only: the exercise of all files; without it a file is of the exercise that it is called after.
    teams: the members of each, by its name; each of them gets what the team handed in.
    """
    teams = teams or {}
    students: dict[str, list[Owned]] = {}
    for one in files:
        students.setdefault(one.student, []).append(one)
    found: list[Chosen] = []
    for own in _named(list(students.values()), exercises):
        first = own[0]
        chosen = [_with_later(c, own) for c in _of_student(own, exercises, only)]
        if members := teams.get(first.name):
            found += [replace(c, student=m, name=m, team=first.name) for m in members for c in chosen]
        elif first.team:
            why = f"{first.name} is a team's: --teams FILE, a CSV of team,student, says who is in it"
            found.append(_problem(first, only or "", why))
        else:
            found += chosen
    return found


def _named(students: list[list[Owned]], exercises: Sequence[str]) -> list[list[Owned]]:
    """Several whose files are called after one exercise, ex1 (1) and ex1 (2), and no more, are nobody's."""
    alike: dict[str, list[list[Owned]]] = {}
    for own in students:
        first = own[0]
        if first.student == first.name:
            as_file = Owned(first.path, "", "", f"{COPY.sub('', first.student)}.py")
            for exercise in exercises:
                if (how := called(as_file, exercise)) and how.exact:
                    alike.setdefault(exercise, []).append(own)
    nobodys = [own for several in alike.values() if len(several) > 1 for own in several]
    return [[replace(o, number=NOBODYS) for o in own] if own in nobodys else own for own in students]


def _of_student(own: list[Owned], exercises: Sequence[str], only: str | None) -> list[Chosen]:
    code = [f for f in own if is_code(f.file)]
    first = own[0]
    if first.number == NOBODYS:
        why = "nothing tells whose it is, others are called so: --owners FILE says it"
        found = []
        for path in dict.fromkeys(IN_ZIP.sub(r"\1", f.path) for f in own):
            name = PurePosixPath(path).name
            one = replace(first, path=path, student=name, name=name, file=name)
            found.append(replace(_problem(one, only or "", f"{name}: {why}"), nobodys=True))
        return found
    if not code:
        have = ", ".join(sorted({f.file for f in own} - SERVICE)[:5])
        zipped = "; a zip in a zip is not opened" if any(f.file.lower().endswith(".zip") for f in own) else ""
        why = f"no {' or '.join(SUFFIXES)} file; it has {have}{zipped}" if have else "nothing is handed in"
        return [replace(_problem(first, only or "", why), absent="" if have else "absent")]
    chosen: list[Chosen] = []
    known = {f.file for f in code if any(called(f, exercise) for exercise in exercises)}
    left = [f for f in code if not f.untouched]  # a repository's as it was released is not handed in
    if not left:
        beside = ", ".join(sorted({f.file for f in own} - {f.file for f in code})[:5])
        why = f"all is as it was released: nothing is handed in{beside and f'; beside it is {beside}'}"
        return [replace(_problem(code[0], only or "", why), absent="" if beside else "absent")]
    if only:
        named = _after(left, only)
        if not named and _after(code, only) and len(left) < len(code):
            changed = ", ".join(sorted(f.file for f in left)[:5])
            why = f"{only} is as it was released: nothing is handed in for it; changed is {changed}"
            return [_problem(left[0], only, why)]
        return [_one(named or [(f, Called(f.file)) for f in left], left, only)]
    for exercise in exercises:
        named = _after(left, exercise)
        if named:
            others = [] if chosen else [f for f in code if f.file not in known]
            chosen.append(_one(named, [*(f for f, _ in named), *others], exercise))
    books = [f for f in left if plainly(f.file).endswith(".ipynb") or f.flat]
    if not chosen and books and set(NOTEBOOK) & set(exercises):
        named = [(f, Called(f.file)) for f in books]
        candidates = [replace(_one(named, code, e), shared=True) for e in NOTEBOOK if e in exercises]
        return candidates if not candidates[0].problem else candidates[:1]
    if not chosen:
        names = ", ".join(sorted({f.file for f in code})[:5])
        chosen.append(
            _problem(code[0], "", f"no file is called after an exercise ({names}); --exercise names it")
        )
    return chosen


def _with_later(chosen: Chosen, own: Sequence[Owned]) -> Chosen:
    """With a note where a later attempt holds no program at all, which is told and never taken for one."""
    newest = max((f.time for f in own if f.time), default=None)
    last = [f.file for f in own if f.time == newest]
    if chosen.problem or not newest or chosen.time == newest or any(map(is_code, last)):
        return chosen
    note = f"a later attempt has no program: {', '.join(sorted(last)[:5])}"
    return replace(chosen, note="; ".join(filter(None, (chosen.note, note))))


def _after(code: Iterable[Owned], exercise: str) -> list[tuple[Owned, Called]]:
    """The files that are called after an exercise; those with more words in their names only if alone."""
    named = [(f, how) for f in code if (how := called(f, exercise))]
    return [one for one in named if one[1].exact] or named


def called(file: Owned, exercise: str) -> Called | None:
    """How a file is called after an exercise: ex1.py; gpt.ex1.py, gpt-ex1.py, ex1.py in a folder gpt.

    ex1 (1).py, ex1-2.py and ex1_final.py are newer attempts of it, EX1.PY the same, and ex1_lee.py one more
    name. A notebook of ours is the one it was derived for, whatever it is called.
    """
    path, stem, inside, base, newness, whole = _spelt(file.file)
    if file.declared:
        return Called(whole, newness) if file.declared == exercise else None
    group, _, name = exercise.rpartition(".")
    names: tuple[str, ...] = (name,)
    if not group:
        here = inside not in SETS.keys() - {CORE}
    else:
        names, here = (exercise, f"{group}-{name}", *([name] if inside == group else [])), True
    if here and base in names:
        return Called(whole, newness)
    if here and any(stem.startswith(n) and stem[len(n) :].startswith(MORE) for n in names):
        return Called(path, exact=False)
    return None


@lru_cache(maxsize=64)  # it is held against every exercise
def _spelt(file: str) -> tuple[str, str, str, str, tuple[int, int], str]:
    """A file's path and name without its end, its folder; that name without marks of one more attempt, how
    new they say it is, and the path without them.
    """
    path = PurePosixPath(plainly(file))
    base, newness = _marks(path.stem)
    return str(path), path.stem, path.parent.name, base, newness, str(path.with_name(base + path.suffix))


def _marks(stem: str) -> tuple[str, tuple[int, int]]:
    """A name without the marks of one more attempt, and how new they say it is."""
    final = number = 0
    while (match := MARK.search(stem)) and match.start():
        final = max(final, int(bool(match["word"])))
        number = max(number, int((match["n"] or match["m"] or "0")[:9]))
        stem = stem[: match.start()]
    return stem, (final, number)


def _one(candidates: list[tuple[Owned, Called]], code: list[Owned], exercise: str) -> Chosen:
    """The newest attempt of one file; a problem where different files could be meant."""
    first = candidates[0][0]
    if len({how.base for _, how in candidates}) > 1:
        names = ", ".join(sorted({f.file for f, _ in candidates})[:5])
        why = f"several files could be {exercise}: {names}"
        if len({PurePosixPath(f.file).parent for f, _ in candidates}) > 2:
            why += "; where each folder in it is a student's, name the folder around them"
        return _problem(first, exercise, why)
    timed = all(f.time for f, _ in candidates)
    order = [
        ((f.time or datetime.min) if timed else datetime.min, f.number, how.newness) for f, how in candidates
    ]
    newest, _ = candidates[order.index(max(order))]
    if order.count(max(order)) > 1:
        why = f"{newest.file} was handed in twice, and nothing tells which is newer"
        if newest.nameless:
            paths = ", ".join(sorted(f.path for f, _ in candidates)[:5])
            why += f", or whose each is: --owners FILE says it of {paths}"
        return _problem(newest, exercise, why)
    notes = []
    if len(candidates) > 1:
        notes.append(f"the newest of {len(candidates)} uploads")
    if others := sorted({f.file for f in code} - {f.file for f, _ in candidates}):
        notes.append(f"not graded: {', '.join(others[:5])}")
    if newest.file.lower() != plainly(newest.file):
        notes.append(f"read as {PurePosixPath(newest.file).stem}")
    if newest.late:
        notes.append("late")
    return replace(_problem(newest, exercise, ""), note="; ".join(notes), attempts=len(candidates))


def _problem(one: Owned, exercise: str, problem: str) -> Chosen:
    of = (one.path, one.student, one.name, exercise, one.file, one.late)
    return Chosen(*of, problem=problem, time=one.time, nameless=one.nameless)
