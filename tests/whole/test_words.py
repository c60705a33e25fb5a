"""The words of the texts that learners and teachers read: plain English, and one term for one thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import EXERCISES, ROOT

from grader.suite import fixtures

INSTEAD = {  # what isn't written -> what is
    r"mend(?:s|ed|ing)?": "fix",
    r"fore(?:tells?|told|telling)": "predict",
    r"shall": "should, must",
    r"whole numbers?": "integer",
    r"stands? (?:most|more) often": "is most frequent",
    r"broken exponents?": "fractional exponents",
    r"turned(?! (?:into|off|on)\b)": "transposed, reversed",
    r"(?:strange|special|these|its) signs": "characters",
    r"by the share": "by a fraction",
    r"shak(?:es?|ing)": "jitter",
    r"is taken too": "is accepted too",
    r"all are exact": "all answers are compared exactly",
    r"children before their parents": "operands before what is made from them",
    r"chance is taken out": "nothing is random",
    r"(?:where|what|as) the author has": "the solution returns",
    r"(?:finds?|holds?) (?:\w+ ){1,5}equally likely": "considers",
    r"all that is batch": "all batch axes",
    r"as it should be": "as the solution has it",
    r"(?:incoming|outgoing|outer) (?:gradient|derivative)s?": "upstream gradient",
    r"inner derivatives?": "local gradient",
    r"(?:test|hidden) cases?": "probe, fixture",
    r"(?:students?|learners?)' (?:hand-ins?|uploads?)": "submission",
    r"sub-?(?:tasks?|questions?|problems?)": "item",
    r"rating|verdicts? given": "verdict, score",
}
PATTERNS = {word: re.compile(rf"\b(?:{word})\b", re.IGNORECASE) for word in INSTEAD}
NAMES = re.compile(r"\bmended(?=[:(]| returns)")  # wavenet.ex7's function


def found(text: str) -> list[str]:
    """Each word of a text that isn't to be written, with what stands around it."""
    plain = " ".join(NAMES.sub("", text).split())
    return [
        f"{plain[max(m.start() - 40, 0) : m.end() + 40]!r}: say {INSTEAD[word]}"
        for word, pattern in PATTERNS.items()
        for m in pattern.finditer(plain)
    ]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_tasks_and_the_hints_use_plain_words(exercise: str) -> None:
    described = fixtures.describe(ROOT, exercise)
    told = fixtures.hints(ROOT, described)
    rungs = [text for item in told["items"].values() for text in item["rungs"].values()]
    ways = [text for by in told["lines"].values() for said in by.values() for text in said]
    docs = [item.doc for item in described.items]
    stub = fixtures.derived(ROOT, described)["stub"]
    texts = [described.statement, stub, *docs, *rungs, *ways]
    assert [said for text in texts for said in found(text)] == []


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module, its docstrings and comments apart: what it says to somebody."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    own = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, own) and ast.get_docstring(n)}  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.parametrize("folder", ["grader", "solutions/mistakes"])
def test_messages_use_plain_words(folder: str) -> None:
    said = [
        f"{path.relative_to(ROOT)}:{line}: {one}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, text in literals(path)
        if " " in text
        for one in found(text)
    ]
    assert said == []


@pytest.mark.parametrize("path", ["README.md", "grader/data/manual.toml", "grader/data/release.md"])
def test_the_readme_and_the_manual_use_plain_words(path: str) -> None:
    assert found((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", ["Mend it first.", "two whole numbers", "where the author has a list"])
def test_a_word_that_is_not_to_be_written_is_found(text: str) -> None:
    assert len(found(text)) == 1


def test_a_name_is_no_word() -> None:
    assert found("mended(x), mended: not written yet, and the signs of a sum") == []
