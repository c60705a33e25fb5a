"""The slips of the pen, a row each: how likely one is, what is said of it, and what that rests on. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from grader.diagnosis.diagnose import KEEPDIM

KNOWN = "known"  # the kind of a mistake that is written down, with its sentence
RARE = 99
SAME, DROPPED, EXCHANGED = "same", "dropped", "exchanged"


@dataclass(frozen=True)
class Slip:
    """One kind of change.

    sentence: what whoever made it is told; `{m}` is a `sentences.Told`. rank: where several slips give one
    value, that of the least is told. uses: whose names he must have used: of "piece" or "old" those whose
    values count, of "new" or "power" all. output: what is said of an output's values. SAME is the sentence;
    DROPPED and EXCHANGED are it too where what it names is known, EXCHANGED of approximate ones alone; else
    it is a sentence, and nothing where it is empty.
    """

    sentence: str
    rank: int = RARE
    uses: str = ""
    output: str = ""


SLIPS = {
    KNOWN: Slip("{m.new}", 0),
    "eps dropped": Slip("the eps, {m.code}, is left out, too small, or in the wrong place", 1, output=SAME),
    "Bessel dropped": Slip("Bessel's correction, n / (n - 1), is left out", 2),
    "sum dropped": Slip(
        "a sum is missing: the forward line replicates this tensor, so its gradient adds up",
        3,
        output="a sum is missing",
    ),
    "mean for sum": Slip("a mean is taken where a sum is meant", 4, output=SAME),
    "keepdim dropped": Slip(KEEPDIM.text, 5, output=SAME),
    "another dim": Slip("the wrong dim: rows and columns are mixed up", 6, output=SAME),
    "sum over everything": Slip(
        "the sum runs over all elements where it is meant over one dim", 7, output=SAME
    ),
    "transpose dropped": Slip("a transpose is missing, or one is too many", 8, output=SAME),
    "= for an accumulation": Slip(
        "assigned where contributions add up: only the last one stays",
        9,
        output="assigned where contributions add up: only the last one stays",
    ),
    "branch left out": Slip(
        "{m.branches} is left out", 10, output="a contribution to a gradient is left out"
    ),
    "sign of a branch": Slip(
        "{m.branch} has the wrong sign", 11, output="a contribution to a gradient has the wrong sign"
    ),
    "sign dropped": Slip("{m.minus} is missing", 12, uses="new"),
    "sign": Slip("the sign is wrong", 13),
    "summand dropped": Slip("the term {m.number} is missing", 14, output=DROPPED),
    "factor dropped": Slip("the factor {m.code} is missing", 15, output=DROPPED),
    "division dropped": Slip("the division by {m.code} is missing", 16, output=DROPPED),
    "another tensor": Slip("{m.new} is used where another tensor of its shape is meant", 17, uses="new"),
    "elementwise for matrix product": Slip(
        "an elementwise product stands where a matrix product is meant", 18, uses="old"
    ),
    "factors exchanged": Slip("the matrix product has its factors the wrong way round", 19, uses="old"),
    "only the first term": Slip(
        "the terms with sums are left out: what comes back through mean and variance", 20
    ),
    "one factor summed": Slip(
        "only {m.piece} is summed: take the product first, then its sum", 21, uses="piece"
    ),
    "both factors summed": Slip(
        "a product of sums stands where the sum of the products is meant", 22, uses="old"
    ),
    "power dropped": Slip("{m.power} is missing", 23, output=DROPPED),
    # the rest, alike in rank
    "inner sum dropped": Slip(
        "a sum is missing: each number of the result rests on all along that axis, not on its own alone"
    ),
    "minus for plus": Slip("{m.piece} is subtracted where it is to be added", uses="piece", output=EXCHANGED),
    "plus for minus": Slip("{m.piece} is added where it is to be subtracted", uses="piece", output=EXCHANGED),
    "division for multiplication": Slip("{m.divided}", uses="piece", output=EXCHANGED),
    "multiplication for division": Slip(
        "there is a multiplication by {m.piece} where a division is meant", uses="piece", output=EXCHANGED
    ),
    "sum for product": Slip(
        "{m.piece} is added where it is to be multiplied", uses="piece", output=EXCHANGED
    ),
    "matrix for summed product": Slip(
        "a matrix product stands where an elementwise product, then a sum, is meant", uses="old"
    ),
    "exponent dropped": Slip("the exponent of {m.without} is missing", uses="new", output=EXCHANGED),
    "exponent changed": Slip("the exponent of {m.base} is off", uses="power", output=EXCHANGED),
    "constant changed": Slip("a constant is off"),
    "softmax dropped": Slip(
        "the logits themselves are used where their softmax is meant", uses="old", output=SAME
    ),
    "log_softmax": Slip("log_softmax is used where softmax is meant", uses="old", output=SAME),
    "not normalised": Slip(
        "exp is taken without normalising each row: softmax is meant", uses="old", output=SAME
    ),
    "only the last example": Slip("only the last example's part is there: those of all examples add up"),
    "whole columns": Slip("whole columns are marked{m.columns}: in each row only one cell is meant"),
    "whole rows": Slip("whole rows are marked: in each row only the label's cell is meant"),
    "rows by column": Slip("{m.by_column}"),
    "all cells": Slip("every cell is marked, not only the labels', one in each row"),
    "view for transpose": Slip(
        "{m.piece} is viewed in the other shape, which keeps the order of its numbers: a transpose is meant",
        uses="piece",
    ),
    "zeros for ones": Slip("{m.ones}"),
    "hard-coded": Slip("{m.new} is written where n is meant"),
    "n - 1 for n": Slip("{m.new} stands where n is meant"),
    "n + 1 for n": Slip("{m.new} stands where n is meant"),
    "clone dropped": Slip("clone dropped", uses="piece"),
}
