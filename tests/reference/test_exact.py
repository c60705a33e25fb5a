"""Exact results don't depend on the machine's vector unit, and never on the user's environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import solution

from grader.commands.doctor import reproduce
from grader.core.exercise import File, Task
from grader.judging.grade import grade
from grader.runner.host.client import Runner


def exact_of_ex1(exercises: dict[str, Task], environ: dict[str, str] | None = None) -> tuple[int, int]:
    description, fixtures = exercises["ex1"]
    with Runner(environ) as runner:
        runner.load(description, fixtures.given)
        report, _ = grade(runner, exercises["ex1"], File("ex1.py", solution("ex1").encode()))
    return sum(item.check.exact for item in report.items), report.score


def test_the_solution_of_ex1_is_exact_whatever_vector_unit_the_user_asks_for(
    exercises: dict[str, Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    for capability in ("avx512", "avx2", "default"):
        monkeypatch.setenv("ATEN_CPU_CAPABILITY", capability)
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert exact_of_ex1(exercises) == (26, 26), capability


def test_what_the_grader_sets_is_what_makes_the_saved_bits_come_out_again(exercises: dict[str, Task]) -> None:
    description, fixtures = exercises["ex1"]

    def reproduced(environ: dict[str, str]) -> tuple[int, int]:
        with Runner(environ) as runner:
            return reproduce(runner, description, fixtures)

    assert reproduced({}) == (26, 26)
    if vectorised():
        same, total = reproduced({"ATEN_CPU_CAPABILITY": "avx2"})
        assert same < total, "the environment no longer reaches the kernels: nothing is tested here"


def vectorised() -> bool:
    path = Path("/proc/cpuinfo")
    return path.exists() and "avx2" in path.read_text()
