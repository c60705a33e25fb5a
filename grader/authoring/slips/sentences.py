"""A mutant in words: the mistake of one who wrote it, and what he must have used to be told so."""

from __future__ import annotations

import ast
import builtins
import re
from functools import cached_property

from grader.authoring.slips.changes import local_gradient
from grader.authoring.slips.mutants import Mutant
from grader.authoring.slips.table import DROPPED, EXCHANGED, SAME, SLIPS
from grader.core.text import listed
from grader.diagnosis.diagnose import AS_IF
from grader.diagnosis.numbers_in_code import valued

CONTEXTS = {
    "an axis": "a dim is wrong: another axis is meant",
    "an index": "an index is off",
    "a size": "a size is off: that of another axis is meant",
    "a comparison": "a comparison is off: it holds where it is not meant to, or the reverse",
}
LANGUAGE = {"torch", "F", "math", "re", *dir(builtins)}


class Told:
    """A mutant as the table's sentences name its parts: what was dropped, its names and numbers, in words."""

    def __init__(self, m: Mutant) -> None:
        self.m, self.old, self.new, self.code = m, m.old, m.new, m.piece

    @cached_property
    def own(self) -> set[str]:
        """The author's own names in a function: what it assigns, be it in the piece that is gone."""
        function = ast.parse(self.m.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        params = {a.arg for a in function.args.args}
        nodes = [*ast.walk(function), *(n for code in (self.code, self.old) for n in _nodes(code))]
        return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - params

    def known(self, code: str) -> list[str]:
        """The names in a piece that the learner knows."""
        return [n for n in _names(code) if n not in self.own]

    def short(self, piece: str) -> str:
        """A piece by the names in it that the learner knows, where the whole of it would tell the formula."""
        if not _tells(piece):
            return "a part of it" if piece in self.own else piece
        names = _names(piece)
        if set(names) == {"n"}:
            return piece.replace("1.0", "1").replace(" / ", "/")
        known = self.known(piece)
        return f"the part with {listed(known)}" if known else "a part of it" if names else "a constant"

    @property
    def piece(self) -> str:
        return self.short(self.code)

    @property
    def number(self) -> str:
        """The piece, as 1 rather than 1.0."""
        return self.code.removesuffix(".0")

    @property
    def without(self) -> str:
        return self.short(self.new)

    @property
    def base(self) -> str:
        """What is raised to a power."""
        return self.short(self.old.rsplit("**", 1)[0].strip())

    @property
    def power(self) -> str:
        known = self.known(self.code)
        return f"the factor with {listed(known)}" if known else "a factor"

    @property
    def minus(self) -> str:
        return "a minus sign" if _tells(self.new) else f"the minus sign of {self.new}"

    @property
    def ones(self) -> str:
        return "ones are mixed up with zeros" if "ones_like" in self.old else "zeros and ones are mixed up"

    @property
    def branch(self) -> str:
        return "the step at the labels' cells" if self.at_labels else "one branch"

    @property
    def branches(self) -> str:
        return self.branch if self.at_labels else "one of the branches"

    @property
    def at_labels(self) -> bool:
        """Whether a step is taken at one cell of each row, by its label."""
        return "Yb" in self.old or "[range(" in self.old

    @property
    def labels(self) -> str:
        """The name of the labels in d[range(n), Yb]; nothing where they are more than a name."""
        labels = self.old.rpartition(", ")[2].rstrip("]")
        return "" if _tells(labels) else labels

    @property
    def columns(self) -> str:
        return f", [:, {self.labels}]" if self.labels else ""

    @property
    def by_column(self) -> str:
        if self.labels:
            return f"{self.labels} is used as row numbers: it holds each row's column, its label"
        return "the columns' numbers are used as those of rows"

    @property
    def divided(self) -> str:
        """What is done where a product with the piece is a division by it: of 1 / x, a multiplication."""
        node = ast.parse(self.code or "x", mode="eval").body
        if (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and isinstance(node.left, ast.Constant)
        ):
            by = self.short(ast.unparse(node.right))
            return f"there is a multiplication by {by} where a division is meant"
        return f"there is a division by {self.piece} where a multiplication is meant"

    @property
    def missing(self) -> str:
        """The missing piece by what it is, not by its formula."""
        whole = getattr(ast.parse(self.code or "x", mode="eval").body, "func", None)
        total = whole.value if isinstance(whole, ast.Attribute) and whole.attr == "sum" else None
        if isinstance(total, ast.Name) and total.id not in self.own and self.m.kind == "summand dropped":
            return f"the sum of {total.id} is missing"
        term = "sum" if total else "term"
        part = {"summand dropped": term, "division dropped": "division"}.get(self.m.kind, "factor")
        if "one_hot" in self.code and "Yb" in self.code:
            return "the step at the labels' cells is left out"
        if self.code == "n / (n - 1)":
            return SLIPS["Bessel dropped"].sentence
        if self.code in ("n - 1", "1.0 / (n - 1)", "1 / (n - 1)"):
            return "the division by n - 1 is missing"
        if self.code in ("1.0 / n", "1 / n"):
            return "the division by n is missing"
        piece = ast.parse(self.code or "x", mode="eval").body
        if (found := local_gradient(piece, self.m.bent)) and part == "factor":
            squared = f", 1 - {ast.unparse(found[1])} squared," if found[0] == "tanh" else ""
            if self.own.isdisjoint(_names(ast.unparse(found[1]))):
                return f"{found[0]}'s derivative{squared} is missing"
        rest = re.fullmatch(r"1(?:\.0)? - (\w+)", self.code)
        if rest and part == "factor" and rest[1] not in self.own:
            return f"the factor 1 - {rest[1]} is missing"
        known = self.known(self.code)
        told = f"a {'' if _names(self.code) else 'constant '}{part} is missing"
        return f"{told}: the one with {listed(known)}" if known else told


def say(m: Mutant) -> str:
    """What one did who wrote this mutant: the mistake, without the formula that would mend it."""
    if m.kind in ("constant changed", "sign dropped") and m.context in CONTEXTS:
        return CONTEXTS[m.context]
    if m.old == "n - 1" and m.new in ("n", "n - 2"):
        return f"{m.new} stands where the forward pass has n - 1"
    if m.piece.startswith("torch.ones_like") and "dropped" in m.kind:
        return "it is not expanded to its tensor's shape"
    told = Told(m)
    if m.kind in ("factor dropped", "division dropped", "summand dropped") and (
        _tells(m.piece) or m.piece in told.own
    ):
        return told.missing
    return SLIPS[m.kind].sentence.format(m=told)


def say_of_output(m: Mutant, exact: bool, negated: bool) -> str | None:
    """What may be said of an output's values that a mutant gives; None where it says nothing of them.

    Only what is true of the values, whoever made them: a learner may write such a function in any way, and
    what is told of the author's own counts, indices, comparisons and local names would be false of another.
    exact: of whole numbers, where other mistakes often come to the same. negated: the values are the right
    ones with another sign.
    """
    if negated:
        return SLIPS["sign"].sentence
    if m.context:
        told = m.context == "an axis" and m.kind in ("constant changed", "sign dropped")
        return say(m) if told else None
    output = SLIPS[m.kind].output
    if output == SAME:
        return say(m)
    if output in (DROPPED, EXCHANGED):
        number = m.piece.replace(".", "").isdigit()
        likely = output == DROPPED or not exact and not number
        return f"{AS_IF}{say(m)}" if likely and _knows(m) else None
    of_values = m.kind == "sum dropped" or m.old.split(" ")[0].endswith(".grad")
    return output if output and of_values else None


def _knows(m: Mutant) -> bool:
    """Whether what a mutant drops or exchanges has a name that the learner knows, or is a number."""
    told, code = Told(m), m.piece or m.old.rsplit("**", 1)[0].strip()
    return bool(told.known(code)) or not _tells(code) and code not in told.own


def uses(m: Mutant) -> list[str]:
    """The names that whoever is told this must have used."""
    wanted = SLIPS[m.kind].uses
    if wanted in ("new", "power"):
        return _names(m.new if wanted == "new" else m.old)
    return _worked_with({"piece": m.piece, "old": m.old}.get(wanted, ""))


def lacks(m: Mutant) -> list[str]:
    """The names of what is told to be missing."""
    return _worked_with(m.piece if SLIPS[m.kind].output == DROPPED else "")


def _worked_with(code: str) -> list[str]:
    own = set(valued(ast.parse(code)))
    return [name for name in _names(code) if name != "n" and name in own]


def _tells(piece: str) -> bool:
    """Whether quoting this piece would tell more than a name or a number."""
    return not piece.isidentifier() and not piece.replace(".", "").isdigit()


def _nodes(code: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(code)))
    except SyntaxError:  # a part of a statement
        return []


def _names(piece: str) -> list[str]:
    nodes = _nodes(piece)
    found = []
    attributes = [n for n in nodes if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "self"]
    inner = {id(n.value) for n in attributes}
    for n in nodes:
        if isinstance(n, ast.Name) and id(n) not in inner:
            found.append(n.id)
        elif n in attributes:
            found.append(ast.unparse(n))
    return [n for n in dict.fromkeys(found) if n not in LANGUAGE]
