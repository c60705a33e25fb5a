"""A learner's source as a syntax tree, in a process with threads."""

from __future__ import annotations

import ast
import threading

_ONE = threading.Lock()


def tree(source: bytes) -> ast.Module:
    """ast.parse, by one thread at a time.

    Before 3.13 CPython counts the depth of all trees under construction together: where the garbage
    collector lets another thread in, a good source gets a SystemError. SyntaxError, ValueError,
    RecursionError and MemoryError as of ast.parse.
    """
    with _ONE:
        return ast.parse(source)


def reached(source: bytes, name: str) -> set[str]:
    """The functions and classes of a file that one of them calls, or what these call; none of no Python."""
    try:
        definitions = {n.name: n for n in tree(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    todo = [name]
    while todo:
        node = definitions.get(todo.pop())
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node else set()
        new = (names & definitions.keys()) - found
        found |= new
        todo += new
    return found - {name}
