"""What is derived from solutions/ is what is committed, and `grader build` says where it is not."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import grader
from conftest import EXERCISES, ROOT, sampled

from grader.authoring import kept, rebuild
from grader.authoring.build import Files, derive

CHANGED = ("ex1", "ex2", "ex3")  # what the tests of drift change

Ran = tuple[int, str, str]  # exit code, what was printed, and on stderr


DERIVED: dict[tuple[object, ...], Files] = {}


def derived(source: str, exercise: str, wrong: str, tell: object, old: kept.Saved) -> Files:
    """What an authored text gives beside these saved files: derived once, whoever asks."""
    raw = {(name, part): data for name, one in old.fixtures.items() for part, data in one.raw.items()}
    key = (source, exercise, wrong, old.stamp is None, *sorted(raw.items()), repr(old.texts))
    if key not in DERIVED:
        DERIVED[key] = derive(source, exercise, wrong, lambda line: None, old)
    return DERIVED[key]


@pytest.fixture(scope="module", autouse=True)
def once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rebuild, "derive", derived)
        yield


def build(root: Path, mode: str, *names: str) -> Ran:
    """`grader build` of these exercises at `root`, without the process that it starts. mode: check, write."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = rebuild.main([str(root), mode, *names])
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The solutions of CHANGED, and what is derived of them."""
    root = tmp_path_factory.mktemp("pristine")
    for name in CHANGED:
        for path in (f"solutions/{name}.py", f"solutions/mistakes/{name}.py"):
            if (ROOT / path).is_file():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, root / path)
    assert build(root, "write", *CHANGED)[0] == 0
    return root


@pytest.fixture
def project(pristine: Path, tmp_path: Path) -> Path:
    return shutil.copytree(pristine, tmp_path / "project")


@pytest.mark.parametrize("exercise", sampled(EXERCISES, 27))
def test_stubs_and_fixtures_are_what_the_solutions_give(exercise: str) -> None:
    assert build(ROOT, "check", exercise) == (0, "", "")


def test_the_command_checks_every_exercise_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def main(words: list[str]) -> int:
        asked.append(words)
        return 0

    monkeypatch.setattr(rebuild, "main", main)
    done = grader("build", "--check", cwd=ROOT)
    assert asked == [[str(ROOT), "check", *sorted(EXERCISES)]]
    said = "exercises: stubs, notebooks and fixtures are what solutions/ gives"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{len(EXERCISES)} {said}\n", "")


def test_building_what_is_up_to_date_writes_nothing(project: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in project.rglob("*") if p.is_file()}
    assert build(project, "write", "ex2") == (0, "", "")
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
    code, out, err = build(project, "check", exercise)
    assert (code, out) == (1, "")
    lines = err.splitlines()
    for start in said:
        assert f"grader: {start}: `grader build {exercise}` rebuilds it" in lines
    assert {p: p.read_bytes() for p in project.rglob("*") if p.is_file()} == before


def test_the_body_of_a_solution_changes_what_is_known_of_mistakes_in_it(project: Path) -> None:
    replace("solutions/ex2.py", "dlogits /= n", "dlogits *= 1 / n")(project)
    code, _, err = build(project, "check", "ex2")
    assert code == 1 and "fixtures/ex2/diagnosis.json.gz is out of date" in err


def test_a_docstring_that_no_longer_quotes_its_forward_line_is_told_in_one_line(project: Path) -> None:
    source = (project / "solutions/ex2.py").read_text()
    old = "    loss = F.cross_entropy(logits, Yb)\n    return"
    assert old in source
    new = "    loss = F.nll_loss(F.log_softmax(logits, 1), Yb)\n    return"
    (project / "solutions/ex2.py").write_text(source.replace(old, new))
    code, _, err = build(project, "check", "ex2")
    assert code == 2
    assert err.startswith("grader: solutions/ex2.py, line ") and err.count("\n") == 1


def test_building_repairs_every_drift_but_an_edited_exercise(project: Path) -> None:
    stub, mine = project / STUB2, b"# my own work\n"
    stub.write_bytes(mine)
    (project / GIVEN).unlink()
    (project / JSON2).write_text("{}")
    (project / EXTRA).touch()
    code, out, err = build(project, "write", "ex2")
    assert (code, err) == (0, "")
    assert f"kept {STUB2}, which has been edited; `grader reset ex2` gives the stub\n" in out
    assert f"wrote {GIVEN}\n" in out and f"wrote {JSON2}\n" in out
    assert stub.read_bytes() == mine and not (project / EXTRA).exists()
    stub.unlink()
    assert f"wrote {STUB2}" in build(project, "write", "ex2")[1]
    assert build(project, "check", "ex2")[0] == 0


def test_a_changed_solution_renews_an_untouched_stub_and_keeps_an_edited_one(project: Path) -> None:
    replace("solutions/ex2.py", "Look at the mathematics", "Take the mathematics")(project)
    stub, edited = project / STUB2, project / "exercises/ex3.py"
    edited.write_text(edited.read_text() + "\n# my own work\n")
    mine = edited.read_bytes()
    replace("solutions/ex3.py", "Mind Bessel's correction", "Heed Bessel's correction")(project)
    code, out, _ = build(project, "write", "ex2", "ex3")
    assert code == 0 and "Take the mathematics" in stub.read_text()
    assert edited.read_bytes() == mine and "kept exercises/ex3.py" in out
    # and again: what was kept is still known for edited
    assert "kept exercises/ex3.py" in build(project, "write", "ex3")[1] and edited.read_bytes() == mine
