"""From a save to the verdict shown by `grader watch ex1`, as a ratio of a bare `python -c "import torch"`.

The aim is 0.03. Each save is a rename, as an editor's is; the clock runs from before the write until the
last line of what the save gives has been read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import pexpect

from benchmarks.common import (
    BARE,
    GRADER,
    TORCH,
    Results,
    learners_own,
    one_wrong,
    parsed,
    ratios,
    save,
    script,
    seconds,
    solution,
)


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, rounds=(40, 1))
    right = solution("ex1")
    saves = {
        "one wrong": (one_wrong(right), "dprobs: was passed, now wrong"),
        "all right": (right, "dprobs passed"),
    }
    times: dict[str, list[float]] = {name: [] for name in (TORCH, *saves)}
    with learners_own(right) as (mine, environ):
        environ["TERM"] = "xterm"
        watch = pexpect.spawn(
            GRADER,
            ["watch", "ex1.dprobs"],
            cwd=str(mine.parents[1]),
            env=environ,
            encoding="utf-8",
            dimensions=(50, 120),
        )
        watch.delaybeforesend = None
        watch.expect_exact("? help", timeout=120)
        for number in range(args.rounds):
            times[TORCH].append(seconds(BARE))
            for name, (source, shown) in saves.items():
                start = save(mine, source + b"# %d\n" % number)
                watch.expect_exact(shown, timeout=60)
                watch.expect_exact("? help", timeout=60)
                times[name].append(time.perf_counter() - start)
        watch.send("q")
        watch.expect(pexpect.EOF)
    return ratios(times, TORCH, tail=True)


if __name__ == "__main__":
    script(main)
