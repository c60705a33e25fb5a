"""The untrusted side: runs one submission on the given tensors and sends what its functions return.

Everything here shares a process with the submission, so nothing here decides anything: it holds no
reference, and the trusted side believes none of it but the numbers, which it compares.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple

import torch

from grader.core.exercise import LOSSES, Exercise
from grader.core.finding import Code
from grader.reference.training import Backward, Whole, manual_steps
from grader.runner import wire
from grader.runner.untrusted.asking import (
    POLICY,
    Given,
    NoValue,
    ask,
    called,
    guard_forward,
)
from grader.runner.untrusted.bounded import Turns
from grader.runner.untrusted.loading import Submission, define, load, load_flat, rename
from grader.runner.untrusted.packing import pack
from grader.runner.untrusted.variants import Asked, gradients_changed, outputs_changed, recorded
from grader.runner.warm import limits

# Bound before a submission can replace them.
_read, _write, _exit, _decode = os.read, os.write, os._exit, json.loads
LUMP = 1 << 15  # bytes of answers to a request that are sent at a time


@dataclass(frozen=True)
class Job:
    """One exercise's part of what a child is to do: its public description, which fixtures and items to ask.

    label: stands before the fixtures' names in what is sent, where a child has several parts.
    variants: an output and the text of another function for it, each.
    recorded: items of which is told what torch does in them.
    """

    exercise: Exercise
    fixtures: Mapping[str, Given]
    items: tuple[str, ...]
    training: Given | None = None
    flat: int | None = None  # flat code, and the lecture's number of the exercise in it (0: of no lecture)
    label: str = ""
    variants: tuple[tuple[str, str], ...] = ()
    recorded: tuple[str, ...] = ()


class Ends(NamedTuple):
    """The descriptors of a job: where records go, and whence more requests come to who stays for them."""

    result: int
    rounds: int | None = None


def main(jobs: Sequence[Job], source: bytes, filename: str, ends: Ends, off: Sequence[str]) -> None:
    """Run the submission in `source` and write records.

    jobs: one, or several of flat code, which is then taken apart once.
    off: the layers of confinement that this process has to do without; told before anything else.
    """
    send = sender(ends.result)
    send({"off": list(off)}, b"")
    null = os.open(os.devnull, os.O_WRONLY)  # now: later there may be no descriptor left
    POLICY.enforce()
    sys.addaudithook(limits.watch)
    turns = Turns() if jobs[0].variants else None
    if jobs[0].flat is None:
        submissions = [load(source, filename, turns)]
        rename(submissions[0], source)
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
        asked = Asked(submission, job.exercise, job.fixtures)
        for header, data in chain(outputs_changed(asked, job.variants, turns), recorded(asked, job.recorded)):
            send({**header, "fixture": job.label + header["fixture"]}, data)
    if ends.rounds is None:
        send({"end": True}, b"")
    else:
        serve(Asked(submissions[0], jobs[0].exercise, jobs[0].fixtures), ends)


def serve(asked: Asked, ends: Ends) -> None:
    """Answer requests until there are no more: what functions give on some fixtures when they are changed."""
    assert ends.rounds is not None
    lump = bytearray()

    def send(header: dict[str, Any], data: bytes) -> None:
        nonlocal lump
        lump += wire.encode(header, data)
        if len(lump) > LUMP or "end" in header:
            write(ends.result, lump)
            lump = bytearray()

    while length := read(ends.rounds, wire.LENGTH.size):
        request = _decode(read(ends.rounds, *wire.LENGTH.unpack(length)))
        on = {name: asked.fixtures[name] for name in request["fixtures"]}
        for record in gradients_changed(replace(asked, fixtures=on), request["variants"]):
            send(*record)
        send({"end": True}, b"")


def unwritten(submission: Submission, job: Job) -> Iterator[dict[str, Any]]:
    """Records of the items that flat code doesn't have, which needs nothing of it to run."""
    for fixture in job.fixtures:
        for name in submission.absent & set(job.items):
            assert submission.flat
            why, line = submission.flat.missing[name]
            header = {"fixture": job.label + fixture, "item": name, "status": "not-written"}
            yield {**header, "message": why.text, "code": why.code, "line": line}
    if job.training is not None and (message := waits(submission, job.exercise)):
        for name in _parameters(job.exercise):
            header = {"fixture": job.label + "training", "item": name, "status": "not-written"}
            yield {**header, "message": message, "code": Code.WAITS}


def items(
    submission: Submission, job: Job, fixtures: Sequence[str]
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The records of a job's items on some of its fixtures."""
    for name in fixtures:
        for item in job.exercise.items:
            if item.name in job.items and item.name not in submission.absent:
                header, data = ask(submission, item, name, job.fixtures[name], job.exercise)
                yield {**header, "fixture": job.label + name}, data


def _gradients(job: Job) -> Exercise:
    return replace(job.exercise, items=job.exercise.gradients)


def sender(fd: int) -> Callable[[dict[str, Any], bytes], None]:
    """Sends each record at once: should the next item end the process, this one counts."""
    encode = wire.encode

    def send(header: dict[str, Any], data: bytes) -> None:
        write(fd, encode(header, data))

    return send


def write(fd: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[_write(fd, view) :]


def read(fd: int, size: int) -> bytes:
    """So many bytes of a descriptor; fewer where it ends before."""
    found = bytearray()
    while len(found) < size and (piece := _read(fd, size - len(found))):
        found += piece
    return bytes(found)


def _silence(null: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    os.dup2(null, 1)
    os.dup2(null, 2)


# --- a chain of items that trains ------------------------------------------------------------------


def waits(submission: Submission, exercise: Exercise) -> str:
    """Why there can be no training yet; empty where there can."""
    if submission.flat:
        absent = [] if submission.flat.whole else [i for i in exercise.items if i.name in submission.absent]
    else:
        absent = [item for item in exercise.items if item.name not in submission.functions]
    return f"waits for {absent[0].name}" if absent else ""


def _parameters(exercise: Exercise) -> tuple[str, ...]:
    return exercise.training.parameters if exercise.training else ()


def train(submission: Submission, exercise: Exercise, given: Given) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Drive training with the submission's own gradients; one record for each parameter tensor."""
    names = _parameters(exercise)
    header: dict[str, Any] = {"fixture": "training"}
    whole = submission.functions.get("whole") if submission.flat else None
    if message := waits(submission, exercise):
        for name in names:
            why_not = {"status": "not-written", "message": message, "code": Code.WAITS}
            yield {**header, **why_not, "item": name}, b""
        return

    if submission.flat and whole is None and submission.flat.refused:
        message, line = next(iter(submission.flat.refused.values()))
        for name in names:
            yield {**header, "status": "refused", "message": message, "line": line, "item": name}, b""
        return

    def code() -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        if whole is not None:
            return manual_steps(exercise, Whole(whole, exercise), given)
        functions = {item.name: submission.functions[item.name] for item in exercise.items}
        return manual_steps(exercise, Backward(functions, exercise), given)

    try:
        parameters, losses = called(submission, None, code)
    except NoValue as why:
        if why.fields["status"] == "not-written":
            why.fields |= {"message": "waits for all gradients", "code": Code.WAITS}
        for name in names:
            yield {**header, **why.fields, "item": name}, b""
        return
    for name in names:
        yield pack({**header, "item": name}, parameters[name])
    yield pack({**header, "item": LOSSES}, losses)


def end(work: Callable[[], None]) -> None:
    """Do a process's work and leave at once: no atexit handler, no destructor, no thread of the submission
    runs on."""
    code = 1
    try:
        work()
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        _exit(code)
