"""One item asked of a submission, in the untrusted process: its function called, its answer packed."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Collection
from typing import Any

import torch

from grader.core.calling import BadRequest, Call, line_of, resolve
from grader.core.exercise import ALT, Exercise, Gradient, Item, Output, is_probe
from grader.core.finding import Code
from grader.runner.untrusted import byhand, missing, outputs
from grader.runner.untrusted.loading import Submission, describe, is_stub
from grader.runner.untrusted.packing import pack, packed
from grader.runner.untrusted.slips import remedy, unattended
from grader.runner.warm import limits
from grader.submissions.flat.slicing import Flat

# Bound before a submission can replace them.
_Tensor, _equal = torch.Tensor, torch.equal

POLICY = byhand.Policy()
OF_PARAMETERS = (Code.MISSING_PARAMETER, Code.UNKNOWN_PARAMETER, Code.FUNCTION_FOR_TENSOR)
UNBOUND = re.compile(r"UnboundLocalError: \D*local variable '(\w+)'")  # flat code has no local variables

Given = dict[str, Any]  # one fixture's tensors and sizes by name


def guard_forward(submission: Submission, exercise: Exercise) -> None:
    """The stub's forward pass run again inside an item is how one differentiates by small differences.

    The function itself is changed, under whatever names the submission has it.
    """
    forward = submission.names.get("forward")
    if not isinstance(forward, types.FunctionType) or forward.__closure__:
        return
    code = forward.__code__
    if list(code.co_varnames[: code.co_argcount]) != list(exercise.inputs):
        return  # a helper of the learner's own that is called so
    forward.__code__ = _again.__code__
    forward.__kwdefaults__ = {"refused": POLICY.refuse("the forward pass, run again,")}


def _again(*_: Any, refused: Callable[[], Any], **__: Any) -> Any:
    return refused()


class NoValue(Exception):
    """An item gives nothing. fields: of the record that says why."""

    def __init__(
        self, status: str, message: str = "", line: int | None = None, code: Code | None = None
    ) -> None:
        self.fields: dict[str, Any] = {"status": status}
        self.fields |= {"message": message} if message else {}
        self.fields |= {"line": line} if line else {}
        self.fields |= {"code": code} if code else {}


def ask(
    submission: Submission, item: Item, fixture: str, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes]:
    """Call an item's function on one fixture; a header and the value's bytes."""
    header: dict[str, Any] = {"fixture": fixture, "item": item.name}
    try:
        if isinstance(item, Output):
            return of_output(submission, item, header, given, exercise)
        if submission.flat:
            return of_flat_code(submission, submission.flat, item, header, given, exercise)
        return of_function(submission, item, header, given, exercise)
    except NoValue as why:
        message = why.fields.get("message", "")
        if found := unattended(message):
            why.fields |= {"message": f"{message}; {found.text}", "code": found.code}
        return {**header, **why.fields}, b""


def _failed(error: BaseException, submission: Submission, line: int | None) -> NoValue:
    """An exception of a submission: an error, or a limit that was met."""
    limit = limits.met(error)
    message, at = describe(error, submission.filename)
    if isinstance(error, NameError) and (cause := submission.lost.get(str(error.name))):
        where = f"line {cause[1]} failed" if cause[1] else "what makes it failed"
        message = f"NameError: {error.name} is not defined: {where}, {cause[0]}"
    return NoValue("over-limit" if limit else "error", limit or message, at or line)


def called(
    submission: Submission,
    line: int | None,
    code: Callable[[], Any],
    why: Callable[[BaseException], NoValue | None] = lambda error: None,
) -> Any:
    """What code of a submission gives, which begins on a line, under the policy; NoValue where nothing.

    why: what is to be said of an exception, where that is more than what it says itself.
    """
    POLICY.called, POLICY.running = None, True
    value = None
    try:
        value = code()
    except BadRequest as error:
        raise NoValue("error", str(error), line) from None
    except BaseException as error:
        if not POLICY.called and (found := why(error)):
            raise found from None
        if is_stub(error, submission.filename):
            raise NoValue("not-written") from None
        if not POLICY.called:
            raise _failed(error, submission, line) from None
        line = describe(error, submission.filename)[1] or line
    finally:
        POLICY.running = False
    if POLICY.called:
        raise NoValue("refused", f"{POLICY.called} {byhand.WHY}", line)
    return value


def of_function(
    submission: Submission, item: Gradient, header: dict[str, Any], given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes]:
    """A gradient's function, as the stub has it."""
    function = _written(submission, item.name, f"function {item.name}")
    call = _call(submission, function, item, header, given, exercise)
    pristine, passed = arguments(call, item, given)
    try:
        value = called(submission, call.line, lambda: call(passed))
    except NoValue as why:
        if why.fields["status"] == "error":
            local = getattr(getattr(function, "__code__", None), "co_varnames", ())
            names, message = (*local, *call.injected, *submission.names), why.fields["message"]
            if found := remedy(message, item, given, exercise, names):
                why.fields |= {"message": f"{message}; {found.text}", "code": found.code}
        raise
    return _mutated(*pack(header, value), pristine, passed)


def of_flat_code(
    submission: Submission,
    flat: Flat,
    item: Gradient,
    header: dict[str, Any],
    given: Given,
    exercise: Exercise,
) -> tuple[dict[str, Any], bytes]:
    """A gradient's function that was cut out of flat code, which may keep its values in shapes of its own."""
    name, tensor = item.name, given.get(item.tensor)
    if not is_probe(header["fixture"]):
        told = _other_forward(submission, flat, name, given, exercise) or flat.lost.get(name, "")
        header |= {"forward": told} if told else {}
    if name in flat.refused:
        raise NoValue("refused", *flat.refused[name])
    if name in flat.unknown:
        raise NoValue("error", *flat.unknown[name], Code.UNDEFINED_NAME)
    function = _written(submission, name, f"function {name}")
    if not is_probe(header["fixture"]):  # there it counts what became of the value in the end
        function = submission.changed.get(name, function)
    call = _call(submission, function, item, header, given, exercise)
    pristine, passed = arguments(call, item, given)
    own = submission.forms.keys() & passed.keys()  # in the learner's own shape, (32,) for (32, 1)
    if own and _fits(submission, call, _squeezed(submission, passed, own), tensor):
        passed = _squeezed(submission, passed, own)
    try:
        value = called(submission, call.line, lambda: call(passed))
    except NoValue as why:
        if unbound := UNBOUND.match(why.fields.get("message", "")):
            told = f"NameError: {unbound[1]} has no value yet on this line"
            why.fields |= {"message": told, "code": Code.UNDEFINED_NAME}
        elif why.fields["status"] == "error":
            found = remedy(why.fields["message"], item, given, exercise, (*call.injected, *given))
            if found and found.code not in OF_PARAMETERS:
                why.fields |= {"message": f"{why.fields['message']}; {found.text}", "code": found.code}
        raise
    header, data = pack(header, value)
    if isinstance(value, types.FunctionType):
        told = f"{name} is a function here; flat code assigns the gradient itself: {name} = …"
        header |= {"message": told, "code": Code.FUNCTION_FOR_TENSOR}
    elif header["status"] == "value":
        header["message"] = flat.notes.get(name, "")
        if function is submission.changed.get(name):
            header |= {"message": flat.afterwards[name], "code": Code.CHANGED_AFTERWARDS}
        _remember_form(submission, name, value, tensor)
    return _mutated(header, data, pristine, passed)


def of_output(
    submission: Submission, item: Output, header: dict[str, Any], given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes]:
    """An output item's function, or its driver."""
    for name in item.asks:
        _written(submission, name, name)
    line = header["line"] = outputs.line_of(submission.names, item.about)

    def code() -> tuple[list[str], dict[str, Any], bytes]:
        value, mutated = outputs.call(submission, item, given, exercise)
        return mutated, *packed(header, value)

    def why(error: BaseException) -> NoValue | None:
        status, message, code = missing.why(error, submission, item, exercise)
        return NoValue(status, message, None if status == "not-written" else line, code) if status else None

    mutated, header, data = called(submission, line, code, why)
    return {**header, **({"mutated": mutated} if mutated else {})}, data


def _other_forward(submission: Submission, flat: Flat, name: str, given: Given, exercise: Exercise) -> str:
    """A forward line of the learner's own that an item is about, and that gives something else than ours."""
    for line in (line for line in exercise.lines if line.name in flat.forward.get(name, ())):
        theirs: Any = submission.cut.get(f"_forward_{line.name}")
        names: Given = {"torch": torch, "F": torch.nn.functional, **_copies(given)}
        try:
            code = theirs.__code__
            passed = [names[k] for k in code.co_varnames[: code.co_argcount]]
            exec(line.code, names)
            value = called(submission, None, lambda run=theirs, passed=passed: run(*passed))  # type: ignore[misc]
            if value.shape != names[line.name].shape or not _near(value, names[line.name]):
                return flat.lines[line.name][1]
        except Exception:
            continue  # it can't be told
    return ""


def _near(value: Any, other: Any) -> bool:
    """But for rounding: an eps of the wrong sign is 1e-5 of what it is added to."""
    largest = other.abs().max().item() if other.is_floating_point() else 0.0
    return bool(torch.allclose(value, other, rtol=0.0, atol=5e-6 * largest))


def _written(submission: Submission, name: str, what: str) -> Any:
    """What a submission defines under a name; NoValue where it has nothing."""
    found, failure = submission.functions.get(name), submission.broken.get(name)
    if found is not None and not failure:
        return found
    if failure := failure or submission.lost.get(name) or (None if submission.flat else submission.failure):
        raise NoValue("error", *failure)
    raise NoValue("not-written", f"the file has no {what}")


def _call(
    submission: Submission,
    function: Any,
    item: Gradient,
    header: dict[str, Any],
    given: Given,
    exercise: Exercise,
) -> Call:
    """How a function is called. The first time its header says on which line it stands and what it reads."""
    call = submission.calls.get(item.name)
    if call is None or call.function is not function:
        header["line"] = line_of(function)
        try:
            call = submission.calls[item.name] = resolve(function, item, given, exercise)
        except BadRequest as error:
            raise NoValue("error", str(error), code=Code.UNKNOWN_PARAMETER) from None
        header["reads"] = call.reads
    return call


def arguments(call: Call, item: Gradient, given: Given) -> tuple[Given, Given]:
    """The given values that a function asks for, and copies of them to be passed."""
    pristine = {k: given[k] for k in call.injected}
    if item.siblings and any(k in call.reads for k in item.siblings):
        pristine = {k: given.get(ALT + k, value) for k, value in pristine.items()}
    return pristine, _copies(pristine)


def _copies(arguments: Given) -> Given:
    return {k: v.clone() if isinstance(v, _Tensor) else v for k, v in arguments.items()}


def _mutated(
    header: dict[str, Any], data: bytes, pristine: Given, passed: Given
) -> tuple[dict[str, Any], bytes]:
    """A record that also names the arguments that were changed."""
    changed = [k for k, v in pristine.items() if passed[k] is not v and not _same(passed[k], v)]
    return ({**header, "mutated": changed} if changed else header), data


def _same(value: Any, pristine: Any) -> bool:
    """Whether an argument still holds what was passed, be it in the learner's own shape."""
    if value.shape != pristine.shape:
        return bool(value.numel() == pristine.numel() and _equal(value.reshape(pristine.shape), pristine))
    return bool(_equal(value, pristine))


def _squeezed(submission: Submission, arguments: Given, own: Collection[str]) -> Given:
    return {**arguments, **{k: arguments[k].squeeze(submission.forms[k]) for k in own}}


def _fits(submission: Submission, call: Call, arguments: Given, tensor: Any) -> bool:
    """Whether a function gives something of its tensor's shape for these arguments, which it may change."""
    copies = _copies(arguments)
    try:
        value = called(submission, None, lambda: call(copies))
    except NoValue:
        return False
    return isinstance(value, _Tensor) and isinstance(tensor, _Tensor) and value.numel() == tensor.numel()


def _remember_form(submission: Submission, name: str, value: Any, tensor: Any) -> None:
    """Keep the axes of size 1 that a gradient of flat code lacks: what follows was written for it so."""
    if isinstance(value, _Tensor) and isinstance(tensor, _Tensor) and value.shape != tensor.shape:
        ones = tuple(i for i, size in enumerate(tensor.shape) if size == 1)
        if ones and tensor.squeeze(ones).shape == value.shape:
            submission.forms.setdefault(name, ones)
