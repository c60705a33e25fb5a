"""The same batch on a Dask cluster (extra `dask`): bytes out, results back.

Each worker keeps its own zygote; this client stays the only writer of results. A worker that dies
takes nothing with it: Dask gives what it had to another one.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Mapping, Sequence

from grader.classroom.local import Local
from grader.classroom.results import Result
from grader.core.errors import GraderFault, Unreadable, UsageError
from grader.core.exercise import Task

Exercises = Mapping[str, Task]

_lock = threading.Lock()
_here: dict[str, Local] = {}  # in a worker: one warm grader for each suite


class Cluster:
    """Grades on the workers of an existing Dask cluster. Several threads may call it at once."""

    def __init__(self, address: str, exercises: Exercises) -> None:
        """UsageError where nobody answers at `address`, or Dask is not installed."""
        try:
            from distributed import Client
        except ImportError:
            raise UsageError("--dask needs Dask: `pip install distributed`") from None
        try:
            self.client = Client(address, timeout=10)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(f"--dask {address}: no scheduler answers ({type(error).__name__})") from None
        from grader.classroom.batch import fixtures_print

        self.key = "".join(fixtures_print(d) for d, _ in exercises.values())
        self.shared = self.client.scatter(dict(exercises), broadcast=False, hash=False)

    def slots(self) -> int:
        """How many submissions to have under way: one more than there are threads."""
        return sum(self.client.nthreads().values()) + 1 or 2

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        """The document of a submission's report, from whichever worker graded it."""
        return self.grade_all([exercise], source, filename)[0]

    def grade_all(self, exercises: Sequence[str], source: bytes, filename: str) -> list[Result]:
        """The same for several exercises in one file: a document of each."""
        future = self.client.submit(
            grade_here, self.key, self.shared, list(exercises), source, filename, pure=False, retries=3
        )
        try:
            return list(future.result())
        except (GraderFault, Unreadable):
            raise
        except Exception as error:  # what Dask itself raises when a task can't be done
            raise GraderFault(f"the cluster gave up on it: {type(error).__name__}") from None

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.client.close()


def grade_here(
    key: str, exercises: Exercises, asked: list[str], source: bytes, filename: str
) -> list[Result]:
    """In a worker: grade with this process's own zygote, which the first call starts."""
    with _lock:
        if key not in _here:
            for old in _here.values():
                old.close()
            _here.clear()
            _here[key] = Local(exercises)
            atexit.register(_here[key].close)
        local = _here[key]
    return local.grade_all(asked, source, filename)
