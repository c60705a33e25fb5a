"""The functions, classes and methods of a learner's file: where they are, what their stubs say. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass

from grader.core import parsing


@dataclass(frozen=True)
class Task:
    """A function or method to be written, of a stub: `Value.tanh(self)` and its docstring."""

    signature: str
    doc: str


def tasks(stub: str, about: str, without: Collection[str] = ()) -> list[Task]:
    """What a stub asks for under a name: a function; a class and one method of it, or each that has a task.

    without: methods, as Value.exp, that are left out of a class.
    """
    name, _, method = about.partition(".")
    definitions = (n for n in parsing.module(stub).body if isinstance(n, ast.FunctionDef | ast.ClassDef))
    node = next((n for n in definitions if n.name == name), None)
    if isinstance(node, ast.FunctionDef):
        return [_task(node, name)]
    if node is None:
        return []
    found = [n for n in node.body if isinstance(n, ast.FunctionDef) and ast.get_docstring(n)]
    asked = [n for n in found if (n.name == method if method else f"{name}.{n.name}" not in without)]
    return [Task(name, ast.get_docstring(node) or ""), *(_task(n, f"{name}.{n.name}") for n in asked)]


def _task(node: ast.FunctionDef, name: str) -> Task:
    return Task(f"{name}({ast.unparse(node.args)})", ast.get_docstring(node) or "")


def line_of(text: str, about: str) -> int | None:
    """The line of a function, class or method, in a file that Python need not be able to read."""
    name, _, method = about.partition(".")
    head = re.compile(rf"(?:async\s+)?(?:def|class)\s+{re.escape(name)}\b")
    inner = re.compile(rf"\s+(?:async\s+)?def\s+{re.escape(method)}\b")
    begun = None
    for number, line in enumerate(text.splitlines(), 1):
        if begun is None and head.match(line):
            begun = number
            if not method:
                return number
        elif begun is not None and inner.match(line):
            return number
        elif begun is not None and re.match(r"(?:async\s+)?(?:def|class)\s", line):
            break  # the next definition
    return begun
