"""A batch killed at any moment goes on from where it was, to the same bytes, and grades nothing twice."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from classroom import (
    FAILED,
    GRADER,
    SEEDED,
    Counting,
    One,
    batch_command,
    environ,
    quiet,
    right,
    snapshot,
    write,
    wrong,
)
from conftest import DEADLINE, examples, sampled
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.classroom import batch, files
from grader.classroom.results import Result
from grader.core.exercise import Task
from grader.submissions.uploads import Intake, uploads

COUNT = 60


@pytest.fixture(scope="module")
def klass(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All different but two; one has nothing to grade."""
    sources = {f"s{n:02}/ex1.py": right(n) if n % 4 else wrong(n) for n in range(COUNT)}
    folder = tmp_path_factory.mktemp("kill") / "in"
    return write(folder, {**sources, "twin/ex1.py": sources["s07/ex1.py"], "none/essay.txt": "essay"})


@pytest.fixture(scope="module")
def whole(klass: Path) -> dict[str, bytes]:
    """What a run that nobody disturbs leaves."""
    out = klass.parent / "whole"
    assert batch_command(klass, out=out).returncode == FAILED
    return snapshot(out)


def keys(journal: Path) -> list[str]:
    """The keys of whole lines."""
    if not journal.exists():
        return []
    return [json.loads(line)["key"] for line in journal.read_bytes().split(b"\n")[:-1] if line]


def start(klass: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [str(GRADER), "batch", *SEEDED, str(klass), "--out", str(out), "--workers", "2"]
    return subprocess.Popen(command, env=environ(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def kill_after(process: subprocess.Popen[bytes], journal: Path, lines: int) -> bool:
    """SIGKILL to the one process once the journal has so many lines; False where it was done before."""
    deadline = time.monotonic() + DEADLINE
    assert process.stderr is not None
    while process.poll() is None and time.monotonic() < deadline:
        if lines == 0 or (journal.exists() and journal.read_bytes().count(b"\n") >= lines):
            os.kill(process.pid, signal.SIGKILL)
            break
        select.select([process.stderr], [], [], 0.002)  # readable only at its end
    said = process.communicate(timeout=DEADLINE)[1]
    assert said == b"", said
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("lines", sampled([20, 0, COUNT - 1], 3))
def test_a_killed_batch_goes_on_to_the_same_bytes(
    lines: int, klass: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert kill_after(start(klass, out), out / "journal.jsonl", lines)
    had = keys(out / "journal.jsonl")
    assert len(had) >= lines and len(set(had)) == len(had)
    assert batch_command(klass, out=out).returncode == FAILED
    assert snapshot(out) == whole


@pytest.mark.slow
def test_killed_again_and_again_nothing_is_graded_twice(
    klass: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    had: list[str] = []
    for lines in (5, 15, 30, 45):
        if not kill_after(start(klass, out), out / "journal.jsonl", lines):
            break
        now = keys(out / "journal.jsonl")
        assert now[: len(had)] == had and len(set(now)) == len(now)
        had = now
    assert len(had) >= 30
    assert batch_command(klass, out=out).returncode == FAILED
    assert snapshot(out) == whole


def test_what_a_killed_batch_started_ends_with_it(klass: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(klass, out)
    journal = out / "journal.jsonl"
    assert process.stderr is not None
    started: list[str] = []
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and not (journal.exists() and journal.read_bytes().count(b"\n")):
        select.select([process.stderr], [], [], 0.002)
    threads = Path(f"/proc/{process.pid}/task")
    for one in threads.iterdir():
        started += (one / "children").read_text().split()
    assert started
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=DEADLINE)
    deadline = time.monotonic() + DEADLINE
    while any(_runs(pid) for pid in started) and time.monotonic() < deadline:
        os.sched_yield()
    assert not [pid for pid in started if _runs(pid)]


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.slow
def test_stopped_by_the_keyboard_it_goes_on_too(klass: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = start(klass, out)
    journal = out / "journal.jsonl"
    assert process.stderr is not None
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and not (journal.exists() and journal.read_bytes().count(b"\n") > 9):
        select.select([process.stderr], [], [], 0.002)
    os.kill(process.pid, signal.SIGINT)
    said = process.communicate(timeout=DEADLINE)[1]
    assert process.returncode == 130 and said.count(b"\n") <= 1 and b"Traceback" not in said
    assert batch_command(klass, out=out).returncode == FAILED
    assert snapshot(out) == whole


# --- the same within this process, at every byte -----------------------------------------------------


class Lazy(One):
    """Grades nothing, and always says the same."""

    def grade(self, exercise: str, source: bytes, filename: str) -> Result:
        own: dict[str, Any] = {"submission": filename, "output": source.decode("utf-8", "replace")}
        rest: dict[str, Any] = {"exercises": [], "notes": [], "protection_off": []}
        return {**own, **rest, "score": 1, "max_score": 1, "passed": True}


class Killed(BaseException):
    """As a kill ends a batch: at once, without cleaning up."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "in"
    write(folder, {f"s{n}/ex1.py": f"# {n} ö\n" for n in range(5)})
    return folder


@pytest.fixture(scope="module")
def journal(few: Path, exercises: dict[str, Task]) -> bytes:
    """The journal of a batch that graded all of them, and then was killed."""
    out = few.parent / "journal"
    out.mkdir()
    told = batch.run(
        batch.Class(uploads([few], Intake(["ex1"], None)), {"ex1": exercises["ex1"]}), out, Lazy(), 1, quiet
    )
    assert isinstance(told, Generator)
    for _ in range(5):
        next(told)
    data = (out / "journal.jsonl").read_bytes()
    told.close()
    assert data.count(b"\n") == 5
    return data


def finish(few: Path, exercises: dict[str, Task], out: Path) -> int:
    """Run to the end; how many were graded now."""
    counting = Counting(Lazy())
    found = uploads([few], Intake(["ex1"], None))
    files.write(batch.run(batch.Class(found, {"ex1": exercises["ex1"]}), out, counting, 1, quiet), out)
    return len(counting.asked)


@pytest.fixture(scope="module")
def finished(few: Path, exercises: dict[str, Task]) -> dict[str, bytes]:
    out = few.parent / "finished"
    out.mkdir()
    assert finish(few, exercises, out) == 5
    return snapshot(out)


def cut(journal: bytes, at: int, out: Path) -> None:
    for path in sorted(out.rglob("*"), reverse=True) if out.exists() else ():
        path.rmdir() if path.is_dir() else path.unlink()
    out.mkdir(exist_ok=True)
    (out / "journal.jsonl").write_bytes(journal[:at])


def test_a_journal_cut_at_every_byte_of_its_last_line_goes_on(
    few: Path, journal: bytes, finished: dict[str, bytes], exercises: dict[str, Task], tmp_path: Path
) -> None:
    start_of_last = journal[:-1].rindex(b"\n") + 1
    for at in range(start_of_last, len(journal) + 1):
        cut(journal, at, tmp_path / "out")
        assert finish(few, exercises, tmp_path / "out") == (0 if at == len(journal) else 1), at
        assert snapshot(tmp_path / "out") == finished, at


@given(data=st.data())
@settings(max_examples=examples(80))
def test_a_journal_cut_or_damaged_anywhere_goes_on(
    data: st.DataObject,
    few: Path,
    journal: bytes,
    finished: dict[str, bytes],
    exercises: dict[str, Task],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    out = tmp_path_factory.getbasetemp() / "cut"
    at = data.draw(st.integers(0, len(journal)))
    # what a file system leaves of a tail that it never wrote; or what an editor did to it
    tail = data.draw(st.sampled_from([b"", b"\0" * 99, b"\xff\xfe\n", b"{}\n", b"[]\n", b"\n\n", b'{"key']))
    damaged = journal[:at] + tail
    cut(damaged, len(damaged), out)
    there = set(damaged.split(b"\n")[:-1])  # a tail may end the last line as it was
    assert finish(few, exercises, out) == sum(line not in there for line in journal.splitlines())
    assert snapshot(out) == finished


@pytest.mark.parametrize("moment", ["before the results", "between results and journal", "before the grades"])
def test_killed_while_the_results_are_written(
    moment: str,
    few: Path,
    journal: bytes,
    finished: dict[str, bytes],
    exercises: dict[str, Task],
    tmp_path: Path,
) -> None:
    """The states that a kill can leave between the last steps."""
    out = tmp_path / "out"
    cut(journal, len(journal), out)
    if moment == "before the results":
        (out / "results.jsonl.new").write_bytes(finished["results.jsonl"][:100])
    else:
        (out / "results.jsonl").write_bytes(finished["results.jsonl"])
        (out / "grades.csv.new").write_bytes(finished["grades.csv"][:50])
    if moment == "before the grades":
        (out / "journal.jsonl").unlink()
    assert finish(few, exercises, out) == 0
    assert snapshot(out) == finished


def test_an_error_in_the_middle_loses_nothing(
    few: Path, finished: dict[str, bytes], exercises: dict[str, Task], tmp_path: Path
) -> None:
    """What tells the progress breaks: the next run has what was graded."""
    graded: list[int] = []

    def tell(progress: batch.Progress) -> None:
        graded.append(progress.done)
        if progress.done == 3:
            raise Killed

    found = uploads([few], Intake(["ex1"], None))
    with pytest.raises(Killed):
        list(batch.run(batch.Class(found, {"ex1": exercises["ex1"]}), tmp_path, Lazy(), 1, tell))
    assert finish(few, exercises, tmp_path) == 2
    assert snapshot(tmp_path) == finished
