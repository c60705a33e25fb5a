"""A training step with the solution's gradients as a ratio of autograd's, in one interleaved run.

The aim is 0.65.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.common import GRADER, ROOT, Results, p99, parsed, script
from grader.reference.lecture import embedded_names


def main(argv: Sequence[str]) -> Results:
    words = embedded_names()
    args = parsed(
        argparse.ArgumentParser(description=__doc__),
        argv,
        steps=(5000, 50),
        names=(len(words), 300),
        rounds=(3, 1),
    )
    times: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder) / "names.txt"
        names.write_text("\n".join(words[: args.names]))
        command = [GRADER, "train", "ex4", "--submission", "solutions/ex4.py", "--steps", str(args.steps)]
        command += ["--names", str(names), "--out", str(Path(folder) / "loss.svg")]
        for _ in range(args.rounds):
            shown = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
            by_hand, by_autograd = map(float, re.findall(r"(\d+) us a step$", shown, re.M))
            times.append((by_hand / by_autograd, by_autograd))
    each = [ratio for ratio, _ in times]
    return {
        "a step by autograd, us": median(us for _, us in times),
        "a step by hand / by autograd": median(each),
        "a step by hand, p99 / by autograd": p99(each),
    }


if __name__ == "__main__":
    script(main)
