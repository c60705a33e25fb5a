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
