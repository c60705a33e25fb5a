"""One item asked of a submission, in the untrusted process: its function called, its answer packed."""

from __future__ import annotations

import re
import types
from typing import Any

import torch

from grader.core.calling import BadRequest, Call, line_of, resolve
from grader.core.exercise import ALT, Exercise, Gradient, Item, Output, is_probe
from grader.core.finding import Code
from grader.runner import wire
from grader.runner.untrusted import byhand, outputs
from grader.runner.untrusted.loading import Submission, describe, is_stub
from grader.runner.untrusted.slips import remedy
from grader.runner.warm import limits

# Bound before a submission can replace them.
_Tensor, _equal = torch.Tensor, torch.equal
_float32, _float64 = torch.float32, torch.float64

POLICY = byhand.Policy()
UNBOUND = re.compile(r"UnboundLocalError: \D*local variable '(\w+)'")  # flat code has no local variables

Given = dict[str, Any]  # one fixture's tensors and sizes by name


def guard_forward(submission: Submission, exercise: Exercise) -> None:
    """The stub's forward pass run again inside an item is how one differentiates by small differences."""
    forward: Any = submission.names.get("forward")
    code = getattr(forward, "__code__", None)
    if code is None or list(code.co_varnames[: code.co_argcount]) != list(exercise.inputs):
        return  # a helper of the learner's own that is called so
    refused = POLICY.refuse("the forward pass, run again,")

    def guarded(*args: Any, **keywords: Any) -> Any:
        refused()
        return forward(*args, **keywords)

    submission.names["forward"] = guarded


def failed(error: BaseException, filename: str, line: int | None) -> dict[str, Any]:
    """The fields of a record for an exception: an error, or a limit that was met."""
    limit = limits.met(error)
    message, at = describe(error, filename)
    status = "over-limit" if limit else "error"
    return {"status": status, "message": limit or message, "line": at or line}


def ask(
    submission: Submission, item: Item, fixture: str, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes]:
    """Call an item's function on one fixture; a header and the value's bytes."""
    if isinstance(item, Output):
        return ask_output(submission, item, fixture, given, exercise)
    return ask_gradient(submission, item, fixture, given, exercise)


def ask_gradient(
    submission: Submission, item: Gradient, fixture: str, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes]:
    """Call one gradient's function on one fixture; a header and the value's bytes."""
    name = item.name
    header: dict[str, Any] = {"fixture": fixture, "item": name}
    function = submission.names.get(name)
    if not is_probe(fixture):  # there it counts what became of the value in the end
        function = submission.changed.get(name, function)
    broken = submission.broken.get(name)
    flat = submission.flat
    if flat and name in flat.refused:
        message, at = flat.refused[name]
        return {**header, "status": "refused", "message": message, "line": at}, b""
    if function is None or broken:
        if broken := broken or (None if flat else submission.failure):
            return {**header, "status": "error", "message": broken[0], "line": broken[1]}, b""
        return {**header, "status": "not-written", "message": f"the file has no function {name}"}, b""
    line = line_of(function)
    call = submission.calls.get(name)
    if call is None or call.function is not function:
        header["line"] = line
        try:
            call = submission.calls[name] = resolve(function, item, given, exercise)
        except BadRequest as error:
            why = {"status": "error", "message": str(error), "code": Code.UNKNOWN_PARAMETER}
            return {**header, **why}, b""
        header["reads"] = call.reads  # told once
    alternative = any(k in call.reads for k in item.siblings)
    pristine = {k: given[k] for k in call.injected}
    if alternative:
        pristine = {k: given.get(ALT + k, v) for k, v in pristine.items()}
    passed = {k: v.clone() if isinstance(v, _Tensor) else v for k, v in pristine.items()}
    if own := submission.forms.keys() & passed.keys():  # the learner's own shape, (32,) for (32, 1)
        squeezed = {**passed, **{k: passed[k].squeeze(submission.forms[k]) for k in own}}
        if _fits(call, squeezed, given.get(item.tensor)):
            passed |= {k: passed[k].squeeze(submission.forms[k]) for k in own}
    POLICY.called, POLICY.running = None, True
    try:
        value = call(passed)
    except BaseException as error:
        if is_stub(error, submission.filename):
            return {**header, "status": "not-written"}, b""
        if not POLICY.called:
            why = failed(error, submission.filename, line)
            if flat and (unbound := UNBOUND.match(why["message"])):
                told = f"NameError: {unbound[1]} has no value yet on this line"
                why |= {"message": told, "code": Code.UNDEFINED_NAME}
            elif not flat and why["status"] == "error":
                names = (*call.injected, *submission.names)
                if found := remedy(why["message"], item, given, exercise, names):
                    why |= {"message": f"{why['message']}; {found.text}", "code": found.code}
            return {**header, **why}, b""
        header["line"] = describe(error, submission.filename)[1] or line
    finally:
        POLICY.running = False
    if POLICY.called:
        return {**header, "status": "refused", "message": f"{POLICY.called} {byhand.WHY}"}, b""
    header, data = pack(header, value)
    if flat and isinstance(value, types.FunctionType):
        told = f"{name} is a function here; flat code assigns the gradient itself: {name} = …"
        header |= {"message": told, "code": Code.FUNCTION_FOR_TENSOR}
    elif flat and header["status"] == "value":
        header["message"] = flat.notes.get(name, "")
        if function is submission.changed.get(name):
            header |= {"message": flat.afterwards[name], "code": Code.CHANGED_AFTERWARDS}
        _remember_form(submission, name, value, given.get(item.tensor))
    mutated = [k for k, v in pristine.items() if passed[k] is not v and not _same(passed[k], v)]
    if mutated:
        header["mutated"] = mutated
    return header, data


def _same(value: Any, pristine: Any) -> bool:
    """Whether an argument still holds what was passed, be it in the learner's own shape."""
    return bool(value.numel() == pristine.numel() and _equal(value.reshape(pristine.shape), pristine))


def _fits(call: Call, arguments: Given, tensor: Any) -> bool:
    """Whether a function gives something of its tensor's shape for these arguments, which it may change."""
    copies = {k: v.clone() if isinstance(v, _Tensor) else v for k, v in arguments.items()}
    POLICY.called, POLICY.running = None, True
    try:
        value = call(copies)
    except Exception:
        return False
    finally:
        POLICY.running = False
    return isinstance(value, _Tensor) and isinstance(tensor, _Tensor) and value.numel() == tensor.numel()


def ask_output(
    submission: Submission, item: Output, fixture: str, given: Given, exercise: Exercise
) -> tuple[dict[str, Any], bytes]:
    """Call one output item's function, or its driver, on one fixture; a header and the value's bytes."""
    header: dict[str, Any] = {"fixture": fixture, "item": item.name}
    for name in item.asks:
        if name not in submission.names or name in submission.broken:
            if failure := submission.broken.get(name) or submission.failure:
                return {**header, "status": "error", "message": failure[0], "line": failure[1]}, b""
            return {**header, "status": "not-written", "message": f"the file has no {name}"}, b""
    line = outputs.line_of(submission.names, item.about)
    POLICY.called, POLICY.running = None, True
    try:
        value, mutated = outputs.call(submission, item, given, exercise)
        packed = pack if isinstance(value, _Tensor) else outputs.pack
        header, data = packed({**header, "line": line}, value)
    except BadRequest as error:
        return {**header, "status": "error", "message": str(error), "line": line}, b""
    except BaseException as error:
        if is_stub(error, submission.filename):
            return {**header, "status": "not-written"}, b""
        if not POLICY.called:
            return {**header, **failed(error, submission.filename, line)}, b""
        header["line"] = describe(error, submission.filename)[1] or line
    finally:
        POLICY.running = False
    if POLICY.called:
        return {**header, "status": "refused", "message": f"{POLICY.called} {byhand.WHY}"}, b""
    if mutated:
        header["mutated"] = mutated
    return header, data


def _remember_form(submission: Submission, name: str, value: Any, tensor: Any) -> None:
    """Keep the axes of size 1 that a gradient of flat code lacks: what follows was written for it so."""
    if isinstance(value, _Tensor) and isinstance(tensor, _Tensor) and value.shape != tensor.shape:
        ones = tuple(i for i, size in enumerate(tensor.shape) if size == 1)
        if ones and tensor.squeeze(ones).shape == value.shape:
            submission.forms.setdefault(name, ones)


def pack(header: dict[str, Any], value: Any) -> tuple[dict[str, Any], bytes]:
    """Reduce what a function returned to plain data."""
    if not isinstance(value, _Tensor):
        name = type(value).__name__[:80]
        article = "an" if name[:1] in "aeio" or name == "ndarray" else "a"
        kind = "None (is a `return` missing?)" if value is None else f"{article} {name}"
        code = Code.MISSING_RETURN if value is None else Code.NOT_A_TENSOR
        told = f"returned {kind}, not a tensor"
        return {**header, "status": "not-a-tensor", "message": told, "code": code}, b""
    try:
        strided = value if value.layout is torch.strided else value.to_dense()
        plain = strided.detach().as_subclass(_Tensor)
        header["dtype"] = str(plain.dtype).removeprefix("torch.")
        if plain.dim() > wire.MAX_DIMS:
            message = f"returned a tensor of {plain.dim()} dimensions"
            return {**header, "status": "not-a-tensor", "message": message}, b""
        header["shape"] = list(plain.shape)
        header["status"] = "value"
        if max((plain.numel(), *plain.shape)) > wire.MAX_ELEMENTS:
            return header, b""
        if plain.device.type != "cpu":
            message = f"returned a tensor on {plain.device.type}, which holds no values here"
            return {**header, "status": "not-a-tensor", "message": message}, b""
        if plain.is_complex():
            return header, b""
        plain = plain.resolve_conj().resolve_neg()
        encoded = plain if plain.dtype is _float32 else plain.to(_float64)
        header["encoded"] = "float32" if plain.dtype is _float32 else "float64"
        header["sent"] = True
        return header, encoded.contiguous().numpy().tobytes()
    except Exception as error:
        message = f"returned a tensor that can't be read: {describe(error, '')[0]}"
        failed = {k: v for k, v in header.items() if k not in ("encoded", "sent", "shape")}
        return {**failed, "status": "not-a-tensor", "message": message}, b""
