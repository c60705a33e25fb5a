"""A mutant in words: the mistake of one who wrote it, and what he must have used to be told so. Pure."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence, Set

from grader.authoring.slips.mutants import Mutant
from grader.diagnosis.diagnose import KEEPDIM
from grader.diagnosis.numbers_in_code import valued

PLACES = {
    "an axis": "a dim is wrong: another axis is meant",
    "an index": "an index is off",
    "a size": "a size is off: that of another axis is meant",
    "a comparison": "a comparison is off: it holds where it is not meant to, or the reverse",
}


def say(m: Mutant) -> str:
    """What one did who wrote this mutant: the mistake, without the formula that would mend it."""
    if m.kind in ("constant changed", "sign dropped") and m.place in PLACES:
        return PLACES[m.place]
    if m.kind == "hard-coded" and m.old == "n":
        return f"{m.new} is written where n is meant"
    if m.old == "n - 1" and m.new in ("n", "n - 2"):
        return f"{m.new} stands where the forward pass has n - 1"
    if m.old == "n" and m.kind in ("n - 1 for n", "n + 1 for n"):
        return f"{m.new} stands where n is meant"
    if m.kind == "sign dropped" and not _tells(m.new):
        return f"the minus sign of {m.new} is missing"
    if m.piece.startswith("torch.ones_like") and "dropped" in m.kind:
        return "it is not expanded to its tensor's shape"
    if "ones_like" in m.old and m.kind == "zeros for ones":
        return "ones are mixed up with zeros"
    own = _own(m)
    if m.kind in ("factor dropped", "division dropped", "summand dropped") and (
        _tells(m.piece) or m.piece in own
    ):
        return _dropped(m, own)
    at_labels = "the step at the labels' cells"
    labels = m.old.rpartition(", ")[2].rstrip("]")  # of d[range(n), Yb]
    shown = f", [:, {labels}]" if not _tells(labels) else ""
    piece = _short(m.piece, own)
    known = [n for n in _names(m.piece) if n not in own]
    sentences = {
        "factor dropped": f"the factor {m.piece} is missing",
        "division dropped": f"the division by {m.piece} is missing",
        "summand dropped": f"the term {_constant_or(m.piece)} is missing",
        "minus for plus": f"{piece} is subtracted where it is to be added",
        "plus for minus": f"{piece} is added where it is to be subtracted",
        "division for multiplication": _divided(m.piece, own),
        "multiplication for division": f"there is a multiplication by {piece} where a division is meant",
        "sum for product": f"{piece} is added where it is to be multiplied",
        "elementwise for matrix product": "an elementwise product stands where a matrix product is meant",
        "matrix for summed product": "a matrix product stands where an elementwise product, then a sum, is "
        "meant",
        "factors exchanged": "the matrix product has its factors the wrong way round",
        "exponent dropped": f"the exponent of {_short(m.new, own)} is missing",
        "exponent changed": f"the exponent of {_short(m.old.rsplit('**', 1)[0].strip(), own)} is off",
        "power dropped": f"the factor with {_listed(known)} is missing" if known else "a factor is missing",
        "constant changed": "a constant is off",
        "eps dropped": f"the eps, {m.piece}, is left out, too small, or in the wrong place",
        "Bessel dropped": "Bessel's correction, n / (n - 1), is left out",
        "only the first term": "the terms with sums over the batch are left out, through mean and variance",
        "softmax dropped": "the logits themselves are used where their softmax is meant",
        "log_softmax": "log_softmax is used where softmax is meant",
        "not normalised": "exp is taken without normalising each row: softmax is meant",
        "one factor summed": f"only {piece} is summed: take the product first, then its sum",
        "both factors summed": "a product of sums stands where the sum of the products is meant",
        "only the last example": "only the last example's part is there: those of all examples add up",
        "whole columns": f"whole columns are marked{shown}: in each row only one cell is meant",
        "whole rows": "whole rows are marked: in each row only the label's cell is meant",
        "rows by column": f"{labels} is used as row numbers: it holds each row's column, its label"
        if shown
        else "the columns' numbers are used as those of rows",
        "all cells": "every cell is marked, not only the labels', one in each row",
        "sign": "the sign is wrong",
        "sign dropped": "a minus sign is missing",
        "sign of a branch": f"{at_labels if 'Yb' in m.old else 'one branch'} has the wrong sign",
        "sum dropped": "a sum is missing: the forward line replicates this tensor, so its gradient adds up",
        "inner sum dropped": "a sum is missing: each number of the result rests on all along that axis, not "
        "on its own alone",
        "mean for sum": "a mean is taken where a sum is meant",
        "sum over everything": "the sum runs over all elements where it is meant over one dim",
        "another dim": "the wrong dim: rows and columns are mixed up",
        "keepdim dropped": KEEPDIM.text,
        "transpose dropped": "a transpose is missing",
        "view for transpose": f"{piece} is viewed in the other shape, which keeps the order of its "
        "numbers: a transpose is meant",
        "zeros for ones": "zeros and ones are mixed up",
        "branch left out": f"{at_labels if 'Yb' in m.old else 'one of the branches'} is left out",
        "= for an accumulation": "assigned where contributions add up: only the last one stays",
        "another tensor": f"{m.new} is used where another tensor of its shape is meant",
    }
    return sentences.get(m.kind, m.kind)


def knows(m: Mutant) -> bool:
    """Whether what a mutant drops or exchanges has a name that the learner knows, or is a number."""
    own, code = _own(m), m.piece or m.old.rsplit("**", 1)[0].strip()
    return bool([n for n in _names(code) if n not in own]) or not _tells(code) and code not in own


def _divided(piece: str, own: Set[str]) -> str:
    """What is done where a product with a piece is a division by it: 1 / x divided by is x multiplied by."""
    node = ast.parse(piece or "x", mode="eval").body
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.left, ast.Constant):
        by = _short(ast.unparse(node.right), own)
        return f"there is a multiplication by {by} where a division is meant"
    return f"there is a division by {_short(piece, own)} where a multiplication is meant"


def _tells(piece: str) -> bool:
    """Whether quoting this piece would tell more than a name or a number."""
    return not piece.isidentifier() and not piece.replace(".", "").isdigit()


def _short(piece: str, own: Set[str]) -> str:
    """A piece by the names in it that the learner knows, where the whole of it would tell the formula."""
    if not _tells(piece):
        return "a part of it" if piece in own else piece
    names = _names(piece)
    if set(names) == {"n"}:
        return piece.replace("1.0", "1").replace(" / ", "/")
    known = [n for n in names if n not in own]
    return f"the part with {_listed(known)}" if known else "a part of it" if names else "a constant"


def _own(m: Mutant) -> set[str]:
    """The author's own names in a function: what it assigns, be it in the piece that is gone."""
    function = ast.parse(m.source).body[0]
    assert isinstance(function, ast.FunctionDef)
    params = {a.arg for a in function.args.args}
    nodes = [*ast.walk(function), *(n for code in (m.piece, m.old) for n in _nodes(code))]
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - params


def _nodes(code: str) -> list[ast.AST]:
    try:
        return list(ast.walk(ast.parse(code)))
    except SyntaxError:  # a part of a statement
        return []


def _constant_or(piece: str) -> str:
    """A name as it is, a number as 1 rather than 1.0."""
    return piece.removesuffix(".0")


def _listed(names: Sequence[str]) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last


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


LANGUAGE = {"torch", "F", "math", "re", *dir(builtins)}


def _dropped(m: Mutant, own: Set[str]) -> str:
    """The missing piece by what it is, not by its formula."""
    part = {"summand dropped": "term", "division dropped": "division"}.get(m.kind, "factor")
    if "one_hot" in m.piece and "Yb" in m.piece:
        return "the step at the labels' cells is left out"
    if m.piece == "n / (n - 1)":
        return "Bessel's correction, n / (n - 1), is left out"
    if m.piece in ("n - 1", "1.0 / (n - 1)", "1 / (n - 1)"):
        return "the division by n - 1 is missing"
    if m.piece in ("1.0 / n", "1 / n"):
        return "the division by n is missing"
    names = _names(m.piece)
    known = [n for n in names if n not in own]
    told = f"a {'' if names else 'constant '}{part} is missing"
    return f"{told}: the one with {_listed(known)}" if known else told


# What a sentence says is done with the piece or the tensor that it names.
DONE = frozenset(
    ("minus for plus", "plus for minus", "division for multiplication", "multiplication for division",
     "sum for product", "one factor summed", "clone dropped", "view for transpose")
)  # fmt: skip
OF_ALL = frozenset(("elementwise for matrix product", "matrix for summed product", "factors exchanged",
                    "both factors summed", "softmax dropped", "log_softmax", "not normalised"))  # fmt: skip


def uses(m: Mutant) -> list[str]:
    """The names that whoever is told this must have used."""
    if m.kind == "another tensor":
        return [m.new]
    if m.kind == "exponent changed":
        return _names(m.old)
    if m.kind in ("exponent dropped", "sign dropped"):
        return _names(m.new)
    return _worked_with(m.piece if m.kind in DONE else m.old if m.kind in OF_ALL else "")


def lacks(m: Mutant) -> list[str]:
    """The names of what is told to be missing."""
    dropped = m.kind in ("factor dropped", "division dropped", "summand dropped", "power dropped")
    return _worked_with(m.piece if dropped else "")


def _worked_with(code: str) -> list[str]:
    own = set(valued(ast.parse(code)))
    return [name for name in _names(code) if name != "n" and name in own]
