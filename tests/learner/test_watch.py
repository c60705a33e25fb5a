"""`grader watch` at a real terminal: every save graded, every key answered, the terminal given back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from conftest import DEADLINE, ROOT, sampled, stub_of
from hypothesis import given
from hypothesis import strategies as st

from grader.core.verdict import Check, ExerciseReport, ItemReport, Report, Verdict
from grader.learner.watch.changes import beside, changes, following
from grader.suite import fixtures

STUB = stub_of("ex1")
SOLUTION = (ROOT / "solutions/ex1.py").read_text()
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"}
ARGUMENTS = ["-m", "grader.cli", "watch"]
END = "? help"  # the last words of every screen
CLEAR = "\x1b[H\x1b[2J"
FIRST = "exercises/ex1.py"
ONWARD = "n goes on to dcounts_sum_inv"


def function(text: str, name: str) -> str:
    return next(part for part in text.split("\n\n\n") if part.startswith(f"def {name}(")).rstrip("\n")


def written(*names: str, **instead: str) -> str:
    """The stub with these items written as in the solution; instead: by name another body."""
    text = STUB
    for name in names:
        text = text.replace(function(STUB, name), function(SOLUTION, name))
    for name, body in instead.items():
        old = function(STUB, name)
        text = text.replace(old, f"{old.splitlines()[0]}\n    {body}")
    return text


RIGHT = written("dlogprobs", "dprobs")
WRONG = written("dlogprobs", dprobs="return -dlogprobs / probs")
HANGS = written("dlogprobs", dprobs="while True: pass")


def save(path: Path, text: str) -> None:
    """As most editors do: another file that takes the name."""
    new = path.with_name("new~")
    new.write_text(text)
    os.replace(new, path)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / FIRST
    path.parent.mkdir()
    path.write_text(written("dlogprobs"))
    return path


Spawn = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def spawn(mine: Path) -> Iterator[Spawn]:
    """Programs on a terminal of their own, in the folder that has exercises/."""
    started = []

    def start(command: str, *args: str) -> pexpect.spawn[str]:
        child = pexpect.spawn(
            command,
            list(args),
            cwd=str(mine.parent.parent),
            env=ENVIRON,
            encoding="utf-8",
            timeout=DEADLINE,
            dimensions=(60, 110),
        )
        child.delaybeforesend = None
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


@pytest.fixture
def watch(spawn: Spawn) -> Spawn:
    def start(*words: str) -> pexpect.spawn[str]:
        child = spawn(sys.executable, *ARGUMENTS, *words)
        child.expect_exact(END)
        return child

    return start


def shown(child: pexpect.spawn[str], *texts: str) -> str:
    """Wait for each text in turn, and for the end of the screen that has the last; what came before that."""
    for text in texts:
        child.expect_exact(text)
    child.expect_exact(END)
    return str(child.before)


# --- saves -------------------------------------------------------------------------------------------


def test_it_begins_at_the_first_item_that_has_not_passed_and_stays_until_n_when_it_passes(
    mine: Path, spawn: Spawn
) -> None:
    child = spawn(sys.executable, *ARGUMENTS)
    shown(child, "1 of 26 passed", "ex1.dprobs: not written", "ex1.dprobs(probs, dlogprobs)")
    save(mine, WRONG)
    shown(child, "dprobs: was not written, now wrong: line", "The sign is wrong.", "yours", "autograd's", "^")
    save(mine, RIGHT)
    shown(child, "2 of 26 passed", f"dprobs passed; {ONWARD}", "ex1.dprobs: exact")
    child.send("n")
    shown(child, "ex1.dcounts_sum_inv: not written")
    save(mine, written("dprobs", dlogprobs="return 2 * logprobs"))
    shown(child, "dlogprobs: was passed, now wrong: line", "dcounts_sum_inv: not written")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    state = json.loads((mine.parent.parent / ".grader/progress.json").read_text())
    assert state["items"]["ex1.dprobs"]["passed"] and not state["items"]["ex1.dlogprobs"]["passed"]


def test_a_named_item_is_where_it_stays(mine: Path, watch: Spawn) -> None:
    child = watch("ex1.dh")
    save(mine, RIGHT)
    assert "ex1.dh(" in shown(child, "dprobs passed")


def test_asked_to_it_goes_on_without_a_key(mine: Path, watch: Spawn) -> None:
    child = watch("ex1", "--go-on")
    save(mine, RIGHT)
    shown(child, "dprobs passed, next: dcounts_sum_inv", "ex1.dcounts_sum_inv: not written")


def test_after_the_last_item_n_goes_on_to_the_next_exercise(mine: Path, watch: Spawn) -> None:
    second = mine.with_name("ex2.py")
    second.write_text(stub_of("ex2"))
    child = watch("ex1")
    names = [item.name for item in fixtures.describe(ROOT, "ex1").items]
    save(mine, written(*names))
    shown(child, "26 of 26 passed", "ex1 is done. You have built:", "Next: ex2, ", "n goes there.")
    child.send("n")
    shown(child, "0 of 1 passed  exercises/ex2.py", "ex2.dlogits: not written")
    second.write_text(stub_of("ex2") + "\n\ndef dlogits(logits, Yb, n):\n    return logits\n")
    shown(child, "dlogits: was not written, now wrong", "ex2.dlogits")


def test_the_verdict_stays_in_view_whatever_is_printed(mine: Path, watch: Spawn) -> None:
    child = watch("ex1")
    child.setwinsize(24, 80)
    save(mine, written("dlogprobs", dprobs="print(*range(1000), sep='\\n')\n    return -dlogprobs / probs"))
    shown(child, "now wrong", "The sign is wrong.", "lines, the last of them:", "999")
    rows = str(child.before + child.after).rpartition(CLEAR)[2].splitlines()
    assert len(rows) <= 24 and max(map(len, rows)) <= 80
    child.send("?")  # what is asked for comes before what is printed
    shown(child, "a hint, one rung further", "quit (Ctrl-C too", "lines, the last of them:", "999")


def test_a_note_of_what_passed_is_shown(mine: Path, watch: Spawn) -> None:
    child = watch("ex1.dlogits")
    body = (
        "return dnorm_logits - F.one_hot(logits.max(1).indices, logits.shape[1]) * dnorm_logits.sum(1, True)"
    )
    save(mine, written("dlogprobs", dlogits=body))
    shown(child, "dlogits passed", "graded for what it uses: dnorm_logits")


def test_ways_to_save(mine: Path, watch: Spawn) -> None:
    """In place, in pieces, deleted and made again, half-written, and once more as it was."""
    child = watch("ex1")
    mine.write_text(RIGHT)
    shown(child, "dprobs passed")
    with mine.open("w") as file:
        for part in (WRONG[:3000], WRONG[3000:6000], WRONG[6000:]):
            file.write(part)
            file.flush()
    shown(child, "dprobs: was passed, now wrong")
    mine.unlink()
    shown(child, "exercises/ex1.py does not exist: waiting for it")
    mine.write_text(RIGHT)
    shown(child, "dprobs passed")
    mine.write_text(RIGHT)
    shown(child, "dprobs passed", "unchanged")
    save(mine, RIGHT + "\n# a remark\n")
    shown(child, "no item's verdict has changed")
    save(mine, RIGHT + "\n\ndef dh(dlogits:\n")
    screen = shown(child, "2 of 26 passed")
    assert "Traceback" not in screen
    save(mine, "")
    shown(child, "0 of 26 passed", "dlogprobs: was passed, now not written")


def test_a_folder_that_goes_and_comes_back_is_watched_again(mine: Path, watch: Spawn) -> None:
    child = watch("ex1")
    folder = mine.parent
    folder.rename(folder.with_name("away"))
    shown(child, "does not exist: waiting for it")
    folder.mkdir()
    mine.write_text(RIGHT)
    shown(child, "dprobs passed")
    save(mine, WRONG)
    shown(child, "dprobs: was passed, now wrong")


def test_a_save_ends_a_run_that_hangs(mine: Path, watch: Spawn) -> None:
    child = watch("ex1")
    save(mine, HANGS)
    shown(child, "is still running")
    child.send("?")
    shown(child, "the previous one")
    save(mine, RIGHT)
    shown(child, f"dprobs passed; {ONWARD}")
    save(mine, HANGS)
    shown(child, "is still running: a save begins anew, q quits")
    child.send("q")
    child.expect(pexpect.EOF)


@pytest.mark.slow
def test_a_hang_is_ended_by_the_runners_limits(mine: Path, watch: Spawn) -> None:
    child = watch("ex1")
    save(mine, HANGS)
    shown(child, "dprobs: was not written, now over limit")


def test_a_notebook(mine: Path, watch: Spawn) -> None:
    def notebook(*cells: str) -> str:
        made: list[dict[str, Any]] = [
            {"cell_type": "code", "source": c, "metadata": {}, "outputs": [], "execution_count": None}
            for c in cells
        ]
        return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

    forward = fixtures.describe(ROOT, "ex1").program
    body = "\n".join(line.strip() for line in forward.splitlines() if " = " in line)
    first = "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/n"
    path = mine.parent.parent / "work.ipynb"
    path.write_text(notebook("import torch\nn = 32", body, first))
    child = watch("ex1", "work.ipynb")
    save(path, notebook("import torch\nn = 32", body, first, "dprobs = (1.0 / probs) * dlogprobs"))
    shown(child, "work.ipynb", f"dprobs passed; {ONWARD}")
    save(path, '{"cells": [')
    shown(child, "work.ipynb is not a notebook")
    assert not (mine.parent.parent / ".grader").exists()


def test_progress_that_cannot_be_kept(mine: Path, watch: Spawn) -> None:
    (mine.parent.parent / ".grader").write_text("a file, where a folder is to be")
    child = watch("ex1")
    save(mine, written("dlogprobs", "dprobs"))
    shown(child, f"dprobs passed; {ONWARD}", "won't know of this check")


# --- keys --------------------------------------------------------------------------------------------


def test_keys(mine: Path, watch: Spawn) -> None:
    child = watch("ex1")
    child.send("h")
    shown(child, "ex1.dprobs, hint 1 of 4", "`h` gives the next: ")
    child.send("h")
    shown(child, "ex1.dprobs, hint 2 of 4")
    child.send("n")
    shown(child, "ex1.dcounts_sum_inv(")
    child.send("pp")
    shown(child, "ex1.dprobs(")
    shown(child, "dlogprobs: exact", "ex1.dlogprobs(")
    child.send("a")
    shown(child, "> ✓ dlogprobs ", "exact", "· dprobs", "not written", "dC ")
    child.send("a")
    shown(child, "ex1.dlogprobs(")
    child.send("?")
    shown(child, "the previous one")
    child.send("\x1b[A")  # an arrow means nothing
    child.send("r")
    shown(child, "no item's verdict has changed")
    child.setwinsize(40, 70)
    shown(child, "1 of 26 passed")


# --- the terminal ------------------------------------------------------------------------------------

WRAPPED = """
import signal, subprocess, sys, termios
signal.signal(signal.SIGINT, lambda *_: None)
before = termios.tcgetattr(0)
process = subprocess.Popen([sys.executable, *sys.argv[1:]])
print("pid", process.pid, flush=True)
code = process.wait()
print("code", code, "the same" if termios.tcgetattr(0) == before else "other", flush=True)
"""


@pytest.mark.parametrize(
    ("how", "code"),
    sampled([("\x03", 130), ("q", 1), ("TERM", 1), ("\x04", 1), ("fault", 3), ("HUP", 1)], 2),
)
def test_the_terminal_is_given_back(how: str, code: int, mine: Path, spawn: Spawn) -> None:
    child = spawn(sys.executable, "-c", WRAPPED, *ARGUMENTS, "ex1")
    child.expect(r"pid (\d+)")
    pid = int(child.match[1])
    child.expect_exact(END)
    if how == "fault":  # the computing process is gone
        tasks = Path(f"/proc/{pid}/task").iterdir()
        for zygote in [int(z) for task in tasks for z in (task / "children").read_text().split()]:
            os.kill(zygote, signal.SIGKILL)
        save(mine, RIGHT)
    elif len(how) > 1:
        os.kill(pid, signal.Signals[f"SIG{how}"])
    else:
        child.send(how)
    child.expect_exact(f"code {code} the same")


def test_put_aside_and_brought_back(mine: Path, spawn: Spawn) -> None:
    shell = spawn("bash", "--norc", "--noediting", "-i")
    shell.sendline("PS1='ready ' && stty -g > before")
    shell.sendline(" ".join([sys.executable, *ARGUMENTS, "ex1"]))
    shown(shell, "dprobs: not written")
    shell.send("\x1a")
    shell.expect_exact("Stopped")
    save(mine, RIGHT)
    shell.sendline("stty -g > aside; fg")
    shown(shell, "dprobs passed")
    shell.send("q")
    shell.expect_exact("ready ")
    shell.sendline("stty -g > after; echo don''e")
    shell.expect_exact("done")
    folder = mine.parent.parent
    modes = [(folder / name).read_text() for name in ("before", "aside", "after")]
    assert modes[0] == modes[1] == modes[2]


# --- without a terminal ------------------------------------------------------------------------------


def test_in_a_script_it_prints_lines_and_ends_with_its_input(mine: Path) -> None:
    with subprocess.Popen(
        [sys.executable, *ARGUMENTS, "ex1"],
        cwd=mine.parent.parent,
        env=ENVIRON,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        assert process.stdout.readline() == "exercises/ex1.py: the first run …\n"
        assert process.stdout.readline() == "1 of 26 passed  exercises/ex1.py\n"
        assert process.stdout.readline() == "dprobs: not written\n"
        process.stdin.write("q")  # no key there
        process.stdin.flush()
        save(mine, WRONG)
        assert process.stdout.readline() == "1 of 26 passed  exercises/ex1.py\n"
        assert process.stdout.readline().startswith("dprobs: was not written, now wrong: line ")
        verdict = process.stdout.readline()
        assert re.fullmatch(r"dprobs: wrong: the sign is wrong.* \(line \d+, maxdiff \S+\)\n", verdict)
        save(mine, RIGHT)
        process.stdin.close()
        rest = process.stdout.read()
        assert "dprobs passed, next: dcounts_sum_inv\n" in rest and "\x1b" not in rest
        assert process.wait() == 1 and process.stderr.read() == ""


def test_what_was_never_a_notebook_ends_as_a_file_that_cant_be_graded(mine: Path) -> None:
    (mine.parent.parent / "half.ipynb").write_text("{")
    done = subprocess.run(
        [sys.executable, *ARGUMENTS, "ex1", "half.ipynb"],
        cwd=mine.parent.parent,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout.endswith("\ngrader: half.ipynb is not a notebook: its JSON is broken (line 1)\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ex1", "ex2"], "name one exercise"),
        (["ex9"], "there is no exercise ex9"),
        (["ex2"], "`grader reset ex2` makes it"),
        (["ex1", "no.py"], "no.py does not exist"),
    ],
)
def test_what_cant_be_watched_is_said_in_one_line(words: list[str], said: str, mine: Path) -> None:
    done = subprocess.run(
        [sys.executable, *ARGUMENTS, *words],
        cwd=mine.parent.parent,
        env=ENVIRON,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


# --- what changed, as words --------------------------------------------------------------------------

VERDICTS = (Verdict.EXACT, Verdict.APPROXIMATE, Verdict.WRONG, Verdict.NOT_WRITTEN, Verdict.ERROR)


def report(verdicts: list[Verdict]) -> Report:
    items = [ItemReport(f"ex1.d{i}", (), Check(v), "lecture") for i, v in enumerate(verdicts)]
    return Report("", (ExerciseReport("ex1", "", tuple(items)),))


@given(st.lists(st.tuples(*[st.sampled_from(VERDICTS)] * 2), min_size=1, max_size=5), st.integers(0, 4))
def test_each_change_is_told_once_and_nothing_else(pairs: list[tuple[Verdict, Verdict]], at: int) -> None:
    before, now = (report([p[k] for p in pairs]) for k in (0, 1))
    current = now.items[at % len(pairs)].id
    then = following(now, current)
    lines = list(changes(before, now, current, then))
    told = {line.split()[0].rstrip(":") for line in lines}
    differ = {f"d{i}" for i, (a, b) in enumerate(pairs) if a is not b and not (a.passed and b.passed)}
    assert told == differ and len(lines) == len(told)
    assert (then is None) == now.passed
    assert then is None or not next(i for i in now.items if i.id == then).passed
    assert beside(now, beside(now, current, 1), -1) == current
