"""Children are forks of a warm process, the zygote: it has torch imported, and confines them."""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.core.errors import GraderFault
from grader.reference.reproducible import environment
from grader.runner.host import folders
from grader.runner.host.job import Job, last_line

FORKS = hasattr(os, "fork") and hasattr(socket, "AF_UNIX")  # else each child is a process of its own


class Forked:
    """The zygote at the other end of a socket."""

    def __init__(self, environ: Mapping[str, str], skip: Sequence[str]) -> None:
        self.folder = tempfile.mkdtemp(prefix="grader-")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        here = Path(__file__).parents[1]
        with theirs:
            options = {
                "root": str(here.parent.parent),
                "control": theirs.fileno(),
                "folder": self.folder,
                "skip": list(skip),
            }
            self.process = subprocess.Popen(
                [sys.executable, "-I", str(here / "warm/start.py"), json.dumps(options)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                process_group=0,  # Ctrl-Z and Ctrl-C are for the command, which tells it what to do
                env={**environment(), **environ},
            )
        self.control = ours

    def close(self) -> None:
        """End the zygote, and with it every child."""
        self.control.close()
        self.process.kill()
        if self.process.stderr:
            self.process.stderr.close()
        self.process.wait()
        folders.remove(self.folder)

    def load(self, request: Mapping[str, Any], given: Mapping[str, bytes]) -> None:
        self._send(request, given.values(), ())

    def job(self, request: Mapping[str, Any], source: bytes, abandoned: Callable[[], bool]) -> Job:
        """Have the zygote fork a child for one job; with "rounds" in the request it stays to be asked."""
        (result, result_end), (output, output_end) = os.pipe(), os.pipe()
        rounds_end, rounds = os.pipe() if request.get("rounds") else (None, None)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        job = Job(result, output, ours, abandoned, self.last_words, rounds)
        there = [result_end, output_end, theirs.fileno(), *([] if rounds_end is None else [rounds_end])]
        try:
            self._send(request, [source], there)
        except BaseException:
            job.leave()
            raise
        finally:
            theirs.detach()
            for fd in there:
                os.close(fd)
        return job

    def _send(self, request: Mapping[str, Any], files: Any, descriptors: Sequence[int]) -> None:
        with contextlib.ExitStack() as stack:
            data = [json.dumps(request).encode(), *files]
            fds = [stack.enter_context(_memory(one)) for one in data]
            packed = array.array("i", [*fds, *descriptors])
            try:
                self.control.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, packed)])
            except OSError:
                raise GraderFault(f"the computing process ended: {self.last_words()}") from None

    def last_words(self) -> str:
        """What the zygote wrote before it ended."""
        self.control.close()
        self.process.kill()
        written = b""
        with contextlib.suppress(ValueError, OSError):  # another thread has closed it
            written = self.process.stderr.read() if self.process.stderr else b""
        return last_line(written) or f"exit status {self.process.wait()}"


@contextlib.contextmanager
def _memory(data: bytes) -> Iterator[int]:
    """A descriptor that reads `data`."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("grader")
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            yield fd
        finally:
            os.close(fd)
    else:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            yield file.fileno()
