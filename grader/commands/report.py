"""`grader report`: one page with pictures, of a submission or of a class."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import safetensors.numpy

from grader.classroom import page as class_page
from grader.classroom.files import read
from grader.commands.policy import marker
from grader.core.errors import UsageError
from grader.core.exercise import LOSSES, TRAINING, Gradient, How, Output, Task
from grader.core.verdict import ExerciseReport
from grader.judging.bench import Bench
from grader.judging.choices import Answer
from grader.judging.compare import values
from grader.judging.requests import Graded, every, report_of
from grader.judging.targets import chosen, renames, source
from grader.reports.pages import page
from grader.reports.pages.figures import Evidence
from grader.reports.pages.page import Sheet
from grader.reports.table import score
from grader.runner.host.client import Run, Runner
from grader.submissions.script import cell
from grader.suite.files import replaced, writable
from grader.suite.find import find
from grader.suite.fixtures import reference


def run(args: argparse.Namespace) -> int:
    if args.room:
        return _class(args)
    suite = find()
    wanted = chosen(suite, args, args.targets)
    sources = {t.exercise: source(suite, args, t.exercise) for t in wanted}
    how = How(strict=args.strict, rename=renames(suite, args.rename, sources.values()))
    path = writable(Path(args.html or "report.html"), "--html")
    mark = marker(suite, args)
    with Runner() as runner:
        graded = every(suite, Bench(runner), wanted, sources, how)
        sheets = [sheet(runner, one) for one in graded]
    report = mark(report_of(graded))
    sheets = [replace(sheet, report=one) for sheet, one in zip(sheets, report.exercises, strict=True)]
    replaced(path, page.render(report, sheets).encode())
    print(f"{score(report)}\n{suite.shown(path)} is written")
    return 0 if report.passed else 1


def sheet(runner: Runner, one: Graded) -> Sheet:
    """What an exercise's pictures are made from."""
    evidence = evidence_of(one.task, one.report, one.run)
    losses = _losses(runner, one.task, one.run)
    data = one.file.data
    numbers = {item.cell for item in one.report.items}
    sources = {n: cell(data, n).encode("utf-8", "replace") if n else data for n in numbers}
    return Sheet(one.report, one.task.exercise, sources, evidence, losses)


def evidence_of(task: Task, graded: ExerciseReport, run: Run) -> dict[str, Evidence]:
    """By item id: both sides' numbers on the fixture that settled its verdict."""
    exercise, fixtures = task
    items = {f"{exercise.id}.{item.name}": item for item in exercise.items}
    found = {}
    for report in graded.items:
        if report.id not in items:  # training: its picture is the loss curve
            continue
        item, on = items[report.id], report.fixture
        if item.name in fixtures.references[on].plain:
            continue  # plain data has no picture
        record, reference = run.records.get((on, item.name)), fixtures.references[on]
        first = {f: run.records.get((f, item.name)) for f in fixtures.given}
        key = Answer(item, first, {}).key_in(reference)
        labels = None
        if item.tensor == "logits" and isinstance(item, Gradient):
            labels = safetensors.numpy.load(fixtures.given[on]).get("Yb")
        yours = values(record) if record is not None else None
        found[report.id] = Evidence(on, yours, reference.values[key], labels, isinstance(item, Output))
    return found


def _losses(runner: Runner, task: Task, run: Run) -> dict[str, list[float]]:
    """The losses of a training run by hand, if it came to its end, and of autograd's beside it."""
    exercise, fixtures = task
    record = run.records.get((TRAINING, LOSSES))
    by_hand = values(record) if record is not None else None
    if by_hand is None or by_hand.ndim != 1 or not len(by_hand):
        return {}
    sizes = exercise.sizes[TRAINING]
    request = {"ask": "losses", "exercise": exercise.id, "steps": len(by_hand), "sizes": sizes}
    by_autograd = reference(runner.ask(request, fixtures.given[TRAINING])).values[LOSSES]
    return {"by hand": by_hand[: len(by_autograd)].tolist(), "by autograd": by_autograd.tolist()}


def _class(args: argparse.Namespace) -> int:
    if args.targets or args.submission or args.solutions:
        raise UsageError("--class is the page of a whole class: name no target and no submission")
    if args.policy or args.time:
        raise UsageError("--class shows the points that `grader batch --policy` gave: run that again")
    room = Path(args.room)
    if not room.is_dir():
        raise UsageError(f"--class {room} is no folder: name the one that `grader batch` wrote")
    path = writable(Path(args.html) if args.html else room / class_page.NAME, "--html")
    summary = read(room)
    replaced(path, class_page.render(summary).encode())
    print(f"{summary.submissions} submission{'s' * (summary.submissions != 1)}\n{path} is written")
    return 0
