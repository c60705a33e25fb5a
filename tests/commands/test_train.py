"""`grader train`: the learner's gradients drive real training, and every slip is told in one line."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import flatcode
import pexpect
import pytest
import torch
from command import grader
from conftest import DEADLINE, ROOT, solution, stub_of

from grader.reference import training
from grader.reference.forward import Env, Forward
from grader.runner.untrusted.loading import load
from grader.suite import fixtures

SOLUTION = ROOT / "solutions" / "ex4.py"
COMMAND = [sys.executable, "-u", "-m", "grader.cli", "train"]
EX4 = fixtures.describe(ROOT, "ex4")
assert EX4.training
PLAN = EX4.training
NAMES = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "charlotte", "amelia", "evelyn", "abigail"]


def train(
    out: Path, *words: str, submission: Path = SOLUTION, exercise: str = "ex4"
) -> subprocess.CompletedProcess[str]:
    return grader("train", exercise, "--submission", submission, "--out", out, *words, cwd=ROOT)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short list of names, so that a run takes no time to prepare."""
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text("\n".join(NAMES * 3) + "\n")
    return path


def changed(folder: Path, old: str, new: str) -> Path:
    """The solution with one formula exchanged."""
    source = solution("ex4")
    assert source.count(old) == 1
    path = folder / "submission.py"
    path.write_text(source.replace(old, new))
    return path


def polylines(path: Path) -> list[str]:
    """The averaged lines in a picture; an error where it is no well-formed XML."""
    found = ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}polyline")
    return [p.attrib["points"] for p in found if "raw" not in p.attrib["class"]]


def told(done: subprocess.CompletedProcess[str]) -> str:
    """What a run that ended in a slip of the user's said: one line."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("grader: ") and done.stderr.count("\n") == 1
    assert done.stderr[:-1].isprintable()
    return done.stderr


@pytest.mark.slow
def test_a_run_prints_equal_losses_and_names_and_draws_both_curves(tmp_path: Path) -> None:
    out = tmp_path / "loss.svg"
    done = train(out, "--steps", "60")
    assert (done.returncode, done.stderr) == (0, "")
    number = r"(\d\.\d{4})"
    losses = re.findall(rf"^(by hand|by autograd): +train {number}  validation {number}", done.stdout, re.M)
    (first, *manual), (second, *autograd) = losses
    assert (first, second) == ("by hand", "by autograd") and manual == autograd
    assert all(2.0 < float(x) < 3.3 for x in manual)
    assert "32469 names; " in done.stdout and "\n12297 parameters\n" in done.stdout
    (samples,) = re.findall(r"^samples: (.+)$", done.stdout, re.M)
    assert len(samples.split()) == 20 and re.fullmatch(r"[a-z. ]+", samples)
    assert f"loss curve: {out}\n" in done.stdout
    assert len(polylines(out)) == 2 and all(len(p.split()) == 20 for p in polylines(out)), (
        "the means of 3 steps"
    )


def test_two_runs_with_one_seed_are_alike_and_one_without_autograd_has_one_curve(
    tmp_path: Path, few: Path
) -> None:
    both = train(tmp_path / "1.svg", "--steps", "5", "--names", str(few))
    alone = train(tmp_path / "2.svg", "--steps", "5", "--names", str(few), "--no-autograd")
    assert both.returncode == alone.returncode == 0
    assert polylines(tmp_path / "1.svg")[0] == polylines(tmp_path / "2.svg")[0]
    assert len(polylines(tmp_path / "2.svg")) == 1 and "by autograd" not in alone.stdout
    for start in ("by hand:", "samples: "):
        line, other = (re.search(rf"^{start}.*", d.stdout, re.M) for d in (both, alone))
        assert line and other and line[0].split("  ")[:-1] == other[0].split("  ")[:-1]


def test_a_run_that_is_interrupted_says_so_and_draws_what_it_has(tmp_path: Path, few: Path) -> None:
    out = tmp_path / "loss.svg"
    command = [*COMMAND, "ex4", "--submission", str(SOLUTION), "--out", str(out), "--names", str(few)]
    terminal, error = pty.openpty()  # on a terminal the bar shows when training is under way
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [*command, "--steps", "200000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=error,
        text=True,
        env=environ,
    )
    try:
        os.close(error)
        shown = b""
        while not re.search(rb"[1-9]\d*/200000", shown):
            shown += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert process.returncode == 0
    (steps,) = re.findall(r"^stopped after (\d+) of 200000 steps$", stdout, re.M)
    assert "12297 parameters\n" in stdout
    assert 0 < int(steps) < 200_000 and f"loss curve: {out}\n" in stdout
    assert len(polylines(out)) == 2


def test_a_run_that_cannot_begin_leaves_no_bar(tmp_path: Path, few: Path) -> None:
    (tmp_path / "ex4.py").write_text(stub_of("ex4"))
    command = [*COMMAND, "ex4", "--submission", "ex4.py", "--names", str(few)]
    child = pexpect.spawn(
        command[0], command[1:], cwd=tmp_path, env={**os.environ, "TERM": "xterm"}, encoding="utf-8"
    )
    child.expect(pexpect.EOF, timeout=DEADLINE)
    child.close()
    assert child.exitstatus == 2 and "nan" not in child.before
    # the last line is taken away before what is wrong is said
    assert re.search(r"\x1b\[1A\x1b\[2Kgrader: ex4\.py: dlogits: not written yet; ", child.before)


def test_an_interrupt_as_soon_as_the_size_is_printed_still_ends_in_order(tmp_path: Path, few: Path) -> None:
    out = tmp_path / "loss.svg"
    command = [*COMMAND, "ex4", "--submission", str(SOLUTION), "--out", str(out), "--names", str(few)]
    process = subprocess.Popen(
        [*command, "--steps", "200000"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        seen = iter(process.stdout.readline, "")
        assert any(line == "12297 parameters\n" for line in seen)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=DEADLINE)
    assert "Traceback" not in stderr
    assert process.returncode == 0 and "stopped after" in stdout


def test_a_notebook_trains_as_the_same_code_in_a_file_does(tmp_path: Path, few: Path) -> None:
    text = (flatcode.HERE / "the_lecture_filled_in.py").read_text(encoding="utf-8")
    (tmp_path / "mine.ipynb").write_bytes(flatcode.built(text)[1])
    (tmp_path / "mine.py").write_text(flatcode.code(text))
    for name in ("mine.ipynb", "mine.py"):
        words = ("--names", str(few), "--steps", "20")
        done = train(tmp_path / "a.svg", *words, submission=tmp_path / name)
        by_hand, by_autograd = re.findall(r"^by \w+: +train (\S+)", done.stdout, re.M)
        assert by_hand == by_autograd, done.stderr


def test_what_a_notebook_lacks_for_training_is_named(tmp_path: Path, few: Path) -> None:
    data = flatcode.built((flatcode.HERE / "only_the_first_exercise.py").read_text(encoding="utf-8"))[1]
    (tmp_path / "mine.ipynb").write_bytes(data)
    message = told(train(tmp_path / "a.svg", "--names", str(few), submission=tmp_path / "mine.ipynb"))
    assert "mine.ipynb: dlogits: not found: nothing assigns dlogits" in message


def test_functions_that_are_not_written_are_named(tmp_path: Path, few: Path) -> None:
    stub = tmp_path / "ex4.py"
    stub.write_text(stub_of("ex4"))
    message = told(train(tmp_path / "a.svg", "--names", str(few), submission=stub))
    assert re.search(r"\S+/ex4\.py: dlogits: not written yet", message)
    assert re.search(r"`grader check ex4 --submission \S+/ex4\.py` lists what is", message)
    one = changed(tmp_path, "return dlogits @ W2.T", 'raise NotImplementedError("dh: not written yet")')
    assert "dh: not written yet" in told(train(tmp_path / "a.svg", "--names", str(few), submission=one))
    gone = changed(tmp_path, "def demb(", "def dembedding(")
    assert "demb: no such function" in told(train(tmp_path / "a.svg", "--names", str(few), submission=gone))
    assert not (tmp_path / "a.svg").exists()


DIVIDE = "return h.T @ dlogits"
BROKEN = {
    "a transposed gradient": (DIVIDE, "return (h.T @ dlogits).T", "line 64|size of tensor|shape"),
    "no gradient": (DIVIDE, "pass", "dW2|None|tensor"),
    "a division by zero": (DIVIDE, "return 1 / 0", "ZeroDivisionError"),
    "a name that is not known": (DIVIDE, "return h.T @ dlogit", "NameError.*dlogit"),
    "a parameter that nothing gives": ("def dW2(h, dlogits)", "def dW2(hidden, dlogits)", "hidden"),
    "a loss that is NaN": (DIVIDE, "return h.T @ dlogits * float('nan')", "no longer finite"),
    "a loss that grows without end": (DIVIDE, "return h.T @ dlogits * -1e38", "no longer finite"),
    "a message over two lines": (DIVIDE, r"raise ValueError('a\x1b[31m\nb')", r"ValueError: a\\x1b\[31m"),
}


@pytest.mark.parametrize("old, new, said", BROKEN.values(), ids=BROKEN)
def test_gradients_that_cannot_train_are_told_in_one_line(
    tmp_path: Path, few: Path, old: str, new: str, said: str
) -> None:
    submission = changed(tmp_path, old, new)
    message = told(train(tmp_path / "a.svg", "--steps", "20", "--names", str(few), submission=submission))
    assert re.search(said, message) and "grader check ex4" in message


def test_parameters_that_are_nan_after_the_last_step_are_told_in_one_line(tmp_path: Path, few: Path) -> None:
    submission = changed(tmp_path, DIVIDE, "return h.T @ dlogits * float('nan')")
    done = train(tmp_path / "a.svg", "--steps", "1", "--names", str(few), submission=submission)
    assert "finite" in told(done)


SLIPS = {
    "no such names file": (["--names", "/nowhere/names.txt"], "/nowhere/names.txt: names file can't be read"),
    "a folder of names": (["--names", "/"], "/: names file can't be read: Is a directory"),
    "no steps": (["--steps", "0"], "--steps 0: at least one step is needed"),
    "steps below none": (["--steps", "-5"], "--steps -5: at least one step is needed"),
    "no folder for the picture": (["--out", "/nowhere/loss.svg"], "there is no folder /nowhere"),
    "a seed beyond any": (["--seed", "9" * 25], "--seed"),
}


@pytest.mark.parametrize("words, said", SLIPS.values(), ids=SLIPS)
def test_a_slip_in_the_options_is_told_in_one_line(
    tmp_path: Path, few: Path, words: list[str], said: str
) -> None:
    names = [] if "--names" in words else ["--names", str(few)]
    assert said in told(train(tmp_path / "a.svg", *names, "--steps", "2", *words))


def test_steps_that_are_no_number_are_a_usage_error(tmp_path: Path) -> None:
    done = train(tmp_path / "a.svg", "--steps", "many")
    assert done.returncode == 2 and "invalid int value: 'many'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_place_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, few: Path) -> None:
    assert "is a folder" in told(train(tmp_path, "--steps", "2", "--names", str(few)))


def test_an_exercise_or_a_file_that_cannot_be_trained_is_told_in_one_line(tmp_path: Path) -> None:
    assert "train takes one of: ex4, micrograd, bigrams" in told(train(tmp_path / "a.svg", exercise="ex1"))
    missing = tmp_path / "none.py"
    assert f"{missing} does not exist" in told(train(tmp_path / "a.svg", submission=missing))


@pytest.mark.parametrize("names", [["emma"], ["emma", "ava", "mia"]], ids=len)
def test_too_few_names_to_split_are_told_in_one_line(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "names.txt"
    path.write_text("\n".join(names) + "\n")
    assert "names" in told(train(tmp_path / "a.svg", "--steps", "2", "--names", str(path)))


# --- both kinds of training, step by step -----------------------------------------------------------


def after(steps: int, dtype: torch.dtype) -> tuple[Env, Env, list[float], list[float]]:
    """Parameters and losses of both runs, on the same batches."""
    program, settings = Forward.of(EX4), EX4.lecture.settings
    env = program.draw(settings)
    env |= {k: env[k].to(dtype) for k in PLAN.parameters}
    backward = training.Backward(load(SOLUTION.read_bytes(), "ex4.py").names, EX4)
    manual, autograd = training.Manual(program, PLAN, backward, env), training.Autograd(program, PLAN, env)
    g = torch.Generator().manual_seed(7)
    sizes = {k: settings[k] for k in ("n", "block_size", "vocab_size")}
    losses: tuple[list[float], list[float]] = ([], [])
    for i in range(steps):
        batch, rate = program.module["minibatch"](g, **sizes), training.rate(PLAN, i, steps)
        losses[0].append(manual.step(batch, rate))
        losses[1].append(autograd.step(batch, rate))
    return manual.params, {k: p.detach() for k, p in autograd.params.items()}, *losses


@pytest.mark.parametrize("dtype, bound", [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=str)
def test_training_by_hand_ends_where_training_by_autograd_ends(dtype: torch.dtype, bound: float) -> None:
    manual, autograd, *losses = after(50, dtype)
    assert tuple(manual) == tuple(autograd) == PLAN.parameters
    for name, value in manual.items():
        assert value.dtype is dtype
        assert (value - autograd[name]).abs().max() <= bound, name
    assert losses[0] == pytest.approx(losses[1], rel=bound)
    assert sum(losses[0][-10:]) < sum(losses[0][:10])


def test_training_leaves_the_parameters_that_it_began_with_alone() -> None:
    one, other = after(1, torch.float32), after(1, torch.float32)
    assert one[2] == other[2]
    assert all(torch.equal(one[0][k], other[0][k]) for k in one[0])


@pytest.mark.parametrize("steps, early", [(1, 0), (2, 1), (3, 1), (100, 50), (200_000, 100_000)])
def test_the_first_half_of_the_steps_goes_at_the_higher_rate(steps: int, early: int) -> None:
    rates = [training.rate(PLAN, i, steps) for i in range(steps)]
    assert rates == [0.1] * early + [0.01] * (steps - early)
