"""What a report is shown on: facts of the terminal, told in a request where another process renders.

Imports next to nothing: the client of the background server reads them before anything else is there.
"""

from __future__ import annotations

import os
import sys

LINKING = (
    "iTerm.app",
    "WezTerm",
    "vscode",
    "ghostty",
    "Hyper",
    "xterm-kitty",
    "xterm-ghostty",
    "alacritty",
    "foot",
)
SIGNS = ("WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM")

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from grader.core.verdict import Report


class Screen:
    """width: columns. table: whether it is a terminal. color, links: whether to use any.
    folder: what shown paths are relative to."""

    def __init__(self, width: int, table: bool, color: bool, links: bool = False, folder: str = "") -> None:
        self.width, self.table, self.color, self.links, self.folder = width, table, color, links, folder


def here() -> Screen:
    """This process's standard output."""
    table = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    color = not os.environ.get("NO_COLOR")
    return Screen(_columns(), table, color, table and color and _links(), _folder())


def show(report: Report, on: Screen, everything: bool = False) -> str:
    """For a person: a table in colour on a terminal, plain aligned text elsewhere.

    everything: on a terminal too, what each failure has to say.
    """
    if on.table:
        from grader.reports import terminal

        return terminal.render(report, on, everything)
    from grader.reports import plain

    return plain.render(report)


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it has been deleted
        return ""


def _links() -> bool:
    """Whether the terminal is one that is known to open links (OSC 8); FORCE_HYPERLINK overrules it."""
    told = os.environ.get("FORCE_HYPERLINK")
    if told is not None:
        return told != "0"
    named = os.environ.get("TERM_PROGRAM") in LINKING or os.environ.get("TERM") in LINKING
    vte = os.environ.get("VTE_VERSION", "")
    return named or any(map(os.environ.get, SIGNS)) or (vte.isdecimal() and int(vte) >= 5000)


def _columns() -> int:
    """As shutil.get_terminal_size has it, whose import costs more than the rest of the client."""
    try:
        width = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        width = 0
    if width <= 0:
        try:
            width = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else -1).columns
        except (ValueError, OSError):
            width = 0
    return width if width > 0 else 110
