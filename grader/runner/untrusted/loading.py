"""A submission's file -> its functions: the top level run, whatever is broken costing itself alone.

Untrusted side.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
import types
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch

from grader.core import parsing
from grader.core.calling import Call
from grader.core.exercise import Exercise
from grader.runner.untrusted.bounded import TURN, Turns, bounded
from grader.submissions.flat import cut, statements
from grader.submissions.flat.reads_writes import effect_of
from grader.submissions.flat.slicing import Flat


@dataclass
class Submission:
    """A submission after its top level ran: its names, and what went wrong by line and by name."""

    names: dict[str, Any]
    filename: str
    broken: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    failure: tuple[str, int | None] | None = None  # why nothing of it could be run
    lost: dict[str, tuple[str, int | None]] = field(default_factory=dict)  # a name -> what failed to make it
    unparsed: tuple[str, int | None] | None = None  # why Python can't read the file as it is
    calls: dict[str, Call] = field(default_factory=dict)
    flat: Flat | None = None  # where its functions were cut out of flat code
    changed: dict[str, Any] = field(default_factory=dict)  # an item -> what later statements made of it
    forms: dict[str, tuple[int, ...]] = field(default_factory=dict)  # gradients whose own shape differs

    cut: dict[str, Any] = field(default_factory=dict)  # the functions of flat code, no names of its own

    @property
    def functions(self) -> dict[str, Any]:
        return self.cut if self.flat else self.names

    @property
    def absent(self) -> set[str]:
        """The items that flat code doesn't have."""
        return set(self.flat.missing) if self.flat else set()


def load(source: bytes, filename: str, turns: Turns | None = None) -> Submission:
    """Run a submission's top level. A statement that fails costs itself alone: the rest still runs.

    turns: counts those of its loops.
    """
    module = types.ModuleType("submission")
    module.__file__ = filename
    if turns:
        module.__dict__[TURN] = turns
    sys.modules["submission"] = module
    submission = Submission(module.__dict__, filename)
    try:
        text = _decode(source)
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        try:
            tree = bounded(ast.parse(text)) if turns else text
            whole = compile(tree, filename, "exec", dont_inherit=True)
        except SyntaxError as error:
            submission.unparsed = describe(error, filename)
            nodes = list(_statements(text, submission))
            _each(nodes, submission, [n for n in nodes if _is_future(n)])
            return submission
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        submission.failure = "the file is not UTF-8: save it as that", line
        return submission
    except BaseException as error:
        submission.failure = describe(error, filename)
        return submission
    try:
        exec(whole, submission.names)
    except BaseException as error:
        reached, told = _reached(error, filename), describe(error, filename)
        nodes = ast.parse(text, filename).body
        past = [node for node in nodes if (node.lineno, node.col_offset) > reached]
        _lose(nodes[len(nodes) - len(past) - 1], told, submission)
        if isinstance(error, Exception):
            _each(past, submission, [n for n in nodes if _is_future(n)])
        else:
            for node in past:
                _lose(node, told, submission)
    return submission


def rename(submission: Submission, source: bytes) -> None:
    """Give what a table of names calls otherwise, in comments at the source's end, our names too."""
    for theirs, ours in cut.RENAME.findall(source.decode("utf-8", "replace")):
        if theirs in submission.names:
            submission.names[ours] = submission.names[theirs]


def load_flat(source: bytes, filename: str, asked: Sequence[tuple[Exercise, int | None]]) -> list[Submission]:
    """For each (exercise, its number in the file or None) its items' functions, cut out of flat code.

    Nothing of the code has run: `define` makes the functions.
    """
    code, failure = statements.Code(""), None
    try:
        text = _decode(source)
        linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
        code = statements.parse(text)
    except BaseException as error:
        failure = describe(error, filename)
    found = []
    for exercise, section in asked:
        names: dict[str, Any] = {"__name__": "submission", "torch": torch, "F": torch.nn.functional}
        submission = Submission(names, filename, failure=failure)
        found.append(submission)
        if failure is None:
            try:
                submission.flat = cut.read(code, exercise, section)
            except BaseException as error:
                submission.failure = describe(error, filename)
        if code.broken:
            told = f"SyntaxError: {code.broken[0].message}", code.broken[0].line
            submission.failure = submission.unparsed = told
    return found


def define(submission: Submission) -> None:
    """Make the functions that were cut out; only the imports that they use are run."""
    found, names, filename = submission.flat, submission.names, submission.filename
    if found is None:
        return
    for node in found.imports:
        try:
            exec(compile(ast.Module([node], []), filename, "exec", dont_inherit=True), names)
        except Exception:
            pass  # whoever uses it says so
    functions = found.functions | ({"whole": found.whole} if found.whole else {})
    functions |= {function.name: function for function, _ in found.lines.values()}
    for table, kept in ((found.changed, submission.changed), (functions, submission.cut)):
        try:
            exec(compile(ast.Module([*table.values()], []), filename, "exec", dont_inherit=True), names)
            kept |= {name: names.pop(name) for name in table}
        except Exception:
            _define_each(table, kept, submission)


def _define_each(table: Mapping[str, ast.FunctionDef], kept: dict[str, Any], submission: Submission) -> None:
    """The same where one of them is refused, which costs that one alone."""
    for name, function in table.items():
        try:
            code = compile(ast.Module([function], []), submission.filename, "exec", dont_inherit=True)
            exec(code, submission.names)
            kept[name] = submission.names.pop(name)
        except Exception as error:
            submission.broken[name] = describe(error, submission.filename)


def _reached(error: BaseException, filename: str) -> tuple[int, int]:
    """The line that the top level had reached when it raised, and the column in it."""
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        if code.co_name == "<module>" and code.co_filename == filename:
            line, _, column, _ = next(islice(code.co_positions(), tb.tb_lasti // 2, None))
            return line or tb.tb_lineno, column or 0
        tb = tb.tb_next
    return sys.maxsize, 0


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _lose(node: ast.stmt, told: tuple[str, int | None], submission: Submission) -> None:
    """Note why the names that a statement would have made are not there."""
    with suppress(RecursionError):
        made = effect_of(node).written - submission.names.keys()
        submission.lost = dict.fromkeys(made, told) | submission.lost


def _each(nodes: Sequence[ast.stmt], submission: Submission, futures: Sequence[ast.stmt] = ()) -> None:
    """Run statements, each for itself, under the file's `from __future__`."""
    for k, node in enumerate(nodes):
        try:
            code = compile(ast.Module([*futures, node], []), submission.filename, "exec", dont_inherit=True)
            exec(code, submission.names)
        except BaseException as error:
            told = describe(error, submission.filename)
            for lost in nodes[k : k + 1] if isinstance(error, Exception) else nodes[k:]:
                _lose(lost, told, submission)
            if not isinstance(error, Exception):
                return


def _decode(source: bytes) -> str:
    text = source.decode(parsing.encoding(source)).replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SyntaxError(
            "there is a NUL character, which Python refuses: delete it", (None, line, None, None)
        )
    return text


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
            submission.lost = (
                dict.fromkeys(re.findall(r"\w+", " ".join(lines[block:end])), told) | submission.lost
            )
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
