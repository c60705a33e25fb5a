"""An expression as a term, one for what Python and torch have several ways to write; terms matched. Pure.

A term is a name, or a tuple of a head and what it holds. Sums and products are flat, whatever their order:
a - b is a sum, a / b a product with a power.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.core.course import SIZES

Term = str | tuple[Any, ...]

DEEPEST = 12  # definitions and lines put in for names, in one another
MOST = 50_000  # matches tried for one exercise
WIDEST = 6  # terms of a sum or product, whose orders are tried
MODULES = ("torch", "F", "np", "math", "torch.nn.functional")
POWERS = {"square": 2, "sqrt": 0.5, "rsqrt": -0.5, "reciprocal": -1}
REDUCTIONS = ("sum", "mean", "var", "max", "amax")
VIEWS = ("view", "reshape", "flatten")
SAME = ("clone", "contiguous", "float")
OPERATORS: dict[str, Callable[[Term, Term], Term]] = {
    "Add": lambda a, b: _joined("+", (a, b)),
    "Sub": lambda a, b: _joined("+", (a, _joined("*", (_const(-1), b)))),
    "Mult": lambda a, b: _joined("*", (a, b)),
    "Div": lambda a, b: _joined("*", (a, _power(b, -1))),
    "Pow": lambda a, b: _power(a, b[1]) if b[0] == "const" else ("pow", a, b),
    "MatMult": lambda a, b: ("@", a, b),
}
FUNCTIONS = {"add": "Add", "sub": "Sub", "subtract": "Sub", "mul": "Mult", "multiply": "Mult", "div": "Div",
             "divide": "Div", "pow": "Pow", "matmul": "MatMult", "mm": "MatMult"}  # fmt: skip


def term(node: ast.AST) -> Term:
    """The term of an expression."""
    if isinstance(node, ast.Name):
        return SIZES.get(node.id, node.id)
    if isinstance(node, ast.Constant):
        return _const(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = term(node.operand)
        return _const(-1 * inner[1]) if _is_number(inner) else _joined("*", (_const(-1), inner))
    if isinstance(node, ast.BinOp) and (make := OPERATORS.get(type(node.op).__name__)):
        return make(term(node.left), term(node.right))
    if isinstance(node, ast.Call):
        return _call(node)
    if isinstance(node, ast.Attribute):
        value = term(node.value)
        return value if value[0] == "amax" and node.attr == "values" else (node.attr, value)
    if isinstance(node, ast.Subscript):
        value, index = term(node.value), term(node.slice)
        if value[0] in ("amax", "shape") and index == _const(0):  # of values and indices, the values
            return value if value[0] == "amax" else ("len", value[1])
        return ("index", value, index)
    return (type(node).__name__, *map(term, ast.iter_child_nodes(node)))


def _const(value: Any) -> Term:
    return ("const", value)


def _is_number(one: Term) -> bool:
    return one[0] == "const" and type(one[1]) in (int, float)


def _joined(head: str, parts: Sequence[Term]) -> Term:
    """A sum or a product, its inner ones flat; a product's numbers are one, left out where that is 1."""
    flat = [p for part in parts for p in (part[1:] if part[0] == head else (part,))]
    if head == "*":
        number: Any = 1
        for p in flat:
            number *= p[1] if _is_number(p) else 1
        flat = ([] if number == 1 else [_const(number)]) + [p for p in flat if not _is_number(p)]
    return flat[0] if len(flat) == 1 else (head, *flat) if flat else _const(1)


def _power(base: Term, exponent: Any) -> Term:
    if base[0] == "**" and type(exponent) in (int, float):
        base, exponent = base[1], base[2] * exponent
    return base if exponent == 1 else ("**", base, exponent)


def _call(node: ast.Call) -> Term:
    func, arguments = node.func, [term(a) for a in node.args]
    keywords = {k.arg: term(k.value) for k in node.keywords}
    if isinstance(func, ast.Attribute):
        name = func.attr
        if ast.unparse(func.value) not in MODULES:
            arguments = [term(func.value), *arguments]
    else:
        name = getattr(func, "id", "")
    first = arguments[0] if arguments else _const(None)
    if name in FUNCTIONS and len(arguments) == 2:
        return OPERATORS[FUNCTIONS[name]](*arguments)
    if name in POWERS and len(arguments) == 1:
        return _power(first, POWERS[name])
    if name in REDUCTIONS and arguments:
        return _reduced(name, arguments, keywords)
    if name == "embedding" and len(arguments) == 2:
        return ("index", arguments[1], first)
    if name == "size" and arguments[1:] == [_const(0)]:
        return ("len", first)
    if name in VIEWS and arguments:
        return ("view", first)
    if name in SAME and len(arguments) == 1:
        return first
    name = "range" if name == "arange" else name
    return (name, *arguments, *((k, v) for k, v in sorted(keywords.items(), key=str)))


def _reduced(name: str, arguments: list[Term], keywords: dict[str | None, Term]) -> Term:
    """A sum and the like over a dimension. A mean over the batch is a sum divided by n, and a variance one
    of squares by n - 1."""
    x, *rest = arguments
    names = {"dim": "dim", "axis": "dim", "keepdim": "keepdim", "keepdims": "keepdim"}
    told = dict(zip(("dim", "keepdim"), rest, strict=False)) | {
        names.get(str(k), str(k)): v for k, v in keywords.items()
    }
    dim, keep = told.pop("dim", None), told.pop("keepdim", _const(False))
    if name == "var" and told in ({"unbiased": _const(True)}, {"correction": _const(1)}):
        told = {}
    if dim is None or told:
        return (name, *arguments, *((k, v) for k, v in sorted(keywords.items(), key=str)))
    if dim == _const(0) and name in ("mean", "var"):
        mean = _joined("*", (_power("n", -1), ("sum", x, dim, keep)))
        if name == "mean":
            return mean
        square = _power(_joined("+", (x, _joined("*", (_const(-1), mean)))), 2)
        return _joined("*", (_power(_joined("+", ("n", _const(-1))), -1), ("sum", square, dim, keep)))
    return ("amax" if name == "max" else name, x, dim, keep)


def names_of(one: Term) -> list[str]:
    """The names in a term, in their order."""
    if isinstance(one, str):
        return [one]
    parts = () if one[0] == "const" else one[1:]
    return [name for part in parts if isinstance(part, str | tuple) for name in names_of(part)]


@dataclass(frozen=True)
class Matcher:
    """Whether a learner's term is one of ours but for names.

    lines, definitions: what may be put in for a name of ours, and of theirs. free: whether their name may
    mean ours. batch: tensors of ours whose length is n. sizes: by name, the lecture's.
    """

    lines: Mapping[str, Term]
    definitions: Mapping[str, Term]
    free: Callable[[str, str], bool]
    batch: frozenset[str]
    sizes: Mapping[str, int]
    table: dict[str, str] = field(default_factory=dict)  # theirs -> ours; grows with each match
    tried: list[None] = field(default_factory=list)

    def match(self, theirs: Term, ours: Term, depth: int = 0) -> bool:
        """Leaves the table as it was, where they don't match."""
        kept = dict(self.table)
        if self._match(theirs, ours, depth):
            return True
        self.table.clear()
        self.table.update(kept)
        return False

    def _match(self, theirs: Term, ours: Term, depth: int) -> bool:
        self.tried.append(None)
        if depth > DEEPEST or len(self.tried) > MOST:
            return False
        if isinstance(theirs, str) and isinstance(ours, str):
            if self.table.get(theirs, theirs) == ours:
                return True
            if theirs not in self.table and ours not in self.table.values() and self.free(theirs, ours):
                self.table[theirs] = ours
                return True
        if theirs[0] == "len" and ours == "n" and isinstance(theirs, tuple):
            return self.table.get(theirs[1], theirs[1]) in self.batch
        if isinstance(ours, str) and theirs == ("const", self.sizes.get(ours)):
            return True
        if isinstance(ours, str) and isinstance(theirs, tuple):  # several of our lines in one
            return ours in self.lines and self.match(theirs, self.lines[ours], depth + 1)
        if isinstance(theirs, str):  # one of ours in several
            return theirs in self.definitions and self.match(self.definitions[theirs], ours, depth + 1)
        if theirs[0] == ours[0] in ("+", "*"):
            return self._in_any_order(theirs[0], list(theirs[1:]), list(ours[1:]), depth)
        if theirs[0] == ours[0] == "const" or not isinstance(ours, tuple):
            return theirs == ours
        if len(theirs) != len(ours) or theirs[0] != ours[0]:
            return False
        return all(
            self.match(a, b, depth) if isinstance(b, str | tuple) and isinstance(a, str | tuple) else a == b
            for a, b in zip(theirs[1:], ours[1:], strict=True)
        )

    def _in_any_order(self, head: str, theirs: list[Term], ours: list[Term], depth: int) -> bool:
        if not (theirs and ours) or max(len(theirs), len(ours)) > WIDEST:
            return not theirs and not ours
        kept = dict(self.table)
        for k, one in enumerate(theirs):
            rest = theirs[:k] + theirs[k + 1 :]
            if self.match(one, ours[0], depth + 1) and self._in_any_order(head, rest, ours[1:], depth):
                return True
            self.table.clear()
            self.table.update(kept)
        if depth < DEEPEST and len(theirs) > len(ours):
            return any(
                self._in_any_order(head, theirs, o, depth + 1) for o in _opened(ours, head, self.lines)
            )
        if depth < DEEPEST and len(theirs) < len(ours):
            more = _opened(theirs, head, self.definitions)
            return any(self._in_any_order(head, t, ours, depth + 1) for t in more)
        return False


def _opened(terms: list[Term], head: str, known: Mapping[str, Term]) -> Iterator[list[Term]]:
    """Those terms, one name among them replaced by what it is a sum, or a product, of."""
    for k, one in enumerate(terms):
        if isinstance(one, str) and (inner := known.get(one, one))[0] == head:
            yield [*terms[:k], *inner[1:], *terms[k + 1 :]]
