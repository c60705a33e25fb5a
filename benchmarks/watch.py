"""From a save to the verdict shown by `grader watch ex1`, as a ratio of a bare `python -c "import torch"`.

Usage: python benchmarks/watch.py [ROUNDS]. The aim is below 0.1. Each save is a rename, as an editor's is;
the clock runs from before the write until the last line of what the save gives has been read.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pexpect

ROOT = Path(__file__).parent.parent
GRADER = str(Path(sys.executable).parent / "grader")


def main(rounds: int = 40) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        mine = Path(folder) / "exercises/ex1.py"
        mine.parent.mkdir()
        right = (ROOT / "solutions/ex1.py").read_text()
        wrong = right.replace("return (1.0 / probs) * dlogprobs", "return -(1.0 / probs) * dlogprobs")
        mine.write_text(right)
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
        watch = pexpect.spawn(
            GRADER, ["watch", "ex1.dprobs"], cwd=folder, env=environ, encoding="utf-8", dimensions=(50, 120)
        )
        watch.delaybeforesend = None
        watch.expect_exact("? help", timeout=120)
        times: dict[str, list[float]] = {"import torch": [], "one wrong": [], "all right": []}
        for number in range(rounds):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import torch"], check=True)
            times["import torch"].append(time.perf_counter() - start)
            for name, text, shown in (
                ("one wrong", wrong, "dprobs: was passed, now wrong"),
                ("all right", right, "dprobs passed"),
            ):
                new = mine.with_name("new")
                start = time.perf_counter()
                new.write_text(f"{text}# {number}\n")
                os.replace(new, mine)
                watch.expect_exact(shown, timeout=60)
                watch.expect_exact("? help", timeout=60)
                times[name].append(time.perf_counter() - start)
        watch.send("q")
        watch.expect(pexpect.EOF)
    bare = statistics.median(times["import torch"])
    for name, taken in times.items():
        taken.sort()
        p50, p99 = statistics.median(taken), taken[min(len(taken) * 99 // 100, len(taken) - 1)]
        print(
            f"{name:12}  p50 {p50 * 1000:6.0f} ms {p50 / bare:.3f}  p99 {p99 * 1000:6.0f} ms {p99 / bare:.3f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
