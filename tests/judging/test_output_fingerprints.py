"""Mistakes in outputs are known again by a mark for each call; each that is written down is told."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import EXERCISES, ROOT, parts_of, sampled, solution
from local import Local

from grader.authoring import author_outputs
from grader.core import plain
from grader.core.exercise import Output, Reference
from grader.core.finding import Finding
from grader.diagnosis.diagnose import fingerprint
from grader.judging.output_fingerprints import between, differing, known, marks, of_error
from grader.reference import values
from grader.runner.wire import Record

ITEM = Output("x", driver="use_x", compare="approximate")
RIGHT = {f"f({k})": [k * 1.5, k + 0.25] for k in range(4)}
FIXTURES = ("lecture", "probe-2", "probe-3")


def marked(value: Any, item: Output = ITEM) -> Any:
    found = marks(plain.decode(values.dumps(value)), item)
    assert found is not None
    return found


def record(value: Any) -> Record:
    if isinstance(value, str):
        return Record("f", "x", "error", message=value)
    return Record("f", "x", "value", "plain", (), "plain", values.dumps(value))


def told(answers: dict[str, Any], *mistakes: Any) -> Finding | None:
    """What is said of answers by fixture, where mistakes are known by theirs."""
    right = Reference({}, {"x": 1.0}, {}, {"x": values.dumps(RIGHT)})
    stored = [
        {
            "say": f"mistake {k}",
            "on": {
                f: differing(of_error(v) if isinstance(v, str) else marked(v), marked(RIGHT))
                for f, v in one.items()
            },
        }
        for k, one in enumerate(mistakes)
    ]
    records = {f: record(v) for f, v in answers.items()}
    return known(stored, records, dict.fromkeys(FIXTURES, right), ITEM)


def changed(change: Callable[[float], float], *calls: int) -> dict[str, Any]:
    return {c: list(map(change, v)) if k in calls else v for k, (c, v) in enumerate(RIGHT.items())}


def text(found: Finding | None) -> str:
    return found.text if found else ""


def test_a_mistake_in_two_calls_is_known_by_them() -> None:
    wrong = changed(lambda v: v * v + 1, 1, 3)
    assert text(told(dict.fromkeys(FIXTURES, wrong), dict.fromkeys(FIXTURES, wrong))) == "mistake 0"
    near = {c: [v + 1e-8 for v in one] for c, one in wrong.items()}  # rounding
    assert text(told(dict.fromkeys(FIXTURES, near), dict.fromkeys(FIXTURES, wrong))) == "mistake 0"


def test_another_value_in_one_of_its_calls_is_another_mistake() -> None:
    wrong = changed(lambda v: v * v + 1, 1, 3)
    other = {**wrong, "f(3)": [7.0, 1.0]}
    assert told(dict.fromkeys(FIXTURES, other), dict.fromkeys(FIXTURES, wrong)) is None
    right_there = {**wrong, "f(3)": RIGHT["f(3)"]}
    assert told(dict.fromkeys(FIXTURES, right_there), dict.fromkeys(FIXTURES, wrong)) is None


def test_a_mistake_that_explains_a_part_of_the_calls_is_not_told() -> None:
    part, whole = changed(lambda v: v * v + 1, 1, 3), changed(lambda v: v * v + 1, 0, 1, 3)
    both = [dict.fromkeys(FIXTURES, one) for one in (part, whole)]
    assert text(told(both[1], *both)) == "mistake 1"
    assert told(both[1], both[0]) is None


def test_one_call_of_one_fixture_is_not_enough() -> None:
    wrong = changed(lambda v: v * v + 1, 2)
    on = {FIXTURES[0]: wrong, FIXTURES[1]: RIGHT}
    assert told(on, on) is None
    assert text(told(dict.fromkeys(FIXTURES, wrong), dict.fromkeys(FIXTURES, wrong))) == "mistake 0"


def test_a_mistake_that_changes_little_has_to_be_closer_than_the_right_answer() -> None:
    little = changed(lambda v: v * (1 + 4e-6), 1, 2, 3)
    assert told(dict.fromkeys(FIXTURES, RIGHT), dict.fromkeys(FIXTURES, little)) is None
    assert text(told(dict.fromkeys(FIXTURES, little), dict.fromkeys(FIXTURES, little))) == "mistake 0"


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_has_a_mark_of_its_own(odd: float) -> None:
    wrong = {**RIGHT, "f(1)": [odd, 2.0], "f(2)": [3.0, odd]}
    assert text(told(dict.fromkeys(FIXTURES, wrong), dict.fromkeys(FIXTURES, wrong))) == "mistake 0"
    for other in {math.inf, -math.inf, 0.0} - {odd}:
        assert between(marked({"f": [odd]})["f"], marked({"f": [other]})["f"]) == math.inf


def test_an_exception_has_one_by_its_text_wherever_it_was_raised() -> None:
    stored = dict.fromkeys(FIXTURES, "TypeError: 'Thing' object is odd")
    raised = dict.fromkeys(FIXTURES, "TypeError: 'Thing' object is odd; of f(2)")
    assert text(told(raised, stored)) == "mistake 0"
    assert told(dict.fromkeys(FIXTURES, "TypeError: 'Other' object is odd"), stored) is None


def test_a_projection_that_is_small_by_chance_loses_no_mistake_to_rounding() -> None:
    (d,) = (np.array([fingerprint(e)[0] for e in np.eye(3)]),)
    small = [1.0, 1.0, -(d[0] + d[1]) / d[2] + 1e-7]  # nearly at right angles to the direction
    off = [small[0] * (1 + 1e-7), *small[1:]]
    assert between(marked({"f": small})["f"], marked({"f": off})["f"]) > 1e-2
    wrong, near = ({f: RIGHT | {"f(1)": v, "f(2)": v} for f in FIXTURES} for v in (small, off))
    assert text(told(near, wrong)) == "mistake 0"


@pytest.mark.parametrize("compare", ["exact", "approximate"])
def test_what_a_comparison_forgives_changes_no_mark(compare: str) -> None:
    import torch

    item = Output("x", driver="use_x", compare=compare)
    a = {"f": [(1.5, 2.5), torch.ones(1, 3), {"b": 1, "a": 2}]}
    b = {"f": ([1.5, 2.5], torch.ones(3), {"a": 2, "b": 1})}
    assert between(marked(a, item)["f"], marked(b, item)["f"]) == 0
    for k, other in enumerate([(2.5, 1.5), torch.ones(3, 1), {"a": 2}]):
        changed = {"f": [other if n == k else one for n, one in enumerate(a["f"])]}
        assert between(marked(a, item)["f"], marked(changed, item)["f"]) > 1e-3


def written(exercise: str) -> str:
    path = ROOT.joinpath("solutions", "mistakes", *exercise.split(".")).with_suffix(".py")
    return path.read_text(encoding="utf-8") if path.is_file() else ""


OUTPUTS = [e for e in EXERCISES if "\nOUTPUTS = " in solution(e) and written(e)]


@pytest.mark.parametrize("exercise", OUTPUTS)
def test_each_mistake_that_is_written_down_is_known_of_an_item(exercise: str, exercises: Any) -> None:
    """One that changes no answer, or only one call's, is of no use."""
    parts = parts_of(exercise)
    stored = json.loads(exercises[exercise][1].diagnosis)
    said = [m["say"] for one in stored.values() for m in one["mistakes"]]
    found = author_outputs._written(parts, written(exercise))
    assert found
    for _, _, mutant in found:
        assert any(mutant.new in say for say in said), mutant.new


@pytest.mark.parametrize("exercise", sampled(OUTPUTS, 16))
def test_who_makes_a_mistake_that_is_written_down_is_told(exercise: str, exercises: Any) -> None:
    """By itself, or by one that gives the same: never by one that gives something else."""
    parts = parts_of(exercise)
    description, fixtures = exercises[exercise]
    local = Local(description, fixtures, steps=2_000_000)
    stored = json.loads(local.fixtures.diagnosis)
    silent = []
    for _, source, mutant in author_outputs._written(parts, written(exercise))[::9]:
        said = []
        for item in parts.public.outputs:
            if author_outputs._about(parts, item, mutant) or mutant.item.partition(".")[0] in item.asks:
                with contextlib.suppress(author_outputs.Endless):
                    answers = local.values(f"{solution(exercise)}\n\n\n{source}\n", item.name)
                    at = {f: answers[f] for f in FIXTURES}
                    found = known(stored[item.name]["mistakes"], at, local.fixtures.references, item)
                    said.append(text(found))
        if said and not any(mutant.new in one for one in said):
            silent.append((mutant.item, mutant.new, said))
    assert silent == []
