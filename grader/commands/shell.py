"""`grader shell`: an interactive Python with one item's tensors, to try things out in. Not confined."""

from __future__ import annotations

import argparse
import importlib.util
import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load as tensors

from grader.commands.prose import columns, wrapped
from grader.core.calling import resolve
from grader.core.errors import GraderFault, UsageError
from grader.core.exercise import TRAINING, Exercise, File, Item, Output
from grader.core.text import times
from grader.core.verdict import Verdict
from grader.judging import requests
from grader.judging.bench import Bench
from grader.learner import progress
from grader.reference import values
from grader.reports import screen
from grader.runner.host.client import Runner
from grader.runner.untrusted import outputs
from grader.runner.untrusted.loading import Submission
from grader.suite import fixtures
from grader.suite.find import Suite, Target, find, read_submission, targets


def run(args: argparse.Namespace) -> int:
    suite = find()
    (target, *more) = targets(suite, [args.target])
    if more or not target.item or target.item == TRAINING:
        raise UsageError("shell takes one item that is a function: `grader shell ex1.dh`")
    read_submission(suite.learners(target.exercise))
    torch.set_printoptions(linewidth=min(columns(), 1000) - 2, threshold=100)  # what is longer is cut
    with Runner() as runner:
        desk = Desk(suite, Bench(runner), target)
        names = desk.names()
        interact(desk.banner(), names)
    return 0


class Desk:
    """One item with what it is made of, and the learner's file, read anew at each call."""

    def __init__(self, suite: Suite, bench: Bench, target: Target) -> None:
        self.suite, self.bench, self.target = suite, bench, target
        self.name = f"{target.exercise}.{target.item}"
        self.exercise: Exercise = suite.describe(target.exercise)
        self.item: Item = self.exercise.item(target.item or "")
        self.path: Path = suite.learners(target.exercise)
        saved = fixtures.read(suite.root, self.exercise)
        lecture = self.exercise.lecture
        self.reference = saved.references[lecture.name]
        read = values.unpacked(tensors(saved.given[lecture.name]))
        self.given = {**self.exercise.sizes[lecture.name], **outputs.arguments(self.item.name, read)}
        last = progress.read(suite.work)["items"].get(self.name)
        self.tried = bool(last) and last["verdict"] != Verdict.NOT_WRITTEN

    def names(self) -> dict[str, Any]:
        """What the prompt knows: what the item may ask for, and what can be called; no answer is among it."""
        hidden = {n for n in self.given if self.exercise.is_gradient(n)} | {self.item.name}
        hidden -= {*self.item.available, *self.item.params}
        known = {n: values.copied(v) for n, v in self.given.items() if n not in hidden and n.isidentifier()}
        own = {"yours": self.yours, "check": self.check, self._answer: self.answer}
        return {"torch": torch, "F": torch.nn.functional, **known, **own}

    @property
    def _answer(self) -> str:
        return "author" if isinstance(self.item, Output) else "autograd"

    def yours(self) -> Any:
        """What your function gives, from the file as it is now."""
        source = read_submission(self.path)
        text, path = source.decode("utf-8"), self.suite.shown(self.path)
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
        module = sys.modules["submission"] = ModuleType("submission")  # where a class of it says it is from
        exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)
        before, self.tried = self.tried, True
        try:
            if isinstance(self.item, Output):
                submission = Submission(module.__dict__, path)
                return outputs.call(submission, self.item, self.given, self.exercise)[0]
            call = resolve(module.__dict__[self.item.name], self.item, self.given, self.exercise)
            return call({k: values.copied(self.given[k]) for k in call.injected})
        except NotImplementedError as error:  # the stub's
            self.tried = before
            print(f"{error or 'not written yet'} ({path})")
            return None
        except KeyError:  # no such function
            self.tried = before
            raise

    def check(self) -> None:
        """Grade the item as `grader check` does, confined."""
        file = File(self.suite.shown(self.path), read_submission(self.path))
        report = requests.grade(self.suite, self.bench, [self.target], {self.target.exercise: file})
        progress.record(self.suite.work, report, {self.target.exercise: file})
        self.tried = self.tried or report.items[0].verdict is not Verdict.NOT_WRITTEN
        print(screen.show(report, screen.here()), end="")

    def answer(self) -> Any:
        """What it should be, once you have tried."""
        if not self.tried:
            print(f"Write {self.item.name} first: after yours() or check() has had something to run.")
            return None
        if self.item.name in self.reference.plain:
            return values.loads(self.reference.plain[self.item.name])
        return torch.from_numpy(self.reference.values[self.item.name].copy())

    def banner(self) -> str:
        """What there is, and what is not: no confinement."""
        whose = "the author's" if isinstance(self.item, Output) else "autograd's"
        asks = ", ".join(_named(name, self.given.get(name)) for name in self.item.params)
        file = self.suite.shown(self.path)
        rows = [
            f"{self.name} on the lecture's numbers: {asks or 'nothing given'}, and all else it may ask for.",
            f"yours()      what {self.item.name} in {file} gives, as the file is now",
            "check()      its verdict, as `grader check` has it",
            f"{self._answer + '()':11}  {whose} answer, once you have tried",
            "Nothing here is confined: what you type and what your file does runs as any program of yours.",
        ]
        return "\n".join(map(wrapped, rows))


def _named(name: str, value: Any) -> str:
    return f"{name} {times(value.shape)}" if isinstance(value, torch.Tensor) else name


def interact(banner: str, names: dict[str, Any]) -> None:
    """A prompt until it is left: IPython's where that is installed and somebody is there to type."""
    if sys.stdin is None:
        raise GraderFault("there is no input to read from")
    if importlib.util.find_spec("IPython") and sys.stdin.isatty():
        start: Callable[..., Any] = importlib.import_module("IPython").start_ipython
        print(banner)
        start(argv=["--no-banner", "--no-confirm-exit"], user_ns=names)
        return
    import code

    console = code.InteractiveConsole(names)
    try:
        import readline  # arrows and a history
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    except ImportError:
        pass
    console.interact(banner, exitmsg="")
