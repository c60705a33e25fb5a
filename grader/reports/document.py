"""The report as one JSON document; `report.schema.json` beside this file is its published schema."""

from __future__ import annotations

import json
from typing import Any

from grader.core.finding import Finding
from grader.core.verdict import Check, ItemReport, Report

SCHEMA = "grader/report/v1.1"


def render(report: Report) -> str:
    return json.dumps(document(report), indent=1, allow_nan=False) + "\n"


def document(report: Report, checks: bool = True) -> dict[str, Any]:
    """The report as plain data. checks: with the check on each fixture, nine tenths of its size."""
    return {
        "schema": SCHEMA,
        "submission": report.submission,
        "score": report.score,
        "max_score": report.max_score,
        "passed": report.passed,
        "exercises": [
            {
                "id": exercise.id,
                "title": exercise.title,
                "score": exercise.score,
                "max_score": exercise.max_score,
                "deductions": list(exercise.deductions),
                "nameless": list(exercise.nameless),
                "items": [_item(item, checks) for item in exercise.items],
            }
            for exercise in report.exercises
        ],
        "output": report.output,
        "notes": list(report.notes),
    }


def _item(item: ItemReport, checks: bool) -> dict[str, Any]:
    document = {
        "id": item.id,
        "verdict": item.verdict.value,
        "passed": item.passed,
        "score": item.score,
        "max_score": item.max_score,
        **_check(item.check),
        "shape": list(item.shape),
        "call": item.check.call or None,
        "gave": item.check.came or None,
        "wanted": item.check.wanted or None,
        "came": None if item.check.shape is None else list(item.check.shape),
        "line": item.line,
        "cell": item.cell,
        "execution_count": item.count,
        "diagnosis": item.diagnosis,
        "diagnosis_code": item.mistake.code.value if item.mistake else None,
        "evidence": _evidence(item.mistake) if item.mistake else None,
    }
    if checks:
        document["checks"] = [
            {"on": name, "verdict": check.verdict.value, **_check(check)}
            for name, check in (item.checks or {}).items()
        ]
    return document


def _evidence(mistake: Finding) -> dict[str, Any]:
    """What a diagnosis rests on."""
    nearest = mistake.nearest.value if mistake.nearest else None
    return {"on": list(mistake.on), "also": sorted(code.value for code in mistake.also), "nearest": nearest}


def _check(check: Check) -> dict[str, Any]:
    compared = check.maxdiff is not None
    return {
        "exact": check.exact if compared else None,
        "approx": check.approx if compared else None,
        "allclose": check.allclose if compared else None,
        "maxdiff": check.maxdiff,
        "relative": check.relative,
        "tolerance": check.tolerance,
        "reason": check.reason,
        "code": check.code.value if check.code else None,
        "note": check.note,
    }
