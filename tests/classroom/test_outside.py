"""What something else than a submission did to its run is no grade: tried again, alone, and not kept."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from classroom import Counting, results, right, verdicts, write
from conftest import EXERCISES
from test_attacks import children, until, zygote_of

from grader.classroom import batch, local
from grader.classroom.local import Local
from grader.classroom.results import Store
from grader.core.exercise import Task
from grader.runner import wire
from grader.runner.host.client import CPU, WALL, Run, Runner
from grader.runner.host.job import SHARE, Job, by_others
from grader.runner.host.turns import Turns
from grader.submissions.uploads import Intake, uploads

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for a child in /proc")

# nobody reads what it prints before the test has done what it does: so it is under way until then
WAITS = right() + "\nprint('x' * (4 << 20), flush=True)\n"


def out_of_time(*_: object) -> None:
    raise TimeoutError


class Disturbed(Runner):
    """A runner in which the first `times` runs are killed, or have no time."""

    times, how = 0, "killed"
    under_way: int

    def _pumped(self, job: Job, parser: wire.Parser, wall: float, cpu: int) -> Run:
        if Disturbed.times:
            Disturbed.times -= 1
            (child,) = until(lambda: children(zygote_of(self)))
            if Disturbed.how == "killed":
                os.kill(child, signal.SIGKILL)
            else:
                job.pump = out_of_time  # type: ignore[assignment, method-assign]
        return super()._pumped(job, parser, wall, cpu)


@pytest.fixture
def disturb(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], None]:
    def of(times: int, how: str) -> None:
        monkeypatch.setattr(local, "Runner", Disturbed)
        monkeypatch.setattr(Disturbed, "times", times)
        monkeypatch.setattr(Disturbed, "how", how)

    return of


@pytest.mark.parametrize("how", ["killed", "late"])
def test_what_was_disturbed_is_tried_again_and_not_kept(
    how: str, tmp_path: Path, exercises: dict[str, Task], disturb: Callable[[int, str], None]
) -> None:
    ex1 = {"ex1": exercises["ex1"]}
    found = uploads([write(tmp_path / "in", {"a/ex1.py": WAITS})], Intake(EXERCISES, "ex1"))
    local = Local(ex1)
    grader = Counting(local)

    def grade() -> dict[str, str]:
        tuple(batch.run(batch.Class(found, ex1), tmp_path, grader, 1, lambda _: None))
        return verdicts(results(tmp_path)[0])

    try:
        disturb(0, how)
        assert set(grade().values()) == {"exact"}
        (tmp_path / "results.jsonl").unlink()
        disturb(2, how)
        worst = {"error" if how == "killed" else "over-limit"}
        assert worst <= set(grade().values()), "it was disturbed twice"
        disturb(1, how)
        assert set(grade().values()) == {"exact"}
        assert len(grader.asked) == 3, "a disturbed result was used again"
        grade()
        assert len(grader.asked) == 3, "one that was tried again with success was not"
    finally:
        local.close()


def test_a_journal_holds_a_disturbed_result_for_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.open()
    store.add("a", {"key": "a", "outside": True})
    store.add("b", {"key": "b", "outside": False})
    store.journal.close()
    again = Store(tmp_path)
    again.open()
    again.journal.close()
    assert set(again.places) == {"b"}


KILLED, EXITED = int(signal.SIGKILL), 1 << 8


@pytest.mark.parametrize(
    ("status", "used", "wall", "why", "others"),
    [
        pytest.param(KILLED, 0.1, 20, "", True, id="it slept, or was stopped"),
        pytest.param(KILLED, 8, 20, "", True, id="it had less than half a processor"),
        pytest.param(KILLED, 2, 3, "", False, id="it had its share"),
        pytest.param(KILLED, 0.1, None, "", True, id="somebody killed it"),
        pytest.param(int(signal.SIGSEGV), 0.1, None, "", True, id="a signal may be anybody's"),
        pytest.param(KILLED, 10, None, "", False, id="its processor time was over"),
        pytest.param(int(signal.SIGXCPU), 9.999, None, "", False, id="as the kernel counts it"),
        pytest.param(KILLED, 0.1, None, "wrote more than 64 MB", False, id="it filled its folder"),
        pytest.param(EXITED, 0.1, None, "", False, id="it ended itself"),
    ],
)
def test_what_a_submission_did_itself_is_its_own(
    status: int, used: float, wall: float | None, why: str, others: bool
) -> None:
    assert by_others({"status": status, "cpu": used, "why": why}, wall, CPU) is others


def test_the_limits_leave_each_child_half_a_processor() -> None:
    assert SHARE * WALL == CPU


def test_alone_is_alone() -> None:
    turns, order = Turns(), []

    def alone() -> None:
        with turns.alone():
            order.append(f"alone, beside {turns.under_way}")

    def beside() -> None:
        with turns.beside():
            order.append("beside")

    with turns.beside():
        first = threading.Thread(target=alone)
        first.start()
        until(lambda: turns.taken)
        second = threading.Thread(target=beside)
        second.start()
        assert order == []
    first.join()
    second.join()
    assert order == ["alone, beside 0", "beside"]
