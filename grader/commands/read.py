"""The commands that start nothing and show what is there: list, show."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Collection, Iterator

from grader.commands import prose
from grader.commands.prose import painted, table, wrapped
from grader.core import course
from grader.core.errors import UsageError
from grader.core.exercise import TRAINING, Exercise, Item, Output
from grader.core.text import flowed, listed, times
from grader.learner import progress, stubs
from grader.suite import fixtures
from grader.suite.find import Suite, Target, find, item_names, targets

STYLES = {"passed": "green", "wrong": "red", "can be done now": "bold", "not written": "dim"}


def listing(args: argparse.Namespace) -> int:
    suite = find()
    wanted = targets(suite, args.targets)  # says so where there are none
    state = progress.read(suite.work)
    if not args.targets:
        print("\n".join(_map(suite, state)))
        return 0
    whole_sets = set(args.targets) & set(course.mapped(suite.ids()))
    whole_ids = {t.exercise for t in wanted if course.set_of(t.exercise) in whole_sets}
    rows = []
    for target in wanted:
        exercise = suite.describe(target.exercise)
        found = statuses(suite, exercise, state)
        if target.exercise in whole_ids:
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
    flexible = 0 if any(target.exercise not in whole_ids for target in wanted) else 2
    for row, line in zip(rows, table(rows, flexible), strict=True):
        print(painted(line, STYLES.get(row[-1], "")))
    return 0


def _map(suite: Suite, state: progress.State) -> Iterator[str]:
    """The course: a line for each set, in lecture order, with the items that have passed."""
    sets = course.mapped(suite.ids())
    rows = []
    for name, ids in sets.items():
        found = [s for i in ids for s in statuses(suite, suite.describe(i), state).values()]
        rows.append((name, _count(found), course.title(name)))
    yield from table(rows, 2)
    first = next(iter(sets))
    yield wrapped(f"\n`grader list {first}` names a set's exercises, `grader check` of it grades them.")


def _count(found: Collection[progress.Status]) -> str:
    passed = sum(status is progress.Status.PASSED for status in found)
    return f"{passed:3} of {len(found):3} passed"


def statuses(suite: Suite, exercise: Exercise, state: progress.State) -> dict[str, progress.Status]:
    """Each item's status in the learner's file as it is now."""
    text = learners_text(suite, exercise.id)
    if progress.done(exercise, text, state):  # a look at its functions costs a hundred times as much
        return dict.fromkeys(item_names(exercise), progress.Status.PASSED)
    stub = fixtures.derived(suite.root, exercise)["stub"].encode()
    return progress.statuses(exercise, stub, text, state)


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
            items = f"items:     {', '.join(item_names(exercise))}"
            texts.append("\n\n".join([statement, *[f"forward pass:\n{lines}"] * bool(lines), items]))
        elif target.item == TRAINING and (plan := exercise.training):
            texts.append(
                f"{target.exercise}.training: {plan.steps} steps with your gradients, at a rate of "
                f"{plan.lr} and, from the middle on, {plan.lr_late}; the parameters "
                f"{', '.join(plan.parameters)} must be those of autograd's training."
            )
        else:
            texts.append(task(suite, exercise, target))
    print("\n\n".join(map(wrapped, texts)))
    return 0


def task(suite: Suite, exercise: Exercise, target: Target, brief: bool = False) -> str:
    """What there is to do for an item. brief: without all that it might ask for."""
    item = exercise.item(target.item or "")
    if isinstance(item, Output):
        return _output_task(suite, exercise, item)
    tensor = item.tensor
    forward = [line.code for line in exercise.lines if tensor in line.uses]
    own = [line.code for line in exercise.lines if line.name == tensor]
    values = [f"{t}{prose.TIED}{times(exercise.shapes[t])}" for t in exercise.tensors if t in exercise.shapes]
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
        sizes = ", ".join(f"{name} {size}" for name, size in exercise.lecture.sizes.items())
        parts += [f"tensors:   {', '.join(values)}", f"sizes:     {sizes}"]
    return "\n".join(parts)


def _output_task(suite: Suite, exercise: Exercise, item: Output) -> str:
    """What `show` says of an output item: the functions and methods to be written, where they stand, what is
    asked of them, how it is compared."""
    stub = fixtures.derived(suite.root, exercise)["stub"]
    others = {other.about for other in exercise.outputs if other.about != item.about}
    found = []
    for about in _whole(exercise, item):
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


def _whole(exercise: Exercise, item: Output) -> tuple[str, ...]:
    """An output's subjects: the whole class of the first that is about it, where none is about all of it."""
    alike = [other for other in exercise.outputs if other.judged == item.judged]
    if alike[0] is item and "." in item.about and all("." in other.about for other in alike):
        return (item.judged,)
    return subjects(item)


def _first(exercise: Exercise, item: Output) -> bool:
    """Whether no output before it is about the same."""
    return next(other for other in exercise.outputs if other.about == item.about) is item


def subjects(item: Output) -> tuple[str, ...]:
    """What of the learner's file an output is about: a method, or the functions or classes it asks for."""
    functions = tuple(name for name in item.asks if name[:1].islower())
    return (item.about,) if "." in item.about else functions or item.asks


def judged(exercise: Exercise, items: Collection[str]) -> list[str]:
    """The functions and classes that outputs of these names are about."""
    return list(dict.fromkeys(other.judged for other in exercise.outputs if other.name in items))


def lines_of(suite: Suite, exercise: str, about: Collection[str]) -> list[int]:
    """The lines at which functions, classes and methods begin in the learner's file."""
    text = learners_text(suite, exercise).decode("utf-8", "replace")
    return [number for one in about if (number := stubs.line_of(text, one))]


def place(suite: Suite, exercise: str, item: Item) -> str:
    """The file and the lines at which a learner writes an item."""
    lines = lines_of(suite, exercise, subjects(item) if isinstance(item, Output) else (item.name,))
    where = f", line{'s' * (len(lines) > 1)} {listed(lines)}" if lines else ""
    return f"{suite.shown(suite.stub(exercise))}{where}"


HOW = {
    "exact": "exactly, entry by entry",
    "approximate": "within the tolerance of rounding, number by number",
}


def confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody is there to answer; --yes says so beforehand")
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        print()
        return False
