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
from grader.reference.program import Program
from grader.reference.training import autograd_steps, batches_of, program_of


def answer(exercise: Exercise, request: Mapping[str, Any], given: bytes, result: int) -> None:
    """Compute what `request` asks and write one safetensors document to `result`."""
    if "fresh" in request:
        out = fresh(exercise, request["fresh"])
    else:
        tensors: dict[str, Any] = dict(safetensors.torch.load(given)) | request["sizes"]
        if "reproduce" in request:
            _, grads = program_of(exercise).gradients(tensors)
            out = {f"d{k}": v.clone() for k, v in grads.items()}
        elif "losses" in request:
            program, plan = program_of(exercise), exercise.training
            assert plan is not None
            batches = batches_of(tensors)[: request["losses"]]
            out = {LOSSES: autograd_steps(program, plan, tensors, batches)[1]}
        else:
            out = choices(exercise, tensors, request["choices"])
    data = memoryview(safetensors.torch.save(out))
    while data:
        data = data[os.write(result, data) :]


def choices(
    exercise: Exercise, given: Mapping[str, Any], asked: list[Mapping[str, Any]]
) -> dict[str, torch.Tensor]:
    """For each {"item", "cut", "alt"}, by its number: the reference, and its size as `size.<number>`.

    Where the gradient from a cut cancels to nothing (db1 from dhpreact, through the batch norm), a
    zero would be as good as the work: then there is only `vanishes.<number>`.
    """
    program = program_of(exercise)
    tensors = {item.name: item.tensor for item in exercise.items}
    out: dict[str, torch.Tensor] = {}
    for number, choice in enumerate(asked):
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


def fresh(exercise: Exercise, request: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """New probes: for each of `settings` its given and reference files, as byte tensors."""
    from grader.authoring import build

    program = program_of(exercise)
    out: dict[str, torch.Tensor] = {}
    for name, settings in request["settings"].items():
        for part, env in zip(
            ("given", "reference"), build.tensors(program, exercise, name, settings), strict=True
        ):
            data = safetensors.torch.save(build.contiguous(env))
            out[f"{name}.{part}"] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return out
