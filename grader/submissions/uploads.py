"""What a class has handed in: of its folders and zips, what is graded of whom, and why not."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from grader.core import parsing
from grader.core.errors import Unreadable, UsageError
from grader.core.limits import MAX_METADATA
from grader.core.text import text
from grader.submissions.choosing import Chosen, choose, is_code, plainly, unnamed
from grader.submissions.files import Folder, Opened, Source, Zip
from grader.submissions.owners import (
    BLACKBOARD,
    GRADESCOPE,
    IGNORED,
    MEMBERS,
    METADATA,
    STAMP,
    Owned,
    blackboard_user,
    composed,
    handed_in,
    listed_owner,
    owners,
    without_common_folder,
)
from grader.submissions.script import LECTURE, declared, is_flat
from grader.suite.files import most

PACKED, HEAD = b"PK\3\4", 200  # how a zip begins; bytes that are looked at
MEMBER = re.compile(r"\(([^()\s]+)\)(?:;|$)")  # as Sakai lists a group: Lee, Ann(alee); Ray, Bo(bray)
NOTED = re.compile(r"\ufeff?Name: (.+) \(([^()\n]+)\)\s*(?:\n|$)")  # how Blackboard's .txt begins
RUBY = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[-+]\d\d:?\d\d)")


@dataclass(frozen=True)
class Upload:
    """One submission of a batch: what was chosen, and where its bytes are. id: its path, unique."""

    id: str
    chosen: Chosen
    source: Source
    submitted: datetime | None = None  # where the platform tells
    submitters: tuple[tuple[str, ...], ...] = ()  # name, number and address of each, where it tells

    def read(self) -> bytes:
        """Its text. Unreadable where it has none: that is told, and is nobody's zero."""
        data = as_utf8(self.source.read(self.chosen.path, most(plainly(self.chosen.path))))
        if not data.strip():
            raise Unreadable("is empty")
        if data.startswith(PACKED):
            raise Unreadable("is a zip that is called as a program: call it .zip, or hand in what is in it")
        if 3 * data[:HEAD].count(0) > len(data[:HEAD]):  # UTF-16 without its mark
            raise Unreadable("is no text: save it as UTF-8")
        if plainly(self.chosen.path).endswith(".py"):
            _as_python_reads_it(data)
        return data


def _as_python_reads_it(data: bytes) -> None:
    """Unreadable, with the repair, where Python refuses a text for its encoding or a NUL."""
    encoding, at = "utf-8-sig", data.find(0)
    try:
        if at < 0:
            encoding = parsing.encoding(data)
            data.decode(encoding)
            return
        why = "a NUL, which Python refuses: delete it"
    except UnicodeDecodeError as error:
        at = error.start
        name = encoding.removesuffix("-sig").upper()
        why = f"a byte that is not {name}, which Python refuses: save it as UTF-8"
    except (SyntaxError, LookupError) as error:
        raise Unreadable(
            f"begins with a wrong coding line ({text(str(error), 80)}): save it as UTF-8"
        ) from None
    raise Unreadable(f"has in line {data.count(10, 0, at) + 1} {why}")


def as_utf8(data: bytes) -> bytes:
    """A text saved as UTF-16, as by some editors of Windows, for Python to read. Unreadable if it is none."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    try:
        return data.decode("utf-16").encode()
    except UnicodeError:
        raise Unreadable("begins as UTF-16 and is none") from None


@dataclass(frozen=True)
class Intake:
    """How a class's files are read. only: the exercise of all; teams: the members of each.

    released: whether a file's bytes are as they were released. out: a folder that is no student's.
    whose: the owners, by a file's path or what the platform calls one, which go before all names. named: a
    student whom a file's name tells, or nothing. ids: of the roster.
    """

    exercises: Sequence[str]
    only: str | None = None
    teams: Mapping[str, Sequence[str]] | None = None
    released: Callable[[bytes], bool] = lambda data: False
    out: Path | None = None
    whose: Mapping[str, str] = field(default_factory=dict)
    named: Callable[[str], str] = lambda stem: ""
    ids: frozenset[str] = frozenset()


def uploads(paths: Sequence[Path], intake: Intake) -> list[Upload]:
    """Everything to grade below `paths` (folders, zips, files), in a fixed order."""
    found: list[Upload] = []
    there: set[str] = set()
    for path in paths:
        if path.is_dir():
            source: Source = Folder(path, without=intake.out)
        elif path.suffix.lower() == ".zip":
            source = Zip(path)
        elif path.exists():
            source = Folder(path.parent, only=path.name)
        else:
            raise UsageError(f"{path} does not exist")
        opened = Opened(source)
        if intake.whose:
            alone = Path(opened.label).resolve().name
            there |= {one.student for one in owners(opened.files(), {}, alone) if not one.nameless}
            there |= {
                p for f in map(composed, opened.files()) for p in (f, *map(str, PurePosixPath(f).parents))
            }
        found += _of_source(opened, intake)
    if unknown := intake.whose.keys() - there:
        example = text(min(there - {"."}, key=lambda p: (not is_code(p), p)), 200)
        raise UsageError(f"--owners: no file here is {text(min(unknown), 200)}: name it as here, {example}")
    seen: set[str] = set()
    for upload in found:
        if upload.id in seen:
            raise UsageError(f"{text(upload.id)} is named twice")
        seen.add(upload.id)
    return found


def _of_source(source: Source, intake: Intake) -> list[Upload]:
    kept = {*handed_in([*source.files(), *source.refused()])}
    files = [f for f in source.files() if f in kept]
    within = dict(without_common_folder([f for f in files if not IGNORED.search(f)]))
    submitters, times = _people(source, within)
    people = {n: ", ".join(name for name, *_ in who) for n, who in submitters.items()}
    noted, stamps, teams = _noted(source, within)
    people |= noted
    if any(map(BLACKBOARD.fullmatch, within.values())):
        people = {i: i for i in intake.ids} | people
    alone = Path(source.label).resolve().name
    several: dict[str, int] = {}
    owned = [_whose(one, intake) for one in owners(files, people, alone)]
    for one in owned:
        several[one.student] = several.get(one.student, 0) + is_code(one.file)
    told = [
        _told(source, one, intake.released if several[one.student] > 1 else None)
        if unnamed(one, intake.exercises) or (several[one.student] > 1 and is_code(one.file))
        else one
        for one in owned
    ]
    chosen = choose(told, intake.exercises, intake.only, {**teams, **(intake.teams or {})})
    refused = {path: why for path, why in source.refused().items() if path in kept}
    whose = {one.path: _whose(one, intake) for one in owners([*files, *refused], people, alone)}
    for path, why in sorted(refused.items()):
        who = (whose[path].student, whose[path].name) if path in whose else (path, path)
        chosen.append(Chosen(path, *who, intake.only or "", path, problem=f"refused: it {why}"))
    times |= stamps
    heads = [within.get(c.path, "").partition("/")[0] for c in chosen]
    return [
        Upload(_id(source, c), c, source, times.get(head), submitters.get(head, ()))
        for c, head in zip(chosen, heads, strict=True)
    ]


def _whose(one: Owned, intake: Intake) -> Owned:
    if listed := listed_owner(one.path, intake.whose):
        return listed
    who = intake.named(one.student) if one.nameless else intake.whose.get(one.student)
    return replace(one, student=who, name=who, nameless=False) if who else one


def _noted(
    source: Source, within: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, datetime], dict[str, list[str]]]:
    """What is no student's to write: names by user, from the first lines of the notes beside Blackboard's
    attempts; by Sakai's folder the time in it, and the members of a group's.
    """
    names: dict[str, str] = {}
    times: dict[str, datetime] = {}
    teams: dict[str, list[str]] = {}
    for path, inner in within.items():
        folder, _, file = inner.partition("/")
        match = BLACKBOARD.fullmatch(inner)
        if not (match and match["note"] or folder.endswith(")") and file in (STAMP, MEMBERS)):
            continue
        try:
            head = source.read(path, MAX_METADATA).decode("utf-8", "replace").strip()
        except Unreadable:
            continue
        if file == MEMBERS:
            teams[folder] = MEMBER.findall(head)
        elif file and (at := _stamp(head)):
            times[folder] = at
        elif match and (name := NOTED.match(head)) and blackboard_user(match, (name[2],)) == name[2]:
            names[name[2]] = name[1]
    return names, times, teams


def _stamp(told: str) -> datetime | None:
    """Sakai's time of a submission, in UTC: 2026-11-20T21:52:11.200Z, or of older ones 20261120215211200."""
    digits = "".join(filter(str.isdecimal, told))[:14]
    with contextlib.suppress(ValueError):
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return None


def _told(source: Source, one: Owned, released: Callable[[bytes], bool] | None) -> Owned:
    """A file with what its content tells: of its exercise, and whether it is as it was released."""
    try:
        data = as_utf8(source.read(one.path, most(plainly(one.path))))
    except Unreadable:  # which is told when it is to be graded
        return one
    flat = plainly(one.file).endswith(".py") and is_flat(data.decode("utf-8", "replace"), LECTURE)
    untouched = bool(released and released(data))
    return replace(one, declared=declared(data), flat=flat, untouched=untouched)


def _id(source: Source, chosen: Chosen) -> str:
    path = f"{source.label}/{chosen.path}"
    who = f" of {chosen.student}" if chosen.team else ""
    return f"{path}{who} ({chosen.exercise})" if chosen.shared else f"{path}{who}"


Submitters = dict[str, tuple[tuple[str, ...], ...]]


def _people(source: Source, within: Mapping[str, str]) -> tuple[Submitters, dict[str, datetime]]:
    """Who and when by a submission's folder, of Gradescope's metadata; none where that isn't readable.

    within: by path a file's path in the export. A list that lies elsewhere than at its top is a student's.
    """
    metadata = next((path for path, inner in within.items() if inner == METADATA), None)
    if metadata is None or not any(GRADESCOPE.fullmatch(p.split("/")[0]) for p in within.values()):
        return {}, {}
    import yaml

    try:
        # BaseLoader makes texts of everything: no tag of the file's is followed
        document = yaml.load(source.read(metadata, MAX_METADATA), Loader=yaml.BaseLoader)
    except (yaml.YAMLError, Unreadable, ValueError, RecursionError):
        return {}, {}
    people: Submitters = {}
    times: dict[str, datetime] = {}
    for key, entry in document.items() if isinstance(document, dict) else ():
        submitters = entry.get(":submitters") if isinstance(entry, dict) else None
        if not isinstance(key, str) or not isinstance(submitters, list):
            continue
        told = [
            [_known(s.get(k)) for k in (":name", ":sid", ":email")] for s in submitters if isinstance(s, dict)
        ]
        folder = f"submission_{key.removeprefix('submission_')}"
        people[folder] = tuple((name, *ids) for name, *ids in told if name) or ((key,),)
        at = entry.get(":created_at")
        if at := _time(at.get("utc") if isinstance(at, dict) else at):  # Rails' own times are objects
            times[folder] = at
    return people, times


def _known(told: object) -> str:
    return told if isinstance(told, str) and told not in ("null", "~") else ""


def _time(told: object) -> datetime | None:
    """A time as Ruby writes it into YAML, 2026-11-22 18:30:01.123456000 Z, if it tells its offset."""
    if not isinstance(told, str) or not (match := RUBY.fullmatch(told)):
        return None
    day, time, offset = match.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{offset}")
    except ValueError:
        return None
