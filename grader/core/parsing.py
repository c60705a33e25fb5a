"""ast.parse in a process with threads."""

from __future__ import annotations

import ast
import threading

_ONE = threading.Lock()


def module(source: str | bytes) -> ast.Module:
    """ast.parse, by one thread at a time, with its errors.

    Before 3.13 CPython counts the depth of all trees under construction together: where the garbage
    collector lets another thread in, a good source gets a SystemError.
    """
    with _ONE:
        return ast.parse(source)


def expression(source: str) -> ast.expr:
    """The same of one expression."""
    with _ONE:
        return ast.parse(source, mode="eval").body
