"""Which submissions share what right work does not share: a reason to ask, never a proof.

Evidence is the same wrong answer by its value, the same unusual comment, the same helper, a whole file
that is the same but for names, comments and order. What an item passes with is none: a right gradient in
one line has few forms. What more than a few share is none either, nor what the stub says. Each weighs as
many bits as it is unlikely; a pair is shown where the sum is beyond what a class of this size has by
chance. An index goes from each piece of evidence to the few that have it: the work grows with the class,
not with its square.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from grader.core.limits import EXPLAINED
from grader.core.text import text
from grader.core.verdict import Verdict
from grader.diagnosis.syntax import tree
from grader.reports.pages.html import page
from grader.suite.fixtures import digest

NAME = "similar.html"
NO_PROOF = (
    "What two texts share is a reason to ask, and no proof that one was copied, from whom, or that a rule "
    "was broken."
)
FEW = 6  # submissions that may share a piece of evidence
MOST = 60  # pieces of evidence of one submission
SPARE = 10  # bits beyond those that the best of all pairs has by chance
WORD = 4  # bits of a word of a comment
WORDS = 4  # that an unusual one has at least
UNITS = 3  # wrong answers and helpers in a file that is the same as another but for names
NODES = 10  # of syntax, in a helper that counts
PAIRS = 40  # on the page
LINES, WIDTH = 1500, 300  # of a text on the page
COMMENT = re.compile(r"#+(.*)")
TORCH = ("torch", "F", "math", "np")
Results = Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """What counts as evidence in one text.

    whole: the digest of all that is its own, whatever the names and the order; long: its functions of several
    statements.
    """

    comments: frozenset[str]
    units: Mapping[str, int]  # the helpers, with their nodes of syntax
    wrong: int  # functions of items that did not pass
    whole: str
    long: int = 0


def read(source: bytes, verdicts: Mapping[str, bool], given: frozenset[str] = frozenset()) -> Text:
    """verdicts: by an item's name whether it passed. given: the stub's comments and units.

    A text beyond EXPLAINED, or in another encoding, is not looked into, nor is code that is no Python.
    """
    if len(source) > EXPLAINED or b"\0" in source:
        return Text(frozenset(), {}, 0, "")
    found = (
        " ".join(m[1].lower().split())
        for m in map(COMMENT.search, source.decode("utf-8", "replace").split("\n"))
        if m
    )
    comments = frozenset(c for c in found if len(c.split()) >= WORDS) - given
    helpers, wrong, long, own = {}, 0, 0, []
    for node in tree(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        mark, nodes = canonical(node)
        if mark in given:
            continue
        own.append(mark)
        long += len(getattr(node, "body", ())) > 3  # with its docstring
        item = _named(node)
        if item not in verdicts:
            if nodes >= NODES:
                helpers[mark] = nodes
        elif not verdicts[item]:
            wrong += 1
    return Text(comments, helpers, wrong, digest("".join(sorted(own)).encode()) if own else "", long)


def given(*sources: bytes) -> frozenset[str]:
    """The comments and units of the texts that everybody begins with."""
    found: set[str] = set()
    for source in sources:
        one = read(source, {})
        found |= one.comments | {canonical(node)[0] for node in tree(source).body}
    return frozenset(found)


def _named(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def canonical(node: ast.AST) -> tuple[str, int]:
    """A digest of the syntax without docstring and local names, and how many nodes it has. No recursion."""
    bound = {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    bound |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    numbers: dict[str, str] = {}
    parts: list[str] = []
    todo: list[ast.AST] = [node]
    while todo:
        n = todo.pop()
        parts.append(type(n).__name__)
        if isinstance(n, ast.Name | ast.arg):
            name = n.id if isinstance(n, ast.Name) else n.arg
            parts.append(numbers.setdefault(name, str(len(numbers))) if name in bound else name)
        elif isinstance(n, ast.Attribute):
            parts.append(n.attr)
        elif isinstance(n, ast.Constant):
            parts.append(
                repr(n.value)[:100] if not isinstance(n.value, int) or abs(n.value) < 1 << 62 else "int"
            )
        children = list(ast.iter_child_nodes(n))
        if isinstance(n, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(n, clean=False) is not None:
            children.remove(n.body[0])
        todo += reversed(children)
    return digest("\0".join(parts).encode()), len(parts)


@dataclass(frozen=True)
class Pair:
    """Two submissions by their numbers, the bits that they share, and in words what."""

    first: int
    second: int
    bits: float
    shared: tuple[str, ...]


@dataclass
class Index:
    """The class by its evidence. Of a submission no text is held, only digests, at most MOST."""

    who: list[tuple[str, str]] = field(default_factory=list)  # submission, student
    holders: dict[str, list[int] | None] = field(default_factory=dict)  # None: more than FEW
    told: dict[str, tuple[float, str]] = field(
        default_factory=dict
    )  # of what several have: bits (0: by holders), words
    wholes: dict[str, list[int]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, result: Results, found: Text) -> None:
        number = len(self.who)
        self.who.append((result["submission"], result["student"] or result["submission"]))
        pieces = [*_answers(result)]
        pieces += [
            (f"#{digest(c.encode())[:24]}", WORD * len(c.split()), f"the comment “{text(c, 80)}”")
            for c in found.comments
        ]
        pieces += [(m[:24], min(20, n / 3), "a helper of its own") for m, n in found.units.items()]
        for key, bits, words in sorted(pieces, key=lambda piece: -piece[1])[:MOST]:
            holders = self.holders.setdefault(key, [])
            if holders is None:
                continue
            holders.append(number)
            if len(holders) == 2:
                self.told[key] = (bits, words)
            elif len(holders) > FEW:
                self.holders[key] = None
                del self.told[key]
        if found.whole and found.wrong + len(found.units) >= UNITS:
            self.wholes.setdefault(found.whole, []).append(number)
        elif found.wrong + len(found.units) + len(found.comments) + found.long:  # then to the last byte
            self.wholes.setdefault(f"={result['key']}", []).append(number)

    def groups(self) -> list[list[int]]:
        """Submissions of several students whose files are the same but for names, comments and order."""
        several = [g for g in self.wholes.values() if len({self.who[n][1] for n in g}) > 1]
        return sorted(several, key=len, reverse=True)

    def pairs(self) -> list[Pair]:
        """What else two students share beyond chance, the most first."""
        within = {number: k for k, group in enumerate(self.groups()) for number in group}
        bits: Counter[tuple[int, int]] = Counter()
        shared: dict[tuple[int, int], list[str]] = {}
        everybody = max(2, len(self.who))
        for key, (own, words) in self.told.items():
            holders = self.holders[key] or []
            weight = own or math.log2(everybody / len(holders))
            for pair in combinations(holders, 2):
                a, b = pair
                if self.who[a][1] != self.who[b][1] and (a not in within or within[a] != within.get(b)):
                    bits[pair] += weight  # type: ignore[assignment]
                    shared.setdefault(pair, []).append(words)
        least = math.log2(everybody * everybody / 2) + SPARE
        found = [Pair(*pair, n, tuple(shared[pair])) for pair, n in bits.items() if n >= least]
        return sorted(found, key=lambda p: (-p.bits, p.first, p.second))


def _answers(result: Results) -> Iterator[tuple[str, float, str]]:
    """The wrong answers by their values: how far they are off, to four digits."""
    for exercise in result["exercises"]:
        for item in exercise["items"]:
            off = item["maxdiff"]
            if item["verdict"] == Verdict.WRONG and (off and not item["allclose"] or item["gave"]):
                value = f"{off:.3e} {item['relative'] or 0:.3e}" if off else item["gave"]
                yield (
                    f"{item['id']}={digest(value.encode())[:16]}",
                    0.0,
                    f"the same wrong answer to {text(item['id'])}",
                )


def verdicts(result: Results) -> dict[str, bool]:
    """By the name of each item whether it passed."""
    return {i["id"].rpartition(".")[2]: i["passed"] for e in result["exercises"] for i in e["items"]}


def render(index: Index, pairs: Sequence[Pair], texts: Mapping[int, str]) -> str:
    """texts: of the submissions that are shown."""
    sheets: list[tuple[list[int], tuple[str, ...], list[int]]] = []
    for group in index.groups()[:PAIRS]:
        words = ("the same but for names, comments and order",)
        sheets.append((group, words, group[:2]))
    sheets += [([p.first, p.second], p.shared, [p.first, p.second]) for p in pairs[:PAIRS]]
    return page(
        "similar.html",
        "What submissions share",
        f"{len(index.who)} compared, {len(index.left_out)} not; {len(sheets)} groups and pairs shown",
        no_proof=NO_PROOF,
        left_out=[text(name) for name in index.left_out[:PAIRS]],
        sheets=[
            {
                "who": [text(index.who[n][0], 200) for n in members[:20]],
                "more": max(0, len(members) - 20),
                "shared": list(Counter(words).items())[:12],
                "sides": [(text(index.who[n][0], 200), _lines(texts, n, sides)) for n in sides],
            }
            for members, words, sides in sheets
        ],
    )


def _lines(texts: Mapping[int, str], number: int, sides: Sequence[int]) -> list[tuple[int, str, bool]]:
    """Lines with their numbers, and whether another of the sides has the same."""
    others = {line.strip() for n in sides if n != number for line in texts.get(n, "").split("\n")} - {""}
    own = texts.get(number, "").split("\n")[:LINES]
    return [
        (k, text(line.replace("\t", "    "), WIDTH), line.strip() in others) for k, line in enumerate(own, 1)
    ]
