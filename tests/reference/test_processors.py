"""The suite's numbers on other processors: kernels that round otherwise change no saved file and no verdict.

The grader makes its own environment, so another one is put in where it does.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import EXERCISES, ROOT, sampled, solution

from grader.core.exercise import File, Task
from grader.core.verdict import Verdict
from grader.judging.grade import grade
from grader.reference.reproducible import REPRODUCIBLE, environment
from grader.runner.host.client import Runner

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the settings are of torch's kernels for x86"
)
FREE = {"MKL_CBWR": "AUTO"}
SETTINGS: dict[str, tuple[dict[str, str], int]] = {
    "torch's plain kernels, MKL free": ({"ATEN_CPU_CAPABILITY": "default", **FREE}, 1),
    "AVX2 kernels, MKL bound": ({"ATEN_CPU_CAPABILITY": "avx2"}, 1),
    "AVX2 kernels, MKL free": ({"ATEN_CPU_CAPABILITY": "avx2", **FREE}, 1),
    "AVX512 kernels, MKL free, two threads": ({"ATEN_CPU_CAPABILITY": "avx512", **FREE}, 2),
}
SOME = ("wavenet.ex7",)  # an output that takes roots


def derive(setting: str, *exercises: str) -> subprocess.CompletedProcess[str]:
    environ, threads = SETTINGS[setting]
    counts = {k: str(threads) for k in REPRODUCIBLE if k.endswith("_NUM_THREADS")}
    command = [sys.executable, str(Path(__file__).with_name("derive_here.py")), str(ROOT), str(threads)]
    return subprocess.run(
        [*command, *exercises],
        env={**environment(), **environ, **counts, "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        text=True, capture_output=True, timeout=1200,
    )  # fmt: skip


def none_differs(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode != 3, "this setting gives the saved bits: it shows nothing"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_another_processors_kernels_are_no_drift() -> None:
    none_differs(derive(next(iter(SETTINGS)), *SOME))


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
def test_another_processors_kernels_are_no_drift_in_any_exercise(setting: str) -> None:
    none_differs(derive(setting, *EXERCISES))


@pytest.mark.parametrize("setting", sampled(SETTINGS, 4))
def test_every_solution_passes_with_another_processors_kernels(
    setting: str, exercises: dict[str, Task]
) -> None:
    verdicts: dict[str, Verdict] = {}
    with Runner(SETTINGS[setting][0]) as runner:
        for name, task in exercises.items():
            runner.load(task.exercise, task.fixtures.given)
            report, _ = grade(runner, task, File("solution.py", solution(name).encode()))
            verdicts |= {item.id: item.verdict for item in report.items}
    assert not [name for name, verdict in verdicts.items() if not verdict.passed]
    assert Verdict.APPROXIMATE in verdicts.values(), "this setting gives the saved bits: it shows nothing"
