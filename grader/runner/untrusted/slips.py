"""What the commonest errors of a learner's function need, in words. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from grader.core.calling import why_not
from grader.core.exercise import Exercise, Item
from grader.core.finding import Code, Finding

UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
XOR = re.compile(r"bitwise_xor|unsupported operand type\(s\) for \^=?:")
FUNCTION = re.compile(r"(?:TypeError|AttributeError): (?:.*'function'|.*not function$)")
CALLED = re.compile(r"TypeError: '(?:int|float)' object is not callable")
ARRAY = re.compile(
    r"must be Tensor, not (?:numpy\.)?(ndarray|list|tuple)"
    r"|'(?:numpy\.)?(ndarray|list|tuple)' object has no attribute"
    r"|unsupported operand type\(s\) for \S+: .*'(?:numpy\.)?(ndarray|list|tuple)'"
    r"|list indices must be integers or slices, not (tuple)|can only concatenate (list|tuple)"
    r"|received an invalid combination of arguments - got \((?:numpy\.)?(ndarray|list|tuple)"
)
UNATTENDED = {
    re.compile(r"BdbQuit\b"): "`breakpoint()` waits for someone at a terminal: nobody is there; take it out",
    re.compile(r"SystemExit: 2\b"): "`argparse` reads a command line, and there is none here: take it out",
    re.compile(r"EOFError\b"): "`input()` waits for someone at a terminal: nobody is there; take it out",
}
IMPORTS = {
    "np": "import numpy as np",
    "numpy": "import numpy",
    "torch": "import torch",
    "F": "import torch.nn.functional as F",
    "math": "import math",
}


def remedy(
    message: str,
    item: Item,
    given: Mapping[str, Any],
    exercise: Exercise,
    own: Collection[str],
) -> Finding | None:
    """The remedy of an error in an item's function, to stand after its message; None where none is known.

    given: all that can be injected, by name. own: those of the submission's file.
    """
    if XOR.search(message):
        return Finding(Code.CARET, "`^` is no power in Python: write `**`")
    if FUNCTION.match(message):
        who = item.name
        said = f"a function stands where a tensor should: is it missing among the parameters of {who}?"
        return Finding(Code.FUNCTION_FOR_TENSOR, said)
    if CALLED.match(message):
        said = "a number stands before a bracket, which calls it: a `*` is missing"
        return Finding(Code.CALLED_NUMBER, said)
    if ARRAY.search(message):
        said = "a list or a NumPy array stands where a tensor is wanted: `torch.as_tensor` makes one of it"
        return Finding(Code.ARRAY_FOR_TENSOR, said)
    undefined = UNDEFINED.match(message)
    return _undefined(undefined[1], item, given, exercise, own) if undefined else None


def unattended(message: str) -> Finding | None:
    """What is to be said of code that needs a terminal, wherever in a file it stands."""
    for error, said in UNATTENDED.items():
        if error.match(message):
            return Finding(Code.UNATTENDED, said)
    return None


def _undefined(
    name: str,
    item: Item,
    given: Mapping[str, Any],
    exercise: Exercise,
    own: Collection[str],
) -> Finding | None:
    if name in IMPORTS:
        return Finding(Code.MISSING_IMPORT, f"`{IMPORTS[name]}` is missing")
    if name in item.available:
        said = f"it is an upstream gradient: add it to the parameters of {item.name}"
        return Finding(Code.MISSING_PARAMETER, said)
    if exercise.is_gradient(name):
        return Finding(Code.UNKNOWN_PARAMETER, why_not(name, item, exercise, given))
    if name in given:
        kind = "a size" if isinstance(given[name], int) else "a tensor of the forward pass"
        return Finding(Code.MISSING_PARAMETER, f"it is {kind}: add it to the parameters of {item.name}")
    known = {k.lower(): k for k in (*own, *given, *item.available) if isinstance(k, str)}
    close = difflib.get_close_matches(name.lower(), known, 1, 0.75)
    return Finding(Code.UNDEFINED_NAME, f"did you mean {known[close[0]]}?") if close else None
