"""`grader report`: one page with pictures, of a submission or of a class."""

from __future__ import annotations

import argparse
import math
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import safetensors.numpy

from grader.classroom import giving, remarks
from grader.classroom import page as class_page
from grader.classroom.files import results
from grader.classroom.gradebook import Grade
from grader.classroom.summary import Summary
from grader.commands.policy import marker
from grader.commands.read import HOW
from grader.core import course, plain
from grader.core.errors import UsageError
from grader.core.exercise import LOSSES, TRAINING, Gradient, How, Output, Task
from grader.core.text import flowed, text
from grader.core.verdict import ExerciseReport, Verdict, points
from grader.judging.bench import Bench
from grader.judging.choices import Answer
from grader.judging.compare import values
from grader.judging.compare_outputs import answer_of
from grader.judging.compare_plain import first_difference
from grader.judging.items import call_of
from grader.judging.requests import Graded, every, report_of
from grader.judging.shown import both, shown
from grader.judging.targets import chosen, renames, source
from grader.learner import progress
from grader.reports.pages import page
from grader.reports.pages.figures import Evidence
from grader.reports.pages.page import Aid, Case, Progress, Sheet, View
from grader.reports.pictures import kinds
from grader.reports.pictures.svg import Picture
from grader.reports.table import score
from grader.runner.host.client import Part, Run, Runner
from grader.submissions.script import cell, script
from grader.suite.files import replaced, writable
from grader.suite.find import Suite, find
from grader.suite.fixtures import hints, reference

DRIVERS = Path(__file__).parents[1] / "reference/drawn.py"  # a submission's process gets its text
DRAWING = 5.0  # seconds for all pictures of an exercise
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def run(args: argparse.Namespace) -> int:
    if args.room:
        return _class(args)
    if args.anonymous:
        raise UsageError("--anonymous is of a class's page: name the class with --class DIR")
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
    view = View()
    if not (args.submission or args.solutions):
        state = progress.read(suite.work)
        sheets = [replace(one, aids=aids(suite, one, state)) for one in sheets]
        view = View(exercises=map_of(suite, state, sheets[0].exercise.id))
    replaced(path, page.render(report, sheets, view).encode())
    print(f"{score(report)}\n{suite.shown(path)} is written")
    return 0 if report.passed else 1


Losses = dict[tuple[str, int], list[float]]  # by exercise and steps


def sheet(runner: Runner, one: Graded, known: Losses | None = None) -> Sheet:
    """What an exercise's pictures are made from. known: autograd's losses, to which new ones are added."""
    evidence = evidence_of(one.task, one.report, one.run)
    losses = _losses(runner, one.task, one.run, {} if known is None else known)
    data = one.file.data
    numbers = {item.cell for item in one.report.items}
    sources = {n: cell(data, n).encode("utf-8", "replace") if n else data for n in numbers}
    cases = cases_of(one.task, one.report, one.run)
    drawn = drawings(runner, one) | rows_of(one.task, evidence)
    return Sheet(one.report, one.task.exercise, sources, evidence, losses, cases, drawn=drawn)


def drawings(runner: Runner, one: Graded) -> dict[str, list[Picture]]:
    """By id of an output item the pictures of what the submission's functions give, where they are written.

    Drivers get them in a child of their own, confined as any; what it sends is drawn without trust.
    """
    exercise, fixtures = one.task
    asked = {k.needs[0] for k in kinds.of_exercise(exercise.id).values()} & {i.id for i in one.report.items}
    wanted = {n: k for n, k in kinds.of_exercise(exercise.id).items() if k.needs[0] in asked}
    if not wanted:
        return {}
    items = tuple(Output(n, k.params, asks=k.asks, driver=n, about=k.asks[0]) for n, k in wanted.items())
    program = DRIVERS.read_text(encoding="utf-8")
    entry = exercise.lecture
    stand_in = replace(exercise, id=f"{exercise.id}.pictures", program=program, items=items)
    runner.load(stand_in, {entry.name: fixtures.given[entry.name]})
    code = script(one.file, exercise)
    part = Part(stand_in.id, [entry.name], list(wanted), flat=code.flat)
    run = runner.run(part, code.file, DRAWING, math.ceil(DRAWING))
    found: dict[str, list[Picture]] = {}
    for name, kind in wanted.items():
        record = run.records.get((entry.name, name))
        gave = record is not None and record.status == "value" and record.encoded == "plain"
        if record is not None and gave and (made := kinds.drawn(name, answer_of(record))):
            found.setdefault(kind.needs[0], []).append(made)
    return found


def rows_of(task: Task, evidence: Mapping[str, Evidence]) -> dict[str, list[Picture]]:
    """The picture of p against n·dlogits[0], of the submission's own dlogits."""
    (needed,) = kinds.KINDS["row"].needs
    one = evidence.get(needed)
    if one is None or one.yours is None or one.labels is None or one.yours.shape != one.autograd.shape:
        return {}
    logits = safetensors.numpy.load(task.fixtures.given[one.on])["logits"][0]
    p = np.exp(logits - logits.max())
    values = {"p": p / p.sum(), "dlogits": len(one.yours) * one.yours[0], "label": one.labels[0]}
    made = kinds.drawn(
        "row", {**values, "itos": "." + LETTERS if len(p) == 27 else [str(k) for k in range(len(p))]}
    )
    return {needed: [made]} if made else {}


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
        axes = _axes(
            task, {f: r.values[key].shape for f, r in fixtures.references.items() if key in r.values}
        )
        hidden = isinstance(item, Output)
        found[report.id] = Evidence(on, yours, reference.values[key], labels, hidden, axes)
    return found


def _axes(task: Task, shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    """For each axis of a tensor the size that it has on every fixture; "" where none is, or several are."""
    names: list[str] = []
    for axis in range(min(map(len, shapes.values()))):
        fits = [
            name
            for name in task.exercise.lecture.sizes
            if all(task.exercise.sizes[f][name] == shape[axis] for f, shape in shapes.items())
        ]
        names.append(fits[0] if len(fits) == 1 else "")
    return tuple(names)


def cases_of(task: Task, graded: ExerciseReport, run: Run) -> dict[str, list[Case]]:
    """By id of an output item: what was called on the fixture that settled its verdict, what came and what
    was wanted; nothing of one that is not written."""
    found: dict[str, list[Case]] = {}
    items = {f"{task.exercise.id}.{item.name}": item for item in task.exercise.outputs}
    for report in graded.items:
        item, check = items.get(report.id), report.check
        if item is None or report.verdict is Verdict.NOT_WRITTEN:
            continue
        reference = task.fixtures.references[report.fixture]
        record = run.records.get((report.fixture, item.name))
        came = answer_of(record) if record is not None and record.status == "value" else None
        saved = reference.plain.get(item.name)
        wanted = plain.decode(saved) if saved is not None else reference.values[item.name]
        if item.driver and type(wanted) is type(came) is dict:
            bound = reference.bounds.get(item.name, 0.0)
            for call, value in wanted.items():
                differs = first_difference(came.get(call), value, item.exact, bound)
                right = call in came and differs is None
                said = (check.came, check.wanted)
                if text(str(call)) != check.call:
                    said = (shown(value),) * 2 if right else both(came.get(call), value, differs or ())
                if call not in came:
                    said = ("nothing", said[1])
                found.setdefault(report.id, []).append(Case(text(str(call)), *said, right))
        elif report.verdict.passed and not item.driver and came is not None:
            call = text(call_of(item, task, report.fixture))
            found[report.id] = [Case(call, shown(came), shown(wanted), True)]
        elif check.call or check.came:
            found[report.id] = [
                Case(check.call or "its result", check.came or check.reason, check.wanted, False)
            ]
    return found


def aids(suite: Suite, one: Sheet, state: progress.State) -> dict[str, Aid]:
    """By item id: its task, the hints that were given, and its attempts, from the learner's progress."""
    exercise = one.exercise
    rungs = hints(suite.root, exercise)["items"]
    found = {}
    for item in exercise.items:
        name = f"{exercise.id}.{item.name}"
        known = list(rungs.get(item.name, {}).get("rungs", {}).items())
        given = state["rungs"].get(name, 0)
        due = known[given][0] if given < len(known) else ""
        facts = [("takes", ", ".join(item.params))]
        if isinstance(item, Output):
            facts = [
                ("takes", "" if item.driver else ", ".join(item.params)),
                ("compared", HOW[item.compare]),
            ]
            facts += [("calls your", ", ".join(item.asks) if item.driver else "")]
            facts += [("is given", ", ".join(item.receives)), ("may use", ", ".join(item.uses))]
        facts = [(what, words) for what, words in facts if words]
        found[name] = Aid(flowed(item.doc), facts, known[:given], due, progress.attempts(state, name))
    return found


def map_of(suite: Suite, state: progress.State, exercise: str) -> list[Progress]:
    """The set of an exercise: each of its exercises, and how many of its items passed at their last check."""
    found = []
    for id in course.mapped(suite.ids())[course.set_of(exercise)]:
        described = suite.describe(id)
        names = [
            f"{id}.{name}"
            for name in (*(i.name for i in described.items), *[TRAINING] * bool(described.training))
        ]
        passed = sum(name in state["items"] and state["items"][name]["passed"] for name in names)
        found.append(Progress(id, described.title, passed, len(names)))
    return found


def _losses(runner: Runner, task: Task, run: Run, known: Losses) -> dict[str, list[float]]:
    """The losses of a training run by hand, if it came to its end, and of autograd's beside it."""
    exercise, fixtures = task
    record = run.records.get((TRAINING, LOSSES))
    by_hand = values(record) if record is not None else None
    if by_hand is None or by_hand.ndim != 1 or not len(by_hand):
        return {}
    key = exercise.id, len(by_hand)
    if key not in known:
        sizes = exercise.sizes[TRAINING]
        request = {"ask": "losses", "exercise": exercise.id, "steps": len(by_hand), "sizes": sizes}
        known[key] = reference(runner.ask(request, fixtures.given[TRAINING])).values[LOSSES].tolist()
    return {"by hand": by_hand[: len(known[key])].tolist(), "by autograd": known[key]}


def _class(args: argparse.Namespace) -> int:
    if args.targets or args.submission or args.solutions:
        raise UsageError("--class is the page of a whole class: name no target and no submission")
    if args.policy or args.time:
        raise UsageError("--class shows the points that `grader batch --policy` gave: run that again")
    room = Path(args.room)
    if not room.is_dir():
        raise UsageError(f"--class {room} is no folder: name the one that `grader batch` wrote")
    name = class_page.ANONYMOUS if args.anonymous else class_page.NAME
    path = writable(Path(args.html) if args.html else room / name, "--html")
    summary, folder = Summary(), room / class_page.REPORTS
    by_hand = not args.anonymous and (room / remarks.NAME).exists()
    count = Counter(result["student"] for result in results(room)) if by_hand else Counter[str]()
    said = remarks.read(room, count) if by_hand else {}
    for result in results(room, summary):
        if not args.anonymous:
            folder.mkdir(exist_ok=True)
            remark, score = said.get(result["student"]), result["score"]
            if (
                remark and remark.score is not None and count[result["student"]] == 1
            ):  # it is of all that was graded
                score = points(remark.score)
            own = giving.feedback(result, Grade(score, result["max_score"]), remark)
            replaced(folder / summary.students[-1].page, own.encode())
    reports = quote(Path(os.path.relpath(folder, path.parent)).as_posix())
    replaced(path, class_page.render(summary, reports, args.anonymous, pages=True).encode())
    print(f"{summary.submissions} submission{'s' * (summary.submissions != 1)}\n{path} is written")
    return 0
