"""Wrong answers of output items: the author's functions with one change each, and how they are known again.

Imports torch; trusted side, at build time only.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import math
import sys
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

from grader.authoring.authored import Authored, Item
from grader.authoring.slips.mutants import Mutant, mutants
from grader.authoring.slips.sentences import say_of_output
from grader.authoring.slips.table import SLIPS
from grader.core import plain
from grader.core.exercise import Output
from grader.diagnosis.diagnose import FIXTURES
from grader.judging.output_fingerprints import mark, same_mark
from grader.reference import values
from grader.reference.outputs import Solution
from grader.runner.untrusted.outputs import arguments

STEPS = 20  # times the author's own steps, after which a mutant counts as endless


class Endless(Exception):
    """A mutant that does not come to an end."""


def changes(parts: Authored) -> list[tuple[str, str, Mutant]]:
    """Every first-order change of what is to be written: the definition, its whole new text, the mutant."""
    tree = ast.parse(parts.source)
    asked = {name for item in parts.outputs for name in item.asks}
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in asked:
            for m in _mutants(node, node.name):
                found.append((node.name, m.source, m))
        elif isinstance(node, ast.ClassDef) and node.name in asked:
            for k, method in enumerate(node.body):
                if not (isinstance(method, ast.FunctionDef) and ast.get_docstring(method)):
                    continue
                for m in _mutants(method, f"{node.name}.{method.name}"):
                    changed = copy.copy(node)
                    changed.body = [*node.body[:k], *ast.parse(m.source).body, *node.body[k + 1 :]]
                    found.append((node.name, ast.unparse(changed), m))
    return found


def _mutants(node: ast.FunctionDef, name: str) -> list[Mutant]:
    params = tuple(a.arg for a in node.args.args)
    return mutants(Item(name, name, params, "", ast.unparse(node), "", node.lineno), {})


def known(parts: Authored, env: Mapping[str, Mapping[str, Any]], filename: str) -> dict[str, Any]:
    """By output item: what is known of its mistakes, as `fingerprints.known` tells of gradients.

    env: by fixture, the arguments that an item gets by name (`runner.outputs.arguments`, its own draw first).
    """
    author = Solution(parts.source, filename)
    out: dict[str, Any] = {item.name: {"mistakes": [], "branches": {}} for item in parts.public.outputs}
    right = {
        item.name: {f: _marked(author, item, arguments(item.name, env[f]), None) for f in FIXTURES}
        for item in parts.public.outputs
    }
    found = sorted(changes(parts), key=lambda c: (c[2].kind == "keepdim dropped", SLIPS[c[2].kind].rank))
    for _, source, mutant in found:
        about = [item for item in parts.public.outputs if _judges(parts, item, mutant)]
        if not about:
            continue
        try:
            wrong = Solution(parts.source, filename)
            exec(compile(source, filename, "exec"), wrong.names)
        except Exception:
            continue
        for item in about:
            on = {}
            for f in FIXTURES:
                steps = right[item.name][f][1] * STEPS + 1000
                on[f] = _marked(wrong, item, arguments(item.name, env[f]), steps)[0]
                if on[f] is None:
                    break
            marks = {f: m for f, m in on.items() if m is not None}
            if len(marks) < 2 or all(same_mark(m, right[item.name][f][0]) for f, m in marks.items()):
                continue
            negated = all(same_mark(m, _negated(right[item.name][f][0])) for f, m in marks.items())
            told = say_of_output(mutant, item.exact, negated)
            kept = out[item.name]["mistakes"]
            if told and not any(all(same_mark(o["on"].get(f), m) for f, m in marks.items()) for o in kept):
                kept.append({"say": told, "on": marks})
    return out


def _judges(parts: Authored, item: Output, m: Mutant) -> bool:
    """Whether a mistake in what a mutant changes is an item's own: no other item is there to find it."""
    if "." in item.about or m.item == item.about:
        return m.item == item.about
    definition = m.item.partition(".")[0]
    others = [other for other in parts.public.outputs if other is not item]
    mine = definition == item.judged or not any(definition in other.asks for other in others)
    before = parts.public.outputs[: parts.public.outputs.index(item)]
    return definition in item.asks and mine and all(m.item != other.about for other in before)


def _negated(mark: dict[str, Any] | None) -> dict[str, Any] | None:
    return mark and {**mark, "prints": [-p for p in mark.get("prints", [])] or [math.inf]}


def _marked(
    solution: Solution, item: Output, env: Mapping[str, Any], steps: int | None
) -> tuple[dict[str, Any] | None, int]:
    """The mark of an item's result, and how many steps it took; None where there is no result."""
    try:
        with counted(steps, solution.filename) as taken:
            result = solution.result(item, env)
        return mark(plain.decode(values.dumps(result)), item.exact), taken[0]
    except Exception:
        return None, 0


@contextlib.contextmanager
def counted(most: int | None, filename: str) -> Iterator[list[int]]:
    """Count the lines of a file that run; Endless after `most`. No seconds: a build can be repeated."""
    taken = [0]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            taken[0] += 1
            if most is not None and taken[0] > most:
                raise Endless
        return trace if frame.f_code.co_filename == filename else None

    sys.settrace(trace)
    try:
        yield taken
    finally:
        sys.settrace(None)
