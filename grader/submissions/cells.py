"""A notebook's own text, with cells put in between and taken out again: no other byte changes. Pure.

The JSON is not written anew, since that would change numbers, escapes and layout in a learner's cells.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader.core.errors import Unreadable
from grader.core.limits import MAX_NOTEBOOK, MAX_VALUES, OLD
from grader.submissions.script import counted, is_feedback

DECODER = json.JSONDecoder()
BLANK = " \t\r\n"
MARK = {"grader": {"feedback": True}}


@dataclass(frozen=True)
class Book:
    """A notebook of nbformat 4: its text, where its cells stand in it, and what they are."""

    text: str
    encoding: str
    bracket: int  # just after the [ of its cells
    spans: tuple[tuple[int, int], ...]
    cells: tuple[Mapping[str, Any], ...]
    ids: bool  # whether cells have ids, from 4.5 on

    @property
    def data(self) -> bytes:
        return self.edited(())

    def edited(self, edits: Iterable[tuple[int, int, str]]) -> bytes:
        """The notebook with other text in the place of some stretches, from left to right."""
        encoder = codecs.getincrementalencoder(self.encoding)("surrogatepass")
        parts, at = [], 0
        for begin, end, text in edits:
            parts += [encoder.encode(self.text[at:begin]), encoder.encode(text)]
            at = end
        return b"".join([*parts, encoder.encode(self.text[at:], True)])

    @property
    def has_feedback(self) -> bool:
        return any(map(is_feedback, self.cells))


def read(data: bytes) -> Book:
    """Unreadable, in one line, where a file is no notebook or of an old format."""
    if not data.strip():
        raise Unreadable("is empty")
    encoding = json.detect_encoding(data)
    try:
        text = counted(data).decode(encoding, "surrogatepass")
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("is not a notebook: its JSON is broken") from None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Unreadable("is not a notebook: it has no cells")
    major, minor = document.get("nbformat"), document.get("nbformat_minor")
    if major != 4:
        raise Unreadable(f"is a notebook of nbformat {json.dumps(major)[:20]}; feedback is for nbformat 4")
    bracket = _value_of(text, "cells") + 1
    spans = []
    at = _skip(text, bracket)
    while text[at] != "]":
        end = DECODER.raw_decode(text, at)[1]
        spans.append((at, end))
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return Book(text, encoding, bracket, tuple(spans), tuple(cells), isinstance(minor, int) and minor >= 5)


def upgraded(data: bytes) -> bytes:
    """A notebook of nbformat 3 as one of nbformat 4, cell for cell; any other file as it is."""
    try:
        document = json.loads(counted(data))
    except (ValueError, RecursionError):
        return data
    if not isinstance(document, dict) or not isinstance(document.get("worksheets"), list):
        return data
    if len(data) > MAX_NOTEBOOK // OLD:
        raise Unreadable(f"is of nbformat 3 and too large to be converted ({len(data)} bytes)")
    counted(data, MAX_VALUES // OLD)
    import nbformat

    try:
        for cell in (cell for sheet in document["worksheets"] for cell in sheet["cells"]):
            if "level" in cell:  # of a heading: so many marks are written
                cell["level"] = min(int(cell["level"]), 6)
        text: str = nbformat.writes(nbformat.reads(json.dumps(document), as_version=4))
        return text.encode()
    except Exception:  # whatever nbformat meets in what it takes on trust
        raise Unreadable("is a notebook of nbformat 3 that can't be converted to nbformat 4") from None


def _value_of(text: str, wanted: str) -> int:
    """Where the value of a key of the document begins; of the last one, as JSON's readers take it."""
    found = -1
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        key, at = DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # past the colon
        if key == wanted:
            found = at
        at = _skip(text, DECODER.raw_decode(text, at)[1])
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    while text[at] in BLANK:
        at += 1
    return at


def without_feedback(book: Book) -> Book:
    """The notebook as it was before: the marked cells and their commas taken out."""
    if not book.has_feedback:
        return book
    marked = [is_feedback(cell) for cell in book.cells]
    first = marked.index(False) if False in marked else len(marked)
    cuts = []
    if first:  # the leading ones, up to the learner's first
        end = book.spans[first][0] if first < len(marked) else book.spans[-1][1]
        cuts.append((book.spans[0][0], end))
    cuts += [(book.spans[i - 1][1], book.spans[i][1]) for i in range(first, len(marked)) if marked[i]]
    text = book.edited((begin, end, "") for begin, end in cuts).decode(book.encoding, "surrogatepass")
    spans, gone, left = [], 0, iter([*cuts, (len(book.text), 0)])
    begin, end = next(left)
    for span in (span for span, ours in zip(book.spans, marked, strict=True) if not ours):
        while begin < span[0]:
            gone += end - begin
            begin, end = next(left)
        spans.append((span[0] - gone, span[1] - gone))
    cells = tuple(cell for cell, ours in zip(book.cells, marked, strict=True) if not ours)
    return replace(book, text=text, spans=tuple(spans), cells=cells)


def with_feedback(book: Book, top: str, under: Mapping[int, str]) -> bytes:
    """A copy with Markdown cells: one on top, and one under each cell (from 1) of `under`."""
    break_ = book.text[book.bracket : book.spans[0][0]] if book.spans else ""
    taken = {str(cell.get("id")) for cell in book.cells}

    def cell(name: str, source: str) -> str:
        made: dict[str, Any] = {"cell_type": "markdown", "metadata": MARK, "source": source}
        if book.ids:
            while name in taken:
                name += "-"
            taken.add(name)
            made["id"] = name
        if not break_.startswith(("\n", "\r\n")):
            return json.dumps(made, sort_keys=True)
        return json.dumps(made, indent=1, sort_keys=True).replace("\n", break_)

    if not book.spans:
        inserts = [(book.bracket, cell("grader-summary", top))]
    else:
        inserts = [(book.spans[0][0], cell("grader-summary", top) + "," + break_)]
        inserts += [
            (book.spans[number - 1][1], "," + break_ + cell(f"grader-feedback-{number}", under[number]))
            for number in sorted(under)
        ]
    return book.edited((at, at, added) for at, added in inserts)
