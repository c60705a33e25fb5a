"""A child that stays: it calls other functions in place of a submission's gradients, round after round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from grader.core.exercise import File
from grader.runner import wire
from grader.runner.host.client import Part, Runner

Round = Mapping[tuple[str, int], wire.Record]  # by fixture and number of the function


class Session:
    """One submission in a child of its own, in another one where that has ended; a context manager.

    What it gives is material for words alone: no verdict rests on it.
    """

    def __init__(self, runner: Runner, part: Part, file: File) -> None:
        """part: an exercise and the fixtures that may be asked for."""
        self.runner, self.part, self.file = runner, part, file
        self.job: Any = None
        self.off: tuple[str, ...] | None = None  # told once, as the first thing that a child sends
        self.sent = 0  # bytes since it was begun, of which there may be as many as of a run

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Count anew what is sent, and start the child where none is there: it gets ready meanwhile."""
        self.sent = 0
        if self.job is None:
            with self.runner.turns.beside():
                self.off, self.job = None, self.runner.staying(self.part, self.file)

    def run(self, variants: Sequence[tuple[str, str]], on: Sequence[str]) -> Round | None:
        """What functions give on fixtures that can be compared; None where the child came to an end over it.

        variants: an item and the text of a function for it, each.
        """
        if self.job is None:
            self.begin()
        expected = {(f, str(k)) for f in on for k in range(len(variants))}
        parser = wire.Parser(expected, (), off=self.off, loaded=self.off is not None, sent=self.sent)
        request = json.dumps({"fixtures": list(on), "variants": list(variants)}).encode()
        try:
            with self.runner.turns.beside():
                data = wire.LENGTH.pack(len(request)) + request
                self.job.ask(data, parser.feed, lambda: parser.complete, self.runner.wall)
        except (wire.Malformed, TimeoutError):
            parser.complete = False
        except BaseException:
            self.close()
            raise
        if not parser.complete:
            self.close()
            return None
        self.off, self.sent = parser.off, parser.sent
        return {(f, int(k)): r for (f, k), r in parser.records.items()}

    def close(self) -> None:
        """End the child, without waiting for it."""
        job, self.job = self.job, None
        if job is not None:
            job.leave()
