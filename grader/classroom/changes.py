"""What a batch changed against the one before it in the same folder, for whom. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader import __version__
from grader.core.exercise import Exercise, How
from grader.core.verdict import Points
from grader.judging.points.policy import Policy

NAME = "changes.csv"
COLUMNS = ("student", "name", "exercise", "before", "after", "why", "items")
SHORT = 12  # characters of a digest
Of = tuple[str, str]  # a student and an exercise


@dataclass(frozen=True)
class Stood:
    """What a student had for an exercise. made_of: digests of what that rests on, by what it is."""

    name: str
    score: Points | None  # None where nothing was graded
    made_of: Mapping[str, str]
    verdicts: Mapping[str, str]


def rests_on(exercise: Exercise, policy: Policy | None, how: How) -> dict[str, str]:
    """Digests of what a result rests on besides the file, for a later run to say which of it is another."""

    def short(*what: Any) -> str:
        return hashlib.sha256(repr(what).encode()).hexdigest()[:SHORT]

    rules = replace(policy, name="", required=frozenset()) if policy else None
    return {
        "fixtures": short(json.dumps(exercise.to_json(), sort_keys=True)),
        "grader": __version__,
        "options": short(how.strict, sorted(how.rename.items())),
        "policy": short(rules, sorted(policy.required) if policy else ()),
    }


def standing(results: Iterable[Mapping[str, Any]]) -> dict[Of, Stood]:
    """By student and exercise, of the attempts that count."""
    found: dict[Of, Stood] = {}
    for result in results:
        if result.get("counts", True):
            for exercise in result["exercises"] or [None]:
                verdicts = {i["id"]: i["verdict"] for i in exercise["items"]} if exercise else {}
                score = exercise["score"] if exercise else None
                name = exercise["id"] if exercise else ""
                made_of = {**result.get("made_of", {}), "time": str(result.get("days_late") or 0)}
                found[result["student"], name] = Stood(result["name"], score, made_of, verdicts)
    return found


def rows(before: Mapping[Of, Stood], after: Mapping[Of, Stood]) -> list[tuple[str, ...]]:
    """A row for each that is not as it was, in the order of the students."""
    found = []
    every = before.keys() | after.keys()
    graded = {student for student, exercise in every if exercise}
    for of in sorted(every):
        if not of[1] and of[0] in graded:  # told with the exercise
            continue
        old, new = (there.get(of) or there.get((of[0], "")) for there in (before, after))
        if old and new and (old.score, old.verdicts) == (new.score, new.verdicts):
            continue
        one = new or old
        assert one
        if not old or not new:
            why = "not there before" if new else "no longer there"
        elif not old.verdicts or not new.verdicts:
            why = "not graded before" if new.verdicts else "not graded now"
        else:
            both = sorted(old.made_of.keys() & new.made_of.keys())
            changed = [what for what in both if old.made_of[what] != new.made_of[what]]
            why = ", ".join(changed) or "graded again"
        was, now = (s.verdicts if s else {} for s in (old, new))
        items = [
            f"{i}: {was.get(i, '-')} -> {now.get(i, '-')}" for i in {**was, **now} if was.get(i) != now.get(i)
        ]
        scores = ["" if s is None or s.score is None else str(s.score) for s in (old, new)]
        found.append((of[0], one.name, of[1], *scores, why, "; ".join(items if was and now else ())))
    return found
