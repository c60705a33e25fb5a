"""What is drawn for a fixture: its given tensors and its references, all held against what is saved (`near`).

Trusted side only: build time, and the oracle's fresh probes.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch

from grader.core.exercise import ALT, FEW, Exercise, Training, is_probe, read
from grader.core.tolerance import ATOL, RTOL
from grader.reference import float64, near
from grader.reference.forward import Env
from grader.reference.near import Kept
from grader.reference.program import Program
from grader.reference.training import autograd_steps

NONE = Kept()


def tensors(
    program: Program, exercise: Exercise, name: str, settings: Mapping[str, Any], old: Kept = NONE
) -> tuple[Env, Env]:
    """What a submission is given on a fixture, and what it is graded against.

    On a probe every upstream gradient is random; elsewhere they are those of the loss. old: the fixture as
    it is saved.
    """
    env = near.inputs(start(program, settings), old.given)
    if not program.lines:
        return env, {}
    values, upstream = program.gradients(env)
    if old.given:
        values = near.forward(program, env, old.given)
    grads = upstream
    g = torch.Generator().manual_seed(settings["seed"] + 1_000_003)
    if is_probe(name):
        upstream = _random(upstream, g, old)
    else:
        upstream = {k: _upstream(program, values, k, grads, old) for k in grads}
    given = {**values, **{"d" + k: v for k, v in upstream.items() if "d" + k in exercise.gradients_given}}
    reference: Env = {}
    for item in exercise.gradients:
        cut = frozenset(item.cut)
        value, size = program.pull(values, item.tensor, cut, upstream)
        reference[item.name] = value if is_probe(name) else grads[item.tensor]
        reference["size." + item.name] = torch.tensor(size, dtype=torch.float64)
        if is_probe(name) and item.siblings:
            # other random gradients, and siblings that agree with them: on the usual ones the
            # siblings would be their own items' references
            other = _random(upstream, g, old, ALT)
            given |= {ALT + p: other[p[1:]] for p in item.available if p not in item.siblings}
            for sibling in item.siblings:
                direct = program.direct(sibling[1:])
                value, size = program.pull(values, sibling[1:], direct, other)
                given[ALT + sibling] = near.near(value, old.given.get(ALT + sibling), size)
            value, size = program.pull(values, item.tensor, cut, other)
            reference[ALT + item.name] = value
            reference["size." + ALT + item.name] = torch.tensor(size, dtype=torch.float64)
    return given, reference


def bounds(
    program: Program, exercise: Exercise, name: str, given: Env, reference: Env
) -> dict[str, tuple[float, float]]:
    """By gradient item how far float32 is from float64, and the bound, where the rule is too narrow.

    given, reference: as `tensors` gave them for the fixture. Unfit where no bound would do.
    """
    upstream = {k[1:]: v.double() for k, v in given.items() if exercise.is_gradient(k)}
    doubled = {k: float64.doubled(v) for k, v in given.items()}
    found = {}
    for item in exercise.gradients:
        cut = frozenset(item.cut) if is_probe(name) else frozenset[str]()
        try:
            with float64.double():
                better = program.vjp(doubled, item.tensor, cut, upstream)
        except RuntimeError:  # the forward pass names float32 itself
            continue
        value, size = reference[item.name], float(reference["size." + item.name])
        deviation, largest = float((value.double() - better).abs().max()), float(value.abs().max())
        enough = float64.MARGIN * deviation <= RTOL * largest + ATOL * size
        if bound := float64.bound(item.name, deviation, max(largest, size), enough):
            found[item.name] = deviation, bound
    return found


def _upstream(program: Program, values: Env, tensor: str, grads: Env, old: Kept) -> torch.Tensor:
    """Autograd's gradient of the loss for a tensor, or the saved one where it agrees."""
    value: torch.Tensor = grads[tensor]
    saved = old.given.get("d" + tensor)
    if isinstance(saved, torch.Tensor) and not torch.equal(value, saved):
        value = near.near(value, saved, program.pull(values, tensor, program.direct(tensor), grads)[1])
    return value


def start(program: Program, settings: Mapping[str, Any]) -> Env:
    """Inputs and sizes, trained where the settings say so."""
    env = program.draw(settings)
    training = plan(program)
    if not training or not settings.get("trained"):
        return env
    batches = _batches(program, settings, settings["trained"])
    return {**env, **autograd_steps(program, training, env, batches)[0]}


def plan(program: Program) -> Training | None:
    told = program.module.get("TRAINING")
    return read(Training, told) if told else None


def _batches(program: Program, settings: Mapping[str, Any], steps: int) -> list[Env]:
    g = torch.Generator().manual_seed(settings["seed"] + 1)
    draw = program.module["minibatch"]
    sizes = {k: settings[k] for k in inspect.signature(draw).parameters if k in settings}
    return [draw(g, **sizes) for _ in range(steps)]


def training(
    program: Program, plan: Training, settings: Mapping[str, Any], old: Kept = NONE
) -> tuple[Env, Env]:
    """What a training run starts from and its batches, and its parameters after few and all steps."""
    env = near.inputs(program.draw(settings), old.given)
    batches = _batches(program, settings, plan.steps)
    given = {k: env[k] for k in plan.parameters}
    given |= {k: torch.stack([b[k] for b in batches]) for k in batches[0]}
    after = autograd_steps(program, plan, env, batches)[0]
    few = autograd_steps(program, plan, env, batches[: plan.few])[0]
    after |= {FEW + k: v for k, v in few.items()}
    before = {**env, **{FEW + k: v for k, v in env.items()}}
    sizes = {f"size.{k}": (v - before[k]).abs().max().double() for k, v in after.items()}
    return given, near.references({**after, **sizes}, old.reference)


def _random(like: Env, g: torch.Generator, old: Kept, prefix: str = "") -> Env:
    drawn = {k: torch.randn(v.shape, generator=g) for k, v in like.items()}
    return {k: near.near(v, old.given.get(f"{prefix}d{k}"), float(v.abs().max())) for k, v in drawn.items()}


def contiguous(env: Env) -> dict[str, torch.Tensor]:
    """The tensors of an environment, as a safetensors file can hold them."""
    return {k: v.contiguous().clone() for k, v in env.items() if isinstance(v, torch.Tensor)}
