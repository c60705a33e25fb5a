"""A cold `grader check ex1` as a ratio of a bare `python -c "import torch"`, interleaved in one run.

Usage: python benchmarks/cold_check.py [ROUNDS]. The aim is 0.75 or less.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
GRADER = Path(sys.executable).parent / "grader"


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(rounds: int = 9) -> None:
    commands = {
        "import torch": [sys.executable, "-c", "import torch"],
        "check ex1": [str(GRADER), "check", "ex1", "--submission", "solutions/ex1.py"],
        "check (all)": [str(GRADER), "check", "--solutions"],
        "list": [str(GRADER), "list"],
        "--help": [str(GRADER), "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds(command))
    bare = statistics.median(times["import torch"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:14} {middle * 1000:6.0f} ms  {middle / bare:.3f} of a bare import torch")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
