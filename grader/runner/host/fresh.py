"""Children are processes of their own, where there is no fork (Windows): nothing confines them.

The next one is started when one is taken, so that it has torch when it is wanted.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from grader.core.errors import GraderFault
from grader.reference.reproducible import environment
from grader.runner.host import folders
from grader.runner.host.job import END, MAX_OUTPUT, READS, TICK, Abandoned, last_line
from grader.runner.wire import LENGTH

START = 120.0  # seconds in which a process must have torch; a first import may be slow
PIECE = 1 << 16  # bytes of a pipe at a time
SYSTEM = ("SYSTEMROOT", "WINDIR", "PATH", "TEMP", "TMP")  # what Windows needs to start a program
PROGRAM = Path(__file__).parents[1] / "warm/fresh.py"
CPU_EXIT = 24 + 128  # the exit status of one that used too much processor time, as a shell tells SIGXCPU

Started = tuple[subprocess.Popen[bytes], str]  # a process and its private folder


class Fresh:
    """One process in advance; with each job go the exercises that it needs."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        own = {name: os.environ[name] for name in SYSTEM if name in os.environ}
        self.environ = {**own, **environment(), **environ}
        self.folder = tempfile.mkdtemp(prefix="grader-")
        self.loaded: dict[str, tuple[Mapping[str, Any], list[bytes]]] = {}
        self.numbers = itertools.count(1)
        self.lock = threading.Lock()
        self.next: Started | None = self._started()

    def _started(self) -> Started:
        folder = os.path.join(self.folder, str(next(self.numbers)))
        os.mkdir(folder, 0o700)
        words = [sys.executable, "-I", "-X", "utf8", str(PROGRAM), str(PROGRAM.parents[3])]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            words,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            bufsize=0,
            cwd=folder,
            env=self.environ,
            process_group=0,  # Ctrl-C is for the command; on Windows it is the flag that says so
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        return process, folder

    def load(self, request: Mapping[str, Any], given: Mapping[str, bytes]) -> None:
        self.loaded[request["exercise"]["id"]] = request, list(given.values())

    def job(self, request: Mapping[str, Any], source: bytes, abandoned: Callable[[], bool]) -> FreshJob:
        """Give a process one job, as its standard input."""
        parts = request.get("parts", [request])
        needed = [self.loaded[name] for name in dict.fromkeys(part["exercise"] for part in parts)]
        loads = [[load, [*map(len, given)]] for load, given in needed]
        head = {"request": request, "loads": loads, "source": len(source)}
        told = json.dumps(head).encode()
        files = [file for _, given in needed for file in given]
        data = b"".join([LENGTH.pack(len(told)), told, *files, source])
        with self.lock:
            if self.next is None:
                raise GraderFault("the computing process ended: it was closed")
            (process, folder), self.next = self.next, self._started()
        return FreshJob((process, folder), data, request, abandoned)

    def close(self) -> None:
        with self.lock:
            ended, self.next = self.next, None
        if ended:
            _end(*ended)
        folders.remove(self.folder)


class FreshJob:
    """One process at its job, as `Job` is for a fork."""

    def __init__(
        self,
        started: Started,
        data: bytes,
        request: Mapping[str, Any],
        abandoned: Callable[[], bool],
    ) -> None:
        """In the request: "cpu", seconds of processor time after which it ends itself; "rounds": it stays."""
        (self.process, self.folder), self.abandoned = started, abandoned
        self.cpu = request.get("cpu", 0)
        self.outgoing: queue.SimpleQueue[bytes] = queue.SimpleQueue()  # an empty one is the last
        for piece in (data, *([] if request.get("rounds") else [b""])):
            self.outgoing.put(piece)
        self.began, self.reading = 0.0, 2
        self.output = bytearray()
        self.end: dict[str, Any] = {}
        self.pieces: queue.Queue[tuple[bool, bytes]] = queue.Queue(READS)
        self.finished = False
        process = self.process
        assert process.stdin and process.stdout and process.stderr
        work = [
            threading.Thread(target=_write, args=(process.stdin, self.outgoing), daemon=True),
            threading.Thread(target=self._read, args=(process.stdout, True), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, False), daemon=True),
        ]
        for thread in work:
            thread.start()

    def _read(self, pipe: IO[bytes], carries: bool) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile
            while (piece := pipe.read(PIECE)) and not self.finished:
                self.pieces.put((carries, piece))
        self.pieces.put((carries, b""))

    def pump(self, take: Callable[[bytes], object], wall: float) -> None:
        """Read until the process has ended; TimeoutError `wall` seconds after it began, Abandoned where
        nobody waits. A first byte, which is no result, says that it begins.
        """
        deadline = self._pump(take, lambda: False, wall)
        try:
            code = self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        if not self.began:
            said = last_line(self.output) or f"exit status {code}"
            raise GraderFault(f"the computing process ended: {said}")
        why = f"used more than {self.cpu} seconds of processor time" if code == CPU_EXIT else ""
        # at most so much of a processor, which nobody tells
        cpu = time.monotonic() - self.began
        self.end = {"status": -code if code < 0 else code << 8, "cpu": cpu, "why": why}

    def ask(
        self, data: bytes, take: Callable[[bytes], object], complete: Callable[[], bool], wall: float
    ) -> None:
        """The same of a process that stays: send it a request, and read until the answer is complete."""
        self.outgoing.put(data)
        self._pump(take, complete, wall)

    def _pump(self, take: Callable[[bytes], object], complete: Callable[[], bool], wall: float) -> float:
        """Returns the time when it has to have ended."""
        deadline = time.monotonic() + (wall if self.began else START)
        while self.reading and not complete():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError if self.began else GraderFault("the computing process does not begin")
            try:
                carries, piece = self.pieces.get(timeout=min(left, TICK))
            except queue.Empty:
                if self.abandoned():
                    raise Abandoned from None
                continue
            if not piece:
                self.reading -= 1
            elif not carries:
                if len(self.output) <= MAX_OUTPUT:
                    self.output += piece
            else:
                if not self.began:
                    self.began, piece = time.monotonic(), piece[1:]
                    deadline = self.began + wall
                take(piece)
        return deadline

    def finish(self) -> None:
        """Make sure that the process is gone, and what belongs to it."""
        self.finished = True
        self.outgoing.put(b"")
        _end(self.process, self.folder)
        with contextlib.suppress(queue.Empty):  # so that no reader waits
            while True:
                self.pieces.get_nowait()
        self.end = self.end or {"status": 0, "cpu": 0.0, "why": ""}

    leave = finish


def _write(pipe: IO[bytes], outgoing: queue.SimpleQueue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError), pipe:  # it has ended
        while data := outgoing.get():
            view = memoryview(data)
            while view:
                view = view[pipe.write(view) :]


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()
    folders.remove(folder)
