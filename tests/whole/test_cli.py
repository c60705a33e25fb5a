"""The command as a user runs it: arguments, exit codes, what is printed where."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import Ran, grader
from conftest import DEADLINE, EXERCISES, ROOT, solution, stub_of

from grader import __version__
from grader.core import course
from grader.core.limits import MAX_SOURCE
from grader.suite import fixtures
from grader.suite.find import Target, find, item_names, targets

GRADER = Path(sys.executable).with_name("grader")
SCHEMA = json.loads((ROOT / "grader/reports/report.schema.json").read_text())
PASSED, FAILED, USAGE, FAULT = 0, 1, 2, 3
HEADINGS = ["item", "shape", "exact", "approx", "maxdiff", "relative", "verdict"]


SERVER: dict[str, str] = {}  # what lets a command find the background server, as most users' do


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("run")
    SERVER.update(GRADER_NO_SERVER="", CI="", XDG_RUNTIME_DIR=str(folder), GRADER_SERVER_IDLE="600")
    yield
    installed("server", "stop", cwd=folder)


def environ(**more: str) -> dict[str, str]:
    """This process's environment without what changes output; then `more`."""
    unwanted = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH"}
    kept = {k: v for k, v in os.environ.items() if k not in unwanted}
    return kept | {"TERM": "xterm-256color", **SERVER, **more}


def installed(*args: str, cwd: Path, **more: str) -> Ran:
    """The installed command as a process, its output piped and nobody at its input."""
    return subprocess.run(
        [GRADER, *args],
        cwd=cwd,
        env=environ(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def on_a_terminal(*args: str, cwd: Path, width: int = 140, **more: str) -> str:
    """What the command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = subprocess.Popen(
        [GRADER, *args], cwd=cwd, env=environ(**more), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while chunk := os.read(ours, 65536):
            written += chunk
    os.close(ours)
    process.wait(timeout=DEADLINE)
    return written.decode()


def put_stubs(folder: Path) -> Path:
    """A folder to work in, whatever this checkout's own exercises/ hold."""
    folder.joinpath("exercises").mkdir()
    for name in EXERCISES:
        stub = stub_of(name)
        path = folder.joinpath("exercises", *name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(stub, encoding="utf-8")
    return folder


def rows(text: str) -> dict[str, str]:
    """The lines of a table by item."""
    lines = [line.strip() for line in text.splitlines()]
    return {line.split()[0]: line for line in lines if line.partition(".")[0] in EXERCISES}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_line(error: str) -> str:
    """A message for people: one line, no traceback."""
    assert error.startswith("grader: "), error
    assert error.count("\n") == 1, error
    return error


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing written yet, and a link. Only to be read."""
    folder = put_stubs(tmp_path_factory.mktemp("work"))
    (folder / "linked.py").symlink_to("exercises/ex1.py")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The same, to change."""
    return put_stubs(tmp_path)


@pytest.fixture(scope="session")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission to ex1: dlogprobs is right, dprobs wrong, dcounts_sum_inv raises; the rest is absent."""
    path = tmp_path_factory.mktemp("half") / "mine.py"
    path.write_text(
        "import torch\nprint('\\x1b[31mhello\\x07 [bold]there[/bold]')\n\n"
        "def dlogprobs(logprobs, Yb, n):\n"
        "    d = torch.zeros_like(logprobs)\n    d[range(n), Yb] = -1.0 / n\n    return d\n\n"
        "def dprobs(probs, dlogprobs):\n    return -dlogprobs / probs\n\n"
        "def dcounts_sum_inv(counts):\n    raise ValueError('[red]\\x1b[2J')\n"
    )
    return path


@pytest.fixture(scope="module")
def solved(work: Path) -> Ran:
    return installed("check", "--solutions", cwd=work)


@pytest.fixture(scope="module")
def stubs(work: Path) -> Ran:
    return grader("check", "--progress", cwd=work)


@pytest.fixture(scope="module")
def plain(work: Path, half: Path) -> Ran:
    return grader("check", "ex1", "--submission", str(half), cwd=work)


# --- the installed command, and the same words in this process, which all the rest uses -------------


WORDS = [
    "",
    "--version",
    "--help",
    "chekc",
    "list",
    "show ex1.dh",
    "hint ex1.dprobs --rung 1",
    "check ex1.dprobs",
    "check ex9",
    "check ex1 ex2 --solutions",
    "check ex2 --json",
    "explain ex1.dh",
    "solution ex1.dprobs",
]


@pytest.mark.parametrize("words", WORDS)
def test_the_installed_command_does_what_the_same_words_do_in_this_process(words: str, work: Path) -> None:
    process, here = (command(*words.split(), cwd=work) for command in (installed, grader))
    assert (process.returncode, process.stdout, process.stderr) == (here.returncode, here.stdout, here.stderr)


# --- check: exit codes, tables ---------------------------------------------------------------------


def test_the_solutions_pass(solved: Ran) -> None:
    assert solved.returncode == PASSED, solved.stdout
    assert len(rows(solved.stdout)) >= 42
    total = sum(len(item_names(fixtures.describe(ROOT, name))) for name in EXERCISES)
    assert solved.stdout.endswith(f"score: {total} of {total}. All passed.\n")
    assert solved.stderr == ""


def test_the_solutions_are_exact_where_autograd_is_followed_step_by_step(solved: Ran) -> None:
    table = rows(solved.stdout)
    assert all(line.endswith("  exact") for name, line in table.items() if name.startswith("ex1."))


def test_stubs_fail(work: Path) -> None:
    ran = grader("check", "ex2", cwd=work)
    assert ran.returncode == FAILED
    assert rows(ran.stdout)["ex2.dlogits"].endswith("not written")
    assert "score: 0 of 1. Next: write ex2.dlogits (`grader show ex2.dlogits`" in ran.stdout


def test_a_submission_is_graded_item_by_item(plain: Ran) -> None:
    assert plain.returncode == FAILED
    table = rows(plain.stdout)
    assert table["ex1.dlogprobs"].endswith("exact")
    assert "wrong: the sign is wrong; at [" in table["ex1.dprobs"]
    assert "error: ValueError: [red]\\x1b[2J (line 13)" in table["ex1.dcounts_sum_inv"]
    assert "not written: the file has no function dcounts" in table["ex1.dcounts"]
    assert "ex1: 1 of 26 passed" in plain.stdout
    assert plain.stdout.splitlines()[-1].startswith("score: 1 of 26. Next: fix ex1.dprobs")


def test_what_a_submission_prints_is_shown_once_and_harmless(plain: Ran) -> None:
    assert plain.stdout.count("hello") == 1
    assert "| \\x1b[31mhello\\x07 [bold]there[/bold]\n" in plain.stdout


def test_piped_output_is_plain_and_aligned(plain: Ran, solved: Ran) -> None:
    for text in (plain.stdout, solved.stdout):
        assert "\x1b" not in text
        assert all(line == line.rstrip() for line in text.splitlines())
        headings = [line for line in text.splitlines() if line.split() == HEADINGS]
        assert headings
    start = next(line for line in plain.stdout.splitlines() if line.split() == HEADINGS)
    for line in rows(plain.stdout).values():
        assert line[start.index("verdict") - 1] == " "
        assert line[start.index("verdict")] != " "


def test_verdicts_keep_away_from_standard_error(plain: Ran) -> None:
    assert plain.stderr == ""


ONE = [
    (["ex1.dprobs"], ["ex1.dprobs"]),
    (["ex1.dprobs", "ex1.dh"], ["ex1.dprobs", "ex1.dh"]),
    (["ex1.dh", "ex1.dprobs", "ex1.dh"], ["ex1.dprobs", "ex1.dh"]),
    (["ex2", "ex1.dprobs"], ["ex2.dlogits", "ex1.dprobs"]),
    (["ex2", "ex2.dlogits"], ["ex2.dlogits"]),
]


@pytest.mark.parametrize(("words", "items"), ONE, ids=[" ".join(words) for words, _ in ONE])
def test_targets_choose_what_is_graded(words: list[str], items: list[str], work: Path) -> None:
    ran = grader("check", "--solutions", *words, cwd=work)
    assert ran.returncode == PASSED
    assert list(rows(ran.stdout)) == items


def test_a_class_s_name_is_all_that_is_about_it() -> None:
    for name in ("gpt.ex12.GPT", "GPT"):
        assert targets(find(), [name]) == [Target("gpt.ex12", "gpt"), Target("gpt.ex12", "loss")]


@pytest.mark.parametrize(
    ("folder", "path", "item"),
    [
        ("", "exercises/gpt/ex1.py", "gpt.ex1.dsums"),
        ("exercises/gpt", "ex1.py", "gpt.ex1.dsums"),
        ("", "exercises/tokenizer/ex5.py", "tokenizer.ex5.order"),
        ("exercises", "ex2.py", "ex2.dlogits"),
    ],
)
def test_a_file_is_for_the_exercise_of_its_set(folder: str, path: str, item: str, work: Path) -> None:
    assert f"\n{item} " in grader("check", path, cwd=work / folder).stdout
    watched = grader("watch", path, cwd=work / folder).stdout
    assert watched.splitlines()[-1] == f"{item.rpartition('.')[2]}: not written"


def test_the_training_run_can_be_graded_alone(work: Path) -> None:
    ran = grader("check", "--solutions", "ex4.training", cwd=work)
    assert ran.returncode == PASSED
    assert list(rows(ran.stdout)) == ["ex4.training"]


USAGE_ERRORS = {
    "an unknown exercise": (
        ["check", "ex9"],
        "there is no exercise ex9 (did you mean gpt.ex9?); `grader list`",
    ),
    "an unlike exercise": (["check", "banana"], "there is no exercise banana; `grader list` names them"),
    "an unknown item": (["check", "ex1.dprob"], "ex1 has no item dprob (did you mean dprobs?)"),
    "an item of an unknown exercise": (["check", "ex9.dprobs"], "there is no exercise ex9.dprobs"),
    "letters exchanged": (["check", "gtp"], "there is no exercise gtp (did you mean gpt?)"),
    "an item in capitals": (["check", "ex1.DPROBS"], "no item DPROBS (did you mean ex1.dprobs?)"),
    "a misspelt item alone": (["check", "dprob"], "there is no exercise dprob (did you mean ex1.dprobs?)"),
    "a misspelt command": (["chek", "ex1"], "there is no command chek (did you mean `grader check`?)"),
    "no command": (["ex1"], "there is no command ex1 (did you mean `grader check ex1`?)"),
    "nothing like a command": (["banana"], "there is no command banana; `grader --help` lists them"),
    "an exercise in capitals": (["check", "EX1"], "there is no exercise EX1 (did you mean ex1?)"),
    "no item": (["check", "ex1."], 'ex1 has no item ""; `grader list ex1`'),
    "nothing": (["check", ""], 'there is no exercise ""; `grader list`'),
    "much": (["check", "x" * 5000], f"there is no exercise {'x' * 60}…; `grader list`"),
    "a class that is not there": (["report", "--class", "nosuch"], "--class nosuch is no folder"),
    "results among submissions": (["batch", "exercises", "--out", "./exercises"], "name another one"),
    "a seed that is none": (["check", "ex1", "--probes", "x"], "--probes x: a seed is a number from 0 up"),
    "a seed that is too large": (["check", "ex1", "--fresh", str(2**53)], "below 2^53"),
    "two kinds of probes": (["check", "ex1", "--fresh", "3", "--probes", "4"], "choose one"),
    "fixtures and a seed": (["check", "ex1", "--fixtures", "fixtures", "--probes", "4"], "choose one"),
    "no fixtures there": (["check", "ex1", "--fixtures", "exercises"], "grader build --private SEED"),
    "a private set in a course": (["build", "--private", "4", "."], "name another folder"),
    "training where there is none": (["check", "ex1.training"], "ex1 has no item training"),
    "show an unknown item": (["show", "ex1.dhh"], "(did you mean dh?)"),
    "list an unknown exercise": (["list", "ex11"], "(did you mean gpt.ex11?)"),
    "solution of an unknown item": (["solution", "--yes", "ex1.x"], "ex1 has no item x"),
    "reset an item": (["reset", "ex1.dprobs", "--yes"], "`grader reset ex1`"),
    "reset an unknown exercise": (["reset", "ex9", "--yes"], "there is no exercise ex9"),
    "build an unknown exercise": (["build", "--check", "ex9"], "solutions/ has no ex9"),
    "submission and solutions": (["check", "ex1", "--submission", "x", "--solutions"], "exclude each other"),
    "a submission to what": (["check", "--submission", str(ROOT / "grader/cli.py")], "which exercise is it?"),
    "a missing submission to what": (["check", "--submission", "mine.py"], "mine.py does not exist"),
    "a submission to two": (
        ["check", "ex1", "ex2", "exercises/ex1.py"],
        "ex1.py is one exercise's file: name",
    ),
    "a submission to a set": (["check", "gpt", "exercises/gpt/ex1.py"], "name one exercise"),
    "a missing file": (["check", "ex1", "--submission", "mine.py"], "mine.py does not exist"),
    "a missing ex1.py": (["check", "--submission", "nowhere/ex1.py"], "nowhere/ex1.py does not exist"),
    "a folder": (["check", "ex1", "--submission", "exercises"], "exercises is not a file"),
    "a link": (["check", "ex1", "linked.py"], "linked.py is a link: name the file itself, or copy it there"),
    "a device": (["check", "ex1", "--submission", "/dev/zero"], "/dev/zero is not a file"),
    "a path through a file": (["check", "ex1", "--submission", "exercises/ex1.py/x"], "can't be read"),
}


@pytest.mark.parametrize(("args", "message"), USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_wrong_usage_is_told_in_one_line(args: list[str], message: str, work: Path) -> None:
    ran = grader(*args, cwd=work)
    assert ran.returncode == USAGE
    assert message in one_line(ran.stderr)
    assert ran.stdout == ""


@pytest.mark.parametrize("args", [["check", "--nonsense"], ["show"], ["check", "--submission"]])
def test_wrong_arguments_exit_with_2(args: list[str], work: Path) -> None:
    ran = grader(*args, cwd=work)
    assert ran.returncode == USAGE
    assert ran.stderr.startswith("usage: grader")
    assert ran.stdout == ""


def test_where_the_output_can_not_be_written_it_is_named(work: Path) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [GRADER, "list"], cwd=work, env=environ(), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ran.returncode == FAULT
    assert one_line(ran.stderr) == "grader: the output can't be written: No space left on device\n"


def test_a_submission_that_is_too_large_is_refused(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "ex1.py"
    with path.open("wb") as file:
        file.truncate(MAX_SOURCE + 1)
    ran = grader("check", "--submission", str(path), cwd=work)
    assert ran.returncode == USAGE
    assert f"is too large ({MAX_SOURCE + 1} bytes, at most {MAX_SOURCE})" in one_line(ran.stderr)


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "ex1.py"
    os.mkfifo(path)
    ran = grader("check", "--submission", str(path), cwd=work)
    assert ran.returncode == USAGE
    assert "is not a file" in one_line(ran.stderr)


def test_a_missing_exercise_file_names_its_repair(scratch: Path) -> None:
    (scratch / "exercises/ex2.py").unlink()
    ran = grader("check", "ex2", cwd=scratch)
    assert ran.returncode == USAGE
    repair = "`grader reset ex2` makes it, `grader init backprop` all of backprop"
    assert f"exercises/ex2.py is missing: {repair}" in one_line(ran.stderr)
    assert grader("reset", "ex2", cwd=scratch).returncode == PASSED
    assert (scratch / "exercises/ex2.py").read_text() == stub_of("ex2")


BYTES = {
    "empty": b"",
    "binary": bytes(range(256)) * 4,
    "not utf-8": b"# \xff\xfe\ndef dlogits():\n    return None\n",
    "unknown coding": b"# coding: nonsense\n",
    "null": b"def dlogits(logits):\n    return logits\0\n",
}


@pytest.mark.parametrize("data", BYTES.values(), ids=BYTES)
def test_a_file_that_is_hardly_python_is_graded_all_the_same(data: bytes, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "ex2.py"
    path.write_bytes(data)
    ran = grader("check", "--submission", str(path), cwd=work)
    assert ran.returncode == FAILED
    assert ran.stderr == ""
    assert ran.stdout.endswith("(`grader show ex2.dlogits` tells the task).\n") is (data == b"")


@pytest.mark.parametrize(
    "data, told",
    [
        (BYTES["not utf-8"], "the file is not UTF-8: save it as that (line 1)"),
        (b"x = 1\n# \0\n", "there is a NUL character, which Python refuses: delete it (line 2)"),
    ],
)
def test_a_file_that_python_refuses_is_told_its_line_and_repair(
    data: bytes, told: str, tmp_path: Path, work: Path
) -> None:
    (tmp_path / "ex2.py").write_bytes(data)
    assert told in grader("check", "--submission", str(tmp_path / "ex2.py"), cwd=work).stdout


def test_a_deleted_folder_is_named(tmp_path: Path) -> None:
    ran = subprocess.run(
        ["sh", "-c", f"mkdir gone; cd gone; rmdir ../gone; exec '{GRADER}' list"],
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE,
    )  # fmt: skip
    assert ran.returncode == USAGE
    assert "the folder that you are in has been deleted" in one_line(ran.stderr)


def test_what_python_can_not_read_is_told_though_all_items_pass(tmp_path: Path, work: Path) -> None:
    path = tmp_path / "ex2.py"
    text = solution("ex2")
    path.write_text(f"{text}def x(:\n")
    ran = grader("check", "--submission", str(path), cwd=work)
    assert ran.returncode == PASSED
    line = f"line {text.count(chr(10)) + 1} is not Python (SyntaxError: invalid syntax)"
    assert f"{line}; what parses was graded" in ran.stdout
    assert f"but {line}" in ran.stdout
    assert "All passed" not in ran.stdout
    book = {"cells": [{"cell_type": "code", "source": s, "metadata": {}} for s in (text, "\nx = (")]}
    path.with_suffix(".ipynb").write_text(json.dumps({"metadata": {}, "nbformat": 4, **book}))
    ran = grader("check", "ex2", "--submission", str(path.with_suffix(".ipynb")), cwd=work)
    assert "cell 2, line 2 is not Python" in ran.stdout


GOOD = {
    "byte order mark": b"\xef\xbb\xbf",
    "latin-1": b"# -*- coding: latin-1 -*-\n# \xe9\n",
}


@pytest.mark.parametrize("head", GOOD.values(), ids=GOOD)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_encodings_and_newlines_that_python_reads_are_read(
    head: bytes, newline: str, tmp_path: Path, work: Path
) -> None:
    path = tmp_path / "ex2.py"
    path.write_bytes(head + solution("ex2").replace("\n", newline).encode())
    assert grader("check", "--submission", str(path), cwd=work).returncode == PASSED


@pytest.mark.parametrize(
    "more",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "cp1252", "latin-1", "the C locale"],
)
@pytest.mark.parametrize(
    "words", ["check ex1.dprobs", "show ex1.dprobs", "hint ex1.dprobs --rung 4", "list ex1"]
)
def test_an_output_that_lacks_a_character_gets_the_rest(
    words: str, more: dict[str, str], scratch: Path
) -> None:
    ran = subprocess.run(
        [GRADER, *words.split()],
        cwd=scratch,
        env=environ(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
    )
    assert (ran.returncode, ran.stderr) == (FAILED if "check" in words else PASSED, b"")
    assert b"dprobs" in ran.stdout


@pytest.mark.parametrize("words", ["solution ex1.dprobs", "reset ex2"])
def test_with_standard_input_closed_nobody_is_asked(words: str, scratch: Path) -> None:
    (scratch / "exercises/ex2.py").write_text("mine")
    ran = subprocess.run(
        ["sh", "-c", f"exec '{GRADER}' {words} <&-"],
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert ran.returncode == USAGE
    assert "--yes says so beforehand" in one_line(ran.stderr)


# --- check: progress, fresh, JSON ------------------------------------------------------------------


def test_progress_on_stubs_is_a_first_screen_whose_commands_work(stubs: Ran, work: Path) -> None:
    assert (stubs.returncode, stubs.stderr) == (PASSED, "")
    typed = re.search(r"^  type +(\S+) (check ex1)$", stubs.stdout, re.MULTILINE)
    assert typed
    lines = stubs.stdout.replace(typed[1], ".venv/bin/grader").splitlines()  # as it is where it lies
    assert len(lines) < 24 and max(len(line) for line in lines if "export PATH" not in line) <= 80
    opened = re.search(r"^  open +(\S+), line (\d+)$", stubs.stdout, re.MULTILINE)
    assert opened and (work / opened[1]).read_text().splitlines()[int(opened[2]) - 1].startswith(
        "def dlogprobs("
    )
    assert "return" not in stubs.stdout  # nor any other part of its solution
    ran = subprocess.run(
        [typed[1], *typed[2].split()], cwd=work, env=environ(), capture_output=True, text=True
    )
    assert ran.returncode == FAILED and "dlogprobs" in ran.stdout


def test_bare_grader_is_the_guided_mode_and_in_a_pipe_the_help(scratch: Path) -> None:
    ran = grader(cwd=scratch)
    assert ran.returncode == PASSED and ran.stdout == grader("--help", cwd=scratch).stdout
    master, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [GRADER], cwd=scratch, env=environ(), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while b"dlogprobs" not in shown:
        shown += os.read(master, 65536)
    os.write(master, b"q")
    with contextlib.suppress(OSError):  # Linux's end of a terminal
        while os.read(master, 65536):
            pass
    assert process.wait(DEADLINE) == FAILED
    os.close(master)


@pytest.mark.parametrize(
    ("words", "item"),
    [
        (["list", "ex3"], "gpt.ex3.d"),
        (["list", "gpt.ex3"], "gpt.ex3.d"),
        (["list", "backprop.ex3"], "ex3.dhprebn"),
        (["check"], "gpt.ex1."),
        (["next"], "Next: gpt.ex11."),
        (["list", "backprop"], "ex1 "),
    ],
)
def test_in_a_set_s_folder_its_own_exercises_are_meant(words: list[str], item: str, work: Path) -> None:
    ran = grader(*words, cwd=work / "exercises" / "gpt")
    assert re.search(f"^{re.escape(item)}", ran.stdout, re.MULTILINE), ran.stdout + ran.stderr
    others = re.search(r"^(?!gpt)\w+\.ex\d", ran.stdout, re.MULTILINE)
    assert not others


def test_what_is_graded_elsewhere_is_named_by_path(work: Path) -> None:
    note = f"note: graded {work.resolve() / 'exercises' / 'ex2.py'}"
    assert note not in grader("check", "ex2", cwd=work).stdout
    assert note not in grader("check", "ex2", cwd=work / "exercises").stdout
    assert note in grader("check", "backprop.ex2", cwd=work / "exercises" / "gpt").stdout


def test_progress_fails_on_a_mistake(work: Path, half: Path) -> None:
    args = ["check", "--progress", "--submission", str(half)]
    assert grader(*args, "ex1.dprobs", "ex1.dcounts", cwd=work).returncode == FAILED
    ran = grader(*args, "ex1.dlogprobs", "ex1.dcounts", cwd=work)
    assert ran.returncode == PASSED
    assert "Nothing is written yet" not in ran.stdout


def test_fresh_probes_are_repeatable_by_their_seed(work: Path, half: Path) -> None:
    args = ["check", "ex1", "--json", "--fresh", "7", "--submission", str(half)]
    first, second = grader(*args, cwd=work), grader(*args, cwd=work)
    assert first.returncode == second.returncode == FAILED
    assert first.stdout == second.stdout
    document = json.loads(first.stdout)
    assert document["notes"] == ["graded on fresh probes; `--fresh 7` makes the same ones again"]
    other = json.loads(grader(*args[:4], "8", *args[5:], cwd=work).stdout)
    mine, others = document["exercises"][0]["items"][1], other["exercises"][0]["items"][1]
    assert mine["id"] == "ex1.dprobs"
    for a, b in zip(mine["checks"], others["checks"], strict=True):
        drawn = a["on"].endswith("-fresh")  # the saved ones stay
        assert (a["maxdiff"] != b["maxdiff"]) if drawn else a == b
    assert sum(c["on"].endswith("-fresh") for c in mine["checks"]) == 2


def test_fresh_without_a_seed_takes_a_target_and_names_its_seed(work: Path) -> None:
    ran = grader("check", "--solutions", "--fresh", "ex1", cwd=work)
    assert ran.returncode == PASSED
    assert "score: 26 of 26" in ran.stdout
    note = next(line for line in ran.stdout.splitlines() if line.startswith("note: "))
    seed = note.partition("`--fresh ")[2].partition("`")[0]
    assert seed.isdecimal()
    again = grader("check", "ex1", "--solutions", "--fresh", seed, cwd=work)
    assert again.stdout == ran.stdout


def test_of_outputs_it_is_said_where_they_keep_the_saved_probes(work: Path, tmp_path: Path) -> None:
    """A release has no solutions, whose functions would be needed."""
    release = tmp_path / "release"
    assert grader("release", str(release), "tokenizer", "ex2", cwd=work).returncode == PASSED
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    files = ["tokenizer.ex1", "ex2"]
    for name in files:
        mine = release.joinpath("exercises", *name.split(".")).with_suffix(".py")
        mine.write_text((tmp_path / "solutions").joinpath(*name.split(".")).with_suffix(".py").read_text())
    ran = grader("check", "--fresh", "5", *files, cwd=release)
    assert ran.returncode == PASSED
    assert [line for line in ran.stdout.splitlines() if line.startswith("note: ")] == [
        "note: graded on fresh probes; `--fresh 5` makes the same ones again",
        "note: outputs rest on saved probes where there is no solutions/: tokenizer.ex1",
    ]
    ran = grader("check", "--solutions", "--fresh", "5", "tokenizer.ex1", cwd=work)
    assert "again" in ran.stdout and "saved" not in ran.stdout


@pytest.mark.parametrize("option", [["--require-sandbox"], ["--junit", "out.xml"]], ids=lambda o: o[0])
def test_where_others_read_the_grade_the_probes_are_fresh_and_the_seed_is_not_told(
    option: list[str], work: Path
) -> None:
    ran = grader("check", "ex2", "tokenizer.ex1", "--solutions", *option, cwd=work)
    assert ran.returncode == PASSED
    assert [line for line in ran.stdout.splitlines() if line.startswith("note: ")] == [
        "note: graded on fresh probes"
    ]
    ran = grader("check", "ex2", "--solutions", *option, "--probes", "saved", cwd=work)
    assert ran.returncode == PASSED and "fresh" not in ran.stdout


def test_a_private_set_is_graded_on(work: Path, tmp_path: Path) -> None:
    """Made once, from a secret seed; a table of what is public passes nothing on it, outputs neither."""
    private = tmp_path / "private"
    ran = grader("build", "--private", "5", str(private), "ex2", "tokenizer.ex1", cwd=work)
    assert ran.returncode == PASSED
    assert private.stat().st_mode & 0o077 == 0
    graded = ["check", "--solutions", "--fixtures", str(private)]
    ran = grader(*graded, "ex2", "tokenizer.ex1", "--json", cwd=work)
    assert ran.returncode == PASSED
    on = [[c["on"] for c in e["items"][0]["checks"]] for e in json.loads(ran.stdout)["exercises"]]
    assert [sorted(o)[-1] for o in on] == ["probe-3-fresh", "probe-3-fresh"]
    damaged = private / "fixtures" / "ex2" / "probe-2.given.safetensors.gz"
    damaged.unlink()
    ran = grader(*graded, "ex2", cwd=work)
    assert ran.returncode == FAULT
    assert "probe-2.given.safetensors.gz is missing: `grader build --private SEED" in ran.stderr


@pytest.mark.slow
def test_the_solutions_pass_on_fresh_probes(work: Path) -> None:
    ran = grader("check", "--solutions", "--fresh", "12345", cwd=work)
    assert ran.returncode == PASSED, ran.stdout


JSON: dict[str, tuple[list[str], int]] = {
    "solutions": (["micrograd", "--solutions"], PASSED),
    "stubs": (["backprop"], FAILED),
    "half": (["ex1", "--submission", "HALF"], FAILED),
    "one item": (["ex1.dC", "--solutions"], PASSED),
}


@pytest.mark.parametrize(("args", "code"), JSON.values(), ids=JSON)
def test_json_follows_its_schema(args: list[str], code: int, work: Path, half: Path) -> None:
    ran = grader("check", "--json", *[str(half) if a == "HALF" else a for a in args], cwd=work)
    assert ran.returncode == code
    document = json.loads(ran.stdout)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA, jsonschema.Draft202012Validator)
    items = [item for exercise in document["exercises"] for item in exercise["items"]]
    assert document["score"] == sum(i["passed"] for i in items)
    assert document["max_score"] == len(items)
    assert document["passed"] is (code == PASSED)
    assert all(i["passed"] is (i["verdict"] in ("exact", "approximate")) for i in items)
    assert "\x1b" not in ran.stdout and "\\u001b" not in ran.stdout
    assert ran.stderr == ""


def test_json_tells_what_each_fixture_said(work: Path, half: Path) -> None:
    ran = grader("check", "ex1", "--json", "--submission", str(half), cwd=work)
    document = json.loads(ran.stdout)
    items = {item["id"]: item for item in document["exercises"][0]["items"]}
    right, wrong, raised = items["ex1.dlogprobs"], items["ex1.dprobs"], items["ex1.dcounts_sum_inv"]
    assert [c["on"] for c in right["checks"]] == ["lecture", "probe-1", "probe-2", "probe-3"]
    assert (right["exact"], right["maxdiff"], right["came"]) == (True, 0.0, [32, 27])
    assert wrong["relative"] == pytest.approx(2.0)
    assert wrong["maxdiff"] > wrong["tolerance"] > 0
    assert (raised["exact"], raised["maxdiff"], raised["line"]) == (None, None, 13)
    assert document["submission"] == str(half)
    assert document["output"] == "\\x1b[31mhello\\x07 [bold]there[/bold]"


# --- check: on a terminal --------------------------------------------------------------------------


def test_a_terminal_gets_colour(work: Path, half: Path) -> None:
    text = on_a_terminal("check", "ex1", "--submission", str(half), cwd=work)
    assert "\x1b[32m" in text  # green: what passed
    assert "\x1b[31m" in text.replace("\\x1b[31m", "")  # red: what did not
    assert "[bold]there[/bold]" in text
    assert "\x1b[2J" not in text and "\x07" not in text


@pytest.mark.parametrize("more", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_a_terminal_without_colour_gets_no_escape(more: dict[str, str], work: Path, half: Path) -> None:
    text = on_a_terminal("check", "ex1", "--submission", str(half), cwd=work, width=140, **more)
    assert "ex1.dprobs" in text
    assert "\x1b" not in text


# --- the grader's own fault ------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with fixtures of its own and no solutions, as a release is, to damage."""
    for name in ("ex1", "ex2"):
        shutil.copytree(ROOT / "fixtures" / name, tmp_path / "fixtures" / name)
    return put_stubs(tmp_path)


def flip(path: Path) -> None:
    data = bytearray(fixtures.unpacked(path.read_bytes()))
    data[-1] ^= 1
    path.write_bytes(fixtures.packed(bytes(data)))


def newer(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))


DAMAGE: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "altered": ("probe-1.reference.safetensors.gz", flip, "was altered"),
    "truncated": ("lecture.given.safetensors.gz", lambda p: os.truncate(p, 100), "is damaged"),
    "missing": ("lecture.given.safetensors.gz", Path.unlink, "is missing"),
    "no description": ("exercise.json", lambda p: p.write_text("{"), "is damaged"),
    "description altered": (
        "exercise.json",
        lambda p: p.write_text(p.read_text().replace("dlogits", "dlogitz")),
        "was altered",
    ),
    "newer format": ("exercise.json", newer, "this grader reads format 2"),
}


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_fixture_is_the_graders_fault(
    name: str, damage: Callable[[Path], Any], message: str, copy: Path
) -> None:
    damage(copy / "fixtures/ex2" / name)
    ran = grader("check", "ex2", cwd=copy)
    assert ran.returncode == FAULT
    error = one_line(ran.stderr)
    assert f"fixtures/ex2/{name}" in error and message in error and "`grader build ex2`" in error
    assert ran.stdout == ""


def test_a_copy_grades_by_itself_and_says_what_it_lacks(copy: Path) -> None:
    """The project without its solutions, as a process of its own code."""
    shutil.copytree(ROOT / "grader", copy / "grader", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "exercises/ex2.py").write_text(solution("ex2"))

    def run(*args: str) -> Ran:
        command = [sys.executable, "-m", "grader.cli", *args]
        return subprocess.run(
            command,
            cwd=copy,
            env=environ(GRADER_NO_SERVER="1"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )

    assert run("check", "ex2").returncode == PASSED
    for args in (["check", "--solutions"], ["solution", "ex2", "--yes"], ["build", "--check"]):
        lacking = run(*args)
        assert lacking.returncode == USAGE
        assert "solutions" in one_line(lacking.stderr)


def test_the_doctor_names_a_damaged_fixture_and_goes_on(copy: Path) -> None:
    flip(copy / "fixtures/ex1/lecture.reference.safetensors.gz")
    ran = grader("doctor", cwd=copy)
    assert ran.returncode == FAULT
    assert "BAD  fixtures/ex1/lecture.reference.safetensors.gz was altered" in ran.stdout
    assert re.search(r"^ok   the fixtures of \d+ exercises are intact", ran.stdout, re.M)
    assert re.search(r"^ok   this machine .* of \d+ gradients", ran.stdout, re.M)
    assert ran.stdout.splitlines()[-1].endswith("BAD: fix it first.")


# --- reading ---------------------------------------------------------------------------------------


def test_list_names_the_exercises(work: Path) -> None:
    ran = grader("list", "backprop", cwd=work)
    assert ran.returncode == PASSED
    lines = [line.split()[:4] for line in ran.stdout.splitlines()]
    assert lines == [
        ["ex1", "0", "of", "26"],
        ["ex2", "0", "of", "1"],
        ["ex3", "0", "of", "1"],
        ["ex4", "0", "of", "14"],
    ]


def test_list_without_a_name_is_the_map_of_the_course_in_lecture_order(work: Path) -> None:
    ran = grader("list", cwd=work)
    assert ran.returncode == PASSED
    sets = [line.split()[0] for line in ran.stdout.splitlines() if " passed  " in line]
    assert sets == [name for name in course.SETS if name in sets] and "backprop" in sets
    assert re.search(r"backprop +0 of +42 passed  Backprop ninja", ran.stdout)


def test_list_names_the_items_of_an_exercise(work: Path) -> None:
    lines = grader("list", "ex4", cwd=work).stdout.splitlines()
    assert len(lines) == 14
    assert lines[1].split("  ")[0] == "ex4.dh(W2, dlogits)" and "32×200" in lines[1]
    assert lines[-1].startswith("ex4.training")
    assert grader("list", "ex1.dlogprobs", cwd=work).stdout.split("  ") == [
        "ex1.dlogprobs(logprobs, Yb, n)",
        "32×27",
        "can be done now\n",
    ]


SHOWN = {
    "ex1.dprobs": [
        "the gradient of the loss with respect to probs",
        "made by:   probs = counts * counts_sum_inv",
        "used by:   logprobs = probs.log()",
        "shape:     32×27",
        "upstream:  dloss, dlogprobs",
        "counts_sum_inv 32×1",
        "sizes:     n 32, block_size 3, vocab_size 27, n_embd 10, n_hidden 64",
    ],
    "ex1.dC": ["made by:   an input of the network", "used by:   emb = C[Xb]", "shape:     27×10", "demb"],
    "ex1": [
        "ackpropagation through the whole network",
        "    emb = C[Xb]",
        "    loss = -logprobs[range(n), Yb].mean()",
    ],
    "ex4.training": ["100 steps with your gradients"],
}


@pytest.mark.parametrize(("target", "texts"), SHOWN.items(), ids=SHOWN)
def test_show_tells_the_task(target: str, texts: list[str], work: Path) -> None:
    ran = grader("show", target, cwd=work)
    assert ran.returncode == PASSED
    assert [t for t in texts if t not in ran.stdout] == []


@pytest.mark.parametrize("command", ["show", "list", "hint", "explain"])
def test_an_item_goes_by_its_tensor_too(command: str, scratch: Path) -> None:
    ran = [grader(command, word, cwd=scratch) for word in ("ex1.h", "ex1.dh")]
    assert [r.returncode for r in ran] == [PASSED, PASSED]
    assert "ex1.dh" in ran[0].stdout or command == "explain"


@pytest.mark.parametrize("name", EXERCISES)
def test_show_and_list_give_no_solution_away(name: str, work: Path) -> None:
    code = {line.strip() for line in solution(name).splitlines() if line.startswith("    return ")}
    items = [f"{name}.{i.name}" for i in fixtures.describe(ROOT, name).items]
    shown = grader("show", *items, cwd=work).stdout
    assert [line for line in code if line in shown] == []


def test_the_solution_is_not_shown_unasked(work: Path) -> None:
    ran = grader("solution", "ex1.dprobs", cwd=work)
    assert ran.returncode == USAGE
    assert ran.stdout == ""
    assert "--yes" in one_line(ran.stderr)


def test_the_solution_is_shown_when_asked_for(work: Path) -> None:
    ran = grader("solution", "--yes", "ex1.dprobs", cwd=work)
    assert ran.returncode == PASSED
    assert ran.stdout.startswith("def dprobs(probs, dlogprobs):")
    assert "return (1.0 / probs) * dlogprobs\n" in ran.stdout
    assert ran.stdout.count("def ") == 1
    assert grader("solution", "--yes", "ex1", cwd=work).stdout.count("\ndef ") == 25


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", PASSED), (b"n\n", FAILED), (b"\n", FAILED)])
def test_the_solution_waits_for_an_answer(answer: bytes, code: int, work: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    ran = subprocess.run(
        [GRADER, "solution", "ex2"],
        cwd=work,
        env=environ(),
        stdin=theirs,
        capture_output=True,
        timeout=DEADLINE,
    )
    os.close(theirs)
    os.close(ours)
    assert ran.returncode == code
    assert (b"def dlogits" in ran.stdout) is (code == PASSED)


# --- reset -----------------------------------------------------------------------------------------


def test_reset_keeps_what_was_there(scratch: Path) -> None:
    path = scratch / "exercises/ex1.py"
    stub = path.read_bytes()
    first, second = b"# mine \xff\r\n", b"# and again\n"
    path.write_bytes(first)
    ran = grader("reset", "ex1", "--yes", cwd=scratch)
    assert ran.returncode == PASSED, ran.stderr
    assert path.read_bytes() == stub
    path.write_bytes(second)
    assert grader("reset", "ex1", "--yes", cwd=scratch).returncode == PASSED
    found = tree(scratch / "exercises")
    assert found["ex1.py"] == stub
    backups = {name: data for name, data in found.items() if name.endswith(".bak")}
    assert sorted(backups.values()) == sorted([first, second])
    assert (
        f"kept what was there as exercises/{next(n for n, d in backups.items() if d == first)}" in ran.stdout
    )


def test_reset_changes_nothing_unasked(scratch: Path) -> None:
    (scratch / "exercises/ex1.py").write_text("# mine\n")
    before = tree(scratch)
    ran = grader("reset", "ex1", cwd=scratch)
    assert ran.returncode == USAGE
    assert "--yes" in one_line(ran.stderr)
    assert tree(scratch) == before


def test_reset_leaves_a_stub_and_a_notebook_alone(scratch: Path) -> None:
    assert grader("reset", "ex2", cwd=scratch).stdout.endswith("wrote exercises/ex2.ipynb\n")
    before = tree(scratch)
    ran = grader("reset", "ex2", cwd=scratch)
    assert ran.returncode == PASSED
    already = "exercises/ex2.py is the stub already\nexercises/ex2.ipynb is the notebook already\n"
    assert ran.stdout == already
    assert tree(scratch) == before


def test_reset_puts_back_only_what_was_named(scratch: Path) -> None:
    for name in ("ex1", "ex2"):
        (scratch / f"exercises/{name}.py").write_text("# mine\n")
    assert grader("reset", "ex2", "--yes", cwd=scratch).returncode == PASSED
    assert (scratch / "exercises/ex1.py").read_text() == "# mine\n"


# --- build, doctor, help ---------------------------------------------------------------------------


def test_nothing_has_drifted_from_the_solutions(work: Path) -> None:
    ran = installed("build", "--check", "ex2", cwd=work)
    assert ran.returncode == PASSED, ran.stdout + ran.stderr
    assert "1 exercise: stubs, notebooks and fixtures are what solutions/ gives" in ran.stdout


@pytest.mark.slow
def test_the_doctor_finds_this_checkout_healthy_and_tells_where_things_are(
    work: Path, tmp_path: Path
) -> None:
    ran = installed("doctor", "--verbose", cwd=work, XDG_RUNTIME_DIR="", TMPDIR=str(tmp_path))
    assert ran.returncode == PASSED, ran.stdout
    *lines, last = ran.stdout.splitlines()
    facts = dict(line[5:].split(": ", 1) for line in lines if line.startswith("     "))
    assert all(line.startswith(("ok ", "on ", "off ")) for line in lines[: -len(facts)])
    assert last == "This machine can grade."
    told = rf"(\w+)\.log in {tmp_path}/grader-{os.getuid()}, beside its \1\.socket; none runs"
    assert re.fullmatch(told, facts["standard error of the server"])
    assert facts["folder of a child"].startswith(f"{tmp_path}/grader-")
    assert platform.release() in facts["kernel"] and facts["Python"] == sys.executable
    assert "ok   this machine " in ran.stdout


def test_version(work: Path) -> None:
    ran = grader("--version", cwd=work)
    assert (ran.returncode, ran.stdout) == (PASSED, f"grader {__version__}\n")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "check",
        "list",
        "show",
        "hint",
        "next",
        "explain",
        "solution",
        "reset",
        "build",
        "doctor",
        "train",
        "report",
    ],
)
def test_help(command: str, work: Path) -> None:
    ran = grader(*command.split(), "--help", cwd=work)
    assert ran.returncode == PASSED
    assert ran.stdout.startswith(f"usage: grader {command}".rstrip())
    assert ran.stderr == ""


def imported(*args: str, cwd: Path) -> set[str]:
    """The top-level packages that the command's own process imports, where no server does it all."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "grader.cli", *args],
        cwd=cwd,
        env=environ(GRADER_NO_SERVER="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert ran.returncode == PASSED, ran.stderr[-500:]
    lines = [line for line in ran.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 20
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


LIGHT = [["--help"], ["--version"], ["check", "--help"], ["list"], ["list", "ex1"], ["show", "ex1.dprobs"]]
LIGHT += [["hint", "ex1.dprobs"], ["next"], ["explain", "ex1.dcounts"]]


@pytest.mark.parametrize("args", LIGHT, ids=" ".join)
def test_reading_imports_nothing_heavy(args: list[str], work: Path) -> None:
    assert imported(*args, cwd=work) & {"torch", "numpy", "safetensors", "rich", "nbformat"} == set()


def test_check_imports_no_torch_into_its_own_process(work: Path) -> None:
    found = imported("check", "ex1", "--solutions", cwd=work)
    assert "numpy" in found
    assert "torch" not in found
