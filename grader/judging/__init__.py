"""One submission → one report: run, compare, other choices, findings, points. `grade.py` is the story.

Doors: grade, requests, targets, bench, compare, points.policy, points.marks.
"""
