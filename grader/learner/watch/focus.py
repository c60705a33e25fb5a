"""One item of a report, for a terminal that is watched: where it stands, what changed, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from grader.core.verdict import Report
from grader.learner.watch.changes import find, short, words
from grader.reports import terminal
from grader.reports.screen import Screen
from grader.reports.table import all_passed, row, rule

KEYS = "h hint  n next  p previous  l list  a all  r run again  q quit  ? help"
HELP = """h  a hint, one rung further at each press
n  the next item      p  the previous one
l  all items in a list
a  the whole table, and back
r  run again
q  quit (Ctrl-C too; Ctrl-Z puts it aside, `fg` brings it back)

A save is graded at once. When the item passes, the next one that has not passed follows."""


def heading(report: Report) -> str:
    return f"{report.right} of {len(report.items)} passed  {report.submission}"


def render(report: Report, current: str, said: Sequence[str], task: str, extra: str, screen: Screen) -> str:
    """said: what changed. task: what `grader show` says of the item. extra: a hint, a list, or nothing."""
    item = find(report, current)
    parts: list[RenderableType] = [Text(heading(report), style="bold"), Text()]
    parts += [Text(line, style="bold") for line in said] + [Text()] * bool(said)
    if report.passed:
        parts += [Text(all_passed(report), style="green"), Text()]
    parts += [Text(task), Text(), Text(verdict(report, current), style=terminal.style(item))]
    if report.notes or report.output:
        parts += [Text(), *(Text(f"note: {note}", style="dim") for note in report.notes)]
    if report.output:
        parts += [Text("the submission printed:", style="dim"), Text(report.output)]
    if item.check.maxdiff is not None and not item.passed:
        parts += [Text(), Text(rule(report), style="dim")]
    parts += [Text(), Text(extra)] if extra else []
    parts += [Text(), Text(KEYS, style="dim")]
    return terminal.drawn(parts, screen.width, screen.color)


def verdict(report: Report, current: str) -> str:
    """An item's verdict in one line, with its numbers where it has any."""
    item = find(report, current)
    cells = row(item)
    said = cells[-1]
    if cells[4]:
        placed = item.place and said.endswith(f"({item.place})")
        said = f"{said[:-1]}, maxdiff {cells[4]})" if placed else f"{said} (maxdiff {cells[4]})"
    return f"{short(report, current)}: {said}"


def listing(report: Report, current: str) -> str:
    """All items, a line each; the current one is marked."""
    wide = max(len(item.id) for item in report.items)
    return "\n".join(
        f"{'>' if item.id == current else ' '} {item.id.ljust(wide)}  {words(item)}" for item in report.items
    )
