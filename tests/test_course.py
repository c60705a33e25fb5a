"""The course's map: the sets in lecture order, and what is in none of them last."""

from __future__ import annotations

import random

import pytest
from conftest import EXERCISES

from grader.core import course


@pytest.mark.parametrize("seed", range(5))
def test_the_core_comes_first_then_the_sets_in_lecture_order_then_what_is_in_none(seed: int) -> None:
    known = [f"{name}.ex{number}" for name in course.SETS if name != course.CORE for number in (1, 2, 10)]
    unknown = ["a-set.ex1", "a-set.ex2", "mine.ex1", "zz.ex9"]
    wanted = ["ex1", "ex4", *known, *unknown]
    shuffled = random.Random(seed).sample(wanted, len(wanted))
    assert course.ordered(shuffled) == wanted


def test_the_map_has_the_lectures_sets_in_their_order_and_unknown_ones_at_its_end() -> None:
    ids = ["a-set.ex1", "gpt.ex2", "ex1", "zz.ex1", "micrograd.ex1", "gpt.ex1"]
    assert list(course.mapped(ids).items()) == [
        ("micrograd", ["micrograd.ex1"]),
        ("backprop", ["ex1"]),
        ("gpt", ["gpt.ex1", "gpt.ex2"]),
        ("a-set", ["a-set.ex1"]),
        ("zz", ["zz.ex1"]),
    ]
    assert course.title("a-set") == "a-set" and course.title("gpt").startswith("GPT")


def test_a_set_is_in_the_order_of_its_lecture() -> None:
    gpt = [f"gpt.ex{n}" for n in (1, 2, 10, 11, 12)]
    ids = [*gpt, "bigrams.ex1", "bigrams.ex2", "bigrams.ex5"]
    assert course.mapped(ids) == {
        "bigrams": ["bigrams.ex1", "bigrams.ex5", "bigrams.ex2"],
        "gpt": ["gpt.ex11", "gpt.ex12", "gpt.ex1", "gpt.ex2", "gpt.ex10"],
    }
    assert set(course.AFTER) <= set(EXERCISES)


def test_every_set_of_this_checkout_has_its_place_in_the_map() -> None:
    assert {course.set_of(exercise) for exercise in EXERCISES} == set(course.SETS)
