"""One item of an authored file, and what is said where the file breaks a rule. Pure."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader.core.exercise import definition

Definition = ast.FunctionDef | ast.ClassDef


class AuthoredError(Exception):
    """An authored file breaks a rule of the format."""


@dataclass(frozen=True)
class Source:
    """An authored file, parsed. definitions: its functions and classes by name, in the file's order."""

    text: str
    filename: str
    tree: ast.Module
    definitions: Mapping[str, Definition]

    @classmethod
    def parsed(cls, text: str, filename: str) -> Source:
        """AuthoredError where it is no Python, or defines a name twice."""
        file = cls(text, filename, parsed(text, filename), found := {})
        for node in file.tree.body:
            if isinstance(node, Definition):
                if node.name in found:
                    raise file.error(f"{node.name} is defined twice", node)
                found[node.name] = node
        return file

    def error(self, said: str, node: ast.stmt | None = None) -> AuthoredError:
        return AuthoredError(f"{self.filename}{f', line {node.lineno}' if node else ''}: {said}")

    def lines(self, node: ast.stmt) -> str:
        """A statement's whole lines."""
        return "\n".join(self.text.splitlines()[node.lineno - 1 : node.end_lineno])

    def code(self, node: ast.stmt) -> str:
        """A statement as it is written (ast.get_source_segment cuts the whole source into lines for each)."""
        rows = [row.encode() for row in self.text.splitlines()[node.lineno - 1 : node.end_lineno]]
        rows[-1] = rows[-1][: node.end_col_offset]
        rows[0] = rows[0][node.col_offset :]
        return b"\n".join(rows).decode()

    def assignment(self, name: str) -> ast.Assign | None:
        """The file's first `name = ...`."""
        return next((n for n in self.tree.body if isinstance(n, ast.Assign) and assigns(n, name)), None)

    def literal(self, name: str, default: Any) -> Any:
        """What a name is assigned, of plain data; the default where it isn't."""
        node = self.assignment(name)
        try:
            return ast.literal_eval(node.value) if node else default
        except ValueError:
            raise self.error(f"{name} holds plain texts only", node) from None


def parsed(text: str, filename: str) -> ast.Module:
    """ast.parse, whose SyntaxError is an AuthoredError."""
    try:
        return ast.parse(text, filename)
    except SyntaxError as error:
        raise AuthoredError(f"{filename}, line {error.lineno}: {error.msg}") from None


@dataclass(frozen=True)
class Item:
    """One graded item, as the author wrote it: a gradient, the function d<tensor>, or an output.

    Of an output alone: compare, "exact" or "approximate"; asks, the functions and classes of the learner's
    file that it needs; driver, the function that calls them; receives, the results that it takes from
    items before it; uses, the items whose functions its own calls; about, the definition that it judges, or
    the method, as Value.tanh. Its tensor is called as itself.
    """

    name: str
    tensor: str
    params: tuple[str, ...]
    doc: str
    source: str
    header: str  # the signature and the docstring
    line: int
    compare: str = ""
    asks: tuple[str, ...] = ()
    driver: str = ""
    receives: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    about: str = ""

    @property
    def judged(self) -> str:
        return definition(self.about)


def assigns(node: ast.stmt, name: str) -> bool:
    """Whether a statement is `name = ...`."""
    return isinstance(node, ast.Assign) and [ast.unparse(t) for t in node.targets] == [name]
