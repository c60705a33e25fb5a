"""The warm process first: while torch is being imported there, this process imports what else it needs."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    import argparse

    from grader.runner.host.client import Runner


def first() -> Runner:
    """A runner whose warm process began before this one imported what speaks to it."""
    from grader.runner.host.forked import FORKS, Forked

    starter = Forked({}, ()) if FORKS else None
    from grader.runner.host.client import Runner

    return Runner(starter=starter)


def batch(args: argparse.Namespace) -> int:
    from grader.core.errors import GraderFault
    from grader.runner.host.forked import FORKS

    if not FORKS:
        raise GraderFault(
            "a class's code is run in a sandbox, which needs Linux or macOS (on Windows: WSL 2)"
        )
    with first() as runner:
        from grader.commands.batch import run

        return run(args, runner)


def check(args: argparse.Namespace) -> int:
    with first() as runner:
        from grader.commands.check import run

        return run(args, runner)
