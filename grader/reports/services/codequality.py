"""The report as GitLab's code quality JSON, shown at the lines of a merge request. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from grader.core.verdict import Report, Verdict
from grader.reports.table import row


def render(report: Report, paths: Mapping[str, str]) -> str:
    """One finding for each item that has not passed. A notebook's lines are inside cells: it gets line 1."""
    found = [
        {
            "description": f"{item.id}: {row(item)[-1]}",
            "check_name": f"grader/{item.verdict.value}",
            # Without the line, so that a finding stays the same when text above it changes.
            "fingerprint": hashlib.sha256(f"{paths[exercise.id]}\0{item.id}".encode()).hexdigest(),
            "severity": "info" if item.verdict is Verdict.NOT_WRITTEN else "major",
            "location": {
                "path": paths[exercise.id],
                "lines": {"begin": 1 if item.cell or not item.line else item.line},
            },
        }
        for exercise in report.exercises
        for item in exercise.items
        if not item.passed
    ]
    return json.dumps(found, indent=1) + "\n"
