"""What a confined process can really do: it tries forbidden things and tells which were stopped.
It tries what any submission may do as well.

A probe that asks whether a layer exists can be wrong; an attempt can't. Our own code, run in a child
like a submission's.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
from collections.abc import Callable

import torch


def attempts(outside: str) -> dict[str, Callable[[], object]]:
    """Things that no submission may do, each as a call that raises where it is stopped.

    outside: a folder beside the child's own.
    """
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)

    def must(result: int) -> None:
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def fork() -> None:
        if os.fork() == 0:
            os._exit(0)

    def execute() -> None:
        libc.execve(b"/nonexistent", None, None)
        if ctypes.get_errno() != errno.ENOENT:  # stopped before the name was looked at
            raise PermissionError

    return {
        "read a file outside": lambda: os.close(os.open("/etc/passwd", os.O_RDONLY)),
        "list a folder outside": lambda: os.listdir("/"),
        "write a file outside": lambda: os.close(
            os.open(os.path.join(outside, "trial"), os.O_CREAT | os.O_WRONLY)
        ),
        "change a file's mode": lambda: os.chmod(".", 0o700),
        "open a network socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close(),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close(),
        "start a process": fork,
        "start another program": execute,
        "signal another process": lambda: os.kill(parent or 1, 0),
        # PTRACE_SEIZE: to attach would stop the other
        "trace another process": lambda: must(libc.ptrace(0x4206, parent or 1, 0, 0)),
        "read another process's memory": lambda: os.close(os.open(f"/proc/{parent or 1}/mem", os.O_RDONLY)),
        "use a gigabyte of memory": lambda: mmap.mmap(-1, 1 << 30).close(),
        "make a namespace": lambda: must(libc.unshare(0x10000000)),
    }


NEEDED: dict[str, Callable[[], object]] = {"print a tensor": lambda: repr(torch.ones(2))}


def main(outside: str, off: list[str], result: int) -> None:
    """Try everything; write {"off": layers, "possible": what was not stopped, "impossible": what was} to
    `result`, the last of what must work.
    """
    possible, impossible = [], []
    for what, attempt in attempts(outside).items():
        try:
            attempt()
            possible.append(what)
        except (OSError, MemoryError, ValueError):
            pass
    for what, attempt in NEEDED.items():
        try:
            attempt()
        except Exception:
            impossible.append(what)
    answer = {"off": off, "possible": possible, "impossible": impossible}
    os.write(result, json.dumps(answer).encode())
