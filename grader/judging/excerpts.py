"""The lines of a submission that are shown beside a finding, and the spot in them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.core.finding import Finding
from grader.core.text import text as harmless
from grader.core.verdict import Excerpt
from grader.submissions.script import Script

HEAD = re.compile(r"\s*(?:async )?def ")
WIDEST = 200  # characters of a line that are shown
DOCSTRING = 40  # lines of one, at most, above which a function's first line is looked for


def excerpt(code: Script, line: int | None, found: Finding | None, sure: bool = True) -> Excerpt | None:
    """The line at fault, and the one before it; of a docstring's end, the function's first instead.

    Where only the function is known, its last two lines, and no spot. sure: whether `line` is the one at
    fault; else it is the first of its function, which is at fault itself where it returns.
    """
    lines = code.source.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    number = code.place(line)[1]
    if not line or not number or line > len(lines):
        return None
    top = line - number  # the line before its cell, or its file
    if not sure and not lines[line - 1].lstrip().startswith("return"):
        line = next((n for n in range(line, max(line - DOCSTRING, 0), -1) if HEAD.match(lines[n - 1])), line)
    whole = HEAD.match(lines[line - 1])
    line = _last(lines, line) if whole else line
    before = line - 1
    if before and lines[before - 1].rstrip().endswith(('"""', "'''")):
        heads = (n for n in range(before, max(before - DOCSTRING, 0), -1) if HEAD.match(lines[n - 1]))
        before = next(heads, before)
    shown = [n for n in (before, line) if n > top and lines[n - 1].strip()]
    texts = [harmless(lines[n - 1].expandtabs(4), WIDEST).rstrip() for n in shown]
    if not texts or shown[-1] != line:
        return None
    margin = min(len(one) - len(one.lstrip()) for one in texts)
    last, spot = texts[-1], found.spot.strip() if found else ""
    found_at = [m.start() for m in re.finditer(rf"(?<!\w){re.escape(spot)}(?!\w)", last)] if spot else []
    once = len(found_at) == 1  # else the whole line is
    start = found_at[0] if once else len(last) - len(last.lstrip())
    end = start + len(spot) if once else start if whole else len(last)
    numbered = tuple((n - top, one[margin:]) for n, one in zip(shown, texts, strict=True))
    return Excerpt(numbered, start - margin, end - margin)


def _last(lines: Sequence[str], first: int) -> int:
    """The last line of the function that begins on line `first`."""
    margin = len(lines[first - 1]) - len(lines[first - 1].lstrip())
    last = first
    for n in range(first + 1, len(lines) + 1):
        text = lines[n - 1]
        if text.strip() and len(text) - len(text.lstrip()) <= margin and text.strip()[0] not in ")]}":
            break
        last = n if text.strip() else last
    return last
