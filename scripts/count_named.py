"""How many wrong answers of a list are named by a true code, and how many right ones pass.

    python scripts/count_named.py FOLDER [--fresh SEED] [--show] [EXERCISE ...]

FOLDER has wrong.txt and right.txt: blocks of "### item | what it is", then a whole submission. The codes that
are true of each wrong answer stand in tests/whole/answers_codes.toml, by "item | what it is"; one that is not
listed there counts as named by whatever it gets. One warm runner grades them all in this process.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import grader.suite.find as suite
from grader.core.exercise import File, How, Output, Task
from grader.core.verdict import ItemReport
from grader.judging import fresh_probes, grade
from grader.judging.bench import Bench
from grader.runner.host.client import Runner

CODES = Path(__file__).resolve().parent.parent / "tests/whole/answers_codes.toml"
BARE = {
    "error",
    "not-finite",
    "value-differs",
    "entries-differ",
    "wrong-shape",
    "all-zero",
    "not-a-tensor",
    "wrong-dtype",
}


def answers(path: Path) -> Iterator[tuple[str, str, str, bytes]]:
    """Exercise, item, label and source of each block."""
    for block in re.split(r"^### ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, code = block.split("\n", 1)
        target, label = (part.strip() for part in head.split("|", 1))
        exercise, item = target.rsplit(".", 1)
        yield exercise, item, label, code.encode()


def told(report: ItemReport) -> tuple[str | None, str]:
    """The code that names a mistake, None where nothing does, and what is said."""
    if report.mistake:
        return report.mistake.code.value, report.mistake.text
    code = report.check.code
    bare = code is None or code.value in BARE
    return None if bare or code is None else code.value, report.check.reason


class Counting:
    """The suite's exercises on one warm runner."""

    def __init__(self, runner: Runner, seed: int | None) -> None:
        self.suite, self.bench, self.seed = suite.find(), Bench(runner), seed
        self.drawn: dict[str, Task] = {}

    def task(self, exercise: str) -> Task:
        if exercise not in self.drawn:
            task = self.bench.task(self.suite, exercise)
            if self.seed is not None:
                task = fresh_probes.fresh(self.bench.runner, self.suite, task, self.seed)
                self.bench.runner.load(task.exercise, task.fixtures.given)
            self.drawn[exercise] = task
        return self.drawn[exercise]

    def report(self, exercise: str, item: str, source: bytes) -> ItemReport:
        graded, _ = grade.grade(
            self.bench.runner, self.task(exercise), File("answer.py", source), How(items=[item])
        )
        return graded.items[0]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("exercises", nargs="*", help="only these; else all")
    parser.add_argument("--fresh", type=int, metavar="SEED", help="on probes drawn anew")
    parser.add_argument("--outputs", action="store_true", help="output items too")
    parser.add_argument(
        "--show", action="store_true", help="a line for each answer that is not as it should be"
    )
    parser.add_argument("--all", action="store_true", help="a line for each answer")
    args = parser.parse_args()
    true = tomllib.loads(CODES.read_text(encoding="utf-8")) if CODES.exists() else {}
    count: dict[str, Counter[str]] = {}
    with Runner() as runner:
        counting = Counting(runner, args.fresh)

        def wanted(exercise: str, item: str) -> bool:
            output = isinstance(counting.suite.describe(exercise).item(item), Output)
            return (args.outputs or not output) and (not args.exercises or exercise in args.exercises)

        for exercise, item, label, source in answers(args.folder / "wrong.txt"):
            if not wanted(exercise, item):
                continue
            report = counting.report(exercise, item, source)
            code, said = told(report)
            key = f"{exercise}.{item} | {label}"
            outcome = "accepted" if report.passed else "unnamed" if code is None else "named"
            if true.get(key) == []:
                outcome = "disputed"
            elif outcome == "named" and key in true and code not in true[key]:
                outcome = "false"
            count.setdefault(exercise.split(".")[0], Counter())[outcome] += 1
            if args.all or (args.show and outcome != "named"):
                print(f"{outcome}: {key}: {code} {report.verdict}: {said} [line {report.line}]")
        rejected = right = disputed = 0
        for exercise, item, label, source in answers(args.folder / "right.txt"):
            if not wanted(exercise, item):
                continue
            report = counting.report(exercise, item, source)
            right += 1
            if report.passed:
                continue
            if true.get(f"{exercise}.{item} | {label}") == []:
                disputed += 1
            else:
                rejected += 1
                print(f"rejected: {exercise}.{item} | {label}: {report.verdict}: {report.check.reason}")
    whole: Counter[str] = sum(count.values(), Counter())
    for name, one in [*sorted(count.items()), ("all", whole)]:
        share = 100 * one["named"] / max(1, one.total() - one["accepted"] - one["disputed"])
        said = ", ".join(f"{one[k]} {k}" for k in ("accepted", "named", "false", "unnamed", "disputed"))
        print(f"{name:18} {one.total():4}: {said}; {share:.0f}% named")
    print(f"{rejected} of {right} right answers rejected, {disputed} disputed")
    return int(bool(whole["accepted"] or whole["false"] or rejected))


if __name__ == "__main__":
    raise SystemExit(main())
