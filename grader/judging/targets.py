"""What `check` and `report` are to grade, from their arguments: targets, and the file of each."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from grader.core.course import NOTEBOOK
from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import File
from grader.submissions.choosing import SUFFIXES
from grader.suite.find import Suite, Target, read_submission, targets

HALF = 0.5  # of an exercise's names: a file that has so many is of it


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
        words = called_after(suite, args.submission)
    own = not (args.submission or args.solutions)
    wanted = targets(suite, words or (suite.at_hand() if own else []))
    if args.submission:
        holds(suite, args.submission, wanted)
    return wanted


def holds(suite: Suite, submission: str, wanted: Sequence[Target]) -> None:
    """UsageError where one file can't be for all that is wanted: only notebooks and the lecture's flat
    scripts are for several exercises."""
    exercises = {t.exercise for t in wanted}
    if submission.endswith(".ipynb"):
        _of_these(suite, submission, exercises)
    if len(exercises) < 2 or submission.endswith(".ipynb"):
        return
    if not (exercises <= set(NOTEBOOK) and _lecture(submission)):
        raise UsageError(f"{submission} is one exercise's file: name one exercise")


def _of_these(suite: Suite, submission: str, exercises: Collection[str]) -> None:
    """UsageError where a notebook has next to nothing of what is wanted, and most of another exercise."""
    from grader.submissions.script import defined

    try:
        made = defined(read_submission(Path(submission)))
    except Unreadable:  # which is told when it is to be graded
        return

    def share(name: str) -> float:
        """How much of an exercise's network, or of what it asks for, has its name there."""
        exercise = suite.describe(name)
        asked = {line.name for line in exercise.lines} or {n for o in exercise.outputs for n in o.asks}
        return len(asked & made) / max(len(asked), 1)

    if max(map(share, exercises), default=1) < HALF:
        other = max(suite.ids(), key=share)
        if share(other) >= HALF:
            names = ", ".join(sorted(exercises))
            said = f"{submission} holds next to nothing of {names}; is it {other}'s?"
            raise UsageError(f"{said} `grader check {other} {submission}` grades it so")


def called_after(suite: Suite, submission: str) -> list[str]:
    """The exercise that a notebook was derived for, or that a file is called after, in the folder of its
    set (gpt/ex1.py) or by its name; of another notebook or flat script, all of the lecture's."""
    path = Path(os.path.abspath(submission))
    if submission.endswith(".ipynb") and Path(submission).is_file():
        from grader.submissions.script import declared

        if (exercise := declared(read_submission(Path(submission)))) in suite.ids():
            return [exercise]
    for name in (f"{path.parent.name}.{path.stem}", path.stem):
        if name in suite.ids():
            return [name]
    if submission.endswith(".ipynb") or _lecture(submission):
        return [exercise for exercise in NOTEBOOK if exercise in suite.ids()]
    raise UsageError(f"{submission}: which exercise is it? Name it: `grader check ex1 --submission …`")


def _lecture(script: str) -> bool:
    """Whether a script is flat code for the lecture's exercises. UsageError where there is none."""
    from grader.submissions.script import LECTURE, is_flat

    return is_flat(read_submission(Path(script)).decode("utf-8", "replace"), LECTURE)


def renames(suite: Suite, path: str | None, sources: Iterable[File]) -> dict[str, str]:
    """The [rename] table of a TOML file: the learner's names -> ours. UsageError names file and entry.

    sources: what is graded, in which the learner's names must stand.
    """
    if path is None:
        return {}
    import tomllib

    try:
        table = tomllib.loads(read_submission(Path(path)).decode()).get("rename")
    except (ValueError, RecursionError) as error:  # tomllib's own, of the encoding, of an endless integer
        raise UsageError(f"--rename {path} is no TOML: {error}") from None
    if not isinstance(table, dict) or not table:
        raise UsageError(f'--rename {path} has no table [rename] with lines such as dl = "dlogits"')
    exercises = list(map(suite.describe, suite.ids()))
    known = {n for e in exercises for n in (*e.tensors, *e.size_names, *(f"d{t}" for t in e.tensors))}
    known |= {name for e in exercises for item in e.outputs for name in item.asks}
    for theirs, ours in table.items():
        if not theirs.isidentifier() or not theirs.isascii():
            raise UsageError(f"--rename {path}: {theirs!r} is not a variable's name")
        if not isinstance(ours, str) or ours not in known:
            raise UsageError(
                f"--rename {path}: {theirs} = {ours!r} names no tensor, gradient, size, function or class of "
                "an exercise; `grader show` has their names"
            )
        if not any(theirs.encode() in file.data for file in sources):
            raise UsageError(f"--rename {path}: {theirs} = {ours!r}: what is graded has no {theirs}")
    return dict(table)


def source(suite: Suite, args: argparse.Namespace, exercise: str) -> File:
    """An exercise's submission."""
    if args.submission:
        return File(args.submission, read_submission(Path(args.submission)))
    path = suite.solution(exercise) if args.solutions else suite.learners(exercise)
    if not path.exists():
        raise UsageError(f"{suite.shown(path)} is missing: this copy of the suite has no solutions")
    return File(suite.shown(path), read_submission(path))
