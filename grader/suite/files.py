"""A file's bytes: read where others write, and replaced whole. No link is followed."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from grader.core.errors import Unreadable, UsageError
from grader.core.limits import MAX_NOTEBOOK, MAX_SOURCE
from grader.core.text import text

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

STEPS = hasattr(os, "O_NOFOLLOW") and os.open in os.supports_dir_fd  # else (Windows) links are looked for
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_PATH", 0)  # to go through it will do
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
TRIES, PAUSE = (
    20,
    0.05,
)  # to put a file in the place of one that another program has open; seconds between two


def read_file(path: Path, limit: int = MAX_SOURCE, folder: Path | None = None) -> bytes:
    """A regular file's bytes; no link is followed on the way to it, no pipe waited for. Unreadable says why.

    folder: where a relative path begins, itself a link or not; the current one by default.
    """
    fd = _opened(path, folder)
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise Unreadable("is not a file")
        if info.st_size > limit:
            raise too_large(info.st_size, limit)
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(fd)


def too_large(size: int, limit: int) -> Unreadable:
    return Unreadable(f"is too large ({size} bytes, at most {limit})")


def _opened(path: Path, folder: Path | None) -> int:
    """A file, opened folder by folder, so that nobody can put a link in the place of one in between.

    Linux's openat2 does the same in one call, which Python doesn't have.
    """
    if not STEPS:
        return _looked(path, folder)
    *between, name = path.relative_to(path.anchor).parts or (".",)
    at, part, last = -1, "", False
    try:
        at = os.open(path.anchor or folder or ".", FOLDER)
        for part in between:
            inner = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        part, last = name, True
        return os.open(name, READ, dir_fd=at)
    except OSError as error:
        if not _is_link(part, at):
            raise Unreadable(f"can't be read ({error.strerror})") from None
        raise Unreadable("is a link" if last else f"lies behind a link, {text(part, 80)}") from None
    finally:
        if at >= 0:
            os.close(at)


def _looked(path: Path, folder: Path | None) -> int:
    """The same where nothing can be opened in an open folder: between look and opening it may change."""
    whole = (folder or Path()) / path
    for one in (*reversed(path.parents), path):
        if one.name and is_link((folder or Path()) / one):
            why = "is a link" if one == path else f"lies behind a link, {text(one.name, 80)}"
            raise Unreadable(why)
    if whole.is_dir():  # which can't be opened
        raise Unreadable("is not a file")
    try:
        return os.open(whole, READ)
    except OSError as error:
        raise Unreadable(f"can't be read ({error.strerror})") from None


def is_link(path: Path) -> bool:
    """Whether a path is a link, or what Windows has besides: a junction."""
    try:
        info = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISLNK(info.st_mode) or getattr(info, "st_reparse_tag", 0) == JUNCTION


def _is_link(name: str, folder: int) -> bool:
    try:
        return folder >= 0 and stat.S_ISLNK(os.lstat(name, dir_fd=folder).st_mode)
    except OSError:
        return False


def most(path: str) -> int:
    """The bytes that a submission's file may have."""
    return MAX_NOTEBOOK if path.endswith(".ipynb") else MAX_SOURCE


def writable(path: Path, option: str) -> Path:
    """A path that a file can be written to, as far as can be seen; else UsageError."""
    if path.is_dir():
        raise UsageError(f"{option} {path} is a folder: name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once it is whole; until then, or on an error, that stays.

    It is written as `path` with .new behind; what lies there was left by a process that was ended.
    """
    new = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, WRITE, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        moved(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def moved(new: Path, path: Path) -> None:
    """Put a file in the place of another. On Windows one that another program has open can't be replaced: it
    is tried for a second, and then the OSError says so.
    """
    for left in reversed(range(TRIES)):
        try:
            os.replace(new, path)
            return
        except PermissionError:
            if STEPS:
                raise
            if not left:
                raise OSError(errno.EACCES, "it is open in another program: close it there", path) from None
            time.sleep(PAUSE)


@contextlib.contextmanager
def locked(file: IO[Any], wait: bool = True) -> Iterator[None]:
    """Held by one process at a time; BlockingIOError where another has it and it is not to be waited for.

    Closing the file gives it back, as does the end of the process.
    """
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    else:
        from filelock import FileLock, Timeout  # torch needs it too

        try:
            with FileLock(f"{file.name}.held", timeout=-1 if wait else 0):
                yield
        except Timeout:
            raise BlockingIOError from None


def replaced(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what is there: then UsageError."""
    with refusing(f"{path} can't be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(content)


def free(path: Path, numbered: Callable[[int], str]) -> Path:
    """The first of a path and its numbered names, from 2 up, at which nothing lies."""
    names = itertools.chain((path.name,), map(numbered, itertools.count(2)))
    return next(p for name in names if not os.path.lexists(p := path.with_name(name)))


@contextlib.contextmanager
def refusing(what: str) -> Iterator[None]:
    """An error of the system's is a UsageError: `what`, and why."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{what}: {error.strerror}") from None
