"""A class of ex1 submissions: rates, latencies, memory, and the price of confinement, in one run.

Everything is interleaved in blocks, all fixtures and probes included. --growth submissions (usually none)
look for anything that grows. The aims: 80 a second on two cores, confinement under 15% of a submission's
time, p99 under twice p50, fresh probes within a tenth of the saved ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import safetensors.numpy

from benchmarks.common import (
    BARE,
    BLOCK,
    GRADER,
    ROOT,
    TORCH,
    Results,
    alone,
    blocks,
    exercises,
    graded,
    p99,
    parsed,
    script,
    seconds,
    solution,
)
from grader.classroom.local import Local
from grader.judging.fresh_probes import fresh
from grader.runner.host.client import Runner
from grader.runner.wire import LAYERS
from grader.suite.find import Suite

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
SAVED, FRESH = "two cores, confined", "two cores, confined, fresh probes"
ALONE, NOT_CONFINED = "one at a time, confined", "one at a time, not confined"
GROWTH = 5 if sys.platform == "linux" else 0  # /proc tells the memory


def main(argv: Sequence[str]) -> Results:
    parser = argparse.ArgumentParser(description=__doc__)
    args = parsed(parser, argv, submissions=(400, 4), commands=(3, 1), growth=(0, GROWTH))
    right = solution("ex1")
    sources = [right + b"# %d\n" % i for i in range(args.submissions)]
    ex1 = exercises("ex1")
    on, off = Local(ex1), Local(ex1, skip=LAYERS)
    with Runner() as runner:
        drawn = Local({name: fresh(runner, Suite(ROOT, ROOT), task, 1) for name, task in ex1.items()})
    cases = {
        SAVED: (on, 3),
        FRESH: (drawn, 3),
        "two cores, not confined": (off, 3),
        ALONE: (on, 1),
        NOT_CONFINED: (off, 1),
    }
    for grader, in_flight in cases.values():
        graded(grader, sources[:BLOCK], in_flight)
    taken = dict.fromkeys(cases, 0.0)
    latencies: dict[str, list[float]] = {case: [] for case in cases}
    for some in blocks(sources):
        for case, (grader, in_flight) in cases.items():
            time, each = graded(grader, some, in_flight)
            taken[case] += time
            latencies[case] += each
    bare = statistics.median(seconds(BARE) for _ in range(args.commands))
    results = {f"{TORCH}, ms": 1000 * bare}
    for case, each in latencies.items():
        p50 = statistics.median(each)
        results[f"{case}: submissions a second"] = len(sources) / taken[case]
        results[f"{case}: p50 / {TORCH}"] = p50 / bare
        results[f"{case}: p99 / p50"] = p99(each) / p50
    results["fresh probes / saved probes"] = taken[FRESH] / taken[SAVED]
    results["confinement / a submission"] = 1 - taken[NOT_CONFINED] / taken[ALONE]
    one = statistics.median(latencies[ALONE])
    for name, price in others(args.commands).items():
        results[f"{name} / a submission"] = price / one
    if args.growth:
        results |= grow(on, right, args.growth)
    on.close()
    drawn.close()
    off.close()
    return results


def others(times: int) -> Results:
    """The seconds of a cold check, and of pytest over the 26 items on the lecture fixture alone."""
    with tempfile.TemporaryDirectory() as folder:
        test = Path(folder) / "test_ex1.py"
        path, given = ROOT / "solutions" / "ex1.py", Path(folder) / "lecture.given.safetensors"
        given.write_bytes(lecture())
        test.write_text(PYTEST.format(path=str(path), given=str(given)))
        commands = {
            "a cold check": [GRADER, "check", "ex1", "--submission", str(path)],
            "pytest": [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        }
        prices: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(times):
            for name, command in commands.items():
                prices[name].append(seconds(command, alone()))
    return {name: statistics.median(each) for name, each in prices.items()}


def lecture() -> bytes:
    """The lecture fixture as one file: what is given, and all references."""
    _, fixtures = exercises("ex1")["ex1"]
    given = safetensors.numpy.load(fixtures.given["lecture"])
    return safetensors.numpy.save({**given, **fixtures.references["lecture"].values})


def grow(grader: Local, right: bytes, count: int) -> Results:
    """Over many submissions, the last fifth against the first: rate, memory and descriptors."""
    assert grader.runner
    pid = grader.runner.starter.process.pid
    fifths: list[Results] = []
    for number in range(5):
        sources = [right + b"# growth %d.%d\n" % (number, i) for i in range(count // 5)]
        time, _ = graded(grader, sources, 3)
        fifths.append(
            {
                "rate": len(sources) / time,
                "zygote's memory": memory(pid),
                "this process's memory": memory(os.getpid()),
                "descriptors": len(os.listdir("/proc/self/fd")),
            }
        )
    first, *_, last = fifths
    return {f"growth: {name}, last fifth / first": last[name] / first[name] for name in first}


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


if __name__ == "__main__":
    script(main)
