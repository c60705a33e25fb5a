"""scripts/coverage_figures.py counts what forks run and what ends by os._exit, as children do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import coverage_figures as figures

PROGRAM = """
import os, sys
{start}
sys.path.insert(0, {root!r})
exec(compile("page = 1", {root!r} + "/grader/reports/web/report.html", "exec"))  # as a page's template is
from grader.core import text as harmless
if (child := os.fork()) == 0:
    if sys.argv[1] == "killed":
        harmless.text("\\x1b")
        os.kill(os.getpid(), 9)
    harmless.block(b"one\\ntwo", 100)
    os._exit(0)
os.waitpid(child, 0)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["by itself", "killed"])
def test_lines_of_a_fork_and_of_its_parent(end: str, tmp_path: Path) -> None:
    """The parent is killed, as the zygote is: what it had run before it forked is counted."""
    marks = tmp_path / "marks"
    program = PROGRAM.format(start=figures.prepare(marks), root=str(ROOT))
    ran = subprocess.run([sys.executable, "-I", "-c", program, end], capture_output=True, text=True)
    assert ran.returncode == -9 and ran.stderr == ""
    path = ROOT / "grader/core/text.py"
    lines = path.read_text().splitlines()
    run = [lines[n - 1].strip() for n in figures.marked(marks)[str(path)]]
    assert any(line.startswith("def text(") for line in run)
    assert any(line.startswith("return ") and '"\\n".join(' in line for line in run) == (end == "by itself")
    assert not any("_named(ch)" in line for line in run), "of a killed process only what it marked"
    others = {name for name, numbers in figures.marked(marks).items() if numbers} - {str(path)}
    assert {Path(name).name for name in others} <= {"__init__.py"}
