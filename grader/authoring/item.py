"""One item of an authored file, and what is said where the file breaks a rule. Pure."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from grader.core.exercise import definition

Definition = ast.FunctionDef | ast.ClassDef


class AuthoredError(Exception):
    """An authored file breaks a rule of the format."""


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
