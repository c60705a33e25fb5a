"""Findings: a code of a closed list that programs read, and a text that only people do."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import pytest
from conftest import ROOT

from grader.core.finding import Code

WORDS = re.compile(r"[A-Za-z]{2,}[,:;]? [A-Za-z]{2,}")  # of a sentence
METHODS = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "count", "partition",
           "rpartition", "replace"}  # fmt: skip
SEARCHES = {"match", "search", "fullmatch", "compile", "sub", "findall"}
# A mutant's, at build time: keys of two words, as "sign dropped".
KEYS = {"kind", "place"}
# How many such texts a file may have that are no sentence of ours.
OTHERS = {
    "grader/authoring/notebook.py": 1,  # a line of code
    "grader/classroom/gradebook.py": 1,  # a heading of Canvas's
    "grader/commands/manual.py": 1,  # a heading
    "grader/authoring/slips/changes.py": 1,  # a kind of mutant
    "grader/diagnosis/shapes/explain.py": 3,  # torch's errors, of shapes; a line that is told once
    "grader/reports/markdown.py": 1,  # a pattern's comments
    "grader/runner/untrusted/asking.py": 1,  # Python's UnboundLocalError
    "grader/runner/untrusted/loading.py": 1,  # a syntax error's other line
    "grader/runner/untrusted/slips.py": 3,  # Python's errors, and torch's of ^
    "grader/runner/warm/limits.py": 2,  # the allocator's and Python's errors
    "grader/runner/wire.py": 1,  # a layer of the confinement
    "grader/submissions/flat/cut.py": 1,  # a comment for the grader
    "grader/submissions/flat/statements.py": 1,  # a syntax error's
}
FILES = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "grader").rglob("*.py"))


def literals(node: ast.AST | None) -> Iterator[str]:
    """The texts in an expression, those of an f-string as one."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            for part in parts:
                yield from literals(part)


def decisions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each text that something is compared with, or looked for by: its line and the text."""
    named = {
        t.id: list(literals(n.value))
        for n in tree.body
        if isinstance(n, ast.Assign)
        for t in n.targets
        if isinstance(t, ast.Name)
    }

    def texts(node: ast.expr) -> Iterator[str]:
        yield from named.get(node.id, ()) if isinstance(node, ast.Name) else literals(node)

    for node in ast.walk(tree):
        operands: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            if any(getattr(o, "attr", getattr(o, "id", "")) in KEYS for o in operands):
                continue
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in METHODS or node.func.attr in SEARCHES:
                operands = node.args[:1]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        for operand in operands:
            yield from ((node.lineno, text) for text in texts(operand))


def sentences(source: str) -> dict[str, int]:
    """By text the line."""
    return {text: line for line, text in decisions(ast.parse(source)) if WORDS.search(text)}


@pytest.mark.parametrize("path", FILES)
def test_nothing_decides_by_a_sentence(path: str) -> None:
    found = sentences((ROOT / path).read_text(encoding="utf-8"))
    assert len(found) == OTHERS.get(path, 0), found


@pytest.mark.parametrize(
    "source",
    [
        'if reason.startswith("not found: nothing assigns"): pass',
        'if "drops axis" in told: pass',
        'if reason == f"not found: nothing assigns {name}": pass',
        'SAID = "keepdim=True is missing"\nif found != SAID: pass',
        'if reason.endswith("all zero"): pass',
        'said = reason.replace("autograd has", "wanted")',
        'x = re.search("right when transposed", reason)',
        'match reason:\n    case "all zero": pass',
    ],
)
def test_a_decision_by_a_sentence_is_seen(source: str) -> None:
    assert sentences(source)


def test_no_page_decides_by_a_sentence() -> None:
    for page in (ROOT / "grader").rglob("*.html"):
        tags = re.findall(r"\{[{%](.*?)[%}]\}", page.read_text(encoding="utf-8"), re.DOTALL)
        asked = [t for tag in tags for t in re.findall(r"\bif\b([^%]*)", tag)]
        assert not [t for t in asked for said in re.findall(r'"([^"]*)"', t) if WORDS.search(said)], page


def test_the_schema_lists_the_codes() -> None:
    schema = json.loads((ROOT / "grader/reports/report.schema.json").read_text(encoding="utf-8"))
    assert schema["$defs"]["code"]["enum"] == [code.value for code in Code]
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in Code)


@pytest.mark.parametrize("code", Code)
def test_each_code_is_given_somewhere(code: Code) -> None:
    given = f"Code.{code.name}", f"Kind.{code.name}"
    status = code in ("error", "not-written", "refused", "not-a-tensor", "over-limit")  # a record's status
    assert status or any(g in (ROOT / path).read_text(encoding="utf-8") for path in FILES for g in given)
