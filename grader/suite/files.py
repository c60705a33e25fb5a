"""A file's bytes: read where others write, and replaced whole. No link is followed."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from grader.core.errors import Unreadable, UsageError
from grader.core.limits import MAX_NOTEBOOK, MAX_SOURCE
from grader.core.text import text

FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | getattr(os, "O_PATH", 0)  # to go through it will do


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
    *between, name = path.relative_to(path.anchor).parts or (".",)
    at, part, last = -1, "", False
    try:
        at = os.open(path.anchor or folder or ".", FOLDER)
        for part in between:
            inner = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        part, last = name, True
        return os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=at)
    except OSError as error:
        if not _is_link(part, at):
            raise Unreadable(f"can't be read ({error.strerror})") from None
        raise Unreadable("is a link" if last else f"lies behind a link, {text(part, 80)}") from None
    finally:
        if at >= 0:
            os.close(at)


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
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


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
