"""The report as Classroom 50 collects it: result.json, and the text of the release. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grader.core.verdict import Report
from grader.reports.services.github import SUMMARY_LIMIT, markdown

SCHEMA = "classroom50/result/v1"
NEEDED = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "USERNAME", "COMMIT_URL", "RELEASE_URL")
BODY_LIMIT = min(125_000, SUMMARY_LIMIT)  # bytes; a release's text may have 125,000 characters


def render(report: Report, environ: Mapping[str, str], now: datetime, whole: bool = True) -> str:
    """environ: as the runner sets it, with all that is NEEDED. now: aware.

    Classroom 50 takes integers. whole: whether the policy gives no other score; else all are in hundredths
    of a point, so that nothing is rounded. What tests earn is after the deductions, and adds up to the score.
    """
    unit = 100 if whole else 1
    earned = [share for exercise in report.exercises for share in exercise.parts]
    worth = [item.marks.of if item.marks else 100 for item in report.items]
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "classroom": environ["CLASSROOM"],
        "assignment": environ["ASSIGNMENT"],
        "assignment_type": environ.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environ.get("OWNER") or environ["USERNAME"],
        "submission": environ["SUBMISSION_TAG"],
        "commit": environ["COMMIT_URL"],
        "release": environ["RELEASE_URL"],
        "review": environ.get("REVIEW_URL") or environ["COMMIT_URL"],
        "datetime": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": sum(earned) // unit,
        "max-score": sum(worth) // unit,
        "tests": [
            {"test-name": item.id, "passed": item.passed, "score": share // unit, "max-score": of // unit}
            for item, share, of in zip(report.items, earned, worth, strict=True)
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def body(report: Report) -> str:
    """The text of the release that the student sees."""
    return markdown(report, BODY_LIMIT)
