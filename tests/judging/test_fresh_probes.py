"""Fresh probes: right work passes on any, a table of what is public on none, and no seed tells another."""

from __future__ import annotations

import base64
import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from conftest import EXERCISES, ROOT, sampled, solution
from numpy.typing import NDArray

from grader.core.exercise import FEW as AFTER_FEW
from grader.core.exercise import LOSSES, TRAINING, Exercise, File, FixtureEntry, Fixtures, Task
from grader.core.limits import MAX_SENT
from grader.judging import fresh_probes
from grader.judging.fresh_probes import fresh, plan
from grader.judging.grade import grade
from grader.runner import wire
from grader.runner.host.client import Runner
from grader.suite import fixtures
from grader.suite.find import Suite

SUITE = Suite(ROOT, ROOT)
SEEDS = range(1000, 1300)
AT_ONCE = 20  # seeds whose probes are graded on in one run
FEW = range(2)  # seeds of a usual run
MANY = [SEEDS[k : k + AT_ONCE] for k in range(0, len(SEEDS), AT_ONCE)]


@pytest.fixture(scope="module")
def alone() -> Iterator[Runner]:
    """A runner whose exercises nobody else has loaded, and that waits: a run has many seeds' fixtures."""
    with Runner(wall=600.0, cpu=300) as one:
        yield one


def file(name: str) -> File:
    return File("solution.py", solution(name).encode())


def merged(runner: Runner, task: Task, seeds: Sequence[int]) -> Task:
    """The exercise with the fresh fixtures of several seeds, drawn and to be graded on at once."""
    exercise, saved = task
    settings = {TRAINING if name == TRAINING else f"{name}-{seed}": own
                for seed in seeds for name, own in plan(exercise, seed).items()}  # fmt: skip
    author = solution(exercise.id).encode() if exercise.outputs else b""
    request = {"ask": "fresh", "exercise": exercise.id, "settings": settings, "solution": bool(author)}
    runner.load(exercise, {})
    files = {k: v.tobytes() for k, v in safetensors.numpy.load(runner.ask(request, author)).items()}
    nothing = fixtures.stated(b"")
    entries = [FixtureEntry(name, own, nothing, nothing) for name, own in settings.items()]
    first = exercise.lecture.name
    given = {first: saved.given[first]} | {name: files[f"{name}.given"] for name in settings}
    wanted = {name: fixtures.reference(files[f"{name}.reference"]) for name in settings}
    drawn = Fixtures(given, {first: saved.references[first], **wanted})
    return Task(replace(exercise, fixtures=(exercise.lecture, *entries)), drawn)


@pytest.mark.parametrize("name", sampled(EXERCISES, 16))
@pytest.mark.parametrize("seeds", sampled([FEW, *MANY], 1 + len(MANY)), ids=lambda seeds: str(seeds[0]))
def test_a_solution_passes_on_any(
    name: str,
    seeds: range,
    alone: Runner,
    exercises: dict[str, Task],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a usual run on two seeds, and in all on three hundred."""
    monkeypatch.setattr(wire, "MAX_SENT", AT_ONCE * MAX_SENT)  # of many seeds at once
    task = merged(alone, exercises[name], seeds)
    alone.load(task.exercise, task.fixtures.given)
    report, _ = grade(alone, task, file(name))
    assert [(i.id, i.verdict, i.check.reason) for i in report.items if not i.passed] == []


def table(task: Task) -> bytes:
    """A submission without a formula: the records of all public fixtures, sent in the child's place."""
    sent = [wire.encode({"loaded": True}, b"")]
    exercise, public = task
    for fixture, reference in public.references.items():
        names = [*exercise.training.parameters] if fixture == TRAINING and exercise.training else None
        for item in names or [i.name for i in exercise.items]:
            header = {"fixture": fixture, "item": item, "status": "value", "sent": True}
            if item in reference.plain:
                sent.append(
                    wire.encode({**header, "dtype": "plain", "encoded": "plain"}, reference.plain[item])
                )
            else:
                sent.append(tensor(header, reference.values[item]))
        if names and exercise.training:
            losses = np.zeros(exercise.training.steps, np.float32)
            sent.append(tensor({**header, "item": LOSSES}, losses))
    sent.append(wire.encode({"end": True}, b""))
    packed = base64.b85encode(lzma.compress(b"".join(sent))).decode()
    return f"""
import os, base64, lzma
d = lzma.decompress(base64.b85decode({packed!r}))
while d: d = d[os.write(3, d):]
os._exit(0)
""".encode()


def tensor(header: dict[str, object], value: NDArray[Any]) -> bytes:
    kind = str(value.dtype)
    encoded = "float32" if kind == "float32" else "float64"
    told = {**header, "dtype": kind, "encoded": encoded, "shape": list(value.shape)}
    return wire.encode(told, np.ascontiguousarray(value).astype(encoded).tobytes())


@pytest.mark.parametrize("name", sampled(EXERCISES, 16))
def test_a_table_of_what_is_public_passes_on_none(
    name: str, alone: Runner, exercises: dict[str, Task]
) -> None:
    """It passes on the saved probes, and so the fresh ones are what stops it."""
    task = exercises[name]
    submission = File(f"{name}.py", table(task))
    alone.load(task.exercise, task.fixtures.given)
    report, _ = grade(alone, task, submission)
    assert report.items and all(i.passed for i in report.items)
    # and the instructor is told to look; a short name may stand in the packed text by chance
    assert len(report.nameless) > 0.8 * len(task.exercise.items)
    secret = fresh(alone, SUITE, task, 2**40 + 1)
    alone.load(secret.exercise, secret.fixtures.given)
    report, _ = grade(alone, secret, submission)
    constant = {i.id.rpartition(".")[2] for i in report.items if i.passed}
    assert constant <= same_everywhere(task), constant


def same_everywhere(task: Task) -> set[str]:
    """Items whose answer is the same on every fixture of its size, whatever is drawn."""
    found = set()
    for item in task.exercise.items:
        answers = [r.plain.get(item.name) for f, r in task.fixtures.references.items() if f != TRAINING]
        if all(a is not None for a in answers) and len(set(answers)) == 1:
            found.add(item.name)
    return found


def test_no_seed_tells_another(exercises: dict[str, Task]) -> None:
    """A fixture's seed is a digest's: of another secret, exercise or fixture it is another."""
    drawn = [
        settings["seed"]
        for secret in (0, 1, 2, 2**52)
        for task in exercises.values()
        for settings in plan(task.exercise, secret).values()
    ]
    assert len(set(drawn)) == len(drawn)
    assert all(0 <= seed < 2**31 for seed in drawn)


@pytest.mark.parametrize("name", ["ex1", "ex4", "tokenizer.ex1", "gpt.ex11"])
def test_what_a_child_is_told_has_no_seed(name: str, alone: Runner, exercises: dict[str, Task]) -> None:
    secret = 2**41 + 7
    one = fresh(alone, SUITE, exercises[name], secret)
    told = json.dumps(one.exercise.to_json())
    for settings in plan(exercises[name].exercise, secret).values():
        assert str(settings["seed"]) not in told
    assert str(secret) not in told
    kept = [entry.name for entry in one.exercise.fixtures]
    assert {"lecture", "probe-2", "probe-3"} < set(kept) and "probe-1" not in kept
    assert set(one.fixtures.given) == set(one.fixtures.references) == set(kept)


def test_training_gets_other_batches(alone: Runner, exercises: dict[str, Task]) -> None:
    one, two = (fresh(alone, SUITE, exercises["ex4"], seed).fixtures for seed in (1, 2))
    assert one.given[TRAINING] != two.given[TRAINING] != exercises["ex4"].fixtures.given[TRAINING]
    few = f"{AFTER_FEW}W1"
    assert not np.array_equal(one.references[TRAINING].values[few], two.references[TRAINING].values[few])


def test_outputs_stay_on_the_saved_where_there_is_no_solution(
    tmp_path: Path, alone: Runner, exercises: dict[str, Task]
) -> None:
    task = exercises["tokenizer.ex1"]
    assert fresh(alone, Suite(tmp_path, tmp_path), task, 3) == task
    assert fresh(alone, SUITE, task, 3) != task


UNFIT = '''"""A sum."""

import torch

OUTPUTS = {"total": "approximate"}
FIXTURES = {"lecture": dict(seed=1, k=3), "probe-1": dict(seed=2, k=3), "probe-2": dict(seed=3, k=4),
            "probe-3": dict(seed=4, k=5)}


def inputs(g, k):
    """One draw in two cancels to nothing but rounding."""
    x = torch.rand(k, generator=g)
    if int(torch.randint(2, (1,), generator=g)):
        x = torch.cat([torch.tensor([1e8]), x, torch.tensor([-1e8])])
    return {"x": x}


def total(x):
    """The sum of x, in order."""
    return sum(x, torch.zeros(())) * torch.ones(2)
'''


def test_a_draw_that_cannot_be_graded_on_is_drawn_again() -> None:
    from grader.authoring import authored
    from grader.reference import oracle

    public = replace(authored.read(UNFIT, "unfit.py").public, id="unfit")
    for seed in range(8):
        settings = {"probe-1": dict(seed=seed, k=3)}
        found = oracle.fresh(public, UNFIT, {"settings": settings})
        given = fixtures.reference(found["probe-1.given"].numpy().tobytes()).values
        assert given["x"].shape == (3,)  # no other has float32 and float64 agree


def test_an_authors_function_runs_confined(tmp_path: Path, alone: Runner, exercises: dict[str, Task]) -> None:
    """What a solution does while its references are made can reach no file, as a submission's can't."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    copy = tmp_path / "solutions" / "tokenizer" / "ex1.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(solution("tokenizer.ex1") + f"\nopen({str(secret)!r}).read()\n")
    with pytest.raises(Exception, match="Permission denied"):
        fresh(alone, Suite(tmp_path, tmp_path), exercises["tokenizer.ex1"], 3)


def test_each_kind_of_probe_has_a_fresh_one(exercises: dict[str, Task]) -> None:
    """One of the lecture's sizes, and one of others, where such are saved."""
    for exercise, _ in exercises.values():
        lecture = exercise.lecture.sizes
        saved = {entry.sizes == lecture for entry in exercise.fixtures if entry.is_probe}
        assert {sizes_of(exercise, n) == lecture for n in plan(exercise, 1) if n != TRAINING} == saved


def sizes_of(exercise: Exercise, fresh: str) -> dict[str, object]:
    return next(e.sizes for e in exercise.fixtures if e.name == fresh.removesuffix(fresh_probes.FRESH))
