"""What a diagnosis costs: of one wrong item, and of an exercise with every item wrong.

The aim is 20 ms for a wrong item with its runs, and 50 at p99. Each learner's mistake of tests/mistakes/
whose answer is wrong is one case. Times are also ratios of what comparing the same answer with its
references takes, and of a bare `import torch` of the same run. Only what `check` does with the answers is
counted, in CPU time; the import is in wall time. "with runs" is all that `check` waits for, on the wall:
also the child that runs a wrong function with one change at a time.
"""

from __future__ import annotations

import argparse
import ast
import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.common import BARE, ROOT, TORCH, Results, exercises, p99, parsed, script, seconds, solution
from grader.authoring import authored
from grader.core.exercise import TRAINING, File, Task
from grader.judging import choices, findings
from grader.judging import items as judged
from grader.judging.choices import Answer
from grader.runner.host.client import Part, Runner
from grader.submissions.script import Script

MISTAKES = ROOT / "tests/mistakes"
FILES = {".".join(p.relative_to(MISTAKES).with_suffix("").parts): p for p in sorted(MISTAKES.rglob("*.py"))}
HEAD = "import torch\nimport torch.nn.functional as F\n\n\n"
CHANGES = ("-v", "v * (1.3 + v.sin())")  # the first told at once, the second by nothing


def main(argv: Sequence[str]) -> Results:
    parser = argparse.ArgumentParser(description=__doc__)
    args = parsed(parser, argv, rounds=(3, 1), exercises=(len(FILES), 1))
    bare = 1000 * statistics.median(seconds(BARE) for _ in range(args.rounds))
    diagnosed: list[float] = []
    compared: list[float] = []
    waited: list[float] = []
    results = {f"{TORCH}, ms": bare}
    with Runner() as runner:
        for name, path in list(FILES.items())[: args.exercises]:
            graded = Graded(runner, exercises(name)[name])
            for item, source in mistakes(path):
                compare, diagnose = graded.steps(source, [item])
                if diagnose:
                    compared.append(milliseconds(compare, args.rounds))
                    diagnosed.append(milliseconds(diagnose, args.rounds))
                    start = time.perf_counter()
                    diagnose(runner)
                    waited.append(1000 * (time.perf_counter() - start))
        for change in CHANGES:
            source, names = everything_wrong("ex1", change)
            compare, diagnose = Graded(runner, exercises("ex1")["ex1"]).steps(source, names)
            assert diagnose
            taken = milliseconds(diagnose, 2 * args.rounds)
            all_of_them = f"all {len(names)} of ex1 wrong, {change}"
            results[f"{all_of_them}: ms"] = taken
            results[f"{all_of_them}: diagnosis / {TORCH}"] = taken / bare
            results[f"{all_of_them}: diagnosis / comparison"] = taken / milliseconds(compare, args.rounds)
    times = [d / c for d, c in zip(diagnosed, compared, strict=True)]
    for name, of in (("median", statistics.median), ("p99", p99), ("worst", max)):
        results[f"one wrong item, {name}: ms"] = of(diagnosed)
        results[f"one wrong item, {name}: diagnosis / {TORCH}"] = of(diagnosed) / bare
        results[f"one wrong item, {name}: diagnosis / comparison"] = of(times)
        results[f"one wrong item, {name}: diagnosis with runs / {TORCH}"] = of(waited) / bare
    return results


class Diagnose(Protocol):
    def __call__(self, runner: Runner | None = None) -> object: ...


@dataclass(frozen=True)
class Graded:
    """An exercise with its fixtures, and a warm process that runs submissions on them."""

    runner: Runner
    task: Task

    def steps(self, source: str, names: Sequence[str]) -> tuple[Callable[[], list[Answer]], Diagnose | None]:
        """What `check` does with the answers of these items: their comparison, and their diagnosis.

        The latter is None unless all are wrong: what raises an error or passes after all is not diagnosed.
        """
        exercise, fixtures = self.task
        self.runner.load(exercise, fixtures.given)
        on = [name for name in fixtures.given if name != TRAINING]
        run = self.runner.run(Part(exercise.id, on, names), File("mistake.py", source.encode()))
        items = [item for item in exercise.items if item.name in names]

        def compare() -> list[Answer]:
            return [judged.answered(item, self.task, run, on, lenient=False) for item in items]

        answers = choices.reconsider(self.runner, self.task, compare())

        def diagnose(runner: Runner | None = None) -> object:
            return findings.diagnoses(runner, self.task, answers, Script(source.encode()))

        wrong = all(any(c.verdict in findings.EXPLICABLE for c in a.checks.values()) for a in answers)
        return compare, diagnose if wrong else None


def mistakes(path: Path) -> Iterator[tuple[str, str]]:
    """An item's name and a submission that has it wrong, for each function of a file of tests/mistakes/."""
    text = path.read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        assert isinstance(node, ast.FunctionDef)
        yield node.name, f"{HEAD}{ast.get_source_segment(text, node)}\n"


def everything_wrong(exercise: str, change: str) -> tuple[str, list[str]]:
    """The solution, each of whose functions returns a change of its value v; and their names."""
    items = authored.read(solution(exercise).decode(), exercise).items
    source = HEAD
    for item in items:
        args = ", ".join(item.params)
        body = "\n".join("    " + line for line in item.source.splitlines())
        source += f"def {item.name}({args}):\n{body}\n    v = {item.name}({args})\n    return {change}\n\n\n"
    return source, [item.name for item in items]


def milliseconds(what: Callable[[], object], rounds: int) -> float:
    """Of this process's own time, in the middle: on a busy machine the wall clock counts the others' too."""
    taken = []
    for _ in range(rounds):
        gc.collect()
        gc.freeze()  # the other exercises, which `check` has not read, are not to be collected on its account
        start = time.process_time()
        what()
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken)


if __name__ == "__main__":
    script(main)
