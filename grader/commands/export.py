"""`grader export`: exercises as assignments of nbgrader or otter."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.authoring.handout.cells import Cell
from grader.commands.policy import load
from grader.core import course
from grader.core.errors import GraderFault, UsageError
from grader.suite import fixtures
from grader.suite.files import replaced
from grader.suite.find import Suite, find, item_names, whole

Points = Mapping[str, Mapping[str, float]]  # by exercise and item
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")  # what nbgrader, otter and a shell all take as it is


def run(args: argparse.Namespace) -> int:
    suite = find()
    exercises = whole(
        suite,
        args.targets,
        lambda part: (
            f"export takes whole exercises, not the item {part.exercise}.{part.item}: "
            f"`grader export {args.platform} {part.exercise}`"
        ),
    )
    points = _points(suite, exercises, args)
    if args.platform == "otter":
        if args.assignment:
            raise UsageError("--assignment is nbgrader's: in otter each notebook is an assignment")
        from grader.authoring.handout import wheel

        packed = wheel.named(args.wheel)
        if packed.data is not None:
            raise UsageError("otter's containers install the grader from an address: --wheel https://…")
        files, next_ = _otter(suite, exercises, points, packed.address)
    else:
        files, next_ = _nbgrader(suite, exercises, args.assignment, points)
    out = Path(args.out)
    _write(out, files)
    print("\n".join(f"{out / path} is written" for path in files if path.endswith(".ipynb")))
    if args.platform == "nbgrader" and not all(suite.solution(e).is_file() for e in exercises):
        print("solutions/ is not here: what is to be written stays empty")
    print(f"Next: {next_.format(out=out)}")
    return 0


def _nbgrader(
    suite: Suite, exercises: Sequence[str], asked: str | None, points: Points
) -> tuple[dict[str, str], str]:
    """Files by path in a course's folder, and the command that comes next there."""
    from grader.authoring.handout import nbgrader

    sets = list(dict.fromkeys(map(course.set_of, exercises)))
    if asked is None and len(exercises) > 1 and len(sets) > 1:
        raise UsageError(f"{' and '.join(sets)} are several sets: name the assignment with --assignment")
    name = asked if asked is not None else sets[0] if len(exercises) > 1 else nbgrader.stem(exercises[0])
    if not NAME.fullmatch(name):
        raise UsageError(f"--assignment {name!r}: a name is of letters, digits, hyphens and underscores")
    files = {
        f"source/{name}/{nbgrader.stem(e)}.ipynb": nbgrader.notebook(e, _cells(suite, e), points[e])
        for e in exercises
    }
    return files, f"`nbgrader generate_assignment {name}` in {{out}}"


def _otter(
    suite: Suite, exercises: Sequence[str], points: Points, address: str
) -> tuple[dict[str, str], str]:
    """Files by path, a folder for each exercise, and the command that comes next."""
    from grader.authoring.handout import nbgrader, otter

    files = {
        f"{nbgrader.stem(e)}/{path}": text
        for e in exercises
        for path, text in otter.files(e, _cells(suite, e), points[e], address).items()
    }
    where = f"{{out}}/{nbgrader.stem(exercises[0])}" if len(exercises) == 1 else "each folder"
    return files, f"`otter generate` in {where}"


def _cells(suite: Suite, exercise: str) -> list[Cell]:
    from grader.authoring.authored import AuthoredError
    from grader.authoring.handout import cells

    path, described = suite.solution(exercise), suite.describe(exercise)
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else None
        return cells.of(described, fixtures.derived(suite.root, described), text)
    except AuthoredError as error:
        raise GraderFault(str(error)) from None


def _points(suite: Suite, exercises: Sequence[str], args: argparse.Namespace) -> Points:
    """What items are worth: by the policy, or each the same."""
    if args.policy and args.points is not None:
        raise UsageError("--points and --policy exclude each other")
    each = 1.0 if args.points is None else args.points
    if not (math.isfinite(each) and each >= 0):
        raise UsageError(f"--points {each}: what an item is worth is a number from 0 up")
    policy = load(suite, args.policy) if args.policy else None

    def worth(item: str) -> float:
        number = policy.worth[item] / 100 if policy else each
        return int(number) if number == int(number) else number

    return {e: {name: worth(f"{e}.{name}") for name in item_names(suite.describe(e))} for e in exercises}


def _write(out: Path, files: Mapping[str, str]) -> None:
    """Write the files. UsageError before that where one is there with another text: the instructor's own."""
    for name, text in files.items():
        path = out / name
        if path.exists() and (not path.is_file() or path.read_bytes() != text.encode()):
            kept = f"{path} exists already and is kept"
            raise UsageError(f"{kept}: remove it, or name another folder with --out")
    for name, text in files.items():
        replaced(out / name, text.encode())
