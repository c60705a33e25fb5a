"""Reading uploads without trusting them: folders and zips. Nothing is extracted to disk.

Links, devices, pipes, absolute and climbing paths, control characters, two names that differ only by
case, members that lie about their size, and bombs are refused, each with a line that names it.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from grader.core.errors import Unreadable, UsageError
from grader.core.limits import MAX_METADATA, MAX_NOTEBOOK, MAX_SOURCE
from grader.core.text import text
from grader.submissions.choosing import Chosen, choose, is_code, plainly, unnamed
from grader.submissions.owners import (
    BLACKBOARD,
    GRADESCOPE,
    IGNORED,
    METADATA,
    Owned,
    composed,
    listed_owner,
    owners,
    without_common_folder,
)
from grader.submissions.script import LECTURE, declared, is_flat
from grader.suite.files import most, read_file, too_large

MAX_MEMBERS = 50_000
DEEPEST = 50  # folders in one another
MAX_RATIO = 100
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
PACKED, HEAD = b"PK\3\4", 200  # how a zip begins; bytes that are looked at
MAX_INNER = 200  # members of a student's own zip
NOTED = re.compile(r"\ufeff?Name: (.+) \(([^()\n]+)\)\s*(?:\n|$)")  # how Blackboard's .txt begins
RUBY = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[-+]\d\d:?\d\d)")


class Source(Protocol):
    """A folder or a zip: what it is called, the files in it, what was refused, and a file's bytes."""

    label: str

    def files(self) -> Sequence[str]: ...

    def refused(self) -> Mapping[str, str]: ...

    def read(self, path: str, limit: int = MAX_SOURCE) -> bytes: ...


class Folder:
    """Files below a folder. Links are not followed."""

    def __init__(self, path: Path, only: str | None = None, without: Path | None = None) -> None:
        """only: take this one file and look at nothing else. without: a folder that is left out."""
        self.without = without.resolve() if without else None
        self.path, self.label, self._single = path, str(path), only is not None
        self._refused: dict[str, str] = {}
        self._files = sorted(self._walk()) if only is None else [only]

    def _walk(self) -> Iterator[str]:
        def unreadable(error: OSError) -> None:
            path = os.path.relpath(str(error.filename), self.path)
            self._refused[path] = f"can't be read ({error.strerror})"

        for base, folders, names in os.walk(self.path, onerror=unreadable):
            folders[:] = sorted(
                f for f in folders if not self.without or Path(base, f).resolve() != self.without
            )
            here = os.path.relpath(base, self.path)
            if folders and here.count(os.sep) >= DEEPEST:
                self._refused[here] = f"has folders more than {DEEPEST} deep"
                folders.clear()
            elif not folders and not names and plainly(here).endswith((".py", ".ipynb", ".zip")):
                self._refused[here] = "is an empty folder"
            for name in [f for f in folders if os.path.islink(os.path.join(base, f))]:
                self._refused[os.path.relpath(os.path.join(base, name), self.path)] = "is a link"
            for name in names:
                path = os.path.relpath(os.path.join(base, name), self.path)
                if why := _strange(path):
                    self._refused[path] = why
                else:
                    yield path

    def files(self) -> Sequence[str]:
        return self._files

    def refused(self) -> Mapping[str, str]:
        return self._refused

    def read(self, path: str, limit: int = MAX_SOURCE) -> bytes:
        if self._single:  # all of its path has been named, perhaps by a shell's *
            return read_file(self.path / path, limit)
        return read_file(Path(path), limit, self.path)


class Zip:
    """Members of a zip, read into memory one at a time."""

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        """data: its bytes, where it lies in another one."""
        self.label = str(path)
        self._refused: dict[str, str] = {}
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            if data is None:
                file = open(path, "rb")  # noqa: SIM115 -- lives as long as this object
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise UsageError(f"{path} is not a file")
            self._zip = zipfile.ZipFile(file if data is None else io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise UsageError(f"{path} is not a zip, or a damaged one ({text(str(error), 80)})") from None
        except OSError as error:
            raise UsageError(f"{path} can't be read: {error.strerror}") from None
        members = self._zip.infolist()
        if len(members) > MAX_MEMBERS:
            raise UsageError(f"{path} has {len(members)} members, more than {MAX_MEMBERS}")
        folded: dict[str, str] = {}
        for info in members:
            name = info.filename
            if "\\" in name and "/" not in name and info.create_system != 3:
                name = name.replace("\\", "/")  # as some programs of Windows write it
            if name.endswith("/"):
                continue
            why = _strange(name) or _strange_member(info)
            if not why and folded.setdefault(unicodedata.normalize("NFC", name).casefold(), name) != name:
                why = (
                    f"has the same name as {text(folded[unicodedata.normalize('NFC', name).casefold()], 80)}"
                )
            if not why and (name in self._members or name in self._refused):
                why = "is there twice"
            if why:
                self._refused[name] = why
                self._members.pop(name, None)
            else:
                self._members[name] = info

    def files(self) -> Sequence[str]:
        return list(self._members)

    def refused(self) -> Mapping[str, str]:
        return self._refused

    def read(self, path: str, limit: int = MAX_SOURCE) -> bytes:
        info = self._members[path]
        if info.file_size > limit:
            raise too_large(info.file_size, limit)
        try:
            with self._zip.open(info) as member:
                data = member.read(limit + 1)
        except Exception as error:  # BadZipFile, zlib.error, lzma.LZMAError: each codec has its own
            raise Unreadable(f"is damaged ({text(str(error), 80)})") from None
        if len(data) != info.file_size:
            raise Unreadable("is damaged (its size is not the one it states)")
        return data


def _strange(path: str) -> str:
    """Why a path is not to be taken, or nothing."""
    if len(path) > 1000:
        return "has a path of more than 1000 characters"
    if not path.isprintable() and any(unicodedata.category(ch) in UNSEEN for ch in path):
        return "has a control character in its name"
    if not path:
        return "has no name"
    if "\\" in path or path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return "has an absolute path, or one of another system"
    if ".." in PurePosixPath(path).parts:
        return "climbs out of its folder"
    return ""


def _strange_member(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.file_size > 1 << 20 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return "unpacks to more than a hundred times its size"
    return ""


class Opened:
    """A folder or zip in which students' own zips are opened: one level, under the same limits."""

    def __init__(self, source: Source) -> None:
        self.source, self.label = source, source.label
        self._inner: dict[str, tuple[str, str]] = {}  # by path the zip's, and the path in it
        self._files: list[str] = []
        self._refused = dict(source.refused())
        for path in source.files():
            if path.lower().endswith(".zip") and not IGNORED.search(path):
                self._open(path)
            else:
                self._files.append(path)

    def _open(self, path: str) -> None:
        try:
            zipped = self._zip(path)
        except (Unreadable, UsageError) as error:
            self._refused[path] = str(error).removeprefix(f"{path} ")
            return
        if len(zipped.files()) > MAX_INNER:
            why = (
                f"has {len(zipped.files())} files, more than {MAX_INNER}: of a class's zip name its own path"
            )
            self._refused[path] = why
            return
        here = {f"{path}/{name}": (path, name) for name in zipped.files()}
        self._inner |= here
        self._files += here or [path]
        self._refused |= {f"{path}/{name}": why for name, why in zipped.refused().items()}

    def files(self) -> Sequence[str]:
        return sorted(self._files)

    def refused(self) -> Mapping[str, str]:
        return self._refused

    def read(self, path: str, limit: int = MAX_SOURCE) -> bytes:
        if path in self._inner:
            outer, name = self._inner[path]
            return self._zip(outer).read(name, limit)
        return self.source.read(path, limit)

    def _zip(self, path: str) -> Zip:
        """Read anew each time: a class's zips together may be larger than memory."""
        return Zip(Path(path), self.source.read(path, MAX_NOTEBOOK))


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
        return data


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
    whose: the owners of files, by path, which go before all names. named: a student whom a file's name
    tells, or nothing.
    """

    exercises: Sequence[str]
    only: str | None = None
    teams: Mapping[str, Sequence[str]] | None = None
    released: Callable[[bytes], bool] = lambda data: False
    out: Path | None = None
    whose: Mapping[str, str] = field(default_factory=dict)
    named: Callable[[str], str] = lambda stem: ""


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
    files = source.files()
    within = dict(without_common_folder([f for f in files if not IGNORED.search(f)]))
    submitters, times = _people(source, within)
    people = {n: ", ".join(name for name, *_ in who) for n, who in submitters.items()}
    people |= _noted(source, within)
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
    chosen = choose(told, intake.exercises, intake.only, intake.teams)
    refused = source.refused()
    whose = {one.path: _whose(one, intake) for one in owners([*files, *refused], people, alone)}
    for path, why in sorted(refused.items()):
        who = (whose[path].student, whose[path].name) if path in whose else (path, path)
        chosen.append(Chosen(path, *who, intake.only or "", path, problem=f"refused: it {why}"))
    numbers = [_number(within.get(c.path, "")) for c in chosen]
    return [
        Upload(_id(source, c), c, source, times.get(n), submitters.get(n, ()))
        for c, n in zip(chosen, numbers, strict=True)
    ]


def _whose(one: Owned, intake: Intake) -> Owned:
    if listed := listed_owner(one.path, intake.whose):
        return listed
    who = intake.named(one.student) if one.nameless else ""
    return replace(one, student=who, name=who, nameless=False) if who else one


def _noted(source: Source, within: Mapping[str, str]) -> dict[str, str]:
    """Names by user from the notes beside Blackboard's attempts: their first line is no student's."""
    found: dict[str, str] = {}
    for path, inner in within.items():
        if (match := BLACKBOARD.fullmatch(inner)) and match["note"] and match["id"] not in found:
            try:
                head = source.read(path, MAX_METADATA)[:2000].decode("utf-8", "replace")
            except Unreadable:
                continue
            if (name := NOTED.match(head)) and name[2] == match["id"]:
                found[match["id"]] = name[1]
    return found


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


def _number(path: str) -> str:
    """Gradescope's submission id of a file, by its path in the export; empty where it has none."""
    match = GRADESCOPE.fullmatch(path.split("/", 1)[0])
    return match["id"] if match else ""


Submitters = dict[str, tuple[tuple[str, ...], ...]]


def _people(source: Source, within: Mapping[str, str]) -> tuple[Submitters, dict[str, datetime]]:
    """Who and when by submission id from Gradescope's metadata; none where it isn't there or readable.

    within: by path a file's path in the export. A list that lies elsewhere than at its top is a student's.
    """
    metadata = next((path for path, inner in within.items() if inner == METADATA), None)
    if metadata is None or not any(map(_number, within.values())):
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
        number = key.removeprefix("submission_")
        told = [
            [_known(s.get(k)) for k in (":name", ":sid", ":email")] for s in submitters if isinstance(s, dict)
        ]
        people[number] = tuple((name, *ids) for name, *ids in told if name) or ((key,),)
        if at := _time(entry.get(":created_at")):
            times[number] = at
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
