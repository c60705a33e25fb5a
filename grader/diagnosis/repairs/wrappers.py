"""A function that is missing of what is returned or used; a part that is not taken."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Source

WRAPPERS: tuple[tuple[str, Code, str], ...] = (
    ("-({0})", Code.SIGN, "the sign of {1} is wrong"),
    ("math.log({0})", Code.FUNCTION_MISSING, "{1} is given where its logarithm is meant"),
    ("-math.log({0})", Code.FUNCTION_MISSING, "{1} is given where its negative logarithm is meant"),
    ("({0}).log()", Code.FUNCTION_MISSING, "{1} is given where its logarithm is meant"),
    ("-({0}).log()", Code.FUNCTION_MISSING, "{1} is given where its negative logarithm is meant"),
    ("({0}).exp()", Code.FUNCTION_MISSING, "{1} is given where its exponential is meant"),
    ("math.exp({0})", Code.FUNCTION_MISSING, "{1} is given where its exponential is meant"),
    ("({0}) ** 0.5", Code.FUNCTION_MISSING, "{1} is given where its square root is meant"),
    ("({0}) ** 2", Code.EXPONENT, "{1} is given where its square is meant"),
    ("10.0 ** ({0})", Code.FUNCTION_MISSING, "{1} is given where 10 to the power of it is meant"),
    ("1 / ({0})", Code.FUNCTION_MISSING, "{1} is given where its inverse is meant"),
    ("1 - ({0})", Code.FUNCTION_MISSING, "{1} is given where 1 less it is meant"),
    ("abs({0})", Code.FUNCTION_MISSING, "{1} is given where its absolute value is meant"),
    ("({0}).tanh()", Code.FUNCTION_MISSING, "{1} is given where its tanh is meant"),
    ("math.tanh({0})", Code.FUNCTION_MISSING, "{1} is given where its tanh is meant"),
    ("({0}).sigmoid()", Code.FUNCTION_MISSING, "{1} is given where its sigmoid is meant"),
    ("({0}).relu()", Code.FUNCTION_MISSING, "{1} is given where its relu is meant"),
    ("({0}).softmax(-1)", Code.FUNCTION_MISSING, "{1} is given where its softmax is meant"),
    ("({0}) / ({0}).sum(-1, keepdim=True)", Code.FACTOR_MISSING, "{1} is not divided by the sum of its row"),
    ("min(1.0, {0})", Code.FUNCTION_MISSING, "{1} may become larger than 1, which is not held back"),
    ("max(0, {0})", Code.FUNCTION_MISSING, "{1} may become less than 0, which is not held back"),
    ("sorted({0})", Code.FUNCTION_MISSING, "{1} is not sorted"),
    ("sorted({0}, reverse=True)", Code.FUNCTION_MISSING, "{1} is not sorted"),
    ("({0})[::-1]", Code.DIRECTION, "{1} is in the reverse of the order that is meant"),
    ("list({0})", Code.WRONG_TYPE, "{1} is no list"),
    ("tuple({0})", Code.WRONG_TYPE, "{1} is no tuple"),
    ("set({0})", Code.WRONG_TYPE, "{1} is no set"),
    ("dict({0})", Code.WRONG_TYPE, "{1} is no dict"),
    ('"".join({0})', Code.WRONG_TYPE, "the parts of {1} are not joined into one text"),
    ('b"".join({0})', Code.WRONG_TYPE, "the parts of {1} are not joined into bytes"),
    ("len({0})", Code.FUNCTION_MISSING, "{1} is given where its length is meant"),
    ("int({0})", Code.WRONG_TYPE, "{1} is no integer"),
    ("float({0})", Code.WRONG_TYPE, "{1} is no float"),
    ("str({0})", Code.WRONG_TYPE, "{1} is no text"),
    ("round({0})", Code.FUNCTION_MISSING, "{1} is not rounded"),
    ("math.ceil({0})", Code.FUNCTION_MISSING, "{1} is not rounded up"),
    ("({0}).item()", Code.WRONG_TYPE, "{1} is a tensor, where a number is meant"),
    ("({0}).tolist()", Code.WRONG_TYPE, "{1} is a tensor, where a list is meant"),
    ("torch.tensor({0})", Code.WRONG_TYPE, "{1} is no tensor"),
    ("torch.stack({0})", Code.WRONG_TYPE, "the tensors of {1} are not stacked into one"),
    ("({0}).float()", Code.WRONG_DTYPE, "{1} is not of float32"),
    ("({0}).long()", Code.WRONG_DTYPE, "{1} is not of integers"),
    ("({0}).T", Code.TRANSPOSED, "{1} is meant transposed"),
    ("({0}).squeeze()", Code.KEEPDIM, "{1} has an axis of length 1 too many"),
    ("({0}).flatten(1)", Code.WRONG_SHAPE, "{1} is meant with its last axes flattened"),
    ("({0}).clone()", Code.SHARED, "{1} is not copied: it is what was passed"),
    ("({0}).encode()", Code.WRONG_TYPE, "{1} is text, where bytes are meant"),
    ('({0}).decode("utf-8", errors="replace")', Code.WRONG_TYPE, "{1} is bytes, where text is meant"),
    ('({0}) + "\\n"', Code.TERM_MISSING, "a line end is missing after {1}"),
    ("({0})[0]", Code.WRONG_PART, "{1} is given where its first part is meant"),
    ("({0})[-1]", Code.WRONG_PART, "{1} is given where its last part is meant"),
    ("({0})[1:]", Code.WRONG_PART, "{1} has one too many at its beginning"),
    ("({0})[:-1]", Code.WRONG_PART, "{1} has one too many at its end"),
    ("({0}) + 1", Code.OFF_BY_ONE, "{1} is 1 too small"),
    ("({0}) - 1", Code.OFF_BY_ONE, "{1} is 1 too large"),
)  # fmt: skip


INNER = (
    "({0}).abs()",
    "({0}).tanh()",
    "math.tanh({0})",
    "({0}).exp()",
    "({0}).log()",
    "({0}) ** 2",
    "({0}) ** 0.5",
)


def wrapped(s: Source) -> Iterator[Change]:
    """A function that is missing of what is returned, or of one of several that are."""
    for value in s.returned:
        parts = [value, *(value.elts if isinstance(value, ast.Tuple) else ())]
        if isinstance(value, ast.ListComp):
            parts.append(value.elt)
        elif isinstance(value, ast.DictComp):
            parts.append(value.value)
        if isinstance(value, ast.Tuple) and len(value.elts) > 1:
            told = "what is returned is no tensor, neither part"
            edits = [s.put(e, f"torch.tensor({s.text(e)})") for e in value.elts]
            yield s.change(value, edits, Code.WRONG_TYPE, told, 14)
        for part in parts:
            for new, code, told in WRAPPERS:
                if isinstance(part, ast.Tuple) and code is not Code.DIRECTION and "{0})[" not in new:
                    continue
                rank = 12 if code is Code.SIGN else 25
                yield s.change(part, new.format(s.text(part)), code, told.format("", s.quoted(part)), rank)
        for name in s.scope:
            told = f"{s.quoted(value)} is returned where {name} is meant"
            yield s.change(value, name, Code.ANOTHER_TENSOR, told, 32)
    for n in s.values:
        outer = s.parents.get(id(n))
        if (
            isinstance(n, ast.Name)
            and n.id in s.scope
            and not isinstance(outer, ast.Attribute | ast.Subscript)
        ):
            for new in INNER:
                spoken = new.replace("({0})", n.id) if new.startswith("({0})") else new.format(n.id)
                code = Code.EXPONENT if "** 2" in new else Code.FUNCTION_MISSING
                told = f"{n.id} is used where `{spoken}` is meant"
                yield s.change(n, new.format(n.id), code, told, 37)
