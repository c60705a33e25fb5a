"""The real nbgrader and the real otter on what `grader export` writes, held against `grader check`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import DEADLINE, ROOT, solution
from notebook_graders import Environment, NotReachable, cells, exported, gradebook, written

from grader.authoring.handout import cells as cells_of
from grader.suite import fixtures

pytestmark = pytest.mark.slow
POINTS = 2.0
FORGED = "import grader.testcell\ngrader.testcell.require_passed = lambda *words: None"


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    try:
        yield Environment(tmp_path_factory.mktemp("others") / "env")
    except NotReachable as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no package index can be reached: {error}")


def grader(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "grader.cli", *map(str, words)]
    return subprocess.run(command, cwd=cwd, env=environ, text=True, capture_output=True, timeout=DEADLINE)


def passed(notebook: Path) -> dict[str, bool]:
    """`grader check`'s verdicts on a notebook, by item."""
    report = json.loads(grader("check", notebook, "--json", cwd=notebook.parent).stdout)
    return {i["id"].rpartition(".")[2]: i["passed"] for e in report["exercises"] for i in e["items"]}


def answers(exercise: str) -> dict[str, str]:
    """The solution, by the id of the cell that it goes to."""
    description = fixtures.describe(ROOT, exercise)
    made = cells_of.of(description, fixtures.derived(ROOT, description), solution(exercise))
    return {cell.id: cell.solved for cell in made if cell.regions}


def test_nbgrader_gives_the_points_of_what_grader_check_passes(others: Environment, tmp_path: Path) -> None:
    name, cwd = "bigrams-ex3", tmp_path
    assert grader("export", "nbgrader", "bigrams.ex3", "--points", str(POINTS), cwd=cwd).returncode == 0
    others.run("nbgrader", "generate_assignment", name, cwd=cwd)
    release = cwd / "release" / name / f"{name}.ipynb"
    right = answers("bigrams.ex3")
    assert not [
        c for c in cells(release) if c["id"] in right and right[c["id"]].split("\n")[0] in c["source"]
    ]

    def handed_in(student: str, edits: dict[str, str]) -> Path:
        return written(release, edits, cwd / "submitted" / student / name / release.name)

    # bob: one right at the lecture's sizes alone, one wrong, one not written; tests made harmless or deleted
    slips = {"dpicked": "dpicked = -1 / (5 * picked)", "dW": "dW = xenc.T @ dlogits * 2"}
    partly = {k: v for k, v in {**right, **slips}.items() if k != "dlogits"}
    tampered = {"dpicked-test": "pass", "dW-test": "require_passed = print"}
    submitted = {
        "ada": handed_in("ada", right),
        "bob": handed_in("bob", {**partly, **tampered}),
        "cyd": handed_in("cyd", {}),
        "eve": handed_in("eve", {"dpicked": FORGED}),
    }
    without_a_cell(submitted["bob"], "dlogits-test")
    others.run("nbgrader", "autograde", name, "--OverwriteCells.add_missing_cells=True", cwd=cwd)
    others.run("nbgrader", "export", cwd=cwd)

    verdicts = {student: passed(path) for student, path in submitted.items()}
    assert {s: sum(v.values()) for s, v in verdicts.items()} == {"ada": 6, "bob": 3, "cyd": 0, "eve": 0}
    book = gradebook(cwd)
    for student in ("ada", "bob", "cyd"):
        wanted = {f"{name}-{i}-test": (POINTS * p, POINTS) for i, p in verdicts[student].items()}
        assert book[student] == wanted
    restored = {c["id"]: c["source"] for c in cells(cwd / "autograded" / "bob" / name / release.name)}
    for cell in cells(release):
        if cell["id"] in tampered:
            assert restored[cell["id"]] == cell["source"]
    # what is given up: code in the same kernel can replace the check; the docs say so, and what to do
    assert exported(cwd) == {"ada": (12, 12), "bob": (6, 12), "cyd": (0, 12), "eve": (12, 12)}
    grader("batch", "submitted", "--out", "graded", cwd=cwd)
    lines = (cwd / "graded" / "results.jsonl").read_text().splitlines()
    trusted = {r["student"]: r["score"] for r in map(json.loads, lines)}
    assert trusted == {"ada": 6, "bob": 3, "cyd": 0, "eve": 0}


def without_a_cell(path: Path, gone: str) -> None:
    book = json.loads(path.read_text())
    book["cells"] = [c for c in book["cells"] if c["id"] != gone]
    path.write_text(json.dumps(book))


def test_otter_gives_the_points_of_what_grader_check_passes(others: Environment, tmp_path: Path) -> None:
    assert grader("export", "otter", "tokenizer.ex1", "--points", str(POINTS), cwd=tmp_path).returncode == 0
    folder = tmp_path / "tokenizer-ex1"
    others.run("otter", "generate", cwd=folder)
    student = folder / "tokenizer-ex1.ipynb"
    right = answers("tokenizer.ex1")
    slip = right["merge"].replace("at += 2", "at += 1")
    assert slip != right["merge"]
    partly = {k: v for k, v in {**right, "merge": slip}.items() if k != "encoded"}
    handed_in = {
        "right": written(student, right, tmp_path / "ada" / student.name),
        "partly": written(student, partly, tmp_path / "bob" / "bob's own.ipynb"),
        "untouched": student,
    }
    for kind, notebook in handed_in.items():
        verdicts = passed(notebook)
        scores = others.otter(notebook, folder / "autograder.zip", tmp_path / kind)
        assert scores == {item: (POINTS * p, POINTS) for item, p in verdicts.items()}
        assert sum(verdicts.values()) == {"right": 5, "partly": 2, "untouched": 0}[kind]
