"""What a command is asked for, graded on a bench: each exercise's submission, and one report of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import Exercise, File, How, Task
from grader.core.verdict import ExerciseReport, Report
from grader.judging.bench import Bench
from grader.suite.find import Suite, Target

if TYPE_CHECKING:
    from grader.runner.host.client import Run

Sources = Mapping[str, File]  # by exercise a submission
WHOLE = How()
SHOWN = 4000  # characters of what a submission prints


@dataclass(frozen=True)
class Graded:
    """One exercise's submission: what it was held against, how it ran, what it earned."""

    task: Task
    file: File
    report: ExerciseReport
    run: Run


def grade(
    suite: Suite,
    bench: Bench,
    wanted: Sequence[Target],
    sources: Sources,
    how: How = WHOLE,
) -> Report:
    """One report over all that is wanted; one that the bench has kept, where nothing has changed.

    how: as in `every`.
    """
    key = None
    if how.seed is None and bench.remember:
        key = _key(wanted, sources, [bench.task(suite, e).exercise for e in sources], how)
        if known := bench.recall(key):
            return known
    graded = every(suite, bench, wanted, sources, how)
    report = report_of(graded, _drawn(suite, how, [one.task.exercise for one in graded]))
    if key and not any(one.run.ended for one in graded):  # the next time the machine may be less busy
        bench.keep(key, report)
    return report


def every(
    suite: Suite,
    bench: Bench,
    wanted: Sequence[Target],
    sources: Sources,
    how: How = WHOLE,
) -> list[Graded]:
    """Each exercise's submission graded, in the order of `sources`.

    how: what `wanted` doesn't say.
    UsageError where a notebook is none.
    """
    from grader.core.text import text
    from grader.judging import grade

    asked = {exercise: _items(wanted, exercise) for exercise in sources}
    files = set(sources.values())
    try:
        if how.seed is None and len(sources) > 1 and len(files) == 1 and not any(asked.values()):
            (file,) = files
            tasks = [bench.task(suite, exercise) for exercise in sources]
            found = grade.grade_several(bench.runner, tasks, file, how)
            return [Graded(task, file, *one) for task, one in zip(tasks, found, strict=True)]
        graded = []
        with _beside(len(sources)) as begin:  # a child runs while this process reads or compares another's
            under_way = []
            for exercise, file in sources.items():
                task = bench.task(suite, exercise)
                task = task if how.seed is None else _fresh(suite, bench, task, how.seed)
                own = replace(how, items=asked[exercise])
                under_way.append((task, file, begin(grade.grade, bench.runner, task, file, own)))
            for task, file, wait in under_way:  # noqa: B007 -- whose error it is
                graded.append(Graded(task, file, *wait()))
        return graded
    except Unreadable as error:
        raise UsageError(f"{text(file.name)} {error}") from None


@contextmanager
def _beside(many: int) -> Iterator[Callable[..., Callable[[], Any]]]:
    """Begins calls, of which two run at a time, and gives what waits for each; a single one runs then."""
    if many < 2:
        yield partial
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(2)
    try:
        yield lambda *call: pool.submit(*call).result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _fresh(suite: Suite, bench: Bench, task: Task, seed: int) -> Task:
    """An exercise with fresh probes, which the runner has."""
    from grader.judging.fresh_probes import fresh

    bench.forget(task.exercise.id)
    task = fresh(bench.runner, suite, task, seed)
    bench.runner.load(task.exercise, task.fixtures.given)
    return task


def report_of(graded: Sequence[Graded], more: Sequence[str] = ()) -> Report:
    """One report of them all, with what they printed and what there is to say of the submissions."""
    from grader.core.text import block
    from grader.judging import grade
    from grader.runner.wire import LAYERS

    printed, notes = [], []
    for one in graded:
        if one.run.output.strip():
            cut = " … (cut)" if len(one.run.output) > SHOWN else ""
            printed.append(block(one.run.output, SHOWN).rstrip() + cut)
        if one.run.off:
            off = "protection that is off here: " + ", ".join(one.run.off)
            if len(one.run.off) == len(LAYERS):
                off = (
                    "the sandbox is off: this system has none, and a submission runs as any program of yours"
                )
            notes.append(f"{off} (`grader doctor` tells more)")
        notes += grade.notes(one.report, one.run, one.file.name)
    names = sorted({one.file.name for one in graded})
    reports = tuple(one.report for one in graded)
    return Report(", ".join(names), reports, "\n".join(printed), tuple(dict.fromkeys([*notes, *more])))


def _items(wanted: Sequence[Target], exercise: str) -> list[str] | None:
    """The items of an exercise that are asked for; None for all."""
    items = [t.item for t in wanted if t.exercise == exercise]
    return None if None in items else [item for item in items if item]


def _key(wanted: Sequence[Target], sources: Sources, exercises: list[Exercise], how: How) -> str:
    """What a report depends on, as a digest; an exercise's description has the digests of its files."""
    from grader.suite.fixtures import digest

    contents = [(exercise, file.name, digest(file.data)) for exercise, file in sources.items()]
    return digest(repr((wanted, contents, exercises, how)).encode("utf-8", "surrogateescape"))


def _drawn(suite: Suite, how: How, exercises: list[Exercise]) -> list[str]:
    """What is said of fresh probes; those of outputs need the author's functions."""
    if how.seed is None:
        return []
    from grader.judging.fresh_probes import on_saved, rests_on_saved

    notes = []
    if not all(rests_on_saved(suite, e) for e in exercises):
        again = "" if how.secret else f"; `--fresh {how.seed}` makes the same ones again"
        notes.append(f"graded on fresh probes{again}")
    return [note for note in (*notes, on_saved(suite, exercises)) if note]
