"""The author's own answers of output items: what is given on a draw, the references, how exact they are.

They run the author's functions: at build time, and in the oracle where `solutions/` is at hand. Trusted
side; torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.core import plain
from grader.core.exercise import Output
from grader.core.tolerance import ATOL, FLOOR, RTOL
from grader.reference import near, values
from grader.reference.float64 import MARGIN, Unfit, bound, double, doubled
from grader.reference.forward import Env
from grader.reference.near import Kept
from grader.reference.program import Program

DRAW = 1_000_003


class Solution:
    """The functions, classes and drivers of an authored file, from its text."""

    def __init__(self, source: str, filename: str) -> None:
        self.filename = filename
        self.names: dict[str, Any] = {"__name__": "solution"}
        exec(compile(source, filename, "exec"), self.names)

    def result(self, item: Output, env: Mapping[str, Any]) -> Any:
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


def saved(solution: Solution, outputs: Sequence[Output], env: Env, draw: Draw) -> tuple[Env, Env, list[str]]:
    """What output items are given beside the fixture's own tensors, their references, and what to tell.

    env: inputs, sizes and forward tensors. On a probe an item that receives the results of others has a draw
    of its own: on the fixture's they would be the others' references. Unfit where it can't be graded on.
    """
    given: Env = {}
    reference: Env = {}
    told = []
    for number, item in enumerate(outputs, 1):
        own = env
        if item.receives:
            if draw.probe:
                own = _drawn(draw, item.name, draw.settings["seed"] + DRAW * number)
            own = {**own, **received(solution, outputs, item, own)}
            asked = [k for k in own if k in item.receives or (draw.probe and k not in draw.settings)]
            own |= near.inputs({k: own[k] for k in asked}, _own(draw.old, item.name))
            given |= {f"{item.name}:{k}": own[k] for k in asked}
        for param in item.params:
            if param not in own:
                raise Unfit(item.name, f" asks for {param}, which nothing gives")
        result = near.near(solution.result(item, own), draw.old.reference.get(item.name))
        reference[item.name] = result
        largest, deviation, wide = _deviation(solution, item, own, result)
        reference["size." + item.name] = torch.tensor(largest, dtype=torch.float64)
        if wide:
            reference["bound." + item.name] = torch.tensor(wide, dtype=torch.float64)
            told.append(f"{item.name}: float32 is {deviation:.2g} from float64, so the bound is {wide:.2g}")
        if draw.probe:
            _hidden(item, result, {**env, **given})
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


def received(solution: Solution, outputs: Sequence[Output], item: Output, env: Env) -> Env:
    """The author's own results of the items before one, as it receives them."""
    by_name = {other.name: other for other in outputs}
    results: Env = {}
    for other in outputs[: [o.name for o in outputs].index(item.name)]:
        if other.name in _needed(by_name, item):
            results[other.name] = solution.result(other, {**env, **results})
    return {k: results[k] for k in item.receives}


def _needed(by_name: Mapping[str, Output], item: Output) -> set[str]:
    return {n for name in item.receives for n in (name, *_needed(by_name, by_name[name]))}


def _hidden(item: Output, result: Any, given: Env) -> None:
    """What a submission is given on a probe must not be an answer that it is asked for there."""
    if not (isinstance(result, torch.Tensor) and result.numel() > 1) and not (
        isinstance(result, list | dict | str | bytes) and len(result) > 2
    ):
        return
    spelt = values.dumps(result)
    for name, value in given.items():
        if name.partition(":")[2] not in item.receives and values.dumps(value) == spelt:
            raise Unfit(item.name, f" is to give what it is given as {name}: let inputs() draw more")


def _deviation(solution: Solution, item: Output, env: Env, result: Any) -> tuple[float, float, float]:
    """The largest number of a result, its distance from float64's, and the bound if that needs one."""
    found = _numbers(item, result)
    largest = max((abs(x) for x in found), default=0.0)
    try:
        with double():
            again = solution.result(item, {k: doubled(v) for k, v in env.items()})
    except RuntimeError:  # it names float32 itself
        return largest, 0.0, 0.0
    if item.exact or not found:
        if near.form(doubled(result)) != near.form(doubled(again)):
            raise Unfit(item.name, " rests on the last bits, and is another in float64: draw another seed")
        return largest, 0.0, 0.0
    better = _numbers(item, again)
    if len(better) != len(found):
        raise Unfit(item.name, " gives another form in float64")
    distances = [abs(x - y) for x, y in zip(found, better, strict=True)]
    whole = isinstance(result, torch.Tensor)
    allowed = [(RTOL + ATOL) * largest if whole else RTOL * abs(x) + FLOOR * largest for x in found]
    enough = all(MARGIN * d <= a for d, a in zip(distances, allowed, strict=True))
    return largest, max(distances), bound(item.name, max(distances), largest, enough)


def _numbers(item: Output, result: Any) -> list[float]:
    """Every number that may be a little off; what is infinite has to be so on both sides."""
    found: list[float] = []

    def take(one: Any) -> Any:
        if isinstance(one, torch.Tensor):
            found.extend(one.double().reshape(-1).tolist())
        elif type(one) is float:
            found.append(one)
        return one

    plain.rebuilt(result, take)
    if any(map(math.isnan, found)):
        raise Unfit(item.name, "'s own answer holds NaN")
    return [x for x in found if math.isfinite(x)]
