"""Every benchmark at its smallest sizes, as the process that it is; what runs and compares them all."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from benchmarks import __main__ as benchmarks
from benchmarks.common import graded

FETCHED = {"others"}  # they run other people's programs
QUICK = "second_check"  # the others take as long as their work, or longer
NAMES = [name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in benchmarks.NAMES]


def run(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """A command of ours, in which nothing keeps `grader check` from asking a background server."""
    own = {k: v for k, v in os.environ.items() if k not in ("CI", "GRADER_NO_SERVER")}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, env={**own, **environ}, text=True, capture_output=True)


@pytest.mark.parametrize("name", NAMES)
def test_each_gives_numbers_and_leaves_no_server(name: str, tmp_path: Path) -> None:
    done = run(f"benchmarks.{name}", "--smoke", XDG_RUNTIME_DIR=str(tmp_path))
    asked = (tmp_path / "grader").exists()  # where a server lives that has answered, or was to
    if asked:
        run("grader.cli", "server", "stop", XDG_RUNTIME_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    if name in FETCHED and not results and not os.environ.get("CI"):
        pytest.skip(done.stderr)
    assert results and all(math.isfinite(value) for value in results.values()), done.stdout
    assert any(" / " in what for what in results), "no ratio"
    assert sorted(benchmarks.BUDGET.get(name, {}).keys() - results.keys()) == [], "a budget of nothing"
    assert not asked, "a server that is not the benchmark's own was asked"


@pytest.mark.slow
def test_a_large_class_takes_no_more_memory_towards_its_end() -> None:
    """2000 copies with changed comments, three minutes; GRADER_MANY=10000 takes as many."""
    done = run("benchmarks.many", "--cluster", "0", "--submissions", os.environ.get("GRADER_MANY", "2000"))
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    print(done.stdout)
    grown = {name: value for name, value in results.items() if name.endswith("second half / first")}
    assert len(grown) == 2 and max(grown.values()) < 1.3, results


def test_one_that_fails_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    done = run("benchmarks", "no_such", "reproducible", "common", "--smoke", "--out", str(out))
    assert done.returncode == 1
    assert "failed: no_such, common" in done.stdout
    document = json.loads(out.read_text())
    assert document["failed"] == ["no_such", "common"]  # the latter ends well, and gives nothing
    assert document["results"].keys() == {"reproducible"} and document["results"]["reproducible"]


def test_what_is_over_its_budget_gets_a_warning() -> None:
    name, budget = next(iter(benchmarks.BUDGET.items()))
    most = dict(budget)
    assert benchmarks.over(name, most) == []
    what = next(iter(most))
    assert benchmarks.over(name, {**most, what: most[what] * 2, "unheard of": 1e9}) == [
        f"{what} is {most[what] * 2:g}, its budget {most[what]:g}"
    ]


def test_every_budget_is_of_a_ratio_of_a_benchmark() -> None:
    assert sorted(benchmarks.BUDGET.keys() - set(benchmarks.NAMES)) == []
    assert all(" / " in what for budget in benchmarks.BUDGET.values() for what in budget)


def test_the_speeds_that_the_readme_tells_are_the_budgets() -> None:
    said = re.search(
        r"a first check takes at most (\S+) of `import torch`, one after an edit (\S+) ",
        (ROOT / "README.md").read_text(),
    )
    budget = benchmarks.BUDGET
    first, again = (
        budget["cold_check"]["check ex1 / import torch"],
        budget["second_check"]["changed / import torch"],
    )
    assert said and [float(word) for word in said.groups()] == [first, again]


def test_two_results_are_compared_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = {"machine": "here", "smoke": False, "results": {"watch": {"a / b": 0.5, "gone / b": 1.0, "no": 0}}}
    new = {
        "machine": "there",
        "smoke": False,
        "results": {"watch": {"a / b": 0.75, "no": 1.0}, "x": {"y": 2}},
    }
    for name, document in (("old", old), ("new", new)):
        (tmp_path / name).write_text(json.dumps(document))
    assert benchmarks.main(["--compare", str(tmp_path / "old"), str(tmp_path / "new")]) == 0
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == "not the same machine: here, there"
    assert said[2:] == [
        "0.5 0.75 1.50 watch: a / b",
        "0 1 watch: no",
        "1 - watch: gone / b",
        "- 2 x: y",
    ]


def test_what_is_no_result_is_a_usage_error(tmp_path: Path) -> None:
    done = run("benchmarks", "--compare", str(tmp_path / "none"), str(tmp_path / "none"))
    assert done.returncode == 2 and "No such file" in done.stderr


class Grading:
    """Passes what is not called wrong."""

    def grade(self, exercise: str, source: bytes, filename: str) -> dict[str, object]:
        return {"passed": source != b"wrong"}

    def grade_all(self, exercises: object, source: bytes, filename: str) -> list[dict[str, object]]:
        return [self.grade("", source, filename)]

    def close(self) -> None: ...


def test_a_submission_that_fails_in_a_thread_ends_the_benchmark() -> None:
    assert len(graded(Grading(), [b"right"] * 5, 3)[1]) == 5
    with pytest.raises(RuntimeError, match="did not pass"):
        graded(Grading(), [b"right", b"wrong", *[b"right"] * 5], 3)
