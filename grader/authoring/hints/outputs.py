"""The ladder of hints of an output item: concept, shapes, an example with numbers, the formula.

They speak of the learner's functions and methods, never of the driver that calls them. Concept and formula
are the author's HINTS. An example is lines of Python in HINTS, `>>> merge([1, 1], (1, 1), 9)`, and what the
author's own functions give for them; else a call of the driver's. Shapes are those of the calls on the
smallest fixture. Nothing of a source is ever in them. Imports torch; runs at build time.
"""

from __future__ import annotations

import contextlib
import doctest
import inspect
import pprint
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FrameType, FunctionType
from typing import Any

import torch

from grader.authoring.authored import RUNGS, Authored, AuthoredError
from grader.authoring.hints.site import times
from grader.core import plain
from grader.core.exercise import Output
from grader.core.text import listed
from grader.reference import values
from grader.reference.forward import Env
from grader.reference.outputs import Solution, received

LONG = 400  # characters of a call that an example shows
WIDTH = 88


def ladders(parts: Authored, env: Env, filename: str) -> dict[str, dict[str, Any]]:
    """By output item its rungs, without those of which neither the author nor a run has anything to say.

    env: what is given on the fixture on which the author's functions run, with its sizes. AuthoredError where
    an example of the author's can't be read.
    """
    solution = Solution(parts.source, filename)
    outputs = parts.public.outputs
    out = {}
    for item in outputs:
        own = {**env, **received(solution, outputs, item, env)}
        found = _recorded(solution, item, own)
        said = parts.hints.get(item.name, {})
        concept = [said.get("concept", ""), _before(item, outputs)]
        derived = {
            "concept": "\n\n".join(filter(None, concept)),
            "shapes": said.get("shapes") or _described(found),
            "example": worked(said["example"], solution.names) if said.get("example") else _called(found),
            "formula": said.get("formula", ""),
        }
        out[item.name] = {"rungs": {k: derived[k] for k in RUNGS if derived[k]}, "example": {}}
    return out


def _before(item: Output, outputs: Sequence[Output]) -> str:
    """What an item rests on: results that it is given, functions that its own may call."""
    lines = []
    if item.receives:
        names = " and ".join(f"`{name}`" for name in item.receives)
        said = (
            "are given as the solution has them" if item.receives[1:] else "is given as the solution has it"
        )
        lines.append(f"{names} {said}: a mistake there does not count here.")
    if item.uses:
        names = ", ".join(dict.fromkeys(other.judged for other in outputs if other.name in item.uses))
        lines.append(f"It may call what you have written before: {names}.")
    return "\n".join(lines)


# --- the example -----------------------------------------------------------------------------------


def worked(text: str, names: Mapping[str, Any]) -> str:
    """An author's example with what its lines give; names: what they are run with, which stays as it is."""
    known = dict(names)
    out: list[str] = []
    for piece in doctest.DocTestParser().parse(text):
        if isinstance(piece, str):
            out += [line.rstrip() for line in piece.splitlines() if line.strip() or out]
            continue
        indent = " " * max(piece.indent, 4)
        lines = piece.source.rstrip("\n").split("\n")
        out += [f"{indent}{'...' if k else '>>>'} {line}".rstrip() for k, line in enumerate(lines)]
        out += textwrap.indent(_gives(piece.source, known), indent).splitlines()
    return "\n".join(out).strip("\n")


def _gives(source: str, known: dict[str, Any]) -> str:
    """What Python shows after a statement, numbers to five digits; "" after one that shows nothing."""
    try:
        code = compile(source, "example", "eval")
    except SyntaxError:
        try:
            exec(compile(source, "example", "exec"), known)
        except SyntaxError as error:
            raise AuthoredError(f"an example of HINTS can't be read: {error}") from None
        return ""
    try:
        value = eval(code, known)
    except ValueError as error:
        return f"{type(error).__name__} is raised"
    return "" if value is None else _shown(value)


def _shown(value: Any) -> str:
    said = _rounded(value)
    if isinstance(said, _Tensor) and value.ndim > 1:
        return f"tensor([{f',{chr(10)}        '.join(map(str, said.rows))}])"
    return pprint.pformat(said, width=WIDTH, compact=True, sort_dicts=False)


@dataclass(frozen=True)
class _Tensor:
    rows: Any

    def __repr__(self) -> str:
        return f"tensor({self.rows})"


class _Ordered(set[Any]):
    """A set that is always written alike: Python's order of strings is another in each process."""

    def __repr__(self) -> str:
        return f"{{{', '.join(sorted(map(repr, self)))}}}" if self else "set()"


def _rounded(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return _Tensor(_rounded(value.tolist()))
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, list | tuple | set):
        kind = _Ordered if isinstance(value, set) else type(value)
        return kind(_rounded(one) for one in value)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value


# --- what the author's functions are called with ---------------------------------------------------


@dataclass
class Called:
    """The calls of one function or method: of each the arguments by name, and the result."""

    name: str
    params: tuple[str, ...]
    calls: list[tuple[dict[str, Any], Any]] = field(default_factory=list)


def _recorded(solution: Solution, item: Output, env: Env) -> list[Called]:
    """The calls of the functions and methods that an item is about while its driver, or it itself, runs."""
    found = {
        f.__code__: Called(name, tuple(p for p in inspect.signature(f).parameters if p != "self"))
        for name, f in _functions(solution, item)
    }
    running: list[tuple[FrameType, dict[str, Any]]] = []

    def watch(frame: FrameType, event: str, value: Any) -> None:
        if (one := found.get(frame.f_code)) is None:
            return
        if event == "call":
            running.append((frame, {name: values.copied(frame.f_locals[name]) for name in one.params}))
        elif event == "return" and running and running[-1][0] is frame:
            one.calls.append((running.pop()[1], values.copied(value)))

    sys.setprofile(watch)
    try:
        solution.result(item, env)
    finally:
        sys.setprofile(None)
    return [one for one in found.values() if one.calls]


def _functions(solution: Solution, item: Output) -> Iterator[tuple[str, FunctionType]]:
    """What an item is about: one method, or the functions, and the methods with a task, that it asks for."""
    name, _, method = item.about.partition(".")
    for asked in [name] if method else item.asks:
        definition = solution.names[asked]
        if isinstance(definition, FunctionType):
            yield asked, definition
        else:
            for own, function in vars(definition).items():
                if isinstance(function, FunctionType) and (own == method or not method and function.__doc__):
                    yield f"{asked}.{own}", function


def _described(found: Sequence[Called]) -> str:
    """Of what kind the arguments and results are; an integer is told where a tensor's axis is as long."""
    lines: list[str] = []
    sized = False
    for one in found:
        arguments, result = one.calls[0]
        told = *arguments.values(), *(result if isinstance(result, tuple) else (result,))
        lengths = {n for t in told if isinstance(t, torch.Tensor) for n in t.shape}
        sized = sized or bool(lengths)
        alike: dict[str, list[str]] = {}
        for name in one.params:
            value = arguments[name]
            here = f", here {value}" if type(value) is int and value in lengths else ""
            alike.setdefault(f"{_kind(value)}{here}", []).append(name)
        lines += [f"{listed(n)} {'are each' if n[1:] else 'is'} {k}." for k, n in alike.items()]
        if not one.name.endswith("__init__"):
            lines.append(f"{one.name} returns {'nothing' if result is None else _kind(result)}.")
    lines += ["Sizes are those of one call."] * sized
    return "\n".join(dict.fromkeys(lines))


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        shape = times(tuple(value.shape)) if value.ndim else "no axes, one number"
        return f"a tensor of {shape}, {str(value.dtype).removeprefix('torch.')}"
    name = _name(value)
    if isinstance(value, tuple) and 1 < len(value) < 4:
        return f"a tuple of {len(value)}: {'; '.join(map(_kind, value))}"
    if isinstance(value, list | tuple | set) and value:
        return f"a {name} of {_many([*value])}"
    if isinstance(value, dict) and value:
        keys, kinds = (" or ".join(sorted({*map(_name, of)})) for of in (value, value.values()))
        return f"a dict from {keys} to {kinds}"
    return name if value is None else f"{'an' if name == 'integer' else 'a'} {name}"


def _many(inner: Sequence[Any]) -> str:
    """What several are: integers, lists of floats, pairs (string, integer)."""
    first, names = inner[0], sorted({_name(one) for one in inner})
    if names == ["tuple"] and {len(one) for one in inner} == {2}:
        return f"pairs ({', '.join(map(_name, first))})"
    if names == ["list"] and (within := [x for one in inner for x in one]):
        return f"lists of {_many(within)}"
    if names == ["float", "integer"]:
        return "numbers"
    return f"{names[0]}s" if len(names) == 1 else f"({', '.join(names)})"


NAMES = {int: "integer", str: "string", bytes: "bytes object", torch.Tensor: "tensor", type(None): "None"}


def _name(value: Any) -> str:
    if isinstance(value, FunctionType | BuiltinFunctionType):
        return "function"
    return NAMES.get(type(value), type(value).__name__)


def _called(found: Sequence[Called]) -> str:
    """The two shortest calls of a function whose arguments can be written; "" where there are none."""
    said = {}
    for one in found:
        for arguments, result in one.calls:
            with contextlib.suppress(plain.NotPlain):
                plain.encode([*arguments.values()])
                values.dumps(result)
                call = f"{one.name}({', '.join(map(_shown, arguments.values()))})"
                if "." not in one.name and len(call) + len(_shown(result)) < LONG:
                    said[call] = _shown(result)
    shortest = sorted(said, key=lambda call: len(call) + len(said[call]))[:2]
    return "\n".join(textwrap.indent(f">>> {call}\n{said[call]}", "    ") for call in shortest)
