"""Text for a person at the terminal's own width: wrapped at words, in columns where it has them."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 96  # columns of prose at most
LEAST = 20
TIED = "\u00a0"  # a space at which no line is broken
FLOWING = 60  # characters from which on a line is taken to go on in the next
LABEL = re.compile(r"[\w ]{2,11}:\s\s+|Upstream: ")
NOT_JOINED = re.compile(r"\s|[-*] |[A-Z]\w*:\s|[\w ]+:\s\s|\d+\. ")


def columns() -> int:
    """What a line may have; where nobody says, as in a pipe, as much as it needs."""
    return max(shutil.get_terminal_size((10_000, 24)).columns, LEAST)


def wrapped(text: str, margin: int = 0) -> str:
    """Prose to the terminal's width, or to one that is read well. Only lines that are too long change.

    margin: columns that are taken already.
    """
    width = max(min(WIDTH, columns()) - margin, LEAST)
    lines = [line for one in _joined(text.split("\n"), width) for line in _lines(one, width)]
    return "\n".join(lines).replace(TIED, " ")


def _joined(lines: Sequence[str], width: int) -> Iterator[str]:
    """The lines, those of a paragraph that would not fit made one."""
    paragraph: list[str] = []

    def flushed() -> Iterator[str]:
        yield from [" ".join(paragraph)] if any(len(p) > width for p in paragraph) else paragraph
        paragraph.clear()

    for line in lines:
        ended = paragraph and (len(paragraph[-1]) < FLOWING or paragraph[-1].startswith(" " * 4))
        if not line or NOT_JOINED.match(line) or ended:
            yield from flushed()
        paragraph.append(line)
    yield from flushed()


def _lines(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    label, own = LABEL.match(line), len(line) - len(line.lstrip())
    hanging = label.end() if label else own + 2 * (own >= 4)  # of a matrix or a formula, what goes on
    if hanging > width // 2:
        hanging = 2
    return textwrap.wrap(
        line, width, subsequent_indent=" " * hanging, break_long_words=False, break_on_hyphens=False
    )


def table(rows: Sequence[Sequence[str]], flexible: int) -> list[str]:
    """Rows in columns of two spaces between; the cells of one column are wrapped at words where they must be.
    Where there is no room for that either, what is before it, the cell and what is after it stand in turn."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    longest = widths[flexible]
    before = sum(w + 2 for w in widths[:flexible])
    room = columns() - before - sum(w + 2 for w in widths[flexible + 1 :])
    widths[flexible] = min(room, widths[flexible])
    stacked = room < min(LEAST, longest)
    found = []
    for row in rows:
        if stacked:
            parts = "  ".join(row[:flexible]), row[flexible], "  ".join(row[flexible + 1 :])
            lines = [line for part in parts if part for line in _cell(part, columns() - 2)]
            found.append("\n  ".join(lines))
            continue
        first, *more = _cell(row[flexible], widths[flexible]) or [""]
        cells = [first if k == flexible else text for k, text in enumerate(row)]
        line = "  ".join(text.ljust(w) for text, w in zip(cells, widths, strict=True)).rstrip()
        found.append("\n".join([line, *(" " * before + text for text in more)]))
    return found


def _cell(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def painted(text: str, style: str) -> str:
    """The text in a style of rich's, where there is a terminal with colours."""
    if not style or not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    from rich.style import Style

    return Style.parse(style).render(text)
