"""The commands that start nothing: list, show, solution."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from grader.core import course
from grader.core.errors import GraderFault, UsageError
from grader.core.exercise import TRAINING, Exercise, Item, Output
from grader.core.text import flowed, times
from grader.learner import progress, stubs
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
            statement = wrapped(flowed(exercise.statement))
            texts.append(statement + (f"\n\nforward pass:\n{lines}" if lines else ""))
        elif target.item == TRAINING and (plan := exercise.training):
            texts.append(
                f"{target.exercise}.training: {plan.steps} steps with your gradients, at a rate of "
                f"{plan.lr} and, from the middle on, {plan.lr_late}; the parameters "
                f"{', '.join(plan.parameters)} must be those of autograd's training."
            )
        else:
            texts.append(task(suite, exercise, target))
    print("\n\n".join(texts))
    return 0


def task(suite: Suite, exercise: Exercise, target: Target, brief: bool = False) -> str:
    """What there is to do for an item. brief: without all that it might ask for."""
    item = exercise.item(target.item or "")
    if isinstance(item, Output):
        return _output_task(suite, exercise, item)
    tensor = item.tensor
    forward = [line.code for line in exercise.lines if tensor in line.uses]
    own = [line.code for line in exercise.lines if line.name == tensor]
    values = [f"{t} {times(exercise.shapes[t])}" for t in exercise.tensors if t in exercise.shapes]
    parts = [
        f"{target.exercise}.{item.name}({', '.join(item.params)})",
        "",
        wrapped(flowed(item.doc)),
        "",
        f"file:      {place(suite, exercise.id, item)}",
        f"made by:   {own[0] if own else 'an input of the network'}",
        *(f"used by:   {code}" for code in forward),
        f"shape:     {times(exercise.shapes[tensor])}",
        f"upstream:  {', '.join(item.available)}",
    ]
    if not brief:
        parts += [f"tensors:   {', '.join(values)}", f"sizes:     {', '.join(exercise.lecture.sizes)}"]
    return "\n".join(parts)


def _output_task(suite: Suite, exercise: Exercise, item: Output) -> str:
    """What `show` says of an output item: the functions and methods to be written, where they stand, what is
    asked of them, how it is compared."""
    stub = fixtures.derived(suite.root, exercise)["stub"]
    others = {other.about for other in exercise.outputs if other is not item}
    found = []
    for about in subjects(item):
        asked = stubs.tasks(stub, about, others)
        written = not _first(exercise, item) and "." not in about  # by now
        found += asked[:1] if written else asked
    parts = [f"{exercise.id}.{item.name}", ""]
    for one in found:
        parts += [one.signature, textwrap.indent(wrapped(flowed(one.doc), 4), "    "), ""]
    if item.doc not in (one.doc for one in found):
        parts += [wrapped(flowed(f"Asked here: {item.doc}")), ""]
    parts += [f"file:      {place(suite, exercise.id, item)}", f"compared:  {HOW[item.compare]}"]
    if item.receives:
        parts.append(f"is given:  {', '.join(item.receives)}, as the solution has it")
    if item.uses:
        parts.append(f"may use:   {', '.join(judged(exercise, item.uses))}")
    return "\n".join(parts)


def _first(exercise: Exercise, item: Output) -> bool:
    """Whether no output before it is about the same."""
    return next(other for other in exercise.outputs if other.about == item.about) is item


def subjects(item: Output) -> tuple[str, ...]:
    """What of the learner's file an output is about: a class or a method, or the functions it asks for."""
    own = (item.about,)
    functions = tuple(name for name in item.asks if name[:1].islower())
    return own if "." in item.about or not functions else functions


def judged(exercise: Exercise, items: Collection[str]) -> list[str]:
    """The functions and classes that outputs of these names are about."""
    return list(dict.fromkeys(other.judged for other in exercise.outputs if other.name in items))


def place(suite: Suite, exercise: str, item: Item) -> str:
    """The file and the line at which a learner writes an item."""
    text = learners_text(suite, exercise).decode("utf-8", "replace")
    lines = [
        number
        for about in (subjects(item) if isinstance(item, Output) else (item.name,))
        if (number := stubs.line_of(text, about))
    ]
    where = f", line{'s' * (len(lines) > 1)} {' and '.join(map(str, lines))}" if lines else ""
    return f"{suite.shown(suite.stub(exercise))}{where}"


WIDTH = 96


def wrapped(text: str, margin: int = 0) -> str:
    """Prose to the terminal's width; lines that are indented, as matrices and formulas are, stay.

    margin: columns that are taken already.
    """
    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns) - margin
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    lines = []
    for line in text.split("\n"):
        wrapper.subsequent_indent = " " * (len(line) - len(line.lstrip()))
        kept = not line or len(wrapper.subsequent_indent) >= 4
        lines += [line] if kept else wrapper.wrap(line)
    return "\n".join(lines)


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
        text = notebook.notebook(parts, exercise, settings, described.training, solved=True)
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
