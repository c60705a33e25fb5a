"""The forward pass and the gradients that a learner's namespace holds, as an exercise's program sees them.

Nothing here changes a tensor, a gradient, torch's random state or its settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from grader.core.errors import UsageError
from grader.core.exercise import Exercise, Line
from grader.core.graph import downstream
from grader.core.text import text
from grader.judging.compare import compare
from grader.reference.forward import Env
from grader.reference.program import Program
from grader.runner.wire import Record

Cut = frozenset[str]
FORWARD = 1e-5  # relative: a forward tensor that is further off than that was made otherwise


@dataclass(frozen=True)
class Network:
    """The forward pass as the namespace has it.

    env: sizes and every tensor, detached, on the CPU. odd: by tensor, how it differs from what its
    forward line gives. own: the learner's gradients that can serve as upstream gradients, by tensor.
    judged: which of those are autograd's, as far as asked.
    """

    exercise: Exercise
    program: Program
    sizes: Mapping[str, Any]
    env: Env
    odd: Mapping[str, str]
    own: Env
    namespace: Mapping[str, Any]
    notes: tuple[str, ...]
    judged: dict[str, bool] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.program.lines

    def whole(self, tensor: str) -> tuple[torch.Tensor, float]:
        """Autograd's gradient of the loss for a tensor, and its size without cancellation."""
        return self.program.pull(self.env, tensor, frozenset(), {})

    def holds(self, tensor: str, answer: Record) -> bool:
        """Whether an answer is autograd's gradient of the loss."""
        reference, size = self.whole(tensor)
        return compare(answer, reference.numpy(), size).verdict.passed

    def wrong(self, tensors: Cut) -> Cut:
        """Those of the learner's own gradients, by tensor, that are known not to be autograd's."""
        for t in tensors - self.judged.keys():
            known = not self.odd.keys() & downstream(self.lines, t)
            self.judged[t] = not known or self.holds(t, record(self.own[t]))
        return frozenset(t for t in tensors if not self.judged[t])


def read(exercise: Exercise, namespace: Mapping[str, Any]) -> Network:
    """The network in a namespace. UsageError, in one line, where its forward pass can't be had."""
    program = Program.of(exercise)
    found = {name: namespace.get(name) for name in program.inputs if name in exercise.shapes}
    inputs = {k: plain(v) for k, v in found.items() if isinstance(v, torch.Tensor) and not v.is_meta}
    if what := ", ".join(name for name in found if name not in inputs):
        raise UsageError(f"this namespace has no tensor {what}: run the cells of the forward pass first")
    if empty := [name for name, value in inputs.items() if not value.numel()]:
        raise UsageError(f"{empty[0]} is empty")
    sizes = {**_sizes(exercise, inputs), **_rest(exercise, program, inputs, namespace)}
    env, odd, notes = _forward(program, {**sizes, **inputs}, namespace)
    own = dict(_own(program, env, namespace))
    return Network(exercise, program, sizes, env, odd, own, namespace, notes)


def plain(value: torch.Tensor) -> torch.Tensor:
    """The numbers of a tensor: detached, on the CPU, usable by autograd."""
    value = value.detach().cpu()
    if value.layout is not torch.strided:
        value = value.to_dense()
    return value.clone() if value.is_inference() else value


def record(value: torch.Tensor) -> Record:
    """A tensor as a submission's answer."""
    value = plain(value)
    dtype = str(value.dtype).removeprefix("torch.")
    encoded = dtype if dtype in ("float32", "float64") else "float64"
    real = value.real if value.is_complex() else value
    data = real.to(getattr(torch, encoded)).contiguous().numpy().tobytes()
    return Record("", "", "value", dtype=dtype, shape=tuple(value.shape), encoded=encoded, data=data)


def _own(program: Program, env: Env, namespace: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    """The learner's gradients that fit their tensors; a leading 1 too many or too few is put right."""
    for name in [*program.inputs, *(line.name for line in program.lines[:-1])]:
        value, like = namespace.get("d" + name), env[name]
        if not isinstance(like, torch.Tensor) or not like.is_floating_point():
            continue
        if not isinstance(value, torch.Tensor) or value.is_meta or value.dtype != like.dtype:
            continue
        value = plain(value)
        if value.shape != like.shape:
            if tuple(value.shape) != (1, *like.shape) and tuple(like.shape) != (1, *value.shape):
                continue
            value = value.reshape(like.shape)
        if torch.isfinite(value).all():
            yield name, value


def _sizes(exercise: Exercise, inputs: Env) -> dict[str, int]:
    """Sizes, read off the inputs' shapes where the lecture's shape has that size and no other one."""
    lecture = exercise.lecture.sizes
    found: dict[str, int] = {}
    for size, number in lecture.items():
        if list(lecture.values()).count(number) > 1:
            continue
        for name, value in inputs.items():
            shape = exercise.shapes[name]
            if number in shape and len(shape) == value.dim():
                found.setdefault(size, value.shape[shape.index(number)])
    return found


def _rest(exercise: Exercise, program: Program, inputs: Env, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Sizes that the program asks for and no shape tells: as the namespace has them."""
    known = _sizes(exercise, inputs)
    rest = {}
    for name in program.inputs:
        if name not in inputs and name not in known:
            if not isinstance(namespace.get(name), int | float):
                raise UsageError(f"{name}, a size, is not in this namespace")
            rest[name] = namespace[name]
    return rest


def _forward(
    program: Program, env: Env, namespace: Mapping[str, Any]
) -> tuple[Env, dict[str, str], tuple[str, ...]]:
    """Every tensor: the namespace's where its shape is right, else what its line gives.

    Each line is run on the tensors that the namespace has, so that only the line that was changed is odd.
    """
    odd: dict[str, str] = {}
    other: list[str] = []
    for line in program.lines:
        try:
            with torch.no_grad():
                made = program.step(line, env)
        except Exception as error:
            shapes = ", ".join(
                f"{u} {tuple(env[u].shape)}" for u in line.uses if isinstance(env[u], torch.Tensor)
            )
            why = text(str(error).split("\n")[0], 150)
            raise UsageError(
                f"the forward line `{line.code.strip()}` can't be run on this namespace's {shapes} ({why}): "
                "are these names used for another network since?"
            ) from None
        value = namespace.get(line.name)
        env = {**env, line.name: made}
        if not isinstance(value, torch.Tensor) or value.is_meta or not isinstance(made, torch.Tensor):
            continue
        value = plain(value)
        if value.shape != made.shape:
            other.append(line.name)
        elif value.dtype != made.dtype:
            odd[line.name] = f"is {value.dtype}, and its forward line gives {made.dtype}"
        else:
            env[line.name] = value
            scale = float(made.abs().max()) if made.numel() else 0.0
            if not torch.allclose(value, made, rtol=FORWARD, atol=FORWARD * min(scale, 1e30), equal_nan=True):
                uses = ", ".join(u for u in line.uses if isinstance(env[u], torch.Tensor))
                odd[line.name] = f"is not what `{line.code.strip()}` gives with the {uses} of this namespace"
    notes = [f"{t} {what}: was the forward pass changed, or a tensor since?" for t, what in odd.items()]
    if other:
        names = ", ".join(other[:3]) + (f" and {len(other) - 3} more" if len(other) > 3 else "")
        have = "has another shape" if len(other) == 1 else "have other shapes"
        notes.append(
            f"{names} {have} than the forward pass gives here: used for something else since? "
            "What the forward line gives is taken instead"
        )
    return env, odd, tuple(notes)
