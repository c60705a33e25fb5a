"""Notebooks and flat scripts -> one flat script, with the cell and line that each of its lines had. Pure.

Nothing here runs or parses the code: magics and shell lines become empty lines, Markdown becomes
comments, outputs are dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from grader.core.course import FIRST_ALONE, NOTEBOOK
from grader.core.errors import Unreadable
from grader.core.exercise import Exercise, File, Line
from grader.core.limits import MAX_CODE, MAX_LINES, MAX_TEXT, MAX_VALUES

MAGIC = re.compile(r"\s*(?:[%!?]|[A-Za-z_][\w, ]*=\s*[%!]|[\w.*]+(?:\[[^\]]*\])*\?{1,2}\s*$)")
TIMED = re.compile(r"^(\s*)%time\s+(?=\w)")  # runs the rest of its line as any other
QUOTED = re.compile(r"'[^'\\]*'" r'|"[^"\\]*"')
SHELL = re.compile(rb"^[ \t]*!.*$|^%{1,2}[a-z].*$", re.MULTILINE)  # no Python, but in what Colab exports
KEEPING = frozenset(
    {"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "python", "python3", "check"}
)
HEADING = 1000  # characters of a line of text that are looked at: a picture may follow
OWN = b"def inputs(g, "  # what draws the inputs in a notebook of ours
CHECK = re.compile(rb"""\bcheck\(\\?["']([\w.-]+)\\?["'], globals\(\)\)""")
STUBS = re.compile(r"def\s+forward\(")  # the forward pass in a stub
DEFINED = re.compile(r"^[ \t]*(?:(?:def|class) (\w+)|(?:self\.)?(\w+)[ \t]*=[^=])", re.MULTILINE)
TARGETS = re.compile(r"[\w, \t]*")
WIDE = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")  # a character that takes four bytes in memory
CONFLICT = re.compile(rb"^(?:<{7}|>{7}|={7})(?: |$)", re.MULTILINE)

FIRST = FIRST_ALONE[2:-1].split("|")  # the tensors of the lecture's network
LECTURE = Exercise(NOTEBOOK[0], lines=tuple(Line(t, "", ()) for t in (*FIRST, "logits", "hprebn", "loss")))


@dataclass(frozen=True)
class Script:
    """What goes to the child. flat: the lecture's number of the exercise in flat code, 0 without a lecture,
    None for a stub's functions. places: by line of a notebook's code, the cell (from 1) and the line in it.
    counts: by cell what Jupyter shows beside it, None where it has not run.
    ours: a notebook that was derived for the exercise, which asks for as much as its stub.
    name: of the file.
    """

    source: bytes
    flat: int | None = None
    places: tuple[tuple[int, int], ...] = ()
    ours: bool = False
    name: str = ""
    counts: tuple[int | None, ...] = ()

    @property
    def file(self) -> File:
        return File(self.name, self.source)

    @property
    def functions(self) -> bytes:
        """The text of a stub's functions; nothing of flat code, which has none."""
        return self.source if self.flat is None else b""

    def place(self, line: int | None) -> tuple[int | None, int | None]:
        """The cell, where there are cells, and the line."""
        if line is None or not self.places:
            return None, line
        return self.places[line - 1] if line <= len(self.places) else (None, None)

    def count(self, line: int | None) -> int | None:
        """What Jupyter shows beside the cell that a line is in."""
        cell = self.place(line)[0]
        return self.counts[cell - 1] if cell and cell <= len(self.counts) else None


def script(file: File, exercise: Exercise, rename: Mapping[str, str] | None = None) -> Script:
    """A submission as the child takes it. Unreadable where a notebook is none, or not in Python.

    rename: the learner's names -> ours. It goes with the code as comments, so that no line moves.
    """
    name, data = file
    whose = declared(data)  # of a notebook of ours, all of which is this exercise
    ours = whose == exercise.id or OWN in data and whose is None
    told = "".join(f"# grader: rename {theirs} = {ours}\n" for theirs, ours in (rename or {}).items())
    number = re.fullmatch(r"ex(\d)", exercise.id)
    lecture = int(number[1]) if number else 0
    if name.endswith(".ipynb"):
        source, places = notebook(data)
        if not exercise.lines:  # functions and classes alone, as a file has them
            encoded = (source + told).encode("utf-8", "replace")
            return Script(encoded, None, places, name=name, counts=counts(data))
        encoded = (source + told).encode("utf-8", "replace")
        return Script(encoded, 0 if ours else lecture, places, ours, name, counts(data))
    if is_flat(data.decode("utf-8", "replace"), exercise):
        data = SHELL.sub(b"", data)
        told_too = data + b"\n" + told.encode() if told else data
        return Script(told_too, 0 if ours else lecture, ours=ours, name=name)
    return Script(data + b"\n" + told.encode() if told else data, name=name)


@lru_cache(maxsize=2)  # its exercises are asked for one after another
def notebook(data: bytes) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A notebook's code, and the cell and line of each line of it. Unreadable where nothing can be graded."""
    cells, language, *_ = _read(data)
    if language and not language.lower().startswith(("python", "ipython", "xpython", "conda", "sage")):
        raise Unreadable(f"is a notebook in {language}, not in Python")
    lines: list[str] = []
    places: list[tuple[int, int]] = []
    room, left = MAX_CODE, MAX_LINES
    for number, (kind, source) in enumerate(cells, 1):
        if kind != "code":
            source = "\n".join(line[:HEADING] for line in source.split("\n"))
        room -= len(source)
        if room < 0:
            raise Unreadable(f"has more than {MAX_CODE >> 20} MB of code and text")
        lines.append(f"# %% cell {number}")
        places.append((number, 0))
        source = source.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
        left -= source.count("\n") + 2
        if left < 0:
            raise Unreadable(f"has more than {MAX_LINES} lines")
        text = source.split("\n")
        text = list(_plain(text)) if kind == "code" else ["# " + line for line in text]
        lines += text
        places += [(number, k) for k in range(1, len(text) + 1)]
    return "\n".join(lines) + "\n", tuple(places)


def counts(data: bytes) -> tuple[int | None, ...]:
    """By cell what Jupyter shows beside it, as far as it has run."""
    return _read(data)[3]


def cell(data: bytes, number: int) -> str:
    """The source of one cell of a notebook, from 1."""
    return _read(data)[0][number - 1][1]


def written_at(data: bytes, number: int, line: int) -> int:
    """The line of a notebook's file that holds a line of a cell, both from 1, where each line is a string of
    its own, as Jupyter writes it; else 1."""
    wanted = [json.dumps(one, ensure_ascii=False)[:-1] for one in cell(data, number).split("\n")]
    rows = [row.strip() for row in data.decode("utf-8", "replace").split("\n")]
    starts = range(len(rows) - len(wanted) + 1)
    return next((k + line for k in starts if all(map(str.startswith, rows[k:], wanted))), 1)


@lru_cache(maxsize=2)
def declared(data: bytes) -> str | None:
    """The exercise that a notebook of ours was derived for, by its metadata or, where they are lost as in a
    script of it, by its code; None for any other file."""
    found = CHECK.finditer(data if OWN in data else b"")
    told = next((m[1].decode() for m in found), None)
    try:
        own = _read(data)[2] if b'"grader"' in data else None
    except Unreadable:
        own = None
    return own or (told if all(m[1].decode() == told for m in found) else None)


def is_feedback(cell: Mapping[str, Any]) -> bool:
    """Whether `grader feedback` put a cell there. Code is the learner's, whatever it is marked as."""
    return cell.get("cell_type") != "code" and _ours(cell).get("feedback") is True


def is_test(cell: Mapping[str, Any]) -> bool:
    """Whether `grader export` put a cell there to grade others: it is no part of an answer."""
    return _ours(cell).get("test") is True


def _ours(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the grader has written into the metadata of a document or of a cell."""
    metadata = part.get("metadata")
    found = metadata.get("grader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def is_flat(source: str, exercise: Exercise) -> bool:
    """Whether a script is flat: it has a forward pass outside of a stub's, and gradients that it assigns or
    compares.
    """
    if not exercise.lines:
        return False
    gradients = {item.name for item in exercise.items}
    if exercise.id in NOTEBOOK:  # a script of one of them is none of a stub's functions for another
        gradients |= {f"d{t}" for t in (*FIRST, "logits", "hprebn")}
    items = "|".join(map(re.escape, gradients))
    lines = "|".join(re.escape(line.name) for line in exercise.lines)
    if re.search(rf"^(?:async )?(?:def|class) (?:{items})\b", source, re.MULTILINE):
        return False
    tops = re.split(r"^(?=[^\s#)\]}])", source, flags=re.MULTILINE)
    forward = re.compile(rf"^[ \t]*(?:self\.)?(?:{lines})[ \t]*=[^=]", re.MULTILINE)
    if not any(forward.search(top) for top in tops if not STUBS.match(top)):  # as a stub has it
        return False
    tensors = "|".join(re.escape(name[1:]) for name in gradients)
    labelled = rf"""\b\w+\(\s*(['"])d?(?:{tensors})\1,\s*\w"""
    compared = rf"""{labelled}|cmp\(\s*(['"])[^'"\n]*\2,\s*\w+,\s*(?:{tensors})\s*\)"""
    kept = rf"\bself\.d(?:{tensors})[ \t]*=[^=]"
    assigned = any(gradients & _assigned(line) for line in source.split("\n"))
    return assigned or re.search(f"{compared}|{kept}", source) is not None


def defined(notebook_: bytes) -> set[str]:
    """The names of what a notebook defines or assigns, in blocks too. Unreadable where it is none."""
    return {name for pair in DEFINED.findall(notebook(notebook_)[0]) for name in pair}


def _assigned(line: str) -> set[str]:
    """The names that a line assigns, all that it has before its first =."""
    left, equals, right = line.partition("=")
    names = left.rstrip("-+*/")
    if not equals or right.startswith("=") or not TARGETS.fullmatch(names):
        return set()
    return {name.strip() for name in names.split(",")}


@lru_cache(maxsize=2)
def _read(data: bytes) -> tuple[tuple[tuple[str, str], ...], str, str | None, tuple[int | None, ...]]:
    """A notebook's cells, its language, the exercise of ours that it says it is, and its cells' counts."""
    document = _json(data)
    exercise = _ours(document).get("exercise")
    told = exercise if isinstance(exercise, str) else None
    counted_ = tuple(map(_count, _dictionaries(document)))
    return tuple(_cells(document)), _language(document), told, counted_


def counted(data: bytes, most: int = MAX_VALUES) -> bytes:
    """A notebook's bytes. Unreadable where they hold more than memory should, before a parser makes it."""
    wide = 4 if WIDE.search(data) else 1 if data.isascii() and b"\\u" not in data else 2
    if len(data) * wide > MAX_TEXT:
        raise Unreadable(f"is too large ({len(data)} bytes, at most {MAX_TEXT // wide} with such characters)")
    seen = data
    if _marks(data) > most and b"\0" not in data:  # in UTF-16 a string's end can't be told so
        seen = data.replace(b"\\\\", b"").replace(b'\\"', b"")
        if seen.count(b'"') <= 4 * most:  # a list that was printed is one value
            seen = b"".join(seen.split(b'"')[::2])
    if _marks(seen) > most:
        raise Unreadable(f"has more than {most} values in its JSON")
    return data


def _marks(data: bytes) -> int:
    """At least as many as there are values: one comes after each of these marks."""
    return sum(map(data.count, (b",", b":", b"[", b"{")))


def _json(data: bytes) -> Mapping[str, Any]:
    if not data.strip():
        raise Unreadable("is empty")
    try:
        document = json.loads(counted(data))
    except (ValueError, RecursionError) as error:
        if CONFLICT.search(data):
            line = data[: CONFLICT.search(data).start()].count(b"\n") + 1  # type: ignore[union-attr]
            raise Unreadable(f"has merge-conflict markers, the first on line {line}") from None
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"is not a notebook: its JSON is broken{where}") from None
    if not isinstance(document, dict) or not (
        isinstance(document.get("cells"), list) or isinstance(document.get("worksheets"), list)
    ):
        raise Unreadable("is not a notebook: it has no cells")
    return document


def _language(document: Mapping[str, Any]) -> str:
    metadata = document.get("metadata")
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        entry = metadata.get(key) if isinstance(metadata, dict) else None
        if isinstance(entry, dict) and isinstance(entry.get(name), str):
            return str(entry[name])
    return ""


def _dictionaries(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every cell; of old formats (nbformat 3) too."""
    sheets = document.get("worksheets")
    cells = document.get("cells")
    if not isinstance(cells, list):
        inner = [s.get("cells") for s in sheets or () if isinstance(s, dict)]
        cells = [cell for one in inner if isinstance(one, list) for cell in one]
    yield from (cell for cell in cells if isinstance(cell, dict))


def _count(cell: Mapping[str, Any]) -> int | None:
    count = cell.get("execution_count", cell.get("prompt_number"))
    return count if type(count) is int and 0 < count < 10**9 else None


def _cells(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and source of every cell."""
    for cell in _dictionaries(document):
        source = "" if is_feedback(cell) or is_test(cell) else cell.get("source", cell.get("input", ""))
        if isinstance(source, list):
            source = "".join(s for s in source if isinstance(s, str))
        yield str(cell.get("cell_type", "")), source if isinstance(source, str) else ""


def _plain(lines: list[str]) -> Iterator[str]:
    """A code cell's lines with what only IPython understands left empty."""
    first = next((line.strip() for line in lines if line.strip()), "")
    if first.startswith("%%"):
        name = re.match(r"%%(\w*)", first)
        if name is None or name[1] not in KEEPING:
            yield from ("" for _ in lines)
            return
    goes_on, depth = False, 0  # of brackets: in them a line that begins with % goes on with a modulo
    for line in lines:
        line = TIMED.sub(r"\1", line) if depth <= 0 else line
        inside = depth > 0 and line.lstrip().startswith("%")
        skip = goes_on or (bool(MAGIC.match(line)) and not inside and not line.lstrip().startswith("#"))
        code = "" if skip else QUOTED.sub("", line).partition("#")[0]
        depth += sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
        goes_on = skip and line.rstrip().endswith("\\")
        indent = line[: len(line) - len(line.lstrip())]
        yield (indent + "pass" if indent and skip else "") if skip else line
