"""The table of slips: each row is of a change that is made, and no change is without a row."""

from __future__ import annotations

import pytest
from conftest import EXERCISES, parts_of

from grader.authoring import author_outputs
from grader.authoring.slips.mutants import Mutant, mutants
from grader.authoring.slips.sentences import say
from grader.authoring.slips.table import KNOWN, RARE, SLIPS
from grader.diagnosis.diagnose import KEEPDIM


def made(exercise: str) -> list[Mutant]:
    parts = parts_of(exercise)
    tensors = [*parts.inputs, *(line.name for line in parts.lines)]
    found = [m for item in parts.gradients for m in mutants(item, dict.fromkeys(item.params, tensors[:1]))]
    return found + ([m for _, _, m in author_outputs.changes(parts)] if parts.outputs else [])


@pytest.mark.slow
def test_every_slip_has_a_row_and_every_row_a_slip() -> None:
    found = {m.kind: m for exercise in EXERCISES for m in made(exercise)}
    others = {KNOWN, "inner sum dropped", "one line too far"}  # written down, told by a shape, of the line
    assert found.keys() == SLIPS.keys() - others
    assert all("{" not in say(m) for m in found.values())  # all that a row names is filled in


def test_no_two_slips_are_equally_likely_unless_both_are_rare() -> None:
    assert SLIPS["keepdim dropped"].sentence == KEEPDIM.text  # by which a diagnosis has its code
    ranks = [slip.rank for slip in SLIPS.values() if slip.rank != RARE]
    assert len(set(ranks)) == len(ranks) and max(ranks) < RARE
