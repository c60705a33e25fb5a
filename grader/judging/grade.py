"""The story of one submission: run it, compare what it gave, say what came of it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

from grader.core import plain
from grader.core.exercise import TRAINING, File, How, Task
from grader.core.finding import Code
from grader.core.limits import MAX_SENT
from grader.core.text import text as harmless
from grader.core.verdict import ExerciseReport, place
from grader.diagnosis import resting
from grader.judging import choices, findings, items, lecture_zeros
from grader.runner.host.client import SHARED, Part, Run, Runner
from grader.submissions.script import Script, script

WHOLE = How()
RETRY = 55.0  # seconds after which no more runs begin without those who ended the process


def grade(runner: Runner, task: Task, file: File, how: How = WHOLE) -> tuple[ExerciseReport, Run]:
    """Grade one submission on one exercise: its report, and how the run went.

    The runner must have loaded the exercise with the same fixtures.
    Unreadable where the file is called a notebook and is none.
    """
    return _graded(runner, task, script(file, task.exercise, how.rename), how)


def grade_several(
    runner: Runner, tasks: Sequence[Task], file: File, how: How = WHOLE
) -> list[tuple[ExerciseReport, Run]]:
    """Grade one file on several exercises, whole: as `grade` on each.

    Of flat code they are all run in one child first, which takes it apart once. That settles an exercise
    where all went well. Where something is not right after another exercise has run in that process, or it
    didn't come to its end, the exercise is run once more in a process of its own.
    """
    codes = [script(file, task.exercise, how.rename) for task in tasks]
    together: list[Run | None] = [None] * len(codes)
    if len(codes) > 1 and all(c.flat is not None and c.source == codes[0].source for c in codes):
        parts = [_part(task, code, how) for task, code in zip(tasks, codes, strict=True)]
        together = list(runner.together(parts, codes[0].file, SHARED, math.ceil(SHARED)))
    graded = []
    for number, (task, code, run) in enumerate(zip(tasks, codes, together, strict=True)):
        one = None
        if run and not run.ended:
            one = _graded(runner, task, code, how, run)
            if number and not _settled(*one):
                one = None
        graded.append(one or _graded(runner, task, code, how))
    return graded


def _graded(
    runner: Runner, task: Task, code: Script, how: How, run: Run | None = None
) -> tuple[ExerciseReport, Run]:
    """The report of one submission on one exercise, from `run` or else a run of its own."""
    exercise, fixtures = task
    part, lenient = _part(task, code, how), _lenient(code, how)
    run = run or _run(runner, part, code.file)
    answers = [items.answered(exercise.item(name), task, run, part.fixtures, lenient) for name in part.items]
    answers = choices.reconsider(runner, task, answers, lenient)
    if lenient:
        answers = lecture_zeros.accept(runner, task, code, answers)
    first = resting.first(items.wrong_outputs(answers), exercise, code.functions)
    diagnoses, places = findings.diagnoses(
        runner, task, [a for a in answers if a.item.name not in first], code
    )
    answers = findings.traced(runner, task, answers, code, diagnoses)
    answers = items.in_order(answers, first)
    reports = [
        items.report(exercise, a, code, diagnoses.get(a.item.name), places.get(a.item.name), lenient)
        for a in answers
    ]
    if part.training:
        reports.append(items.training(task, run, code, part.training))
    plains = fixtures.references[part.fixtures[0]].plain
    called = {item.name for item in exercise.outputs if item.driver}
    kinds = {f"{exercise.id}.{name}": plain.kind(data, name in called) for name, data in plains.items()}
    reports = [replace(one, kind=kinds[one.id]) if one.id in kinds else one for one in reports]
    nameless = items.nameless(exercise, reports, code.functions)
    unparsed = _unparsed(run, code)
    told = tuple(reports), nameless, unparsed, harmless(code.name)
    return ExerciseReport(exercise.id, exercise.title, *told, names=exercise.names), run


def _settled(graded: ExerciseReport, run: Run) -> bool:
    """Whether nothing that another exercise did to the process can have cost this one anything."""
    early = {TRAINING if fixture == TRAINING else item for fixture, item in run.early}
    return all(item.passed or item.id.split(".")[-1] in early for item in graded.items)


def _part(task: Task, code: Script, how: How) -> Part:
    """What a child is to do for a submission."""
    exercise, plan = task.exercise, task.exercise.training
    items = [i.name for i in exercise.items if how.items is None or i.name in how.items]
    steps = 0
    if plan and (how.items is None or TRAINING in how.items):
        steps = plan.few if _lenient(code, how) else plan.steps
    on = [name for name in task.fixtures.given if name != TRAINING]
    return Part(exercise.id, on, items, steps, code.flat)


def _lenient(code: Script, how: How) -> bool:
    """Whether it is the lecture's own notebook, whose text asks no more than the lecture's sizes."""
    return code.flat is not None and not code.ours and not how.strict


def notes(graded: ExerciseReport, run: Run, filename: str) -> list[str]:
    """What there is to say of a submission as a whole."""
    name, said = harmless(filename), []
    if graded.unparsed:
        said.append(f"{name}: {graded.unparsed}; what parses was graded")
    if any(item.check.code in (Code.NOT_ASSIGNED, Code.ALIAS_NOT_ASSIGNED) for item in graded.items):
        said.append(
            f"{name}: a gradient of another name is found by its cmp('dh', yours, h), or with --rename FILE"
        )
    if run.truncated:
        said.append(f"{name} printed more than is shown")
    if run.ended:
        said.append(f"{name} {run.ended}")
    return said


def _run(runner: Runner, part: Part, file: File) -> Run:
    """Run a submission; where an item ended the process, the others again without it."""
    start = time.monotonic()
    left = list(part.items)
    run = first = runner.run(part, file)
    outside = run.outside
    records = dict(run.records)
    blamed: dict[str, tuple[str, bool]] = {}
    sent = run.sent
    while run.ended and run.loaded and len(part.items) > 1:
        guilty = next((n for f in part.fixtures for n in left if (f, n) not in run.records), None)
        if guilty is None:
            break
        left.remove(guilty)
        blamed[guilty] = run.ended, run.over
        for fixture in part.fixtures:
            records.pop((fixture, guilty), None)
        if not left or sent > MAX_SENT // 2 or time.monotonic() - start > RETRY:
            break
        run = runner.run(replace(part, items=left), file)
        records |= run.records
        outside |= run.outside
        sent += run.sent
    return replace(first, records=records, blamed=blamed, outside=outside)


def _unparsed(run: Run, code: Script) -> str:
    """What of a submission Python can't read, and where; empty where it can read it all."""
    if run.unparsed is None:
        return ""
    message, at = run.unparsed
    return f"{place(*code.place(at), code.count(at)) or 'the file'} is not Python ({harmless(message)})"
