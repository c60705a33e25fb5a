"""A submission's price in nbgrader and in otter, as a ratio of its price in `grader batch`; interleaved.

Usage: python benchmarks/others.py [STUDENTS] [ROUNDS]. The same right notebooks of ex1, one for each student,
as `grader export` makes them; each command starts anew, and its start is part of the price. nbgrader and
otter are fetched from the package index into a folder that is removed afterwards.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import solution  # noqa: E402
from notebook_graders import Environment, NotReachable, gradebook, written  # noqa: E402

from grader import fixture  # noqa: E402
from grader.export import cells  # noqa: E402

GRADER = Path(sys.executable).parent / "grader"
CLASS = 20  # times as many submissions for `grader batch`, as in a class


def seconds(command: Callable[[Path], None], out: Path) -> float:
    start = time.perf_counter()
    command(out)
    return time.perf_counter() - start


def main(students: int = 3, rounds: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="others-") as folder:
        work = Path(folder)
        try:
            others = Environment(work / "env")
        except NotReachable as error:
            print(f"no package index can be reached: {error}")
            return
        measure(work, others, students, rounds)


def measure(work: Path, others: Environment, students: int, rounds: int) -> None:
    described = fixture.describe(ROOT, "ex1")
    made = cells.of(described, fixture.derived(ROOT, described), solution("ex1"))
    right = {cell.id: cell.solved for cell in made if cell.regions}
    for platform in ("nbgrader", "otter"):
        subprocess.run([GRADER, "export", platform, "ex1"], cwd=work, check=True, stdout=subprocess.DEVNULL)
    others.run("nbgrader", "generate_assignment", "ex1", cwd=work)
    others.run("otter", "generate", cwd=work / "ex1")
    for k in range(students):
        written(work / "release/ex1/ex1.ipynb", right, work / f"submitted/s{k}/ex1/ex1.ipynb")
    for k in range(students * CLASS):
        mine = {**right, "dlogprobs": f"{right['dlogprobs']}\n# {k}"}
        written(work / "release/ex1/ex1.ipynb", mine, work / f"class/s{k}/ex1.ipynb")
    theirs = written(work / "ex1/ex1.ipynb", right, work / "handed-in/ex1.ipynb")

    def batch(out: Path) -> None:
        command = [GRADER, "batch", "class", "--exercise", "ex1", "--out", out]
        environ = {**os.environ, "GRADER_NO_SERVER": "1"}
        subprocess.run(command, cwd=work, env=environ, check=True, stdout=subprocess.DEVNULL)

    def autograde(out: Path) -> None:
        others.run("nbgrader", "autograde", "ex1", "--force", cwd=work)

    def run(out: Path) -> None:
        scores = others.otter(theirs, work / "ex1/autograder.zip", out / "otter")
        assert all(score == most for score, most in scores.values()), scores

    commands = {
        "grader batch": (batch, students * CLASS),
        "nbgrader autograde": (autograde, students),
        "otter run": (run, 1),
    }
    prices: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds):
        for name, (command, many) in commands.items():
            prices[name].append(seconds(command, work / f"out{number}") / many)
        shutil.rmtree(work / "autograded")
    for student, found in gradebook(work).items():
        assert all(score == most for score, most in found.values()), (student, found)
    own = statistics.median(prices["grader batch"])
    for name, found in prices.items():
        middle = statistics.median(found)
        print(f"{name:20} {middle:7.3f} s a submission, {middle / own:5.0f} times grader batch")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
