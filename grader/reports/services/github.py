"""The report as GitHub Actions shows it: annotations on the learner's lines, and the step's summary. Pure.

A line of a log that begins with `::`, or has `##[` anywhere in it, is a command to the runner. What a
submission says must never be one: `core/text.py` breaks the second, and `stopped` encloses all that is for
people.
"""

from __future__ import annotations

from collections.abc import Mapping

from grader.core.text import escaped, quiet
from grader.core.verdict import ItemReport, Report, Verdict
from grader.reports.table import advice, headings, of, row, rule, summary

MOST = 10  # annotations of a kind that GitHub shows for one step
SUMMARY_LIMIT = 1024 * 1024  # bytes
CUT = "\n… cut: the rest would be over GitHub's limit.\n"


def render(report: Report, paths: Mapping[str, str]) -> str:
    """One error for each wrong item, at its line; what is left to write in one notice.

    paths: each exercise's file, from the repository's root. A notebook's lines are inside cells, so its
    annotations are for the whole file.
    """
    failed = [(item, paths[e.id]) for e in report.exercises for item in e.items if not item.passed]
    unwritten = [item.id for item, _ in failed if item.verdict is Verdict.NOT_WRITTEN]
    wrong = [one for one in failed if one[0].verdict is not Verdict.NOT_WRITTEN]
    lines = [_error(item, path) for item, path in wrong[:MOST]]
    if rest := [item.id for item, _ in wrong[MOST:]]:
        lines.append(command("notice", f"{len(rest)} more did not pass: {', '.join(rest)}"))
    if unwritten:
        lines.append(command("notice", f"{len(unwritten)} not written yet: {', '.join(unwritten)}"))
    return "".join(line + "\n" for line in lines)


def _error(item: ItemReport, path: str) -> str:
    place = {} if item.cell or not item.line else {"line": str(item.line)}
    title = f"{item.id}: {item.verdict.value.replace('-', ' ')}"
    return command("error", row(item)[-1], file=path, **place, title=title)


def command(name: str, message: str, **properties: str) -> str:
    """A workflow command: one line, whatever the message and the properties are."""
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' if listed else ''}{listed}::{_data(message)}"


def _data(text: str) -> str:
    return quiet(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def stopped(token: str) -> tuple[str, str]:
    """What to print before and after text in which nothing is a command. token: random, told to nobody."""
    return f"::stop-commands::{token}\n", f"\n::{token}::\n"


def markdown(report: Report, limit: int = SUMMARY_LIMIT) -> str:
    """The report in Markdown, within `limit` bytes of UTF-8: whole lines, and a word where it was cut."""
    names = headings(report)
    said = f"{of(report)} points" if report.marked else f"{of(report)} passed"
    lines = [f"## {escaped(advice(report))} {said}.", ""]
    for exercise in report.exercises:
        lines += [f"### {escaped(exercise.title)}", "", escaped(summary(exercise)), ""]
        lines += ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
        lines += ["| " + " | ".join(escaped(cell) for cell in row(item)) + " |" for item in exercise.items]
        lines.append("")
    if report.output:
        lines += ["The submission printed:", ""]
        lines += [f"> {escaped(line)}  " for line in report.output.split("\n")] + [""]
    lines += [f"- {escaped(note)}" for note in (*report.notes, rule(report)) if note]
    return _within(lines, limit)


def _within(lines: list[str], limit: int) -> str:
    whole = "\n".join(lines) + "\n"
    if len(whole.encode()) <= limit:
        return whole
    kept, left = [], limit - len(CUT.encode())
    for line in lines:
        left -= len(line.encode()) + 1
        if left < 0:
            break
        kept.append(line + "\n")
    return "".join(kept) + CUT if limit >= len(CUT.encode()) else ""
