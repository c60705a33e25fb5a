"""The notebooks that `grader build` derives: in a real Jupyter kernel, and by `grader check`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from command import grader
from conftest import DEADLINE, EXERCISES, ROOT, parts_of, sampled
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

from grader.authoring import authored, notebook
from grader.authoring.authored import AuthoredError
from grader.core.exercise import File, Task
from grader.core.verdict import Verdict
from grader.judging.grade import grade
from grader.learner.notebook import _place
from grader.runner.host.client import Runner
from grader.submissions.script import declared
from grader.suite import fixtures

OURS = [e for e in EXERCISES if ROOT.joinpath("exercises", *e.split(".")).with_suffix(".ipynb").is_file()]


def derived(exercise: str) -> str:
    return fixtures.derived(ROOT, fixtures.describe(ROOT, exercise))["notebook"]


def solved(exercise: str, folder: Path) -> Path:
    path = folder / "my work.ipynb"
    done = grader("solution", exercise, "--yes", "--notebook", str(path), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return path


def executed(text: str, folder: Path, kernel: KernelManager | None = None) -> list[tuple[str, str, str]]:
    """Run a notebook top to bottom in a kernel: each code cell's id, what it printed, and on stderr.

    kernel: one that runs already, emptied first; else a new one.
    """
    book = nbformat.reads(text, as_version=4)
    if kernel:
        book.cells.insert(0, nbformat.v4.new_code_cell(f"%reset -f\n%cd -q {folder}", id="emptied"))
    NotebookClient(book, km=kernel, timeout=DEADLINE, resources={"metadata": {"path": str(folder)}}).execute()
    ran = []
    for cell in book.cells:
        if cell.cell_type == "code":
            out = "".join(o.get("text", "") for o in cell.outputs if o.get("name") == "stdout")
            out += "".join(o["data"].get("text/html", "") for o in cell.outputs if "data" in o)
            err = "".join(o.get("text", "") for o in cell.outputs if o.get("name") == "stderr")
            ran.append((cell.get("id", ""), out, err))
    return ran


@pytest.fixture(scope="module")
def kernel() -> Iterator[KernelManager]:
    """A kernel for many notebooks: its start and torch take longer than most of them."""
    manager = KernelManager()
    manager.start_kernel()
    yield manager
    manager.shutdown_kernel(now=True)


def report(path: Path) -> tuple[int, dict[str, Any]]:
    done = grader("check", str(path), "--json", cwd=path.parent)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def items(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {i["id"]: i for e in document["exercises"] for i in e["items"]}


def test_every_lecture_exercise_has_a_notebook() -> None:
    assert {"ex1", "ex2", "ex3", "ex4"} <= set(OURS)


@pytest.mark.parametrize("exercise", OURS)
def test_the_notebook_is_valid_and_has_stable_ids_and_no_outputs(exercise: str) -> None:
    book = nbformat.reads(derived(exercise), as_version=nbformat.NO_CONVERT)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor, book.metadata.kernelspec.name) == (4, 5, "python3")
    names = [i.name for i in fixtures.describe(ROOT, exercise).items]
    code = [c for c in book.cells if c.cell_type == "code"]
    assert [c.id for c in code if c.id in names] == names
    assert all(c.outputs == [] and c.execution_count is None for c in code)
    assert declared(derived(exercise).encode()) == exercise


@pytest.mark.parametrize(
    "exercise", sampled(["ex1", "ex2", "ex3", "gpt2.ex8", "ex4", "mlp.ex2", "gpt.ex4", "gpt.ex7"], 4)
)
def test_the_solution_as_a_notebook_is_right_in_a_kernel(
    exercise: str, tmp_path: Path, kernel: KernelManager
) -> None:
    ran = executed(solved(exercise, tmp_path).read_text(), tmp_path, kernel)
    assert [err for _, _, err in ran if err] == []
    lines = [out for name, out, _ in ran if name.startswith("d")]
    for line in lines:
        assert re.search(r"exact: True|approximate: True|right(:|</span>) what differs is rounding", line), (
            line
        )
        assert "wrong" not in line and "can't" not in line.split("note:")[0], line
    pictures = [out for name, out, _ in ran if name.startswith("picture-")]
    assert bool(pictures) == (exercise != "gpt.ex7") and all("<svg" in out for out in pictures)
    last = next(out for name, out, _ in ran if name == "check")
    gradients = len([name for name, _, _ in ran if name.startswith("d")])
    assert f"{gradients} of {gradients} right." in last


@pytest.mark.parametrize("exercise", OURS)
def test_the_solution_as_a_notebook_passes(
    exercise: str, tmp_path: Path, runner: Runner, exercises: dict[str, Task]
) -> None:
    data = solved(exercise, tmp_path).read_bytes()
    graded, _ = grade(runner, exercises[exercise], File("my work.ipynb", data))
    assert {i.id: i.check.reason for i in graded.items if not i.passed} == {}
    assert declared(data) == exercise


@pytest.mark.parametrize("exercise", sampled(["ex2", *OURS], 4))
def test_cmp_knows_of_which_exercise_each_tensor_is(exercise: str) -> None:
    """By its forward pass: many exercises have logits."""
    names: dict[str, Any] = {}
    for cell in json.loads(derived(exercise))["cells"]:
        if cell["id"] in ("set-up", "inputs", "forward", "upstream"):
            exec("".join(cell["source"]), names)
    for item in fixtures.describe(ROOT, exercise).gradients:
        placed = _place(names[item.tensor], names)
        assert placed and (placed[0].exercise.id, placed[1].name) == (exercise, item.name)


@pytest.mark.parametrize("form", ["notebook", "script"])
@pytest.mark.parametrize("exercise", ["ex1", "ex2", "ex3", "ex4", "gpt.ex4"])
def test_it_is_known_by_its_code_where_metadata_are_lost(
    exercise: str, form: str, tmp_path: Path, runner: Runner, exercises: dict[str, Task]
) -> None:
    book = json.loads(solved(exercise, tmp_path).read_bytes())
    del book["metadata"]["grader"]
    data = json.dumps(book).encode()
    if form == "script":
        data = "\n\n".join("".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code").encode()
    assert declared(data) == exercise
    name = "mine.ipynb" if form == "notebook" else "mine.py"
    graded, _ = grade(runner, exercises[exercise], File(name, data))
    assert {i.id: i.check.reason for i in graded.items if not i.passed} == {}


@pytest.mark.parametrize("exercise", ["ex4", "wavenet.ex4"])
def test_what_it_is_called_says_nothing(exercise: str, tmp_path: Path) -> None:
    code, document = report(solved(exercise, tmp_path))
    assert {i.rpartition(".")[0] for i in items(document)} == {exercise}
    assert code == 0


@pytest.mark.parametrize("exercise", sampled(OURS, 10))
def test_an_untouched_notebook_is_not_written_and_quiet(
    exercise: str, tmp_path: Path, runner: Runner, exercises: dict[str, Task], kernel: KernelManager
) -> None:
    graded, _ = grade(runner, exercises[exercise], File("x.ipynb", derived(exercise).encode()))
    found = {item.id: item for item in graded.items}
    assert {item.verdict for item in found.values()} == {Verdict.NOT_WRITTEN}
    assert {item.check.reason for i, item in found.items() if not i.endswith(".training")} == {""}
    cells = json.loads(derived(exercise))["cells"]
    for name, item in found.items():
        if not name.endswith(".training"):
            assert item.cell and cells[item.cell - 1]["id"] == name.rpartition(".")[2]
    ran = executed(derived(exercise), tmp_path, kernel)
    assert [err for _, _, err in ran if err] == []
    said = [out for name, out, _ in ran if name in {i.rpartition(".")[2] for i in found}]
    assert said and all(out.endswith("| not written yet\n") for out in said)


def test_our_notebook_asks_for_as_much_as_the_stub(tmp_path: Path) -> None:
    path = solved("ex2", tmp_path)
    path.write_text(path.read_text().replace("dlogits /= n", "dlogits /= 32"))
    code, document = report(path)
    (item,) = items(document).values()
    assert (code, item["verdict"]) == (1, "wrong")
    assert "hard" in item["diagnosis"] or "other sizes" in item["reason"]


@pytest.mark.slow
def test_running_the_forward_cell_again_does_not_double_the_gradients(
    tmp_path: Path, kernel: KernelManager
) -> None:
    book = nbformat.reads(solved("ex1", tmp_path).read_text(), as_version=4)
    forward = next(c for c in book.cells if c.id == "forward")
    book.cells.insert(book.cells.index(forward), nbformat.v4.new_code_cell(forward.source, id="once-more"))
    ran = executed(nbformat.writes(book), tmp_path, kernel)
    assert "times the gradient" not in "".join(out for _, out, _ in ran)


@pytest.mark.parametrize(
    ("body", "flat"),
    [
        ("return a * b", "dx = a * b"),
        ("dx = a\n    dx = dx + b\n    return dx", "dx = a\ndx = dx + b"),
        (
            "s = a + b  # s\n    return (\n        s\n        * 2\n    )",
            "s = a + b  # s\ndx = (\n    s\n    * 2\n)",
        ),
    ],
)
def test_a_body_becomes_flat_statements(body: str, flat: str) -> None:
    source = f'def dx(a, b):\n    """dx (1,): a task."""\n    {body}'
    item = authored.Item("dx", "x", ("a", "b"), "dx (1,): a task.", source, "", 1)
    assert notebook.statements(item) == flat


def test_a_body_with_two_returns_is_no_flat_code() -> None:
    source = 'def dx(a):\n    """A task."""\n    if a:\n        return a\n    return 2'
    with pytest.raises(AuthoredError, match="one return"):
        notebook.statements(authored.Item("dx", "x", ("a",), "A task.", source, "", 1))


def test_reset_puts_the_notebook_back_and_keeps_what_was_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "exercises", tmp_path / "exercises")
    mine = tmp_path / "exercises" / "ex2.ipynb"
    mine.write_text(derived("ex2").replace("# replace None", "# mine"))
    (tmp_path / "exercises" / "ex2.py").write_text(authored.stub(parts_of("ex2")))
    done = grader("reset", "ex2", "--yes", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (
        "exercises/ex2.py is the stub already\n"
        "kept what was there as exercises/ex2.ipynb.bak\nwrote exercises/ex2.ipynb\n"
    )
    assert mine.read_text() == derived("ex2")
    assert "# mine" in mine.with_name("ex2.ipynb.bak").read_text()


def test_check_says_that_the_notebook_is_what_was_worked_on(tmp_path: Path) -> None:
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "ex2.py").write_text(authored.stub(parts_of("ex2")))
    notebook = tmp_path / "exercises" / "ex2.ipynb"
    notebook.write_text(derived("ex2"))
    assert "ex2.ipynb" not in grader("check", "ex2", cwd=tmp_path).stdout
    notebook.write_text(solved("ex2", tmp_path).read_text())
    done = grader("check", "ex2", cwd=tmp_path)
    assert done.returncode == 1
    note = "note: exercises/ex2.ipynb has changed: `grader check exercises/ex2.ipynb` grades it"
    assert note in done.stdout
    assert grader("check", "exercises/ex2.ipynb", cwd=tmp_path).returncode == 0


def test_a_solution_as_a_notebook_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "there.ipynb"
    path.write_text("mine")
    done = grader("solution", "ex2", "--yes", "--notebook", str(path), cwd=ROOT)
    assert (done.returncode, path.read_text()) == (2, "mine")
    assert "is kept" in done.stderr
    done = grader("solution", "ex1.dprobs", "--yes", "--notebook", str(tmp_path / "new.ipynb"), cwd=ROOT)
    assert done.returncode == 2 and "one whole exercise" in done.stderr
