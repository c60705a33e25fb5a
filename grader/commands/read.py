"""The commands that start nothing: list, show, solution."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from grader.core import course
from grader.core.errors import GraderFault, UsageError
from grader.core.exercise import TRAINING, Exercise, Output
from grader.core.text import times
from grader.learner import progress
from grader.suite import fixtures
from grader.suite.files import refusing
from grader.suite.find import Suite, Target, find, targets

if TYPE_CHECKING:
    from grader.authoring.authored import Authored


def listing(args: argparse.Namespace) -> int:
    suite = find()
    wanted = targets(suite, args.targets)  # says so where there are none
    state = progress.read(suite.work)
    if not args.targets:
        print("\n".join(_map(suite, state)))
        return 0
    whole_sets = set(args.targets) & set(course.mapped(suite.ids()))
    rows = []
    for target in wanted:
        exercise = suite.describe(target.exercise)
        found = statuses(suite, exercise, state)
        if course.set_of(target.exercise) in whole_sets:
            rows.append((target.exercise, _count(found.values()), exercise.title))
            continue
        for item in exercise.items:
            if target.item in (None, item.name):
                takes = "" if isinstance(item, Output) and item.driver else f"({', '.join(item.params)})"
                name = f"{target.exercise}.{item.name}{takes}"
                form = item.compare if isinstance(item, Output) else times(exercise.shapes[item.tensor])
                rows.append((name, form, found[item.name].value))
        if exercise.training and target.item in (None, "training"):
            steps = f"{exercise.training.steps} steps"
            rows.append((f"{target.exercise}.training", steps, found["training"].value))
    widths = [max(len(row[k]) for row in rows) for k in (0, 1)]
    for name, middle, end in rows:
        print(f"{name.ljust(widths[0])}  {middle.ljust(widths[1])}  {end}")
    return 0


def _map(suite: Suite, state: progress.State) -> Iterator[str]:
    """The course: a line for each set, in lecture order, with the items that have passed."""
    sets = course.mapped(suite.ids())
    width = max(map(len, sets))
    for name, ids in sets.items():
        found = [s for i in ids for s in statuses(suite, suite.describe(i), state).values()]
        yield f"{name.ljust(width)}  {_count(found)}  {course.title(name)}"
    yield f"\n`grader list {next(iter(sets))}` names a set's exercises, `grader check` of it grades them."


def _count(found: Collection[progress.Status]) -> str:
    passed = sum(status is progress.Status.PASSED for status in found)
    return f"{passed:3} of {len(found):3} passed"


def statuses(suite: Suite, exercise: Exercise, state: progress.State) -> dict[str, progress.Status]:
    """Each item's status in the learner's file as it is now."""
    stub = fixtures.derived(suite.root, exercise)["stub"].encode()
    return progress.statuses(exercise, stub, learners_text(suite, exercise.id), state)


def learners_text(suite: Suite, exercise: str) -> bytes:
    """The learner's file as it is now; the stub where there is none to be read."""
    try:
        return suite.stub(exercise).read_bytes()
    except OSError:
        return fixtures.derived(suite.root, suite.describe(exercise))["stub"].encode()


def show(args: argparse.Namespace) -> int:
    suite = find()
    texts = []
    for target in targets(suite, args.targets):
        exercise = suite.describe(target.exercise)
        if target.item is None:
            lines = "\n".join(f"    {line.code}" for line in exercise.lines)
            texts.append(exercise.statement + (f"\n\nforward pass:\n{lines}" if lines else ""))
        elif target.item == TRAINING and (plan := exercise.training):
            texts.append(
                f"{target.exercise}.training: {plan.steps} steps with your gradients, at a rate of "
                f"{plan.lr} and, from the middle on, {plan.lr_late}; the parameters "
                f"{', '.join(plan.parameters)} must be those of autograd's training."
            )
        else:
            texts.append(task(exercise, target))
    print("\n\n".join(texts))
    return 0


def task(exercise: Exercise, target: Target, brief: bool = False) -> str:
    """What there is to do for an item. brief: without all that it might ask for."""
    item = exercise.item(target.item or "")
    if isinstance(item, Output):
        return _output_task(exercise, item)
    tensor = item.tensor
    forward = [line.code for line in exercise.lines if tensor in line.uses]
    own = [line.code for line in exercise.lines if line.name == tensor]
    values = [f"{t} {times(exercise.shapes[t])}" for t in exercise.tensors if t in exercise.shapes]
    parts = [
        f"{target.exercise}.{item.name}({', '.join(item.params)})",
        "",
        item.doc,
        "",
        f"made by:   {own[0] if own else 'an input of the network'}",
        *(f"used by:   {code}" for code in forward),
        f"shape:     {times(exercise.shapes[tensor])}",
        f"upstream:  {', '.join(item.available)}",
    ]
    if not brief:
        parts += [f"tensors:   {', '.join(values)}", f"sizes:     {', '.join(exercise.lecture.sizes)}"]
    return "\n".join(parts)


def _output_task(exercise: Exercise, item: Output) -> str:
    """What `show` says of an output item: its docstring, what it is called with, how it is compared."""
    takes = "" if item.driver else f"({', '.join(item.params)})"
    parts = [f"{exercise.id}.{item.name}{takes}", "", item.doc, "", f"compared:  {HOW[item.compare]}"]
    if item.driver:
        parts.append(f"calls your: {', '.join(item.asks)}")
    if item.receives:
        parts.append(f"is given:  {', '.join(item.receives)}, as it should be")
    if item.uses:
        parts.append(f"may use:   {', '.join(item.uses)}")
    return "\n".join(parts)


HOW = {
    "exact": "exactly, entry by entry",
    "approximate": "within the tolerance of rounding, number by number",
}


def solution(args: argparse.Namespace) -> int:
    suite = find()
    wanted = targets(suite, args.targets)
    for target in wanted:
        if not suite.solution(target.exercise).is_file():
            raise UsageError(f"solutions/ is not here, so there is no solution of {target.exercise} to show")
    if not args.yes and not confirmed(f"Show the solution of {', '.join(args.targets)}?"):
        return 1
    if args.notebook:
        return _solved(suite, wanted, Path(args.notebook))
    for target in wanted:
        parts = _authored(suite, target.exercise)
        texts = list(dict.fromkeys(i.source for i in parts.items if target.item in (None, i.name)))
        print("\n\n\n".join(texts) or f"{target.item} has no text of its own; it follows from the gradients")
    return 0


def _authored(suite: Suite, exercise: str) -> Authored:
    from grader.authoring import authored

    path = suite.solution(exercise)
    return authored.read(path.read_text(encoding="utf-8"), suite.shown(path))


def _solved(suite: Suite, wanted: list[Target], out: Path) -> int:
    """Write an exercise's solution as a notebook."""
    from grader.authoring import notebook
    from grader.authoring.item import AuthoredError

    if len(wanted) != 1 or wanted[0].item:
        raise UsageError("--notebook takes one whole exercise: `grader solution ex1 --notebook FILE`")
    exercise = wanted[0].exercise
    described = suite.describe(exercise)
    if not described.notebook:
        raise UsageError(
            f"{exercise} has no forward pass, and no notebook: `grader solution {exercise}` prints it"
        )
    settings = described.lecture.settings
    try:
        parts = _authored(suite, exercise)
        text = notebook.notebook(parts, exercise, settings, described.training, described.shapes, True)
    except AuthoredError as error:
        raise GraderFault(str(error)) from None
    if os.path.lexists(out):
        raise UsageError(f"--notebook {out} exists already, and is kept: name another file")
    with refusing(f"--notebook {out} can't be written"), out.open("x", encoding="utf-8") as file:
        file.write(text)
    print(f"{suite.shown(out)} is written: `grader check {suite.shown(out)}` grades it")
    return 0


def confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is there to answer; --yes says so beforehand")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
