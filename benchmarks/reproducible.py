"""What each setting of `reference.reproducible.REPRODUCIBLE` does to ex1's saved bits, and what it costs.

For each environment: how many of autograd's 26 gradients come out bit for bit as saved, and the time of a run
of the solution as a ratio of the one with all settings.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.common import Results, exercises, parsed, script, solution
from grader.commands.doctor import reproduce
from grader.core.exercise import File
from grader.runner.host.client import Part, Runner

AS_GRADED = "all settings"
CASES = {
    AS_GRADED: {},
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


def main(argv: Sequence[str]) -> Results:
    parser = argparse.ArgumentParser(description=__doc__)
    args = parsed(parser, argv, rounds=(15, 1), cases=(len(CASES), 2))
    task = exercises("ex1")["ex1"]
    description, fixtures = task
    source, names = solution("ex1"), [item.name for item in description.items]
    with ExitStack() as stack:
        runners = {
            case: stack.enter_context(Runner(environ)) for case, environ in list(CASES.items())[: args.cases]
        }
        times: dict[str, list[float]] = {case: [] for case in runners}
        exact = {case: reproduce(runner, task) for case, runner in runners.items()}
        for _ in range(args.rounds):
            for case, runner in runners.items():
                start = time.perf_counter()
                runner.run(Part("ex1", list(fixtures.given), names), File("ex1.py", source))
                times[case].append(time.perf_counter() - start)
    base = statistics.median(times[AS_GRADED])
    results = {f"a run with {AS_GRADED}, ms": 1000 * base}
    for case, (same, total) in exact.items():
        results[f"{case}: gradients bit for bit / all"] = same / total
        results[f"{case}: a run / with {AS_GRADED}"] = statistics.median(times[case]) / base
    return results


if __name__ == "__main__":
    script(main)
