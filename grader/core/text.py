"""Text made safe to show: no control character, nothing hidden, and nothing that Markdown obeys."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LIMIT = 500
ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "&#36;"}  # what a backslash doesn't stop everywhere
# A command to the runner of GitHub or Azure wherever it stands in a line. One at a line's beginning, `::`, is
# a matter of the log: see `reports/services/github.py`.
COMMAND = re.compile(r"#(?=#(?:vso)?\[)", re.IGNORECASE)
LONGEST = len("##vso[")
# Letters and marks that show nothing: Unicode's Default_Ignorable_Code_Point without what is of category C,
# and the empty cell of Braille.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
ACTIVE = r"""(?xm)
      [<>&$]             # HTML and formulas
    | [\\`*_\[\]{}|~\#!@]  # markup
    | (?<=\w):(?=/)        # an address
    | (?<=\bwww)\.(?=\w)
    | ^[^\S\n]*(?:[-+=]|\d+[.)])(?=\s|$)  # the beginning of a list, or of a rule
"""


def text(raw: str, limit: int = LIMIT) -> str:
    """One line without anything a terminal, a log or a page could obey. Renderers still escape markup."""
    shown = raw[: limit + LONGEST]
    if not (shown.isascii() and shown.isprintable()):  # nearly always they are, and a hundred times as fast
        shown = "".join(ch if _plain(ch) else _named(ch) for ch in shown)
    shown = quiet(shown)
    return shown[:limit] + "…" if len(shown) > limit else shown


def times(shape: Iterable[int]) -> str:
    """A shape as it is written: 32×27, 64, scalar."""
    return "×".join(map(str, shape)) or "scalar"


def listed(words: Iterable[object], most: int = 1 << 30) -> str:
    """Words as a sentence has them: a, b and c; of more than `most` only the first so many."""
    first = list(map(str, words))
    if more := first[most:]:
        return f"{', '.join(first[:most])} and {len(more)} more"
    last = first.pop() if first else ""
    return f"{', '.join(first)} and {last}" if first else last


FULL = 75  # characters after which a line of a docstring goes on in the next
STARTS = re.compile(r"\s|\w+: |[-*] |\d+\. |$")


def flowed(doc: str) -> str:
    """A docstring's paragraphs as one line each; what is indented, as code is, stays as it is."""
    lines: list[str] = []
    full = False
    for line in doc.split("\n"):
        if full and not STARTS.match(line):
            lines[-1] += " " + line
        else:
            lines.append(line)
        full = len(line) >= FULL and not line.startswith(" ")
    return "\n".join(lines)


def quiet(shown: str) -> str:
    """Without a command to a CI runner, which it would find anywhere in a line."""
    return COMMAND.sub("# ", shown) if "##" in shown else shown


def block(raw: bytes, limit: int) -> str:
    """Several lines of output, each made harmless."""
    lines = raw[:limit].decode("utf-8", "backslashreplace").replace("\r\n", "\n").split("\n")
    return "\n".join(text(line.replace("\t", "    "), 1000) for line in lines)


def escaped(shown: str) -> str:
    """Text that is harmless already as Markdown that shows it as it is: no markup, link, formula or HTML."""
    return re.sub(ACTIVE, _escape, shown)


def _escape(found: re.Match[str]) -> str:
    mark = found[0]
    return ENTITIES.get(mark) or mark[:-1] + "\\" + mark[-1]


def _plain(ch: str) -> bool:
    return ch == " " or (unicodedata.category(ch)[0] in "LMNPS" and not INVISIBLE.match(ch))


def _named(ch: str) -> str:
    code = ord(ch)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
