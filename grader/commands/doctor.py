"""`grader doctor`: is this machine, and this checkout, fit to grade?"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys
from contextlib import suppress

from grader import __version__
from grader.commands.background import client, place
from grader.core.errors import GraderFault
from grader.core.exercise import Task
from grader.reference.reproducible import environment
from grader.runner.host.client import CPU, FORKS, WALL, Runner
from grader.runner.warm import limits
from grader.runner.wire import LAYERS
from grader.suite import fixtures
from grader.suite.find import find

PACKAGES = ("torch", "numpy", "safetensors", "rich", "pytest", "nbformat")


def run(args: argparse.Namespace) -> int:
    suite = find()
    bad = 0

    def say(good: bool, what: str) -> None:
        nonlocal bad
        bad += not good
        print(f"{'ok ' if good else 'BAD'}  {what}")

    say(True, f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    for package in PACKAGES:
        try:
            say(True, f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            repair = f"pip install {package}" if fixtures.installed(suite.root) else "make setup"
            say(False, f"{package} is not installed: `{repair}` installs it")
    loaded: dict[str, Task] = {}
    if not suite.ids():
        say(False, f"there are no fixtures: {fixtures.repair(suite.root)}")
    for name in suite.ids():
        try:
            description = suite.describe(name)
            loaded[name] = Task(description, fixtures.read(suite.root, description))
        except GraderFault as error:
            say(False, str(error))
    if loaded:
        stamps = [d.stamp for d, _ in loaded.values()]
        made = sorted({f"torch {s['torch']}, {s['cpu_capability']} kernels" for s in stamps})
        say(True, f"the fixtures of {len(loaded)} exercises are intact ({'; '.join(made)})")
    with Runner() as runner:
        same = total = 0
        for name, task in loaded.items():
            if task.exercise.lines:  # else outputs alone: nothing to differentiate
                try:
                    alike, items = reproduce(runner, task)
                    same, total = same + alike, total + items
                except GraderFault as error:
                    say(False, f"{name}: {error}")
        if total:
            say(True, _bits(same, total))
        tried = runner.trial()
        for layer in LAYERS:
            print(f"{'off ' if layer in tried['off'] else 'on  '} sandbox: {layer}")
        for what in tried["possible"]:
            print(f"off  sandbox: a submission can {what}")
        for what in tried["impossible"]:
            say(False, f"sandbox: a submission can't {what}: it may not read torch's own files")
        if not tried["off"] and not tried["possible"]:
            say(True, "a confined process was stopped at everything that it tried")
        if args.verbose:
            for what, text in facts(runner).items():
                print(f"     {what}: {text}")
    print(f"{bad} BAD: fix it first." if bad else "This machine can grade.")
    return 3 if bad else 0


def _bits(same: int, total: int) -> str:
    """What this processor and this torch make of the saved numbers: a verdict never depends on it."""
    if same == total:
        return f"this machine gives the saved bits: {total} of {total} gradients"
    told = "a right answer may read approximate for exact, and passes"
    return f"this machine rounds otherwise: {same} of {total} gradients have the saved bits; {told}"


def facts(runner: Runner) -> dict[str, str]:
    """What to know of this machine and of the grader's processes, to debug them or to report a crash."""
    line, landlock, home = None, 0, place.home() if client.THERE else None
    if FORKS:
        from grader.runner.warm.confine import landlock_version

        landlock = landlock_version()
    with suppress(OSError):  # it does not answer
        line = client.ask("status")
    if line:
        line.close()
    seconds = f"{CPU} s of processor time, {WALL:g} s by the clock"
    return {
        "grader": f"{__version__}, {place.PACKAGE}",
        "Python": sys.executable,
        "kernel": f"{platform.release()}, Landlock ABI {landlock or 'none'}",
        "environment of what computes": " ".join(f"{k}={v}" for k, v in environment().items()),
        "limits of a child": f"{seconds}, {limits.MEMORY >> 20} MB beside torch's own",
        "folder of a child": f"{runner.starter.folder}/NUMBER, removed at its end",
        "standard error of a child": "with its output in a pipe to the command, which shows it behind `| `",
        "standard error of the zygote": "a pipe to the command, whose last line is told if it ends; "
        "GRADER_TRACEBACK=1 tells all",
        "standard error of the server": f"{place.LOG} in {home or 'no folder that is yours alone'}, "
        f"beside its {place.SOCKET}; {'one runs' if line else 'none runs'}",
    }


def reproduce(runner: Runner, task: Task) -> tuple[int, int]:
    """How many of the lecture fixture's gradients this machine's autograd gives bit for bit, of how many."""
    exercise, saved = task
    name = exercise.lecture.name
    runner.load(exercise, saved.given)
    request = {"ask": "gradients", "exercise": exercise.id, "sizes": exercise.lecture.sizes}
    answer = fixtures.reference(runner.ask(request, saved.given[name])).values
    wanted = saved.references[name].values
    items = [item.name for item in exercise.items]
    return sum(bool((answer[i] == wanted[i]).all()) for i in items), len(items)
