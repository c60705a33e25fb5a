"""Probes that nobody has: drawn from a secret seed, beside the saved ones that diagnoses rest on."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from grader.core.exercise import TRAINING, Exercise, FixtureEntry, Fixtures, Task
from grader.runner.host.client import Runner
from grader.suite.find import Suite
from grader.suite.fixtures import reference, stated

SEEDS = 2**53  # of which a secret one is drawn: every JSON reader has these numbers exactly
FRESH = "-fresh"  # ends a fresh fixture's name, after that of the probe whose sizes it has


def secret() -> int:
    """A seed that nobody knows."""
    return secrets.randbelow(SEEDS)


def rests_on_saved(suite: Suite, exercise: Exercise) -> bool:
    """Whether it has no fresh probes here: those of outputs need the author's functions."""
    return bool(exercise.outputs) and not suite.solution(exercise.id).is_file()


def on_saved(suite: Suite, exercises: Iterable[Exercise]) -> str:
    """What there is to say of those that have no fresh probes here; empty where all have."""
    kept = ", ".join(e.id for e in exercises if rests_on_saved(suite, e))
    return kept and f"outputs rest on saved probes where there is no solutions/: {kept}"


def fresh(runner: Runner, suite: Suite, task: Task, seed: int) -> Task:
    """The exercise with fresh fixtures of `seed`, for the runner to load; with the saved where it must."""
    exercise, fixtures = task
    if rests_on_saved(suite, exercise):
        return task
    drawn, files = draw(runner, suite, exercise, seed)
    given, references = {}, {}
    for entry in drawn.fixtures:
        name = entry.name
        new = files.get(f"{name}.given.safetensors")
        given[name] = fixtures.given[name] if new is None else new
        new = files.get(f"{name}.reference.safetensors")
        references[name] = fixtures.references[name] if new is None else reference(new)
    return Task(drawn, Fixtures(given, references, fixtures.diagnosis))


def draw(runner: Runner, suite: Suite, exercise: Exercise, seed: int) -> tuple[Exercise, dict[str, bytes]]:
    """What stands in an exercise's description once its fresh fixtures are there, and their files by name.

    The author's functions run confined, as a submission does.
    """
    import safetensors.numpy

    author = suite.solution(exercise.id).read_bytes() if exercise.outputs else b""
    settings = plan(exercise, seed)
    request = {"ask": "fresh", "exercise": exercise.id, "settings": settings, "solution": bool(author)}
    runner.load(exercise, {})
    answer = safetensors.numpy.load(runner.ask(request, author))
    files = {f"{name}.safetensors": data.tobytes() for name, data in answer.items()}
    entries = [entry for entry in exercise.fixtures if not _replaced(entry.name, settings)]
    for name, own in settings.items():
        shown = {k: v for k, v in own.items() if k != "seed"}  # which no child is told
        parts = (stated(files[f"{name}.{part}.safetensors"]) for part in ("given", "reference"))
        entries.append(FixtureEntry(name, shown, *parts))
    return replace(exercise, fixtures=tuple(entries)), files


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
