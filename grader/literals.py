"""Numbers in a learner's function that are sizes of the lecture. Pure: the source is read, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def hard_coded(source: bytes, name: str, sizes: Mapping[str, Any]) -> str | None:
    """What to say of an item that is right at the lecture's sizes alone; None where no number shows why.

    sizes: the lecture's, by name.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    if not functions:
        return None
    meanings = _meanings(sizes)
    read = {n.id for n in ast.walk(functions[-1]) if isinstance(n, ast.Name)}
    constants = [
        n.value
        for n in tree.body
        if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id in read for t in n.targets)
    ]
    found = {}
    for node in [*constants, functions[-1]]:
        for number, text in _numbers(node):
            if number in meanings:
                found[text] = meanings[number]
    if not found:
        return None
    verb = "is" if len(found) == 1 else "are"
    return f"{_list(found)} {verb} written where {_list(found.values())} {verb} meant"


def _list(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _meanings(sizes: Mapping[str, Any]) -> dict[float, str]:
    named = {k: v for k, v in sizes.items() if isinstance(v, int) and v > 2}
    products = {f"{a} * {b}": named[a] * named[b] for a in named for b in named if a < b}
    known: dict[float, str] = {v: k for k, v in products.items()}
    if "n" in named:
        known[named["n"] - 1] = "n - 1"
    known |= {v: k for k, v in named.items()}
    return {**{1.0 / v: f"1/({k})" if " " in k else f"1/{k}" for v, k in known.items()}, **known}


def _numbers(node: ast.AST) -> Iterator[tuple[float, str]]:
    """Every number in a piece of source that may be a size: no exponent, and no plain index."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield float(str(node.value)), str(node.value)
    skipped: list[ast.AST] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        skipped = [node.right]
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant | ast.UnaryOp):
        skipped = [node.slice]
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "pow":
        skipped = list(node.args[-1:])
    for child in ast.iter_child_nodes(node):
        if child not in skipped:
            yield from _numbers(child)
