"""The same batch on a Dask cluster of two worker processes on this machine, one of which is killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classroom import FAILED, Counting, batch_command, one_line, results, right, snapshot, write, wrong
from conftest import sampled

from grader.classroom import batch, files
from grader.classroom.batch import Progress
from grader.classroom.dask import Cluster
from grader.core.errors import UsageError
from grader.core.exercise import Task
from grader.submissions.uploads import Intake, uploads

distributed = pytest.importorskip("distributed")
slow = pytest.mark.slow

COUNT = 30


@pytest.fixture(scope="module")
def scheduler() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as one:
        yield one


@pytest.fixture(scope="module")
def klass(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Right and wrong ones, two alike, and some that end their process."""
    sources = {f"s{n:02}/ex1.py": right(n) if n % 3 else wrong(n) for n in range(COUNT)}
    sources |= {"twin/ex1.py": sources["s07/ex1.py"], "none/a.txt": "x"}
    sources |= {f"bad{n}/ex1.py": f"import os\n# {n}\nos.abort()\n" for n in range(3)}
    return write(tmp_path_factory.mktemp("cluster") / "in", sources)


SAVED = ("--probes", "saved")  # as a cluster that a test makes itself grades on


@pytest.fixture(scope="module")
def whole(klass: Path) -> dict[str, bytes]:
    """What this machine alone gives."""
    out = klass.parent / "local"
    assert batch_command(klass, *SAVED, out=out).returncode == FAILED
    return snapshot(out)


@slow
def test_a_worker_that_is_killed_takes_nothing_with_it(
    scheduler: Any, klass: Path, whole: dict[str, bytes], exercises: dict[str, Task], tmp_path: Path
) -> None:
    only = {"ex1": exercises["ex1"]}
    cluster = Cluster(scheduler.scheduler_address, only)
    killed: list[int] = []

    def tell(progress: Progress) -> None:
        if progress.done >= 10 and not killed:
            pids = cluster.client.run(os.getpid)
            killed.append(sorted(pids.values())[0])
            os.kill(killed[0], signal.SIGKILL)

    try:
        counting = Counting(cluster)
        assert cluster.slots() == 3
        found = uploads([klass], Intake(["ex1"], None))
        summary = files.write(
            batch.run(batch.Class(found, only), tmp_path, counting, cluster.slots(), tell), tmp_path
        )
    finally:
        cluster.close()
    assert killed and not Path(f"/proc/{killed[0]}/exe").exists()
    assert (summary.faults, summary.submissions) == (0, COUNT + 5)
    assert len(counting.asked) == COUNT + 3
    assert [r["submission"] for r in results(tmp_path)] == [u.id for u in found]
    assert snapshot(tmp_path) == whole


@pytest.mark.slow
def test_the_command_on_a_cluster_gives_the_same_bytes(
    scheduler: Any, klass: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ran = batch_command(klass, *SAVED, "--dask", scheduler.scheduler_address, out=out)
    assert ran.returncode == FAILED, ran.stderr
    assert b"Traceback" not in ran.stderr
    assert snapshot(out) == whole


@slow
def test_nobodys_thread_outlives_the_client(scheduler: Any, exercises: dict[str, Task]) -> None:
    before = threading.active_count()
    for _ in range(3):
        cluster = Cluster(scheduler.scheduler_address, {"ex1": exercises["ex1"]})
        assert cluster.grade("ex1", right().encode(), "it.py")["passed"]
        cluster.close()
    assert threading.active_count() <= before + 1


@pytest.mark.parametrize("address", sampled(["nonsense://x", "127.0.0.1:9", "", "tcp://127.0.0.1:x"], 4))
def test_where_nobody_answers_is_told_in_one_line(address: str, klass: Path, tmp_path: Path) -> None:
    ran = batch_command(klass, "--dask", address, out=tmp_path / "out")
    assert ran.returncode == 2, (ran.stdout, ran.stderr)
    assert "--dask" in one_line(ran)


def test_a_wrong_scheduler_is_a_usage_error(exercises: dict[str, Task]) -> None:
    with pytest.raises(UsageError, match="no scheduler answers"):
        Cluster("nonsense://x", {"ex1": exercises["ex1"]})
