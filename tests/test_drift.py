"""What is derived from solutions/ is what is committed, and `grader build` says where it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import EXERCISES, ROOT

PARTS = ("grader", "solutions", "exercises", "fixtures")
CHANGED = ("ex1", "ex2", "ex3")  # what the tests of drift change


def build(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`grader build` of the project at `root`, as the command runs it."""
    environ = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "grader.cli", "build", *words]
    return subprocess.run(command, cwd=root, env=environ, text=True, capture_output=True, timeout=600)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the derived files of CHANGED are what solutions/ gives."""
    root = tmp_path_factory.mktemp("pristine")
    for part in PARTS:
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for exercise in CHANGED:  # a learner may have written into the checkout's
        stub = root.joinpath("exercises", *exercise.split(".")).with_suffix(".py")
        stub.unlink(missing_ok=True)
        stub.with_suffix(".ipynb").unlink(missing_ok=True)
    assert build(root, *CHANGED).returncode == 0
    return root


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "project"
    shutil.copytree(pristine, root)
    yield root


def test_stubs_and_fixtures_are_what_the_solutions_give_byte_for_byte() -> None:
    done = build(ROOT, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    said = "exercises: stubs, notebooks and fixtures are what solutions/ gives"
    assert done.stdout == f"{len(EXERCISES)} {said}\n"


def test_building_what_is_up_to_date_writes_nothing(project: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in project.rglob("*") if p.is_file()}
    done = build(project, "ex2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {p: p.stat().st_mtime_ns for p in project.rglob("*") if p.is_file()} == before


def replace(path: str, old: str, new: str) -> Callable[[Path], Any]:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return change


GIVEN = "fixtures/ex2/probe-1.given.safetensors.gz"
JSON2, STUB2, BOOK2 = "fixtures/ex2/exercise.json", "exercises/ex2.py", "exercises/ex2.ipynb"
EXTRA = "fixtures/ex2/probe-9.given.safetensors.gz"

DRIFT: dict[str, tuple[str, Callable[[Path], Any], list[str]]] = {
    "an edited stub": (
        "ex2",
        replace(STUB2, "NotImplementedError", "TypeError"),
        [f"{STUB2} is not the stub (edited?)"],
    ),
    "an edited notebook": (
        "ex2",
        replace(BOOK2, "# replace None", "# mine"),
        [f"{BOOK2} is not the derived notebook (edited?)"],
    ),
    "a deleted notebook": ("ex2", lambda r: (r / BOOK2).unlink(), [f"{BOOK2} is missing"]),
    "a deleted stub": ("ex2", lambda r: (r / STUB2).unlink(), [f"{STUB2} is missing"]),
    "a deleted fixture": ("ex2", lambda r: (r / GIVEN).unlink(), [f"{GIVEN} is missing"]),
    "an altered fixture": (
        "ex2",
        lambda r: (r / GIVEN).write_bytes((r / GIVEN).read_bytes()[:-1] + b"\1"),
        [f"{GIVEN} is out of date"],
    ),
    "a deleted description": ("ex2", lambda r: (r / JSON2).unlink(), [f"{JSON2} is missing"]),
    "an edited description": ("ex2", replace(JSON2, "probe-1", "probe-7"), [f"{JSON2} is out of date"]),
    "a leftover fixture": ("ex2", lambda r: (r / EXTRA).touch(), [f"{EXTRA} belongs to no fixture"]),
    "an edited solution body that is shown": (
        "ex1",
        replace(
            "solutions/ex1.py", "dlogprobs[range(n), Yb] = -1.0 / n", "dlogprobs[range(n), Yb] = -(1.0 / n)"
        ),
        ["fixtures/ex1/exercise.json is out of date"],
    ),
    "an edited signature": (
        "ex2",
        replace("solutions/ex2.py", "def dlogits(logits, Yb, n)", "def dlogits(logits, Yb, n, h)"),
        [f"{JSON2} is out of date", f"{STUB2} is not the stub (edited?)"],
    ),
    "an edited forward line": (
        "ex2",
        replace("solutions/ex2.py", "torch.tanh(hpreact)", "torch.sigmoid(hpreact)"),
        [f"{JSON2} is out of date", f"{GIVEN} is out of date", f"{STUB2} is not the stub (edited?)"],
    ),
    "an edited seed": (
        "ex2",
        replace("solutions/ex2.py", '"probe-1": dict(seed=1,', '"probe-1": dict(seed=4,'),
        [f"{JSON2} is out of date", f"{GIVEN} is out of date"],
    ),
}


@pytest.mark.parametrize("exercise, change, said", DRIFT.values(), ids=DRIFT)
def test_a_drift_is_told_by_the_name_of_the_file(
    project: Path, exercise: str, change: Callable[[Path], Any], said: list[str]
) -> None:
    change(project)
    before = {p: p.read_bytes() for p in project.rglob("*") if p.is_file()}
    done = build(project, "--check", exercise)
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    for start in said:
        assert f"grader: {start}: `grader build {exercise}` rebuilds it" in lines
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before


def test_the_body_of_a_solution_changes_what_is_known_of_mistakes_in_it(project: Path) -> None:
    replace("solutions/ex2.py", "dlogits /= n", "dlogits *= 1 / n")(project)
    done = build(project, "--check", "ex2")
    assert done.returncode == 1 and "fixtures/ex2/diagnosis.json.gz is out of date" in done.stderr


def test_a_docstring_that_no_longer_quotes_its_forward_line_is_told_in_one_line(project: Path) -> None:
    source = (project / "solutions/ex2.py").read_text()
    old = "    loss = F.cross_entropy(logits, Yb)\n    return"
    assert old in source
    new = "    loss = F.nll_loss(F.log_softmax(logits, 1), Yb)\n    return"
    (project / "solutions/ex2.py").write_text(source.replace(old, new))
    done = build(project, "--check", "ex2")
    assert done.returncode == 2
    assert done.stderr.startswith("grader: solutions/ex2.py, line ") and done.stderr.count("\n") == 1


def test_building_repairs_every_drift_but_an_edited_exercise(project: Path) -> None:
    stub, mine = project / STUB2, b"# my own work\n"
    stub.write_bytes(mine)
    (project / GIVEN).unlink()
    (project / JSON2).write_text("{}")
    (project / EXTRA).touch()
    done = build(project, "ex2")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"kept {STUB2}, which has been edited; `grader reset ex2` gives the stub\n" in done.stdout
    assert f"wrote {GIVEN}\n" in done.stdout and f"wrote {JSON2}\n" in done.stdout
    assert stub.read_bytes() == mine and not (project / EXTRA).exists()
    stub.unlink()
    assert f"wrote {STUB2}" in build(project, "ex2").stdout
    assert build(project, "--check", "ex2").returncode == 0


def test_a_changed_solution_renews_an_untouched_stub_and_keeps_an_edited_one(project: Path) -> None:
    replace("solutions/ex2.py", "Look at the mathematics", "Take the mathematics")(project)
    stub, edited = project / STUB2, project / "exercises/ex3.py"
    edited.write_text(edited.read_text() + "\n# my own work\n")
    mine = edited.read_bytes()
    replace("solutions/ex3.py", "Mind Bessel's correction", "Heed Bessel's correction")(project)
    done = build(project, "ex2", "ex3")
    assert done.returncode == 0 and "Take the mathematics" in stub.read_text()
    assert edited.read_bytes() == mine and "kept exercises/ex3.py" in done.stdout
    # and again: what was kept is still known for edited
    assert "kept exercises/ex3.py" in build(project, "ex3").stdout and edited.read_bytes() == mine
