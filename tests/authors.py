"""The author's own functions of an exercise, run in this process: to test the lectures' figures on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from conftest import ROOT, parts_of, solution

from grader.reference.forward import Env
from grader.reference.program import Program
from grader.reference.training import Backward
from grader.suite import fixtures


def functions(exercise: str) -> SimpleNamespace:
    """The functions and classes of an authored file, by name."""
    names: dict[str, Any] = {"__name__": exercise}
    exec(compile(solution(exercise), exercise, "exec"), names)
    return SimpleNamespace(**names)


class Net:
    """A forward program and the author's backward pass."""

    def __init__(self, exercise: str) -> None:
        parts = parts_of(exercise)
        written = vars(functions(exercise))
        self.program = Program.of(parts.public, exercise)
        self.back = Backward(
            {i.name: written[i.name] for i in parts.items}, fixtures.describe(ROOT, exercise)
        )

    def __call__(self, env: Env, **upstream: torch.Tensor) -> Env:
        """Every tensor, and every gradient as d<name>. upstream: those that arrive from outside."""
        full = {**self.program.run(env), **upstream}
        self.back(full)
        return full
