"""Text as Markdown that shows it as it is: nothing in it becomes markup, a link, a formula or HTML. Pure."""

from __future__ import annotations

import re

ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "&#36;"}  # what a backslash doesn't stop everywhere
ACTIVE = re.compile(
    r"""[<>&$]             # HTML and formulas
    | [\\`*_\[\]{}|~\#!@]  # markup
    | (?<=\w):(?=/)        # an address
    | (?<=\bwww)\.(?=\w)
    | ^\s*(?:[-+=]|\d+[.)])(?=\s|$)  # the beginning of a list, or of a rule
    """,
    re.VERBOSE | re.MULTILINE,
)


def escaped(text: str) -> str:
    """`text`, harmless already, for a Markdown cell."""
    return ACTIVE.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    mark = found[0]
    return ENTITIES.get(mark) or mark[:-1] + "\\" + mark[-1]
