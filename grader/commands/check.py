"""`grader check`: read the submissions, grade each, show one report."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from grader import progress
from grader.errors import GraderFault, UsageError
from grader.runner.client import Runner
from grader.suite import Suite, Target, find, read_submission, targets
from grader.verdict import Report, Verdict


def run(args: argparse.Namespace) -> int:
    suite = find()
    words, seed = _fresh(args)
    wanted = _targets(suite, args, words)
    sources = {t.exercise: _source(suite, args, t.exercise) for t in wanted}
    if args.require_sandbox:
        from grader.commands.doctor import protections

        if off := protections():
            raise GraderFault(f"--require-sandbox: not to be had here: {', '.join(off)}")
    with Runner() as runner:  # torch is being imported while this process reads the fixtures
        report = grade(suite, runner, wanted, sources, seed)
        if not (args.submission or args.solutions or args.fresh is not None):
            progress.record(suite.work, report, sources)
        if args.json:
            from grader.reports.document import render

            sys.stdout.write(render(report))
        else:
            sys.stdout.write(show(report))
            if args.progress and all(i.verdict is Verdict.NOT_WRITTEN for i in report.items):
                sys.stdout.write(_first_steps(suite, runner, wanted[0].exercise))
        sys.stdout.flush()
    if args.progress:
        return 0 if all(i.passed or i.verdict is Verdict.NOT_WRITTEN for i in report.items) else 1
    return 0 if report.passed else 1


def grade(
    suite: Suite,
    runner: Runner,
    wanted: list[Target],
    sources: dict[str, tuple[str, bytes]],
    seed: int | None,
) -> Report:
    """One report over all that is wanted."""
    from grader import fixture
    from grader.check import check
    from grader.harmless import block, text

    reports, notes, printed = [], [], []
    for exercise, (name, source) in sources.items():
        description = suite.describe(exercise)
        fixtures = fixture.read(suite.root, description)
        runner.load(description, fixtures.given)
        if seed is not None:
            from grader.fresh import fresh

            description, fixtures = fresh(runner, description, fixtures, seed)
            runner.load(description, fixtures.given)
        items = [t.item for t in wanted if t.exercise == exercise and t.item]
        whole = any(t.exercise == exercise and not t.item for t in wanted)
        graded, run = check(runner, description, fixtures, source, name, None if whole else items)
        reports.append(graded)
        if run.output.strip():
            printed.append(block(run.output, 4000).rstrip() + (" … (cut)" if len(run.output) > 4000 else ""))
        if run.off:
            notes.append(f"protection that is off here: {', '.join(run.off)} (`grader doctor` tells more)")
        if run.truncated:
            notes.append(f"{text(name)} printed more than is shown")
        if run.ended:
            notes.append(f"{text(name)} {run.ended}")
    if seed is not None:
        notes.append(f"graded on fresh probes; `--fresh {seed}` makes the same ones again")
    names = {name for name, _ in sources.values()}
    return Report(", ".join(sorted(names)), tuple(reports), "\n".join(printed), tuple(notes))


def show(report: Report) -> str:
    """For a person: a table in colour on a terminal, plain aligned text elsewhere."""
    width = shutil.get_terminal_size((110, 24)).columns
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and width >= 60:
        from grader.reports import terminal

        return terminal.render(report, width, color=not os.environ.get("NO_COLOR"))
    from grader.reports import plain

    return plain.render(report)


def _fresh(args: argparse.Namespace) -> tuple[list[str], int | None]:
    """The targets, and the seed of fresh probes if they are wanted."""
    if args.fresh is None:
        return args.targets, None
    if args.fresh.lstrip("-").isdecimal():
        if not 0 <= int(args.fresh) < 2**31:
            raise UsageError(f"--fresh {args.fresh}: a seed is a number from 0 up, below 2^31")
        return args.targets, int(args.fresh)
    words = [args.fresh] if args.fresh else []  # `--fresh ex1`: that was a target
    return [*words, *args.targets], int.from_bytes(os.urandom(3), "big")


def _targets(suite: Suite, args: argparse.Namespace, words: list[str]) -> list[Target]:
    if args.submission and args.solutions:
        raise UsageError("--submission and --solutions exclude each other")
    if args.submission and not words:
        stem = Path(args.submission).stem
        if stem not in suite.ids():
            raise UsageError(f"{args.submission}: which exercise is it? `grader check ex1 --submission …`")
        words = [stem]
    wanted = targets(suite, words)
    if args.submission and len({t.exercise for t in wanted}) > 1:
        raise UsageError("--submission is one file: name one exercise")
    return wanted


def _source(suite: Suite, args: argparse.Namespace, exercise: str) -> tuple[str, bytes]:
    if args.submission:
        return args.submission, read_submission(Path(args.submission))
    path = suite.solution(exercise) if args.solutions else suite.stub(exercise)
    if not path.exists() and args.solutions:
        raise UsageError(f"{suite.shown(path)} is missing: this copy of the suite has no solutions")
    if not path.exists():
        raise UsageError(f"{suite.shown(path)} is missing: `grader reset {exercise}` makes it")
    return suite.shown(path), read_submission(path)


def _first_steps(suite: Suite, runner: Runner, exercise: str) -> str:
    """What to do first, with one item worked out and the row that it earns."""
    description = suite.describe(exercise)
    worked = description["worked"]
    if not worked:
        return ""
    name = suite.shown(suite.stub(exercise))
    source = f"{description['stub']}\n\n{worked['source']}\n".encode()
    target = Target(exercise, worked["item"])
    example = grade(suite, runner, [target], {exercise: (name, source)}, None)
    code = "\n".join("    " + line for line in worked["source"].splitlines())
    row = show(example).rsplit("\n\n", 1)[0]
    return (
        f"\nNothing is written yet. Open {name}, and replace the `raise` in each function by its gradient,\n"
        f"from the top down; then run `grader check {exercise}`. The first one, worked out:\n\n{code}\n\n"
        f"and the row that it earns:\n\n{row}\n"
    )
