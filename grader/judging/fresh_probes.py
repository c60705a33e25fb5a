"""Probes that nobody has: drawn from a secret seed, beside the saved ones that diagnoses rest on."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from grader.core.exercise import TRAINING, Exercise, FixtureEntry, Fixtures, Task
from grader.runner.host.client import Runner
from grader.suite.find import Suite
from grader.suite.fixtures import reference, stated

SEEDS = 2**63  # of which a secret one is drawn
FRESH = "-fresh"  # ends a fresh fixture's name, after that of the probe whose sizes it has

Pairs = Mapping[str, tuple[bytes, bytes]]  # by fixture its given and its reference file


def rests_on_saved(suite: Suite, exercise: Exercise) -> bool:
    """Whether it has no fresh probes here: those of outputs need the author's functions."""
    return bool(exercise.outputs) and not suite.solution(exercise.id).is_file()


def fresh(runner: Runner, suite: Suite, task: Task, seed: int) -> Task:
    """The exercise with fresh fixtures of `seed`, for the runner to load; with the saved where it must."""
    exercise, fixtures = task
    if rests_on_saved(suite, exercise):
        return task
    drawn, pairs = draw(runner, suite, exercise, seed)
    given = {**fixtures.given, **{name: pair[0] for name, pair in pairs.items()}}
    references = {**fixtures.references, **{name: reference(pair[1]) for name, pair in pairs.items()}}
    kept = [entry.name for entry in drawn.fixtures]
    made = Fixtures({n: given[n] for n in kept}, {n: references[n] for n in kept}, fixtures.diagnosis)
    return Task(drawn, made)


def draw(runner: Runner, suite: Suite, exercise: Exercise, seed: int) -> tuple[Exercise, Pairs]:
    """What stands in an exercise's description once its fresh fixtures are there, and those.

    The author's functions run confined, as a submission does.
    """
    import safetensors.numpy

    author = suite.solution(exercise.id).read_bytes() if exercise.outputs else b""
    settings = plan(exercise, seed)
    request = {"ask": "fresh", "exercise": exercise.id, "settings": settings, "solution": bool(author)}
    runner.load(exercise, {})
    files = {k: v.tobytes() for k, v in safetensors.numpy.load(runner.ask(request, author)).items()}
    pairs = {name: (files[f"{name}.given"], files[f"{name}.reference"]) for name in settings}
    entries = [entry for entry in exercise.fixtures if not _replaced(entry.name, settings)]
    for name, pair in pairs.items():
        shown = {k: v for k, v in settings[name].items() if k != "seed"}  # which no child is told
        entries.append(FixtureEntry(name, shown, *map(stated, pair)))
    return replace(exercise, fixtures=tuple(entries)), pairs


def plan(exercise: Exercise, seed: int) -> dict[str, dict[str, Any]]:
    """By name the settings of the fresh fixtures: a probe of the lecture's sizes, one of others with another
    batch size, and other batches for a training run. One seed doesn't tell another, nor the one they are of.
    """
    lecture = exercise.lecture.sizes
    probes = [entry for entry in exercise.fixtures if entry.is_probe]
    like = [e for e in probes if e.sizes == lecture][:1] + [e for e in probes if e.sizes != lecture][-1:]
    chosen = {f"{entry.name}{FRESH}": dict(entry.settings) for entry in like}
    if exercise.training:
        chosen[TRAINING] = dict(exercise.lecture.settings)
    for name, settings in chosen.items():
        text = f"{seed} {exercise.id} {name}".encode()
        settings["seed"] = int.from_bytes(hashlib.sha256(text).digest()[:4], "big") % 2**31
        if name != TRAINING and "n" in settings and exercise.lecture.settings["n"] != settings["n"]:
            others = {v for k, v in settings.items() if k not in ("n", "seed")}
            settings["n"] = random.Random(settings["seed"]).choice(sorted(set(range(5, 17)) - others))
    return chosen


def _replaced(name: str, fresh: Iterable[str]) -> bool:
    """Whether a saved fixture goes, now that there is a fresh one: a diagnosis may rest on it."""
    from grader.diagnosis.diagnose import FIXTURES

    return name in fresh or (f"{name}{FRESH}" in fresh and name not in FIXTURES)
