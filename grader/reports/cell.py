"""What a notebook's cell shows: the table of `check`, and the row under the line of `cmp`. Pure.

The notebook's theme decides the colours of all text, but for the verdict's, which stands on a ground of its
own: so it can be read on a light page and on a dark one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from grader.core.finding import Code
from grader.core.text import times
from grader.core.verdict import ExerciseReport, ItemReport, Report, Verdict
from grader.reports.table import number, once, words

TYPE_CHECKING = False  # the pictures' NumPy is imported where there are some
if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

HEADINGS = ("item", "shape", "exact", "approximate", "maxdiff", "verdict")  # the lecture's figures
INK = "#ffffff"
GROUNDS = {"right": "#1a6f31", "wrong": "#b3261e", "undecided": "#6b5200", "unwritten": "#57606a"}
TOP = "text-align: left; vertical-align: top"
SIDE = 150  # pixels of a picture's longer side, at most
CELL = 6  # pixels of an element, at most


def kind(item: ItemReport) -> str:
    """Which of GROUNDS an item is: what can't be told on one batch is neither right nor wrong."""
    if item.check.code is Code.NOT_JUDGED:
        return "undecided"
    if item.passed:
        return "right"
    return "unwritten" if item.verdict is Verdict.NOT_WRITTEN else "wrong"


def render(report: Report, settled: bool = False) -> str:
    """A table for each exercise, then the notes and how far it is. All text is escaped.

    settled: the verdicts are those of `grader check`, not only of this batch.
    """
    parts = [_table(exercise) for exercise in report.exercises]
    parts += [f"<p>{'note: ' * bool(report.items)}{escape(note)}</p>" for note in report.notes]
    if report.items:
        parts.append(f"<p><strong>{escape(closing(report, settled))}</strong></p>")
    return '<div class="grader">' + "\n".join(parts) + "</div>"


def plain(report: Report, settled: bool = False) -> str:
    """The same as text."""
    lines: list[str] = []
    for exercise in report.exercises:
        rows = [HEADINGS, *map(_row, _written(exercise))]
        if len(rows) > 1:
            widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS) - 1)]
            lines += ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows]
        lines += _folded(exercise)
    lines += [f"note: {note}" if report.items else note for note in report.notes]
    return "\n".join([*lines, *[closing(report, settled)] * bool(report.items)])


def closing(report: Report, settled: bool) -> str:
    """How many are right, what the rest are, and what decides."""
    kinds = [kind(item) for item in report.items]
    rest = {"wrong": "wrong", "undecided": "undecided", "unwritten": "not written"}
    others = ", ".join(f"{kinds.count(k)} {shown}" for k, shown in rest.items() if k in kinds)
    said = f"{kinds.count('right')} of {len(kinds)} right{'' if settled else ' on this batch'}"
    said += f"; {others}" if others else ""
    todo = next((i for i, k in zip(report.items, kinds, strict=True) if k != "right"), None)
    ended = "" if settled else " `grader check` on the file decides: it asks other sizes and numbers too."
    return f"{said}. Next: {todo.id.rpartition('.')[2]}.{ended}" if todo else f"{said}.{ended}"


def _written(exercise: ExerciseReport) -> list[ItemReport]:
    return [item for item in exercise.items if kind(item) != "unwritten"]


def _folded(exercise: ExerciseReport) -> Iterator[str]:
    """What is not written, in a line."""
    names = [i.id.rpartition(".")[2] for i in exercise.items if kind(i) == "unwritten"]
    if names:
        yield f"not written yet: {', '.join(names)}"


def _row(item: ItemReport) -> tuple[str, ...]:
    check = item.check
    compared = check.maxdiff is not None
    flags = (("no", "yes")[flag] if compared else "" for flag in (check.exact, check.allclose))
    return (item.id, times(item.shape), *flags, number(check.maxdiff), ": ".join(filter(None, told(item))))


def told(item: ItemReport) -> tuple[str, str]:
    """The verdict in a word or two, and what there is to say, nothing of it twice."""
    check, sort = item.check, kind(item)
    said = "; ".join(once(item.diagnosis, check.reason, check.note))
    where = f" ({item.place})" if item.place and not item.passed else ""
    return (sort if sort in ("right", "undecided") else words(check.verdict)), said + where


def _table(exercise: ExerciseReport) -> str:
    head = "".join(f'<th scope="col" style="text-align: left">{h}</th>' for h in HEADINGS)
    body = "\n".join(_cells(item) for item in _written(exercise))
    table = f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>" if body else ""
    folded = "".join(f"<p>{escape(line)}</p>" for line in _folded(exercise))
    return (
        f'<table><caption style="text-align: left">{escape(exercise.title)}</caption>{table}</table>{folded}'
    )


def _cells(item: ItemReport) -> str:
    name, *figures, _ = _row(item)
    word, said = told(item)
    cells = "".join(f'<td style="{TOP}; white-space: nowrap">{escape(f)}</td>' for f in figures)
    last = f'<td style="{TOP}">{_badge(word, kind(item))} {escape(said)}</td>'
    return f'<tr><th scope="row" style="{TOP}">{escape(name)}</th>{cells}{last}</tr>'


def _badge(word: str, sort: str) -> str:
    style = f"background-color: {GROUNDS[sort]}; color: {INK}; padding: 1px 6px; border-radius: 3px"
    return f'<span style="{style}; white-space: nowrap">{escape(word)}</span>'


def compared(sort: str, said: str, pictures: Sequence[tuple[str, NDArray[Any], float]]) -> str:
    """The row under a line of `cmp`: the verdict, what there is to say, and heatmaps.

    sort: one of GROUNDS. pictures: of each its caption, its values and the value of the strongest colour.
    """
    figures = "".join(_picture(*one) for one in pictures)
    shown = f'<div style="display: flex; gap: 12px; margin-top: 4px">{figures}</div>' if figures else ""
    return f'<div class="grader">{_badge(sort, sort)} {escape(said)}{shown}</div>'


def _picture(caption: str, values: NDArray[Any], scale: float) -> str:
    from grader.reports.pages.heat import heat

    made = heat(values, scale)
    size = min(SIDE / max(made.rows, made.columns), CELL)
    width, height = max(round(made.columns * size), 3), max(round(made.rows * size), 3)
    style = f"width: {width}px; height: {height}px; image-rendering: pixelated; border: 1px solid #808080"
    return (
        f'<figure style="margin: 0"><img src="{made.uri}" alt="" style="{style}">'
        f"<figcaption><small>{escape(caption)}</small></figcaption></figure>"
    )
