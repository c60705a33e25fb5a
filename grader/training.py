"""Training with gradients by hand: one step, a check of many steps, and the same by autograd."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch

from grader.authored import Line
from grader.program import Env, Program


class Backward:
    """A learner's functions as one backward pass: each gets what it asks for, in the items' order."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], exercise: Mapping[str, Any]) -> None:
        self.calls = []
        for item in exercise["items"]:
            function = functions[item["name"]]
            names = [
                p.name
                for p in inspect.signature(function).parameters.values()
                if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
            ]
            self.calls.append((item["name"], function, tuple(names)))

    def __call__(self, env: Env) -> None:
        """Add every gradient to `env`, as d<name>."""
        for name, function, params in self.calls:
            env[name] = function(*[env[p] for p in params])


def program_of(exercise: Mapping[str, Any]) -> Program:
    """The forward program from an exercise's public description."""
    lines = tuple(Line(x["name"], x["code"], tuple(x["uses"])) for x in exercise["lines"])
    return Program(exercise["program"], tuple(exercise["inputs"]), lines, f"{exercise['id']}.py")


def rate(plan: Mapping[str, Any], step: int, steps: int) -> float:
    """The learning rate at a step: the first half at plan["lr"], the second at plan["lr_late"]."""
    return float(plan["lr"] if step < steps // 2 else plan["lr_late"])


def manual_steps(exercise: Mapping[str, Any], backward: Callable[[Env], None], given: Env) -> Env:
    """Train by hand on the batches in `given` (Xb, Yb with a leading step axis); the parameters after."""
    program, plan = program_of(exercise), exercise["training"]
    names = plan["parameters"]
    sizes = {k: v for k, v in given.items() if not isinstance(v, torch.Tensor)}
    params = {k: given[k].clone() for k in names}
    steps = len(given["Xb"])
    for i in range(steps):
        env = program.run({**sizes, **params, "Xb": given["Xb"][i], "Yb": given["Yb"][i]})
        backward(env)
        lr = rate(plan, i, steps)
        for k in names:
            params[k] += -lr * env["d" + k]
    return params


def autograd_steps(
    program: Program, plan: Mapping[str, Any], env: Env, batches: Iterable[Env], steps: int
) -> Env:
    """The same training driven by autograd; the parameters after."""
    names = plan["parameters"]
    params = {k: env[k].clone().requires_grad_() for k in names}
    sizes = {k: v for k, v in env.items() if not isinstance(v, torch.Tensor)}
    for i, batch in enumerate(batches):
        loss = program.run({**sizes, **params, **batch})[program.loss]
        for p in params.values():
            p.grad = None
        loss.backward()
        for p in params.values():
            assert p.grad is not None
            p.data += -rate(plan, i, steps) * p.grad
    return {k: p.detach() for k, p in params.items()}
