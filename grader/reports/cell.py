"""The report as HTML for a notebook's cell: one table, without styles of the page's own. Pure.

A notebook's theme decides the colours; the verdict is a word, and its colour only repeats it.
"""

from __future__ import annotations

from html import escape

from grader.core.verdict import ExerciseReport, ItemReport, Report, Verdict
from grader.reports.table import RIGHT, absent, headings, row, rule, score, summary


def render(report: Report) -> str:
    """A table for each exercise, then the notes and what to do next. All text is escaped."""
    parts = [_table(exercise, headings(report)) for exercise in report.exercises]
    parts += [f"<p>note: {escape(note)}</p>" for note in report.notes]
    if report.items:
        parts += [f"<p><small>{escape(text)}</small></p>"] if (text := rule(report)) else []
        parts.append(f"<p><strong>{escape(score(report))}</strong></p>")
    return '<div class="grader">' + "\n".join(parts) + "</div>"


def _table(exercise: ExerciseReport, names: tuple[str, ...]) -> str:
    if line := absent(exercise):
        return f"<p><strong>{escape(line)}</strong></p>"
    last = len(names) - 1
    head = "".join(f'<th scope="col" style="{_align(i, i == last)}">{h}</th>' for i, h in enumerate(names))
    body = "\n".join(_row(item) for item in exercise.items)
    return (
        f'<table><caption style="text-align: left">{escape(exercise.title)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>"
        f"<p><strong>{escape(summary(exercise))}</strong></p>"
    )


def _row(item: ItemReport) -> str:
    name, *cells = row(item)
    made = [f'<th scope="row" style="text-align: left">{escape(name)}</th>']
    for i, cell in enumerate(cells, 1):
        last = i == len(cells)
        style = f"{_align(i, last)}; color: {_color(item)}" if last else f"{_align(i)}; white-space: nowrap"
        made.append(f'<td style="{style}">{escape(cell)}</td>')
    return f"<tr>{''.join(made)}</tr>"


def _align(column: int, last: bool = False) -> str:
    return f"text-align: {'right' if column in RIGHT and not last else 'left'}"


def _color(item: ItemReport) -> str:
    """Readable on a light and on a dark page: contrast of 4.5 or nearly so on either."""
    if item.passed:
        return "#178217"
    return "gray" if item.verdict is Verdict.NOT_WRITTEN else "#d93a3a"
