"""From a save to the page of `grader live ex1` with the new verdict, as ratios of `import torch` and in ms.

The aim is 300 ms. Each save is a rename, as an editor's is; the clock runs from before the write until the
page has been told of and has been fetched with the new verdict in it, as a browser does. Putting it on the
screen is the browser's own time.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Sequence
from urllib.request import urlopen

from benchmarks.common import (
    BARE,
    GRADER,
    TORCH,
    Results,
    learners_own,
    one_wrong,
    p99,
    parsed,
    ratios,
    save,
    script,
    seconds,
    solution,
)

NODE = '<a class="node {}" href="#ex1.dprobs"'


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, rounds=(40, 1))
    right = solution("ex1")
    saves = {"one wrong": (one_wrong(right), "wrong"), "all right": (right, "exact")}
    times: dict[str, list[float]] = {name: [] for name in (TORCH, *saves)}
    with learners_own(right) as (mine, environ):
        command = [GRADER, "live", "ex1", "--no-browser"]
        with subprocess.Popen(
            command, cwd=mine.parents[1], env=environ, stdout=subprocess.PIPE, text=True
        ) as live:
            assert live.stdout
            url = live.stdout.readline().split()[-1]
            with urlopen(f"{url}events", timeout=60) as events:
                for number in range(args.rounds):
                    times[TORCH].append(seconds(BARE))
                    for name, (source, kind) in saves.items():
                        start = save(mine, source + b"# %d\n" % number)
                        while NODE.format(kind) not in urlopen(url, timeout=60).read().decode():
                            while not events.readline().startswith(b"data:"):
                                pass
                        times[name].append(time.perf_counter() - start)
            live.terminate()
    taken = [second for name in saves for second in times[name]]
    figures = {"a save, median ms": statistics.median(taken) * 1000, "a save, p99 ms": p99(taken) * 1000}
    return {**ratios(times, TORCH, tail=True), **figures}


if __name__ == "__main__":
    script(main)
