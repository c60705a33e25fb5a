"""References made on demand, in a trusted process forked from the zygote.

Five questions come here: autograd's answer to another choice of upstream gradients than the saved
one, what the way there comes by, fresh probes, the lecture fixture's gradients once more (`grader
doctor`), and the losses of a training run by autograd (`grader report`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch

from grader.core.exercise import ALT, LOSSES, TRAINING, Exercise, is_probe, sizes
from grader.reference import draws, outputs, values
from grader.reference.float64 import Unfit
from grader.reference.forward import Env
from grader.reference.outputs import Solution
from grader.reference.program import Program
from grader.reference.training import autograd_steps, batches_of

Request = Mapping[str, Any]
DRAWS = 50  # of one fixture, before the exercise is said to be at fault
AGAIN = 1_000_000_007  # from a draw's seed to the next


def answer(exercise: Exercise, request: Request, given: bytes, result: int) -> None:
    """Compute what `request` asks and write one safetensors document to `result`.

    given: the tensors that the question is about, with the request's `sizes`; of fresh probes the author's
    file, where `solution` says so.
    """
    if request["ask"] == "fresh":
        found = fresh(exercise, given.decode() if request["solution"] else "", request)
    else:
        tensors = {**safetensors.torch.load(given), **request["sizes"]}
        found = ANSWERS[request["ask"]](exercise, tensors, request)
    data = memoryview(safetensors.torch.save(found))
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


def parts(exercise: Exercise, given: Env, request: Request) -> Env:
    """What the way back to one item's tensor comes by, for the upstream gradients of `cut`: values as
    `value.<number>`, gradients as `gradient.<number>`.
    """
    prefix = ALT if request["alt"] else ""
    cut = frozenset(request["cut"])
    upstream = {t: given[f"{prefix}d{t}"] for t in cut}
    tensor = exercise.item(request["item"]).tensor
    found = Program.of(exercise).parts(given, tensor, cut, upstream)
    named = {"value": found[0], "gradient": found[1]}
    return {f"{k}.{n}": v.contiguous().clone() for k, vs in named.items() for n, v in enumerate(vs)}


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
    arriving = {t: upstream[t] if t in cut else program.vjp(given, t, cut, upstream) for t in direct}
    _, size = program.pull(given, tensor, direct, arriving)
    return not float(value.abs().max()) > 1e-4 * size


def fresh(exercise: Exercise, solution: str, request: Request) -> Env:
    """New fixtures: for each of `settings` its given and reference files, as byte tensors.

    solution: the author's file, whose functions give the references of outputs; "" where there are none.
    A draw that can't be graded on is drawn again.
    """
    program = Program.of(exercise)
    author = Solution(solution, f"{exercise.id}.py") if solution else None
    out: Env = {}
    for name, settings in request["settings"].items():
        pair = _drawn(program, exercise, name, settings, author)
        for part, env in zip(("given", "reference"), pair, strict=True):
            data = safetensors.torch.save(draws.contiguous(values.packed(env) if author else env))
            out[f"{name}.{part}"] = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return out


def _drawn(
    program: Program, exercise: Exercise, name: str, settings: Mapping[str, Any], author: Solution | None
) -> tuple[Env, Env]:
    if name == TRAINING:
        assert exercise.training is not None
        return draws.training(program, exercise.training, settings)
    for again in range(DRAWS):
        drawn = {**settings, "seed": settings["seed"] + again * AGAIN}
        try:
            given, reference = draws.tensors(program, exercise, name, drawn)
            for item, (_, bound) in draws.bounds(program, exercise, name, given, reference).items():
                reference["bound." + item] = torch.tensor(bound, dtype=torch.float64)
            if author:
                draw = outputs.Draw(program, drawn, is_probe(name), draws.NONE)
                more = outputs.saved(author, exercise.outputs, {**sizes(drawn), **given}, draw)
                given, reference = {**given, **more[0]}, {**reference, **more[1]}
            return {k: v for k, v in given.items() if k not in settings}, reference
        except (Unfit, ArithmeticError) as error:  # a draw on which an author's function divides by 0, too
            unfit = error
    raise unfit


# by a request's "ask"; what else it says stands in each
ANSWERS = {"choices": choices, "gradients": gradients, "losses": losses, "parts": parts}
