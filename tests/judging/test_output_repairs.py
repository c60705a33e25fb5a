"""A wrong output, run with one change at a time: the one that makes it right is told, with its line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from conftest import sampled, solution
from local import Local

from grader.core.exercise import File, How, Output, Task
from grader.core.finding import Code
from grader.core.limits import OUTPUT_PAIRS_CPU
from grader.core.plain import Tensor
from grader.diagnosis.repairs import search
from grader.judging import grade, output_repairs
from grader.judging.mistakes import Mistakes
from grader.judging.output_repairs import sources
from grader.runner.host.client import Runner
from grader.runner.untrusted import bounded, loading, outputs
from grader.submissions.script import Script

MERGE = """def merge(ids, pair, idx):
    out, i = [], 0
    while i < len(ids):
        if ids[i] == pair[0] and ids[i + 1] == pair[1]:
            out.append(idx); i += 2
        else:
            out.append(ids[i]); i += 1
    return out
"""
DATASET = """def dataset(words, chars, block_size):
    X, Y = [], []
    context = [0] * block_size
    for w in words:
        for ch in w + '.':
            X.append(context); Y.append(chars.index(ch))
            context = context[1:] + [chars.index(ch)]
    return torch.tensor(X), torch.tensor(Y)
"""
MOONS = solution("micrograd.ex5").replace("for neuron in layer]\n", "for neuron in layer[::-1]]\n")
MOONS = MOONS.replace("        return x[0]", "        return -x[0]")
WRONG = {  # exercise, item, a part of its solution and what stands there: the code that is told
    ("micrograd.ex2", "add", "            self.grad += out.grad\n            other.grad += out.grad",
     "            self.grad = out.grad\n            other.grad = out.grad"): Code.ASSIGNED,
    ("micrograd.ex2", "backward", "node._backward()", "node._backward"): Code.NOT_CALLED,
    ("tokenizer.ex1", "merge", "", MERGE): Code.CONDITION,
    ("mlp.ex1", "dataset", "", DATASET): Code.LOOP,
    ("mlp.ex5", "schedule", "", "def schedule(steps, rate):\n"
     "    return [rate if i < steps // 2 else rate / 10 for i in range(steps)]\n"): Code.OPERATOR,
    ("mlp.ex5", "rates", "", "def rates(low, high, n):\n    return 10 ** torch.linspace(-3, 0, n)\n"):
        Code.UNUSED,
    ("gpt.ex11", "vocabulary", "", "def vocabulary(text):\n    return list(set(text))[::-1]\n"):
        Code.FUNCTION_MISSING,
    ("bigrams.ex1", "nll", "", "def nll(words, chars, probs):\n    total = 0.0\n    for word in words:\n"
     "        ids = [0, *(chars.index(c) for c in word), 0]\n        for a, b in zip(ids, ids[1:]):\n"
     "            total -= probs[a, b].log10().item()\n    return total\n"): Code.TWO_SLIPS,
    ("micrograd.ex5", "mlp", "", MOONS): Code.TWO_SLIPS,
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}-{wrong[1]}")
def test_the_change_that_makes_an_output_right_is_told(
    wrong: tuple[str, str, str, str],
    exercises: dict[str, Task],
    runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Mistakes, "by_value", lambda *_: None)  # which would name most of these before
    exercise, name, old, new = wrong
    text = solution(exercise).replace(old, new, 1) if old else f"import torch\n{new}"
    assert new in text
    task = exercises[exercise]
    runner.load(task.exercise, task.fixtures.given)
    (report,) = grade.grade(runner, task, File("x.py", text.encode()), How(items=[name]))[0].items
    assert report.mistake and report.mistake.code is WRONG[wrong], report.check.reason
    assert report.line and report.mistake.text


@pytest.mark.parametrize("seconds", [0.0, OUTPUT_PAIRS_CPU])
def test_two_slips_are_looked_for_as_long_as_they_may(
    seconds: float, exercises: dict[str, Task], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_repairs, "OUTPUT_PAIRS_CPU", seconds)
    task = exercises["micrograd.ex5"]
    runner.load(task.exercise, task.fixtures.given)
    (report,) = grade.grade(runner, task, File("x.py", MOONS.encode()), How(items=["mlp"]))[0].items
    assert bool(report.mistake and report.mistake.code is Code.TWO_SLIPS) == bool(seconds)


def test_how_much_of_an_answer_is_right() -> None:
    right = {"a": [1.0, 2.0, 3], "b": "text"}
    assert output_repairs.share(right, right) == 1
    assert output_repairs.share({"a": [1.0, 5.0, 3], "b": "text"}, right) == pytest.approx(5 / 6)
    assert output_repairs.share({"a": (1.0, 2.0), "c": "text"}, right) == pytest.approx(1 / 3)
    assert output_repairs.share(None, right) == output_repairs.share([], right) == 0
    unsent = Tensor("complex64", (2,), b"")
    assert (
        output_repairs.share(10**400, 1.0)
        == output_repairs.share(unsent, replace(unsent, dtype="float32"))
        == 0
    )


def changes(exercise: str) -> list[tuple[str, str, str, Code]]:
    """Changes of a solution's outputs that the search can take back: exercise, item, the text, its code."""
    task, text = _task(exercise), solution(exercise)
    found = []
    for item in task.outputs:
        here = sources(Script(text.encode(), name="x.py"), item)[:1]
        for code in (Code.COMPARISON, Code.EXCHANGED, Code.DIRECTION):
            tried = search.of_output(here, 2000)
            one = next((t for t, (_, (c,)) in tried.items() if c.finding.code is code and c.rank < 20), None)
            if one and here[0].data.decode() in text:
                found.append((exercise, item.name, text.replace(here[0].data.decode(), one), code))
    return found


def _task(exercise: str) -> Any:
    from grader.suite import find

    return find.find().describe(exercise)


CASES = [c for e in ("mlp.ex5", "tokenizer.ex1", "training-losses.ex5", "gpt2.ex9") for c in changes(e)]


@pytest.mark.parametrize(
    ("exercise", "name", "text", "code"), sampled(CASES, 4), ids=lambda p: p if len(p) < 20 else ""
)
def test_what_was_changed_in_a_solution_is_found(
    exercise: str, name: str, text: str, code: Code, exercises: dict[str, Task]
) -> None:
    local = Local(*exercises[exercise])
    if not local.passes(text, name):  # else the change makes no difference
        report = local.report(text, name)
        assert report.mistake and report.mistake.text, report.check.reason


def test_an_output_that_passes_is_run_once(
    exercises: dict[str, Task], runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []
    run = runner.run

    def counted(part: Any, *args: Any, **more: Any) -> Any:
        runs.append(part)
        return run(part, *args, **more)

    monkeypatch.setattr(runner, "run", counted)
    task = exercises["mlp.ex5"]
    runner.load(task.exercise, task.fixtures.given)
    graded, _ = grade.grade(runner, task, File("x.py", solution("mlp.ex5").encode()))
    assert all(i.passed for i in graded.items) and len(runs) == 1


# --- in the child --------------------------------------------------------------------------------------

CLASSES = """class A:
    def f(self): return 1
class B(A):
    def f(self): return super().f() + 1
def g(): return B().f()
"""


@pytest.mark.parametrize(
    ("source", "gives"),
    [
        ("def g(): return 7", 7),
        ("class B:\n    def f(self): return super().f() + 5", 6),
        ("class A:\n    def f(self): return 2", 3),
    ],
)
def test_a_changed_function_is_put_in_and_taken_out_again(source: str, gives: int) -> None:
    submission = loading.load(CLASSES.encode(), "x.py")
    with outputs.changed(submission, source):
        assert submission.names["g"]() == gives
    assert submission.names["g"]() == 2


def test_a_loop_without_end_is_left() -> None:
    turns = bounded.Turns()
    submission = loading.load(b"def f(n):\n    while n != 3:\n        n += 1\n    return n\n", "x.py", turns)
    turns.begin()
    assert submission.names["f"](0) == 3
    turns.hold()
    assert submission.names["f"](-5) == 3
    with pytest.raises(bounded.Endless):
        submission.names["f"](4)


def test_every_output_of_a_suite_has_a_function_that_is_changed(exercises: dict[str, Task]) -> None:
    for name, task in exercises.items():
        for item in task.exercise.outputs:
            assert isinstance(item, Output)
            first, *_ = sources(Script(solution(name).encode(), name="x.py"), item)
            assert first.function.name == item.about.rpartition(".")[2] or "." not in item.about
