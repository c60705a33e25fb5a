"""The author's own solution of output items, run: references, how exact they are, and wrong answers.

Imports torch; trusted side, at build time only.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch

from grader.authoring.authored import Authored, AuthoredError, Item
from grader.authoring.slips.mutants import Mutant, mutants
from grader.authoring.slips.sentences import say_of_output
from grader.authoring.slips.table import SLIPS
from grader.core import plain
from grader.diagnosis.diagnose import FIXTURES
from grader.judging.compare import ATOL, RTOL
from grader.judging.compare_outputs import FLOOR, numbers
from grader.judging.output_fingerprints import mark, same_mark
from grader.reference import near
from grader.reference.forward import Env
from grader.reference.near import Kept
from grader.reference.program import Program
from grader.runner.untrusted import values
from grader.runner.untrusted.outputs import arguments

MARGIN = 4.0  # an answer may be twice as far from the truth as float32 is here, and so may the other
MOST = 1e-3  # of an answer's size: where float32 is farther from float64, another seed is to be drawn
STEPS = 20  # times the author's own steps, after which a mutant counts as endless
DRAW = 1_000_003

Changed = tuple[str, str]  # a definition of the author's, and its text changed


class Endless(Exception):
    """A mutant that does not come to an end."""


class Solution:
    """The functions, classes and drivers of an authored file. changed: definitions in other words."""

    def __init__(self, parts: Authored, filename: str, changed: Changed | None = None) -> None:
        self.filename = filename
        self.names: dict[str, Any] = {"__name__": "solution"}
        exec(compile(parts.source, filename, "exec"), self.names)
        if changed:
            exec(compile(changed[1], filename, "exec"), self.names)

    def result(self, item: Item, env: Mapping[str, Any]) -> Any:
        """What an item's function or driver gives; plain data as it comes off the wire."""
        learners = {name: self.names[name] for name in item.asks} if item.driver else {}
        passed = {k: values.copied(env[k]) for k in item.params}
        with torch.no_grad():
            value = self.names[item.driver or item.name](**learners, **passed)
        if isinstance(value, torch.Tensor):
            return value.detach().clone()
        return values.loads(values.dumps(value))


@dataclass(frozen=True)
class Draw:
    """What a fixture's values are drawn with. old: the fixture as it is saved."""

    program: Program
    settings: Mapping[str, Any]
    probe: bool
    old: Kept


def saved(solution: Solution, parts: Authored, env: Env, draw: Draw) -> tuple[Env, Env, list[str]]:
    """What output items are given beside the fixture's own tensors, their references, and what to tell.

    env: inputs, sizes and forward tensors. On a probe an item that receives the results of others has a draw
    of its own: on the fixture's they would be the others' references.
    """
    given: Env = {}
    reference: Env = {}
    told = []
    for number, item in enumerate(parts.outputs, 1):
        own = env
        if item.receives:
            if draw.probe:
                own = _drawn(draw, item.name, draw.settings["seed"] + DRAW * number)
            own = {**own, **received(solution, parts, item, own)}
            asked = [k for k in own if k in item.receives or (draw.probe and k not in draw.settings)]
            own |= near.inputs({k: own[k] for k in asked}, _own(draw.old, item.name))
            given |= {f"{item.name}:{k}": own[k] for k in asked}
        for param in item.params:
            if param not in own:
                raise AuthoredError(f"line {item.line}: {item.name} asks for {param}, which nothing gives")
        result = near.near(solution.result(item, own), draw.old.reference.get(item.name))
        reference[item.name] = result
        largest, deviation, bound = _deviation(solution, item, own, result)
        reference["size." + item.name] = torch.tensor(largest, dtype=torch.float64)
        if bound:
            reference["bound." + item.name] = torch.tensor(bound, dtype=torch.float64)
            told.append(f"{item.name}: float32 is {deviation:.2g} from float64, so the bound is {bound:.2g}")
        if draw.probe:
            _hidden(item, result, {**env, **given}, reference)
    return given, reference, told


def _drawn(draw: Draw, item: str, seed: int) -> Env:
    """An item's own draw on a probe."""
    old = _own(draw.old, item)
    return near.forward(
        draw.program, near.inputs(draw.program.draw({**draw.settings, "seed": seed}), old), old
    )


def _own(old: Kept, item: str) -> Env:
    """What is saved of an item's own draw."""
    return {k.removeprefix(f"{item}:"): v for k, v in old.given.items() if k.startswith(f"{item}:")}


def received(solution: Solution, parts: Authored, item: Item, env: Env) -> Env:
    """The author's own results of the items before one, as it receives them."""
    results: Env = {}
    for other in parts.outputs[: parts.outputs.index(item)]:
        if other.name in _needed(parts, item):
            results[other.name] = solution.result(other, {**env, **results})
    return {k: results[k] for k in item.receives}


def _needed(parts: Authored, item: Item) -> set[str]:
    by_name = {other.name: other for other in parts.outputs}
    return {n for name in item.receives for n in (name, *_needed(parts, by_name[name]))}


def _hidden(item: Item, result: Any, given: Env, reference: Env) -> None:
    """What a submission is given on a probe must not be an answer that it is asked for there."""
    if not (isinstance(result, torch.Tensor) and result.numel() > 1) and not (
        isinstance(result, list | dict | str | bytes) and len(result) > 2
    ):
        return
    spelt = values.dumps(result)
    for name, value in given.items():
        if name.partition(":")[2] not in item.receives and values.dumps(value) == spelt:
            raise AuthoredError(
                f"line {item.line}: {item.name} is to give what it is given as {name}: let inputs() draw more"
            )


# --- how exact a reference is --------------------------------------------------------------------------


def _deviation(solution: Solution, item: Item, env: Env, result: Any) -> tuple[float, float, float]:
    """The largest number of a result, its distance from float64's, and the bound if that needs one."""
    found = _numbers(result)
    largest = max((abs(x) for x in found), default=0.0)
    if item.compare == "exact" or not found:
        return largest, 0.0, 0.0
    try:
        with double():
            better = _numbers(solution.result(item, {k: doubled(v) for k, v in env.items()}))
    except RuntimeError:  # it names float32 itself
        return largest, 0.0, 0.0
    if len(better) != len(found):
        raise AuthoredError(f"line {item.line}: {item.name} gives another form in float64")
    distances = [abs(x - y) for x, y in zip(found, better, strict=True)]
    whole = isinstance(result, torch.Tensor)
    allowed = [(RTOL + ATOL) * largest if whole else RTOL * abs(x) + FLOOR * largest for x in found]
    deviation = max(distances)
    if deviation > MOST * largest:
        raise AuthoredError(
            f"line {item.line}: {item.name}: float32 and float64 are {deviation:.2g} apart where the answer "
            f"is {largest:.2g} at most: draw another seed"
        )
    needed = any(MARGIN * d > a for d, a in zip(distances, allowed, strict=True))
    return largest, deviation, MARGIN * deviation if needed else 0.0


def _numbers(result: Any) -> list[float]:
    """Every number that may be a little off; what is infinite has to be so on both sides."""
    if isinstance(result, torch.Tensor):
        found = [float(x) for x in result.double().reshape(-1)]
    else:
        found = list(numbers(plain.decode(values.dumps(result))))
    if any(x != x for x in found):
        raise AuthoredError("an output item's own answer holds NaN")
    return [x for x in found if abs(x) != float("inf")]


@contextlib.contextmanager
def double() -> Iterator[None]:
    """What is made without a dtype is float64."""
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def doubled(value: Any) -> Any:
    """Plain data with every float32 tensor as float64."""
    return plain.rebuilt(
        value,
        lambda v: v.double() if isinstance(v, torch.Tensor) and v.dtype is torch.float32 else v,
    )


# --- wrong answers -------------------------------------------------------------------------------------


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
    author = Solution(parts, filename)
    out: dict[str, Any] = {item.name: {"mistakes": [], "branches": {}} for item in parts.outputs}
    right = {
        item.name: {f: _marked(author, item, arguments(item.name, env[f]), None) for f in FIXTURES}
        for item in parts.outputs
    }
    found = sorted(changes(parts), key=lambda c: (c[2].kind == "keepdim dropped", SLIPS[c[2].kind].rank))
    for definition, source, mutant in found:
        about = [item for item in parts.outputs if _judges(parts, item, mutant)]
        if not about:
            continue
        try:
            wrong = Solution(parts, filename, (definition, source))
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
            told = say_of_output(mutant, item.compare == "exact", negated)
            kept = out[item.name]["mistakes"]
            if told and not any(all(same_mark(o["on"].get(f), m) for f, m in marks.items()) for o in kept):
                kept.append({"say": told, "on": marks})
    return out


def _judges(parts: Authored, item: Item, m: Mutant) -> bool:
    """Whether a mistake in what a mutant changes is an item's own: no other item is there to find it."""
    if "." in item.about or m.item == item.about:
        return m.item == item.about
    definition = m.item.partition(".")[0]
    others = [other for other in parts.outputs if other is not item]
    mine = definition == item.judged or not any(definition in other.asks for other in others)
    before = parts.outputs[: parts.outputs.index(item)]
    return definition in item.asks and mine and all(m.item != other.about for other in before)


def _negated(mark: dict[str, Any] | None) -> dict[str, Any] | None:
    return mark and {**mark, "prints": [-p for p in mark.get("prints", [])] or [math.inf]}


def _marked(
    solution: Solution, item: Item, env: Mapping[str, Any], steps: int | None
) -> tuple[dict[str, Any] | None, int]:
    """The mark of an item's result, and how many steps it took; None where there is no result."""
    try:
        with counted(steps, solution.filename) as taken:
            result = solution.result(item, env)
        return mark(plain.decode(values.dumps(result)), item.compare == "exact"), taken[0]
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
