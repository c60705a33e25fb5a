"""What a notebook costs as a ratio of the same code as stub files, interleaved; and notebooks a second.

Usage: python benchmarks/notebooks.py [ROUNDS] [FOLDER of notebooks]. The aims: twice a stub at most, and
20 notebooks a second on two cores. The notebook is laid out as the lecture's and holds the very statements
of solutions/. Without a folder it is also what is graded at a rate.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import textwrap
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import flatcode  # noqa: E402

from grader import authored, derive_notebook, fixture  # noqa: E402
from grader.batch import Local  # noqa: E402
from grader.core.exercise import Task  # noqa: E402
from grader.errors import Unreadable  # noqa: E402

LECTURE = ("ex1", "ex2", "ex3", "ex4")


def main(rounds: int = 20, folder: Path | None = None) -> None:
    described = {e: fixture.describe(ROOT, e) for e in LECTURE}
    local = Local({e: Task(d, fixture.read(ROOT, d)) for e, d in described.items()})
    notebook = written_flat()
    stubs = {e: (ROOT / f"solutions/{e}.py").read_bytes() for e in LECTURE}

    def as_notebook(exercises: tuple[str, ...]) -> float:
        start = time.perf_counter()
        results = local.grade_all(exercises, notebook, "x.ipynb")
        seconds = time.perf_counter() - start
        assert all(result["passed"] for result in results)
        return seconds

    def as_stubs(exercises: tuple[str, ...]) -> float:
        start = time.perf_counter()
        for e in exercises:
            local.grade(e, stubs[e], f"{e}.py")
        return time.perf_counter() - start

    as_notebook(LECTURE)
    for exercises in (LECTURE, *((e,) for e in LECTURE)):
        pairs = [(as_notebook(exercises), as_stubs(exercises)) for _ in range(rounds)]
        a, b = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"{' '.join(exercises):16} notebook {a * 1000:5.0f} ms, stubs {b * 1000:5.0f} ms: {a / b:.2f}")
    many = [p.read_bytes() for p in sorted(folder.glob("*.ipynb"))] if folder else [notebook] * 60
    for exercises in (("ex1",), LECTURE):
        print(f"{' '.join(exercises)}: {_rate(local, many, exercises):.1f} notebooks a second")
    local.close()


def written_flat() -> bytes:
    """One notebook with the statements of the solutions of all four exercises."""
    parts = {"setup": flatcode.PARTS["setup"], "forward": flatcode.PARTS["forward"]}
    for e in LECTURE:
        items = authored.read((ROOT / f"solutions/{e}.py").read_text(encoding="utf-8"), f"{e}.py").items
        parts[e] = "\n".join(derive_notebook.flat(item) for item in items)
    head, _, rest = flatcode.PARTS["ex4"].partition("    dlogits = ")
    tail = rest[rest.index("    grads = ") :]
    parts["ex4"] = head + textwrap.indent(parts["ex4"], "    ") + "\n" + tail
    cells = [("code", parts["setup"]), ("code", parts["forward"])]
    for e in LECTURE:
        cells += [("markdown", f"# Exercise {e[-1]}"), ("code", parts[e])]
    return json.dumps(flatcode.notebook(cells)).encode()


def _rate(local: Local, many: list[bytes], exercises: tuple[str, ...]) -> float:
    left = list(many)

    def work() -> None:
        while left:
            data = left.pop()
            try:
                local.grade_all(exercises, data, "x.ipynb")
            except Unreadable:
                pass

    threads = [threading.Thread(target=work) for _ in range((os.cpu_count() or 1) + 1)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(many) / (time.perf_counter() - start)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *map(Path, sys.argv[2:3]))
