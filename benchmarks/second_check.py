"""A whole second `grader check ex1` as a ratio of a bare `python -c "import torch"`, interleaved in one run.

The aim is 0.08 or less for a changed file. The server is one of this run's own, in a runtime directory of its
own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import (
    BARE,
    GRADER,
    TORCH,
    Results,
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
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, served() as environ:
        mine = Path(folder) / "ex1.py"
        check = [GRADER, "check", "ex1", "--submission", str(mine)]
        mine.write_bytes(right)
        first = seconds(check, environ)
        for number in range(args.rounds):
            times[TORCH].append(seconds(BARE))
            times["bare python"].append(seconds([sys.executable, "-c", "pass"]))
            mine.write_bytes(right + b"# %d\n" % number)
            times["changed"].append(seconds(check, environ))
            mine.write_bytes(wrong + b"# %d\n" % number)
            times["one wrong"].append(seconds(check, environ, code=1))
            times["unchanged"].append(seconds(check, environ, code=1))
        seconds([GRADER, "server", "status"], environ)  # an error where no server has answered
    times["first, which starts the server"] = [first]
    return ratios(times, TORCH, tail=True)


if __name__ == "__main__":
    script(main)
