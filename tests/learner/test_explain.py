"""`grader explain`: where a tensor stands, what arrives, why it adds; for every tensor there is."""

from __future__ import annotations

import re

import pytest
from command import grader
from conftest import GRADIENTS, ROOT

from grader.core.exercise import Exercise
from grader.core.graph import consumers
from grader.learner.explain import explain
from grader.suite import fixtures

DESCRIPTIONS = {name: fixtures.describe(ROOT, name) for name in GRADIENTS}


def told(name: str, tensor: str) -> str:
    description = fixtures.describe(ROOT, name)
    return explain(description, fixtures.hints(ROOT, description)["lines"], tensor)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_every_tensor_is_explained_by_its_lines(name: str) -> None:
    description = DESCRIPTIONS[name]
    lines = fixtures.hints(ROOT, description)["lines"]
    for tensor in description.tensors:
        if "d" + tensor in description.shapes:
            explained_by_its_lines(description, tensor, explain(description, lines, tensor))


def explained_by_its_lines(description: Exercise, tensor: str, text: str) -> None:
    code = {line.name: line.code for line in description.lines}
    readers = consumers(description.lines, tensor)
    assert [r for r in readers if code[r] not in text] == []
    if tensor in code:
        assert f"made by:  {code[tensor]}" in text
    item = next((i for i in description.items if i.tensor == tensor), None)
    for other in item.cut if item else ():
        shape = "×".join(map(str, description.shapes[other])) or "scalar"
        assert f"← d{other} {shape} arrives" in text and f"d{other} {shape}" in text.partition("rrives")[2]
    read = sum(len(re.findall(rf"\b{tensor}\b(?!\.shape)", code[r].partition("=")[2])) for r in readers)
    assert ("Why they add" in text) is (read > 1)


@pytest.mark.parametrize(
    ("tensor", "axis", "copies"),
    [("counts_sum_inv", 1, 27), ("logit_maxes", 1, 27), ("bngain", 0, 32), ("b1", 0, 32), ("bnmeani", 0, 32)],
)
def test_a_broadcast_names_the_axis_that_is_summed(tensor: str, axis: int, copies: int) -> None:
    text = told("ex1", tensor)
    assert f"used {copies} times along axis {axis}" in text and "sum over the same axis backwards" in text


@pytest.mark.parametrize("tensor", ["dprobs", "h", "bnraw", "emb", "norm_logits"])
def test_where_nothing_was_broadcast_no_sum_is_spoken_of(tensor: str) -> None:
    assert "broadcast" not in told("ex1", tensor.removeprefix("d"))


def test_the_graph_of_a_fused_step_shows_the_lines_in_between() -> None:
    text = told("ex3", "hprebn")
    rows = [line.strip(" │├└─") for line in text.splitlines() if line.startswith("    ")]
    names = [row.partition(" = ")[0] for row in rows[1:]]
    assert set(names) == {"bnmeani", "bndiff", "bndiff2", "bnvar", "bnvar_inv", "bnraw", "hpreact"}
    assert sum("(see above)" in row for row in rows) == 2
    assert "One upstream gradient arrives: dhpreact 32×64. The lines in between are yours" in text


def test_the_loss_is_where_it_starts() -> None:
    assert "its gradient is 1" in told("ex1", "loss")
    assert "Nothing arrives but the loss's own gradient, which is 1." in told("ex1", "logprobs")


def test_an_in_between_tensor_is_named_with_or_without_d() -> None:
    one, other = (grader("explain", word, cwd=ROOT) for word in ("ex3.bnraw", "ex3.dbnraw"))
    assert one.returncode == 0 and one.stdout == other.stdout
    assert one.stdout.startswith("bnraw, an in-between tensor of ex3  32×64\n")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ex1.Xb", "ex1.Xb is not differentiable"),
        ("ex1.dhh", "ex1 has no item dhh (did you mean dh?)"),
        ("ex9.dh", "there is no exercise ex9"),
        ("ex4.training", "follows from all the gradients"),
    ],
)
def test_what_can_not_be_explained_is_told_in_one_line(word: str, said: str) -> None:
    ran = grader("explain", word, cwd=ROOT)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr and ran.stderr.count("\n") == 1
