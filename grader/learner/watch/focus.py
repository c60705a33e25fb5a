"""What a watched terminal shows, never more than it has rows: one item, or all of them a line each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from grader.core.verdict import ExerciseReport, ItemReport, Report
from grader.learner.watch.changes import find, short, words
from grader.reports import terminal
from grader.reports.failure import Failure, cut, explained, full, link, measured, wrapped
from grader.reports.table import failed, flags, row, unwritten

if TYPE_CHECKING:
    from grader.reports.screen import Screen

KEYS = "h hint  n next  p previous  a all  r run again  q quit  ? help"
HELP = """h  a hint, one rung further at each press
n  the next item, after the last one the next exercise      p  the previous one
a  all items, a line each, and back
r  run again
q  quit (Ctrl-C too; Ctrl-Z puts it aside, `fg` brings it back)

A save is graded at once. What has passed stays in view until you press n; `--go-on` goes on by itself."""
PRINTED = 6  # lines of what the submission printed
LEAST = 3  # of them, and of the task, where there is little room


@dataclass(frozen=True)
class View:
    """What is shown beside the report. said: what changed. task: of the item. extra: a hint, or the help."""

    current: str
    said: Sequence[str] = ()
    task: str = ""
    extra: str = ""


def heading(report: Report) -> str:
    return f"{report.right} of {len(report.items)} passed  {report.submission}"


def one(report: Report, view: View, on: Screen, rows: int) -> str:
    """The item where the learner is: its verdict first, then, as far as there is room, all the rest."""
    item = find(report, view.current)
    top = [*_top(report, view, on), *_verdict(report, item, on), Text()]
    below = [line for note in report.notes for line in terminal.dim(f"note: {note}", on.width)]
    left = rows - len(top) - len(below) - 3
    middle = [line for text in (view.extra or view.task).split("\n") for line in _prose(text, on.width)]
    first = left - LEAST - 2 if view.extra else left // 2  # what a key has asked for comes first
    most = max(min(PRINTED, left - min(len(middle), first) - 2), LEAST)
    printed = terminal.printed(report, most, on.width)
    left -= len(printed)
    if len(middle) > left:
        middle = [*middle[: max(left - 1, 0)], Text("…", style="dim")]
    return _drawn([*top, *middle, Text(), *printed, *below], on, rows)


def all_items(report: Report, view: View, on: Screen, rows: int) -> str:
    """Every item in a line, with why it failed; what is not written, then what passed, may be but counted."""
    top = _top(report, view, on)
    room = rows - len(top) - 2
    shown = list(report.items)
    folded: list[str] = []
    for name, test in (("not written", unwritten), ("passed", lambda item: item.passed)):
        if len(shown) + len(folded) <= room:
            break
        away = [item for item in shown if test(item) and item.id != view.current]
        shown = [item for item in shown if item not in away]
        folded += [f"· {len(away)} {name}"] if away else []
    if len(shown) + len(folded) > room:
        at = next((k for k, item in enumerate(shown) if item.id == view.current), 0)
        many = max(room - len(folded) - 1, 1)
        begin = max(0, min(at - many // 2, len(shown) - many))
        folded.append(f"· {len(shown) - many} more")
        shown = shown[begin : begin + many]
    wide = max((len(short(report, item.id)) for item in shown), default=0)
    lines = [cut(_line(report, item, wide, view.current), on.width) for item in shown]
    return _drawn([*top, *lines, *(Text(text, style="dim") for text in folded)], on, rows)


def _top(report: Report, view: View, on: Screen) -> list[Text]:
    lines = [cut(Text(heading(report), style="bold"), on.width)]
    lines += [line for text in view.said for line in terminal.bold(text, on.width)]
    if report.passed:
        lines += [line for text in report.ahead.split("\n") for line in terminal.bold(text, on.width)]
    return [*lines, Text()]


def _verdict(report: Report, item: ItemReport, on: Screen) -> list[Text]:
    failure = Failure(exercise_of(report, item), (item,))
    if failed(item):
        return full(failure, on)
    said = measured(item) if item.passed else "not written"
    head = Text.assemble(("✓ ", "green") if item.passed else "· ", (item.id, "bold"), f": {said}  ")
    if not item.passed:
        head.append(link(failure, failure.at, on))
    notes = [text for text in (item.check.note, item.check.reason) if text]
    return [cut(head, on.width), *(line for note in notes for line in wrapped(f"{note}.", on.width))]


def exercise_of(report: Report, item: ItemReport) -> ExerciseReport:
    return next(exercise for exercise in report.exercises if item in exercise.items)


def _line(report: Report, item: ItemReport, wide: int, current: str) -> Text:
    mark = ("✓", "green") if item.passed else ("✗", "bold red") if failed(item) else ("·", "dim")
    line = Text.assemble("> " if item.id == current else "  ", mark, " ", short(report, item.id).ljust(wide))
    line.append(f"  {flags(item)[2]:>7}  ")
    if item.passed:
        said = item.check.note or measured(item)
    else:
        told = explained(Failure(exercise_of(report, item), (item,)), 1000) if failed(item) else iter(())
        said = next((str(text).strip() for text in told), words(item))
    return line.append(said)


def _prose(text: str, width: int) -> list[Text]:
    """A line of a task or a hint; one that is too long goes on below, as far in as it begins."""
    if len(text) <= width:
        return [Text(text)]
    return [*wrapped(text, width, len(text) - len(text.lstrip()))]


def _drawn(lines: Sequence[Text], on: Screen, rows: int) -> str:
    """The lines that there is room for, the keys last."""
    keys = cut(Text(KEYS, style="dim"), on.width)
    return terminal.drawn([*lines[: max(rows - 2, 1)], keys], on.width, on.color).rstrip("\n")


def verdict(report: Report, current: str) -> str:
    """An item's verdict in one line, with its numbers where it has any."""
    item = find(report, current)
    cells = row(item)
    said = cells[-1]
    if cells[4]:
        placed = item.place and said.endswith(f"({item.place})")
        said = f"{said[:-1]}, maxdiff {cells[4]})" if placed else f"{said} (maxdiff {cells[4]})"
    return f"{short(report, current)}: {said}"
