"""Reading uploads without trusting them: folders and zips. Nothing is extracted to disk.

Links, devices, pipes, absolute and climbing paths, control characters, two names that differ only by
case, members that lie about their size, and bombs are refused, each with a line that names it.
"""

from __future__ import annotations

import io
import os
import stat
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from grader.core.errors import Unreadable, UsageError
from grader.core.limits import MAX_NOTEBOOK, MAX_SOURCE
from grader.core.text import text
from grader.submissions.choosing import plainly
from grader.submissions.owners import IGNORED
from grader.suite.files import read_file, too_large

MAX_MEMBERS = 50_000
DEEPEST = 50  # folders in one another
MAX_RATIO = 100
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
MAX_INNER = 200  # members of a student's own zip


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
