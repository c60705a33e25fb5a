"""What each setting of `grader.settings.REPRODUCIBLE` does to ex1's saved bits, and what it costs.

For each environment: how many of autograd's 26 gradients come out bit for bit as saved, and the time
of a run of the solution as a ratio of the one with all settings.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

from grader import fixture
from grader.commands.doctor import reproduce
from grader.core.exercise import File
from grader.runner.client import Part, Runner
from grader.settings import REPRODUCIBLE

ROOT = Path(__file__).parent.parent
CASES = {
    "all settings": {},
    "AVX2 kernels": {"ATEN_CPU_CAPABILITY": "avx2"},
    "AVX512 kernels": {"ATEN_CPU_CAPABILITY": "avx512"},
    "MKL free": {"MKL_CBWR": "AUTO"},
    "two threads": {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"},
    "nothing set": {
        "ATEN_CPU_CAPABILITY": "",
        "MKL_CBWR": "AUTO",
        "OMP_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "2",
    },
}


def main(rounds: int = 15) -> None:
    description = fixture.describe(ROOT, "ex1")
    fixtures = fixture.read(ROOT, description)
    source = (ROOT / "solutions" / "ex1.py").read_bytes()
    names = [item.name for item in description.items]
    runners = {case: Runner(environ) for case, environ in CASES.items()}
    times: dict[str, list[float]] = {case: [] for case in CASES}
    exact = {case: reproduce(runner, description, fixtures) for case, runner in runners.items()}
    for _ in range(rounds):
        for case, runner in runners.items():
            start = time.perf_counter()
            runner.run(Part("ex1", list(fixtures.given), names), File("ex1.py", source))
            times[case].append(time.perf_counter() - start)
    base = statistics.median(times["all settings"])
    print(f"set: {', '.join(f'{k}={v}' for k, v in REPRODUCIBLE.items())}")
    for case in CASES:
        same, total = exact[case]
        ratio = statistics.median(times[case]) / base
        print(f"{case:16} {same:2} of {total} gradients bit for bit   a run takes {ratio:.2f}")
    for runner in runners.values():
        runner.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
