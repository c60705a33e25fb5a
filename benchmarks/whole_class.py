"""A class by `grader batch`, from the command's start to its end, all files written, and to its first result.

Each submission to ex1 is other bytes, one in three wrong. The start is that of a class of one: the command
until its first result is on disk, as a ratio of a bare `python -c "import torch"`.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import (
    BARE,
    GRADER,
    TORCH,
    Results,
    alone,
    one_wrong,
    parsed,
    ratios,
    script,
    seconds,
    solution,
)


def main(argv: Sequence[str]) -> Results:
    sizes = {"rounds": (5, 1), "submissions": (300, 4)}
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, **sizes)
    times: dict[str, list[float]] = {TORCH: [], "to the first result": [], "a submission": []}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        room = Path(folder)
        written(room / "in", args.submissions)
        for number in range(args.rounds):
            times[TORCH].append(seconds(BARE))
            first, whole = graded(room / "in", room / f"out{number}")
            times["to the first result"].append(first)
            times["a submission"].append(whole / args.submissions)
    rate = 1 / min(times["a submission"])
    return {"submissions a second, the best round": rate, **ratios(times, TORCH, tail=True)}


def written(folder: Path, many: int) -> None:
    right = solution("ex1")
    for number in range(many):
        own = folder / f"{number:05}"
        own.mkdir(parents=True)
        source = right if number % 3 else one_wrong(right)
        (own / "ex1.py").write_bytes(source + b"# student %d\n" % number)


def graded(folder: Path, out: Path) -> tuple[float, float]:
    """Seconds until the first result is on disk, and until the end."""
    start = time.perf_counter()
    command = [GRADER, "batch", str(folder), "--exercise", "ex1", "--out", str(out)]
    process = subprocess.Popen(command, env=alone(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    first = 0.0
    while process.poll() is None and not first:
        if any(path.stat().st_size for path in out.glob("journal*")):
            first = time.perf_counter() - start
        time.sleep(0.002)
    if (code := process.wait()) not in (0, 1):  # 1: not all of them pass
        raise RuntimeError(f"grader batch ended with {code}")
    whole = time.perf_counter() - start
    return first or whole, whole


if __name__ == "__main__":
    script(main)
