"""Training with gradients by hand: one step, a check of many steps, and the same by autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from grader.core.calling import resolve
from grader.core.exercise import Exercise, Gradient, Training
from grader.reference.forward import Env, Forward
from grader.reference.lecture import LETTERS

ONE = torch.ones(())


class Backward:
    """Functions of a learner's as a backward pass: each gets what it asks for, in the items' order."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], exercise: Exercise) -> None:
        given = {*exercise.tensors, *exercise.size_names}
        self.calls = [
            (item.tensor, "d" + item.tensor, resolve(functions[item.name], item, given, exercise))
            for item in exercise.gradients
            if item.name in functions
        ]

    def __call__(self, env: Env) -> None:
        """Add every gradient to `env`, as d<name>. A leading 1 too many or too few is put right."""
        env["dloss"] = ONE
        for tensor, name, call in self.calls:
            value = call(env)
            if value.shape != (shape := env[tensor].shape):
                value = _put_right(value, shape)
            env[name] = value


class Whole:
    """A learner's flat code as one function that gives the gradients of all parameters by name."""

    def __init__(self, function: Callable[..., Any], exercise: Exercise) -> None:
        given = {*exercise.tensors, *exercise.size_names}
        self.call = resolve(function, Gradient("whole", ""), given, exercise)

    def __call__(self, env: Env) -> None:
        """Add the gradients to `env`, as d<name>."""
        for tensor, value in self.call(env).items():
            env["d" + tensor] = _put_right(value, env[tensor].shape)


def _put_right(value: Any, shape: Any) -> Any:
    """A gradient with a leading 1 too many or too few in its tensor's shape."""
    if value.shape in ((1, *shape), shape[1:] if shape[:1] == (1,) else None):
        return value.reshape(shape)
    return value


def rate(plan: Training, step: int, steps: int) -> float:
    """The learning rate at a step: the first half at lr, the second at lr_late."""
    return float(plan.lr if step < steps // 2 else plan.lr_late)


class Manual:
    """Gradient descent with gradients by hand. Holds the parameters; each step gives its loss."""

    def __init__(self, program: Forward, plan: Training, backward: Backward | Whole, env: Env) -> None:
        self.program, self.backward = program, backward
        self.params = {k: env[k].clone() for k in plan.parameters}
        self.sizes = _sizes(env)

    @torch.inference_mode()  # what autograd would keep is not even prepared
    def step(self, batch: Env, lr: float) -> float:
        env = self.program.run({**self.sizes, **self.params, **batch})
        self.backward(env)
        _descend(self.params.values(), [env["d" + name] for name in self.params], lr)
        return float(env[self.program.loss])


class Autograd:
    """The same descent with autograd's gradients."""

    def __init__(self, program: Forward, plan: Training, env: Env) -> None:
        self.program = program
        self.params = {k: env[k].clone().requires_grad_() for k in plan.parameters}
        self.sizes = _sizes(env)

    def step(self, batch: Env, lr: float) -> float:
        loss = self.program.run({**self.sizes, **self.params, **batch})[self.program.loss]
        for p in self.params.values():
            p.grad = None
        loss.backward()
        with torch.no_grad():
            _descend(self.params.values(), [p.grad for p in self.params.values()], lr)
        return float(loss.detach())


def _descend(parameters: Iterable[Tensor], gradients: list[Tensor | None], lr: float) -> None:
    """What torch's own optimizers do: one call for all of them takes half the time."""
    torch._foreach_add_(list(parameters), gradients, alpha=-lr)  # type: ignore[arg-type]


def _sizes(env: Env) -> Env:
    return {k: v for k, v in env.items() if not isinstance(v, torch.Tensor)}


def manual_steps(exercise: Exercise, backward: Backward | Whole, given: Env) -> tuple[Env, Tensor]:
    """Train by hand on the batches in `given`; the parameters after, and each step's loss."""
    plan = exercise.training
    assert plan is not None
    manual = Manual(Forward.of(exercise), plan, backward, given)
    batches = batches_of(exercise, given)
    losses = [manual.step(batch, rate(plan, i, len(batches))) for i, batch in enumerate(batches)]
    return manual.params, torch.tensor(losses)


def autograd_steps(program: Forward, plan: Training, env: Env, batches: Sequence[Env]) -> tuple[Env, Tensor]:
    """Train by autograd on these batches; the parameters after, and each step's loss."""
    autograd = Autograd(program, plan, env)
    losses = [autograd.step(batch, rate(plan, i, len(batches))) for i, batch in enumerate(batches)]
    return {k: p.detach() for k, p in autograd.params.items()}, torch.tensor(losses)


def batches_of(exercise: Exercise, given: Env) -> list[Env]:
    """The batches of a training run, whose given tensors have a leading step axis."""
    batches = zip(*(given[name] for name in exercise.batch), strict=True)
    return [dict(zip(exercise.batch, batch, strict=True)) for batch in batches]


class Calibrated:
    """The trained network with the batch norm's statistics taken over the whole training set."""

    def __init__(self, program: Forward, plan: Training, params: Env, sizes: Env, x: Tensor) -> None:
        self.program, self.env = program, {**sizes, **{k: p.detach() for k, p in params.items()}}
        whole = program.run({**self.env, "n": len(x), "Xb": x, "Yb": torch.zeros(len(x), dtype=torch.long)})
        self.fixed = {k: whole[k] for k in plan.calibrate}

    @torch.no_grad()
    def run(self, x: Tensor, y: Tensor) -> Env:
        return self.program.run({**self.env, "n": len(x), "Xb": x, "Yb": y}, self.fixed)

    def loss(self, x: Tensor, y: Tensor) -> float:
        return float(self.run(x, y)[self.program.loss])

    def sample(self, g: torch.Generator, block_size: int, longest: int = 30) -> str:
        """One name, drawn letter by letter."""
        context, out = [0] * block_size, ""
        while len(out) < longest:
            logits = self.run(torch.tensor([context]), torch.zeros(1, dtype=torch.long))["logits"]
            ix = int(torch.multinomial(torch.softmax(logits, 1), 1, generator=g))
            if ix == 0:
                break
            context = [*context[1:], ix]
            out += LETTERS[ix - 1]
        return out
