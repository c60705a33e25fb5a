"""What grades a submission's bytes on this machine; `dask.py` has the same for a cluster."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from grader.classroom.results import Result
from grader.core.errors import GraderFault
from grader.core.exercise import File, How, Task
from grader.core.text import block
from grader.core.verdict import ExerciseReport, Report
from grader.judging.grade import WHOLE, grade_several, notes
from grader.reports.document import document
from grader.runner.host.client import Run, Runner

TRIES = 3  # runs of one submission before the grader gives up on its own fault


class Local:
    """Grades on this machine, on one warm zygote. Several threads may call it at once."""

    def __init__(
        self, exercises: Mapping[str, Task], first: Runner | None = None, how: How = WHOLE, **options: Any
    ) -> None:
        """first: the runner that begins; another one where it fails."""
        self.how = how
        self.exercises, self.options = exercises, options
        self.lock = threading.Lock()
        self.first: Runner | None = first
        self.runner: Runner | None = None
        self.closed = False

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        """The document of a submission's report. GraderFault where the grader failed TRIES times."""
        return self.grade_all([exercise], source, filename)[0]

    def grade_all(self, exercises: Sequence[str], source: bytes, filename: str) -> list[Result]:
        """The same for several exercises in one file, a notebook: a document of each."""
        asked = [self.exercises[exercise] for exercise in exercises]
        for left in reversed(range(TRIES)):
            runner = self._runner()
            try:
                found = grade_several(runner, asked, File(filename, source), self.how)
                break
            except GraderFault:
                self._drop(runner)
                if not left:
                    raise
        return [_result(graded, run, filename) for graded, run in found]

    def _runner(self) -> Runner:
        with self.lock:
            if self.closed:
                raise GraderFault("closed")
            if self.runner is None:
                self.runner = self.first or Runner(**self.options)
                self.first = None
                for description, fixtures in self.exercises.values():
                    self.runner.load(description, fixtures.given)
            return self.runner

    def _drop(self, runner: Runner) -> None:
        with self.lock:
            if self.runner is runner:
                runner.close()
                self.runner = None

    def close(self) -> None:
        with self.lock:
            self.closed = True
            for runner in (self.first, self.runner):
                if runner:
                    runner.close()


def _result(graded: ExerciseReport, run: Run, filename: str) -> Result:
    output = block(run.output, 4000).rstrip()
    report = Report(filename, (graded,), output, tuple(notes(graded, run, filename)))
    return {**document(report, checks=False), "protection_off": list(run.off), "outside": run.outside}
