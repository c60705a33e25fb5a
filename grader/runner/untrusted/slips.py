"""What the commonest errors of a learner's function need, in words. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from grader.core.calling import is_gradient, why_not
from grader.core.exercise import Exercise, Item

UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")
XOR = re.compile(r"bitwise_xor|unsupported operand type\(s\) for \^=?:")
FUNCTION = re.compile(r"(?:TypeError|AttributeError): (?:.*'function'|.*not function$)")
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
) -> str:
    """The remedy of an error in an item's function, to stand after its message; empty where none is known.

    given: all that can be injected, by name. own: those of the submission's file.
    """
    if XOR.search(message):
        return "; `^` is no power in Python: write `**`"
    if FUNCTION.match(message):
        who = item.name
        return f"; a function stands where a tensor should: is it missing among the parameters of {who}?"
    undefined = UNDEFINED.match(message)
    return f"; {said}" if undefined and (said := _undefined(undefined[1], item, given, exercise, own)) else ""


def _undefined(
    name: str,
    item: Item,
    given: Mapping[str, Any],
    exercise: Exercise,
    own: Collection[str],
) -> str:
    if name in IMPORTS:
        return f"`{IMPORTS[name]}` is missing"
    if name in item.available:
        return f"it is an upstream gradient: add it to the parameters of {item.name}"
    if is_gradient(name, exercise):
        return why_not(name, item, exercise, given)
    if name in given:
        kind = "a size" if isinstance(given[name], int) else "a tensor of the forward pass"
        return f"it is {kind}: add it to the parameters of {item.name}"
    known = {k.lower(): k for k in (*own, *given, *item.available) if isinstance(k, str)}
    close = difflib.get_close_matches(name.lower(), known, 1, 0.75)
    return f"did you mean {known[close[0]]}?" if close else ""
