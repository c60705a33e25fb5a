"""Exact results don't depend on the machine's vector unit, and never on the user's environment."""

from __future__ import annotations

import argparse
import functools
import re
from pathlib import Path

import pytest
from conftest import ROOT, solution

from grader.commands import doctor
from grader.commands.doctor import reproduce
from grader.core.exercise import File, Task
from grader.judging.grade import grade
from grader.runner.host.client import Runner


def exact_of_ex1(exercises: dict[str, Task], environ: dict[str, str] | None = None) -> tuple[int, float]:
    description, fixtures = exercises["ex1"]
    with Runner(environ) as runner:
        runner.load(description, fixtures.given)
        report, _ = grade(runner, exercises["ex1"], File("ex1.py", solution("ex1").encode()))
    return sum(item.check.exact for item in report.items), int(report.score)


@pytest.mark.slow
def test_the_solution_of_ex1_is_as_exact_whatever_vector_unit_the_user_asks_for(
    exercises: dict[str, Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = exact_of_ex1(exercises)
    assert as_it_is[1] == 26
    for capability in ("avx512", "avx2", "default"):
        monkeypatch.setenv("ATEN_CPU_CAPABILITY", capability)
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert exact_of_ex1(exercises) == as_it_is, capability


def test_what_the_grader_sets_is_what_makes_the_saved_bits_come_out_again(exercises: dict[str, Task]) -> None:
    def reproduced(environ: dict[str, str]) -> tuple[int, int]:
        with Runner(environ) as runner:
            return reproduce(runner, exercises["ex1"])

    if vectorised():
        same, _ = reproduced({"ATEN_CPU_CAPABILITY": "avx2"})
        assert same < reproduced({})[0], "the environment does not reach the kernels"


@pytest.mark.slow
def test_the_doctor_says_in_one_line_whether_the_saved_bits_come_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    said = []
    for environ in ({}, {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AUTO"}):
        monkeypatch.setattr(doctor, "Runner", functools.partial(Runner, environ))
        assert doctor.run(argparse.Namespace(verbose=False)) == 0
        said += [line for line in capsys.readouterr().out.splitlines() if "this machine" in line]
    assert len(said) == 2
    if vectorised():
        found = re.fullmatch(r"ok   this machine rounds otherwise: (\d+) of (\d+) gradients have .*", said[1])
        assert found and int(found[1]) < int(found[2])


def vectorised() -> bool:
    path = Path("/proc/cpuinfo")
    return path.exists() and "avx2" in path.read_text()
