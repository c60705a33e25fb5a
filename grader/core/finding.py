"""What is found out about an answer: a code for programs, of a closed list, and a text for people. Pure.

No code of ours decides by the text, so that it may be reworded or translated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Code(StrEnum):
    """All that can be found. Closed: a class is counted by these; the JSON schema lists them."""

    # Nothing came that could be compared.
    NOT_WRITTEN = "not-written"
    NOT_ASSIGNED = "not-assigned"  # flat code: no statement assigns the gradient's name
    ALIAS_NOT_ASSIGNED = "alias-not-assigned"  # nor the other name that the code itself compares
    UNREADABLE = "unreadable"  # flat code: a syntax error hides its cell
    WAITS = "waits"  # training, for gradients that aren't there
    ERROR = "error"
    UNKNOWN_PARAMETER = "unknown-parameter"  # a parameter that nothing can be passed for
    MISSING_PARAMETER = "missing-parameter"
    MISSING_IMPORT = "missing-import"
    UNDEFINED_NAME = "undefined-name"
    CARET = "caret"  # ^ for a power
    CALLED_NUMBER = "called-number"  # -0.5(x)
    ARRAY_FOR_TENSOR = "array-for-tensor"  # a list, or NumPy's
    UNATTENDED = "unattended"  # breakpoint(), argparse, input(): nobody is there
    FUNCTION_FOR_TENSOR = "function-for-tensor"
    SHAPES_CLASH = "shapes-clash"  # torch refuses the operands
    ONE_HOT_WIDTH = "one-hot-width"
    ENDED = "ended"  # the process
    NOT_GRADED = "not-graded"  # since other items ended the process
    NOT_JUDGED = "not-judged"  # a notebook's numbers can't tell
    REFUSED = "refused"
    OVER_LIMIT = "over-limit"
    NOT_A_TENSOR = "not-a-tensor"
    MISSING_RETURN = "missing-return"

    # Its form is wrong.
    WRONG_DTYPE = "wrong-dtype"
    NOT_FINITE = "not-finite"
    WRONG_TYPE = "wrong-type"  # a list for an int
    WRONG_SHAPE = "wrong-shape"
    KEEPDIM = "keepdim"  # an axis of size 1 is missing
    RESHAPED = "reshaped"  # right after a reshape
    TRANSPOSED = "transposed"
    NOT_EXPANDED = "not-expanded"
    NOT_SUMMED = "not-summed"
    AXIS_DROPPED = "axis-dropped"  # by an operation that is named
    AXES_DROPPED = "axes-dropped"
    WRONG_AXIS = "wrong-axis"
    ALL_REDUCED = "all-reduced"
    BROADCAST = "broadcast"
    PLACES_MISSING = "places-missing"  # an axis is too short

    # Its numbers are.
    VALUE_DIFFERS = "value-differs"
    ENTRIES_DIFFER = "entries-differ"
    ALL_ZERO = "all-zero"
    NOT_EXACT = "not-exact"
    RIGHT_ON_LECTURE_ONLY = "right-on-lecture-only"
    CANCELS = "cancels"  # what it is made from comes to nothing
    RESTS_ON_ANOTHER = "rests-on-another"  # that is to be mended first

    # The mistake that explains them.
    SIGN = "sign"
    FACTOR = "factor"
    WRONG_SIZE = "wrong-size"  # n - 1 for n
    HARD_CODED = "hard-coded"
    MEAN_FOR_SUM = "mean-for-sum"
    TWO_SLIPS = "two-slips"
    SUMMED = "summed"
    UPSTREAM_MISSING = "upstream-missing"
    PASSED_THROUGH = "passed-through"
    LOCAL_GRADIENT = "local-gradient"
    ANOTHER_FACTOR = "another-factor"
    ANOTHER_GRADIENT = "another-gradient"
    ADDED = "added"  # to what was there before
    BRANCH_MISSING = "branch-missing"
    BRANCH_SIGN = "branch-sign"
    BRANCH_FACTOR = "branch-factor"
    REORDERED = "reordered"
    PARTLY_RIGHT = "partly-right"
    KNOWN_MISTAKE = "known-mistake"  # by its fingerprint
    ANOTHER_TENSOR = "another-tensor"  # a name, or a size, stands where another is meant
    EXCHANGED = "exchanged"  # two names, or the factors of a matrix product
    MATRIX_PRODUCT = "matrix-product"  # * for @, or the reverse
    SUM_FOR_MEAN = "sum-for-mean"
    OPERATOR = "operator"  # * for /, + for * …
    TERM_SIGN = "term-sign"  # of a part of it
    EXPONENT = "exponent"
    BRACKET = "bracket"  # in the wrong place
    CONSTANT = "constant"
    EPS = "eps"
    BESSEL = "bessel"  # n / (n - 1)
    EXTRA_TERM = "extra-term"
    EXTRA_FACTOR = "extra-factor"
    EXTRA_STEP = "extra-step"  # a call that is to go
    TERM_MISSING = "term-missing"
    FACTOR_MISSING = "factor-missing"  # or a division
    ANOTHER_FUNCTION = "another-function"  # log_softmax for softmax
    VIEW = "view"  # for a transpose, or with its axes in another order
    FUNCTION_MISSING = "function-missing"  # x for exp(x)
    DIRECTION = "direction"  # a running sum or a kernel the wrong way round
    WRONG_PART = "wrong-part"  # of a tensor: the other half, one example
    WHOLE_ROWS = "whole-rows"  # or columns, for cells
    ASSIGNED = "assigned"  # where contributions add up
    LOOP = "loop"  # ended, or begun anew, in each turn
    MASK = "mask"  # marks other places
    FRESH_MASK = "fresh-mask"  # drawn anew
    COMPARISON = "comparison"  # < for <=
    CONDITION = "condition"  # negated, one too many, or one that is missing
    OFF_BY_ONE = "off-by-one"
    NOT_CALLED = "not-called"  # f for f(), or f() for f
    MISPLACED = "misplaced"  # a statement that comes too early or too late
    OVERWRITTEN = "overwritten"  # what is needed later
    SHARED = "shared"  # what is to be copied
    UNUSED = "unused"  # an argument that is never read
    CHANGED_AFTERWARDS = "changed-afterwards"  # flat code: by another name of the same tensor
    OTHER_NAME = "other-name"  # flat code: found under it
    OTHER_FORWARD = "other-forward"  # flat code: the learner's own forward line gives something else


@dataclass(frozen=True)
class Finding:
    """One thing that was found, and what its text says besides: `also`."""

    code: Code
    text: str = ""
    also: frozenset[Code] = frozenset()
    line: int | None = None  # of the statement at fault, in what was graded
    on: tuple[str, ...] = ()  # the fixtures that a diagnosis holds on
    nearest: Code | None = None  # another mistake that would explain the same
    spot: str = ""  # of that line, the piece at fault as it is written

    def says(self, code: Code) -> bool:
        return code is self.code or code in self.also

    def under(self, code: Code, text: str) -> Finding:
        """What `code` names, above all; `text` still says what this finding does."""
        return replace(self, code=code, text=text, also=self.also | {self.code})
