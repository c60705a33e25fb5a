"""The report as PrairieLearn's external grader hands it over: results.json. Pure.

Facts, from PrairieLearn's page on external grading: `score` is a part of 1; with `gradable` false no point
and no attempt is lost; `tests` are shown by <pl-external-grader-results>; the file has at most 1 MB, which
texts of this length keep within for hundreds of items.
"""

from __future__ import annotations

import json

from grader.core.verdict import Report
from grader.reports.table import row, score

SAID = 2000  # characters of what a test says, and twice as many of what was printed


def render(report: Report) -> str:
    """A test for each item, and one without points for each deduction."""
    tests = [
        {
            "name": item.id,
            "points": item.score,
            "max_points": item.max_score,
            "message": row(item)[-1][:SAID],
            "output": item.place,
        }
        for item in report.items
    ]
    tests += [
        {
            "name": f"{exercise.id}: points taken off",
            "points": 0,
            "max_points": 0,
            "message": text,
            "output": "",
        }
        for exercise in report.exercises
        for text in exercise.deductions
    ]
    document = {
        "gradable": True,
        "score": report.score / report.max_score if report.max_score else 0.0,
        "message": score(report),
        "output": "\n".join(f"| {line}" for line in report.output[: 2 * SAID].split("\n") if line),
        "tests": tests,
    }
    return json.dumps(document) + "\n"
