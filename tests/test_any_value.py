"""Whatever tensor a function returns, the grader has a verdict and no fault of its own."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import GRADIENTS, solution
from local import Local, after

from grader import authored

# Of the right gradient v and the first given tensor x: other shapes, types and values.
ODD = (
    "v.sum()",
    "v.reshape(-1)",
    "v[None]",
    "v.unsqueeze(-1)",
    "v.sum(0)",
    "v.sum(-1, keepdim=True)",
    "v.mT if v.ndim > 1 else v[:1]",
    "v.expand(2, *v.shape)",
    "v.flatten()[:0]",
    "v > 0",
    "v.long()",
    "v.to(torch.complex64)",
    "v.to_sparse()",
    "v * float('inf')",
    "v.flip(0)",
    "torch.zeros_like(v)",
    "torch.ones_like(v)",
    "-v.cumsum(-1)",
    "v.repeat_interleave(2, -1)",
    "x",
    "x * 1.0 + v.sum()",
)


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_an_odd_value_gets_a_verdict(exercise: str, exercises: dict[str, Any]) -> None:
    local = Local(*exercises[exercise])
    for at, item in enumerate(authored.read(solution(exercise), exercise).gradients):
        for change in ODD[at % 4 :: 4]:  # a quarter of them for each item
            x = item.params[0] if item.params else "v"
            source = after(item, f"x = {x}", f"return {change}")
            report = local.report(source, item.name)
            assert report.passed or report.check.reason, (item.name, change)
