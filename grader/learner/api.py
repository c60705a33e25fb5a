"""Grading from a program of one's own: one call, one report."""

from __future__ import annotations

import os
from pathlib import Path

from grader.core.errors import GraderFault
from grader.core.exercise import File, How
from grader.core.verdict import Report
from grader.suite.find import find, read_submission, targets


def grade(
    submission: str | os.PathLike[str],
    *wanted: str,
    strict: bool = False,
    require_sandbox: bool = False,
) -> Report:
    """Grade one file as `grader check` does, in a confined process of its own; torch is not imported here.

    submission: a stub, a notebook or a flat script.
    wanted: exercises, items or sets by name, "ex1" or "ex1.dprobs"; none means the exercise that the file is
    called after or was derived for.
    strict: notebooks too must be right at other sizes than the lecture's.
    require_sandbox: GraderFault unless every protection is on; the probes are then fresh ones.

    Raises UsageError where the file can't be graded or a name is unknown, GraderFault where the grader is
    at fault: a submission that is merely wrong is a report.
    """
    from grader.judging import requests
    from grader.judging.bench import Bench
    from grader.judging.fresh_probes import secret
    from grader.judging.targets import called_after, holds
    from grader.runner.host.client import Runner

    suite, path = find(), os.fspath(submission)
    names = wanted or called_after(suite, path)
    meant = targets(suite, names)
    holds(suite, path, meant)
    file = File(path, read_submission(Path(path)))
    with Runner() as runner:
        if require_sandbox and (off := runner.missing()):
            raise GraderFault(f"require_sandbox: not to be had here: {', '.join(off)}")
        sources = {t.exercise: file for t in meant}
        how = How(strict=strict, seed=secret() if require_sandbox else None, secret=True)
        return requests.grade(suite, Bench(runner), meant, sources, how)
