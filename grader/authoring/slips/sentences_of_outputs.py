"""A mutant of an output's function in words: only what is true of the values, whoever made them. Pure.

A learner may write such a function in any way: what is told of the author's own way, of his counts, indices,
comparisons and local names, would be false of another that comes to the same values.
"""

from __future__ import annotations

from grader.authoring.slips.mutants import Mutant
from grader.authoring.slips.sentences import knows, say
from grader.diagnosis.diagnose import AS_IF

OF_VALUES = frozenset(("eps dropped", "mean for sum", "sum over everything", "another dim", "keepdim dropped",
                       "transpose dropped", "softmax dropped", "log_softmax", "not normalised"))  # fmt: skip
DROPPED = frozenset(("factor dropped", "division dropped", "summand dropped", "power dropped"))
EXCHANGED = frozenset(("minus for plus", "plus for minus", "division for multiplication", "sum for product",
                       "multiplication for division", "exponent dropped", "exponent changed"))  # fmt: skip
OF_GRADIENTS = {
    "= for an accumulation": "assigned where contributions add up: only the last one stays",
    "branch left out": "a contribution to a gradient is left out",
    "sign of a branch": "a contribution to a gradient has the wrong sign",
}


def say_of_output(m: Mutant, exact: bool, negated: bool) -> str | None:
    """What may be said of values that a mutant gives; None where it says nothing of them.

    exact: of whole numbers, where other mistakes often come to the same. negated: the values are the right
    ones with another sign.
    """
    if negated:
        return "the sign is wrong"
    if m.place == "an axis" and m.kind in ("constant changed", "sign dropped"):
        return say(m)
    if m.place:
        return None
    if m.kind in OF_VALUES:
        return say(m)
    if m.kind == "sum dropped":
        return "a sum is missing"
    if m.kind in OF_GRADIENTS:
        return OF_GRADIENTS[m.kind] if m.old.split(" ")[0].endswith(".grad") else None
    number = m.piece.replace(".", "").isdigit()
    if m.kind in DROPPED or (m.kind in EXCHANGED and not exact and not number):
        return f"{AS_IF}{say(m)}" if knows(m) else None
    return None
