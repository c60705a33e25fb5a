"""`grader train SET`: what is built is trained; losses at a seed, samples, pictures, what is waited for."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command import Ran, grader
from conftest import DEADLINE, ROOT

from grader.commands.train import RUNS
from grader.learner.runs.gpt import LENGTH, play
from grader.reports.pictures import kinds

NAMES = ROOT / "grader/data/names.txt"

# By set: steps of a short run, how much loss it ends with at one seed on a few names, and its pictures.
SHORT = {
    "micrograd": (4, 0.7415, ["losses", "moons", "neuron"]),
    "bigrams": (30, 2.3651, ["losses", "counts"]),
    "mlp": (300, 2.6556, ["losses", "rates", "embedding"]),
    "batchnorm": (120, 2.8748, ["losses", "activations", "gradients", "dead", "updates"]),
    "wavenet": (120, 2.5551, ["losses", "tree"]),
    "gpt": (25, 2.971, ["losses", "attention", "wpe"]),
}
# The losses of whole runs on the embedded names: the mean at their end, by the learner's gradients.
WHOLE = {"micrograd": 0.02, "bigrams": 2.49, "mlp": 2.30, "batchnorm": 2.27, "wavenet": 2.13, "gpt": 0.46}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text("\n".join(NAMES.read_text().split()[:1500]) + "\n")
    return path


def train(name: str, folder: Path, *words: str) -> Ran:
    return grader("train", name, "--out", folder / "out.html", *words, cwd=ROOT)


def losses(done: Ran) -> dict[str, float]:
    found = re.findall(r"^(by \w+): +loss (\d\.\d{4}), the mean", done.stdout, re.MULTILINE)
    return {name: float(loss) for name, loss in found}


def drawn(folder: Path) -> list[str]:
    return re.findall(r'data-picture="(\w+)"', (folder / "out.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHORT)
def test_a_short_run_ends_with_its_loss_and_has_its_pictures(name: str, tmp_path: Path, few: Path) -> None:
    steps, loss, pictures = SHORT[name]
    done = train(name, tmp_path, "--solutions", "--steps", str(steps), "--names", str(few))
    assert done.returncode == 0, done.stderr
    found = losses(done)
    assert list(found.values())[0] == pytest.approx(loss, abs=0.02), done.stdout
    assert found["by hand"] == pytest.approx(found["by autograd"], abs=2e-3)
    assert "a step by hand takes" in done.stdout
    assert drawn(tmp_path) == pictures
    assert f"pictures: {tmp_path / 'out.html'}\n" in done.stdout
    assert name == "micrograd" or re.search(r"samples?:", done.stdout)


def test_each_set_has_its_run_and_each_picture_of_a_training_comes_of_one() -> None:
    assert list(RUNS) == list(SHORT) == list(WHOLE)
    said = {n: k.shown.split()[-1] for n, k in kinds.KINDS.items() if k.shown.startswith("grader train")}
    assert said and all(picture in SHORT[name][2] for picture, name in said.items())


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_run_learns_what_it_did(name: str, tmp_path: Path) -> None:
    done = train(name, tmp_path, "--solutions")
    assert done.returncode == 0, done.stderr
    assert list(losses(done).values())[0] == pytest.approx(WHOLE[name], abs=0.05), done.stdout
    if name == "micrograd":
        assert int(re.findall(r"(\d+)% of all 100 points", done.stdout)[0]) >= 97


def test_the_text_that_gpt_learns_is_the_same_on_every_python() -> None:
    text = play(LENGTH)
    assert hashlib.sha256(text.encode()).hexdigest().startswith("eef4aa0f87e4e3aa")
    assert text.isascii() and len(set(text)) == 46 and "{" not in text


def test_two_runs_of_one_seed_are_alike_and_another_seed_differs(tmp_path: Path, few: Path) -> None:
    words = ("--solutions", "--steps", "20", "--names", str(few))
    one, other = train("wavenet", tmp_path, *words), train("wavenet", tmp_path, *words, "--no-autograd")
    assert losses(one)["by hand"] == losses(other)["by hand"] and "by autograd" not in losses(other)
    assert losses(train("wavenet", tmp_path, *words, "--seed", "7"))["by hand"] != losses(one)["by hand"]


# --- a learner's own ----------------------------------------------------------------------------------


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder in which mlp is done, in the author's words."""
    folder = tmp_path / "exercises" / "mlp"
    folder.mkdir(parents=True)
    for path in (ROOT / "solutions/mlp").glob("ex*.py"):
        (folder / path.name).write_text(path.read_text())
    return tmp_path


def changed(work: Path, file: str, old: str, new: str) -> int:
    """One place of a file is another now; its line."""
    path = work / "exercises/mlp" / file
    before, found, after = path.read_text().partition(old)
    assert found and old not in after
    path.write_text(before + new + after)
    return before.count("\n") + 1


def trained(work: Path, few: Path, *words: str) -> Ran:
    return grader("train", "mlp", "--steps", "60", "--names", few, *words, cwd=work)


def told(done: Ran) -> str:
    """What a run that ended in a slip of the user's said: one line."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("grader: ") and done.stderr.count("\n") == 1
    assert done.stderr[:-1].isprintable()
    return done.stderr


def test_ones_own_functions_are_trained(work: Path, few: Path) -> None:
    done = trained(work, few)
    assert done.returncode == 0, done.stderr
    assert "pictures: train-mlp.html\n" in done.stdout and (work / "train-mlp.html").exists()


def test_what_is_not_written_is_waited_for_with_its_place(work: Path, few: Path) -> None:
    line = changed(work, "ex3.py", "    return dlogits @ W2.T", '    raise NotImplementedError("dh")')
    said = f"train mlp waits for mlp.ex3.dh (exercises/mlp/ex3.py, line {line}: dh is not written yet)"
    assert said in told(trained(work, few))
    changed(work, "ex3.py", "def dh(", "def dhidden(")
    assert "waits for mlp.ex3.dh (exercises/mlp/ex3.py: there is no dh)" in told(trained(work, few))
    (work / "exercises/mlp/ex6.py").unlink()
    assert "exercises/mlp/ex6.py is missing: `grader reset mlp.ex6` makes it" in told(trained(work, few))


def test_a_method_that_is_not_written_is_waited_for(tmp_path: Path) -> None:
    assert grader("init", ".", "batchnorm", "micrograd", cwd=tmp_path).returncode == 0
    message = told(grader("train", "batchnorm", cwd=tmp_path))
    assert re.search(r"batchnorm\.ex6\.linear \(exercises/batchnorm/ex6\.py, line \d+: Linear", message)
    message = told(grader("train", "micrograd", cwd=tmp_path))
    assert re.search(r"micrograd\.ex2\.add \(exercises/micrograd/ex2\.py, line \d+: Value\.__add__", message)


def test_a_run_by_hand_that_waits_for_a_gradient_says_which(tmp_path: Path, few: Path) -> None:
    folder = tmp_path / "exercises" / "batchnorm"
    folder.mkdir(parents=True)
    for path in (ROOT / "solutions/batchnorm").glob("ex*.py"):
        (folder / path.name).write_text(path.read_text())
    done = grader("train", "batchnorm", "--steps", "2", "--names", few, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no run by hand: it waits for exercises/mlp/ex2.py is missing" in done.stdout
    assert list(losses(done)) == ["by autograd"]


def test_a_wrong_gradient_shows_beside_autograds(work: Path, few: Path) -> None:
    changed(work, "ex3.py", "    return dlogits.sum(0)", "    return -dlogits.sum(0)")
    found = losses(trained(work, few))
    assert found["by hand"] > found["by autograd"] + 0.01


RAISES = {
    "an error": (
        "ex3.py",
        "    return dlogits @ W2.T",
        "    return 1 / 0",
        r"ex3\.py, line \d+: ZeroDivision",
    ),
    "another shape": ("ex3.py", "    return h.T @ dlogits", "    return dlogits.T @ h", "size|shape"),
    "no finite loss": ("ex3.py", "    return h.T @ dlogits", "    return h.T @ dlogits * 1e38", "finite|nan"),
    "no Python": (
        "ex1.py",
        "def dataset(words, chars, block_size):",
        "def dataset(words:",
        r"ex1\.py, line \d",
    ),
    "an escape": (
        "ex3.py",
        "    return dlogits @ W2.T",
        r"    raise ValueError('a\x1b[31m\nb')",
        r"Error: a\\x1b",
    ),
}


@pytest.mark.parametrize("file, old, new, said", RAISES.values(), ids=RAISES)
def test_what_cannot_train_is_told_in_one_line(
    work: Path, few: Path, file: str, old: str, new: str, said: str
) -> None:
    changed(work, file, old, new)
    assert re.search(said, told(trained(work, few)))


SLIPS = {
    "a submission": (["mlp", "--submission", "a.py"], "--submission is for ex4"),
    "a text for names": (["mlp", "--text", "a.txt"], "--text is for `grader train gpt`"),
    "no such text": (["gpt", "--solutions", "--text", "/nowhere"], "--text /nowhere can't be read"),
    "a short text": (["gpt", "--solutions", "--text", "SHORT"], "are too few"),
    "no steps": (["mlp", "--solutions", "--steps", "0"], "at least one step"),
    "few names": (["mlp", "--solutions", "--names", "SHORT"], "too few to train"),
    "a set without a run": (["tokenizer"], "train takes one of: ex4, micrograd"),
}


@pytest.mark.parametrize("words, said", SLIPS.values(), ids=SLIPS)
def test_a_slip_in_the_options_is_told_in_one_line(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("emma\nava\n")
    named = [str(tmp_path / "short") if w == "SHORT" else w for w in words]
    assert said in told(grader("train", *named, "--out", tmp_path / "a.html", cwd=ROOT))


@pytest.mark.slow
def test_gpt_learns_a_text_of_ones_own(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("abcabcabc\n" * 200)
    done = train("gpt", tmp_path, "--solutions", "--steps", "80", "--text", str(text))
    assert "2000 characters, 4 different ones" in done.stdout
    assert losses(done)["by autograd"] < 0.8


def test_ctrl_c_keeps_what_there_is(tmp_path: Path, few: Path) -> None:
    words = ["train", "wavenet", "--solutions", "--names", str(few), "--steps", "200000"]
    terminal, error = pty.openpty()  # on a terminal the bar shows when training is under way
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "grader.cli", *words, "--out", str(tmp_path / "out.html")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=error,
        text=True,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    try:
        os.close(error)
        shown = b""
        while not re.search(rb"[1-9]\d*/200000[^/]*loss \d.*\d:\d\d", shown):  # with the time that is left
            shown += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert process.returncode == 0
    assert re.search(r"^stopped after \d+ of 200000 steps$", stdout, re.MULTILINE)
    assert drawn(tmp_path) == ["losses", "tree"] and "samples: " in stdout


@pytest.mark.slow
def test_the_page_on_pictures_prints_what_it_shows(tmp_path: Path) -> None:
    text = (ROOT / "docs/pictures.md").read_text()
    shown = re.search(r"\$ grader train (bigrams .*)\n((?:.+\n)+?)```", text)
    assert shown
    for exercise in ("ex1", "ex2", "ex4", "ex5"):
        assert (ROOT / f"solutions/bigrams/{exercise}.py").exists()
    done = grader("train", *shown[1].split(), "--out", tmp_path / "train-bigrams.html", cwd=ROOT)
    printed = done.stdout.replace(f"{tmp_path}/", "").splitlines()
    assert [line for line in shown[2].splitlines() if line not in printed] == []
    assert grader("init", ".", "mlp", cwd=tmp_path).returncode == 0
    (waits,) = re.findall(r"^grader: train mlp waits.*$", text, re.MULTILINE)
    assert told(grader("train", "mlp", cwd=tmp_path)).startswith(waits)
