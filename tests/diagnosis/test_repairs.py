"""A wrong function, changed in one place: which change is tried, and what it says."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from local import Local

from grader.core.exercise import Task
from grader.core.finding import Code
from grader.diagnosis.repairs import search, steps
from grader.diagnosis.repairs.source import About, Source

ABOUT = About({"x": (4, 3), "w": (3, 2), "dy": (4, 2)}, ("x", "dy"), ("n",), tensor="w", numbers=("0.8",))
BODIES = (
    "return x.T @ dy",
    "d = x.T @ dy\n    d /= n\n    return d",
    "for i in range(n):\n        d = x[i][:, None] * dy[i]\n        return d",
    "return (x[:, 1:].sum(0, keepdim=True) - x.tanh() ** 2).view(3, 4) if n > 1 else x",
    "é = x  # a letter of two bytes\n    return é.T @ dy * 0.5",
)


@pytest.mark.parametrize("body", BODIES)
def test_every_change_is_python_and_leaves_the_lines(body: str) -> None:
    text = f"def dw(x, dy, n):\n    {body}\n"
    tried = search.single(Source(text, ABOUT))
    assert tried and text not in tried
    for changed in tried:
        assert isinstance(ast.parse(changed).body[0], ast.FunctionDef)
        moved = any(c.finding.code is Code.LOOP for c in tried[changed])
        assert moved or changed.count("\n") == text.count("\n")


def test_a_name_that_a_change_uses_is_asked_for() -> None:
    source = Source("def dw(dy):\n    return dy.T @ dy\n", ABOUT)
    assert "def dw(x, dy):\n    return (x).T @ dy\n" in search.single(source)


def test_a_function_that_may_not_end_is_not_tried() -> None:
    assert not search.single(
        Source("def dw(x, dy):\n    while True:\n        x = x * 2\n    return x\n", ABOUT)
    )


def test_a_product_that_is_summed_is_no_matrix_product() -> None:
    tried = search.single(Source("def dw(x, dy):\n    return (x[:, :2] * dy).sum(1)\n", ABOUT))
    assert not {c.finding.code for (c,) in tried.values()} & {Code.MATRIX_PRODUCT}


@pytest.mark.parametrize(
    ("code", "turned"),
    [
        ("z.transpose(1, 2)", True), ("z.transpose(2, 1)", True), ("z.swapaxes(-2, -1)", True),
        ("z.transpose(dim0=-1, dim1=1)", True), ("torch.transpose(z, 1, 2)", True), ("x.t()", True),
        ("z.transpose(0, 1)", False), ("z.sum(0).transpose(1, 2)", False),
    ],
)  # fmt: skip
def test_what_is_transposed_is_one_transpose_too_many_and_not_too_few(code: str, turned: bool) -> None:
    about = About({**ABOUT.shapes, "z": (2, 4, 3)}, ("z", "x", "dy"), ())
    tried = search.single(Source(f"def dw(z, x, dy):\n    return {code} @ dy\n", about))
    said = {c.finding.text.partition("`")[2] or c.finding.text for (c,) in tried.values()}
    assert any(text.endswith("is transposed where it is meant as it is") for text in said)
    assert (f"{code}` is meant transposed" in said) is not turned


STEPS = """def dw(x, n):
    a = -x * 2 + n
    a += 1
    b = [0, 0]
    b[1] = abs(a)
    return b[1] - a
"""


def test_a_function_that_is_ended_early_gives_what_its_step_does() -> None:
    source, gave = Source(STEPS, ABOUT), []
    for step in steps.steps(source):
        names: dict[str, Any] = {}
        exec(source.changed(until=step), names)
        gave.append(names["dw"](5, 3))
    assert gave == [-5, -10, -7, -6, 6, [0, 6], 6, 12]


def test_what_is_needed_is_known_by_its_values() -> None:
    x, dy = np.random.default_rng(0).standard_normal((2, 4, 3))
    certain, needed = steps.needed([x], [dy, 3 * x * dy])
    assert dy in certain and 3 * x in certain and 3 * x * dy in certain and x + dy not in needed
    assert (x * dy).mean(0) in needed and (x * dy).mean(0) not in certain
    assert dy - dy.sum(1, keepdims=True) in needed and 5 * dy not in needed and dy * np.nan not in needed


BIASED = """return bngain * bnvar_inv / n * (
        n * dhpreact - dhpreact.sum(0) - bnraw * (dhpreact * bnraw).sum(0)
    )"""
COLUMN = """d = torch.zeros_like(logits)
    d[range(n), logits.max(1, keepdim=True).indices] = 1.0
    return d * dlogit_maxes + dnorm_logits"""
LEAST = """d = dnorm_logits.clone()
    d[range(n), logits.argmin(1)] += dlogit_maxes.squeeze(1)
    return d"""
COUNTED = "return dnorm_logits + F.one_hot(logit_maxes.max(1).indices, 27) * dlogit_maxes"
HALF = "return bnvar * dbnraw + bndiff * dbndiff2"
SAME_PLACE = """d = torch.zeros_like(C)
    for k in range(Xb.shape[0]):
        for j in range(Xb.shape[1]):
            d[Xb[k, j]] += demb[k, 0]
    return d"""
IN_TWO_LINES = """square = 3 * bndiff * dbndiff2
    direct = dbnraw / bnvar_inv
    return direct + square"""
WRONG = {  # of ex1: a body, the code and the line in the file that are told
    ("dprobs", "probs, dlogprobs", "return -dlogprobs / probs"): (Code.SIGN, 6),
    ("dW1", "embcat, dhprebn", "return embcat @ dhprebn"): (Code.TRANSPOSED, 6),
    ("dh", "W2, dlogits", "scale = 1.0\n    return scale * W2 * dlogits"): (Code.MATRIX_PRODUCT, 7),
    ("dC", "C, Xb, demb", "d = torch.zeros_like(C)\n    d[Xb] += demb\n    return d"): (Code.ASSIGNED, 7),
    ("dhprebn", "bngain, bnvar_inv, bnraw, dhpreact, n", BIASED): (Code.BESSEL, 7),
    ("dbndiff", "bnvar, dbnraw", "return bnvar * dbnraw"): (Code.TWO_SLIPS, 6),
    ("dlogits", "logits, dnorm_logits, dlogit_maxes, n", COLUMN): (Code.WHOLE_ROWS, 7),
    ("dlogits", "logits, dnorm_logits, dlogit_maxes, n", LEAST): (Code.ANOTHER_FUNCTION, 7),
    ("dlogits", "logit_maxes, dnorm_logits, dlogit_maxes", COUNTED): (Code.TWO_SLIPS, 6),
    ("dbndiff", "bnvar, dbnraw, bndiff, dbndiff2", HALF): (Code.TWO_SLIPS, 6),
    ("dlogit_maxes", "dnorm_logits", "return -dnorm_logits.max(1, True).values"): (Code.ANOTHER_FUNCTION, 6),
    ("dC", "C, Xb, demb", SAME_PLACE): (Code.WRONG_PART, 9),
    ("dbndiff", "dbnvar_inv, bnraw", "return dbnvar_inv * bnraw"): (Code.TWO_SLIPS, 6),
    ("dbndiff", "bndiff, bnvar_inv, dbnraw, dbndiff2", IN_TWO_LINES): (Code.TWO_SLIPS, 7),
}  # fmt: skip


@pytest.mark.parametrize("function", WRONG)
def test_the_change_that_makes_it_right_is_told_with_its_line(
    function: tuple[str, str, str], exercises: dict[str, Task]
) -> None:
    name, params, body = function
    source = f"import torch\nimport torch.nn.functional as F\n\n\ndef {name}({params}):\n    {body}\n"
    report = Local(*exercises["ex1"]).report(source, name)
    code, line = WRONG[function]
    assert report.mistake and (report.mistake.code, report.line) == (code, line), report.diagnosis
    assert len(report.mistake.on) > 1


PARTS = "i2 * (1 - i2) * di2, f2 * (1 - f2) * df2, g2 * (1 - g2) * dg2, o2 * (1 - o2) * do2"
SIGMOIDS = f"return torch.cat([{PARTS}], 1)"
XELU = "return torch.where(xelu > 0, xelu, yelu + 1) * dyelu"
OTHERS = {  # the same of other sets, by exercise
    ("gpt.ex10", "dn1", "Wq, Wk, dq, dk", "return dq @ Wq + dk @ Wk"): Code.TWO_SLIPS,
    ("modern.ex9", "dz2", "i2, f2, g2, o2, di2, df2, dg2, do2", SIGMOIDS): Code.LOCAL_GRADIENT,
    ("batchnorm.ex2", "dxelu", "xelu, yelu, dyelu", XELU): Code.CONSTANT,
}  # fmt: skip


@pytest.mark.parametrize("function", OTHERS)
def test_the_change_of_other_sets(function: tuple[str, str, str, str], exercises: dict[str, Task]) -> None:
    exercise, name, params, body = function
    source = f"import torch\n\n\ndef {name}({params}):\n    {body}\n"
    report = Local(*exercises[exercise]).report(source, name)
    assert report.mistake and report.mistake.code is OTHERS[function], report.diagnosis


def test_a_branch_that_the_change_itself_takes_away_is_not_told_as_left_out(
    exercises: dict[str, Task],
) -> None:
    """With inv1 for dn1 the LayerNorm's gradient is 0, and what stays is the residual's."""
    source = """def dx(gamma1, inv1, xhat1, dx1, dn1):
    g = dn1
    return dx1 + inv1 * (g - g.mean(-1, True) - xhat1 * (g * xhat1).mean(-1, True))
"""
    report = Local(*exercises["gpt.ex10"]).report(source, "dx")
    assert report.mistake and report.mistake.text == "the factor gamma1 is missing", report.diagnosis
