"""The table of slips: each row is of a change that is made, and no change is without a row."""

from __future__ import annotations

import pytest
from conftest import EXERCISES, parts_of

from grader.authoring import author_outputs
from grader.authoring.authored import Item
from grader.authoring.slips.changes import BENT
from grader.authoring.slips.mutants import Mutant, mutants
from grader.authoring.slips.sentences import say
from grader.authoring.slips.table import KNOWN, RARE, SLIPS
from grader.diagnosis.diagnose import KEEPDIM


def made(exercise: str) -> list[Mutant]:
    parts = parts_of(exercise)
    tensors = [*parts.inputs, *(line.name for line in parts.lines)]
    alike = {item: dict.fromkeys(item.params, tensors[:1]) for item in parts.gradients}
    found = [m for item in alike for m in mutants(item, alike[item], parts.program)]
    return found + ([m for _, _, m in author_outputs.changes(parts)] if parts.outputs else [])


@pytest.mark.slow
def test_every_slip_has_a_row_and_every_row_a_slip() -> None:
    found = {m.kind: m for exercise in EXERCISES for m in made(exercise)}
    others = {KNOWN, "inner sum dropped", "one line too far"}  # written down, told by a shape, of the line
    assert found.keys() == SLIPS.keys() - others
    assert all("{" not in say(m) for m in found.values())  # all that a row names is filled in


@pytest.mark.parametrize(
    ("forward", "body", "told"),
    [
        ("y = x.tanh()", "dy * (1 - y * y)", "tanh's derivative, 1 - y squared, is missing"),
        ("y = F.gelu(x, approximate='tanh')", "dy * (1.0 - y**2)", "tanh's derivative, 1 - y squared, is"),
        ("y = x.sigmoid()", "dy * ((1 - y) * y)", "sigmoid's derivative is missing"),
        ("y = x - x**3 / 3", "dy * (1 - y**2)", "a factor is missing: the one with y"),
    ],
)
def test_a_local_gradient_is_known_by_its_form_only_of_what_is_called(
    forward: str, body: str, told: str
) -> None:
    source = f"def dx(y, dy):\n    'Why.'\n    return {body}"
    item = Item("dx", "x", ("y", "dy"), "", source, "", 1)
    found = [m for m in mutants(item, {}, forward) if m.kind == "factor dropped" and m.new == "dy"]
    others = [m for m in mutants(item, {}, forward) if " for " in m.kind and m.kind.split()[-1] in BENT]
    assert [say(m).startswith(told) for m in found] == [True], [say(m) for m in found]
    assert len(others) == ("a factor" not in told)


def test_no_two_slips_are_equally_likely_unless_both_are_rare() -> None:
    assert SLIPS["keepdim dropped"].sentence == KEEPDIM.text  # by which a diagnosis has its code
    ranks = [slip.rank for slip in SLIPS.values() if slip.rank != RARE]
    assert len(set(ranks)) == len(ranks) and max(ranks) < RARE
