"""`grader train ex4`: the whole run with the learner's gradients, and autograd's beside it."""

from __future__ import annotations

import argparse
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import Exercise, File
from grader.core.text import text
from grader.core.verdict import place
from grader.reference.lecture import EMBEDDED, dataset, read_names, splits
from grader.submissions.script import Script, script
from grader.suite.find import Suite, find, read_submission, targets

SAMPLES = 20
CHUNK = 50  # steps by hand, then as many by autograd: what else the machine does falls on both


def run(args: argparse.Namespace) -> int:
    suite = find()
    exercise, path = _which(suite, args)
    learner = _learner(exercise, read_submission(path), str(path), args.submission)
    if not 0 <= args.seed < 2**63:
        raise UsageError(f"--seed {args.seed}: a seed is a number from 0 up, below 2^63")
    if args.steps < 1:
        raise UsageError(f"--steps {args.steps}: at least one step is needed")
    names = read_names(Path(args.names) if args.names else EMBEDDED)
    out = Path(args.out)
    if out.is_dir():
        raise UsageError(f"--out {out} is a folder: name a file")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}")

    import torch

    torch.set_num_threads(1)  # the matrices are small; more threads only wait for each other
    from grader.reference import training
    from grader.reference.forward import Forward
    from grader.reports.pages.curve import Curve

    plan, program = exercise.training, Forward.of(exercise)
    assert plan is not None
    sizes = exercise.lecture.sizes
    block = sizes["block_size"]
    parts = [dataset(part, block) for part in splits(names)]
    if not all(xs for xs, _ in parts):
        raise UsageError(f"{args.names}: {len(names)} names are too few to train, validate and test on")
    (x, y), (xv, yv), _ = [(torch.tensor(a), torch.tensor(b)) for a, b in parts]
    print(f"{len(names)} names; {len(x)} training, {len(xv)} validation and {len(parts[2][0])} test rows")
    env = program.draw({**sizes, "seed": args.seed})
    manual = training.Manual(program, plan, _backward(exercise, learner), env)
    runs: dict[str, Any] = {"by hand": manual}
    if not args.no_autograd:
        runs["by autograd"] = training.Autograd(program, plan, env)
    g = torch.Generator().manual_seed(args.seed)
    clock = dict.fromkeys(runs, 0.0)
    curves = {name: Curve(args.steps) for name in runs}
    done = 0
    with _Bar(args.steps) as bar:
        try:
            print(f"{sum(env[k].numel() for k in plan.parameters)} parameters")
            while done < args.steps:
                ix = torch.randint(0, len(x), (min(CHUNK, args.steps - done), sizes["n"]), generator=g)
                batches = [{"Xb": x[row], "Yb": y[row]} for row in ix]
                for name, one in runs.items():
                    for i, batch in enumerate(batches):
                        lr = training.rate(plan, done + i, args.steps)
                        start = time.perf_counter()
                        loss = _step(one, name, batch, lr, learner)
                        clock[name] += time.perf_counter() - start
                        curves[name].add(loss)
                done += len(batches)
                bar.at(done, curves["by hand"].last)
        except KeyboardInterrupt:
            bar.stop()
            print(f"stopped after {done} of {args.steps} steps")
    if not done:
        return 0
    for name, one in runs.items():
        if not all(bool(torch.isfinite(p).all()) for p in one.params.values()):
            raise UsageError(f"the run {name} ended with parameters that are not finite: {learner.advice}")
    for name, one in runs.items():
        trained = training.Calibrated(program, plan, one.params, sizes, x)
        print(
            f"{name + ':':12} train {trained.loss(x, y):.4f}  validation {trained.loss(xv, yv):.4f}  "
            f"{1e6 * clock[name] / done:.0f} us a step"
        )
    if len(runs) == 2:
        print(f"a step by hand takes {clock['by hand'] / clock['by autograd']:.2f} of autograd's")
    trained = training.Calibrated(program, plan, manual.params, sizes, x)
    g = torch.Generator().manual_seed(args.seed + 10)
    print("samples: " + " ".join(trained.sample(g, block) or "." for _ in range(SAMPLES)))
    from grader.reports.pages import curve

    try:
        out.write_text(curve.render(curves, f"{exercise.id}: loss over {done} steps"), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--out {out}: can't be written: {error.strerror}") from None
    print(f"loss curve: {out}")
    return 0


def _which(suite: Suite, args: argparse.Namespace) -> tuple[Exercise, Path]:
    if not suite.ids():
        targets(suite, [])
    able = [e for e in map(suite.describe, suite.ids()) if e.training]
    wanted = {t.exercise for t in targets(suite, args.targets)} if args.targets else {able[0].id}
    chosen = [e for e in able if e.id in wanted]
    if len(chosen) != 1 or len(wanted) != 1:
        raise UsageError(f"train takes one of: {', '.join(e.id for e in able)}")
    path = Path(args.submission) if args.submission else suite.learners(chosen[0].id)
    return chosen[0], path


@dataclass(frozen=True)
class _Learner:
    """The learner's file: its path, its code with the cells of a notebook, and the command that grades it."""

    path: str
    code: Script
    check: str

    def at(self, line: int | None) -> str:
        """The file, with the line of it, or the cell and the line there."""
        where = place(*self.code.place(line))
        return f"{self.path}, {where}" if where else self.path

    @property
    def advice(self) -> str:
        return f"`{self.check}` grades each gradient"


def _learner(exercise: Exercise, source: bytes, path: str, submission: str | None) -> _Learner:
    own = ["--submission", submission] if submission else []
    try:
        return _Learner(
            path, script(File(path, source), exercise), shlex.join(["grader", "check", exercise.id, *own])
        )
    except Unreadable as error:
        raise UsageError(f"{path} {error}") from None


def _backward(exercise: Exercise, learner: _Learner) -> Any:
    """The learner's gradients as one backward pass; UsageError names the first that is missing."""
    return (_of_functions if learner.code.flat is None else _of_flat_code)(exercise, learner)


def _of_flat_code(exercise: Exercise, learner: _Learner) -> Any:
    from grader.reference.training import Whole
    from grader.runner.untrusted.loading import define, load_flat

    code = learner.code
    (submission,) = load_flat(code.source, learner.path, [(exercise, code.flat or None)])
    if submission.flat is None:
        what, line = submission.failure or ("can't be read", None)
        raise UsageError(f"{learner.at(line)}: {text(what)}")
    if submission.flat.whole is None:
        missing = next(i.name for i in exercise.items if i.name in submission.absent)
        why, line = submission.flat.missing[missing]
        raise UsageError(
            f"{learner.at(line)}: {missing}: {text(why.text) or 'not written yet'}; {learner.advice}"
        )
    define(submission)
    return Whole(submission.names["whole"], exercise)


def _of_functions(exercise: Exercise, learner: _Learner) -> Any:
    from grader.core.calling import BadRequest
    from grader.reference.training import Backward
    from grader.runner.untrusted.loading import load

    submission = load(learner.code.source, learner.path)
    for item in exercise.items:
        if item.name not in submission.names:
            what, line = submission.broken.get(item.name) or submission.failure or ("no such function", None)
            raise UsageError(f"{learner.at(line)}: {item.name}: {text(what)}")
    try:
        return Backward({i.name: submission.names[i.name] for i in exercise.items}, exercise)
    except BadRequest as error:
        raise UsageError(f"{learner.path}: {text(str(error))}; {learner.advice}") from None


def _step(one: Any, who: str, batch: Any, lr: float, learner: _Learner) -> float:
    from grader.runner.untrusted.loading import describe

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


class _Bar:
    """rich's progress bar: steps, loss, time left. Silent where the output is no terminal."""

    def __init__(self, steps: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        loss = TextColumn("loss {task.fields[loss]:.4f}")
        self.progress = Progress(
            BarColumn(), MofNCompleteColumn(), loss, TimeRemainingColumn(),
            console=console, redirect_stdout=False, disable=not console.is_terminal, auto_refresh=False,
        )  # fmt: skip
        self.task = self.progress.add_task("train", total=steps, loss=float("nan"))
        self.shown = 0.0

    def at(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if now - self.shown > 0.1 or step == self.progress.tasks[0].total:
            self.shown = now
            self.progress.update(self.task, completed=step, loss=loss, refresh=True)

    def stop(self) -> None:
        self.progress.stop()

    def __enter__(self) -> _Bar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
