"""A cold `grader check ex1` as a ratio of a bare `python -c "import torch"`, interleaved in one run.

The aim is 0.55. One row is the check that starts the background server; the others go without it, as
in CI.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks.common import BARE, GRADER, TORCH, Results, alone, parsed, ratios, script, seconds, served


def main(argv: Sequence[str]) -> Results:
    args = parsed(argparse.ArgumentParser(description=__doc__), argv, rounds=(9, 1))
    check = [GRADER, "check", "ex1", "--submission", "solutions/ex1.py"]
    commands = {
        TORCH: BARE,
        "check ex1": check,
        "check --solutions": [GRADER, "check", "--solutions"],
        "list": [GRADER, "list"],
        "--help": [GRADER, "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in [*commands, "check ex1, starts a server"]}
    for _ in range(args.rounds):
        for name, command in commands.items():
            times[name].append(seconds(command, alone()))
        with served() as environ:
            times["check ex1, starts a server"].append(seconds(check, environ))
    return ratios(times, TORCH, tail=True)


if __name__ == "__main__":
    script(main)
