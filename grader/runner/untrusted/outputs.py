"""An output item's call in the child: its arguments, its driver, and the value as bytes. Untrusted side."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from grader.core import plain
from grader.core.calling import resolve
from grader.core.exercise import Exercise, Output
from grader.reference import values
from grader.runner.untrusted.bounded import bounded
from grader.runner.untrusted.loading import Submission

_dumps, _decode, _NotPlain = values.dumps, plain.decode, plain.NotPlain


def call(
    submission: Submission, item: Output, given: Mapping[str, Any], exercise: Exercise
) -> tuple[Any, list[str]]:
    """What the learner's function gives, or the driver of it; and the arguments that it changed."""
    have = arguments(item.name, given)
    if not item.driver:
        function = submission.names[item.name]
        if own := _renamed(function, item, have):
            passed = {k: values.copied(have[ours]) for k, ours in own.items()}
            value = function(*passed.values())
            have = {k: have[ours] for k, ours in own.items()}
        else:
            asked = resolve(function, item, have, exercise)
            passed = {k: values.copied(have[k]) for k in asked.injected}
            value = asked(passed)
    else:
        passed = {k: values.copied(have[k]) for k in item.params}
        learners = {name: submission.names[name] for name in item.asks}
        value = _driver(exercise, item.driver)(**learners, **passed)
    return value, [k for k, v in passed.items() if _changed(v, have[k])]


def _renamed(function: Any, item: Output, have: Mapping[str, Any]) -> dict[str, str]:
    """The task's parameters by a function's own names for them, where it has as many and others; else {}.

    What it calls as the task does stands in the task's place.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, types.CodeType) or code.co_flags & 12 or code.co_kwonlyargcount:
        return {}
    names = code.co_varnames[: code.co_argcount]
    if len(names) != len(item.params) or set(names) <= {*have, item.name}:
        return {}
    own = dict(zip(names, item.params, strict=True))
    return own if all(ours == k for k, ours in own.items() if k in have) else {}


def _changed(now: Any, before: Any) -> bool:
    try:
        return _dumps(now) != _dumps(before)
    except _NotPlain:
        return True


def arguments(item: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What an item may ask for, by name: its own draw where it has one, else the fixture's."""
    own = f"{item}:"
    shared = {k: v for k, v in given.items() if ":" not in k}
    return {**shared, **{k.removeprefix(own): v for k, v in given.items() if k.startswith(own)}}


def _driver(exercise: Exercise, name: str) -> Any:
    """A driver of the exercise's own program, which holds nothing of a solution."""
    names: dict[str, Any] = {"__name__": "program"}
    exec(_compiled(exercise.program, f"{exercise.id}.py (the grader's)"), names)
    return names[name]


@lru_cache(maxsize=1)
def _compiled(program: str, filename: str) -> types.CodeType:
    return compile(program, filename, "exec")


@contextmanager
def changed(submission: Submission, source: str) -> Iterator[None]:
    """The submission with another function, or another method: `source` has its class with that alone.

    KeyError, or what the code raises, where it can't be put there.
    """
    names, made = submission.names, dict[str, Any]()
    tree = bounded(ast.parse(source))
    name = tree.body[-1].name  # type: ignore[attr-defined]
    exec(compile(tree, submission.filename, "exec", dont_inherit=True), names, made)
    own = names[name]
    if not isinstance(tree.body[-1], ast.ClassDef):
        names[name] = made[name]
        try:
            yield
        finally:
            names[name] = own
        return
    method = tree.body[-1].body[-1].name  # type: ignore[attr-defined]
    before, new = vars(own)[method], vars(made[name])[method]
    for cell in getattr(new, "__closure__", None) or ():  # of `super()`
        if cell.cell_contents is made[name]:
            cell.cell_contents = own
    setattr(own, method, new)
    try:
        yield
    finally:
        setattr(own, method, before)


def pack(header: dict[str, Any], value: Any) -> tuple[dict[str, Any], bytes]:
    """A value that is no tensor, as plain data."""
    try:
        data = _dumps(value)
        _decode(data)
    except ValueError:
        message = (
            "returned data that can't be compared: there is more than plain values in a set, or as a key"
        )
        return {**header, "status": "not-a-tensor", "message": message}, b""
    except _NotPlain as error:
        message = f"returned {error}, which is no plain data"
        return {**header, "status": "not-a-tensor", "message": message}, b""
    return {**header, "status": "value", "dtype": "plain", "encoded": "plain", "sent": True}, data


def line_of(names: Mapping[str, Any], about: str) -> int | None:
    """The line on which a function or a method stands, or a class begins. about: "f", "C" or "C.m"."""
    name, _, method = about.partition(".")
    definition = names[name]
    if isinstance(definition, type):
        own = vars(definition).get(method)
        if isinstance(own, types.FunctionType):
            return own.__code__.co_firstlineno
        codes = [getattr(v, "__code__", None) for v in vars(definition).values()]
        lines = [c.co_firstlineno for c in codes if isinstance(c, types.CodeType)]
        return min(lines, default=None)
    code = getattr(inspect.unwrap(definition), "__code__", None)
    return code.co_firstlineno if isinstance(code, types.CodeType) else None
