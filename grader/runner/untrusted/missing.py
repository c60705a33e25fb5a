"""Why an output has no value: what it waits for, what its class lacks, where the grader's driver fails.

Untrusted side.
"""

from __future__ import annotations

import re
import types
from typing import Any

from grader.core.exercise import Exercise, Output
from grader.core.finding import Code
from grader.runner.untrusted.loading import Submission, describe, is_stub

DRIVERS = "(the grader's)"  # ends the name of what drivers are compiled from
OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "@": "matmul", "** or pow()": "pow"}
OPERANDS = re.compile(r"unsupported operand type\(s\) for (.+?)=?: '(\w+)' and '(\w+)'")
UNARY = re.compile(r"bad operand type for unary -: '(\w+)'")
CLUMSY = (TypeError, AttributeError, LookupError)  # a driver raises others on purpose

Why = tuple[str, str, Code | None]
NOTHING: Why = ("", "", None)


def why(error: BaseException, submission: Submission, item: Output, exercise: Exercise) -> Why:
    """A record's status, its message and code; all empty where the exception says enough itself."""
    about = {other.about for other in exercise.outputs}
    if is_stub(error, submission.filename):
        lacking = _raised_in(error, submission.filename)
        if not lacking or lacking == item.about or _blank(item.about, submission, about):
            return NOTHING
        return "error", f"waits for {lacking}", Code.WAITS
    lacking = _lacking(error, submission)
    name, _, method = lacking.partition(".")
    if lacking == item.about:
        return "not-written", f"the class {name} has no {method}", Code.NOT_WRITTEN
    if lacking and (lacking in about or method.startswith("__")):
        return "error", f"waits for {lacking}", Code.WAITS
    text = describe(error, "")[0]
    if _innermost(error).endswith(DRIVERS) and isinstance(error, CLUMSY):
        if lacking:
            has = ", ".join(sorted(str(k) for k in vars(getattr(error, "obj", None)) if k != "_backward"))
            return "error", f"the stub's {name} has {method}, this one has {has}", Code.UNDEFINED_NAME
        return "error", f"what the grader does with it fails: {text}", Code.ERROR
    notes = [n for n in getattr(error, "__notes__", ()) if type(n) is str]
    return ("error", f"{text}; of {notes[0][:300]}", Code.ERROR) if notes else NOTHING


def _lacking(error: BaseException, submission: Submission) -> str:
    """The method or attribute of a submission's class that isn't there: "Value.exp"."""
    kind, name = "", ""
    if isinstance(error, AttributeError) and isinstance(error.name, str):
        kind, name = type(error.obj).__name__, error.name
    elif isinstance(error, TypeError) and (found := UNARY.match(str(error))):
        kind, name = found[1], "__neg__"
    elif isinstance(error, TypeError) and (found := OPERANDS.match(str(error))):
        operator, left, right = found.groups()
        if operator in OPERATORS:
            ours = _class(left, submission) is not None
            kind, name = (left, "__{}__") if ours else (right, "__r{}__")
            name = name.format(OPERATORS[operator])
    own = _class(kind, submission)
    return f"{kind}.{name}" if own is not None and not hasattr(own, name) else ""


def _class(name: str, submission: Submission) -> Any:
    found = submission.names.get(name)
    return found if isinstance(found, type) and found.__module__ == "submission" else None


def _raised_in(error: BaseException, filename: str) -> str:
    """The submission's function that raised, as "f" or "C.m"."""
    name, tb = "", error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        name = code.co_qualname if code.co_filename == filename else name
        tb = tb.tb_next
    return name


def _innermost(error: BaseException) -> str:
    tb, name = error.__traceback__, ""
    while tb is not None:
        name, tb = tb.tb_frame.f_code.co_filename, tb.tb_next
    return name


def _blank(about: str, submission: Submission, all_: set[str]) -> bool:
    """Whether what an item is about is as in the stub; of a class, any method that no other item is about."""
    name, _, method = about.partition(".")
    definition = submission.names.get(name)
    if not isinstance(definition, type):
        return _raises(definition)
    methods = [method] if method else [m for m in vars(definition) if f"{name}.{m}" not in all_]
    return any(_raises(vars(definition).get(m)) for m in methods)


def _raises(function: Any) -> bool:
    plain = getattr(function, "__func__", function)  # of a static method
    return isinstance(plain, types.FunctionType) and plain.__code__.co_names == ("NotImplementedError",)
