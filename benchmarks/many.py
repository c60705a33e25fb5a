"""A large class whose submissions are copies with changed comments, as `grader batch` grades and writes it.

Each copy is other bytes, so each is graded; what they share must not make memory grow, nor `grader insight`
slow. --cluster of them go to a Dask cluster of this machine too, one worker with two threads, beside as many
without.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.common import Results, exercises, one_wrong, parsed, script, solution
from grader.classroom import batch, files, similar
from grader.classroom.batch import Grader, Progress
from grader.classroom.local import Local
from grader.classroom.results import Result
from grader.core.exercise import Task
from grader.submissions.uploads import Intake, uploads

MB = 1e6


def main(argv: Sequence[str]) -> Results:
    args = parsed(
        argparse.ArgumentParser(description=__doc__), argv, submissions=(2000, 40), cluster=(400, 20)
    )
    ex1 = exercises("ex1")
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        klass(room / "in", args.submissions)
        local = Local(ex1)
        results = graded(room / "in", room / "out", local, ex1)
        shared = time.process_time()
        index = similar.Index()
        for result in files.results(room / "out"):
            source = Path(result["submission"]).read_bytes()
            index.add(result, similar.read(source, similar.verdicts(result)))
        index.pairs()
        results["seconds for what they share"] = time.process_time() - shared
        if len(index.groups()) != 1:
            raise RuntimeError("the copies are not seen to be copies")
        if args.cluster:
            results |= beside(room, args.cluster, ex1, local)
        local.close()
    return results


def klass(folder: Path, many: int) -> None:
    """One wrong answer, and a comment of each student's own, at two places."""
    source = one_wrong(solution("ex1"))
    folder.mkdir(parents=True)
    for n in range(many):
        own = source.replace(b"return counts", b"# %d, by myself\n    return counts" % n, 1)
        (folder / f"{n:05}").mkdir()
        (folder / f"{n:05}" / "ex1.py").write_bytes(own + b"# student %d\n" % n)


def graded(folder: Path, out: Path, grader: Grader, ex1: dict[str, Task], workers: int = 2) -> Results:
    """Submissions a second; the memory of this process and of its children, in either half."""
    found = uploads([folder], Intake(["ex1"], "ex1"))
    first, last = [0.0, 0.0], [0.0, 0.0]  # the most in either half, of this process and of its children

    def tell(progress: Progress) -> None:
        if progress.done % max(1, progress.total // 50) == 0:
            half = first if progress.done * 2 <= progress.total else last
            half[:] = map(max, half, memory())

    out.mkdir()
    start = time.perf_counter()
    summary = files.write(counted(batch.run(batch.Class(found, ex1), out, grader, workers, tell)), out)
    taken = time.perf_counter() - start
    if summary.submissions != len(found) or summary.problems:
        raise RuntimeError(f"{summary.submissions} of {len(found)} graded: {summary.problems}")
    return {
        "submissions": len(found),
        "submissions a second": len(found) / taken,
        "MB of the command": last[0],
        "MB of the command, second half / first": last[0] / first[0],
        "MB of its children": last[1],
        "MB of its children, second half / first": last[1] / (first[1] or 1),
    }


def counted(results: Iterator[Result]) -> Iterator[Result]:
    for result in results:
        if sum(not item["passed"] for item in result["exercises"][0]["items"]) != 1:
            raise RuntimeError(f"{result['submission']}: not one wrong answer")
        yield result


def memory() -> tuple[float, float]:
    """MB of this process, and of all below it what is their own."""
    below = [os.getpid()]
    for pid in below:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                below += map(int, path.read_text().split())
            except OSError:  # it has ended
                continue
    return sum(map(own, below[:1])), sum(map(own, below[1:]))


def own(pid: int) -> float:
    """MB that a process shares with no file: 0 where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(x.split()[1]) for x in lines if x.startswith("Pss_Anon:")) * 1024 / MB
    except (OSError, IndexError):
        return 0.0


def beside(room: Path, many: int, ex1: dict[str, Task], local: Local) -> Results:
    """The same class on a cluster of this machine and without one, by turns."""
    from distributed import LocalCluster

    from grader.classroom.dask import Cluster

    klass(room / "some", many)
    rates: dict[str, list[float]] = {"here": [], "there": []}
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        remote = Cluster(cluster.scheduler_address, ex1)
        for turn in range(2):
            for name, grader, workers in (("here", local, 2), ("there", remote, remote.slots())):
                done = graded(room / "some", room / f"{name}{turn}", grader, ex1, workers)
                rates[name].append(done["submissions a second"])
        remote.close()
    here, there = (max(each) for each in rates.values())
    return {
        "on Dask's cluster: submissions a second": there,
        "rate on Dask's cluster / without": there / here,
    }


if __name__ == "__main__":
    if sys.platform != "linux":
        sys.exit("it reads /proc")
    script(main)
