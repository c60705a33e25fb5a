"""`grader` without a process: the same words, exit code and output, graded on one warm runner.

Where the process is the point (its environment, its imports, signals, a terminal), a test starts one itself.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from grader import cli, commands
from grader.authoring import rebuild
from grader.classroom import batch
from grader.commands import build, start
from grader.core.exercise import Exercise
from grader.runner.host import client
from grader.runner.host.client import Runner
from grader.suite import fixtures

UNWANTED = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "PYTHONPATH"}

Ran = subprocess.CompletedProcess[str]


class Warm(Runner):
    """A runner for one command after the other: an exercise that it has is not loaded again."""

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, str] = {}

    def load(self, exercise: Exercise, given: Mapping[str, bytes]) -> None:
        parts = [repr((exercise, list(given))).encode(), *given.values()]
        mark = "".join(map(fixtures.digest, parts))
        if self.known.get(exercise.id) != mark:
            super().load(exercise, given)
            self.known[exercise.id] = mark

    def __exit__(self, *_: object) -> None:
        """It stays for the next command."""

    def close(self) -> None:
        """So it does where a command closes it."""

    def end(self) -> None:
        super().close()


_kept: list[Warm] = []


def _opened(*_: object, **limits: object) -> Warm:
    """The warm runner; another one where it has ended. limits: of a batch, where they are the usual ones."""
    assert not limits, limits
    if _kept and (_kept[0].starter.process.poll() is not None or _kept[0].starter.control.fileno() < 0):
        _kept.pop().end()
    if not _kept:
        _kept.append(Warm())
    return _kept[0]


def close() -> None:
    """End the warm runner, if there is one."""
    while _kept:
        _kept.pop().end()


def grader(*words: str | Path, cwd: Path, **more: str) -> Ran:
    """`grader` with these words in that folder, its output piped and nobody at its input."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", write_through=True) for _ in range(2))
    kept = {k: v for k, v in os.environ.items() if k not in UNWANTED}
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(cwd))
        stack.enter_context(mock.patch.dict(os.environ, kept | {"TERM": "xterm-256color"} | more, clear=True))
        stack.enter_context(mock.patch.multiple(sys, stdout=out, stderr=err, __stdout__=out, argv=["grader"]))
        stack.enter_context(mock.patch.object(sys, "stdin", stack.enter_context(open(os.devnull))))
        stack.enter_context(lent())
        stack.enter_context(mock.patch.object(build, "apart", _rebuilt))
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else cli.USAGE
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(words, code, *said)


def _rebuilt(root: Path, mode: str, *names: str, capture: bool = False) -> Ran:
    """What `grader build` starts a process for; its kernels are reproducible here too, see conftest."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(root))
        if capture:
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
        code = rebuild.main([str(root), mode, *names])
    return subprocess.CompletedProcess(names, code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def lent() -> Iterator[None]:
    """Whoever starts a runner meanwhile gets the warm one: a command, wherever it has the class from."""
    names = [module.name for module in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}.")]
    with contextlib.ExitStack() as stack:
        for module in (client, batch, *map(importlib.import_module, names)):
            if vars(module).get("Runner") is Runner:
                stack.enter_context(mock.patch.object(module, "Runner", _opened))
        stack.enter_context(mock.patch.object(start, "first", _opened))
        yield
