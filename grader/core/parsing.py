"""A source as Python reads it: its encoding, and ast.parse in a process with threads."""

from __future__ import annotations

import ast
import threading

_ONE = threading.Lock()


def encoding(source: bytes) -> str:
    """By its coding line, if it has one; SyntaxError where that is wrong."""
    if b"coding" not in source[:400]:  # so that the tokenizer is mostly left alone
        return "utf-8-sig"
    import io
    import tokenize

    return tokenize.detect_encoding(io.BytesIO(source).readline)[0]


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
