"""The untrusted side: runs one submission on the given tensors and sends what its functions return.

Everything here shares a process with the submission, so nothing here decides anything: it holds no
reference, and the trusted side believes none of it but the numbers, which it compares.
"""

from __future__ import annotations

import ast
import linecache
import os
import re
import signal
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from grader.runner import byhand, limits, wire
from grader.runner.calls import BadRequest, Call, line_of, resolve
from grader.training import Backward, manual_steps

# Bound before a submission can replace them.
_write, _exit, _Tensor = os.write, os._exit, torch.Tensor
_equal = torch.equal
_float32, _float64 = torch.float32, torch.float64

POLICY = byhand.Policy()

Given = dict[str, Any]  # one fixture's tensors and sizes by name


@dataclass(frozen=True)
class Job:
    """What a child is to do: the exercise's public description, and which fixtures and items to ask."""

    exercise: Mapping[str, Any]
    fixtures: Mapping[str, Given]
    items: tuple[str, ...]
    filename: str
    training: Given | None = None
    kept: list[Any] = field(default_factory=list)  # what ends with its last reference


@dataclass
class Submission:
    """A submission after its top level ran: its names, and what went wrong by line and by name."""

    names: dict[str, Any]
    filename: str
    broken: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    failure: tuple[str, int | None] | None = None
    calls: dict[str, Call] = field(default_factory=dict)


def main(job: Job, source: bytes, result: int, off: Sequence[str]) -> None:
    """Run the submission in `source` and write records to the descriptor `result`.

    off: the layers of confinement that this process has to do without; told before anything else.
    """
    send = _sender(result)
    send({"off": list(off)}, b"")
    null = os.open(os.devnull, os.O_WRONLY)  # now: later there may be no descriptor left
    POLICY.enforced = True
    sys.addaudithook(limits.watch)
    job.kept.append(torch.inference_mode())
    job.kept[-1].__enter__()
    submission = load(source, job.filename)
    guard_forward(submission, job.exercise)
    send({"loaded": True}, b"")
    for number, (name, given) in enumerate(job.fixtures.items()):
        if number == 1:
            _silence(null)  # what a submission prints is shown once, from the lecture fixture
        for item in job.exercise["items"]:
            if item["name"] in job.items:
                send(*ask(submission, item, name, given, job.exercise))
    if job.training is not None:
        for header, data in train(submission, job.exercise, job.training):
            send(header, data)
    send({"end": True}, b"")


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


# --- the top level of a submission -----------------------------------------------------------------


def load(source: bytes, filename: str) -> Submission:
    """Run a submission's top level. A statement that fails costs itself alone: the rest still runs."""
    module = types.ModuleType("submission")
    module.__file__ = filename
    sys.modules["submission"] = module
    submission = Submission(module.__dict__, filename)
    try:
        text = _decode(source)
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        try:
            whole = compile(text, filename, "exec", dont_inherit=True)
        except SyntaxError:
            _each(list(_statements(text, submission)), submission)
            return submission
    except BaseException as error:
        submission.failure = describe(error, filename)
        return submission
    try:
        exec(whole, submission.names)
    except Exception as error:
        submission.failure = describe(error, filename)
        reached = _top_line(error, filename)
        _each([node for node in ast.parse(text, filename).body if node.lineno > reached], submission)
    except BaseException as error:
        submission.failure = describe(error, filename)
    return submission


def _top_line(error: BaseException, filename: str) -> int:
    """The line that the top level had reached when it raised."""
    tb = error.__traceback__
    while tb is not None and not (
        tb.tb_frame.f_code.co_name == "<module>" and tb.tb_frame.f_code.co_filename == filename
    ):
        tb = tb.tb_next
    return tb.tb_lineno if tb is not None else sys.maxsize


def _each(statements: list[ast.stmt], submission: Submission) -> None:
    for node in statements:
        try:
            code = compile(ast.Module([node], []), submission.filename, "exec", dont_inherit=True)
            exec(code, submission.names)
        except BaseException as error:
            submission.failure = submission.failure or describe(error, submission.filename)
            if not isinstance(error, Exception):
                return


def _decode(source: bytes) -> str:
    if b"coding" in source[:400]:  # perhaps a cookie; only then is the tokenizer asked
        import io
        import tokenize

        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    else:
        encoding = "utf-8-sig"
    return source.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


_HEAD = re.compile(r"(?:async\s+)?(?:def|class)\s+(\w+)")
_GOES_ON = re.compile(r"\s|[)\]}#]|(?:else|elif|except|finally)\b|$")


def _statements(text: str, submission: Submission) -> Iterator[ast.stmt]:
    """The top-level statements that parse. A block that doesn't is blanked and recorded under its name."""
    lines = text.split("\n")
    starts = [i for i, line in enumerate(lines) if not _GOES_ON.match(line)]
    starts = [i for i in starts if i == 0 or not lines[i - 1].startswith("@")] or [0]
    for _ in starts:
        try:
            yield from ast.parse("\n".join(lines), submission.filename).body
            return
        except SyntaxError as error:
            told = describe(error, submission.filename)
            said = re.search(r"on line (\d+)", str(error.msg))  # "expected an indented block after …"
            at = (int(said[1]) if said else error.lineno or 1) - 1
        block = max((i for i in starts if i <= at and lines[i]), default=starts[0])
        end = next((i for i in starts if i > block), len(lines))
        heads = [
            m[1]
            for line in lines[: block + 1 if lines[block][:1] != "@" else end]
            if (m := _HEAD.match(line))
        ]
        if heads and (_HEAD.match(lines[block]) or lines[block].startswith("@")):
            submission.broken.setdefault(heads[-1], told)
        else:
            submission.failure = submission.failure or told
        lines[block:end] = [""] * (end - block)


def is_stub(error: BaseException, filename: str) -> bool:
    """Whether an exception is a stub's own `raise NotImplementedError`, not one of torch's."""
    if not isinstance(error, NotImplementedError):
        return False
    _, line = describe(error, filename)
    return line is None or linecache.getline(filename, line).lstrip().startswith("raise")


def describe(error: BaseException, filename: str) -> tuple[str, int | None]:
    """'Type: message' and the submission's own line, whatever the exception object does when asked."""
    line = None
    if isinstance(error, SyntaxError):
        line = error.lineno
        text = str(error.msg)
    else:
        tb = error.__traceback__
        while tb is not None:
            if tb.tb_frame.f_code.co_filename == filename:
                line = tb.tb_lineno
            tb = tb.tb_next
        try:
            text = str(error)
        except BaseException:
            text = "(its message can't be read)"
    name = str(type.__getattribute__(type(error), "__name__"))
    first = text.strip().split("\n", 1)[0][:400]
    return f"{name[:80]}: {first}" if first else name[:80], line if line and line > 0 else None


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
    broken = submission.broken.get(name)
    if function is None or broken:
        if broken := broken or submission.failure:
            return {**header, "status": "error", "message": broken[0], "line": broken[1]}, b""
        return {**header, "status": "not-written", "message": f"the file has no function {name}"}, b""
    line = line_of(function)
    call = submission.calls.get(name)
    if call is None:
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
    POLICY.called, POLICY.running = None, True
    try:
        value = call(passed)
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
    header, data = pack(header, value)
    mutated = [k for k, v in pristine.items() if passed[k] is not v and not _equal(passed[k], v)]
    if mutated:
        header["mutated"] = mutated
    return header, data


def pack(header: dict[str, Any], value: Any) -> tuple[dict[str, Any], bytes]:
    """Reduce what a function returned to plain data."""
    if not isinstance(value, _Tensor):
        kind = "None (is a `return` missing?)" if value is None else f"a {type(value).__name__[:80]}"
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


def train(
    submission: Submission, exercise: Mapping[str, Any], given: Given
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Drive training with the submission's own gradients; one record for each parameter tensor."""
    names = exercise["training"]["parameters"]
    header: dict[str, Any] = {"fixture": "training"}
    missing = [item["name"] for item in exercise["items"] if item["name"] not in submission.names]
    if missing:
        for name in names:
            yield {**header, "item": name, "status": "not-written", "message": f"waits for {missing[0]}"}, b""
        return
    POLICY.called, POLICY.running = None, True
    try:
        functions = {item["name"]: submission.names[item["name"]] for item in exercise["items"]}
        parameters, losses = manual_steps(exercise, Backward(functions, exercise), given)
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
