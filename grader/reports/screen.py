"""What a report is shown on: facts of the terminal, told in a request where another process renders.

Imports next to nothing: the client of the background server reads them before anything else is there.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from grader.core.verdict import Report


class Screen:
    """width: columns. table: whether it is a terminal, wide enough for a table. color: whether to use any."""

    def __init__(self, width: int, table: bool, color: bool) -> None:
        self.width, self.table, self.color = width, table, color


def here() -> Screen:
    """This process's standard output."""
    width = _columns()
    table = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and width >= 60
    return Screen(width, table, not os.environ.get("NO_COLOR"))


def show(report: Report, on: Screen) -> str:
    """For a person: a table in colour on a terminal, plain aligned text elsewhere."""
    if on.table:
        from grader.reports import terminal

        return terminal.render(report, on.width, on.color)
    from grader.reports import plain

    return plain.render(report)


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
