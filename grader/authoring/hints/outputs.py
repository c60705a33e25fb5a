"""The ladder of hints of an output item: shapes, an example with numbers, and what the author adds.

Derived from a run of the author's function on small inputs; the author's HINTS go before. A rung that could
only repeat the task's docstring is left out. Nothing of a source is ever in them. Imports torch; runs at
build time.
"""

from __future__ import annotations

import pprint
import textwrap
from typing import Any

import torch

from grader.authoring.authored import RUNGS, Authored
from grader.core.exercise import Output
from grader.judging.compare_outputs import kind_of
from grader.reference.forward import Env
from grader.reference.outputs import Solution, received

LONG = 400  # characters of a value that an example shows
WIDTH = 88


def ladders(parts: Authored, env: Env, filename: str) -> dict[str, dict[str, Any]]:
    """By output item: those of the four rungs that say more than its task.

    env: what is given on the fixture whose inputs the examples show, with its sizes.
    """
    solution = Solution(parts.source, filename)
    outputs = parts.public.outputs
    out = {}
    for item in outputs:
        own = {**env, **received(solution, outputs, item, env)}
        result = solution.result(item, own)
        derived = (_concept(item), _shapes(item, own, result), _example(item, own, result), "")
        rungs = {**dict(zip(RUNGS, derived, strict=True)), **parts.hints.get(item.name, {})}
        out[item.name] = {"rungs": {k: said for k, said in rungs.items() if said}, "example": {}}
    return out


def _concept(item: Output) -> str:
    lines = []
    if item.receives:
        names = " and ".join(item.receives)
        lines.append(f"It is given {names} as it should be, so that a mistake there does not count here.")
    if item.uses:
        lines.append(f"It can be made from what you have written before: {', '.join(item.uses)}.")
    return "\n".join(lines)


def _shapes(item: Output, env: Env, result: Any) -> str:
    lines = [f"{name} is {_kind(env[name])}." for name in item.params]
    return "\n".join([*lines, f"{item.name} gives {_kind(result)}."])


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        shape = "×".join(map(str, value.shape)) or "no axes, one number"
        return f"a tensor of {shape}, {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, list | tuple | set) and value:
        inner = sorted({kind_of(one).split(" ", 1)[-1] for one in value})
        return f"{kind_of(value)} of {len(value)} ({', '.join(inner)})"
    if isinstance(value, dict) and value:
        key, one = next(iter(value.items()))
        return f"a dict of {len(value)}, from {kind_of(key)} to {kind_of(one)}"
    return kind_of(value)


def _example(item: Output, env: Env, result: Any) -> str:
    given = "\n".join(_shown(name, env[name]) for name in item.params)
    text = f"With\n\n{given}\n\nit gives\n\n" if given else "It gives\n\n"
    return text + _shown(item.name, result)


def _shown(name: str, value: Any) -> str:
    plain = _rounded(value)
    said = pprint.pformat(plain, width=WIDTH - len(name), compact=True, sort_dicts=False)
    if len(said) > LONG:
        said = said[:LONG].rsplit(" ", 1)[0] + " …"
    lines = f"{name} = {said}".splitlines()
    return textwrap.indent("\n".join([lines[0], *(" " * (len(name) + 3) + x for x in lines[1:])]), "    ")


class _Ordered(set[Any]):
    """A set that is always written alike: Python's order of strings is another in each process."""

    def __repr__(self) -> str:
        return f"{{{', '.join(sorted(map(repr, self)))}}}" if self else "set()"


def _rounded(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _rounded(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, list | tuple | set):
        kind = _Ordered if isinstance(value, set) else type(value)
        return kind(_rounded(one) for one in value)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
