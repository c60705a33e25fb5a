"""The diagnosis names the mistake, or says nothing: every mutant, and no right answer."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import numpy as np
import pytest
from conftest import EXERCISES, GRADIENTS, parts_of, sampled, solution
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from local import Local

from grader.authoring import authored
from grader.core.exercise import Task
from grader.diagnosis.diagnose import fingerprint
from grader.diagnosis.relations import CLOSE

SPOILED = """import functools

import torch
import torch.nn.functional as F


def spoiled(f):
    @functools.wraps(f)
    def changed(*args, **keywords):
        g = torch.Generator().manual_seed(5)
        v = f(*args, **keywords)
        return {change}
    return changed


@spoiled
"""


@given(arrays(np.float64, (3, 4), elements=st.floats(-1e3, 1e3)), st.integers(0, 11), st.floats(0.01, 10))
def test_a_fingerprint_tells_arrays_apart_and_is_linear(a: Any, at: int, step: float) -> None:
    b = a.copy()
    b.flat[at] += step
    scale = float(np.linalg.norm(b)) + 1
    assert any(abs(x - y) > CLOSE * step for x, y in zip(fingerprint(a), fingerprint(b), strict=True))
    both = [x + y for x, y in zip(fingerprint(a), fingerprint(b), strict=True)]
    assert np.allclose(both, fingerprint(a + b), atol=1e-9 * scale)


@pytest.mark.parametrize("exercise", sampled(GRADIENTS, 4))
def test_what_is_nobodys_mistake_gets_no_diagnosis(exercise: str, exercises: dict[str, Task]) -> None:
    """A right answer with a tenth of noise on it, or a smooth distortion of it, out of its own function."""
    description, fixtures = exercises[exercise]
    local = Local(description, fixtures)
    text = solution(exercise)
    for item in authored.read(text, exercise).items:
        for change in (
            "1.1 * v + 0.1 * torch.rand(v.shape, generator=g) * v.abs().max()",
            "v * (1.3 + v.sin())",
        ):
            report = local.report(SPOILED.format(change=change) + item.source, item.name)
            assert not report.passed
            if (report.diagnosis or "").startswith("right everywhere but "):
                continue  # a place, which is true: where the right answer is zero, neither change is seen
            assert report.diagnosis is None
            assert "no known mistake matches" in report.check.reason


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_sentence_has_a_name_that_only_the_author_has(exercise: str, exercises: dict[str, Task]) -> None:
    description, fixtures = exercises[exercise]
    parts = parts_of(exercise)
    known = {*description.shapes, *description.fixtures[0].settings, *description.tensors}
    signatures = {
        a.arg for n in ast.walk(ast.parse(parts.source)) if isinstance(n, ast.arguments) for a in n.args
    }
    for mistakes in json.loads(fixtures.diagnosis).values():
        for mistake in mistakes["mistakes"]:
            said = mistake["say"]
            assert not re.search(r"\ba an?\b|\bthe the\b|None", said)
            if with_ := re.search(
                r"(?:the (?:one|part) with|the factor with) ([\w., ]+?)(?: is| where|$)", said
            ):
                names = set(re.split(r", | and ", with_[1]))
                assert all(n in known | signatures or n.startswith("self.") for n in names), said
