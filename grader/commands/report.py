"""`grader report`: one page with pictures, of a submission or of a class."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.commands.chosen import chosen, renames, source
from grader.commands.policy import marker
from grader.errors import Unreadable, UsageError
from grader.suite import Suite, find

if TYPE_CHECKING:
    from grader.fixture import Fixtures
    from grader.reports.figures import Evidence
    from grader.reports.page import Sheet
    from grader.runner.client import Run, Runner
    from grader.verdict import ExerciseReport, Report


def run(args: argparse.Namespace) -> int:
    if args.room:
        return _class(args)
    suite = find()
    wanted = chosen(suite, args, args.targets)
    sources = {t.exercise: source(suite, args, t.exercise) for t in wanted}
    rename = renames(suite, args.rename)
    path = writable(Path(args.html or "report.html"), "--html")
    mark = marker(suite, args)
    asked = {
        exercise: None
        if any(t.exercise == exercise and not t.item for t in wanted)
        else [t.item for t in wanted if t.exercise == exercise and t.item]
        for exercise in sources
    }
    from grader.runner.client import Runner

    with Runner() as runner:
        report, sheets = grade(suite, runner, asked, sources, args.strict, rename)
    from grader.reports import page
    from grader.reports.table import score

    report = mark(report)
    sheets = [replace(sheet, report=one) for sheet, one in zip(sheets, report.exercises, strict=True)]
    replaced(path, page.render(report, sheets).encode())
    print(f"{score(report)}\n{suite.shown(path)} is written")
    return 0 if report.passed else 1


def grade(
    suite: Suite,
    runner: Runner,
    asked: dict[str, list[str] | None],
    sources: dict[str, tuple[str, bytes]],
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> tuple[Report, list[Sheet]]:
    """Grade each exercise's submission; the report, and what its pictures are made from.

    strict, rename: as in `grading.check`.
    """
    from grader import fixture, grading
    from grader.harmless import block, text
    from grader.reports.page import Sheet
    from grader.verdict import Report

    sheets, printed, notes = [], [], []
    for exercise, (name, code) in sources.items():
        description = suite.describe(exercise)
        fixtures = fixture.read(suite.root, description)
        runner.load(description, fixtures.given)
        try:
            items = asked[exercise]
            graded, run = grading.check(runner, description, fixtures, code, name, items, strict, rename)
        except Unreadable as error:
            raise UsageError(f"{text(name)} {error}") from None
        evidence = evidence_of(description, fixtures, graded, run)
        sheets.append(Sheet(graded, description, code, evidence, _losses(runner, description, fixtures, run)))
        printed += [block(run.output, 4000).rstrip()] if run.output.strip() else []
        if run.off:
            notes.append(f"protection that is off here: {', '.join(run.off)} (`grader doctor` tells more)")
        notes += grading.notes(graded, run, name)
    names = sorted({name for name, _ in sources.values()})
    return Report(
        ", ".join(names), tuple(s.report for s in sheets), "\n".join(printed), tuple(dict.fromkeys(notes))
    ), sheets


def evidence_of(
    exercise: dict[str, Any], fixtures: Fixtures, graded: ExerciseReport, run: Run
) -> dict[str, Evidence]:
    """By item id: both sides' numbers on the fixture that settled its verdict."""
    import safetensors.numpy

    from grader.choices import Answer
    from grader.compare import values
    from grader.reports.figures import Evidence

    items = {f"{exercise['id']}.{item['name']}": item for item in exercise["items"]}
    found = {}
    for report in graded.items:
        if report.id not in items:  # training: its picture is the loss curve
            continue
        item, on = items[report.id], report.fixture
        if item["name"] in fixtures.references[on].plain:
            continue  # plain data has no picture
        record, reference = run.records.get((on, item["name"])), fixtures.references[on]
        first = {f: run.records.get((f, item["name"])) for f in fixtures.given}
        key = Answer(item, first, {}).key_in(reference)
        labels = None
        if item["tensor"] == "logits" and "compare" not in item:
            labels = safetensors.numpy.load(fixtures.given[on]).get("Yb")
        yours = values(record) if record is not None else None
        found[report.id] = Evidence(on, yours, reference.values[key], labels, "compare" in item)
    return found


def _losses(runner: Runner, exercise: dict[str, Any], fixtures: Fixtures, run: Run) -> dict[str, list[float]]:
    """The losses of a training run by hand, if it came to its end, and of autograd's beside it."""
    from grader.compare import values
    from grader.fixture import reference
    from grader.grading import TRAINING
    from grader.runner.client import sizes
    from grader.runner.wire import LOSSES

    record = run.records.get((TRAINING, LOSSES))
    by_hand = values(record) if record is not None else None
    if by_hand is None or by_hand.ndim != 1:
        return {}
    settings = next(entry["settings"] for entry in exercise["fixtures"] if entry["name"] == TRAINING)
    request = {"exercise": exercise["id"], "losses": True, "sizes": sizes(settings)}
    by_autograd = reference(runner.ask(request, fixtures.given[TRAINING])).values[LOSSES]
    steps = len(by_autograd)
    return {"by hand": by_hand[:steps].tolist(), "by autograd": by_autograd.tolist()}


def _class(args: argparse.Namespace) -> int:
    if args.targets or args.submission or args.solutions:
        raise UsageError("--class is the page of a whole class: name no target and no submission")
    if args.policy or args.time:
        raise UsageError("--class shows the points that `grader batch --policy` gave: run that again")
    from grader.reports import classroom
    from grader.reports.grades import read

    room = Path(args.room)
    if not room.is_dir():
        raise UsageError(f"--class {room} is no folder: name the one that `grader batch` wrote")
    path = writable(Path(args.html) if args.html else room / classroom.NAME, "--html")
    summary = read(room)
    replaced(path, classroom.render(summary).encode())
    print(f"{summary.submissions} submission{'s' * (summary.submissions != 1)}\n{path} is written")
    return 0


def writable(path: Path, option: str) -> Path:
    """A path that a file can be written to, as far as can be seen; else UsageError."""
    if path.is_dir():
        raise UsageError(f"{option} {path} is a folder: name a file")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}")
    return path


def replaced(path: Path, content: bytes) -> None:
    """Write a file whole, or leave what is there."""
    new = path.with_name(path.name + ".new")
    try:
        new.write_bytes(content)
        os.replace(new, path)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
