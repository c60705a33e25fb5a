"""Which limit a submission met, told in its own words. Imported by the zygote, used in children.

The kernel holds them (`confine`); this only names them. An audit hook turns what
seccomp would answer with a bare "operation not permitted" into a sentence.
"""

from __future__ import annotations

import errno
from typing import Any

MEMORY = 512 << 20  # address space above what the zygote has
CPU = 10  # seconds
FOLDER = 64 << 20  # bytes in the private folder
ENTRIES = 1000  # files and folders in it
FILES = 64  # open descriptors
FILE = FOLDER // FILES  # bytes in one file: what is unlinked and open is in no folder to count
PROCESSES = "started a process or a thread: a submission is one process with one thread"
NETWORK = "a submission has no network"
STARTS = {"os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen",
          "_thread.start_new_thread", "pty.spawn"}  # fmt: skip


class OverLimit(Exception):
    """A submission asked for more than it may have."""


def watch(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: say what is not to be had before the kernel refuses it."""
    if event in STARTS:
        raise OverLimit(PROCESSES)
    if event.startswith("socket."):
        raise PermissionError(NETWORK)


def met(error: BaseException) -> str | None:
    """The limit that an exception stands for, as something that the submission did; None: none."""
    if isinstance(error, OverLimit):
        return PROCESSES
    if isinstance(error, MemoryError):
        return f"used more than {MEMORY >> 20} MB of memory"
    if isinstance(error, OSError):
        return {
            errno.ENOMEM: f"used more than {MEMORY >> 20} MB of memory",
            errno.EFBIG: f"wrote a file of more than {FILE >> 20} MB",
            errno.ENOSPC: f"wrote more than {FOLDER >> 20} MB or {ENTRIES} files",
            errno.EMFILE: f"had more than {FILES} files open",
        }.get(error.errno or 0)
    if isinstance(error, RuntimeError):
        text = str(error)
        if "can't allocate memory" in text or "DefaultCPUAllocator" in text:
            return f"used more than {MEMORY >> 20} MB of memory"
        if "can't start new thread" in text:
            return PROCESSES
    return None
