"""A learner's second `grader check ex1` as a ratio of a bare `python -c "import torch"`, by turns.

The aim is 0.03 for a changed file. The server is one of this run's own, in a runtime directory of its
own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.common import (
    BARE,
    GRADER,
    TORCH,
    Results,
    learners_own,
    one_wrong,
    parsed,
    ratios,
    script,
    seconds,
    served,
    solution,
)


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, rounds=(30, 1))
    right = solution("ex1")
    wrong = one_wrong(right)
    times: dict[str, list[float]] = {TORCH: [], "bare python": [], "changed": [], "one wrong": []}
    times["unchanged"] = []
    with learners_own(right) as (mine, _), served() as environ:

        def check(code: int = 0) -> float:
            return seconds([GRADER, "check", "ex1"], environ, code, cwd=mine.parents[1])

        first = check()
        for number in range(args.rounds):
            times[TORCH].append(seconds(BARE))
            times["bare python"].append(seconds([sys.executable, "-c", "pass"]))
            mine.write_bytes(right + b"# %d\n" % number)
            times["changed"].append(check())
            mine.write_bytes(wrong + b"# %d\n" % number)
            times["one wrong"].append(check(code=1))
            times["unchanged"].append(check(code=1))
        seconds([GRADER, "server", "status"], environ)  # an error where no server has answered
    times["first, which starts the server"] = [first]
    return ratios(times, TORCH, tail=True)


if __name__ == "__main__":
    script(main)
