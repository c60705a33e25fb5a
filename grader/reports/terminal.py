"""The report as a table in colour, for a terminal."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from grader.core.verdict import ItemReport, Report, Verdict
from grader.reports.table import RIGHT, absent, headings, row, rule, score, summary

NARROW = 100  # columns; below that, shape and relative give their room to the verdict


def render(report: Report, width: int, color: bool) -> str:
    """The same as `plain.render`, with colour and wrapping. Text from a submission is never markup."""
    parts: list[RenderableType] = []
    for exercise in report.exercises:
        if line := absent(exercise):
            parts.append(Text(line + "\n", style="bold"))
            continue
        table = Table(box=SIMPLE_HEAD, title=exercise.title, title_justify="left", pad_edge=False)
        names = headings(report)
        columns = [i for i, h in enumerate(names) if width >= NARROW or h not in ("shape", "relative")]
        for i in columns:
            last = i == len(names) - 1
            side: JustifyMethod = "right" if i in RIGHT and not last else "left"
            table.add_column(names[i], justify=side, no_wrap=not last)
        for item in exercise.items:
            *cells, verdict = map(Text, row(item))
            verdict.style = style(item)
            table.add_row(*([*cells, verdict][i] for i in columns))
        parts += [table, Text(summary(exercise) + "\n", style="bold")]
    if report.output:
        parts += [Text("the submission printed:", style="dim"), Text(report.output + "\n")]
    parts += [Text(f"note: {note}\n", style="dim") for note in report.notes]
    parts += [Text(text + "\n", style="dim")] if (text := rule(report)) else []
    parts.append(Text(score(report), style="bold"))
    return drawn(parts, width, color)


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


def style(item: ItemReport) -> str:
    if item.passed:
        return "green"
    return "dim" if item.verdict is Verdict.NOT_WRITTEN else "red"
