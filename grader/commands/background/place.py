"""Where the server lives, and which one it is. Imports next to nothing."""

from __future__ import annotations

import os
import stat
import sys
import zlib

from grader import __version__

PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Two checkouts of one user, or two environments, share the folder: each has a server of its own there.
OWN = f"{zlib.crc32(os.fsencode(chr(0).join((PACKAGE, sys.prefix)))):08x}"
SOCKET, LOCK, LOG = f"{OWN}.socket", f"{OWN}.lock", f"{OWN}.log"


def home() -> str | None:
    """The runtime directory, made where it is missing; None where there is none that is ours alone."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(base) and _private(base):
        path = os.path.join(base, "grader")
    else:
        base = os.environ.get("TMPDIR", "")
        path = os.path.join(base if os.path.isabs(base) else "/tmp", f"grader-{os.getuid()}")
    try:
        os.mkdir(path, 0o700)
    except OSError:  # it is there, or can't be made
        pass
    return path if _private(path) else None


def _private(path: str) -> bool:
    """Whether this is a directory of ours that nobody else may enter. No link is followed."""
    try:
        info = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.getuid() and not info.st_mode & 0o077


def identity() -> str:
    """What has to be the same in a server that may answer: the interpreter, this code, what is installed.

    Of files it takes the newest time of change, their number and their sizes.
    """
    newest = count = size = 0
    todo = [PACKAGE]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.name.endswith(".py"):
                    info = entry.stat()
                    newest, count, size = max(newest, info.st_mtime_ns), count + 1, size + info.st_size
                elif entry.name != "__pycache__" and entry.is_dir():
                    todo.append(entry.path)
    installed = [os.stat(p).st_mtime_ns for p in sys.path if p.endswith("site-packages") and os.path.isdir(p)]
    return "|".join(
        map(str, (__version__, sys.executable, sys.version, PACKAGE, newest, count, size, installed))
    )
