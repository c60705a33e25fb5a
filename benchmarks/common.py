"""What the benchmarks share: their options, this checkout, a clock over commands and over a class.

A benchmark is a module of this folder whose `main(argv)` gives its results: a number by name. A name with
" / " in it is a ratio of two things that were measured by turns in that run; any other ends in its unit, and
its number is this machine's. None asserts a speed. `python -m benchmarks.NAME` prints the results as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.classroom.batch import Grader
from grader.core.exercise import Task
from grader.suite import fixtures

Results = dict[str, float]

ROOT = Path(__file__).parent.parent
GRADER = str(Path(sys.executable).with_name("grader"))
TORCH = "import torch"  # what the price of a command is compared with
BARE = [sys.executable, "-c", TORCH]
BLOCK = 40  # submissions of one side, then of the other


def script(main: Callable[[Sequence[str]], Results]) -> None:
    """Run a benchmark with the options of this command, and print its results with four digits."""
    results = main(sys.argv[1:])
    print(json.dumps({name: float(f"{value:.4g}") for name, value in results.items()}, indent=1))


def parsed(
    parser: argparse.ArgumentParser, argv: Sequence[str], **sizes: tuple[int, int]
) -> argparse.Namespace:
    """A benchmark's options: --NAME N for each of its sizes (the usual one, the smallest), and --smoke."""
    parser.add_argument("--smoke", action="store_true", help="the smallest sizes: does it run at all?")
    for name, (usual, smallest) in sizes.items():
        parser.add_argument(f"--{name}", type=int, help=f"usually {usual}, with --smoke {smallest}")
    args = parser.parse_args(argv)
    for name, size in sizes.items():
        if getattr(args, name) is None:
            setattr(args, name, size[args.smoke])
    return args


def exercises(*names: str) -> dict[str, Task]:
    """By name: the exercise with its fixtures."""
    described = {name: fixtures.describe(ROOT, name) for name in names}
    return {name: Task(one, fixtures.read(ROOT, one)) for name, one in described.items()}


def solution(exercise: str) -> bytes:
    return (ROOT / "solutions" / f"{exercise}.py").read_bytes()


def one_wrong(source: bytes) -> bytes:
    """The solution of ex1 with a minus too many in dprobs."""
    wrong = source.replace(b"return (1.0 / probs)", b"return -(1.0 / probs)")
    assert wrong != source
    return wrong


@contextlib.contextmanager
def learners_own(source: bytes) -> Iterator[tuple[Path, dict[str, str]]]:
    """A learner's ex1.py beside the stubs of all sets, and the environment of a command run two above it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        mine = Path(folder) / "exercises/ex1.py"
        shutil.copytree(ROOT / "exercises", mine.parent)
        mine.write_bytes(source)
        yield mine, {**os.environ, "PYTHONPATH": str(ROOT)}


def save(file: Path, source: bytes) -> float:
    """Save as an editor does, by a rename; the time before the first byte is written."""
    new = file.with_name("new")
    start = time.perf_counter()
    new.write_bytes(source)
    os.replace(new, file)
    return start


def alone() -> dict[str, str]:
    """The environment of a command that does all of its work itself, as in CI: no server answers it."""
    return {**os.environ, "GRADER_NO_SERVER": "1"}


@contextlib.contextmanager
def served() -> Iterator[dict[str, str]]:
    """The environment of commands with a background server of their own, which is stopped after them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environ = {k: v for k, v in os.environ.items() if k not in ("CI", "GRADER_NO_SERVER")}
        environ["XDG_RUNTIME_DIR"] = folder
        try:
            yield environ
        finally:
            seconds([GRADER, "server", "stop"], environ)


def seconds(
    command: Sequence[str], environ: Mapping[str, str] | None = None, code: int = 0, cwd: Path = ROOT
) -> float:
    """How long a command takes. An error where it ends with another exit code than `code`."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, env=environ, stdout=subprocess.DEVNULL)
    taken = time.perf_counter() - start
    if done.returncode != code:
        raise subprocess.CalledProcessError(done.returncode, command)
    return taken


def p99(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) * 99 // 100, len(times) - 1)]


def ratios(times: Mapping[str, Sequence[float]], base: str, tail: bool = False) -> Results:
    """Each one's median as a ratio of the base's; tail: its 99th percentile as well."""
    one = statistics.median(times[base])
    results = {f"{base}, ms": 1000 * one}
    for name, taken in times.items():
        if name != base:
            results[f"{name} / {base}"] = statistics.median(taken) / one
            if tail:
                results[f"{name}, p99 / {base}"] = p99(taken) / one
    return results


def blocks(sources: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(sources), BLOCK):
        yield sources[start : start + BLOCK]


def graded(grader: Grader, sources: Sequence[bytes], in_flight: int) -> tuple[float, list[float]]:
    """Grade right answers to ex1: the seconds it took, and each one's latency. An error where one fails."""

    def one(source: bytes) -> float:
        start = time.perf_counter()
        result = grader.grade("ex1", source, "ex1.py")
        taken = time.perf_counter() - start
        if not result["passed"]:
            raise RuntimeError(f"a right submission did not pass: {json.dumps(result)}")
        return taken

    start = time.perf_counter()
    with ThreadPoolExecutor(in_flight) as threads:
        latencies = list(threads.map(one, sources))
    return time.perf_counter() - start, latencies
