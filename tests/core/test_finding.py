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
KEYS = {"kind", "context"}
# Texts with words in them that are no sentence of ours, and that may decide.
OTHERS = {
    "from grader",  # a line of code
    "^# grader: rename (\\w+) = (\\w+)$",
    "Submission attachment(s)/",  # folders of Sakai's
    "Feedback Attachment(s)/",
    "Submitted files",  # and of Teams'
    "(?:[^/]+/)?(?P<of>{}|Working files)/",
    "TODO: what the network is.*",  # lines of an authored file that is begun
    "raise NotImplementedError",
    "points possible",  # a heading of Canvas's
    r"(?P<name>.+) (?:Points Grade <.*?MaxPoints:|\[Total Pts: )(?P<of>\d+(?:[.,]\d+)?)",  # of others
    "End-of-Line Indicator",
    "Display ID",  # and of Sakai's
    "(?i)^(?:copy of|kopie van|kopie von|copie de|copia de|cópia de) ",  # Google's name of a copy
    "Student, Test",  # whom Canvas makes for an instructor
    "exit codes",  # a heading of the manual
    "resource limits",  # a layer of the confinement
    "signal scope",  # a part of one
    # What Python and torch say in English, and in no other way.
    r"UnboundLocalError: \D*local variable '(\w+)'",
    r"NameError: name '(\w+)' is not defined",
    r"bitwise_xor|unsupported operand type\(s\) for \^=?:",
    r"(?:TypeError|AttributeError): (?:.*'function'|.*not function$)",
    r"TypeError: '(?:int|float)' object is not callable",
    r"must be Tensor, not (?:numpy\.)?(ndarray|list|tuple)"
    r"|'(?:numpy\.)?(ndarray|list|tuple)' object has no attribute"
    r"|unsupported operand type\(s\) for \S+: .*'(?:numpy\.)?(ndarray|list|tuple)'"
    r"|list indices must be integers or slices, not (tuple)|can only concatenate (list|tuple)"
    r"|received an invalid combination of arguments - got \((?:numpy\.)?(ndarray|list|tuple)",
    r"unsupported operand type\(s\) for (.+?)=?: '(\w+)' and '(\w+)'",
    r"bad operand type for unary -: '(\w+)'",
    "(the grader's)",  # ends the name of a driver's file
    r"on line (\d+)",
    "was never closed",
    "can't start new thread",
    "can't allocate memory",
    "size of tensor",
    "size of tensor|shapes cannot be multiplied|is invalid for input of size|expanded size",
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
            yield from ((operand.lineno, text) for text in texts(operand))


def sentences(source: str) -> dict[str, int]:
    """By text the line."""
    found = {text: line for line, text in decisions(ast.parse(source))}
    return {t: n for t, n in found.items() if WORDS.search(t) and "\n" not in t}  # of no commented pattern


def test_nothing_decides_by_a_sentence() -> None:
    found = {path: sentences((ROOT / path).read_text(encoding="utf-8")) for path in FILES}
    assert {path: new for path, one in found.items() if (new := one.keys() - OTHERS)} == {}


def test_what_may_decide_all_the_same_does() -> None:
    found = [sentences((ROOT / path).read_text(encoding="utf-8")) for path in FILES]
    assert not OTHERS - {text for one in found for text in one}


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


def test_each_code_is_given_somewhere() -> None:
    text = "\n".join((ROOT / path).read_text(encoding="utf-8") for path in FILES)
    status = {"error", "not-written", "refused", "not-a-tensor", "over-limit"}  # a record's status
    given = {code for code in Code if f"Code.{code.name}" in text or f"Kind.{code.name}" in text}
    assert {*Code} - given - status == set()
