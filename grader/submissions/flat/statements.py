"""Flat code's text -> its statements, each with what it reads and writes, and the exercise it belongs to.

Runs nothing of a submission. Untrusted side.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from grader.core import parsing
from grader.submissions.flat import reads_writes
from grader.submissions.flat.blocks import opened, run_in_place, unclassed
from grader.submissions.flat.compared import Compared, compared, told_aside
from grader.submissions.flat.effects import analyse
from grader.submissions.flat.rewriting import Kept, OfAutograd, WithoutGrad, copies_grad, quieten
from grader.submissions.flat.terms import SAME

CELL = re.compile(r"# ?%%|# In\[[\d ]*\]:?|# \+(?: |$)|# -$")  # the last two as jupytext writes them
OF_NOTEBOOK = re.compile(r"# %% cell \d+$")  # as submissions/script.py writes it; others may stand in strings
KEPT = re.compile(
    r"""\[['"]\w+['"]\] *=[^=]|^[^\S\n]*\w+\.(?!requires_grad|data|grad *= *None)\w+ *=[^=]""", re.MULTILINE
)
LIKE, GRAD, OF_GRAD = re.compile(r"_like\b"), re.compile(r"\.grad\b"), re.compile(r"\.grad\s*\.")
DRAWS = re.compile(
    r"^(?:rand|normal|multinomial|open$|load|read|kaiming|xavier|Parameter$|Linear$|Embedding$)"
)
PADDED = 3000  # lines


@dataclass
class Statement:
    """One top-level statement and its effect; those of `with` blocks and training loops stand singly."""

    node: ast.stmt
    effect: reads_writes.Effect
    section: int = 1

    @cached_property
    def placeholder(self) -> bool:
        """`dlogits = None  # TODO`, also of several at once."""
        if not isinstance(self.node, ast.Assign):
            return False
        value = self.node.value
        value = value.left if isinstance(value, ast.BinOp) else value  # [None] * 7
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        return bool(values) and all(isinstance(v, ast.Constant) and v.value in (None, ...) for v in values)

    @cached_property
    def grads(self) -> list[tuple[str, int]]:
        """Each `x.grad` that it reads, and its line."""
        return copies_grad(self.node)

    @cached_property
    def draws(self) -> bool:
        """Whether it draws numbers, or reads a file: its value is the learner's own."""
        calls = (c.func for c in reads_writes.walk(self.node) if isinstance(c, ast.Call))
        return any(DRAWS.search(getattr(f, "attr", getattr(f, "id", ""))) for f in calls)

    @cached_property
    def copy(self) -> bool:
        """`dhpreact = hpreact.grad.clone()`"""
        if not isinstance(self.node, ast.Assign) or not isinstance(self.node.targets[0], ast.Name):
            return False
        value = self.node.value
        while isinstance(value, ast.Call | ast.Attribute):
            if isinstance(value, ast.Attribute) and value.attr not in (*SAME, "grad", "data", "detach", "to"):
                return False
            value = value.func if isinstance(value, ast.Call) else value.value
        whole = (
            isinstance(value, ast.Name) or isinstance(value, ast.Subscript) and value is not self.node.value
        )
        return bool(self.grads) and whole


@dataclass(frozen=True)
class Broken:
    """A cell that doesn't parse: why, the line of the error, and the text from there on, which is lost."""

    message: str
    line: int
    lost: str


@dataclass
class Code:
    """Flat code taken apart: its text, its statements, and its cells that don't parse."""

    text: str
    statements: list[Statement] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)  # gradients in a dictionary: dprobs -> grads['probs']
    compared: list[Compared] = field(default_factory=list)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")


def parse(text: str) -> Code:
    """Every statement of every cell that parses; of one that doesn't, those before the error."""
    code = Code(text)
    found: list[ast.stmt] = []
    for start, lines in _cells(code):
        if not any(lines):
            continue
        shift = min(
            (len(s) - len(s.lstrip()) for s in lines if s.strip() and s.lstrip()[0] != "#"), default=0
        )
        body = _parsed([line[shift:] if not line[:shift].strip() else line for line in lines], start, code)
        if any(".grad" in line for line in lines):
            grad = WithoutGrad()
            form = {n for n, line in enumerate(lines, start + 1) if _form_of_grad(line)}
            own = (range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in body)
            body = [n if form.isdisjoint(o) else grad.visit(n) for n, o in zip(body, own, strict=True)]
        found += body
    if KEPT.search(text) and (kept := Kept.of(found, ".backward(" in text)):
        code.kept = kept
        found = [Kept(kept).visit(node) for node in found]
    if "self" in text:
        found = unclassed(found)
    lost = (range(b.line - 1, b.line + b.lost.count("\n") + 1) for b in code.broken)
    code.compared = [*compared(found), *told_aside(code.lines, (n for r in lost for n in r))]
    found = run_in_place([inner for node in found for inner in opened(node)])
    if ".grad" in text or "cmp" in text:
        quieten(found)
    if ".grad" in text:
        of_autograd = {n for n, line in enumerate(code.lines, 1) if ".grad" in line}
        spans = (range(n.lineno, (n.end_lineno or n.lineno) + 1) for n in found)
        found = [
            n if of_autograd.isdisjoint(s) else OfAutograd().visit(n)
            for n, s in zip(found, spans, strict=True)
        ]
    code.statements = analyse(found, Statement)
    return code


def _form_of_grad(line: str) -> bool:
    """Whether a line asks a .grad for no more than its shape and the like."""
    like = LIKE.search(line)
    return bool(like and GRAD.search(line, like.end()) or OF_GRAD.search(line))


def _cells(code: Code) -> Iterable[tuple[int, list[str]]]:
    """Each cell: how many lines stand before it, and its lines."""
    start, lines = 0, list[str]()
    marker = OF_NOTEBOOK if OF_NOTEBOOK.match(code.lines[0]) else CELL
    for number, line in enumerate(code.lines):
        if marker.match(line) and lines:
            yield start, lines
            start, lines = number, []
        lines.append(line)
    yield start, lines


def _parsed(lines: list[str], start: int, code: Code) -> list[ast.stmt]:
    whole, told, body = lines, ("", 0), list[ast.stmt]()
    pad = start if start < PADDED else 0  # empty lines are the quick way to the right line numbers, for few
    while lines:
        try:
            tree = parsing.module("\n" * pad + "\n".join(lines))
            body = (tree if pad == start else ast.increment_lineno(tree, start)).body
            break
        except (ValueError, MemoryError, RecursionError) as error:
            told, lines = (f"can't be parsed ({error})", start + 1), []
        except SyntaxError as error:
            at = max(1, min((error.lineno or 1) - pad, len(lines)))
            told = told if told[1] else (str(error.msg), start + at)
            exact = "was never closed" in str(error.msg) and lines[at - 1][:1] not in (" ", "\t")
            lines = lines[: at - 1]
            # most else, a block without a body too, is told where it was noticed: give up its beginning
            while not exact and lines and (not lines[-1].strip() or lines[-1][0] in " \t)]}"):
                lines.pop()
    if told[1]:
        code.broken.append(Broken(*told, "\n".join(whole[len(lines) :])))
    return body
