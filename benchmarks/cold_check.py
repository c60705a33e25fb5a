"""A cold `grader check ex1` as a ratio of a bare `python -c "import torch"`, interleaved in one run.

Usage: python benchmarks/cold_check.py [ROUNDS]. The aim is 0.75 or less. One row is the check that starts
the background server; the others go without it, as in CI.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
GRADER = Path(sys.executable).parent / "grader"


def seconds(command: list[str], environ: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(rounds: int = 9) -> None:
    alone = {**os.environ, "GRADER_NO_SERVER": "1"}
    commands = {
        "import torch": [sys.executable, "-c", "import torch"],
        "check ex1": [str(GRADER), "check", "ex1", "--submission", "solutions/ex1.py"],
        "check (all)": [str(GRADER), "check", "--solutions"],
        "list": [str(GRADER), "list"],
        "--help": [str(GRADER), "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in [*commands, "starts a server"]}
    for _ in range(rounds):
        for name, command in commands.items():
            times[name].append(seconds(command, alone))
        times["starts a server"].append(seconds_with_a_server(commands["check ex1"]))
    bare = statistics.median(times["import torch"])
    for name, taken in times.items():
        middle = statistics.median(taken)
        print(f"{name:15} {middle * 1000:6.0f} ms  {middle / bare:.3f} of a bare import torch")


def seconds_with_a_server(command: list[str]) -> float:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environ = {k: v for k, v in os.environ.items() if k not in ("CI", "GRADER_NO_SERVER")}
        environ["XDG_RUNTIME_DIR"] = folder
        taken = seconds(command, environ)
        subprocess.run([GRADER, "server", "stop"], env=environ, stdout=subprocess.DEVNULL, check=True)
    return taken


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
