"""One child under way, seen from the trusted end: what it sends is read until its end is told."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.core import text
from grader.core.errors import GraderFault

MAX_OUTPUT = 65_536  # bytes of what a submission prints
PIPE = 1 << 20
SHARE = 0.5  # of a processor, that a child may count on: its wall limit is twice that of processor time
END = 20.0  # seconds for the zygote to end a child
READS = 16  # of a pipe at a time
TICK = 0.02  # seconds between looks at what a child has sent so far
FEW, PAUSE = 4096, 0.002  # bytes at a time of an answer that isn't whole, and seconds until the next look
NOTHING = memoryview(b"")


class Abandoned(Exception):
    """Nobody waits for the answer any more; the child has been ended."""


class Job:
    """One child under way: two pipes to read and a channel on which its end is told."""

    def __init__(
        self,
        result: int,
        output: int,
        channel: socket.socket,
        abandoned: Callable[[], bool],
        last_words: Callable[[], str],
        rounds: int | None = None,
    ) -> None:
        """abandoned: asked while the child runs. last_words: what the zygote wrote, where it has ended.

        rounds: the pipe by which a child is asked for more that stays for it.
        """
        self.channel, self.abandoned, self.last_words = channel, abandoned, last_words
        self.output = bytearray()
        self.end: dict[str, Any] = {}
        self.open = {result: True, output: False}  # descriptor -> whether it carries the result
        self.rounds = rounds
        self.taken, self.closed = 0, False  # bytes of the result so far, and whether none will follow
        for fd in (*self.open, *([] if rounds is None else [rounds])):
            os.set_blocking(fd, False)
        with contextlib.suppress(ImportError, AttributeError, OSError):  # else the child waits for a tick
            import fcntl

            fcntl.fcntl(result, fcntl.F_SETPIPE_SZ, PIPE)

    def pump(self, take: Callable[[bytes], object], wall: float) -> None:
        """Read until the child has ended; TimeoutError after `wall` seconds, Abandoned where nobody waits.

        The pipes hold what a child mostly sends, so that this process wakes up once, at its end.
        """
        self._pump(take, wall, [], lambda: False)
        self._drain(take, math.inf)

    def ask(
        self, data: bytes, take: Callable[[bytes], object], complete: Callable[[], bool], wall: float
    ) -> None:
        """The same of a child that stays: send it a request, and read until the answer is complete."""
        assert self.rounds is not None
        self._pump(take, wall, [self.rounds], complete, memoryview(data))

    def _pump(
        self,
        take: Callable[[bytes], object],
        wall: float,
        asking: Sequence[int],
        complete: Callable[[], bool],
        data: memoryview = NOTHING,
    ) -> None:
        deadline = time.monotonic() + wall
        channel = self.channel.fileno()
        result = next(fd for fd, carries in self.open.items() if carries)
        flood = False
        while not self.end and not complete():
            left = deadline - time.monotonic()
            if data:
                data = data[_written(asking[0], data) :]
            wait = 0 if flood else max(0, min(left, TICK))
            reading = [channel, *([result] if asking and not self.closed else [])]
            ready, _, _ = select.select(reading, asking if data else [], [], wait)
            before = self.taken
            flood = self._drain(take, deadline)
            if result in ready and self.taken - before < FEW and channel not in ready and not complete():
                ready, _, _ = select.select([channel], [], [], PAUSE)  # it may come byte by byte
            if channel in ready:  # be it late: this process may have had no time to look
                self._ended()
            elif left <= 0:
                raise TimeoutError
            elif self.abandoned():
                raise Abandoned

    def _drain(self, take: Callable[[bytes], object], deadline: float) -> bool:
        """Read what is there, within reason; whether there is so much that more will follow at once."""
        most = 0
        for fd, carries in self.open.items():
            size = 0
            with contextlib.suppress(BlockingIOError):
                for _ in range(READS):  # and then a look at the channel
                    if time.monotonic() > deadline:
                        break
                    if not (chunk := os.read(fd, PIPE)):
                        self.closed |= carries
                        break
                    size += len(chunk)
                    if carries:
                        self.taken += len(chunk)
                        take(chunk)
                    elif len(self.output) <= MAX_OUTPUT:
                        self.output += chunk
            most = max(most, size)
        return most >= 1 << 16

    def _ended(self) -> None:
        data = self.channel.recv(4096)
        if not data:
            raise GraderFault(f"the computing process ended: {self.last_words()}")
        self.end = json.loads(data)

    def finish(self) -> None:
        """Make sure that the child is gone, and close what belongs to it."""
        silent = False
        if not self.end:
            self.channel.settimeout(END)
            try:
                self.channel.send(b"K")
                self._ended()
            except TimeoutError:
                silent = True
            except OSError:
                pass
        self.end = self.end or {"status": 0, "cpu": 0.0, "why": ""}
        self.leave()
        if silent:
            raise GraderFault("the computing process does not answer")

    def leave(self) -> None:
        """Close what belongs to the child, which the zygote then ends, and don't wait for it."""
        for fd in (*self.open, *([] if self.rounds is None else [self.rounds])):
            os.close(fd)
        self.channel.close()


def _written(fd: int, data: memoryview) -> int:
    """How many bytes went into a pipe; all, where nobody reads it any more."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError:  # that it has ended is told elsewhere
        return len(data)


def how(end: Mapping[str, Any], cpu: int) -> tuple[str, bool]:
    """How a child ended that did not finish, and whether that was for using too much."""
    if end["why"]:
        return str(end["why"]), True
    code = os.waitstatus_to_exitcode(int(end["status"]))
    if code < 0:
        name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
        if name == "SIGXCPU" or (name == "SIGKILL" and end["cpu"] >= cpu):
            return f"used more than {cpu} seconds of processor time", True
        return f"ended its process by {name}", False
    return f"ended its process (exit status {code})", False


def by_others(end: Mapping[str, Any], wall: float | None, cpu: int) -> bool:
    """Whether something else than a child's own work may have ended it.

    wall: it was ended after so many seconds on the wall, None: it ended before. One that slept may have been
    stopped, or have waited for a file; one that had its share of a processor took too long by itself.
    """
    if wall is not None:
        return bool(end["cpu"] < SHARE * wall)
    # by whomever; where there are no signals an exit status is all that there is of one
    signalled = os.waitstatus_to_exitcode(int(end["status"])) < 0 or not hasattr(signal, "SIGKILL")
    return bool(signalled and not end["why"] and end["cpu"] < cpu - TICK)


def last_line(written: bytes | bytearray) -> str:
    """The last line of what a process of ours wrote; with GRADER_TRACEBACK standard error gets it all."""
    if os.environ.get("GRADER_TRACEBACK"):
        print(text.block(bytes(written), MAX_OUTPUT), file=sys.stderr)
    lines = [line for line in written.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
