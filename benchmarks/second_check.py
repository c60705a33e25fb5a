"""A whole second `grader check ex1` as a ratio of a bare `python -c "import torch"`, interleaved in one run.

Usage: python benchmarks/second_check.py [ROUNDS]. The aim is 0.08 or less for a changed file. The server
is one of this run's own, in a runtime directory of its own.
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


def main(rounds: int = 30) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environ = {k: v for k, v in os.environ.items() if k not in ("CI", "GRADER_NO_SERVER")}
        environ["XDG_RUNTIME_DIR"] = folder
        mine = Path(folder) / "ex1.py"
        mine.write_bytes((ROOT / "solutions/ex1.py").read_bytes())
        wrong = mine.read_text().replace(
            "return (1.0 / probs) * dlogprobs", "return -(1.0 / probs) * dlogprobs"
        )

        def seconds(*command: str | Path) -> float:
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
            return time.perf_counter() - start

        check = (GRADER, "check", "ex1", "--submission", mine)
        times: dict[str, list[float]] = {"import torch": [], "changed": [], "one wrong": [], "unchanged": []}
        times["bare python"] = []
        try:
            first = seconds(*check)
            for number in range(rounds):
                times["import torch"].append(seconds(sys.executable, "-c", "import torch"))
                times["bare python"].append(seconds(sys.executable, "-c", "pass"))
                mine.write_bytes((ROOT / "solutions/ex1.py").read_bytes() + b"# %d\n" % number)
                times["changed"].append(seconds(*check))
                mine.write_text(f"{wrong}# {number}\n")
                times["one wrong"].append(seconds(*check))
                times["unchanged"].append(seconds(*check))
            subprocess.run([GRADER, "server", "status"], env=environ, check=True)
        finally:
            subprocess.run([GRADER, "server", "stop"], env=environ, check=True)
    bare = statistics.median(times["import torch"])
    print(f"first check, which starts the server: {first / bare:.3f} of a bare import torch")
    for name, taken in times.items():
        taken.sort()
        p50, p99 = statistics.median(taken), taken[min(len(taken) * 99 // 100, len(taken) - 1)]
        print(
            f"{name:12}  p50 {p50 * 1000:6.0f} ms {p50 / bare:.3f}  p99 {p99 * 1000:6.0f} ms {p99 / bare:.3f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
