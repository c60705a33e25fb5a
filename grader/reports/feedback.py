"""A report beside a notebook's cells: Markdown for a copy of it, and a page.

A submission's words reach both: they are escaped, so that they show and do nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.core.finding import Code
from grader.core.text import escaped, text
from grader.core.verdict import ItemReport, Report, Verdict
from grader.reports.pages.html import kind, legend, page, scores
from grader.reports.table import all_passed, capital, number, of, row, summary, unwritten

LINES = 400  # of a cell's code on the page, at most


def by_cell(report: Report) -> dict[int, list[ItemReport]]:
    """The items that are written in a cell, by its number from 1."""
    found: dict[int, list[ItemReport]] = {}
    for item in report.items:
        if item.cell and not unwritten(item):
            found.setdefault(item.cell, []).append(item)
    return dict(sorted(found.items()))


def under(items: Sequence[ItemReport]) -> str:
    """What stands under one cell: a line for each of its items, in backward order."""
    return "**grader**\n\n" + "\n".join(_line(item) for item in items)


def top(report: Report) -> str:
    """What stands on top: the scores, what comes next, and what belongs to no cell."""
    parts = [f"## grader: {of(report)} {'points' if report.marked else 'passed'}", escaped(advice(report))]
    if len(report.exercises) > 1 or report.marked:
        parts.append("\n".join(f"- {escaped(summary(e))}" for e in report.exercises))
    symbol = kind(Verdict.NOT_WRITTEN)[1]
    loose = [f"- {symbol} **{escaped(exercise)}** {escaped(said)}" for exercise, said in _away(report.items)]
    loose += [_line(item) for item in report.items if not item.cell and not unwritten(item)]
    parts += ["Not written, or in no cell:\n\n" + "\n".join(loose)] * bool(loose)
    parts += [f"Note: {escaped(text(note))}" for note in report.notes]
    parts.append("*These cells are from `grader feedback`, which replaces them the next time.*")
    return "\n\n".join(parts)


def _away(items: Sequence[ItemReport]) -> list[tuple[str, str]]:
    """By exercise what is not written, or nowhere to be found."""
    found: dict[tuple[str, str], list[str]] = {}
    for item in filter(unwritten, items):
        exercise, _, name = item.id.rpartition(".")
        said = "not found: nothing assigns" if item.check.code is Code.NOT_ASSIGNED else "not written:"
        found.setdefault((exercise, said), []).append(name)
    return [(exercise, f"{said} {', '.join(names)}") for (exercise, said), names in found.items()]


def advice(report: Report) -> str:
    """What to do next. The cell needs no number: its feedback stands below it."""
    todo = next((item for item in report.items if not item.passed), None)
    if todo is None:
        return all_passed(report)
    verb = "write" if todo.verdict is Verdict.NOT_WRITTEN else "fix"
    return f"Next: {verb} {todo.id}."


def _line(item: ItemReport) -> str:
    said = ", ".join(t for t in (found(item), numbers(item), worth(item)) if t)
    return f"- {kind(item.verdict)[1]} **{escaped(item.id)}** {escaped(text(said, 1000))}"


def found(item: ItemReport) -> str:
    """The verdict and its reason, with the line but not the cell."""
    return row(replace(item, cell=None))[-1]


def worth(item: ItemReport) -> str:
    return f"{of(item)} points" if item.marks else ""


def numbers(item: ItemReport) -> str:
    check = item.check
    if item.passed or check.maxdiff is None:
        return ""
    return f"maxdiff {number(check.maxdiff)}, relative {number(check.relative)}"


def render(report: Report, cells: Sequence[Mapping[str, Any]]) -> str:
    """The page: each cell that has graded items, with its code and what was found in it."""
    names = {name for exercise in report.exercises for name in exercise.names}
    return page(
        "feedback.html",
        "Feedback on a notebook",
        text(report.submission),
        report=report,
        advice=advice(report),
        scores=scores(report),
        summary=summary,
        legend=legend(item.verdict for item in report.items),
        loose=[_shown(item, names) for item in report.items if not item.cell and not unwritten(item)],
        away=_away(report.items),
        cells=[_cell(n, items, cells[n - 1], names) for n, items in by_cell(report).items()],
        notes=[text(note) for note in report.notes],
    )


def _cell(
    number: int, items: Sequence[ItemReport], cell: Mapping[str, Any], names: Collection[str]
) -> dict[str, Any]:
    marked = {i.line for i in items if not i.passed and i.verdict is not Verdict.NOT_WRITTEN}
    source = cell.get("source", "")
    whole = source if isinstance(source, str) else "".join(map(str, source))
    lines = whole.replace("\r\n", "\n").split("\n")
    code = [(n, text(line.replace("\t", "    ")), n in marked) for n, line in enumerate(lines[:LINES], 1)]
    return {
        "number": number,
        "items": [_shown(item, names) for item in items],
        "code": code,
        "more": len(lines) - len(code),
    }


def _shown(item: ItemReport, names: Collection[str]) -> dict[str, Any]:
    said = found(item).removeprefix(kind(item.verdict)[2]).removeprefix(": ").strip()
    return {
        "id": item.id,
        "kind": kind(item.verdict),
        "said": text(capital(said, names, item), 1000),
        "numbers": numbers(item),
        "points": worth(item),
    }
