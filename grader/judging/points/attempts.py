"""A policy applied to a class: when each submission came, and which of a student's several counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from grader.judging.points.marks import days_late, marked_document
from grader.judging.points.policy import Attempts, Policy

if TYPE_CHECKING:
    from grader.submissions.uploads import Upload


@dataclass(frozen=True)
class Standing:
    """Whether a submission counts, and what to say of that."""

    counts: bool = True
    note: str = ""


@dataclass(frozen=True)
class Marking:
    """times: of submissions, by the student's key, where no platform tells; extended: own deadlines."""

    policy: Policy
    times: Mapping[str, datetime]
    extended: Mapping[str, datetime] = field(default_factory=dict)

    def submitted(self, upload: Upload) -> datetime | None:
        """A time that a platform's names tell has no offset: it is taken for the deadline's."""
        late, named = self.policy.late, upload.chosen.time
        zone = late.deadline.tzinfo if late and late.deadline else UTC
        told = upload.submitted or self.times.get(upload.chosen.student)
        return told or (named.replace(tzinfo=zone) if named else None)

    def of(self, upload: Upload, result: Mapping[str, Any]) -> dict[str, Any]:
        """A result with its points."""
        submitted = self.submitted(upload)
        days = days_late(self.policy, submitted, extended=self.extended.get(upload.chosen.student))
        if submitted is None and upload.chosen.late and self.policy.late:
            days = self.policy.late.marked
        at = submitted.isoformat() if submitted else None
        return {**marked_document(result, self.policy, days), "submitted": at, "days_late": days}

    def standings(self, tried: Iterable[tuple[int, Upload, Mapping[str, Any]]]) -> dict[int, Standing]:
        """By the submission's number in the batch. In the order of their times, or else of the batch."""
        assert self.policy.attempts
        by_student: dict[tuple[str, str], list[tuple[int, datetime | None, float]]] = {}
        for number, upload, result in tried:
            if not result["problem"]:
                who = (upload.chosen.student, upload.chosen.exercise)
                by_student.setdefault(who, []).append((number, self.submitted(upload), result["score"]))
        found: dict[int, Standing] = {}
        for own in by_student.values():
            if len(own) > 1:
                if all(at for _, at, _ in own):
                    own.sort(key=lambda one: (one[1], one[0]))
                kept = counting([score for *_, score in own], self.policy.attempts)
                for n, (number, *_) in enumerate(own):
                    said = "counts" if n == kept else f"does not count: attempt {kept + 1} does"
                    found[number] = Standing(n == kept, f"attempt {n + 1} of {len(own)} {said}")
        return found


def counting(scores: list[float], attempts: Attempts) -> int:
    """Which of a student's scores, in the order of submission, counts. Of equal ones the first."""
    allowed = scores[: attempts.most]
    return allowed.index(max(allowed)) if attempts.best else len(allowed) - 1
