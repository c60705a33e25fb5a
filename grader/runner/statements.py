"""Flat code's text -> its statements, each with what it reads and writes, and the exercise it belongs to.

Runs nothing of a submission. Untrusted side.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from grader.runner import names

CELL = re.compile(r"# (?:%%|In\[[\d ]*\]:?)")
CELL = re.compile(r"# (?:%%|In\[[\d ]*\]:?)")
OF_NOTEBOOK = re.compile(r"# %% cell \d+$")  # as submissions/flat.py writes it; others may stand in strings
TITLE = re.compile(r"[\s#*_>-]*#[\s#*_>-]*exercise\s*#?\s*(\d)", re.IGNORECASE)
FORM_OF_GRAD = re.compile(r"_like\b.*\.grad\b|\.grad\s*\.")
PADDED = 3000  # lines


@dataclass
class Statement:
    """One top-level statement and its effect; those of `with` blocks and training loops stand singly."""

    node: ast.stmt
    effect: names.Effect
    section: int = 1

    @cached_property
    def placeholder(self) -> bool:
        """`dlogits = None  # TODO`, also of several at once."""
        if not isinstance(self.node, ast.Assign):
            return False
        value = self.node.value
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        return bool(values) and all(isinstance(v, ast.Constant) and v.value in (None, ...) for v in values)

    @cached_property
    def grad(self) -> tuple[str, int] | None:
        """`x.grad` and its line, if it reads one."""
        return copies_grad(self.node)

    @cached_property
    def copy(self) -> bool:
        """`dhpreact = hpreact.grad`"""
        node = self.node
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Attribute | ast.Call):
            return False
        return self.grad is not None


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
            body = [grad.visit(node) if _says_grad(node, lines, start) else node for node in body]
        for node in body:
            found += _opened(node)
    code.statements = names.analyse(found, Statement)
    return code


def _says_grad(node: ast.stmt, lines: Sequence[str], start: int) -> bool:
    own = lines[node.lineno - start - 1 : (node.end_lineno or node.lineno) - start]
    return any(FORM_OF_GRAD.search(line) for line in own)


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
            tree = ast.parse("\n" * pad + "\n".join(lines))
            body = (tree if pad == start else ast.increment_lineno(tree, start)).body
            break
        except (ValueError, MemoryError, RecursionError) as error:
            told, lines = (f"can't be parsed ({error})", start + 1), []
        except SyntaxError as error:
            at = max(1, min((error.lineno or 1) - pad, len(lines)))
            told = told if told[1] else (str(error.msg), start + at)
            lines = lines[: at - 1]
            # an unclosed bracket or block is told where it was noticed: give up its beginning too
            while lines and (not lines[-1].strip() or lines[-1][0] in " \t)]}"):
                lines.pop()
    if told[1]:
        code.broken.append(Broken(*told, "\n".join(whole[len(lines) :])))
    return body


def _opened(node: ast.stmt) -> list[ast.stmt]:
    """A `with` block's statements, and those of a loop that makes gradients: a training loop."""
    if isinstance(node, ast.With) and not any(i.optional_vars for i in node.items):
        return [inner for child in node.body for inner in _opened(child)]
    if isinstance(node, ast.For | ast.While) and _trains(node):
        return [inner for child in node.body for inner in _opened(child)]
    if isinstance(node, ast.If) and not node.orelse and (_always(node.test) or _trains(node)):
        return [inner for child in node.body for inner in _opened(child)]
    return [node]


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _trains(node: ast.For | ast.While | ast.If) -> bool:
    """Whether a block's own statements name several gradients anew."""
    stored = {
        n.id
        for child in names.walk(node)
        if isinstance(child, ast.Assign)
        for t in child.targets
        for n in names.walk(t)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return sum(bool(re.match(r"d[A-Za-z_]", n)) for n in stored) >= 4


# --- which statements belong to which exercise -----------------------------------------------------


def sections(code: Code, tensors: Sequence[str], several: bool) -> None:
    """Number the statements by the lecture's exercises: its headings, its own forward lines, or, where
    the learner has neither, a gradient's second making after the chain has come to its end.

    several: whether the file holds several; if not, all are of number 0."""
    if not several:
        for s in code.statements:
            s.section = 0
        return
    marks = {}
    for number, line in enumerate(code.lines, 1):
        title = "#" in line and TITLE.match(line)
        if title and title[1] in "1234":
            marks[number] = int(title[1])
    at, current, gradients, ended = 0, 1, False, False
    ordered = sorted(marks)
    made: set[str] = set()
    for s in code.statements:
        while at < len(ordered) and ordered[at] <= s.node.lineno:
            current = marks[ordered[at]]
            at += 1
        gradients = gradients or any(_is_gradient(w, tensors) for w in s.effect.written)
        if gradients or current > 1:
            current = max(current, _own_line(s.node))
        anew = s.effect.strong - s.effect.reads
        ended = ended or bool({"demb", "dC", "dembcat"} & s.effect.strong)
        if anew & {"dlogprobs", "dprobs"}:
            ended = False  # the chain, once more
        if ended and current < 2 and "dlogits" in anew & made and "dnorm_logits" not in s.effect.reads:
            current = 2
        if ended and current < 3 and "dhprebn" in anew & made and "dbndiff" not in s.effect.reads:
            current = 3
        if not s.placeholder:
            made |= s.effect.strong
        s.section = current


def _is_gradient(name: str, tensors: Sequence[str]) -> bool:
    return name[:1] == "d" and any(name.endswith(t) for t in tensors if name[1:] == t or len(t) > 2)


def _own_line(node: ast.stmt) -> int:
    """2 for the lecture's fused cross entropy, 3 for its fused batch norm, 4 for its new start; else 0."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return 0
    target = node.targets[0].id
    if target != "C" and not target.startswith(("loss", "h")):
        return 0
    code = ast.unparse(node.value)
    if target.startswith("loss") and "cross_entropy" in code:
        return 2
    if target.startswith("h") and ".mean(" in code and ".var(" in code:
        return 3
    if target == "C" and "randn" in code:
        return 4
    return 0


def copies_grad(node: ast.AST) -> tuple[str, int] | None:
    """`x.grad`, with its line, if something reads one."""
    for child in names.walk(node):
        if (
            isinstance(child, ast.Attribute)
            and child.attr == "grad"
            and isinstance(child.ctx, ast.Load)
            and isinstance(child.value, ast.Name)
        ):
            return f"{child.value.id}.grad", child.lineno
    return None


class WithoutGrad(ast.NodeTransformer):
    """Puts x for x.grad where only its form is wanted: torch.zeros_like(x.grad), x.grad.shape."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_like") and node.args:
            node.args[0] = _plain(node.args[0])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in ("shape", "size", "dtype", "device", "ndim"):
            node.value = _plain(node.value)
        return node


def _plain(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "grad" else node
