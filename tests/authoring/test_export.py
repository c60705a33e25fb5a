"""`grader export`: the notebooks for nbgrader and otter, and the cell that grades, without either of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
from command import grader
from conftest import DEADLINE, EXERCISES, ROOT, sampled, solution
from nbclient import NotebookClient
from notebook_graders import cells, written

from grader.authoring.handout import cells as cells_of
from grader.authoring.handout import nbgrader, otter
from grader.core.exercise import TRAINING, File, How, Task
from grader.judging.grade import grade
from grader.suite import fixtures
from grader.suite.find import item_names

PASSED, FAILED, USAGE = 0, 1, 2
# nbgrader's own schema of a cell, v3.json, in other words; the slow test has the real one
CELL = {
    "type": "object",
    "properties": {
        "schema_version": {"const": 3},
        **{flag: {"type": "boolean"} for flag in ("grade", "locked", "solution", "task")},
        "grade_id": {"type": "string", "pattern": r"^[a-zA-Z0-9_\-]+$"},
        "points": {"type": "number", "minimum": 0},
    },
    "required": ["schema_version", "grade", "locked", "solution", "grade_id"],
    "additionalProperties": False,
}


def source(exercise: str, points: float = 1, solved: bool = True) -> str:
    description = fixtures.describe(ROOT, exercise)
    made = cells_of.of(
        description, fixtures.derived(ROOT, description), solution(exercise) if solved else None
    )
    return nbgrader.notebook(exercise, made, dict.fromkeys(item_names(description), points))


@pytest.mark.parametrize("exercise", sampled(EXERCISES, 16))
def test_every_item_of_every_exercise_has_one_cell_that_grades_it(exercise: str) -> None:
    book = nbformat.reads(source(exercise), as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert all("nbgrader" not in cell.metadata for cell in book.cells if cell.cell_type == "markdown")
    about = [cell.metadata["nbgrader"] for cell in book.cells if cell.cell_type == "code"]
    for before, one in zip([None, *about], about, strict=False):
        jsonschema.validate(one, CELL)
        assert not one["grade"] or before["grade"] or before["solution"]  # else nbgrader can't put it back
        assert one["locked"] is not one["solution"]
        assert ("points" in one) is one["grade"]
    names = [one["grade_id"] for one in about]
    assert len(set(names)) == len(names)
    prefix = exercise.replace(".", "-")
    tested = [one["grade_id"] for one in about if one["grade"]]
    assert sorted(tested) == sorted(
        f"{prefix}-{i}-test" for i in item_names(fixtures.describe(ROOT, exercise))
    )


@pytest.mark.parametrize("exercise", sampled(EXERCISES, 16))
def test_the_instructors_notebook_is_right_and_the_students_is_not_written(
    exercise: str, runner: Any, exercises: dict[str, Task]
) -> None:
    """By the grader itself, which leaves out the cells that grade. ex4 trains: a second each."""
    task = exercises[exercise]
    description = task.exercise
    right = source(exercise).encode()
    report, run = grade(runner, task, File("x.ipynb", right), How(strict=True))
    assert {i.id: i.check.reason for i in report.items if not i.passed} == {}
    assert run.unparsed is None
    made = cells_of.of(description, fixtures.derived(ROOT, description))
    empty = otter.files(exercise, made, dict.fromkeys(item_names(description), 1), "")[
        f"{nbgrader.stem(exercise)}.ipynb"
    ]
    for untouched in (empty, source(exercise, solved=False)):
        report, _ = grade(runner, task, File("x.ipynb", untouched.encode()), How(strict=True))
        assert {i.verdict.value for i in report.items} == {"not-written"}


def test_ids_are_stable() -> None:
    """A gradebook is kept by them: a change loses grades."""
    names = re.findall(r'"grade_id": "([^"]*)"', source("ex3"))
    assert names == [
        *("ex3-set-up", "ex3-inputs", "ex3-forward", "ex3-upstream"),
        *("ex3-dhprebn", "ex3-dhprebn-test"),
    ]
    assert source("ex3") == source("ex3")


def test_what_is_taken_out_is_the_solution_and_no_more() -> None:
    for exercise in ("ex1", "micrograd.ex2", "tokenizer.ex2"):
        with_, without = (
            [c.source for c in nbformat.reads(source(exercise, solved=s), as_version=4).cells]
            for s in (True, False)
        )
        region = re.compile(r"(\s*)### BEGIN SOLUTION\n(.*?)\s*### END SOLUTION", re.DOTALL)
        assert [region.sub(r"\1STUB", c) for c in with_] == [region.sub(r"\1STUB", c) for c in without]
        assert any("### BEGIN SOLUTION" in c for c in with_) and with_ != without
        for c in without:
            for _, text in region.findall(c):
                assert re.fullmatch(
                    r" *(d\w+ = None  # replace None|raise NotImplementedError\(.*\))", text
                ), text


def test_an_item_is_worth_its_points() -> None:
    description = fixtures.describe(ROOT, "ex4")
    made = cells_of.of(description, fixtures.derived(ROOT, description))
    points = {name: k / 2 for k, name in enumerate(item_names(description))}
    book = json.loads(nbgrader.notebook("ex4", made, points))
    about = [c["metadata"]["nbgrader"] for c in book["cells"] if c["cell_type"] == "code"]
    assert {a["grade_id"]: a["points"] for a in about if a["grade"]} == {
        f"ex4-{name}-test": worth for name, worth in points.items()
    }
    files = otter.files("ex4", made, points, "https://x/y.whl#sha256=0")
    assert files["requirements.txt"] == "backprop-grader @ https://x/y.whl#sha256=0\n"
    assert f"points = {points[TRAINING]}\n" in files["tests/training.py"]
    assert json.loads(files["ex4.ipynb"])["metadata"]["otter"]["tests"]["dh"] == files["tests/dh.py"]


# the command


def test_a_set_is_one_assignment(tmp_path: Path) -> None:
    done = grader("export", "nbgrader", "backprop", "--out", "course", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (PASSED, "")
    assert done.stdout.splitlines()[-1] == "Next: `nbgrader generate_assignment backprop` in course"
    folder = tmp_path / "course" / "source" / "backprop"
    assert sorted(p.name for p in folder.iterdir()) == ["ex1.ipynb", "ex2.ipynb", "ex3.ipynb", "ex4.ipynb"]
    assert (folder / "ex2.ipynb").read_text() == source("ex2")


def test_the_same_export_again_is_no_harm_and_what_was_changed_is_kept(tmp_path: Path) -> None:
    words = ("export", "nbgrader", "ex2", "gpt.ex3", "--assignment", "two-weeks")
    assert grader(*words, cwd=tmp_path).returncode == PASSED
    assert grader(*words, cwd=tmp_path).returncode == PASSED
    theirs = tmp_path / "source" / "two-weeks" / "gpt-ex3.ipynb"
    theirs.write_text(theirs.read_text().replace("lecture", "course"))
    before = theirs.read_text()
    done = grader(
        "export", "nbgrader", "ex2", "gpt.ex3", "gpt.ex2", "--assignment", "two-weeks", cwd=tmp_path
    )
    assert done.returncode == USAGE and "gpt-ex3.ipynb exists already and is kept" in done.stderr
    assert theirs.read_text() == before and not theirs.with_name("gpt-ex2.ipynb").exists()


def test_points_by_a_policy(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text('[points]\ndefault = 0\nex3 = 1\n"ex4.dh" = 2.5\n')
    done = grader("export", "nbgrader", "ex3", "ex4", "--policy", "policy.toml", cwd=tmp_path)
    assert done.returncode == PASSED, done.stderr
    worth: dict[str, float] = {}
    for name in ("ex3", "ex4"):
        book = json.loads((tmp_path / f"source/backprop/{name}.ipynb").read_text())
        about = [c["metadata"]["nbgrader"] for c in book["cells"] if c["cell_type"] == "code"]
        worth |= {a["grade_id"]: a["points"] for a in about if a["grade"] and a["points"]}
    assert worth == {"ex3-dhprebn-test": 1, "ex4-dh-test": 2.5}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["nbgrader", "ex2", "micrograd.ex1"],
            "backprop and micrograd are several sets: name the assignment",
        ),
        (["nbgrader", "ex1.dprobs"], "not the item ex1.dprobs: `grader export nbgrader ex1`"),
        (["otter", "ex9"], "there is no exercise ex9"),
        (["nbgrader", "ex2", "--points", "-1"], "--points -1.0: what an item is worth is a number from 0 up"),
        (["nbgrader", "ex2", "--points", "nan"], "--points nan"),
        (
            ["nbgrader", "ex2", "--points", "2", "--policy", "p.toml"],
            "--points and --policy exclude each other",
        ),
        (["otter", "ex2", "--policy", "p.toml"], "p.toml does not exist"),
        (["nbgrader", "ex2", "--assignment", "week 1"], "--assignment 'week 1': a name is of letters"),
        (["nbgrader", "ex2", "--assignment", "../up"], "--assignment '../up'"),
        (["nbgrader", "ex2", "--assignment", ""], "--assignment ''"),
        (["otter", "ex2", "--assignment", "w1"], "--assignment is nbgrader's"),
        (["otter", "ex2", "--out", "file"], "file/ex2/ex2.ipynb can't be written: Not a directory"),
    ],
)
def test_bad_input_is_one_line(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = grader("export", *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.startswith("grader: ") and done.stderr.count("\n") == 1 and said in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


# the cell


def required(item: str, notebook: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = f"from grader.testcell import require_passed\nrequire_passed({item!r}, {notebook!r})"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=cwd, env=environ, text=True, capture_output=True, timeout=DEADLINE)


@pytest.fixture
def bigrams(tmp_path: Path) -> Path:
    """A student's notebook, with the right answers in it."""
    path = tmp_path / "bigrams-ex3.ipynb"
    path.write_text(source("bigrams.ex3"))
    return path


def test_the_cell_is_silent_on_stderr_where_the_item_passes(bigrams: Path) -> None:
    """nbgrader takes any word on stderr for a failure."""
    done = required("bigrams.ex3.dcounts", bigrams.name, bigrams.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"bigrams\.ex3\.dcounts: (exact|approximate)\n", done.stdout)


def test_the_cell_tells_why_an_item_does_not_pass(bigrams: Path) -> None:
    written(bigrams, {"dpicked": "dpicked = 1 / (n * picked)"}, bigrams)
    done = required("bigrams.ex3.dpicked", bigrams.name, bigrams.parent)
    assert done.returncode == 1 and done.stdout == ""
    assert re.search(
        r"^grader\.testcell\.NotPassed: bigrams\.ex3\.dpicked: wrong: the sign is wrong.*cell \d+, line 1",
        done.stderr,
        re.M,
    )


def test_what_is_right_at_the_lectures_sizes_alone_does_not_pass(bigrams: Path) -> None:
    """As in `grader check`, and unlike a comparison of the values that the kernel has."""
    written(bigrams, {"dpicked": "dpicked = -1 / (5 * picked)"}, bigrams)
    done = required("bigrams.ex3.dpicked", bigrams.name, bigrams.parent)
    assert done.returncode == 1 and "5" in done.stderr and "NotPassed" in done.stderr


@pytest.mark.slow
def test_a_notebook_without_our_marks_is_graded_as_strictly(bigrams: Path) -> None:
    written(bigrams, {"dpicked": "dpicked = -1 / (5 * picked)"}, bigrams)
    book = json.loads(bigrams.read_text())
    del book["metadata"]["grader"]
    bigrams.write_text(json.dumps(book))
    assert "NotPassed" in required("bigrams.ex3.dpicked", bigrams.name, bigrams.parent).stderr


def test_a_notebook_under_another_name_is_found_where_it_is_the_only_one(bigrams: Path) -> None:
    bigrams.rename(bigrams.with_name("my work.ipynb"))
    assert required("bigrams.ex3.dW", bigrams.name, bigrams.parent).returncode == 0
    (bigrams.parent / "another.ipynb").write_text("{}")
    done = required("bigrams.ex3.dW", bigrams.name, bigrams.parent)
    assert "bigrams-ex3.ipynb is not in this folder" in done.stderr


@pytest.mark.parametrize(
    ("item", "content", "said"),
    [
        ("bigrams.ex3.dx", None, "UsageError: the grader that is installed here has no item bigrams.ex3.dx"),
        ("bigrams.ex33.dx", None, "UsageError: there is no exercise bigrams.ex33"),
        ("bigrams.ex3.dW", "no notebook", "UsageError: bigrams-ex3.ipynb is not a notebook"),
    ],
)
def test_what_is_nobodys_answer_is_another_error(
    item: str, content: str | None, said: str, bigrams: Path
) -> None:
    if content is not None:
        bigrams.write_text(content)
    done = required(item, bigrams.name, bigrams.parent)
    assert done.returncode == 1 and said in done.stderr and "NotPassed" not in done.stderr


@pytest.mark.slow
def test_in_jupyter_the_cell_says_what_is_to_be_saved(bigrams: Path) -> None:
    """A learner has written dpicked, run it, and not saved it; then he saves."""
    ran = json.loads(written(bigrams, {"dpicked": "dpicked = -1 / (n * picked)"}, bigrams).read_text())
    written(bigrams, {"dpicked": "dpicked = None"}, bigrams)
    known = {"set-up", "inputs", "forward", "dpicked", "dpicked-test"}
    ran["cells"] = [c for c in ran["cells"] if c["id"] in known]
    book = nbformat.reads(json.dumps(ran), as_version=4)
    client = NotebookClient(book, allow_errors=True, resources={"metadata": {"path": str(bigrams.parent)}})
    client.execute()
    (error,) = [o for c in book.cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert error.ename == "NotPassed"
    assert error.traceback == [f"Not passed: {error.evalue}"]
    assert error.evalue == (
        "bigrams.ex3.dpicked: not written. "
        "What ran last is not in bigrams-ex3.ipynb as it is saved: save it, and run this cell again"
    )
    written(bigrams, {"dpicked": "dpicked = -1 / (n * picked)"}, bigrams)
    client.execute()
    assert book.cells[-1].outputs[0]["text"].startswith("bigrams.ex3.dpicked: ")


def test_a_cell_that_grades_does_not_grade_itself(tmp_path: Path) -> None:
    """In an exercise of functions the whole notebook runs in the child, also one whose marks are lost."""
    path = tmp_path / "bigrams-ex1.ipynb"
    path.write_text(source("bigrams.ex1"))
    book = json.loads(path.read_text())
    for cell in book["cells"]:
        cell["metadata"] = {}
    path.write_text(json.dumps(book))
    assert any("require_passed(" in c["source"] for c in cells(path))
    done = grader("check", path, "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["score"] == 4


def test_a_batch_knows_the_students_of_nbgraders_folder(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        for name in ("ex2", "gpt.ex3"):
            path = tmp_path / "submitted" / student / "backprop" / f"{nbgrader.stem(name)}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source(name, solved=student == "ada"))
    done = grader("batch", "submitted", "--out", "graded", cwd=tmp_path)
    assert done.returncode == FAILED, done.stderr
    found = [json.loads(line) for line in (tmp_path / "graded" / "results.jsonl").read_text().splitlines()]
    scores = {(r["student"], e["id"]): r["score"] for r in found for e in r["exercises"]}
    assert scores == {("ada", "ex2"): 1, ("ada", "gpt.ex3"): 7, ("bob", "ex2"): 0, ("bob", "gpt.ex3"): 0}
