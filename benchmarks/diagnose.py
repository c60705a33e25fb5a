"""What a diagnosis costs: milliseconds for one wrong item, and for an exercise with every item wrong.

Usage: python benchmarks/diagnose.py [ROUNDS]. The budget is 50 ms for a wrong item. Each learner's mistake
of tests/mistakes/ is one case; times are also given as ratios of a bare `import torch` of the same run.
Only what `check` does with the answers is counted, in CPU time; the import is in wall time.
"""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from local import Local  # noqa: E402
from test_mistakes import FILES, HEAD, read  # noqa: E402

from grader import authored, findings, fixture  # noqa: E402
from grader.choices import Answer  # noqa: E402


def answer(local: Local, source: str, name: str) -> Answer:
    item = next(i for i in local.exercise.items if i.name == name)
    return Answer(item, local.values(source, name), local.judge(source, name))


def milliseconds(local: Local, answers: list[Answer], source: str) -> float:
    """Of this process's own time: on a busy machine the wall clock counts the others' too."""
    gc.collect()
    gc.freeze()  # torch's own objects, which `check` never has, are not to be collected on its account
    start = time.process_time()
    findings.diagnoses(local.task, answers, source.encode())
    return 1000 * (time.process_time() - start)


def main(rounds: int = 3) -> None:
    bare = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import torch"], check=True)
        bare.append(1000 * (time.perf_counter() - start))
    torch = statistics.median(bare)
    print(f"{'import torch':28} {torch:8.1f} ms")
    single: list[float] = []
    for path in FILES:
        description = fixture.describe(ROOT, path.stem)
        local = Local(description, fixture.read(ROOT, description))
        for mistake in read(path.read_text(encoding="utf-8")):
            source = f"{HEAD}{mistake.source}\n"
            one = answer(local, source, mistake.item)
            single += [milliseconds(local, [one], source) for _ in range(rounds)]
    cuts = statistics.quantiles(single, n=100)
    for name, value in (("p50", cuts[49]), ("p99", cuts[98]), ("worst", max(single))):
        print(f"{'one wrong item, ' + name:28} {value:8.1f} ms  {value / torch:.4f} of a bare import torch")
    for change in ("-v", "v * (1.3 + v.sin())"):  # the first told at once, the second by nothing
        source, answers = everything_wrong("ex1", change)
        description = fixture.describe(ROOT, "ex1")
        local = Local(description, fixture.read(ROOT, description))
        all_of_them = [answer(local, source, name) for name in answers]
        taken = [milliseconds(local, all_of_them, source) for _ in range(2 * rounds)]
        value = statistics.median(taken)
        name, each = f"all {len(answers)} of ex1: {change}", value / len(answers)
        print(f"{name:28} {value:8.1f} ms  {value / torch:.4f} of a bare import torch, {each:.1f} each")


def everything_wrong(exercise: str, change: str) -> tuple[str, list[str]]:
    """The solution, each of whose functions returns a change of its value v."""
    items = authored.read((ROOT / f"solutions/{exercise}.py").read_text(encoding="utf-8"), exercise).items
    source = HEAD
    for item in items:
        args = ", ".join(item.params)
        body = "\n".join("    " + line for line in item.source.splitlines())
        source += f"def {item.name}({args}):\n{body}\n    v = {item.name}({args})\n    return {change}\n\n\n"
    return source, [item.name for item in items]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
