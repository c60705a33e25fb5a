"""The untrusted side: runs one submission on the given tensors and sends what its functions return.

Everything here shares a process with the submission, so nothing here decides anything: it holds no
reference, and the trusted side believes none of it but the numbers, which it compares.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grader.program import Program
from grader.runner import byhand, limits, outputs, wire
from grader.runner.calls import BadRequest, Call, line_of, resolve
from grader.runner.loading import Submission, define, describe, is_stub, load, load_flat
from grader.runner.slips import remedy
from grader.training import Backward, Whole, manual_steps

# Bound before a submission can replace them.
_write, _exit, _Tensor = os.write, os._exit, torch.Tensor
_equal = torch.equal
_float32, _float64 = torch.float32, torch.float64

POLICY = byhand.Policy()
UNBOUND = re.compile(r"UnboundLocalError: \D*local variable '(\w+)'")  # flat code has no local variables

Given = dict[str, Any]  # one fixture's tensors and sizes by name


@dataclass(frozen=True)
class Job:
    """One exercise's part of what a child is to do: its public description, which fixtures and items to ask.

    label: stands before the fixtures' names in what is sent, where a child has several parts.
    """

    exercise: Mapping[str, Any]
    fixtures: Mapping[str, Given]
    items: tuple[str, ...]
    training: Given | None = None
    flat: int | None = None  # flat code, and the lecture's number of the exercise in it (0: of no lecture)
    label: str = ""


KEPT: list[Any] = []  # what ends with its last reference


def main(jobs: Sequence[Job], source: bytes, filename: str, result: int, off: Sequence[str]) -> None:
    """Run the submission in `source` and write records to the descriptor `result`.

    jobs: one, or several of flat code, which is then taken apart once.
    off: the layers of confinement that this process has to do without; told before anything else.
    """
    send = _sender(result)
    send({"off": list(off)}, b"")
    null = os.open(os.devnull, os.O_WRONLY)  # now: later there may be no descriptor left
    POLICY.enforced = True
    del Program.pull, Program.gradients  # which the oracle has, a process of its own
    sys.addaudithook(limits.watch)
    KEPT.append(torch.inference_mode())
    KEPT[-1].__enter__()
    if jobs[0].flat is None:
        submissions = [load(source, filename)]
        guard_forward(submissions[0], jobs[0].exercise)
    else:
        submissions = load_flat(source, filename, [(_gradients(job), job.flat or None) for job in jobs])
        for job, submission in zip(jobs, submissions, strict=True):
            for header in unwritten(submission, job):
                send(header, b"")
    unparsed = submissions[0].unparsed
    send({"loaded": True} | ({"unparsed": unparsed} if unparsed else {}), b"")
    parts = list(zip(jobs, submissions, strict=True))
    for job, submission in parts:
        define(submission)
        for record in items(submission, job, list(job.fixtures)[:1]):
            send(*record)
    _silence(null)  # what a submission prints is shown once, from the lecture fixture
    for job, submission in parts:
        for record in items(submission, job, list(job.fixtures)[1:]):
            send(*record)
        if job.training is not None and not (submission.flat and waits(submission, job.exercise)):
            for header, data in train(submission, job.exercise, job.training):
                send({**header, "fixture": job.label + header["fixture"]}, data)
    send({"end": True}, b"")


def unwritten(submission: Submission, job: Job) -> Iterator[dict[str, Any]]:
    """Records of the items that flat code doesn't have, which needs nothing of it to run."""
    for fixture in job.fixtures:
        for name in submission.absent & set(job.items):
            message, line = submission.flat.missing[name] if submission.flat else ("", None)
            header = {"fixture": job.label + fixture, "item": name, "status": "not-written"}
            yield {**header, "message": message, "line": line}
    if job.training is not None and (message := waits(submission, job.exercise)):
        for name in job.exercise["training"]["parameters"]:
            header = {"fixture": job.label + "training", "item": name, "status": "not-written"}
            yield {**header, "message": message}


def items(
    submission: Submission, job: Job, fixtures: Sequence[str]
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The records of a job's items on some of its fixtures."""
    for name in fixtures:
        for item in job.exercise["items"]:
            if item["name"] in job.items and item["name"] not in submission.absent:
                one = ask_output if item.get("compare") else ask
                header, data = one(submission, item, name, job.fixtures[name], job.exercise)
                yield {**header, "fixture": job.label + name}, data


def _gradients(job: Job) -> Mapping[str, Any]:
    return {**job.exercise, "items": [item for item in job.exercise["items"] if not item.get("compare")]}


def _sender(fd: int) -> Callable[[dict[str, Any], bytes], None]:
    """Sends each record at once: should the next item end the process, this one counts."""
    encode = wire.encode

    def send(header: dict[str, Any], data: bytes) -> None:
        view = memoryview(encode(header, data))
        while view:
            view = view[_write(fd, view) :]

    return send


def _silence(null: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    os.dup2(null, 1)
    os.dup2(null, 2)


# --- one item --------------------------------------------------------------------------------------


def guard_forward(submission: Submission, exercise: Mapping[str, Any]) -> None:
    """The stub's forward pass run again inside an item is how one differentiates by small differences."""
    forward: Any = submission.names.get("forward")
    code = getattr(forward, "__code__", None)
    if code is None or list(code.co_varnames[: code.co_argcount]) != list(exercise["inputs"]):
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
    submission: Submission, item: Mapping[str, Any], fixture: str, given: Given, exercise: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Call one item's function on one fixture; a header and the value's bytes."""
    name = item["name"]
    header: dict[str, Any] = {"fixture": fixture, "item": name}
    function = submission.names.get(name)
    if not fixture.startswith("probe"):  # there it counts what became of the value in the end
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
            return {**header, "status": "error", "message": str(error)}, b""
        header["reads"] = call.reads  # told once
    alternative = any(k in call.reads for k in item["siblings"])
    pristine = {k: given[k] for k in call.injected}
    if alternative:
        pristine = {k: given.get(wire.ALT + k, v) for k, v in pristine.items()}
    passed = {k: v.clone() if isinstance(v, _Tensor) else v for k, v in pristine.items()}
    if own := submission.forms.keys() & passed.keys():  # the learner's own shape, (32,) for (32, 1)
        squeezed = {**passed, **{k: passed[k].squeeze(submission.forms[k]) for k in own}}
        if _fits(call, squeezed, given.get(item["tensor"])):
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
                why["message"] = f"NameError: {unbound[1]} has no value yet on this line"
            elif not flat and why["status"] == "error":
                names = (*call.injected, *submission.names)
                why["message"] += remedy(why["message"], item, given, exercise, names)
            return {**header, **why}, b""
        header["line"] = describe(error, submission.filename)[1] or line
    finally:
        POLICY.running = False
    if POLICY.called:
        return {**header, "status": "refused", "message": f"{POLICY.called} {byhand.WHY}"}, b""
    header, data = pack(header, value)
    if flat and isinstance(value, types.FunctionType):
        header["message"] = f"{name} is a function here; flat code assigns the gradient itself: {name} = …"
    elif flat and header["status"] == "value":
        header["message"] = flat.notes.get(name, "")
        if function is submission.changed.get(name):
            header["message"] = flat.afterwards[name]
        _remember_form(submission, name, value, given.get(item["tensor"]))
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
    submission: Submission, item: Mapping[str, Any], fixture: str, given: Given, exercise: Mapping[str, Any]
) -> tuple[dict[str, Any], bytes]:
    """Call one output item's function, or its driver, on one fixture; a header and the value's bytes."""
    header: dict[str, Any] = {"fixture": fixture, "item": item["name"]}
    for name in item["asks"]:
        if name not in submission.names or name in submission.broken:
            if failure := submission.broken.get(name) or submission.failure:
                return {**header, "status": "error", "message": failure[0], "line": failure[1]}, b""
            return {**header, "status": "not-written", "message": f"the file has no {name}"}, b""
    line = outputs.line_of(submission.names, item["about"])
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
        return {**header, "status": "not-a-tensor", "message": f"returned {kind}, not a tensor"}, b""
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


# --- a chain of items that trains ------------------------------------------------------------------


def waits(submission: Submission, exercise: Mapping[str, Any]) -> str:
    """Why there can be no training yet; empty where there can."""
    if submission.flat:
        absent = (
            [] if submission.flat.whole else [i for i in exercise["items"] if i["name"] in submission.absent]
        )
    else:
        absent = [item for item in exercise["items"] if item["name"] not in submission.names]
    return f"waits for {absent[0]['name']}" if absent else ""


def train(
    submission: Submission, exercise: Mapping[str, Any], given: Given
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Drive training with the submission's own gradients; one record for each parameter tensor."""
    names = exercise["training"]["parameters"]
    header: dict[str, Any] = {"fixture": "training"}
    whole = submission.names.get("whole") if submission.flat else None
    if message := waits(submission, exercise):
        for name in names:
            yield {**header, "item": name, "status": "not-written", "message": message}, b""
        return
    POLICY.called, POLICY.running = None, True
    try:
        backward: Backward | Whole
        if whole is not None:
            backward = Whole(whole, exercise)
        else:
            functions = {item["name"]: submission.names[item["name"]] for item in exercise["items"]}
            backward = Backward(functions, exercise)
        parameters, losses = manual_steps(exercise, backward, given)
    except BaseException as error:
        why = failed(error, submission.filename, None)
        if POLICY.called:
            why = {**why, "status": "refused", "message": f"{POLICY.called} {byhand.WHY}"}
        elif is_stub(error, submission.filename):
            why = {"status": "not-written", "message": "waits for all gradients"}
        for name in names:
            yield {**header, **why, "item": name}, b""
        return
    finally:
        POLICY.running = False
    for name in names:
        yield pack({**header, "item": name}, parameters[name])
    yield pack({**header, "item": wire.LOSSES}, losses)


def end(code: int = 0) -> None:
    """Leave at once: no atexit handler, no destructor, no thread of the submission runs on."""
    signal.alarm(0)
    _exit(code)
