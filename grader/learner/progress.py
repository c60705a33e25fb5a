"""What a learner has reached: the last check of each item and the rung of its hints, in one small file.

`.grader/progress.json` stands beside `exercises/`. Each entry is tied to the text of its function and of
what the file shares (imports, helpers): after an edit it no longer counts. Two processes may write at
once: a lock, and the file is only ever replaced whole. A file that can't be understood is put aside; a
folder that can't be written to means that nothing is remembered, which a check says.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from grader.core import parsing
from grader.core.exercise import Exercise, File, Output
from grader.suite.files import free, locked, moved, replacing
from grader.suite.find import item_names

if TYPE_CHECKING:
    from grader.core.verdict import Report

FORMAT = 1
ATTEMPTS = 40  # of an item that are kept
# "items": by item its last check; "rungs": by item the last rung shown; "attempts"; "files": by exercise the
# digest of its file, where that is the one of which all of its items' last checks are, and they have passed
State = dict[str, Any]


class Status(StrEnum):
    """Where an item stands. Closed."""

    PASSED = "passed"
    WRONG = "wrong"  # its last check did not pass
    UNCHECKED = "unchecked"  # written, but edited since its last check or never checked
    READY = "can be done now"  # not written, and all that it takes has passed
    LATER = "not written"  # and an upstream gradient's own item hasn't passed


@dataclass(frozen=True)
class Last:
    """The last check of an item: its verdict and the reason, and the digest of what was checked."""

    verdict: str
    passed: bool
    said: str
    line: int | None
    source: str


LAST = {name: get_args(kind) or (kind,) for name, kind in get_type_hints(Last).items()}


def empty() -> State:
    return {"format": FORMAT, "items": {}, "rungs": {}}


def record(work: Path, report: Report, sources: Mapping[str, File]) -> tuple[State, str]:
    """Remember a check of exercises/; the state as it is now, and what hinders that, in words, or nothing.

    work: the folder that holds them. sources: by exercise, as graded.
    """
    entries = {}
    marks = {exercise.id: digests(sources[exercise.id].data) for exercise in report.exercises}
    for exercise in report.exercises:
        for item in exercise.items:
            said, source = item.diagnosis or item.check.reason, marks[exercise.id](item.id.rpartition(".")[2])
            entries[item.id] = vars(Last(item.verdict.value, item.passed, said, item.line, source))
    now: list[State] = []

    def change(state: State) -> None:
        now.append(state)
        for name, entry in entries.items():
            if entry["verdict"] != "not-written" and entry != state["items"].get(name):
                told = state.setdefault("attempts", {}).setdefault(name, [])
                told.append([int(time.time()), entry["verdict"], entry["said"]])
                del told[:-ATTEMPTS]
        state["items"].update(entries)
        known = [(item.rpartition("."), last) for item, last in state["items"].items()]
        asked = [(of, item, last) for (of, _, item), last in known if of in marks]
        other = {of for of, item, last in asked if not last["passed"] or marks[of](item) != last["source"]}
        whole = {name: _digest(sources[name].data) for name in marks.keys() - other}
        state["files"] = {k: v for k, v in state.get("files", {}).items() if k not in other} | whole

    hindered = update(work, change)
    return now[0] if now else read(work), hindered


def digests(source: bytes) -> Callable[[str], str]:
    """By item name: a digest of its function and of the file without the other items' functions.

    A file that isn't Python has one digest for all.
    """
    functions, rest = _taken_apart(source)
    return lambda name: _digest(f"{functions.get(name, functions)}\n{rest}".encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@lru_cache(16)  # a stub and the file that it has become, mostly the same bytes; to a server again and again
def _parsed(source: bytes) -> list[tuple[ast.stmt, str]] | None:
    """A file's statements, without comments and layout; None where it isn't Python."""
    try:
        return [(n, ast.dump(n)) for n in parsing.module(source.decode("utf-8")).body]
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _definitions(source: bytes) -> dict[str, str]:
    """The functions and classes of a file by name."""
    body = _parsed(source) or []
    return {n.name: dump for n, dump in body if isinstance(n, ast.FunctionDef | ast.ClassDef)}


def _taken_apart(source: bytes) -> tuple[dict[str, str], str]:
    """The items' functions by name, and the rest of the file."""
    if (body := _parsed(source)) is None:
        return {}, repr(source)
    items, rest = {}, []
    for n, dump in body:
        if isinstance(n, ast.FunctionDef) and n.name.startswith("d"):
            items[n.name] = dump
        else:
            rest.append(dump)
    return items, "\n".join(rest)


def done(exercise: Exercise, source: bytes, state: State) -> bool:
    """Whether all of an exercise has passed in the learner's file as it is now, to the byte."""
    if state.get("files", {}).get(exercise.id) != _digest(source):
        return False
    items = (state["items"].get(f"{exercise.id}.{name}", {}) for name in item_names(exercise))
    return all(last.get("passed") for last in items)


def statuses(exercise: Exercise, stub: bytes, source: bytes, state: State) -> dict[str, Status]:
    """Each item's status. exercise: its description. stub, source: the learner's file at first, and now."""
    now = digests(source)
    (functions, _), (stubs, _) = _taken_apart(source), _taken_apart(stub)
    readable = bool(functions) or not source.strip()
    needs = {
        item.name: set(item.uses) if isinstance(item, Output) else {"d" + t for t in item.cut} & stubs.keys()
        for item in exercise.items
    }
    mine, blank = _definitions(source), _definitions(stub)
    asks = {item.name: item.asks for item in exercise.outputs}
    found: dict[str, Status] = {}
    for name in needs:
        last = state["items"].get(f"{exercise.id}.{name}")
        fresh = last is not None and last["source"] == now(name)
        if fresh and last["verdict"] != "not-written":
            found[name] = Status.PASSED if last["passed"] else Status.WRONG
        elif name in asks:
            untouched = any(mine.get(a, blank[a]) == blank[a] for a in asks[name])
            found[name] = Status.READY if fresh or untouched else Status.UNCHECKED
        elif fresh or (readable and functions.get(name) in (None, stubs[name])):
            found[name] = Status.READY
        else:
            found[name] = Status.UNCHECKED
    if exercise.training:  # it is written when all the others are
        last = state["items"].get(f"{exercise.id}.training")
        fresh = last is not None and last["source"] == now("training") and last["verdict"] != "not-written"
        found["training"] = (Status.PASSED if last["passed"] else Status.WRONG) if fresh else Status.READY
        needs["training"] = set(found) - {"training"}
    passed = {name for name, status in found.items() if status is Status.PASSED}
    return {
        name: Status.LATER if status is Status.READY and needs[name] - passed else status
        for name, status in found.items()
    }


# --- the file ----------------------------------------------------------------------------------------


def attempts(state: State, item: str) -> list[tuple[str, str, str]]:
    """An item's attempts, the latest first: when, the verdict, what was said. An edit makes a new one."""
    told = state.get("attempts", {}).get(item, [])
    return [(time.strftime("%d %b, %H:%M", time.localtime(when)), *what) for when, *what in reversed(told)]


def path(work: Path) -> Path:
    return work / ".grader" / "progress.json"


def read(work: Path) -> State:
    """The state; an empty one where there is none. What can't be understood is put aside, and said."""
    state, damaged = _load(path(work))
    if damaged:
        with contextlib.suppress(OSError), _locked(work):
            state, damaged = _load(path(work))  # another process may have put it aside
            if damaged:
                _put_aside(path(work), damaged)
    return state


def update(work: Path, change: Callable[[State], None]) -> str:
    """Change the state, alone among processes; why it can't be written, or nothing."""
    try:
        with _locked(work):
            file = path(work)
            state, damaged = _load(file)
            if damaged:
                _put_aside(file, damaged)
            change(state)
            with replacing(file) as new:
                new.write(json.dumps(state).encode() + b"\n")
    except OSError as error:
        return f"nothing can be remembered in .grader/ ({error.strerror})"
    return ""


def _load(file: Path) -> tuple[State, str]:
    """The state, and what is wrong with the file if it isn't one."""
    try:
        with open(file, "rb", opener=_own) as opened:
            raw = opened.read()
    except OSError:
        return empty(), ""
    try:
        state = json.loads(raw)
        if state["format"] != FORMAT:
            return empty(), "has another format"
        for last in state["items"].values():
            if not all(type(last[name]) in kinds for name, kinds in LAST.items()):
                return empty(), "is damaged"
        texts, numbers = state.get("files", {}).values(), state["rungs"].values()
        if {*map(type, texts)} - {str} or {*map(type, numbers)} - {int}:
            return empty(), "is damaged"
        for when, verdict, said in (one for told in state.get("attempts", {}).values() for one in told):
            if (type(when), type(verdict), type(said)) != (int, str, str) or not 0 <= when < 2**32:
                return empty(), "is damaged"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return empty(), "is damaged"
    return dict(state), ""


def _put_aside(file: Path, why: str) -> None:
    aside = free(file.with_name("progress.bad.json"), lambda n: f"progress.bad-{n}.json")
    moved(file, aside)
    print(f"grader: .grader/{file.name} {why}: kept as .grader/{aside.name}, begun anew", file=sys.stderr)


def _own(name: str, flags: int) -> int:
    """Open a regular file that is no link; OSError where it is anything else, a pipe without a reader too."""
    links = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    fd = os.open(name, flags | links, 0o666)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file")
    return fd


@contextlib.contextmanager
def _locked(work: Path) -> Iterator[None]:
    folder = path(work).parent
    folder.mkdir(exist_ok=True)
    if folder.is_symlink():  # in somebody else's repository it may lead anywhere
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    with open(folder / "lock", "a", opener=_own) as lock, locked(lock):
        yield
