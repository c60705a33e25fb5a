"""A learner's source as a syntax tree."""

from __future__ import annotations

import ast
from functools import lru_cache

from grader.core import parsing
from grader.core.limits import EXPLAINED

Definition = ast.FunctionDef | ast.ClassDef
OPERATORS: dict[type[ast.operator | ast.unaryop], str] = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.MatMult: "__matmul__",
    ast.Pow: "__pow__",
    ast.USub: "__neg__",
}


@lru_cache(maxsize=2)  # its items are asked about one after another
def tree(source: bytes) -> ast.Module:
    """A submission's statements; none where Python can't read it, or it is too much."""
    if len(source) > EXPLAINED:
        return ast.Module([], [])
    try:
        return parsing.module(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def definitions(source: bytes) -> dict[str, Definition]:
    """A file's functions and classes by name, the last of each, and methods as Value.tanh."""
    found: dict[str, Definition] = {}
    for node in tree(source).body:
        if isinstance(node, Definition):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{m.name}": m for m in node.body if isinstance(m, ast.FunctionDef)}
    return found


def read_only(source: bytes, about: str) -> frozenset[str] | None:
    """The parameters that a function or method, as Value.tanh, reads and does not lose;
    None where there is none."""
    node = definitions(source).get(about)
    if not isinstance(node, ast.FunctionDef):
        return None
    params = {a.arg for a in node.args.args}
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    lost = {
        target.id
        for n in ast.walk(node)
        if isinstance(n, ast.Assign)
        for target in n.targets
        if isinstance(target, ast.Name)
        and not any(isinstance(v, ast.Name) and v.id == target.id for v in ast.walk(n.value))
    }
    return frozenset(params & read - lost)
