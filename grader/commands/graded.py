"""What a command is asked for, graded on a bench: each exercise's submission, and one report of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.bench import Bench
from grader.core.exercise import Exercise
from grader.errors import Unreadable, UsageError
from grader.suite import Suite, Target
from grader.verdict import ExerciseReport, Report

if TYPE_CHECKING:
    from grader.core.exercise import Fixtures
    from grader.runner.client import Run

Sources = Mapping[str, tuple[str, bytes]]  # by exercise the name of a submission and what is in it
SHOWN = 4000  # characters of what a submission prints


@dataclass(frozen=True)
class Graded:
    """One exercise's submission: what it was held against, how it ran, what it earned."""

    exercise: Exercise
    fixtures: Fixtures
    name: str
    code: bytes
    report: ExerciseReport
    run: Run


def grade(
    suite: Suite,
    bench: Bench,
    wanted: Sequence[Target],
    sources: Sources,
    seed: int | None,
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> Report:
    """One report over all that is wanted; one that the bench has kept, where nothing has changed.

    seed, strict, rename: as in `every`.
    """
    key = None
    if seed is None and bench.remember:
        key = _key(wanted, sources, [bench.exercise(suite, e)[0] for e in sources], strict, rename)
        if known := bench.recall(key):
            return known
    graded = every(suite, bench, wanted, sources, seed, strict, rename)
    report = report_of(graded, _drawn(seed, [one.exercise for one in graded]) if seed is not None else [])
    if key and not any(one.run.ended for one in graded):  # the next time the machine may be less busy
        bench.keep(key, report)
    return report


def every(
    suite: Suite,
    bench: Bench,
    wanted: Sequence[Target],
    sources: Sources,
    seed: int | None = None,
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> list[Graded]:
    """Each exercise's submission graded, in the order of `sources`.

    seed: of fresh probes instead of the saved ones. strict, rename: as in `grading.check`.
    UsageError where a notebook is none.
    """
    from grader import grading
    from grader.harmless import text

    asked = {exercise: _items(wanted, exercise) for exercise in sources}
    files = set(sources.values())
    try:
        if seed is None and len(sources) > 1 and len(files) == 1 and not any(asked.values()):
            name, code = next(iter(files))
            exercises = [bench.exercise(suite, exercise) for exercise in sources]
            found = grading.check_several(bench.runner, exercises, code, name, strict, rename)
            return [Graded(*e, name, code, *one) for e, one in zip(exercises, found, strict=True)]
        graded = []
        for exercise, (name, code) in sources.items():
            on = bench.exercise(suite, exercise)
            if seed is not None:
                from grader.fresh import fresh

                on = fresh(bench.runner, *on, seed)
                bench.forget(exercise)
                bench.runner.load(on[0], on[1].given)
            items = asked[exercise]
            one = grading.check(bench.runner, *on, code, name, items, strict, rename)
            graded.append(Graded(*on, name, code, *one))
        return graded
    except Unreadable as error:
        raise UsageError(f"{text(name)} {error}") from None


def report_of(graded: Sequence[Graded], more: Sequence[str] = ()) -> Report:
    """One report of them all, with what they printed and what there is to say of the submissions."""
    from grader import grading
    from grader.harmless import block

    printed, notes = [], []
    for one in graded:
        if one.run.output.strip():
            cut = " … (cut)" if len(one.run.output) > SHOWN else ""
            printed.append(block(one.run.output, SHOWN).rstrip() + cut)
        if one.run.off:
            off = ", ".join(one.run.off)
            notes.append(f"protection that is off here: {off} (`grader doctor` tells more)")
        notes += grading.notes(one.report, one.run, one.name)
    names = sorted({one.name for one in graded})
    reports = tuple(one.report for one in graded)
    return Report(", ".join(names), reports, "\n".join(printed), tuple(dict.fromkeys([*notes, *more])))


def _items(wanted: Sequence[Target], exercise: str) -> list[str] | None:
    """The items of an exercise that are asked for; None for all."""
    items = [t.item for t in wanted if t.exercise == exercise]
    return None if None in items else [item for item in items if item]


def _key(
    wanted: Sequence[Target],
    sources: Sources,
    exercises: list[Exercise],
    strict: bool,
    rename: Mapping[str, str] | None,
) -> str:
    """What a report depends on, as a digest; an exercise's description has the digests of its files."""
    from grader.fixture import digest

    contents = [(exercise, name, digest(code)) for exercise, (name, code) in sources.items()]
    return digest(repr((wanted, contents, exercises, strict, rename)).encode("utf-8", "surrogateescape"))


def _drawn(seed: int, exercises: list[Exercise]) -> list[str]:
    """Of which exercises fresh probes were drawn: those of outputs would need the author's functions."""
    kept = [e.id for e in exercises if e.outputs]
    notes = []
    if len(kept) < len(exercises):
        notes.append(f"graded on fresh probes; `--fresh {seed}` makes the same ones again")
    if kept:
        notes.append(f"fresh probes are for gradients; graded on the saved ones: {', '.join(kept)}")
    return notes
