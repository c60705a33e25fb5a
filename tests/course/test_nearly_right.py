"""Answers that are right but for one edge, and right ones in other forms: those of nearly_right.txt."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from conftest import sampled, solution

from grader.core.verdict import ItemReport

TEXT = Path(__file__).with_name("nearly_right.txt").read_text(encoding="utf-8")


def cases() -> Iterator[tuple[str, str, str, str]]:
    """Exercise, item, answer, and what is to come of it."""
    for block in re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]:
        target, *lines = block.rstrip().split("\n")
        exercise, item = target.rsplit(".", 1)
        text, pieces = (
            solution(exercise),
            ["".join(f"{x[1:]}\n" for x in some) for _, some in groupby(lines[:-1], lambda x: x[0])],
        )
        for old, new in zip(pieces[::2], pieces[1::2], strict=True):
            assert text.count(old.rstrip("\n")) >= 1, old
            text = text.replace(old.rstrip("\n"), new.rstrip("\n"), 1)
        yield exercise, item, text, lines[-1].removeprefix("= ")


@pytest.mark.parametrize(
    "exercise, name, text, said", sampled(cases(), 4), ids=lambda p: p if len(p) < 20 else ""
)
def test_what_is_nearly_right(
    exercise: str, name: str, text: str, said: str, item: Callable[[str, str, str], ItemReport]
) -> None:
    report = item(text, exercise, name)
    kind, _, part = said.partition(": ")
    assert report.passed == (kind == "right")
    told = {"mistake": report.mistake.text if report.mistake else "", "right": report.check.note}
    assert part in told.get(kind, report.check.reason)
