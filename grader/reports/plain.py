"""The report as aligned text, for pipes and logs."""

from __future__ import annotations

from grader.core.verdict import Report
from grader.reports.table import RIGHT, absent, headings, row, score, summary


def render(report: Report) -> str:
    """Every item, a line each; then scores and what to do next."""
    parts = []
    for exercise in report.exercises:
        if line := absent(exercise):
            parts.append(line)
            continue
        rows = [headings(report), *(row(item) for item in exercise.items)]
        widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]) - 1)]
        lines = [exercise.title]
        for r in rows:
            cells = [r[i].rjust(w) if i in RIGHT else r[i].ljust(w) for i, w in enumerate(widths)]
            lines.append("  ".join([*cells, r[-1]]).rstrip())
        parts.append("\n".join([*lines, summary(exercise)]))
    if report.output:
        printed = (f"| {line}" for line in report.output.split("\n"))
        parts.append("\n".join(["the submission printed:", *printed]))
    parts += [f"note: {note}" for note in report.notes]
    parts += [f"new: {report.news}"] if report.news else []
    parts.append(score(report))
    return "\n\n".join(parts) + "\n"
