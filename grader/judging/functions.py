"""A learner's function as text that can be changed, from a file or as it is cut out of flat code."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from grader.core import parsing
from grader.core.exercise import Exercise, Gradient, Task
from grader.core.limits import EXPLAINED, MAX_CHANGED
from grader.diagnosis import syntax
from grader.diagnosis.repairs.source import About, Source
from grader.submissions.flat import cut, renames, statements
from grader.submissions.script import Script


def about(task: Task, item: Gradient, arrays: Mapping[str, Any], uses: Sequence[str]) -> About:
    """What a function for an item may ask for."""
    known = {k: v for k, v in arrays.items() if ":" not in k and not task.exercise.is_gradient(k)}
    gradients = [k for k in item.available if k not in item.siblings or k in uses]
    shapes = {k: v.shape for k, v in known.items() if v.dtype.kind == "f"}
    shapes |= {k: arrays[k].shape for k in gradients if k in arrays}
    kinds = {kind: [k for k, v in known.items() if v.dtype.kind == kind] for kind in "ib"}
    sizes = list(task.exercise.lecture.sizes)
    cut = {*item.cut} or {task.exercise.loss}
    code = " ".join(line.code for line in task.exercise.lines if line.name in cut)
    numbers = [n for n in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", code) if float(n)]
    return About(shapes, item.params, sizes, kinds["i"], kinds["b"], item.tensor, numbers)


def read(code: Script, name: str, known: About) -> Source | None:
    """The function that a submission has for an item; None where its text isn't at hand, or is decorated."""
    functions = [
        n
        for n in syntax.tree(code.functions).body
        if getattr(n, "name", "") == name and not getattr(n, "decorator_list", ())
    ]
    if not functions or sum(1 for _ in ast.walk(functions[-1])) > MAX_CHANGED:
        return None
    first, last = functions[-1].lineno, functions[-1].end_lineno or functions[-1].lineno
    lines = code.functions.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return made("\n".join(lines[first - 1 : last]), known, range(first, last + 1))


def made(text: str, known: About, lines: Sequence[int]) -> Source | None:
    try:
        return Source(text, known, lines)
    except (SyntaxError, ValueError, AssertionError):
        return None


def cut_out(code: Script, exercise: Exercise) -> Mapping[str, ast.FunctionDef]:
    """The functions that are cut out of flat code, by item; none of too much code."""
    if len(code.source) > EXPLAINED // 2:
        return {}
    renames.prepare(exercise)
    parsed = statements.parse(code.source.decode("utf-8", "replace"))
    return cut.read(parsed, exercise, code.flat or None).functions


def unparsed(node: ast.FunctionDef, known: About) -> Source | None:
    """A function that was cut out as text, each line of which knows where it comes from."""
    if sum(1 for _ in ast.walk(node)) > MAX_CHANGED:
        return None
    text = ast.unparse(node)
    lines = [node.lineno] * (text.count("\n") + 1)
    for new, old in zip(ast.walk(parsing.module(text).body[0]), ast.walk(node), strict=False):
        if type(new) is not type(old):
            break
        if isinstance(new, ast.stmt) and isinstance(old, ast.stmt):
            lines[new.lineno - 1] = getattr(old, "lineno", node.lineno)
    return made(text, known, lines)
