"""A learner's source as a syntax tree, in a process with threads."""

from __future__ import annotations

import ast
import threading
from functools import lru_cache

from grader.core.limits import EXPLAINED

_ONE = threading.Lock()


@lru_cache(maxsize=2)  # its items are asked about one after another
def tree(source: bytes) -> ast.Module:
    """ast.parse, by one thread at a time; without a body where Python can't read it, or it is too much.

    Before 3.13 CPython counts the depth of all trees under construction together: where the garbage
    collector lets another thread in, a good source gets a SystemError.
    """
    if len(source) > EXPLAINED:
        return ast.Module([], [])
    try:
        with _ONE:
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def reached(source: bytes, name: str) -> set[str]:
    """The functions and classes of a file that one of them calls, or what these call; none of no Python."""
    definitions = {n.name: n for n in tree(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    found: set[str] = set()
    todo = [name]
    while todo:
        node = definitions.get(todo.pop())
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node else set()
        new = (names & definitions.keys()) - found
        found |= new
        todo += new
    return found - {name}
