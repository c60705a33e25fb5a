"""What `check` and `report` are to grade, from their arguments: targets, and the file of each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from grader.errors import UsageError
from grader.suite import Suite, Target, read_submission, targets

LECTURE = ("ex1", "ex2", "ex3", "ex4")  # the lecture's own notebook has all four
SUFFIXES = (".py", ".ipynb")


def chosen(suite: Suite, args: argparse.Namespace, words: Sequence[str]) -> list[Target]:
    """The targets. A file among `words` becomes args.submission; UsageError where that can't be."""
    files = [word for word in words if word.endswith(SUFFIXES)]
    words = [word for word in words if word not in files]
    if len(files) > 1:
        raise UsageError(f"one file at a time, not {' and '.join(files)}: `grader batch` takes many")
    if files and args.submission:
        raise UsageError(f"--submission {args.submission} and {files[0]} exclude each other")
    args.submission = args.submission or (files[0] if files else None)
    if args.submission and args.solutions:
        raise UsageError("--submission and --solutions exclude each other")
    if args.submission and not words:
        words = _called_after(suite, args.submission)
    wanted = targets(suite, words)
    several = len({t.exercise for t in wanted}) > 1
    if several and args.submission and not args.submission.endswith(".ipynb"):
        raise UsageError("--submission is one file: name one exercise")
    return wanted


def _called_after(suite: Suite, submission: str) -> list[str]:
    """The exercise that a notebook was derived for, or that a file is called after; of another notebook,
    all of the lecture's."""
    stem = Path(submission).stem
    if submission.endswith(".ipynb") and Path(submission).is_file():
        from grader.submissions.flat import declared

        if (exercise := declared(read_submission(Path(submission)))) in suite.ids():
            return [exercise]
    if stem in suite.ids():
        return [stem]
    if submission.endswith(".ipynb"):
        return [exercise for exercise in LECTURE if exercise in suite.ids()]
    raise UsageError(f"{submission}: which exercise is it? Name it: `grader check ex1 --submission …`")


def source(suite: Suite, args: argparse.Namespace, exercise: str) -> tuple[str, bytes]:
    """The name to show of an exercise's submission, and its bytes."""
    if args.submission:
        return args.submission, read_submission(Path(args.submission))
    path = suite.solution(exercise) if args.solutions else suite.stub(exercise)
    if not path.exists() and args.solutions:
        raise UsageError(f"{suite.shown(path)} is missing: this copy of the suite has no solutions")
    if not path.exists():
        raise UsageError(f"{suite.shown(path)} is missing: `grader reset {exercise}` makes it")
    return suite.shown(path), read_submission(path)
