"""A number that is derived, held against the one that is saved: the saved is kept where they agree.

Processors round differently, by their vector units and their libraries' roots. A rebuild on another one
would otherwise rewrite half of the fixtures and change nothing. Each value is held against the saved one as
it comes up, and what follows is derived from the one that is kept: a difference never grows through the
network. Trusted side; torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from grader.core import plain
from grader.reference.forward import Env, is_float
from grader.reference.program import Program

OF_LARGEST, OF_SIZE = 1e-6, 2e-6  # the noise: of the largest element, and of the size without cancellation
OF_INPUTS = 1e-5  # of an input's largest element: inputs() may have made it of draws that differ a little


@dataclass(frozen=True)
class Kept:
    """One fixture as it is saved. given, reference: all that they hold, by name; raw: their files."""

    given: Env = field(default_factory=dict)
    reference: Env = field(default_factory=dict)
    raw: Mapping[str, bytes] = field(default_factory=dict)


def near(new: Any, old: Any, size: float = 0.0, of_largest: float = OF_LARGEST) -> Any:
    """`old` where the two agree within rounding, else `new`: tensors, or plain data with numbers in it.

    size: how large the value would be if nothing in it cancelled.
    """
    (form, a), (other, b) = _apart(new), _apart(old)
    if type(new) is not type(old) or form != other:
        return new
    finite = np.isfinite(a)
    if not (finite == np.isfinite(b)).all() or not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return new
    noise = of_largest * float(np.abs(b[finite]).max(initial=0.0)) + OF_SIZE * size
    return old if bool((np.abs(a[finite] - b[finite]) <= noise).all()) else new


def form(value: Any) -> bytes:
    """What a value is without its rounded numbers."""
    return _apart(value)[0]


def _apart(value: Any) -> tuple[bytes, np.ndarray[Any, np.dtype[np.float64]]]:
    """A value's form, and the rounded numbers in it."""
    numbers = [np.zeros(0)]

    def blank(one: Any) -> Any:
        if isinstance(one, torch.Tensor):
            if not one.is_floating_point():
                return [str(one.dtype), list(one.shape), one.tolist()]
            numbers.append(one.detach().double().numpy().ravel())
            return [str(one.dtype), list(one.shape), []]
        if type(one) is float:
            numbers.append(np.array([one]))
            return 0.5
        return one

    form = plain.encode(plain.rebuilt(value, blank))
    return form, np.concatenate(numbers)


def inputs(new: Env, old: Env) -> Env:
    """What inputs() and trained steps gave, or the saved where it agrees."""
    return {k: near(v, old.get(k), of_largest=OF_INPUTS) for k, v in new.items()}


def forward(program: Program, env: Env, old: Env) -> Env:
    """Every tensor of the forward pass; each line starts from what is kept of those before it.

    A sum may cancel: its noise is of what it sums.
    """
    for line in program.lines:
        size = max((float(env[k].abs().max()) for k in line.uses if _counts(env.get(k))), default=0.0)
        env = {**env, line.name: near(program.step(line, env), old.get(line.name), size)}
    return env


def _counts(value: Any) -> bool:
    return is_float(value) and value.numel() > 0


def references(new: Env, old: Env) -> Env:
    """References with their sizes and bounds, each the saved one where it agrees."""
    out: Env = {}
    for name, value in new.items():
        if name.startswith(("size.", "bound.")):
            continue
        size = float(new["size." + name])
        _, numbers = _apart(value)
        largest = float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0))
        noise = OF_LARGEST * max(largest, size) + OF_SIZE * size
        out[name] = near(value, old.get(name), size)
        for told in ("size." + name, "bound." + name):  # no bound is a bound of 0
            derived, saved = (env.get(told, torch.zeros((), dtype=torch.float64)) for env in (new, old))
            kept = saved if name in old and abs(float(derived - saved)) <= noise else derived
            if kept or told in new and not told.startswith("bound."):
                out[told] = kept
    return out
