"""A submission's price in nbgrader and in otter, as a ratio of its price in `grader batch`; interleaved.

The same right notebooks of ex1, one for each student, as `grader export` makes them; each command starts
anew, and its start is part of the price. nbgrader and otter are fetched from the package index into a folder
that is removed afterwards; where none can be reached there are no results.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.common import GRADER, ROOT, Results, alone, parsed, script, seconds, solution
from grader.authoring.handout import cells
from grader.suite import fixtures

sys.path.insert(0, str(ROOT / "tests"))
from notebook_graders import Environment, NotReachable, gradebook, written  # noqa: E402

OURS = "grader batch"
CLASS = 20  # times as many submissions for `grader batch`, as in a class


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, students=(3, 1), rounds=(3, 1))
    with tempfile.TemporaryDirectory(prefix="others-") as folder:
        work = Path(folder)
        try:
            others = Environment(work / "env")
        except NotReachable as error:
            print(f"nothing is measured, no package index can be reached: {error}", file=sys.stderr)
            return {}
        return measured(work, others, args.students, args.rounds)


def measured(work: Path, others: Environment, students: int, rounds: int) -> Results:
    theirs = notebooks(work, others, students)

    def batch(out: Path) -> None:
        seconds([GRADER, "batch", "class", "--exercise", "ex1", "--out", str(out)], alone(), cwd=work)

    def autograde(out: Path) -> None:
        others.run("nbgrader", "autograde", "ex1", "--force", cwd=work)

    def run(out: Path) -> None:
        scores = others.otter(theirs, work / "ex1/autograder.zip", out / "otter")
        assert all(score == most for score, most in scores.values()), scores

    commands: dict[str, tuple[Callable[[Path], None], int]] = {
        OURS: (batch, students * CLASS),
        "nbgrader autograde": (autograde, students),
        "otter run": (run, 1),
    }
    prices: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, (command, many) in commands.items():
            start = time.perf_counter()
            command(work / f"out{number}")
            prices[name].append((time.perf_counter() - start) / many)
        shutil.rmtree(work / "autograded")
    for student, found in gradebook(work).items():
        assert all(score == most for score, most in found.values()), (student, found)
    own = statistics.median(prices.pop(OURS))
    results = {f"{OURS}, ms a submission": 1000 * own}
    return results | {f"{name} / {OURS}": statistics.median(each) / own for name, each in prices.items()}


def notebooks(work: Path, others: Environment, students: int) -> Path:
    """Write what each is to grade, right answers all: nbgrader's course, our class, and otter's notebook."""
    described = fixtures.describe(ROOT, "ex1")
    made = cells.of(described, fixtures.derived(ROOT, described), solution("ex1").decode())
    right = {cell.id: cell.solved for cell in made if cell.regions}
    for platform in ("nbgrader", "otter"):
        seconds([GRADER, "export", platform, "ex1"], cwd=work)
    others.run("nbgrader", "generate_assignment", "ex1", cwd=work)
    others.run("otter", "generate", cwd=work / "ex1")
    for k in range(students):
        written(work / "release/ex1/ex1.ipynb", right, work / f"submitted/s{k}/ex1/ex1.ipynb")
    for k in range(students * CLASS):
        mine = {**right, "dlogprobs": f"{right['dlogprobs']}\n# {k}"}
        written(work / "release/ex1/ex1.ipynb", mine, work / f"class/s{k}/ex1.ipynb")
    return written(work / "ex1/ex1.ipynb", right, work / "handed-in/ex1.ipynb")


if __name__ == "__main__":
    script(main)
