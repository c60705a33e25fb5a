"""The pytest plugin: pytest runs, each in a folder of a learner's. Most on a warm runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from command import Ran, lent
from conftest import DEADLINE, ROOT, solution

PYTEST = Path(sys.executable).with_name("pytest")
PASSED, FAILED, INTERRUPTED, INTERNAL, USAGE, NOTHING = range(6)
GRADING = ("--grader", "-c", os.devnull, "--rootdir", ".")
HOSTILE = "open('loaded', 'w').close()\n"
Run = Callable[..., Ran]


def installed(cwd: Path, *args: str) -> Ran:
    """The installed pytest."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "PYTHONPATH"))}
    return subprocess.run(
        [PYTEST, *args], cwd=cwd, env=environ, capture_output=True, text=True, timeout=DEADLINE
    )


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """pytest in this process."""
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)

    def one(cwd: Path, *args: str) -> Ran:
        monkeypatch.chdir(cwd)
        with lent():
            ran = pytester.runpytest_inprocess(*args)
        return subprocess.CompletedProcess(args, ran.ret, "\n".join(ran.outlines), "\n".join(ran.errlines))

    return one


@pytest.fixture
def work(pytester: pytest.Pytester) -> Path:
    """A learner's folder: ex1 with one item wrong and one right, ex2 solved."""
    tmp_path = pytester.path
    folder = tmp_path / "exercises"
    folder.mkdir()
    stub = (ROOT / "exercises/ex1.py").read_text()
    answers = (
        "def dlogprobs(logprobs, Yb, n):\n"
        "    print('from the submission')\n"
        "    d = logprobs * 0\n"
        "    d[range(n), Yb] = -1.0 / n\n"
        "    return d\n"
        "def dprobs(probs, dlogprobs):\n"
        "    return -dlogprobs / probs\n"
    )
    (folder / "ex1.py").write_text(f"{stub}\n{answers}")
    (folder / "ex2.py").write_text(solution("ex2"))
    return tmp_path


def test_the_entry_point_is_installed() -> None:
    found = {e.name: e.value for e in entry_points(group="pytest11")}
    assert found["grader"] == "grader.learner.pytest_plugin", "run `make setup`"


def test_one_test_an_item_with_reason_and_diagnosis(work: Path, run: Run) -> None:
    ran = run(work, "exercises/ex1.py", "exercises/ex2.py", "-rA", "--junitxml=junit.xml")
    assert ran.returncode == FAILED
    assert "FAILED ex1::dprobs - ex1.dprobs: wrong: the sign is wrong" in ran.stdout
    assert "PASSED ex1::dlogprobs" in ran.stdout and "PASSED ex2::dlogits" in ran.stdout
    assert "XFAIL ex1::dC - not written" in ran.stdout
    assert "1 failed, 2 passed, 24 xfailed" in ran.stdout
    assert ran.stdout.count("from the submission") >= 1
    assert "Traceback" not in ran.stdout and "pytest_plugin.py" not in ran.stdout
    cases = {
        (case.get("classname"), case.get("name")): case
        for case in ET.parse(work / "junit.xml").iter("testcase")
    }
    wrong = cases["ex1", "dprobs"]
    properties = {p.get("name"): p.get("value") or "" for p in wrong.iter("property")}
    assert properties["exact"] == properties["approx"] == "false" and float(properties["maxdiff"]) > 1
    right = {p.get("name"): p.get("value") or "" for p in cases["ex2", "dlogits"].iter("property")}
    assert right["approx"] == "true" and float(right["maxdiff"]) < 1e-6
    assert not list(cases["ex1", "dC"].iter("property"))
    failure = wrong.find("failure")
    assert failure is not None and "the sign is wrong" in failure.get("message", "")


@pytest.mark.parametrize(
    "how, code, word", [("xfail", PASSED, "xfailed"), ("skip", PASSED, "skipped"), ("fail", FAILED, "failed")]
)
def test_what_is_not_written_is_as_the_option_says(
    work: Path, how: str, code: int, word: str, run: Run
) -> None:
    ran = run(work, "exercises/ex1.py", "-k", "dlogits", f"--grader-not-written={how}")
    assert ran.returncode == code and f"1 {word}" in ran.stdout and "25 deselected" in ran.stdout


def test_only_the_items_that_are_asked_for_are_run(work: Path, run: Run) -> None:
    """An item that hangs would be noticed: it isn't asked for."""
    path = work / "exercises/ex1.py"
    path.write_text(path.read_text() + "\ndef dC():\n    while True: pass\n")
    ran = run(work, "exercises/ex1.py::dprobs")
    assert "collected 1 item" in ran.stdout and "1 failed" in ran.stdout


def test_the_first_failure_stops_and_the_last_failed_come_again(work: Path, run: Run) -> None:
    first = run(work, "exercises/ex1.py", "-x", "--grader-not-written=fail")
    assert "stopping after 1 failures" in first.stdout and "1 failed, 1 passed" in first.stdout
    again = run(work, "exercises/ex1.py", "--lf")
    assert "1 failed, 25 deselected" in again.stdout and "FAILED ex1::dprobs" in again.stdout


@pytest.mark.slow
def test_under_xdist(work: Path) -> None:
    args = "exercises/ex1.py", "exercises/ex2.py", "-k", "dlogprobs or dprobs or ex2"
    ran = installed(work, *args, "-n2", "--dist=loadfile", "--junitxml=junit.xml")
    assert ran.returncode == FAILED and "1 failed, 2 passed" in ran.stdout
    assert "FAILED ex1::dprobs - ex1.dprobs: wrong: the sign" in ran.stdout
    assert len(list(ET.parse(work / "junit.xml").iter("property"))) == 9


def test_a_notebook(work: Path, run: Run) -> None:
    shutil.copy(ROOT / "exercises/ex2.ipynb", work / "mine.ipynb")
    (work / "exercises/ex2.ipynb").write_bytes((work / "mine.ipynb").read_bytes())
    ran = run(work, "exercises/ex2.ipynb", "-rA")
    assert ran.returncode == PASSED and "XFAIL exercises/ex2.ipynb::dlogits" in ran.stdout
    named = run(work, *GRADING, "mine.ipynb", "-rA")
    assert "XFAIL mine.ipynb::dlogits" in named.stdout


def test_a_submission_s_own_conftest_package_and_plugins_are_not_loaded(work: Path, run: Run) -> None:
    for name in ("conftest.py", "exercises/conftest.py", "exercises/__init__.py", "exercises/test_me.py"):
        (work / name).write_text(HOSTILE)
    ran = run(work, *GRADING, "exercises/ex2.py", "-rA")
    assert ran.returncode == PASSED and "PASSED ex2::dlogits" in ran.stdout
    assert not (work / "loaded").exists()
    folder = run(work, *GRADING, "exercises", "--doctest-modules", "-k", "ex2")
    assert folder.returncode == PASSED and "1 passed, 26 deselected" in folder.stdout
    assert not (work / "loaded").exists()
    assert run(work, "exercises/ex2.py").returncode == PASSED  # what all this keeps away
    assert (work / "loaded").exists()


@pytest.mark.parametrize(
    "name, table", [("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")]
)
def test_a_submission_s_configuration_is_refused(work: Path, name: str, table: str, run: Run) -> None:
    (work / name).write_text(f"[{table}]\naddopts = --deselect ex2::dlogits\n")
    (work / "exercises/ex2.py").write_text("def dlogits(probs):\n    return probs\n")
    ran = run(work, "--grader", "exercises/ex2.py")
    assert ran.returncode == USAGE and f"add `-c {os.devnull}`" in ran.stderr
    assert run(work, *GRADING, "exercises/ex2.py").returncode == FAILED


def test_pytest_never_imports_a_submission(work: Path, run: Run) -> None:
    """Neither as a module nor for its doctests, in any mode: the top level runs in the confined child."""
    path = work / "exercises/ex2.py"
    path.write_text(f"try:\n    {HOSTILE}except OSError:\n    pass\n{path.read_text()}")
    ran = run(work, "exercises/ex2.py", "--doctest-modules")
    assert ran.returncode == PASSED and "1 passed" in ran.stdout
    assert not (work / "loaded").exists()


@pytest.mark.slow
def test_a_file_of_any_name(work: Path, run: Run) -> None:
    (work / "answer.py").write_text(solution("ex2"))
    unknown = run(work, *GRADING, "answer.py")
    assert unknown.returncode == INTERRUPTED and "answer.py: which exercise is it?" in unknown.stdout
    assert "pytest_plugin.py" not in unknown.stdout
    ran = run(work, *GRADING, "answer.py", "--grader-exercise=ex2")
    assert ran.returncode == PASSED and "1 passed" in ran.stdout
    wrong = run(work, *GRADING, "answer.py", "--grader-exercise=ex77")
    assert wrong.returncode == USAGE and "there is no exercise ex77" in wrong.stderr


def test_nothing_that_a_submission_says_is_a_workflow_command(work: Path, run: Run) -> None:
    (work / "exercises/ex2.py").write_text(
        "print('::error::spoken')\nprint('##[error]spoken')\n"
        "def dlogits():\n    raise ValueError('::error::spoken\\n##[error]spoken')\n"
    )
    ran = run(work, *GRADING, "exercises/ex2.py", "-rA")
    assert ran.returncode == FAILED and ran.stdout.count("spoken") >= 3
    assert not [x for x in ran.stdout.splitlines() if x.lstrip().startswith("::") or "##[" in x]


def test_an_unreadable_submission_is_an_error_without_a_traceback(work: Path, run: Run) -> None:
    (work / "exercises/ex2.ipynb").write_text("{")
    ran = run(work, "exercises/ex2.ipynb")
    assert ran.returncode == FAILED and "1 error" in ran.stdout
    assert "exercises/ex2.ipynb" in ran.stdout and "is not a notebook" in ran.stdout
    assert "Traceback" not in ran.stdout and "pytest_plugin.py" not in ran.stdout


def test_other_people_s_runs_are_left_alone(tmp_path: Path) -> None:
    """Nothing of weight is imported, and a file called ex1.py elsewhere stays pytest's own."""
    (tmp_path / "ex1.py").write_text("def test_theirs():\n    pass\n")
    (tmp_path / "test_weight.py").write_text(
        "import json, sys\n"
        "def test_weight():\n"
        "    ours = sorted(m for m in sys.modules if m.split('.')[0] in ('grader', 'torch', 'numpy'))\n"
        "    json.dump(ours, open('loaded.json', 'w'))\n"
    )
    ran = installed(tmp_path, "test_weight.py", "ex1.py", "-p", "no:hypothesispytest")
    assert ran.returncode == PASSED and "2 passed" in ran.stdout
    ours = ["grader", "grader.learner", "grader.learner.pytest_plugin"]
    assert json.loads((tmp_path / "loaded.json").read_text()) == ours


def test_torch_stays_out_of_pytest_s_process(work: Path) -> None:
    (work / "test_torch.py").write_text(
        "import sys\ndef test_torch():\n    assert 'torch' not in sys.modules\n"
    )
    ran = installed(work, "exercises/ex2.py", "test_torch.py")
    assert ran.returncode == PASSED and "2 passed" in ran.stdout
