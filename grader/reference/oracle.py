"""References made on demand, in a trusted process forked from the zygote.

Four questions come here: autograd's answer to another choice of upstream gradients than the saved
one, new probes (`--fresh`), the lecture fixture's gradients once more (`grader doctor`), and the
losses of a training run by autograd (`grader report`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch

from grader.core.exercise import ALT, LOSSES, Exercise
from grader.reference import draws
from grader.reference.forward import Env
from grader.reference.program import Program
from grader.reference.training import autograd_steps, batches_of

Request = Mapping[str, Any]


def answer(exercise: Exercise, request: Request, given: bytes, result: int) -> None:
    """Compute what `request` asks and write one safetensors document to `result`.

    given: the tensors that the question is about, with the request's `sizes`; none where it is about none.
    """
    tensors = {**safetensors.torch.load(given), **request["sizes"]} if given else {}
    data = memoryview(safetensors.torch.save(ANSWERS[request["ask"]](exercise, tensors, request)))
    while data:
        data = data[os.write(result, data) :]


def gradients(exercise: Exercise, given: Env, _: Request) -> Env:
    """Autograd's gradient of the loss for every tensor."""
    return {f"d{k}": v.clone() for k, v in Program.of(exercise).gradients(given)[1].items()}


def losses(exercise: Exercise, given: Env, request: Request) -> Env:
    """The losses of the first `steps` of a training run by autograd."""
    assert exercise.training is not None
    batches = batches_of(exercise, given)[: request["steps"]]
    return {LOSSES: autograd_steps(Program.of(exercise), exercise.training, given, batches)[1]}


def choices(exercise: Exercise, given: Env, request: Request) -> Env:
    """For each {"item", "cut", "alt"} asked, by its number: the reference, and its size as `size.<number>`.

    Where the gradient from a cut cancels to nothing (db1 from dhpreact, through the batch norm), a
    zero would be as good as the work: then there is only `vanishes.<number>`.
    """
    program = Program.of(exercise)
    tensors = {item.name: item.tensor for item in exercise.items}
    out: Env = {}
    for number, choice in enumerate(request["choices"]):
        tensor, cut = tensors[choice["item"]], frozenset(choice["cut"])
        prefix = ALT if choice["alt"] else ""
        upstream = {t: given[f"{prefix}d{t}"] for t in cut}
        value, size = program.pull(given, tensor, cut, upstream)
        if _vanishes(program, given, tensor, cut, upstream, value):
            out[f"vanishes.{number}"] = torch.ones(())
            continue
        out[str(number)] = value.contiguous()
        out[f"size.{number}"] = torch.tensor(size, dtype=torch.float64)
    return out


def _vanishes(
    program: Program,
    given: Mapping[str, Any],
    tensor: str,
    cut: frozenset[str],
    upstream: Mapping[str, torch.Tensor],
    value: torch.Tensor,
) -> bool:
    """Whether a gradient is rounding noise beside what the tensor's own consumers send back."""
    direct = program.direct(tensor)
    if cut >= direct:
        return False
    arriving = {t: upstream[t] if t in cut else program.pull(given, t, cut, upstream)[0] for t in direct}
    _, size = program.pull(given, tensor, direct, arriving)
    return not float(value.abs().max()) > 1e-4 * size


def fresh(exercise: Exercise, _: Env, request: Request) -> Env:
    """New probes: for each of `settings` its given and reference files, as byte tensors."""
    program = Program.of(exercise)
    out: Env = {}
    for name, settings in request["settings"].items():
        pair = draws.tensors(program, exercise, name, settings)
        for part, env in zip(("given", "reference"), pair, strict=True):
            data = safetensors.torch.save(draws.contiguous(env))
            out[f"{name}.{part}"] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return out


# by a request's "ask"; what else it says stands in each
ANSWERS = {"choices": choices, "fresh": fresh, "gradients": gradients, "losses": losses}
