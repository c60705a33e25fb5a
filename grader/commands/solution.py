"""`grader solution`: the author's code, after asking; of what has passed beside the learner's, without."""

from __future__ import annotations

import argparse
import ast
import os
from pathlib import Path
from typing import TYPE_CHECKING

from grader.commands import prose
from grader.commands.read import confirmed, learners_text, statuses
from grader.core import parsing
from grader.core.errors import GraderFault, UsageError
from grader.core.text import block
from grader.learner import progress
from grader.learner.progress import Status
from grader.suite.files import refusing
from grader.suite.find import Suite, Target, find, targets

if TYPE_CHECKING:
    from grader.authoring.authored import Authored


def run(args: argparse.Namespace) -> int:
    suite = find()
    wanted = targets(suite, args.targets)
    for target in wanted:
        if not suite.solution(target.exercise).is_file():
            raise UsageError(f"solutions/ is not here, so there is no solution of {target.exercise} to show")
    passed = _passed(suite, wanted)
    if not (args.yes or passed or confirmed(f"Show the solution of {', '.join(args.targets)}?")):
        return 1
    if args.notebook:
        return _solved(suite, wanted, Path(args.notebook))
    for target in wanted:
        parts = _authored(suite, target.exercise)
        items = [i for i in parts.items if target.item in (None, i.name)]
        texts = list(dict.fromkeys(i.source for i in items))
        if passed and texts:
            yours = _functions(learners_text(suite, target.exercise))
            pairs = [(_own(yours, text), text) for text in texts]
            print("\n\n".join(beside(one, other, prose.columns()) for one, other in pairs))
        else:
            none = f"{target.item} has no text of its own; it follows from the gradients"
            print("\n\n\n".join(texts) or none)
    return 0


def _passed(suite: Suite, wanted: list[Target]) -> bool:
    """Whether all that is asked for has passed as it is now."""
    state = progress.read(suite.work)
    for target in wanted:
        found = statuses(suite, suite.describe(target.exercise), state)
        asked = found.values() if target.item is None else [found[target.item]]
        if any(status is not Status.PASSED for status in asked):
            return False
    return True


def _functions(source: bytes) -> dict[str, str]:
    """The learner's functions and classes by name, as they are written."""
    text = source.decode("utf-8", "replace")
    try:
        body = parsing.module(text).body
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    found = [n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {n.name: ast.get_source_segment(text, n) or "" for n in found}


def _own(yours: dict[str, str], text: str) -> str:
    """The learner's text of what the author's defines."""
    names = [n.name for n in parsing.module(text).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    found = "\n\n\n".join(yours[name] for name in names if name in yours)
    return block(found.encode(), len(found.encode()))


def beside(yours: str, authors: str, width: int) -> str:
    """Two texts side by side, where the width has room for both; else one after the other."""
    left, right = (_without_docstring(text).split("\n") for text in (yours, authors))
    wide = max(map(len, ["yours", *left]))
    if wide + 3 + max(map(len, ["the author's", *right])) > min(width, 200):
        return "\n".join(["# yours", *left, "", "# the author's", *right])
    left, right = ["# yours", *left], ["# the author's", *right]
    more = len(left) - len(right)
    left, right = left + [""] * -more, right + [""] * more
    return "\n".join(f"{a.ljust(wide)} │ {b}".rstrip() for a, b in zip(left, right, strict=True))


def _without_docstring(text: str) -> str:
    """A function without the task, which both have."""
    try:
        body = parsing.module(text).body
    except (ValueError, SyntaxError):
        return text
    lines = text.split("\n")
    for node in reversed(body):
        first = node.body[0] if isinstance(node, ast.FunctionDef) and len(node.body) > 1 else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines)


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
