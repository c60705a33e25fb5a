"""`grader gradescope-run`: grade what Gradescope has put into a folder, and leave results.json there."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from grader.commands.probes import seed_of, suite_of
from grader.core.errors import GraderFault, Unreadable, UsageError
from grader.core.exercise import File, How
from grader.core.limits import MAX_METADATA
from grader.core.text import text
from grader.core.verdict import Report
from grader.reports.services import gradescope
from grader.submissions.choosing import SUFFIXES, Chosen, choose
from grader.submissions.owners import IGNORED, Owned
from grader.submissions.stubs import Released
from grader.suite.files import most, read_file, replaced
from grader.suite.find import Suite, Target, find

if TYPE_CHECKING:
    from grader.judging.points.policy import Policy
    from grader.submissions.files import Folder

# Below the prefix, as Gradescope makes it.
SUBMISSION, RESULTS, METADATA = "submission", "results/results.json", "submission_metadata.json"


def run(args: argparse.Namespace) -> int:
    """0 with a grade in results.json, 3 with a word that there is none: nothing becomes a zero by a fault."""
    out = Path(args.prefix) / RESULTS
    try:
        results, code = graded(args), 0
    except (GraderFault, UsageError) as error:
        results, code = gradescope.fault(text(str(error), 4000)), 3
    except Exception as error:
        if os.environ.get("GRADER_TRACEBACK"):
            raise
        results, code = gradescope.fault(text(f"{type(error).__name__}: {error}", 4000)), 3
    try:
        replaced(out, json.dumps(results, indent=1, allow_nan=False).encode() + b"\n")
    except UsageError as error:
        raise GraderFault(str(error)) from None
    print(results["output"])
    return code


def graded(args: argparse.Namespace) -> gradescope.Results:
    from grader.commands.gradescope import wanted
    from grader.commands.policy import load
    from grader.judging.points.marks import days_late, marked
    from grader.runner.host.client import Runner

    suite = suite_of(args, find())
    exercises = wanted(suite, args.targets)
    how = How(seed=seed_of(args, for_others=True), secret=True)
    policy = load(suite, args.policy, str(Path(args.prefix) / SUBMISSION)) if args.policy else None
    told = _metadata(Path(args.prefix) / METADATA, policy)
    attempts = policy.attempts if policy else None
    if told and attempts and gradescope.refused(told, attempts):
        return gradescope.kept(told, attempts)
    with Runner() as runner:
        from grader.judging.bench import Bench
        from grader.judging.requests import grade

        if off := [what for what in runner.missing() if what not in (args.without or ())]:
            raise GraderFault(f"the sandbox is not to be had here: {', '.join(off)}")
        bench, folder = Bench(runner), Path(args.prefix) / SUBMISSION
        report = _report(suite, exercises, folder, partial(grade, suite, bench, how=how))
    if policy:
        submitted, due = (told.submitted, told.due) if told else (None, None)
        report = marked(report, policy, days_late(policy, submitted, due))
    results = gradescope.render(report, args.visibility)
    return (
        gradescope.with_best(results, told, report.max_score)
        if told and attempts and attempts.best
        else results
    )


def _metadata(path: Path, policy: Policy | None) -> gradescope.Metadata | None:
    """What the policy asks of it; nothing where it asks nothing."""
    if policy is None or not (policy.late or policy.attempts):
        return None
    try:
        found = gradescope.metadata(read_file(path, MAX_METADATA).decode())
    except (Unreadable, ValueError) as error:
        raise GraderFault(
            f"{path} {error}: the policy asks it for the time and earlier submissions"
        ) from None
    if policy.late and not (policy.late.deadline or found.due):
        raise GraderFault("the policy has no deadline, and the assignment no due date")
    return found


def _report(suite: Suite, exercises: list[str], folder: Path, graded: Callable[..., Report]) -> Report:
    """One report over all exercises. Where there is no file, or none that can be read, nothing is written."""
    from grader.submissions.files import Folder

    source = Folder(folder)
    chosen = _chosen(suite, source, exercises)
    reports: list[Report] = []
    for exercise in exercises:
        one, target = chosen[exercise], [Target(exercise)]
        nothing, said = {exercise: File(f"{exercise}.py", b"")}, one.problem or one.note
        try:
            code = b"" if one.problem else source.read(one.path, most(one.path))
            report = graded(target, nothing if one.problem else {exercise: File(one.path, code)})
        except (Unreadable, UsageError) as error:  # too large; a notebook that is none
            said = str(error) if isinstance(error, UsageError) else f"{one.path} {error}"
            report = graded(target, nothing)
        notes = (f"{exercise}: {text(said, 1000)}",) if said else ()
        reports.append(replace(report, notes=(*notes, *report.notes)))
    return joined(reports)


def joined(reports: list[Report]) -> Report:
    return Report(
        ", ".join(dict.fromkeys(report.submission for report in reports)),
        tuple(exercise for report in reports for exercise in report.exercises),
        "\n".join(report.output for report in reports if report.output),
        tuple(dict.fromkeys(note for report in reports for note in report.notes)),
    )


def _chosen(suite: Suite, source: Folder, exercises: list[str]) -> dict[str, Chosen]:
    """The file of each exercise. Where stub and notebook are both there, the untouched one is not meant."""
    paths = [path for path in source.files() if not IGNORED.search(path)]
    own = [Owned(path, "", "", path) for path in paths]
    found = _by_exercise(own, exercises)
    if any(one.problem for one in found.values()):
        released = Released(suite)
        edited = [one for one in own if not _is_released(source, one.path, released)]
        again = _by_exercise(edited, exercises)
        found |= {e: one for e, one in again.items() if found[e].problem and not one.problem}
    for path, why in source.refused().items():
        for exercise, one in found.items():
            if one.problem:
                found[exercise] = replace(one, problem=f"{one.problem}; {path} {why}")
    return found


def _by_exercise(own: list[Owned], exercises: list[str]) -> dict[str, Chosen]:
    """A single exercise takes a file of any name; with several, each is called after its own."""
    only = exercises[0] if len(exercises) == 1 else None
    chosen = choose(own, exercises, only)
    said = chosen[0].problem if chosen and not chosen[0].exercise else ""
    nothing = "nothing was submitted" if not own else "no file is called after it"
    missing = {e: Chosen(f"{e}.py", "", "", e, "", problem=said or nothing) for e in exercises}
    return missing | {one.exercise: one for one in chosen if one.exercise}


def _is_released(source: Folder, path: str, released: Released) -> bool:
    try:
        return path.endswith(SUFFIXES) and released(source.read(path, most(path)))
    except Unreadable:
        return False
