"""The report as Gradescope reads it: results.json, and what a submission's metadata says of the time. Pure.

Facts, from Gradescope's autograder specifications: a score at the top goes before the tests' sum; while one
test is hidden from students, they don't see their total either; a file that is no valid JSON is shown as the
autograder's failure. Nothing there says "no grade", so a fault's file has no score at all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from grader.core.verdict import ExerciseReport, ItemReport, Points, Report
from grader.judging.points.attempts import counting
from grader.judging.points.policy import Attempts, moment
from grader.reports.table import row, score

FAULT = (
    "This submission has no grade, because the autograder failed. That is not the submission's fault, and it "
    "is no zero. Please tell your instructor, who can run it again."
)
Results = dict[str, Any]
PLAIN: Results = {"output_format": "text", "stdout_visibility": "hidden"}


@dataclass(frozen=True)
class Previous:
    """An earlier submission's score, and the tests that it was shown, of which only the latest has any."""

    score: float
    tests: Sequence[Any]


@dataclass(frozen=True)
class Metadata:
    """When this submission came, the assignment's deadline if it has one, and what earlier ones earned."""

    submitted: datetime
    due: datetime | None
    previous: tuple[Previous, ...]


def metadata(text: str) -> Metadata:
    """submission_metadata.json as Gradescope writes it. ValueError, in a few words that follow its name."""
    try:
        document = json.loads(text)
        submitted = moment(document["created_at"])
        due = document["assignment"].get("due_date")
        previous = [
            Previous(float(one["score"] or 0), _tests(one.get("results")))
            for one in document.get("previous_submissions") or ()
            if not one.get("autograder_error") and moment(one["submission_time"]) < submitted
        ]
        return Metadata(submitted, moment(due) if due else None, tuple(previous))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"is not as Gradescope writes it ({type(error).__name__}: {error})") from None


def _tests(results: object) -> Sequence[Any]:
    tests = results.get("tests") if isinstance(results, dict) else None
    return tests if isinstance(tests, list) else ()


def render(report: Report, visibility: str) -> Results:
    """One test for each item, and one for what a policy took off; the score is the report's."""
    lines = [score(report), *(f"{e.id}: {text}" for e in report.exercises for text in e.deductions)]
    lines += [f"note: {note}" for note in report.notes]
    if report.output:
        lines += ["", "The submission printed:", *(f"| {line}" for line in report.output.split("\n"))]
    tests = []
    for exercise in report.exercises:
        tests += [_test(exercise, item, visibility) for item in exercise.items]
        tests += [
            _plain(f"{exercise.id}: points taken off", text, [exercise.id], visibility)
            for text in exercise.deductions
        ]
    return {
        "score": report.score,
        "output": "\n".join(lines),
        "output_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def _test(exercise: ExerciseReport, item: ItemReport, visibility: str) -> Results:
    test = _plain(item.id, row(item)[-1], [exercise.id, item.verdict.value], visibility)
    status = "passed" if item.passed else "failed"
    return {**test, "score": item.score, "max_score": item.max_score, "status": status}


def _plain(name: str, output: str, tags: list[str], visibility: str) -> Results:
    """A test without points, which only tells something."""
    return {
        "name": name,
        "name_format": "text",
        "status": "failed",
        "output": output,
        "output_format": "text",
        "tags": tags,
        "visibility": visibility,
    }


def fault(why: str = "") -> Results:
    """What stands there where the grader itself failed: no score, and no test with one."""
    return {"output": f"{FAULT}\n\n{why}".rstrip(), **PLAIN}


def refused(metadata: Metadata, attempts: Attempts) -> bool:
    """Whether there were as many submissions as the policy allows, so that this one is not graded."""
    return attempts.most is not None and len(metadata.previous) >= attempts.most


def kept(metadata: Metadata, attempts: Attempts) -> Results:
    """The results of a submission that is not graded: the score that stands, with the latest's tests."""
    n = len(metadata.previous) + 1
    earned = [one.score for one in metadata.previous]
    number = counting(earned, attempts)
    said = f"Attempt {n}: not graded, since {attempts.most} are allowed. "
    return {
        "score": _points(earned[number]),
        "output": f"{said}The score of attempt {number + 1} stands.",
        **PLAIN,
        "tests": list(metadata.previous[-1].tests),
    }


def with_best(results: Results, metadata: Metadata, of: Points) -> Results:
    """The results with the best score so far, and a word where that isn't this submission's."""
    earned = [one.score for one in metadata.previous]
    number = max(range(len(earned)), key=earned.__getitem__, default=None)
    if number is None or earned[number] <= results["score"]:
        return results
    said = f"The score of attempt {number + 1} counts, which is better: {_points(earned[number])} of {of}.\n"
    return {**results, "score": _points(earned[number]), "output": said + results["output"]}


def _points(score: float) -> Points:
    return int(score) if score == int(score) else round(score, 2)
