"""Whole submissions: each file in tests/submissions says on top what is to come of it.

`# expect: ex1 dprobs error: SystemExit (line 7)` names the exercise, the item, the verdict and, after
a colon, a part of what the verdict's cell in the table says. `# expect-not: ex1 dprobs text` names what
it must not say.
"""

from __future__ import annotations

import ast
import json
import re
import select
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, sampled, solution

from grader.core.exercise import File, Task
from grader.core.verdict import ExerciseReport, Verdict
from grader.judging.grade import RETRY
from grader.reports.table import row
from grader.runner.host.client import WALL, Part, Runner

FILES = sorted(Path(__file__).parent.with_name("submissions").glob("*.py"))
EXPECT = re.compile(r"^# expect: (\S+) (\S+) ([a-z-]+)(?:: (.+))?$", re.M)
EXPECT_NOT = re.compile(r"^# expect-not: (\S+) (\S+) (.+)$", re.M)
ITEMS = [
    n.name for n in ast.parse(solution("ex1")).body if isinstance(n, ast.FunctionDef) and n.name[0] == "d"
]

Grade = Callable[..., ExerciseReport]


@pytest.mark.parametrize("path", sampled(FILES, 3), ids=lambda p: p.stem)
def test_a_submission_gets_what_it_says_on_top(path: Path, grade: Grade) -> None:
    source = path.read_text(encoding="utf-8")
    expected = EXPECT.findall(source)
    assert expected, "the file expects nothing"
    said, verdicts = {}, {}
    for exercise in sorted({e[0] for e in expected}):
        for item in grade(source, exercise, [e[1] for e in expected if e[0] == exercise]).items:
            said[item.id], verdicts[item.id] = row(item)[-1], item.verdict
    got = "\n".join(f"{name}: {text}" for name, text in said.items())
    for exercise, name, verdict, text in expected:
        assert verdicts[f"{exercise}.{name}"] is Verdict(verdict), got
        assert text in said[f"{exercise}.{name}"], got
    for exercise, name, text in EXPECT_NOT.findall(source):
        assert text not in said[f"{exercise}.{name}"], got


def test_every_verdict_has_a_submission() -> None:
    expected = {e[2] for path in FILES for e in EXPECT.findall(path.read_text(encoding="utf-8"))}
    assert expected == {v.value for v in set(Verdict)}


# --- one mistake colours nothing else --------------------------------------------------------------


def broken(text: str, name: str, way: str) -> str:
    """The solution with one function broken: its last line, its body, or its syntax."""
    node = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
    last = node.body[-1]
    assert isinstance(last, ast.Return) and last.value is not None
    value = ast.unparse(last.value)
    lines = text.splitlines()
    repl = {
        "doubled": f"    return 2 * ({value})",
        "raises": "    raise ValueError('broken')",
        "syntax": f"    return (({value})",
        "flattened": f"    return ({value}).reshape(-1, 1, 1)",
        "exits": "    exit()",
    }
    lines[last.lineno - 1 : last.end_lineno] = [repl[way]]
    return "\n".join(lines) + "\n"


VERDICTS = {
    "doubled": Verdict.WRONG,
    "raises": Verdict.ERROR,
    "syntax": Verdict.ERROR,
    "flattened": Verdict.WRONG_SHAPE,
    "exits": Verdict.ERROR,
}


def test_the_solution_is_exact_throughout(grade: Grade) -> None:
    assert {i.id: i.verdict for i in grade(solution("ex1")).items} == {
        f"ex1.{name}": Verdict.EXACT for name in ITEMS
    }


@pytest.mark.parametrize("way", VERDICTS)
@pytest.mark.parametrize("name", sampled(ITEMS, 4))
def test_one_mistake_fails_one_item(name: str, way: str, grade: Grade) -> None:
    report = grade(broken(solution("ex1"), name, way))
    verdicts = {item.id: item.verdict for item in report.items if item.verdict is not Verdict.EXACT}
    assert verdicts == {f"ex1.{name}": VERDICTS[way]}
    assert report.score == len(ITEMS) - 1


# --- too much --------------------------------------------------------------------------------------

ENDLESS = {
    "a loop": "while True:\n        pass",
    "a wait": "import threading\n    threading.Event().wait()",
    "a loop that swallows exceptions": (
        "while True:\n        try:\n            while True:\n                pass\n"
        "        except BaseException:\n            pass"
    ),
}


@pytest.mark.parametrize("body", sampled([pytest.param(v, id=k) for k, v in ENDLESS.items()], 2))
def test_an_endless_submission_is_over_the_limit_and_harms_no_other(
    body: str, runner: Runner, exercises: dict[str, Task], grade: Grade
) -> None:
    source = f"def dlogprobs(logprobs):\n    return logprobs\n\n\ndef dprobs(probs):\n    {body}\n"
    on = list(exercises["ex1"][1].given)
    run = runner.run(
        Part("ex1", on, ["dlogprobs", "dprobs"]), File("submission.py", source.encode()), wall=1.5
    )
    assert run.over
    assert run.ended == "took more than 1.5 seconds"
    assert set(run.records) == {("lecture", "dlogprobs")}
    assert grade(solution("ex1"), "ex1", ["dprobs"]).items[0].verdict is Verdict.EXACT


def test_many_items_that_end_the_process_colour_no_other(grade: Grade) -> None:
    source = solution("ex1")
    guilty = ["dlogprobs", "dcounts", "dlogits", "dh", "dbnraw", "dC"]
    for name in guilty:
        source += f"\ndef {name}():\n    import os\n    os._exit(3)\n"
    verdicts = {item.id: item.verdict for item in grade(source).items if not item.passed}
    assert verdicts == {f"ex1.{name}": Verdict.ERROR for name in guilty}


def test_an_endless_top_level_is_over_the_limit(runner: Runner, grade: Grade) -> None:
    run = runner.run(
        Part("ex1", ["lecture"], ["dprobs"]), File("submission.py", b"while True: pass\n"), wall=2
    )
    assert run.over
    assert not run.records
    assert grade(solution("ex1"), "ex1", ["dprobs"]).score == 1


def test_a_child_that_ended_in_time_is_over_no_limit_however_late_one_looks(runner: Runner) -> None:
    job = runner._job({"op": "trial"}, b"")
    assert select.select([job.channel], [], [], 60)[0]
    answer = bytearray()
    job.pump(answer.extend, 0.0)
    job.finish()
    assert job.end["status"] == 0 and json.loads(answer)


def test_the_time_that_a_submission_can_take_is_told() -> None:
    told = " ".join(Path(ROOT, "docs", "sandbox.md").read_text(encoding="utf-8").split())
    assert f"A wall-clock limit of {WALL:g} s" in told
    assert f"as long as {RETRY:g} s haven't gone by" in told
    assert f"takes up to {RETRY + 2 * WALL:g} s" in told  # the last may begin at the end of that time
