"""What each target of the Makefile sets up by itself: what grading needs, or what the tests need too."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="no make here")


def commands(target: str, folder: Path) -> str:
    """What `make TARGET` would run where nothing is set up; it runs nothing."""
    asked = ["make", "--dry-run", target, f"VENV={folder}/.venv"]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("target", ["grade", "grade-solutions", "build"])
def test_grading_installs_what_it_needs_and_says_so(target: str, tmp_path: Path) -> None:
    run = commands(target, tmp_path)
    assert re.findall(r"Setting up, once: (\d of \d)", run) == ["1 of 3", "2 of 3", "3 of 3"]
    installs = [line for line in run.splitlines() if " pip install " in line]
    assert len(installs) == 3 and "^pip==" in installs[0] and installs[2].endswith(" -e .")
    assert not any("--quiet" in line or " -q " in line for line in installs)  # pip's progress shows


@pytest.mark.parametrize(
    "target", ["setup", "test", "test-all", "coverage", "lint", "types", "dist", "bench", "pictures"]
)
def test_what_tests_need_is_set_up_by_what_needs_it(target: str, tmp_path: Path) -> None:
    run = commands(target, tmp_path)
    assert "-e '.[dev]'" in run and run.index(" -e .\n") < run.index("-e '.[dev]'")


def test_the_documentation_has_its_own(tmp_path: Path) -> None:
    run = commands("docs", tmp_path)
    assert "-e '.[docs]'" in run and "-e '.[dev]'" not in run
