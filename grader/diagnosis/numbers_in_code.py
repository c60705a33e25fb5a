"""Numbers in a learner's function that are sizes of the lecture. Pure: the source is read, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from grader.core.finding import Code, Finding
from grader.core.text import listed
from grader.diagnosis import syntax


def hard_coded(source: bytes, name: str, sizes: Mapping[str, Any]) -> Finding | None:
    """What to say of an item that is right at the lecture's sizes alone; None where no number shows why.

    sizes: the lecture's, by name.
    """
    tree, function = _read(source, name)
    if function is None:
        return None
    meanings = _meanings(sizes)
    read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    constants = [
        n.value
        for n in tree.body
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id in read for t in n.targets)
    ]
    places = [number for n in ast.walk(function) if isinstance(n, ast.Slice) for number in _numbers(n)]
    two = next((k for k, v in sizes.items() if v == 2), "")
    found = {text: two for number, text in places if two and number == 2}  # which elsewhere may be a mere 2
    for node in [*constants, function]:
        for number, text in _numbers(node):
            if number in meanings:
                found[text] = meanings[number]
    if not found:
        return None
    verb = "is" if len(found) == 1 else "are"
    said = f"{listed(found)} {verb} written where {listed(found.values())} {verb} meant"
    return Finding(Code.HARD_CODED, said)


def words(source: bytes, name: str) -> tuple[frozenset[str], frozenset[float]] | None:
    """The names whose values a function works with, not their shapes alone, and its numbers.

    None where there is no such function, or where more can be at work than it names.
    """
    _, function = _read(source, name)
    if function is None:
        return None
    names = frozenset(valued(function))
    return None if names & MORE else (names, frozenset(number for number, _ in _numbers(function)))


def _read(source: bytes, name: str) -> tuple[ast.Module, ast.FunctionDef | None]:
    """The file's tree and its last function of a name, the one that counts; None where there is none."""
    tree = syntax.tree(source)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return tree, functions[-1] if functions else None


LARGE = 1 << 53  # no size of a tensor's
MORE = frozenset(("locals", "globals", "vars", "eval", "exec"))
SHAPE_ALONE = frozenset(("shape", "size", "ndim", "dim", "numel", "dtype", "device", "new_zeros", "new_ones"))
OF_SHAPE = frozenset(("len", "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like"))


def valued(node: ast.AST) -> Iterator[str]:
    """The names in a piece of source of which more is used than the shape."""
    todo = [node]  # no recursion: a learner's sum may have a thousand terms
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        if isinstance(node, ast.Attribute) and node.attr in SHAPE_ALONE and isinstance(node.value, ast.Name):
            continue
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in OF_SHAPE and node.args and isinstance(node.args[0], ast.Name):
                children.remove(node.args[0])
        todo += children


def _meanings(sizes: Mapping[str, Any]) -> dict[float, str]:
    named = {k: v for k, v in sizes.items() if isinstance(v, int) and v > 2}
    products = {f"{a} * {b}": named[a] * named[b] for a in named for b in named if a <= b}
    known: dict[float, str] = {v: k for k, v in products.items()}
    if "n" in named:
        known[named["n"] - 1] = "n - 1"
    known |= {v: k for k, v in named.items()}
    return {**{1.0 / v: f"1/({k})" if " " in k else f"1/{k}" for v, k in known.items()}, **known}


def _numbers(node: ast.AST) -> Iterator[tuple[float, str]]:
    """Every number in a piece of source that may be a size: no exponent, and no plain index."""
    todo = [node]
    while todo:
        node = todo.pop()
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and value < LARGE:
            yield float(value), str(value)
        skipped: list[ast.AST] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            skipped = [node.right]
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.UnaryOp):
            skipped = [node.slice]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "pow":
            skipped = list(node.args[-1:])
        todo += reversed([child for child in ast.iter_child_nodes(node) if child not in skipped])
