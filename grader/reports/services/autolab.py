"""The report as Autolab's autoresult, the last line of standard output. Pure.

Facts, from Autolab's guide for lab authors: the line is a JSON object whose `scores` has a number for each
problem, by the name that it has on the site. Here the problems are the exercises: `ex1`.
"""

from __future__ import annotations

import json

from grader.core.verdict import Report


def render(report: Report) -> str:
    """One line: nothing may be printed after it."""
    return json.dumps({"scores": {exercise.id: exercise.score for exercise in report.exercises}}) + "\n"
