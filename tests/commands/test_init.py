"""`grader init`: exercises for a folder, and nothing of the learner's is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import grader
from conftest import EXERCISES, ROOT, examples
from hypothesis import given, settings
from hypothesis import strategies as st

PASSED, USAGE = 0, 2
CORE = [f"ex{n}.{end}" for n in (1, 2, 3, 4) for end in ("ipynb", "py")]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


ALL = tree(ROOT / "exercises")


def test_all_exercises_come_into_the_folder_that_one_is_in(tmp_path: Path) -> None:
    ran = grader("init", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (PASSED, "")
    assert tree(tmp_path) == {f"exercises/{name}": data for name, data in ALL.items()}
    first, second, last = ran.stdout.splitlines()
    assert first.startswith(f"exercises/: {len(EXERCISES)} exercises (backprop, micrograd, ")
    assert second == f"{len(ALL)} files written"
    assert last == "Next: `grader next ex1` shows the first item, `grader check ex1` grades"
    assert grader("next", "ex1", cwd=tmp_path).returncode == PASSED


WORDS = {
    "a set": (["backprop"], "exercises", CORE),
    "a folder": (["course", "backprop"], "course/exercises", CORE),
    "a folder called as a set": (["./gpt", "backprop"], "gpt/exercises", CORE),
    "a nested folder": (["a/b c", "ex1"], "a/b c/exercises", ["ex1.ipynb", "ex1.py"]),
    "an exercise": (["ex2"], "exercises", ["ex2.ipynb", "ex2.py"]),
    "one of a set, twice": (["micrograd.ex1", "micrograd.ex1"], "exercises", ["micrograd/ex1.py"]),
}


@pytest.mark.parametrize(("words", "folder", "names"), WORDS.values(), ids=WORDS)
def test_words_name_a_folder_sets_and_exercises(
    words: list[str], folder: str, names: list[str], tmp_path: Path
) -> None:
    ran = grader("init", *words, cwd=tmp_path)
    assert ran.returncode == PASSED, ran.stderr
    assert tree(tmp_path) == {f"{folder}/{name}": ALL[name] for name in names}
    next_line = ran.stdout.splitlines()[-1]
    assert ("`cd " in next_line) is (folder != "exercises")


def test_the_next_command_that_is_said_works_as_it_is_said(tmp_path: Path) -> None:
    said = grader("init", "my course", "ex2", cwd=tmp_path).stdout.splitlines()[-1].split("`")
    script = f"{said[1]} && '{sys.executable}' -m {said[3]}"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ran.returncode == PASSED and ran.stdout.startswith("Next: ex2.dlogits\n"), ran.stderr


def test_what_differs_is_kept_and_named(tmp_path: Path) -> None:
    grader("init", "backprop", cwd=tmp_path)
    mine = tmp_path / "exercises/ex1.py"
    mine.write_bytes(b"# mine \xff\r\n")
    (tmp_path / "exercises/ex3.ipynb").unlink()
    ran = grader("init", "backprop", cwd=tmp_path)
    assert ran.returncode == PASSED
    assert mine.read_bytes() == b"# mine \xff\r\n"
    assert (tmp_path / "exercises/ex3.ipynb").read_bytes() == ALL["ex3.ipynb"]
    assert ran.stdout.splitlines()[1:4] == [
        "1 file written, 6 were there already",
        "kept as you have it: exercises/ex1.py",
        "`grader init backprop --force` puts stubs in their place, and keeps yours as backups",
    ]
    folder = grader("init", tmp_path.name, "backprop", cwd=tmp_path.parent).stdout
    assert f"`grader init {tmp_path.name} backprop --force` puts" in folder


def test_in_a_folder_without_exercises_paths_are_told_whole(tmp_path: Path) -> None:
    assert f"write it in {ROOT}/exercises/" in grader("next", "tokenizer", cwd=tmp_path).stdout.replace(
        "\n", " "
    )
    ran = grader("check", "exercises/ex1.py", cwd=tmp_path)
    assert ran.stderr == "grader: exercises/ex1.py does not exist: `grader init` makes it here\n"


def test_force_keeps_a_backup_each_time(tmp_path: Path) -> None:
    grader("init", "ex2", cwd=tmp_path)
    mine = tmp_path / "exercises/ex2.py"
    for text in (b"one", b"two"):
        mine.write_bytes(text)
        ran = grader("init", "ex2", "--force", cwd=tmp_path)
        assert ran.returncode == PASSED and "kept what was there as exercises/ex2.py." in ran.stdout
    found = tree(tmp_path / "exercises")
    assert found["ex2.py"] == ALL["ex2.py"]
    assert {found["ex2.py.bak"], found["ex2.py.2.bak"]} == {b"one", b"two"}


@settings(max_examples=examples(8))
@given(
    st.lists(
        st.tuples(st.sampled_from(["ex2.py", "ex2.ipynb"]), st.binary(min_size=1, max_size=8)), max_size=4
    )
)
def test_no_byte_of_a_learner_s_is_ever_lost(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[str, bytes]]
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    written = []
    for name, data in edits:
        (folder / "exercises").mkdir(exist_ok=True)
        (folder / "exercises" / name).write_bytes(data)
        written.append(data)
        assert grader("init", "ex2", "--force", cwd=folder).returncode == PASSED
    assert set(written) <= set(tree(folder).values())


WRONG = {
    "a slip in a set's name": (["wavenets"], "there is no set wavenets (did you mean wavenet?)", None),
    "an item": (["ex1.dprobs"], "init copies a whole exercise: `grader init ex1`", None),
    "an unknown set after a folder": (["course", "nosuch"], "there is no exercise nosuch", None),
    "a file in the folder's place": (["taken"], "can't be", "taken"),
    "a file in the place of exercises": ([], "can't be", "exercises"),
}


@pytest.mark.parametrize(("words", "said", "file"), WRONG.values(), ids=WRONG)
def test_what_can_not_be_is_told_in_one_line(
    words: list[str], said: str, file: str | None, tmp_path: Path
) -> None:
    if file:
        (tmp_path / file).write_text("taken")
    before = tree(tmp_path)
    ran = grader("init", *words, cwd=tmp_path)
    assert ran.returncode == USAGE, ran.stdout
    assert ran.stderr.startswith("grader: ") and ran.stderr.count("\n") == 1 and said in ran.stderr
    assert tree(tmp_path) == before


def test_inside_exercises_the_learner_s_own_are_meant(tmp_path: Path) -> None:
    grader("init", "gpt", "ex2", cwd=tmp_path)
    inside = tmp_path / "exercises/gpt"
    assert "ex11.py:" in grader("next", "gpt", cwd=inside).stdout
    again = grader("init", "gpt", cwd=inside)
    assert again.returncode == PASSED and "were there already" in again.stdout
    assert tree(tmp_path).keys() == {f"exercises/{n}" for n in ALL if n.startswith(("gpt/", "ex2"))} | {
        n for n in tree(tmp_path) if n.startswith(".grader/")
    }


def test_without_a_name_what_exercises_has_is_meant(tmp_path: Path) -> None:
    grader("init", "ex2", cwd=tmp_path)
    for n in (1, 3, 4):
        shutil.copy(ROOT / f"exercises/ex{n}.py", tmp_path / "exercises")
    for name in CORE:
        if name.endswith(".py"):
            shutil.copy(ROOT / "solutions" / name, tmp_path / "exercises")
    ran = grader("check", "--no-server", cwd=tmp_path)
    assert ran.returncode == PASSED and "score: 42 of 42. All passed." in ran.stdout, ran.stderr
    assert grader("next", cwd=tmp_path).stdout == "Everything has passed.\n"
