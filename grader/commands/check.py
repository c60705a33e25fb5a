"""`grader check`: read the submissions, grade each, show one report."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TextIO

from grader.commands import ci
from grader.commands.after import ahead, news
from grader.commands.policy import marker
from grader.commands.probes import number, seed_of, suite_of
from grader.commands.start_screen import start_screen
from grader.core.errors import GraderFault, UsageError
from grader.core.exercise import File, How
from grader.core.verdict import Report, Verdict
from grader.judging.bench import Bench
from grader.judging.requests import grade
from grader.judging.targets import chosen, renames, source
from grader.learner import progress
from grader.reports import screen
from grader.reports.screen import Screen, show
from grader.runner.host.client import Runner
from grader.suite import fixtures
from grader.suite.find import Suite, Target, find


def run(args: argparse.Namespace, runner: Runner) -> int:
    """In this process, with a runner for this command alone."""
    return answer(args, screen.here(), sys.stdout, Bench(runner))


def answer(args: argparse.Namespace, on: Screen, out: TextIO, bench: Bench) -> int:
    """The exit code, the report written to `out`. The paths in `args` are relative to the current folder."""
    for_others = _for_others(args)
    own = find(trusted=for_others and not args.sealed)
    suite = suite_of(args, own)
    service = ci.Service(args, os.environ) if ci.asked(args) else None
    if service:
        service.open(out)
    words, seed = _fresh(args)
    if secret := seed is None:
        seed = seed_of(args, for_others)
    wanted = chosen(suite, args, words)
    if args.sealed:
        _sealed(suite, wanted, args.sealed)
    sources = {t.exercise: source(own, args, t.exercise) for t in wanted}
    names = renames(suite, args.rename, sources.values())
    how = How(strict=args.strict, rename=names, seed=seed, secret=secret and for_others)
    mark = marker(suite, args, ci.root(os.environ) if service else None)
    if args.require_sandbox and (off := bench.runner.missing()):
        raise GraderFault(f"--require-sandbox: not to be had here: {', '.join(off)}")
    report = grade(suite, bench, wanted, sources, how)
    if not (args.submission or args.solutions or args.fixtures or seed is not None):
        before = progress.read(suite.work)
        now, hindered = progress.record(suite.work, report, sources)
        if hindered:
            print(f"grader: {hindered}: `grader list` won't know of this check", file=sys.stderr)
        report = replace(
            report,
            notes=(*report.notes, *_elsewhere(suite, report), *_far(sources)),
            news=news(before, report),
            ahead=ahead(suite, now, report),
        )
    report = mark(report)
    if args.json:
        from grader.reports.document import render

        out.write(render(report))
    else:
        begins = args.progress and all(i.verdict is Verdict.NOT_WRITTEN for i in report.items)
        out.write(start_screen(suite, report) if begins else show(report, on, args.all))
    out.flush()
    if service:
        service.close(report, {exercise: file.name for exercise, file in sources.items()}, out, mark.whole)
        if service.exits_0:  # the score is in what was handed over; another code means that grading failed
            return 0
    if args.progress:
        return 0 if all(i.passed or i.verdict is Verdict.NOT_WRITTEN for i in report.items) else 1
    return 0 if report.passed else 1


def _for_others(args: argparse.Namespace) -> bool:
    """Whether somebody else reads the grade: then fixtures in the current folder, which the learner can
    write to, count only where --sealed says what they must be; and the probes are fresh.
    """
    return bool(args.require_sandbox or ci.asked(args))


def _sealed(suite: Suite, wanted: list[Target], digest: str) -> None:
    """The fixtures of all that is graded are those that were released."""
    from grader.suite import fixtures

    names = dict.fromkeys(t.exercise for t in wanted)
    if fixtures.sealed([suite.describe(name) for name in names]) != digest:
        raise GraderFault(
            f"the fixtures of {', '.join(names)} are not those that were released (--sealed): `git checkout` "
            "of fixtures/ brings them back"
        )


def _elsewhere(suite: Suite, report: Report) -> list[str]:
    """Where nothing of a stub is written: that its notebook has changed, which is not graded unasked."""
    notes = []
    for exercise in report.exercises:
        path = suite.notebook(exercise.id)
        if all(item.verdict is Verdict.NOT_WRITTEN for item in exercise.items) and path.is_file():
            derived = suite.describe(exercise.id).notebook
            if derived is None or fixtures.digest(path.read_bytes()) != derived.sha256:
                shown = suite.shown(path)
                notes.append(f"{shown} has changed: `grader check {shown}` grades it")
    return notes


def _fresh(args: argparse.Namespace) -> tuple[list[str], int | None]:
    """The targets, and the seed of fresh probes if they are wanted."""
    if args.fresh is None:
        return args.targets, None
    if args.probes or args.fixtures:
        raise UsageError("--fresh is --probes with a seed that is told: choose one")
    if args.fresh.lstrip("-").isdecimal():
        return args.targets, number(args.fresh, "--fresh")
    words = [args.fresh] if args.fresh else []  # `--fresh ex1`: that was a target
    return [*words, *args.targets], int.from_bytes(os.urandom(3), "big")


def _far(sources: Mapping[str, File]) -> list[str]:
    """What has been graded, where none of it is in the folder that we are in."""
    names = list(dict.fromkeys(os.path.abspath(file.name) for file in sources.values()))
    if not names or any(name.startswith(os.path.join(os.getcwd(), "")) for name in names):
        return []
    return [f"graded {names[0] if len(names) == 1 else os.path.commonpath(names)}"]
