"""What a learner holds against autograd's gradients, as cmp('probs', dprobs, probs) does. Pure.

Any call with a label, a gradient and a tensor counts, and less than it what is held against x.grad elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.core import parsing
from grader.submissions.flat.reads_writes import walk

WORDS = re.compile(r"cmp|compar|check")
HOLDING = frozenset((ast.Call, ast.Tuple, ast.List, ast.BinOp, ast.Compare))
THROUGH = ("T", "mT", "data", "grad")
ASIDE, LOOSE, TOLD = range(3)


@dataclass(frozen=True)
class Compared:
    """A gradient held against a tensor's, by their names. weight: ASIDE in comments, LOOSE with no label."""

    label: str
    gradient: str
    tensor: str
    line: int
    weight: int


def compared(nodes: Iterable[ast.AST]) -> Iterator[Compared]:
    """All that is compared anywhere in some statements."""
    for part in (p for node in nodes for p in walk(node) if type(p) in HOLDING):
        label, both = "", list[ast.expr]()
        if isinstance(part, ast.Call):
            label, both = _arguments([*part.args, *(k.value for k in part.keywords)])
            name = getattr(part.func, "attr", getattr(part.func, "id", ""))
            if name == "print" or not (label or WORDS.search(name) or any(map(_of_autograd, both))):
                continue
        elif isinstance(part, ast.Tuple | ast.List) and len(part.elts) == 3:
            label, both = _arguments(part.elts)
            both = both if label else []
        elif isinstance(part, ast.Compare) or isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub):
            right = part.right if isinstance(part, ast.BinOp) else part.comparators[0]
            both = [part.left, right] if _of_autograd(part.left) or _of_autograd(right) else []
        if len(both) < 2:
            continue
        gradient, tensor = map(_name, both[::-1] if _of_autograd(both[0]) else both)
        if gradient and tensor:
            yield Compared(label, gradient, tensor, getattr(part, "lineno", 1), TOLD if label else LOOSE)


def told_aside(lines: Sequence[str], lost: Iterable[int]) -> Iterator[Compared]:
    """What is compared in comments, and on lines that are lost to a syntax error."""
    lost = frozenset(lost)
    for number, line in enumerate(lines, 1):
        if "cmp(" not in line or (comment := number not in lost) and "#" not in line:
            continue
        begin = line.find("cmp(", line.find("#") if comment else 0)
        try:
            tree = parsing.module(line[begin : line.rfind(")") + 1] if begin >= 0 else "")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for one in compared([tree]):
            yield replace(one, line=number, weight=ASIDE if comment else one.weight)


def _arguments(values: Sequence[ast.expr]) -> tuple[str, list[ast.expr]]:
    """The label among some arguments, and the first two of the others."""
    texts = [v for v in values if isinstance(v, ast.JoinedStr) or isinstance(getattr(v, "value", None), str)]
    label = str(getattr(texts[0], "value", "?")) if texts else ""
    return label, [v for v in values if v not in texts][:2]


def _of_autograd(node: ast.expr) -> bool:
    """Whether it is x.grad, or what a method of it gives."""
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Attribute) and node.attr == "grad":
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    return False


def _name(node: ast.expr) -> str:
    """x of x, x.T, x.view(…), x.grad; empty for anything else."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            node = node.func.value
        elif isinstance(node, ast.Attribute) and node.attr in THROUGH:
            node = node.value
        else:
            return ""
    return node.id


def held_against(one: Compared, known: Mapping[str, str]) -> tuple[str, str]:
    """The tensor whose gradient is meant, and what is held against it: what it is compared with, unless the
    label and the gradient's own name say another. Empty where neither is known.

    known: what tensors are called, theirs -> ours.
    """
    gradient, third = one.gradient, one.tensor
    if gradient in known and third not in known:  # a list's order is the learner's own
        gradient, third = third, gradient
    for word in re.findall(r"\w+", one.label):
        for plain in (word, re.sub(r"^d_?|_?grad$|^grad_", "", word)):
            said = plain in known and _about(gradient, plain) and not _about(gradient, third)
            if said or plain in known and third not in known:
                return known[plain], gradient
    return known.get(third, ""), gradient


def _about(gradient: str, tensor: str) -> bool:
    """Whether a gradient's name has a tensor's in it, as a word: pre_grad, dpre."""
    return re.search(rf"(?:^|_|^d){re.escape(tensor)}(?:_|$)", gradient) is not None
