"""What a notebook costs as a ratio of the same code as stub files, interleaved; and notebooks a second.

The aims: twice a stub at most, and 20 notebooks a second on two cores. The notebook is laid out as the
lecture's and holds the very statements of solutions/. Without --folder it is also what is graded at a rate.
"""

from __future__ import annotations

import argparse
import os
import textwrap
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import nbformat

from benchmarks.common import BARE, ROOT, TORCH, Results, exercises, p99, parsed, script, seconds, solution
from grader.authoring import authored, notebook
from grader.classroom.local import Local
from grader.core.errors import Unreadable

LECTURE = ("ex1", "ex2", "ex3", "ex4")
PARTS = ROOT / "tests/notebooks/parts"


def main(argv: Sequence[str]) -> Results:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="whose notebooks are graded at a rate")
    args = parsed(parser, argv, rounds=(20, 1), notebooks=(60, 2))
    local = Local(exercises(*LECTURE))
    notebook, stubs = written_flat(), {e: solution(e) for e in LECTURE}

    def as_notebook(asked: Sequence[str]) -> float:
        start = time.perf_counter()
        results = local.grade_all(asked, notebook, "x.ipynb")
        taken = time.perf_counter() - start
        assert all(result["passed"] for result in results)
        return taken

    def as_stubs(asked: Sequence[str]) -> float:
        start = time.perf_counter()
        for e in asked:
            assert local.grade(e, stubs[e], f"{e}.py")["passed"]
        return time.perf_counter() - start

    as_notebook(LECTURE)
    results: Results = {}
    for asked in (LECTURE, *((e,) for e in LECTURE)):
        pairs = [(as_notebook(asked), as_stubs(asked)) for _ in range(args.rounds)]
        a, b = (median(times) for times in zip(*pairs, strict=True))
        results[f"{' '.join(asked)} as a notebook / as stubs"] = a / b
    many = [p.read_bytes() for p in sorted(args.folder.glob("*.ipynb"))] if args.folder else []
    many = many or [notebook] * args.notebooks
    alone = [as_notebook(LECTURE) / len(LECTURE) for _ in range(args.rounds)]
    bare = median(seconds(BARE) for _ in range(min(args.rounds, 5)))
    results[f"an exercise of a notebook / {TORCH}"] = median(alone) / bare
    results[f"an exercise of a notebook, p99 / {TORCH}"] = p99(alone) / bare
    for asked in (("ex1",), LECTURE):
        results[f"{' '.join(asked)}: notebooks a second"] = rate(local, many, asked)
    local.close()
    return results


def written_flat() -> bytes:
    """One notebook with the statements of the solutions of all four exercises."""
    parts = {name: (PARTS / f"{name}.py").read_text(encoding="utf-8") for name in ("setup", "forward", "ex4")}
    cells = [nbformat.v4.new_code_cell(parts[name]) for name in ("setup", "forward")]
    for e in LECTURE:
        items = authored.read(solution(e).decode(), f"{e}.py").items
        code = "\n".join(notebook.statements(item) for item in items)
        if e == "ex4":  # in the training loop, from the first gradient to the last
            head, _, rest = parts[e].partition("    dlogits = ")
            code = head + textwrap.indent(code, "    ") + "\n" + rest[rest.index("    grads = ") :]
        cells += [nbformat.v4.new_markdown_cell(f"# Exercise {e[-1]}"), nbformat.v4.new_code_cell(code)]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells))).encode()


def rate(local: Local, many: Sequence[bytes], asked: Sequence[str]) -> float:
    """Notebooks a second, on all cores; those that can't be read count as well."""

    def grade(notebook: bytes) -> None:
        try:
            local.grade_all(asked, notebook, "x.ipynb")
        except Unreadable:
            pass

    start = time.perf_counter()
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as threads:
        list(threads.map(grade, many))
    return len(many) / (time.perf_counter() - start)


if __name__ == "__main__":
    script(main)
