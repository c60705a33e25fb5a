"""What a batch changed against the one before it in the same folder, for whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grader.core.verdict import Points

NAME = "changes.csv"
COLUMNS = ("student", "name", "exercise", "before", "after", "why", "items")
Of = tuple[str, str]  # a student and an exercise


@dataclass(frozen=True)
class Stood:
    """What a student had for an exercise. key: of what was graded."""

    name: str
    score: Points | None  # None where nothing was graded
    key: str | None
    verdicts: Mapping[str, str]


def standing(results: Iterable[Mapping[str, Any]]) -> dict[Of, Stood]:
    """By student and exercise, of the attempts that count."""
    found: dict[Of, Stood] = {}
    for result in results:
        if result.get("counts", True):
            for exercise in result["exercises"] or [None]:
                verdicts = {i["id"]: i["verdict"] for i in exercise["items"]} if exercise else {}
                score = exercise["score"] if exercise else None
                name = exercise["id"] if exercise else ""
                found[result["student"], name] = Stood(result["name"], score, result["key"], verdicts)
    return found


def rows(before: Mapping[Of, Stood], after: Mapping[Of, Stood]) -> list[tuple[str, ...]]:
    """A row for each that is not as it was, in the order of the students."""
    found = []
    for of in sorted(before.keys() | after.keys()):
        old, new = before.get(of), after.get(of)
        if old and new and (old.score, old.verdicts) == (new.score, new.verdicts):
            continue
        one = new or old
        assert one
        if not old or not new:
            why = "not there before" if new else "no longer there"
        else:
            why = "points" if old.key == new.key else "graded again"
        was, now = (s.verdicts if s else {} for s in (old, new))
        items = [
            f"{i}: {was.get(i, '-')} -> {now.get(i, '-')}" for i in {**was, **now} if was.get(i) != now.get(i)
        ]
        scores = ["" if s is None or s.score is None else str(s.score) for s in (old, new)]
        found.append((of[0], one.name, of[1], *scores, why, "; ".join(items if old and new else ())))
    return found
