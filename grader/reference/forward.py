"""The forward program, run line by line. What differentiates it is `program`, which no child ever has."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, Self, cast

import torch

from grader.core.exercise import Exercise, Line, sizes

Env = dict[str, Any]


def is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


class Forward:
    """An exercise's forward program, made from the text of an authored file or of its description."""

    def __init__(self, source: str, inputs: tuple[str, ...], lines: tuple[Line, ...], filename: str) -> None:
        self.inputs, self.lines = inputs, lines
        self.module: dict[str, Any] = {"__name__": "program"}
        exec(compile(source, filename, "exec"), self.module)
        self._codes: dict[str, CodeType] = {
            line.name: compile(line.code.strip(), f"{filename}:{line.name}", "exec") for line in lines
        }

    @classmethod
    def of(cls, exercise: Exercise, filename: str = "") -> Self:
        """From an exercise's public description."""
        return cls(exercise.program, exercise.inputs, exercise.lines, filename or f"{exercise.id}.py")

    @property
    def fixtures(self) -> dict[str, dict[str, Any]]:
        """The settings of each fixture: its seed, its sizes, and how many steps it was trained."""
        return dict(self.module["FIXTURES"])

    @property
    def loss(self) -> str:
        return self.lines[-1].name

    def draw(self, settings: Mapping[str, Any]) -> Env:
        """Inputs and sizes for a fixture's settings."""
        own = sizes(settings)
        g = torch.Generator().manual_seed(settings["seed"])
        return {**own, **self.module["inputs"](g, **own)}

    def step(self, line: Line, env: Mapping[str, Any]) -> Any:
        """The value of one line."""
        scope = {**self.module, **env}
        exec(self._codes[line.name], scope)
        return scope[line.name]

    def run(self, env: Env, fixed: Mapping[str, Any] | None = None) -> Env:
        """All lines in order; `env` and every named tensor. fixed: values that replace their lines."""
        if fixed:
            env = {**env, **fixed}
        return self._function(tuple(fixed or ()))(env)

    @functools.cache  # noqa: B019 -- a program lives as long as its process
    def _function(self, fixed: tuple[str, ...]) -> Callable[[Env], Env]:
        """The lines as one Python function, which is faster than a line at a time."""
        names = [line.name for line in self.lines]
        body = [f"{name} = env[{name!r}]" for name in (*self.inputs, *fixed)]
        body += [line.code.strip() for line in self.lines if line.name not in fixed]
        body += [f"return {{**env, {', '.join(f'{n!r}: {n}' for n in names)}}}"]
        source = "def run(env):\n" + "\n".join("    " + text for text in body)
        scope = dict(self.module)
        exec(compile(source, "forward", "exec"), scope)
        return cast(Callable[[Env], Env], scope["run"])
