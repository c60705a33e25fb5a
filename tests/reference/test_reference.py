"""Every reference against two oracles: autograd over the whole network, and finite differences."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from conftest import GRADIENTS, examples, parts_of, sampled, solution
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from grader.core.exercise import Task
from grader.core.exercise import sizes as sizes_of
from grader.reference.forward import Env
from grader.reference.program import Program

PARTS = {name: parts_of(name) for name in GRADIENTS}
PROGRAMS = {name: Program.of(PARTS[name].public, name) for name in GRADIENTS}

RANGES = {  # dilation 2 needs a third position
    "n": (3, 9),
    "block_size": (1, 4),
    "vocab_size": (3, 12),
    "n_embd": (1, 5),
    "n_hidden": (1, 9),
    "T": (3, 5),
}


def settings_of(exercise: str) -> st.SearchStrategy[dict[str, Any]]:
    """A seed, and numbers for the sizes that the exercise has."""
    settings = list(PROGRAMS[exercise].fixtures.values())
    if "." in exercise:  # a set's sizes depend on one another: those of its fixtures
        return st.builds(dict, st.sampled_from(settings), seed=st.integers(0, 2**31 - 1))
    names = sizes_of(settings[0])
    drawn = {name: st.integers(*RANGES.get(name, (2, 5))) for name in names}
    return st.fixed_dictionaries({"seed": st.integers(0, 2**31 - 1), **drawn})


every_exercise = pytest.mark.parametrize("exercise", GRADIENTS)
a_few_exercises = pytest.mark.parametrize("exercise", sampled(GRADIENTS, 4))


def double(env: Env) -> Env:
    return {
        k: v.double() if isinstance(v, torch.Tensor) and v.is_floating_point() else v for k, v in env.items()
    }


def without_infinity(tensor: torch.Tensor) -> torch.Tensor:
    """What a mask set to minus infinity stays there, and counts for nothing in a difference."""
    return tensor.nan_to_num(neginf=0.0)


def pulled_by_differences(
    program: Program, env: Env, tensor: str, cut: frozenset[str], upstream: Env, direction: torch.Tensor
) -> float:
    """d/de of the sum of <upstream, T> over the cut (and the loss, where it is reached), without autograd."""

    def total(step: float) -> torch.Tensor:
        live = {tensor: env[tensor] + step * direction}
        result = torch.zeros((), dtype=torch.float64)
        for line in program.lines:
            if line.name == tensor or not any(u in live for u in line.uses):
                continue
            value = program.step(line, {**env, **live})
            if line.name in cut:
                result = result + (without_infinity(value) * upstream[line.name]).sum()
            elif line.name == program.loss:
                result = result + value
            else:
                live[line.name] = value
        return result

    step = 1e-6
    return float((total(step) - total(-step)) / (2 * step))


@a_few_exercises
@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_references_are_finite_differences_and_the_chain_of_them_is_autograd(
    exercise: str, data: st.DataObject
) -> None:
    parts, program = PARTS[exercise], PROGRAMS[exercise]
    drawn = data.draw(settings_of(exercise))
    env, grads = program.gradients(double(program.draw(drawn)))
    # where a column hardly varies its batch norm bends too sharply for differences
    assume("bnvar" not in env or float(env["bnvar"].min()) > 1e-2)
    g = torch.Generator().manual_seed(drawn["seed"])
    random = {k: torch.randn(v.shape, generator=g, dtype=v.dtype) for k, v in grads.items()}
    for item in parts.items:
        cut = parts.cut(item)
        whole = program.vjp(env, item.tensor, cut, grads)
        torch.testing.assert_close(whole, grads[item.tensor], rtol=1e-9, atol=1e-12)
        local, size = program.pull(env, item.tensor, cut, random)
        assert torch.equal(program.vjp(env, item.tensor, cut, random), local), item.name
        _, known = program.parts(env, item.tensor, cut, random)
        assert any(g.shape == local.shape and torch.allclose(g, local) for g in known), item.name
        direction = torch.randn(local.shape, generator=g, dtype=local.dtype)
        if any("relu(" in line.code and item.tensor in line.uses for line in parts.lines):
            direction[env[item.tensor] == 0] = 0  # its corner, where differences see half of the upper side
        slope = pulled_by_differences(program, env, item.tensor, cut, random, direction)
        expected = float((local * direction).sum())
        scale = size * float(direction.abs().sum()) + 1e-12
        assert abs(slope - expected) <= 1e-4 * scale, item.name


@a_few_exercises
@settings(max_examples=examples(25), deadline=None)
@given(data=st.data())
def test_solutions_are_right_at_any_size_and_for_any_upstream_gradient(
    exercise: str, data: st.DataObject
) -> None:
    parts, program = PARTS[exercise], PROGRAMS[exercise]
    drawn = data.draw(settings_of(exercise))
    names: dict[str, Any] = {}
    exec(compile(solution(exercise), exercise, "exec"), names)
    env, grads = program.gradients(double(program.draw(drawn)))
    g = torch.Generator().manual_seed(drawn["seed"])
    random = {k: torch.randn(v.shape, generator=g, dtype=v.dtype) for k, v in grads.items()}
    for item in parts.items:
        upstream = {p: random[p[1:]] for p in item.params if parts.is_gradient(p)}
        for sibling in parts.siblings(item):
            tensor = sibling[1:]
            upstream[sibling] = program.vjp(env, tensor, program.direct(tensor), random)
        arguments = {**env, **upstream}
        answer = names[item.name](*[arguments[p] for p in item.params])
        wanted = program.vjp(env, item.tensor, parts.cut(item), random)
        torch.testing.assert_close(answer, wanted, rtol=1e-9, atol=1e-12, msg=item.name)


@every_exercise
def test_saved_references_are_the_float64_ones_within_a_tenth_of_the_tolerance(
    exercise: str, exercises: dict[str, Task]
) -> None:
    import safetensors.torch

    from grader.judging.compare import judge

    description, fixtures = exercises[exercise]
    parts, program = PARTS[exercise], PROGRAMS[exercise]
    for entry in description.fixtures:
        name = entry.name
        if name == "training":
            continue
        saved = safetensors.torch.load(fixtures.given[name])
        env = double({**sizes_of(entry.settings), **saved})
        for item in parts.items:
            upstream = {t: env["d" + t] for t in parts.cut(item)}
            exact = program.vjp(env, item.tensor, parts.cut(item), upstream)
            reference = fixtures.references[name]
            check = judge(reference.values[item.name], exact.numpy(), reference.sizes[item.name])
            assert check.maxdiff is not None and check.tolerance is not None
            assert check.maxdiff <= check.tolerance / 10, f"{item.name} on {name}"
