"""A class of ex1 submissions: rates, latencies, memory, and the price of confinement, in one run.

Usage: python benchmarks/batch.py [SUBMISSIONS] [GROWTH]. Everything is interleaved in blocks, all
fixtures and probes included. GROWTH submissions (none by default) look for anything that grows.
The aims: 80 a second on two cores, confinement under 15% of a submission's time, p99 under twice p50.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from grader import fixture
from grader.batch import Local
from grader.core.exercise import Task
from grader.runner.wire import LAYERS

ROOT = Path(__file__).parent.parent
BLOCK = 40
PYTEST = """
import importlib.util, pytest, safetensors.torch, torch
spec = importlib.util.spec_from_file_location("submission", {path!r})
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
given = safetensors.torch.load_file({given!r})
given.update(n=32, block_size=3, vocab_size=27, n_embd=10, n_hidden=64)
@pytest.mark.parametrize("name", [k for k in vars(module) if k[:1] == "d" and k in given])
def test_item(name):
    function = getattr(module, name)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    assert torch.allclose(function(*[given[k] for k in names]), given[name])
"""


def exercise() -> dict[str, Task]:
    description = fixture.describe(ROOT, "ex1")
    return {"ex1": Task(description, fixture.read(ROOT, description))}


def lecture() -> bytes:
    """The lecture fixture as one file: what is given, and all references."""
    import safetensors.numpy

    description, fixtures = exercise()["ex1"]
    given = safetensors.numpy.load(fixtures.given["lecture"])
    return safetensors.numpy.save({**given, **fixtures.references["lecture"].values})


def block(grader: Local, sources: list[bytes], in_flight: int) -> tuple[float, list[float]]:
    """Grade these; the seconds it took, and each one's latency."""
    todo, latencies, lock = list(sources), [], threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if not todo:
                    return
                source = todo.pop()
            start = time.perf_counter()
            result = grader.grade("ex1", source, "ex1.py")
            latencies.append(time.perf_counter() - start)
            assert result["passed"], result

    start = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start, latencies


def memory(pid: int) -> int:
    """Resident bytes of a process and all below it."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if int(entry.name) == pid or parent == pid:
                    total += int((entry / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, IndexError):
                continue
    return total


def cold(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main(count: int = 400, growth: int = 0) -> None:
    solution = (ROOT / "solutions" / "ex1.py").read_bytes()
    sources = [solution + b"# %d\n" % i for i in range(count)]
    on, off = Local(exercise()), Local(exercise(), skip=LAYERS)
    cases = {
        "two cores, confined": (on, 3),
        "two cores, not confined": (off, 3),
        "one at a time, confined": (on, 1),
        "one at a time, not confined": (off, 1),
    }
    for grader, in_flight in cases.values():
        block(grader, sources[:BLOCK], in_flight)
    taken = dict.fromkeys(cases, 0.0)
    latencies: dict[str, list[float]] = {case: [] for case in cases}
    for start in range(0, count, BLOCK):
        for case, (grader, in_flight) in cases.items():
            seconds, each = block(grader, sources[start : start + BLOCK], in_flight)
            taken[case] += seconds
            latencies[case] += each
    bare = statistics.median(cold([sys.executable, "-c", "import torch"]) for _ in range(5))
    for case, seconds in taken.items():
        each = sorted(latencies[case])
        p50, p99 = each[len(each) // 2], each[int(len(each) * 0.99)]
        print(
            f"{case:28} {count / seconds:6.1f} a second   "
            f"p50 {p50 * 1e3:5.1f} ms ({p50 / bare:.4f} of a bare "
            f"import torch)   p99 {p99 * 1e3:5.1f} ms ({p99 / p50:.2f} of p50)"
        )
    alone, bare_child = "one at a time, confined", "one at a time, not confined"
    print(f"confinement: {1 - taken[bare_child] / taken[alone]:.1%} of a submission's time")
    one = statistics.median(latencies[alone])
    script = str(Path(sys.executable).parent / "grader")
    check = [script, "check", "ex1", "--submission", "solutions/ex1.py"]
    with tempfile.TemporaryDirectory() as folder:
        test = Path(folder) / "test_ex1.py"
        path, given = ROOT / "solutions" / "ex1.py", Path(folder) / "lecture.given.safetensors"
        given.write_bytes(lecture())
        test.write_text(PYTEST.format(path=str(path), given=str(given)))
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
        peers = {"a cold `grader check ex1`": check, "pytest, 26 items on one fixture": pytest}
        for name, command in peers.items():
            seconds = statistics.median(cold(command) for _ in range(3))
            print(f"{name}: {seconds:.2f} s each, {seconds / one:.0f} times a submission in a batch")
    if growth:
        grow(on, solution, growth)
    on.close()
    off.close()


def grow(grader: Local, solution: bytes, count: int) -> None:
    """Print rate, memory and descriptors over many submissions."""
    assert grader.runner
    pid = grader.runner.process.pid
    for start in range(0, count, count // 5):
        sources = [solution + b"# g%d\n" % i for i in range(start, start + count // 5)]
        seconds, _ = block(grader, sources, 3)
        fds = len(os.listdir("/proc/self/fd"))
        print(
            f"after {start + len(sources):6}: {len(sources) / seconds:5.1f} a second, "
            f"zygote {memory(pid) / 1e6:.0f} MB, "
            f"this process {memory(os.getpid()) / 1e6:.0f} MB in all, {fds} descriptors"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
