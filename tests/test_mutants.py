"""The grader's own mutation test: no first-order mistake in a reference body may pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from conftest import EXERCISES, solution
from local import Local, lecture_cmp

from grader import authored
from grader.mutants import Mutant, mutants

# The mutants that are the same function, by hand, each with its reason.
ARGMAX = "the maximum is at the same place: softmax and its steps are monotone in each row"
BROADCAST = "adding broadcasts, so the factor of ones does nothing"
LEADING = "differs only by a leading dimension of 1, which passes with a note"
ALIAS = "the same value; that it changes its argument is noted, not failed"
ONES = "dividing by one is multiplying by it"
EQUIVALENT = {
    "ex1.dcounts: factor dropped: torch.ones_like(counts) * dcounts_sum -> dcounts_sum": BROADCAST,
    "ex1.dlogits: clone dropped: dnorm_logits.clone() -> dnorm_logits": ALIAS,
    "ex1.dlogits: another tensor: logits -> norm_logits": ARGMAX,
    "ex1.dlogits: another tensor: logits -> counts": ARGMAX,
    "ex1.dlogits: another tensor: logits -> probs": ARGMAX,
    "ex1.dlogits: another tensor: logits -> logprobs": ARGMAX,
    "ex1.dbndiff2: division for multiplication: 1.0 / (n - 1) * torch.ones_like(bndiff2) "
    "-> 1.0 / (n - 1) / torch.ones_like(bndiff2)": ONES,
    "ex1.dcounts: division for multiplication: torch.ones_like(counts) * dcounts_sum "
    "-> dcounts_sum / torch.ones_like(counts)": ONES,
    "ex1.dhprebn: division for multiplication: torch.ones_like(hprebn) * dbnmeani "
    "-> dbnmeani / torch.ones_like(hprebn)": ONES,
    "ex1.dhprebn: clone dropped: dbndiff.clone() -> dbndiff": ALIAS,
    "ex1.dhprebn: factor dropped: torch.ones_like(hprebn) * dbnmeani -> dbnmeani": BROADCAST,
}
for _item, _sum in {
    "ex1.dbngain": "(bnraw * dhpreact)",
    "ex1.dbnbias": "dhpreact",
    "ex1.dbnvar_inv": "(bndiff * dbnraw)",
    "ex1.dbnmeani": "(-dbndiff)",
    "ex4.dbngain": "(bnraw * dhpreact)",
    "ex4.dbnbias": "dhpreact",
}.items():
    EQUIVALENT[f"{_item}: keepdim dropped: {_sum}.sum(0, keepdim=True) -> {_sum}.sum(0)"] = LEADING


def made(exercise: str, description: Mapping[str, Any]) -> list[Mutant]:
    parts = authored.read(solution(exercise), f"solutions/{exercise}.py")
    shapes = description["shapes"]
    found = []
    for item in parts.items:
        known = [t for t in (*description["tensors"], *parts.available(item)) if t in shapes]
        alike = {
            p: [t for t in known if t != p and shapes[t] == shapes[p]] for p in item.params if p in shapes
        }
        found += mutants(item, alike)
    return found


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_mutant_that_is_not_equivalent_passes(
    exercise: str, exercises: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    description, fixtures = exercises[exercise]
    local = Local(description, fixtures)
    lecture = description["fixtures"][0]["name"]
    head = authored.read(solution(exercise), exercise).imports
    survivors: list[str] = []
    fooled = 0
    all_of_them = made(exercise, description)
    for mutant in all_of_them:
        source = f"{head}\n\n{mutant.source}\n"
        if local.passes(source, mutant.item):
            survivors.append(f"{exercise}.{mutant.key}")
        else:
            record = local.values(source, mutant.item)[lecture]
            fooled += lecture_cmp(record, fixtures.references[lecture].values[mutant.item])
    with capsys.disabled():
        print(
            f"\n{exercise}: {len(all_of_them)} mutants, {len(all_of_them) - len(survivors)} rejected, "
            f"{len(survivors)} equivalent; the lecture's cmp would have accepted {fooled} of the rejected"
        )
    assert [key for key in survivors if key not in EQUIVALENT] == []


def test_every_mutant_that_is_listed_as_equivalent_exists(exercises: dict[str, Any]) -> None:
    keys = {f"{e}.{m.key}" for e in EXERCISES for m in made(e, exercises[e][0])}
    assert set(EQUIVALENT) <= keys
