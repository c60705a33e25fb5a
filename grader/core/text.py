"""Text made safe to show: no control character, nothing hidden, and nothing that Markdown obeys."""

from __future__ import annotations

import re
import unicodedata

LIMIT = 500
ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "&#36;"}  # what a backslash doesn't stop everywhere
ACTIVE = r"""(?xm)
      [<>&$]             # HTML and formulas
    | [\\`*_\[\]{}|~\#!@]  # markup
    | (?<=\w):(?=/)        # an address
    | (?<=\bwww)\.(?=\w)
    | ^[^\S\n]*(?:[-+=]|\d+[.)])(?=\s|$)  # the beginning of a list, or of a rule
"""


def text(raw: str, limit: int = LIMIT) -> str:
    """One line without anything a terminal, a log or a page could obey. Renderers still escape markup."""
    if raw.isascii() and raw.isprintable():  # nearly always, and a hundred times as fast
        return raw if len(raw) <= limit else raw[:limit] + "…"
    shown = "".join(ch if _plain(ch) else _named(ch) for ch in raw[: limit + 1])
    return shown[:limit] + "…" if len(shown) > limit else shown


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
    return ch == " " or unicodedata.category(ch)[0] in "LMNPS"


def _named(ch: str) -> str:
    code = ord(ch)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
