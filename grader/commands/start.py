"""The warm process first: while torch is being imported there, this process imports what else it needs."""

from __future__ import annotations

import argparse

from grader.core.errors import GraderFault
from grader.runner.host import client


def batch(args: argparse.Namespace) -> int:
    if not client.FORKS:
        raise GraderFault(
            "a class's code is run in a sandbox, which needs Linux or macOS (on Windows: WSL 2)"
        )
    with client.Runner() as runner:
        from grader.commands.batch import run

        return run(args, runner)


def check(args: argparse.Namespace) -> int:
    with client.Runner() as runner:
        from grader.commands.check import run

        return run(args, runner)
