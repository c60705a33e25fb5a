"""The report for GitHub Classroom's grading reporter: JSON in base64, as the step output `result`. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from grader.core.text import quiet
from grader.core.verdict import Report, points
from grader.reports.table import row


def render(report: Report, paths: Mapping[str, str]) -> str:
    """One line. paths: each exercise's file, from the repository's root.

    The reporter adds the tests' points up, so what they earn is after the policy's deductions.
    """
    tests = [
        {
            "name": item.id,
            "status": "pass" if item.passed else "fail",
            "score": points(share),
            "message": "" if item.passed else quiet(row(item)[-1]),  # the reporter prints it into the log
            "test_code": f"grader check {item.id}",
            "filename": paths[exercise.id],
            "line_no": item.line or 0,
            "duration": 0,  # all items run in one process
        }
        for exercise in report.exercises
        for item, share in zip(exercise.items, exercise.parts, strict=True)
    ]
    status = "pass" if report.passed else "fail"
    document = {"version": 1, "status": status, "max_score": report.max_score, "tests": tests}
    return base64.b64encode(json.dumps(document).encode()).decode()
