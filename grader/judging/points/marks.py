"""Points by a policy: of a report, or of a report's document. Pure.

An exercise is marked by itself, so a report's score is the sum of its exercises', whether they were graded
together, in a batch or on a platform.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from grader.core.verdict import Marks, Report, Verdict, points
from grader.judging.points.policy import Policy


@dataclass(frozen=True)
class Marked:
    """One exercise's marks: of each item, of all together after the deductions, and these in words."""

    items: Mapping[str, Marks]
    marks: Marks
    deductions: tuple[str, ...]


def days_late(
    policy: Policy,
    submitted: datetime | None,
    deadline: datetime | None = None,
    extended: datetime | None = None,
) -> int:
    """Days begun since the deadline; the policy's goes before the platform's.

    extended: the student's own deadline, which goes before both. 0 where a time is unknown.
    """
    deadline = extended or (policy.late and policy.late.deadline) or deadline
    late = policy.late
    if not late or submitted is None or deadline is None:
        return 0
    if submitted <= deadline + max(late.grace, late.buffer):
        return 0
    return math.ceil((submitted - deadline - late.buffer) / timedelta(days=1))


def marked(report: Report, policy: Policy, days: int) -> Report:
    """The report with its marks. days: by which it is late."""
    exercises = []
    for exercise in report.exercises:
        found = mark(policy, {item.id: item.verdict for item in exercise.items}, days)
        items = tuple(replace(item, marks=found.items[item.id]) for item in exercise.items)
        exercises.append(replace(exercise, items=items, marks=found.marks, deductions=found.deductions))
    return replace(report, exercises=tuple(exercises))


def marked_document(document: Mapping[str, Any], policy: Policy, days: int) -> dict[str, Any]:
    """As `marked`, of what `reports.document` makes of a report."""
    exercises, earned, of = [], 0, 0
    for exercise in document["exercises"]:
        found = mark(policy, {item["id"]: Verdict(item["verdict"]) for item in exercise["items"]}, days)
        items = [{**item, **_scores(found.items[item["id"]])} for item in exercise["items"]]
        own = {"items": items, "deductions": list(found.deductions)}
        exercises.append({**exercise, **_scores(found.marks), **own})
        earned, of = earned + found.marks.earned, of + found.marks.of
    return {**document, **_scores(Marks(earned, of)), "exercises": exercises}


def counted(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document without marks, whatever an earlier policy has put into it: each item that passed is one."""
    exercises = []
    for exercise in document["exercises"]:
        items = [{**item, "score": int(item["passed"]), "max_score": 1} for item in exercise["items"]]
        score = sum(item["score"] for item in items)
        own = {"score": score, "max_score": len(items), "deductions": [], "items": items}
        exercises.append({**exercise, **own})
    score, of = sum(e["score"] for e in exercises), sum(e["max_score"] for e in exercises)
    rest = {key: value for key, value in document.items() if key not in ("submitted", "days_late")}
    return {**rest, "score": score, "max_score": of, "exercises": exercises}


def _scores(marks: Marks) -> dict[str, Any]:
    return {"score": points(marks.earned), "max_score": points(marks.of)}


def mark(policy: Policy, verdicts: Mapping[str, Verdict], days: int) -> Marked:
    """One exercise's marks, from its items' verdicts."""
    items = {i: Marks(_earned(policy, i, verdict), policy.worth[i]) for i, verdict in verdicts.items()}
    earned, of = sum(m.earned for m in items.values()), sum(m.of for m in items.values())
    deductions = []
    if unmet := [i for i, verdict in verdicts.items() if i in policy.required and not verdict.passed]:
        cap = rounded(policy.cap * of)
        deductions.append(f"at most {points(cap)} without {_listed(unmet)}")
        earned = min(earned, cap)
    if days and policy.late:
        share = min(policy.late.maximum, policy.late.flat + policy.late.per_day * days)
        lost = rounded(share * earned)
        deductions.append(f"{points(lost)} less for {days} day{'s' * (days > 1)} late")
        earned -= lost
    return Marked(items, Marks(earned, of), tuple(deductions))


def _earned(policy: Policy, item: str, verdict: Verdict) -> int:
    share = policy.approximate if verdict is Verdict.APPROXIMATE else Fraction(verdict.passed)
    return rounded(share * policy.worth[item])


def _listed(items: list[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def rounded(hundredths: Fraction) -> int:
    """To a whole hundredth, halves up."""
    return math.floor(hundredths + Fraction(1, 2))
