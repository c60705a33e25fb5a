"""`grader train`: a run of what was built in a set, or of ex4's gradients; autograd's beside it."""

from __future__ import annotations

import argparse
import shlex
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grader.commands import prose
from grader.commands.bar import Bar
from grader.core.calling import BadRequest
from grader.core.course import CORE, title
from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import Exercise, File
from grader.core.text import text
from grader.core.verdict import place
from grader.learner.runs.functions import Functions
from grader.learner.runs.run import Run, Wish
from grader.reference import training
from grader.reference.forward import Forward
from grader.reference.lecture import EMBEDDED, dataset, read_names, splits
from grader.reports.pages import train as page
from grader.reports.pictures import kinds
from grader.runner.untrusted.loading import define, describe, load, load_flat
from grader.submissions.script import Script, script
from grader.suite.files import refusing, writable
from grader.suite.find import Suite, find, read_submission, targets

Rows = tuple[Tensor, Tensor]

SAMPLES = 20
CHUNK = 50  # steps by hand, then as many by autograd: what else the machine does falls on both


def run(args: argparse.Namespace) -> int:
    suite = find()
    torch.set_num_threads(1)  # the matrices are small; more threads only wait for each other
    if len(args.targets) == 1 and args.targets[0] in RUNS:
        return of_set(suite, args.targets[0], args)
    if args.text:
        raise UsageError("--text is for `grader train gpt`")
    args.steps = 20_000 if args.steps is None else args.steps
    args.out = args.out or "loss-ex4.svg"
    exercise, path = _which(suite, args)
    learner = _learner(exercise, read_submission(path), suite.shown(path), args.submission)
    out = _checked(args)
    names = read_names(Path(args.names) if args.names else EMBEDDED)
    race = Race(exercise, learner, _rows(names, exercise, args.names), args.steps)
    train, valid, test = (len(x) for x, _ in race.rows.values())
    print(f"{len(names)} names; {train} training, {valid} validation and {test} test rows")
    race.start(args.seed, autograd=not args.no_autograd)
    with Bar(args.steps, "loss {loss:.4f}") as bar:
        try:
            print(f"{race.size} parameters")
            while race.done < args.steps:
                race.turn()
                bar.at(race.done, loss=race.curves["by hand"][-1])
        except KeyboardInterrupt:
            bar.stop()
            print(f"stopped after {race.done} of {args.steps} steps")
    if not race.done:
        return 0
    print("\n".join(race.result()))
    g = torch.Generator().manual_seed(args.seed + 10)
    print("\n".join(textwrap.wrap("samples: " + " ".join(race.samples(g)), prose.columns())))
    shown = kinds.drawn("losses", {"lossi": race.curves, "width": max(1, min(1000, race.done // 20))})
    with refusing(f"--out {out}: can't be written"):
        out.write_text(shown.alone() if shown else "", encoding="utf-8")
    print(f"loss curve: {out}")
    return 0


RUNS = {
    "micrograd": "micrograd.Micrograd",
    "bigrams": "bigrams.Bigrams",
    "mlp": "mlp.Mlp",
    "batchnorm": "batchnorm.BatchNorm",
    "wavenet": "wavenet.WaveNet",
    "gpt": "gpt.Gpt",
}


def of_set(suite: Suite, name: str, args: argparse.Namespace) -> int:
    """The run of a set: its learner's functions, a line for each thing to know, a page of pictures."""
    if args.submission:
        raise UsageError(f"{name} is trained with all of exercises/{name}: --submission is for ex4")
    if args.text and name != "gpt":
        raise UsageError("--text is for `grader train gpt`")
    module, _, kind = RUNS[name].partition(".")
    made: type[Run] = getattr(import_module(f"grader.learner.runs.{module}"), kind)
    args.steps = made.steps if args.steps is None else args.steps
    args.out = args.out or f"train-{name}.html"
    out = _checked(args)
    own = Functions(suite, args.solutions, load)
    if waiting := own.waits(made.needs):
        more = f", and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        raise UsageError(f"train {name} waits for {'; '.join(waiting[:3])}{more}")
    names = read_names(Path(args.names) if args.names else EMBEDDED)
    wish = Wish(args.steps, args.seed, names, not args.no_autograd, Path(args.text) if args.text else None)
    with helping(own):
        one = made(own, wish)
        said = []
        for line in one.begin():
            said.append(line)
            print(line, flush=True)
        with Bar(args.steps, "loss {loss:.4f}") as bar:
            try:
                while one.done < args.steps:
                    one.turn()
                    losses = next(iter(one.losses.values()))
                    if not losses[-1] < float("inf"):
                        raise UsageError(
                            f"the loss is no longer finite after {one.done} steps; {advice(own)}"
                        )
                    bar.at(one.done, loss=losses[-1])
            except KeyboardInterrupt:
                bar.stop()
                said.append(f"stopped after {one.done} of {args.steps} steps")
                print(said[-1])
        if not one.done:
            return 0
        for line in one.result():
            said.append(text(line, 2000))
            print("\n".join(textwrap.wrap(said[-1], prose.columns())))
    drawn = list[tuple[str, Any]]()
    try:
        drawn += (values for values in one.pictures())
    except Exception as error:
        print(f"a picture can't be drawn: {placed(own, error)}")
    shown = [made_of for values in drawn if (made_of := kinds.drawn(*values))]
    with refusing(f"--out {out}: can't be written"):
        out.write_text(page.render(f"Training: {title(name)}", f"{one.done} steps", said, shown), "utf-8")
    print(f"pictures: {out}")
    return 0


def advice(own: Functions) -> str:
    return f"`grader check {' '.join(own.files)}` grades what it is made of"


def placed(own: Functions, error: BaseException) -> str:
    """An exception with the last line of a learner's file that it went through."""
    for file in own.files.values():
        what, line = describe(error, file.shown)
        if line:
            return f"{file.shown}, line {line}: {text(what)}"
    return text(describe(error, "")[0])


@contextmanager
def helping(own: Functions) -> Iterator[None]:
    """What a learner's function raises in one line, with its place and what to do."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"{placed(own, error)}; {advice(own)}") from None


def _checked(args: argparse.Namespace) -> Path:
    """Where the picture goes; UsageError where an option asks for what can't be."""
    if not 0 <= args.seed < 2**63:
        raise UsageError(f"--seed {args.seed}: a seed is a number from 0 up, below 2^63")
    if args.steps < 1:
        raise UsageError(f"--steps {args.steps}: at least one step is needed")
    return writable(Path(args.out), "--out")


def _rows(names: list[str], exercise: Exercise, file: str) -> dict[str, Rows]:
    """The contexts (rows, block_size) and what follows each (rows), by what they are for."""
    parts = [dataset(part, exercise.lecture.sizes["block_size"]) for part in splits(names)]
    if not all(xs for xs, _ in parts):
        raise UsageError(f"{file}: {len(names)} names are too few to train, validate and test on")
    tensors = [(torch.tensor(xs), torch.tensor(ys)) for xs, ys in parts]
    return dict(zip(("training", "validation", "test"), tensors, strict=True))


class Race:
    """The same descent with the learner's gradients and with autograd's, taking turns on the same batches."""

    def __init__(self, exercise: Exercise, learner: _Learner, rows: dict[str, Rows], steps: int) -> None:
        assert exercise.training is not None
        self.exercise, self.learner, self.rows, self.steps = exercise, learner, rows, steps
        self.plan, self.program = exercise.training, Forward.of(exercise)
        self.runs: dict[str, Any] = {}  # by what they are called
        self.done = 0

    def start(self, seed: int, autograd: bool) -> None:
        """Draw the parameters, and what the batches are drawn with."""
        env = self.program.draw({**self.exercise.lecture.sizes, "seed": seed})
        read = _of_functions if self.learner.code.flat is None else _of_flat_code
        backward = read(self.exercise, self.learner)
        self.runs["by hand"] = training.Manual(self.program, self.plan, backward, env)
        if autograd:
            self.runs["by autograd"] = training.Autograd(self.program, self.plan, env)
        self.generator = torch.Generator().manual_seed(seed)
        self.clock = dict.fromkeys(self.runs, 0.0)
        self.curves = {name: list[float]() for name in self.runs}
        self.size = sum(env[k].numel() for k in self.plan.parameters)

    def turn(self) -> None:
        """Some steps of each run."""
        x, y = self.rows["training"]
        size = min(CHUNK, self.steps - self.done), self.exercise.lecture.sizes["n"]
        rows = torch.randint(0, len(x), size, generator=self.generator)
        batches = [{"Xb": x[row], "Yb": y[row]} for row in rows]
        for name, one in self.runs.items():
            for i, batch in enumerate(batches):
                lr = training.rate(self.plan, self.done + i, self.steps)
                start = time.perf_counter()
                loss = _step(one, name, batch, lr, self.learner)
                self.clock[name] += time.perf_counter() - start
                self.curves[name].append(loss)
        self.done += len(batches)

    def result(self) -> Iterator[str]:
        """Lines: the losses of each run and what a step took. UsageError where a run went astray."""
        for name, one in self.runs.items():
            if not all(bool(torch.isfinite(p).all()) for p in one.params.values()):
                advice = self.learner.advice
                raise UsageError(f"the run {name} ended with parameters that are not finite: {advice}")
        for name in self.runs:
            trained = self._trained(name)
            losses = [trained.loss(*self.rows[which]) for which in ("training", "validation")]
            took = 1e6 * self.clock[name] / self.done
            yield f"{name + ':':12} train {losses[0]:.4f}  validation {losses[1]:.4f}  {took:.0f} us a step"
        if len(self.runs) == 2:
            ratio = self.clock["by hand"] / self.clock["by autograd"]
            yield f"a step by hand takes {ratio:.2f} of autograd's"

    def samples(self, g: Any) -> list[str]:
        """Names that the network makes which was trained by hand."""
        trained, block = self._trained("by hand"), self.exercise.lecture.sizes["block_size"]
        return [trained.sample(g, block) or "." for _ in range(SAMPLES)]

    def _trained(self, name: str) -> Any:
        sizes, (x, _) = self.exercise.lecture.sizes, self.rows["training"]
        return training.Calibrated(self.program, self.plan, self.runs[name].params, sizes, x)


def _which(suite: Suite, args: argparse.Namespace) -> tuple[Exercise, Path]:
    if not suite.ids():
        targets(suite, [])
    able = [e for e in map(suite.describe, suite.ids()) if e.training]
    named = [w for w in args.targets if w != CORE]
    wanted = {t.exercise for t in targets(suite, named)} if named else {able[0].id}
    chosen = [e for e in able if e.id in wanted]
    if len(chosen) != 1 or len(wanted) != 1:
        known = ", ".join([*(e.id for e in able), *RUNS])
        raise UsageError(f"train takes one of: {known}")
    path = Path(args.submission) if args.submission else suite.learners(chosen[0].id)
    path = suite.solution(chosen[0].id) if args.solutions else path
    return chosen[0], path


@dataclass(frozen=True)
class _Learner:
    """The learner's file: its path, its code with the cells of a notebook, and the command that grades it."""

    path: str
    code: Script
    check: str

    def at(self, line: int | None) -> str:
        """The file, with the line of it, or the cell and the line there."""
        where = place(*self.code.place(line), self.code.count(line))
        return f"{self.path}, {where}" if where else self.path

    @property
    def advice(self) -> str:
        return f"`{self.check}` grades each gradient"


def _learner(exercise: Exercise, source: bytes, path: str, submission: str | None) -> _Learner:
    own = ["--submission", submission] if submission else []
    try:
        code = script(File(path, source), exercise)
    except Unreadable as error:
        raise UsageError(f"{path} {error}") from None
    return _Learner(path, code, shlex.join(["grader", "check", exercise.id, *own]))


def _of_flat_code(exercise: Exercise, learner: _Learner) -> Any:
    """The learner's gradients as one backward pass; UsageError names the first that is missing."""
    code = learner.code
    (submission,) = load_flat(code.source, learner.path, [(exercise, code.flat or None)])
    if submission.flat is None:
        what, line = submission.failure or ("can't be read", None)
        raise UsageError(f"{learner.at(line)}: {text(what)}")
    flat = submission.flat
    if missing := next(
        (i.name for i in exercise.items if i.name in submission.absent and not flat.whole), None
    ):
        why, line = flat.missing[missing]
        raise UsageError(
            f"{learner.at(line)}: {missing}: {text(why.text) or 'not written yet'}; {learner.advice}"
        )
    for name, (what, line) in flat.refused.items() if flat.whole is None else ():
        raise UsageError(f"{learner.at(line)}: {name}: {text(what)}; {learner.advice}")
    define(submission)
    if flat.whole is None:
        return training.Backward({i.name: submission.functions[i.name] for i in exercise.items}, exercise)
    return training.Whole(submission.functions["whole"], exercise)


def _of_functions(exercise: Exercise, learner: _Learner) -> Any:
    """The same, of a file of functions."""
    submission = load(learner.code.source, learner.path)
    for item in exercise.items:
        if item.name not in submission.names:
            why = submission.broken.get(item.name) or submission.lost.get(item.name) or submission.failure
            what, line = why or ("no such function", None)
            raise UsageError(f"{learner.at(line)}: {item.name}: {text(what)}")
    try:
        return training.Backward({i.name: submission.names[i.name] for i in exercise.items}, exercise)
    except BadRequest as error:
        raise UsageError(f"{learner.path}: {text(str(error))}; {learner.advice}") from None


def _step(one: Any, who: str, batch: Any, lr: float, learner: _Learner) -> float:
    try:
        loss = float(one.step(batch, lr))
    except NotImplementedError as error:
        raise UsageError(f"{learner.path}: {text(str(error))}; `{learner.check}` lists what is") from None
    except Exception as error:
        what, line = describe(error, learner.path)
        raise UsageError(f"{learner.at(line)}: {text(what)}; {learner.advice}") from None
    if not loss < float("inf"):
        raise UsageError(f"the loss of the run {who} is no longer finite: {learner.advice}")
    return loss
