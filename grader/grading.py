"""The story of one submission: run it, compare what it gave, say what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader import choices, findings, judged, sparse
from grader.core.exercise import TRAINING, Exercise, Fixtures, Output, Task
from grader.harmless import text as harmless
from grader.runner.client import SHARED, Part, Run, Runner
from grader.submissions.flat import Script, script
from grader.verdict import ExerciseReport, place

OTHERWISE = "not found: nothing assigns"  # as runner/slicing.py says it
RETRY = 45.0  # seconds that runs without those who ended the process may take, before the rest is given up


def check(
    runner: Runner,
    exercise: Exercise,
    fixtures: Fixtures,
    source: bytes,
    filename: str,
    items: Sequence[str] | None = None,
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> tuple[ExerciseReport, Run]:
    """Grade one submission's file on one exercise: its report, and how the run went.

    The runner must have loaded the exercise with the same fixtures. items: names to grade, or all.
    strict: flat code too must be right at other sizes than the lecture's.
    rename: what flat code calls otherwise, its names -> ours.
    Unreadable where the file is called a notebook and is none.
    """
    code = script(source, filename, exercise, rename)
    return _graded(runner, exercise, fixtures, code, filename, items, strict, None)


def check_several(
    runner: Runner,
    exercises: Sequence[Task],
    source: bytes,
    filename: str,
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> list[tuple[ExerciseReport, Run]]:
    """Grade one file on several exercises, whole: as `check` on each.

    Of flat code they are all run in one child first, which takes it apart once. That settles an exercise
    where all went well. Where something is not right after another exercise has run in that process, or it
    didn't come to its end, the exercise is run once more in a process of its own.
    """
    codes = [script(source, filename, exercise, rename) for exercise, _ in exercises]
    together: list[Run | None] = [None] * len(codes)
    if len(codes) > 1 and all(c.flat is not None and c.source == codes[0].source for c in codes):
        parts = [
            Part(e.id, _on(f), [i.name for i in e.items], _steps(e, _lenient(c, strict)), c.flat)
            for (e, f), c in zip(exercises, codes, strict=True)
        ]
        together = list(runner.together(parts, codes[0].source, filename, SHARED, math.ceil(SHARED)))
    graded = []
    for number, ((exercise, fixtures), code) in enumerate(zip(exercises, codes, strict=True)):
        run = together[number]
        one = None
        if run and not run.ended:
            one = _graded(runner, exercise, fixtures, code, filename, None, strict, run)
            if number and not _settled(*one):
                one = None
        graded.append(one or _graded(runner, exercise, fixtures, code, filename, None, strict, None))
    return graded


def _settled(graded: ExerciseReport, run: Run) -> bool:
    """Whether nothing that another exercise did to the process can have cost this one anything."""
    early = {TRAINING if fixture == TRAINING else item for fixture, item in run.early}
    return all(item.passed or item.id.split(".")[-1] in early for item in graded.items)


def _on(fixtures: Fixtures) -> list[str]:
    return [name for name in fixtures.given if name != TRAINING]


def _graded(
    runner: Runner,
    exercise: Exercise,
    fixtures: Fixtures,
    code: Script,
    filename: str,
    items: Sequence[str] | None,
    strict: bool,
    run: Run | None,
) -> tuple[ExerciseReport, Run]:
    """The report of one submission on one exercise, from `run` or else a run of its own."""
    asked = [item for item in exercise.items if items is None or item.name in items]
    lenient = _lenient(code, strict)
    steps = _steps(exercise, lenient) if items is None or TRAINING in items else 0
    on = _on(fixtures)
    names = [item.name for item in asked]
    run = run or _run(runner, exercise, code, filename, on, names, steps)
    answers = [judged.answered(item, fixtures, run, on, lenient) for item in asked]
    answers = choices.reconsider(runner, exercise, fixtures, answers, lenient)
    if lenient:
        answers = sparse.accept(runner, exercise, fixtures, code, filename, answers)
    source = b"" if code.flat is not None else code.source
    diagnoses, places = findings.diagnoses(exercise, fixtures, answers, source)
    reports = []
    failed: list[Output] = []
    for answer in answers:
        name = answer.item.name
        if code.flat is None:
            answer = findings.traced(exercise, fixtures, answer, source, diagnoses.get(name))
        answer = judged.after(answer, failed, source)
        reports.append(judged.report(exercise, answer, code, diagnoses.get(name), places.get(name), lenient))
    if steps:
        reports.append(judged.training(exercise, fixtures, run, code, steps))
    return ExerciseReport(exercise.id, exercise.title, tuple(reports), _unparsed(run, code)), run


def _lenient(code: Script, strict: bool) -> bool:
    """Whether it is the lecture's own notebook, whose text asks no more than the lecture's sizes."""
    return code.flat is not None and not code.ours and not strict


def _steps(exercise: Exercise, lenient: bool) -> int:
    """How long an exercise trains; 0 where it doesn't."""
    plan = exercise.training
    return (plan.few if lenient else plan.steps) if plan else 0


def notes(graded: ExerciseReport, run: Run, filename: str) -> list[str]:
    """What there is to say of a submission as a whole."""
    name, said = harmless(filename), []
    if graded.unparsed:
        said.append(f"{name}: {graded.unparsed}; what parses was graded")
    if any(item.check.reason.startswith(OTHERWISE) for item in graded.items):
        said.append(
            f"{name}: a gradient of another name is found by its cmp('dh', yours, h), or with --rename FILE"
        )
    if run.truncated:
        said.append(f"{name} printed more than is shown")
    if run.ended:
        said.append(f"{name} {run.ended}")
    return said


def _run(
    runner: Runner,
    exercise: Exercise,
    code: Script,
    filename: str,
    on: Sequence[str],
    names: Sequence[str],
    training: int,
) -> Run:
    """Run a submission; where an item ended the process, the others again without it."""
    left = list(names)
    run = first = runner.run(exercise.id, code.source, filename, on, left, training, code.flat)
    records = dict(run.records)
    blamed: dict[str, tuple[str, bool]] = {}
    start = time.monotonic()
    while run.ended and run.loaded and len(names) > 1:
        guilty = next((n for f in on for n in left if (f, n) not in run.records), None)
        if guilty is None:
            break
        left.remove(guilty)
        blamed[guilty] = run.ended, run.over
        for fixture in on:
            records.pop((fixture, guilty), None)
        if not left or time.monotonic() - start > RETRY:
            break
        run = runner.run(exercise.id, code.source, filename, on, left, training, code.flat)
        records |= run.records
    return replace(first, records=records, blamed=blamed)


def _unparsed(run: Run, code: Script) -> str:
    """What of a submission Python can't read, and where; empty where it can read it all."""
    if run.unparsed is None:
        return ""
    message, at = run.unparsed
    return f"{place(*code.place(at)) or 'the file'} is not Python ({harmless(message)})"
