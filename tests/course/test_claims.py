"""claims.toml: every row is shown by something that there is, or says why it is left out."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import EXERCISES, ROOT

from grader.suite import fixtures

CLAIMS: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("claims.toml").read_text())["claim"]
KINDS = ({"items"}, {"tests"}, {"file", "says"}, {"left-out"})


@cache
def items() -> set[str]:
    described = [fixtures.describe(ROOT, exercise) for exercise in EXERCISES]
    return {f"{one.id}.{item.name}" for one in described for item in one.items}


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")}


def missing(claim: dict[str, Any]) -> list[str]:
    """What a row names and there is not."""
    lost = [item for item in claim.get("items", ()) if item not in items()]
    for test in claim.get("tests", ()):
        path, _, name = test.partition("::")
        lost += [] if (ROOT / path).is_file() and name in names_in(path) else [test]
    if "says" in claim:
        text = " ".join((ROOT / claim["file"]).read_text().split())
        lost += [] if " ".join(claim["says"].split()) in text else [claim["says"]]
    return lost


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim["gap"] for claim in CLAIMS])
def test_a_claim_is_shown_by_what_there_is_or_says_why_not(claim: dict[str, Any]) -> None:
    assert set(claim) - {"gap"} in KINDS and all(claim.values())
    assert missing(claim) == []


def test_no_gap_is_claimed_twice() -> None:
    assert [gap for gap, count in Counter(claim["gap"] for claim in CLAIMS).items() if count > 1] == []


@pytest.mark.parametrize(
    "claim",
    [
        {"items": ["micrograd.ex1.numgrad", "micrograd.ex1.nothing"]},
        {"tests": ["tests/course/test_claims.py::test_of_nothing"]},
        {"tests": ["tests/course/test_nothing.py::test_no_gap_is_claimed_twice"]},
        {"file": "README.md", "says": "what no README says"},
    ],
    ids=["item", "test", "file", "words"],
)
def test_what_there_is_not_shows_nothing(claim: dict[str, Any]) -> None:
    assert len(missing(claim)) == 1
