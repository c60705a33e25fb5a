"""An exercise as data: the same text out as in, and nothing else in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import EXERCISES, ROOT

from grader.core.exercise import Exercise, Gradient, Output
from grader.suite import fixtures

EX4 = ROOT / "fixtures" / "ex4" / "exercise.json"


def text(exercise: str) -> str:
    return ROOT.joinpath("fixtures", *exercise.split("."), "exercise.json").read_text()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_description_comes_back_byte_for_byte(exercise: str) -> None:
    made = fixtures.describe(ROOT, exercise)
    assert fixtures.seal(made) == text(exercise)
    assert Exercise.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_item_is_a_gradient_or_an_output(exercise: str) -> None:
    made = fixtures.describe(ROOT, exercise)
    assert made.items == (*made.outputs, *made.gradients)
    assert all(item.tensor in made.tensors for item in made.gradients)
    assert all(isinstance(made.item(i.name), Gradient | Output) for i in made.items)


def test_sizes_are_the_settings_without_the_seed_and_the_training() -> None:
    entries = [e for name in EXERCISES for e in fixtures.describe(ROOT, name).fixtures]
    assert any("trained" in e.settings for e in entries)
    for entry in entries:
        assert entry.settings.items() >= entry.sizes.items()
        assert not {"seed", "trained"} & entry.sizes.keys() and entry.is_probe == ("probe" in entry.name)


WRONG: list[tuple[str, Any]] = [
    ("id", 4),
    ("title", None),
    ("inputs", "C"),
    ("inputs", [1]),
    ("lines", [{"name": "x", "code": "x = y"}]),
    ("lines", ["x = y"]),
    ("shapes", {"C": 27}),
    ("shapes", {"C": ["27"]}),
    ("items", [{"name": "dx"}]),
    ("training", {"parameters": ["C"]}),
    ("fixtures", [{"name": "lecture", "settings": {}, "given": None, "reference": None}]),
    ("diagnosis", {"sha256": "", "bytes": True}),
]


@pytest.mark.parametrize("field, value", WRONG, ids=lambda v: repr(v)[:40])
def test_a_field_of_another_type_is_refused(field: str, value: Any) -> None:
    told = json.loads(EX4.read_text())
    assert Exercise.from_json(told).id == "ex4"
    with pytest.raises((KeyError, TypeError, ValueError)):
        Exercise.from_json({**told, field: value})
    del told[field]
    with pytest.raises(KeyError):
        Exercise.from_json(told)
