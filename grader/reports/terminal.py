"""The report for a terminal: a line for each item, then why each failure is one, then what is next."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.text import Text

from grader.core.course import set_of
from grader.core.verdict import ExerciseReport, ItemReport, Report
from grader.reports.failure import brief, cut, failures, full, notes, wrapped
from grader.reports.table import absent, advice, earned, flags, form, of, unwritten

if TYPE_CHECKING:
    from grader.reports.screen import Screen

FULL = 5  # failures that are explained
PRINTED = 8  # lines of what the submission printed
BAR = 30
COLUMNS = ("item", "shape", "exact", "approx", "maxdiff", "in general")
GIVEN_UP = (1, 4, 2, 3)  # columns that a narrow screen does without, the first first


def render(report: Report, on: Screen, everything: bool = False) -> str:
    """everything: each failure in full, and all that was printed. Text from a submission is never markup."""
    parts: list[RenderableType] = [*printed(report, None if everything else PRINTED, on.width)]
    for begun, group in groupby(report.exercises, lambda e: len(report.exercises) == 1 or _begun(e)):
        if begun:
            for exercise in group:
                parts += [*table(exercise, report.marked, on.width), Text()]
        else:
            parts += [*_untouched(list(group), on.width), Text()]
    parts += _explained(report, on, everything)
    said = [*report.notes, *notes(report.items)]
    parts += [line for text in said for line in dim(f"note: {text}", on.width)] + [Text()] * bool(said)
    parts += ending(report, on)
    return drawn(parts, on.width, on.color)


def _begun(exercise: ExerciseReport) -> bool:
    """Whether there is more to say of an exercise than that nothing of it is written."""
    return bool(absent(exercise)) or not all(unwritten(item) for item in exercise.items)


def _untouched(exercises: Sequence[ExerciseReport], width: int) -> list[Text]:
    """A line for each set of exercises of which nothing is written, or for a single exercise."""
    lines = []
    for name, group in groupby(exercises, lambda e: set_of(e.id)):
        each = list(group)
        items = sum(len(e.items) for e in each)
        many = f"{items} not written"
        said = f"{name}  {len(each)} exercises, {many}" if len(each) > 1 else f"{each[0].id}  {many}"
        lines.append(cut(Text(f"· {said}", style="dim"), width))
    return lines


def table(exercise: ExerciseReport, marked: bool, width: int) -> list[Text]:
    """A heading, and a line for each item but those that are not written, which are counted."""
    folded = [item for item in exercise.items if unwritten(item)]
    counted = f"{exercise.right} of {len(exercise.items)}"
    head = Text.assemble((exercise.id, "bold"), f"  {counted}  ", (exercise.title, "bold"))
    if exercise.marks:
        head.append(f"  {earned(exercise)}")
    if line := absent(exercise):
        return [cut(Text(line, style="bold"), width)]
    shown = [item for item in exercise.items if not unwritten(item)]
    lines = [*wrapped(str(head), width, 0)] if exercise.deductions else [cut(head, width)]
    if shown:
        rows = [_headings(marked), *(_cells(item) for item in shown)]
        lines += _aligned(rows, [None, *shown], width)
    if folded:
        names = ", ".join(map(name_of, folded))
        lines.append(cut(Text(f"· {len(folded)} not written: {names}", style="dim"), width))
    return lines


def _headings(marked: bool) -> tuple[str, ...]:
    return (*COLUMNS, "points") if marked else COLUMNS


def _cells(item: ItemReport) -> tuple[str, ...]:
    general = "" if item.general is None else ("no", "yes")[item.general]
    return (name_of(item), form(item), *flags(item), general, *((of(item),) if item.marks else ()))


def name_of(item: ItemReport) -> str:
    return item.id.rpartition(".")[2]


def _aligned(rows: Sequence[tuple[str, ...]], items: Sequence[ItemReport | None], width: int) -> list[Text]:
    """The rows in columns, without those for which the width has no room."""
    columns = list(range(len(rows[0])))
    widths = [max(len(row[k]) for row in rows) for k in columns]
    for given_up in GIVEN_UP:
        if 2 + sum(widths[k] + 2 for k in columns) - 2 <= width:
            break
        columns.remove(given_up)
    lines = []
    for row, item in zip(rows, items, strict=True):
        cells = [row[k].rjust(widths[k]) if k in (4, 6) else row[k].ljust(widths[k]) for k in columns]
        if item is None:
            lines.append(cut(Text("  " + "  ".join(cells), style="dim"), width))
            continue
        line = Text.assemble(("✓ ", "green") if item.passed else ("✗ ", "bold red"))
        for k, cell in zip(columns, cells, strict=True):
            line.append(cell, style="red" if row[k] == "no" and not item.passed else "").append("  ")
        line.rstrip()
        lines.append(cut(line, width))
    return lines


def _explained(report: Report, on: Screen, everything: bool) -> list[Text]:
    """The first failures in full, the rest a line each."""
    found = failures(report)
    many = len(found) if everything else FULL
    lines: list[Text] = []
    for failure in found[:many]:
        lines += [*full(failure, on), Text()]
    rest = found[many:]
    wide = max((len(failure.item.id) for failure in rest), default=0)
    lines += [brief(failure, wide, on) for failure in rest]
    if rest:
        more = f"{len(rest)} in a line each; `--all` explains every one"
        lines += [cut(Text(f"  {more}", style="dim"), on.width), Text()]
    return lines


def ending(report: Report, on: Screen) -> list[Text]:
    """How many passed, what came new, what to do next."""
    total = len(report.items)
    filled = BAR * report.right // max(total, 1)
    lines = Text.assemble(("━" * filled, "green"), ("─" * (BAR - filled), "dim"))
    lines.append(f" {report.right} of {total} passed", style="bold")
    if report.marked:
        lines.append(f", score: {of(report)} points", style="bold")
    new = wrapped(f"New: {report.news}", on.width, 0) if report.news else ()
    return [cut(lines, on.width), *new, *bold(advice(report), on.width)]


def printed(report: Report, most: int | None, width: int) -> list[Text]:
    """The last lines of what the submission printed, above everything else."""
    if not report.output:
        return []
    lines = report.output.split("\n")
    left = 0 if most is None else max(len(lines) - most, 0)
    said = f"the submission printed{f' {len(lines)} lines, the last of them' if left else ''}:"
    rows = [row for line in lines[left:] for row in wrapped(line, width, 2) or [Text()]]
    shown = rows if most is None else rows[-most:]
    return [Text(said, style="dim"), *(_styled(Text("│ ").append(row[2:]), "dim") for row in shown), Text()]


def dim(text: str, width: int) -> list[Text]:
    return [_styled(line, "dim") for line in wrapped(text, width, 0)]


def bold(text: str, width: int) -> list[Text]:
    return [_styled(line, "bold") for part in text.split("\n") for line in wrapped(part, width, 0)]


def _styled(line: Text, style: str) -> Text:
    line.stylize(style)
    return line


def drawn(parts: Sequence[RenderableType], width: int, color: bool) -> str:
    """What rich makes of it: text, with codes where there is colour."""
    out = io.StringIO()
    console = Console(
        file=out,
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        width=width,
        height=24,  # nothing is left that rich would look up in the environment
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(Group(*parts))
    return out.getvalue()
