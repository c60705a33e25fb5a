"""A batch's results on disk, as they come: a line for each in `journal.jsonl`, found again by its key."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.core.errors import GraderFault
from grader.suite.files import locked

SYNC = 0.5  # seconds between fsyncs of the journal

Result = dict[str, Any]  # one line of results.jsonl


@dataclass
class Store:
    """The results in a folder: by key, where each line is. Holds no result in memory."""

    out: Path
    journal: Any = None
    places: dict[str, tuple[Path, int, int]] = field(default_factory=dict)
    synced: float = 0.0

    def open(self, fresh: bool = False) -> None:
        """Read what earlier runs left; a line that was cut off by a kill is dropped. fresh: use nothing."""
        if fresh:
            (self.out / "journal.jsonl").unlink(missing_ok=True)
        for name in () if fresh else ("results.jsonl", "journal.jsonl"):
            path = self.out / name
            if not path.exists():
                continue
            at = 0
            with path.open("rb") as file:
                for line in file:
                    if line.endswith(b"\n") and (key := _key_of(line)):
                        self.places[key] = (path, at, len(line))
                    at += len(line)
        path = self.out / "journal.jsonl"
        self.journal = path.open("a+b", buffering=0)  # a kill loses nothing that the system has
        if self.journal.seek(0, os.SEEK_END):
            self.journal.seek(-1, os.SEEK_END)
            if self.journal.read(1) != b"\n":
                self.journal.write(b"\n")

    def add(self, key: str, result: Result) -> None:
        line = json.dumps(result).encode() + b"\n"
        at = self.journal.tell()
        self.journal.write(line)
        self.places[key] = (self.out / "journal.jsonl", at, len(line))
        if time.monotonic() - self.synced > SYNC:
            self.sync()

    def sync(self) -> None:
        os.fsync(self.journal.fileno())
        self.synced = time.monotonic()

    def get(self, key: str) -> Result:
        path, at, length = self.places[key]
        with path.open("rb") as file:
            file.seek(at)
            return dict(json.loads(file.read(length)))


def _key_of(line: bytes) -> str | None:
    """The key of a result that may be used again: not where something outside may have ended the run."""
    try:
        result = json.loads(line)
        return str(result["key"]) if result["key"] and not result.get("outside") else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@contextlib.contextmanager
def only_one(out: Path) -> Iterator[None]:
    """One batch at a time in a folder; GraderFault names the folder where another is at work."""
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context((out / ".lock").open("w"))
        try:
            stack.enter_context(locked(lock, wait=False))
        except BlockingIOError:
            raise GraderFault(f"{out}: another batch is at work here") from None
        yield
