"""The same class on a Dask cluster of this machine and without one: what the cluster costs, as a ratio.

Usage: python benchmarks/cluster.py [SUBMISSIONS]. One worker process with two threads, so that both
sides have one zygote and two children under way.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from grader import fixture
from grader.batch import Grader, Local
from grader.cluster import Cluster
from grader.core.exercise import Task

ROOT = Path(__file__).parent.parent


def seconds(grader: Grader, sources: list[bytes], in_flight: int) -> float:
    todo, lock = list(sources), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not todo:
                    return
                source = todo.pop()
            assert grader.grade("ex1", source, "ex1.py")["passed"]

    start = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def main(count: int = 200) -> None:
    from distributed import LocalCluster

    description = fixture.describe(ROOT, "ex1")
    exercises = {"ex1": Task(description, fixture.read(ROOT, description))}
    solution = (ROOT / "solutions" / "ex1.py").read_bytes()
    sources = [solution + b"# %d\n" % i for i in range(count)]
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        local, remote = Local(exercises), Cluster(cluster.scheduler_address, exercises)
        for grader in (local, remote):
            seconds(grader, sources[:20], 3)
        here = there = 0.0
        for start in range(0, count, 40):
            here += seconds(local, sources[start : start + 40], 3)
            there += seconds(remote, sources[start : start + 40], 3)
        local.close()
        remote.close()
    rates = f"local {count / here:.1f} a second, on the cluster {count / there:.1f}"
    print(f"{rates}: {here / there:.2f} of the rate")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
