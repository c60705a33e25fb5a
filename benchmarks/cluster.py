"""The same class on a Dask cluster of this machine and without one: what the cluster costs, as a ratio.

One worker process with two threads, so that both sides have one zygote and two children under way.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from distributed import LocalCluster

from benchmarks.common import Results, blocks, exercises, graded, parsed, script, solution
from grader.classroom.dask import Cluster
from grader.classroom.local import Local


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, submissions=(200, 4))
    ex1, right = exercises("ex1"), solution("ex1")
    sources = [right + b"# %d\n" % i for i in range(args.submissions)]
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=None) as cluster:
        local, remote = Local(ex1), Cluster(cluster.scheduler_address, ex1)
        for grader in (local, remote):
            graded(grader, sources[:20], 3)
        here = there = 0.0
        for some in blocks(sources):
            here += graded(local, some, 3)[0]
            there += graded(remote, some, 3)[0]
        local.close()
        remote.close()
    return {
        "without a cluster: submissions a second": len(sources) / here,
        "on a cluster: submissions a second": len(sources) / there,
        "rate on a cluster / without": here / there,
    }


if __name__ == "__main__":
    script(main)
