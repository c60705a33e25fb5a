"""What the process that runs a submission takes of a processor, from its fork to its end, with all layers.

Each is ex1's solution with a comment of its own, one at a time, as a ratio of the processor time of a bare
`python -c "import torch"` of the same run. docs/internals/speed.md says where it goes.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Sequence

from benchmarks.common import BARE, TORCH, Results, exercises, parsed, ratios, script, seconds, solution
from grader.core.exercise import TRAINING, File
from grader.runner.host.client import Part, Runner

MANY = 20  # after so many children the zygote has settled
BARE_CPU = f"processor time of {TORCH}"


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, rounds=(10, 1), children=(40, 4))
    (exercise, fixtures), right = exercises("ex1")["ex1"], solution("ex1")
    on = [name for name in fixtures.given if name != TRAINING]
    part = Part(exercise.id, on, [item.name for item in exercise.items])
    times: dict[str, list[float]] = {BARE_CPU: [], "a child": []}
    with Runner() as runner:
        runner.load(exercise, fixtures.given)
        for _ in range(MANY):
            runner.run(part, File("ex1.py", right))
        for number in range(args.rounds):
            times[BARE_CPU].append(processor(BARE))
            for k in range(args.children):
                run = runner.run(part, File("ex1.py", right + b"# %d.%d\n" % (number, k)))
                if run.ended or len(run.records) != len(on) * len(part.items):
                    raise RuntimeError(f"a right submission {run.ended or 'sent too little'}")
                times["a child"].append(run.cpu)
    return ratios(times, BARE_CPU, tail=True)


def processor(command: Sequence[str]) -> float:
    """The seconds of a processor that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    script(main)
