"""First-order mistakes in the solutions, and what becomes of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from conftest import parts_of
from local import Local, lecture_cmp

from grader.authoring.slips.mutants import Mutant, mutants
from grader.core.exercise import Exercise, Fixtures
from grader.core.verdict import ItemReport, Verdict
from grader.diagnosis.diagnose import FIXTURES, fingerprint
from grader.judging.compare import values

MOST, CORE = 12, 40  # mutants of one exercise, or of one of the core, that are diagnosed in a usual run


def made(exercise: str, description: Exercise) -> list[Mutant]:
    """The mutants of an exercise's solution."""
    parts = parts_of(exercise)
    shapes = description.shapes
    found = []
    for item in parts.gradients:
        known = [t for t in (*description.tensors, *parts.available(item)) if t in shapes]
        alike = {
            p: [t for t in known if t != p and shapes[t] == shapes[p]] for p in item.params if p in shapes
        }
        found += mutants(item, alike, parts.program)
    return found


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant.

    fooled: it is rejected, and the lecture's own comparison accepts it.
    report: of those that are diagnosed; prints: of a wrong value, where it has one that is finite.
    """

    mutant: Mutant
    passed: bool
    fooled: bool
    report: ItemReport | None
    prints: list[float] | None


def chosen(exercise: str, made: list[Mutant]) -> list[Mutant]:
    """Those that are diagnosed in a usual run: of many some of each item."""
    return made[:: 1 + len(made) // (MOST if "." in exercise else CORE)]


def run(
    exercise: str,
    description: Exercise,
    fixtures: Fixtures,
    found: list[Mutant],
    diagnosed: list[Mutant],
) -> list[Outcome]:
    """What became of these mutants of an exercise; the report of those that are diagnosed."""
    local = Local(description, fixtures)
    lecture = description.fixtures[0].name
    head = parts_of(exercise).imports
    asked = {m.key for m in diagnosed}
    outcomes = []
    for mutant in found:
        source = f"{head}\n\n{mutant.source}\n"
        report = local.report(source, mutant.item) if mutant.key in asked else None
        passed = report.passed if report else local.passes(source, mutant.item)
        records = local.values(source, mutant.item)
        fooled = not passed and lecture_cmp(
            records[lecture], fixtures.references[lecture].values[mutant.item]
        )
        prints = None
        if report and report.verdict in (Verdict.WRONG, Verdict.WRONG_SHAPE):
            on = [values(records[f]) for f in FIXTURES]
            if all(v is not None and np.isfinite(v).all() for v in on):
                prints = [p for v in on if v is not None for p in fingerprint(v)]
        outcomes.append(Outcome(mutant, passed, fooled, report, prints))
    return outcomes
