"""Notebooks and flat scripts: each file in tests/notebooks declares the verdict of every item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import flatcode
import pytest

from grader.grading import check
from grader.reports.table import row
from grader.runner.client import Runner
from grader.verdict import ExerciseReport

Graded = Callable[..., dict[str, ExerciseReport]]
LECTURE = ("ex1", "ex2", "ex3", "ex4")


@pytest.fixture
def graded(runner: Runner, exercises: Mapping[str, Any]) -> Graded:
    """graded(name, data): the report of each of the lecture's exercises."""

    def all_of_it(
        name: str, data: bytes, only: tuple[str, ...] = LECTURE, **options: Any
    ) -> dict[str, ExerciseReport]:
        return {e: check(runner, *exercises[e], data, name, **options)[0] for e in only}

    return all_of_it


def told(reports: Mapping[str, ExerciseReport]) -> dict[str, str]:
    return {i.id: f"{i.verdict.value}: {' '.join(row(i))}" for r in reports.values() for i in r.items}


@pytest.mark.parametrize("path", flatcode.SOURCES, ids=lambda p: p.stem)
def test_a_notebook_gets_what_it_declares(path: Path, graded: Graded) -> None:
    text = path.read_text(encoding="utf-8")
    declared = flatcode.declared(text)
    name, data = flatcode.built(text)
    reports = graded(name, data)
    said = told(reports)
    got = flatcode.verdicts(reports)
    odd = {item: said[item] for item, verdict in got.items() if verdict not in declared.wanted(item)}
    assert not odd
    for item, words in declared.texts:
        assert words in said[item]
    if declared.strict:
        strict = graded(name, data, tuple({i.split(".")[0] for i in declared.strict}), strict=True)
        verdicts = flatcode.verdicts(strict)
        assert {i: verdicts[i] for i, ok in declared.strict.items() if verdicts[i] not in ok} == {}
