"""Whether an authored exercise is finished: what is not written yet, what doesn't run, what isn't right.

Imports torch; trusted side, at build time only. Each finding is an AuthoredError: one line that names the
file, the line or the item, and what to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from grader.authoring.authored import Authored, AuthoredError, Item
from grader.authoring.skeleton import unsaid, unwritten
from grader.core.exercise import ALT, is_probe
from grader.judging.compare import judge
from grader.reference import values
from grader.reference.forward import Env
from grader.reference.program import Program


def written(source: str, filename: str) -> None:
    """No function of the file's is still only a `raise NotImplementedError`."""
    if todo := unwritten(source, filename):
        more = f", nor are {len(todo) - 1} more" if len(todo) > 1 else ""
        raise AuthoredError(f"{filename}, line {todo[0].lineno}: {todo[0].name} is not written yet{more}")
    unsaid(source, filename)


def runs(program: Program, fixture: str, settings: Mapping[str, Any], filename: str) -> Env:
    """inputs() and forward, line by line, at one fixture's sizes: every tensor by name."""
    sizes = ", ".join(f"{k}={v}" for k, v in settings.items() if k != "seed")
    where = f"{filename}, at the sizes of {fixture} ({sizes})"
    with _running(f"{where}: inputs() stops"):
        env = program.draw(settings)
    again = program.draw(settings)
    if changing := [name for name, value in env.items() if not _same(value, again[name])]:
        raise AuthoredError(
            f"{where}: inputs() gives another {changing[0]} each time: draw it with its generator"
        )
    for name in program.inputs:
        if name not in env:
            raise AuthoredError(f"{where}: forward takes {name}, which is no size and not of inputs()")
    for line in program.lines:
        with _running(f"{where}: `{line.code.strip()}` stops"):
            env = {**env, line.name: program.step(line, env)}
    if program.lines:
        loss = env[program.loss]
        if not isinstance(loss, torch.Tensor) or loss.numel() != 1:
            ends = f"forward ends with {program.loss} {_form(loss)}"
            raise AuthoredError(f"{where}: {ends}; it must end with one number, the loss")
    return env


def _same(a: Any, b: Any) -> bool:
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else repr(a) == repr(b)


def _form(value: Any) -> object:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__


@contextlib.contextmanager
def _running(what: str) -> Iterator[None]:
    """The author's code, which may raise anything."""
    try:
        yield
    except Exception as error:
        told = f"{type(error).__name__}: {error}".split("\n")[0]
        raise AuthoredError(f"{what}: {told}") from None


class Gradients:
    """The author's own gradients, run on fixtures and held against autograd's."""

    def __init__(self, source: str, parts: Authored, filename: str) -> None:
        self.parts, self.filename = parts, filename
        self.names: dict[str, Any] = {"__name__": "solution"}
        exec(compile(source, filename, "exec"), self.names)

    def verify(self, fixture: str, given: Env, reference: Env, sizes: Env) -> None:
        for item in self.parts.gradients:
            self.verify_one(item, fixture, given, reference, sizes)

    def verify_one(self, item: Item, fixture: str, given: Env, reference: Env, sizes: Env) -> None:
        env, name = {**sizes, **given}, item.name
        if is_probe(fixture) and self.parts.siblings(item):  # it has a draw of its own
            env |= {p: given[ALT + p] for p in item.params if ALT + p in given}
            name = ALT + item.name
        where = f"{self.filename}, line {item.line}: {item.name}"
        for param in item.params:
            if param not in env:
                raise AuthoredError(f"{where} asks for {param}, which nothing gives")
        with _running(f"{where} stops on {fixture}"), torch.no_grad():
            answer = self.names[item.name](**{p: values.copied(env[p]) for p in item.params})
        wanted = reference[name]
        if not isinstance(answer, torch.Tensor) or answer.shape != wanted.shape:
            raise AuthoredError(f"{where} gives {_form(answer)} on {fixture}, autograd {tuple(wanted.shape)}")
        size = float(reference["size." + name])
        bound = float(reference.get("bound." + item.name, 0.0))
        check = judge(answer.numpy(), wanted.numpy(), size, bound)
        if not check.verdict.passed:
            raise AuthoredError(f"{where} is not autograd's gradient on {fixture}: {check.reason}")
