"""The worst submission of each kind, at the limits: what it costs the trusted side in time and memory.

Times are processor time in relation to a piece of work of the same moment, with room for a busy machine.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from conftest import Grade, sampled, solution

from benchmarks import trusted
from grader.core import limits
from grader.core.errors import Unreadable
from grader.core.exercise import File, Task
from grader.core.finding import Code
from grader.core.verdict import Verdict
from grader.judging import choices, grade, repairs
from grader.judging.choices import Answer
from grader.judging.compare import held
from grader.runner import wire
from grader.runner.host.client import Runner
from grader.runner.host.session import Session
from grader.submissions import cells, script

PIECE = 0.04  # seconds that a piece of work took where the aim of 2 s was measured
ROOM = 2.0  # times as long as the aim
CLASS = "a class's zip: members"  # of a thousand students, no submission
AIM, MEMORY = 2.0, 200.0


def piece() -> float:
    """Seconds of processor time of a fixed piece of work, much like parsing and judging."""
    gc.collect()
    gc.disable()  # in which the tests' own objects would count
    began = time.process_time()
    document = json.dumps([{"a": [k, str(k)]} for k in range(25_000)])
    json.loads(document)
    sum(len(line) for _ in range(12) for line in document.split("}"))
    taken = time.process_time() - began
    gc.enable()
    return taken


def cost(make: Any, size: float = 1.0) -> tuple[float, float]:
    """A kind's cost in pieces of work, and MB."""
    before = piece()
    seconds, peak = trusted.cost(make, size)
    return seconds / max(before, piece()), peak


@pytest.mark.parametrize("kind", sampled([k for k in trusted.KINDS if k != CLASS], 60))
def test_no_kind_costs_more_than_the_aim(kind: str) -> None:
    pieces, peak = cost(trusted.KINDS[kind])
    assert pieces < ROOM * AIM / PIECE
    assert peak < MEMORY


@pytest.mark.slow
def test_what_costs_more_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "counted", lambda data: data)
    pieces, peak = cost(partial(trusted.as_file, trusted.NOTEBOOKS["objects"], "x.ipynb"), 12)
    assert pieces > 3 and peak > MEMORY


@pytest.mark.parametrize("kind", ["lists", "numbers", "objects", "keys", "emoji", "brackets"])
def test_more_values_than_the_limit_are_refused_in_a_line(kind: str) -> None:
    data = trusted.NOTEBOOKS[kind](1.2)
    for read in (script.notebook, cells.read, cells.upgraded):
        with pytest.raises(Unreadable, match="^has more than 400000 values in its JSON$"):
            read(data)


@pytest.mark.parametrize("kind", ["an emoji after a long text", "an escaped emoji", "a long text"])
def test_what_takes_more_memory_than_the_limit_is_refused_in_a_line(kind: str) -> None:
    data = trusted.NOTEBOOKS[kind](1.1) if kind != "a long text" else trusted.NOTEBOOKS[kind](2.1)
    for read in (script.notebook, cells.read):
        with pytest.raises(Unreadable, match="^is too large .* at most"):
            read(data)


def test_large_notebooks_of_honest_people_are_read() -> None:
    picture = {
        "output_type": "display_data",
        "data": {"image/png": "iVBORw0KGgo" * 2_500_000},
        "metadata": {},
    }
    printed = {"output_type": "stream", "name": "stdout", "text": "[1, 2, 3]: {" * 800_000}
    cell = {"cell_type": "code", "source": 'x = "\\"\\\\"', "outputs": [picture], "metadata": {}}
    many = {"nbformat": 4, "metadata": {}, "cells": [cell] + 200 * [{**cell, "outputs": []}]}
    data = json.dumps(many).encode()
    assert len(data) > 27_000_000
    assert 'x = "\\"\\\\"' in script.notebook(data)[0]
    data = json.dumps({**many, "cells": [{**cell, "outputs": [printed]}] * 2}).encode()
    assert script._marks(data) > 4_000_000 and len(cells.read(data).cells) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_values_are_counted_in_any_encoding(encoding: str) -> None:
    few = json.dumps({"cells": [{"source": '"[[[\\', "cell_type": "code"}] * 20}).encode(encoding)
    assert script.counted(few, 200) == few
    with pytest.raises(Unreadable, match="more than 10 values"):
        script.counted(few, 10)


def test_a_picture_in_a_text_is_no_code() -> None:
    picture = f"![it](data:image/png;base64,{'iVBORw0KGgo' * 200_000})\n# Exercise 2"
    book = {"nbformat": 4, "cells": [{"cell_type": "markdown", "source": picture}] * 3}
    source, places = script.notebook(json.dumps(book).encode())
    assert source.count("# # Exercise 2\n") == 3 and len(source) < 10_000 and len(places) == 9
    book = {"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "x" * 900 + "\n"}] * 1200}
    with pytest.raises(Unreadable, match="more than 1 MB of code and text"):
        script.notebook(json.dumps(book).encode())


# --- what a run sends ------------------------------------------------------------------------------

LARGE = "import torch\ndef dprobs(probs):\n    return torch.zeros(1024, 1024)\n"


def counted_runs(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What each of the runs of a submission from now on has sent."""
    runs: list[int] = []
    run = runner.run

    def counted(part: Any, file: File) -> Any:
        done = run(part, file)
        if not part.variants and not part.recorded:
            runs.append(done.sent)
        return done

    monkeypatch.setattr(runner, "run", counted)
    return runs


def test_a_submission_that_returns_too_much_is_over_limit_and_run_once(
    exercises: dict[str, Task], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = counted_runs(runner, monkeypatch)
    names = [item.name for item in exercises["ex1"].exercise.items]
    source = "".join(LARGE.replace("dprobs(probs)", f"{name}(n)") for name in names)
    report, ran = grade.grade(runner, exercises["ex1"], File("x.py", source.encode()))
    assert {item.verdict for item in report.items} == {Verdict.OVER_LIMIT} and len(runs) == 1
    said = "x.py returned more than 24 MB in all, where each value of plain data counts as 200 bytes"
    assert said in grade.notes(report, ran, "x.py")


def test_one_item_of_the_wrong_shape_keeps_its_numbers(grade: Grade) -> None:
    first = grade(LARGE, "ex1", ["dprobs"]).items[0]
    assert (first.verdict, first.check.shape) == (Verdict.WRONG_SHAPE, (1024, 1024))


def test_too_many_values_are_a_matter_of_their_item(grade: Grade) -> None:
    head, source = "def numgrad(f, x, h):\n", solution("micrograd.ex1")
    assert source.count(head) == 1
    report = grade(source.replace(head, f"{head}    return list(range(30_000))\n"), "micrograd.ex1")
    verdicts = {item.id.split(".")[-1]: item for item in report.items}
    assert "too many values" in verdicts["numgrad"].check.reason
    assert [name for name, item in verdicts.items() if not item.passed] == ["numgrad"]


def test_runs_without_the_items_that_ended_one_share_what_may_be_sent(
    exercises: dict[str, Task], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item of which each run dies is left out of the next, until half as much was sent as one run may."""
    runs = counted_runs(runner, monkeypatch)
    monkeypatch.setattr(grade, "MAX_SENT", 9 << 20)
    names = [item.name for item in exercises["ex1"].exercise.items]
    large = "".join(LARGE.replace("dprobs(probs)", f"{name}(n)") for name in names[:1])
    dies = "".join(f"import os\ndef {name}(n):\n    os._exit(1)\n" for name in names[1:])
    grade.grade(runner, exercises["ex1"], File("x.py", (large + dies).encode()))
    assert len(runs) == 2 and all(sent > 4 << 20 for sent in runs)


def test_changes_of_functions_that_end_their_process_are_given_up(
    exercises: dict[str, Task], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each such round may take 20 s, and there is one for each wrong item."""
    gave: list[object] = []
    run = Session.run

    def counted(*args: Any) -> Any:
        gave.append(run(*args))
        return gave[-1]

    monkeypatch.setattr(Session, "run", counted)
    names = [item.name for item in exercises["ex1"].exercise.items]
    monkeypatch.setattr(grade, "MAX_SENT", 0)  # no run of the others without the first
    # wrong as it stands; with another number in it, it ends its process
    body = "    if 1.5 - 0.5 != 1:\n        os._exit(1)\n    return torch.ones(3)\n"
    source = "import os, torch\n" + "".join(f"def {name}(n):\n{body}" for name in names)
    grade.grade(runner, exercises["ex1"], File("x.py", source.encode()))
    assert 0 < len(gave) <= 2 and set(gave) == {None}


def test_changes_that_sleep_are_given_up_like_those_that_hang(
    exercises: dict[str, Task], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No round takes too long, and together they would take hours: what they take is counted."""
    rounds: list[int] = []
    run = Session.run

    def counted(self: Session, variants: Any, on: Any) -> Any:
        rounds.append(len(variants))
        return run(self, variants, on)

    monkeypatch.setattr(Session, "run", counted)
    task = exercises["ex1"]
    names = [item.name for item in task.exercise.gradients][2:5]
    nothing = "    a = n * 2.0\n    b = a - 1.0 / n\n    return slow(torch.ones(3) * a + b * n)\n"
    source = "import time, torch\ndef slow(x):\n    time.sleep(0.008)\n    return x\n"
    source += "".join(f"def {name}(n):\n{nothing}" for name in names)
    swift = grade.grade(runner, task, File("x.py", source.replace("0.008", "0").encode()))
    many = len(rounds)
    rounds.clear()
    monkeypatch.setattr(runner, "wall", 0.5)
    slow = grade.grade(runner, task, File("x.py", source.encode()))
    assert 0 < len(rounds) < many / 2
    assert {i.verdict for i in slow[0].items} <= {i.verdict for i in swift[0].items} | {Verdict.OVER_LIMIT}


@pytest.mark.parametrize("budget", [limits.MAX_CHANGES, 20])
def test_no_line_is_said_where_not_all_that_may_mend_it_was_tried(
    budget: int, grade: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign may be put right on two lines: of the first changes alone it would seem to be one."""
    source = (
        "import torch\ndef dlogits(logits, dnorm_logits, dlogit_maxes):\n    a = dnorm_logits.clone()\n"
        "    b = torch.zeros_like(logits)\n    b[range(len(logits)), logits.max(1).indices] = 1.0\n"
        "    c = dlogit_maxes * b\n    d = a + c\n    return -d\n"
    )
    monkeypatch.setattr(repairs, "MAX_CHANGES", budget)
    item = grade(source, "ex1", ["dlogits"]).items[0]
    assert item.mistake and item.mistake.code is Code.SIGN and item.mistake.line is None


def test_plain_data_counts_by_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    header = {"item": "a", "status": "value", "dtype": "plain", "encoded": "plain", "sent": True}
    data = b'["l",1,2,3]'  # 4 values
    stream = [wire.encode({**header, "fixture": str(k)}, data) for k in range(5)]
    monkeypatch.setattr(wire, "MAX_SENT", 4 * 4 * limits.VALUE + len(b"".join(stream)))
    parser = wire.Parser({(str(k), "a") for k in range(5)}, off=())
    parser.feed(b"".join(stream[:4]))
    with pytest.raises(wire.TooMuch, match="each value of plain data counts as"):
        parser.feed(stream[4])


# --- what is asked ---------------------------------------------------------------------------------


class Asked(Runner):
    """An oracle that knows no answer; it keeps what it was asked."""

    def __init__(self) -> None:
        self.choices: list[Mapping[str, Any]] = []

    def ask(self, request: Mapping[str, Any], given: bytes = b"") -> bytes:
        self.choices += request["choices"]
        return safetensors.numpy.save({"none": np.zeros(())})


def wrong(task: Task, reads: int) -> Sequence[Answer]:
    """Answers to all items that are wrong on the probes and read so many upstream gradients."""
    answers = []
    for item in task.exercise.gradients:
        known = [name for name in item.available if name not in item.siblings]
        records: dict[str, wire.Record | None] = {}
        for fixture in task.fixtures.given:
            shape = task.fixtures.references[fixture].values[item.name].shape
            data = np.full(shape, 3.0, "<f4").tobytes()
            own = ("float32", shape, "float32", data)
            records[fixture] = wire.Record(fixture, item.name, "value", *own, reads=tuple(known[-reads:]))
        one = Answer(item, records, {})
        references = task.fixtures.references
        checks = {f: held(r, references[f], one.key_in(references[f])) for f, r in records.items() if r}
        answers.append(Answer(item, records, checks))
    return answers


def test_the_oracle_is_asked_so_often_and_for_the_likeliest_first(exercises: dict[str, Task]) -> None:
    oracle = Asked()
    answers = list(wrong(exercises["ex1"], 4))
    choices.reconsider(oracle, exercises["ex1"], answers)
    assert len(oracle.choices) == limits.MAX_CHOICES
    asked = {(c["item"], frozenset(c["cut"])) for c in oracle.choices}
    for answer in answers:
        assert answer.reads == answer.item.cut or (answer.item.name, frozenset(answer.reads)) in asked
    few = Asked()
    choices.reconsider(few, exercises["ex1"], list(wrong(exercises["ex1"], 2)))
    assert len(few.choices) < limits.MAX_CHOICES
