"""`grader policy`: a policy to begin with, and what one says. `--policy` of the other commands."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from grader.core.errors import UsageError
from grader.suite.find import Suite, find, item_names, read_submission, targets

if TYPE_CHECKING:
    from fractions import Fraction

    from grader.core.verdict import Report
    from grader.judging.points.policy import Policy

TEMPLATE = Path(__file__).parents[1] / "data" / "policy.toml"


def run(args: argparse.Namespace) -> int:
    if args.action == "template":
        if args.file:
            raise UsageError("grader policy template prints one: redirect it into a file")
        print(TEMPLATE.read_text(encoding="utf-8"), end="")
        return 0
    if not args.file:
        raise UsageError("grader policy check: name the file")
    suite = find()
    policy, wrong = parsed(suite, args.file)
    if wrong:
        import sys

        from grader.core.text import text

        for line in wrong:
            print(f"grader: {text(line, 1000)}", file=sys.stderr)
        return 2
    wanted = [t.exercise for t in targets(suite, args.targets)]
    print("\n".join(told(suite, policy, list(dict.fromkeys(wanted)), bool(args.targets))))
    return 0


def told(suite: Suite, policy: Policy, exercises: list[str], single: bool) -> list[str]:
    """What a policy says: exercises that are worth something, with their items where single."""
    from grader.core.verdict import points

    lines, total = [], 0
    wide = max(16, *map(len, exercises))
    for exercise in exercises:
        names = [f"{exercise}.{name}" for name in item_names(suite.describe(exercise))]
        worth = sum(policy.worth[name] for name in names)
        total += worth
        if worth or single:
            items = f"{len(names)} item{'s' * (len(names) != 1)}"
            lines.append(f"{exercise:{wide}} {points(worth):>8} point{'s' * (worth != 100)}, {items}")
        if single:
            mark = {name: "  required" for name in names if name in policy.required}
            lines += [f"  {name:24} {points(policy.worth[name]):>8}{mark.get(name, '')}" for name in names]
    lines.append(f"{'in all':{wide}} {points(total):>8} points")
    lines.append(f"an approximate answer: {_share(policy.approximate)} of its item's points")
    if policy.required:
        shown = ", ".join(sorted(policy.required)[:5]) + (", …" if len(policy.required) > 5 else "")
        most = f"at most {_share(policy.cap)} of its points"
        lines.append(f"required: {shown}; an exercise with one that is missing: {most}")
    if late := policy.late:
        begins = late.deadline.isoformat() if late.deadline else "the platform's deadline"
        less = f"{_share(late.per_day)} less for each day begun after {begins}"
        less = f"{_share(late.flat)} less after {begins}, and " * bool(late.flat) + less
        if late.grace or late.buffer:
            less += f" (grace {late.grace}, buffer {late.buffer})"
        lines.append(f"late: {less}, at most {_share(late.maximum)} less")
    else:
        lines.append("late: nothing is taken off")
    if tries := policy.attempts:
        first = f" of the first {tries.most}" if tries.most else ""
        lines.append(f"attempts: the {'best' if tries.best else 'last'} counts{first}")
    return lines


def _share(value: Fraction) -> str:
    return f"{float(100 * value):.10g}%"


def parsed(suite: Suite, path: str, exercises: Sequence[str] | None = None) -> tuple[Policy, list[str]]:
    """A policy file, held against the suite or some exercises of it, and what is wrong with it."""
    from grader.judging.points.policy import parse

    known = {exercise: item_names(suite.describe(exercise)) for exercise in exercises or suite.ids()}
    try:
        text = read_submission(Path(path)).decode()
    except UnicodeDecodeError:
        raise UsageError(f"--policy {path} is not UTF-8") from None
    return parse(text, path, known)


def load(suite: Suite, path: str, checkout: str | None = None) -> Policy:
    """The policy to grade by. checkout: a student's folder, in which no policy may lie. UsageError."""
    if checkout is not None:
        root = os.path.realpath(checkout)
        if os.path.realpath(path).startswith(root.rstrip(os.sep) + os.sep):
            raise UsageError(
                f"--policy {path} lies in the checkout, whose student could change it: "
                "keep it where only you write"
            )
    policy, wrong = parsed(suite, path)
    if wrong:
        more = f" ({len(wrong) - 1} more: `grader policy check {path}`)" if wrong[1:] else ""
        raise UsageError(wrong[0] + more)
    return policy


@dataclass(frozen=True)
class Marker:
    """Gives a report its points; without a policy, none. days: by which it is late. told: notes of that."""

    policy: Policy | None = None
    days: int = 0
    told: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return self.policy is None or self.policy.whole

    def __call__(self, report: Report) -> Report:
        if self.policy is None:
            return report
        from grader.judging.points.marks import marked

        report = marked(report, self.policy, self.days)
        return replace(report, notes=(*report.notes, *self.told))


def marker(suite: Suite, args: argparse.Namespace, checkout: str | None = None) -> Marker:
    """By --policy and --time; UsageError before anything is graded."""
    if not args.policy:
        if args.time:
            raise UsageError("--time: only a policy with [late] asks when: name it with --policy")
        return Marker()
    from grader.judging.points.marks import days_late

    policy = load(suite, args.policy, checkout)
    at, told = moment(args.time, policy)
    return Marker(policy, days_late(policy, at), told)


def moment(submitted: str | None, policy: Policy) -> tuple[datetime | None, tuple[str, ...]]:
    """When a submission came, and what to say of that.

    A file's time, and a commit's, is the student's to set: neither is asked.
    """
    if not policy.late:
        return None, ()
    if not policy.late.deadline:
        raise UsageError(f"{policy.name}: late.deadline is missing, and there is no platform here to tell it")
    if submitted is None:
        now = datetime.now(UTC).replace(microsecond=0)
        return now, ("counted as submitted now; `--time TIME` names another time",)
    from grader.judging.points.policy import moment as parse

    try:
        return parse(submitted), ()
    except ValueError as error:
        raise UsageError(f"--time {error}") from None
