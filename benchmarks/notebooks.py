"""What a notebook costs as a ratio of the same code as stub files, interleaved; and notebooks a second.

Usage: python benchmarks/notebooks.py [ROUNDS] [FOLDER of notebooks]. The aims: twice a stub at most, and
20 notebooks a second on two cores. Without a folder the notebook is the tests' own, each time another.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import flatcode  # noqa: E402

from grader import fixture  # noqa: E402
from grader.batch import Local  # noqa: E402
from grader.errors import Unreadable  # noqa: E402

LECTURE = ("ex1", "ex2", "ex3", "ex4")


def main(rounds: int = 20, folder: Path | None = None) -> None:
    described = {e: fixture.describe(ROOT, e) for e in LECTURE}
    local = Local({e: (d, fixture.read(ROOT, d)) for e, d in described.items()})
    source = (flatcode.HERE / "the_lecture_filled_in.py").read_text(encoding="utf-8")
    notebook = flatcode.built(source)[1]
    stubs = {e: (ROOT / f"solutions/{e}.py").read_bytes() for e in LECTURE}

    def seconds(data: bytes | None, exercises: tuple[str, ...]) -> float:
        start = time.perf_counter()
        for e in exercises:
            local.grade(e, data or stubs[e], "x.ipynb" if data else f"{e}.py")
        return time.perf_counter() - start

    seconds(notebook, LECTURE)
    for exercises in ((*LECTURE,), ("ex1",), ("ex2",), ("ex3",), ("ex4",)):
        pairs = [(seconds(notebook, exercises), seconds(None, exercises)) for _ in range(rounds)]
        a, b = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"{' '.join(exercises):16} notebook {a * 1000:5.0f} ms, stubs {b * 1000:5.0f} ms: {a / b:.2f}")
    many = [p.read_bytes() for p in sorted(folder.glob("*.ipynb"))] if folder else [notebook] * 60
    for exercises in (("ex1",), LECTURE):
        print(f"{' '.join(exercises)}: {_rate(local, many, exercises):.1f} notebooks a second")
    local.close()


def _rate(local: Local, many: list[bytes], exercises: tuple[str, ...]) -> float:
    left = list(many)

    def work() -> None:
        while left:
            data = left.pop()
            for e in exercises:
                try:
                    local.grade(e, data, "x.ipynb")
                except Unreadable:
                    break

    threads = [threading.Thread(target=work) for _ in range((os.cpu_count() or 1) + 1)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(many) / (time.perf_counter() - start)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *map(Path, sys.argv[2:3]))
