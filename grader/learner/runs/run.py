"""What all runs have in common, and descent with gradients by hand beside autograd's."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from grader.core.errors import UsageError
from grader.core.exercise import Training
from grader.learner.runs.functions import Functions
from grader.reference.forward import Env, Forward
from grader.reference.lecture import LETTERS, splits
from grader.reference.training import Autograd, Backward, Manual

CHARS = "." + LETTERS
HAND, AUTO = "by hand", "by autograd"
Drawn = Iterator[tuple[str, Mapping[str, Any]]]  # a picture's name, and what it is drawn from


@dataclass(frozen=True)
class Wish:
    """What is asked of a run. text: another than the one at hand, of those that learn a text."""

    steps: int
    seed: int
    names: Sequence[str]
    autograd: bool = True
    text: Path | None = None


class Run(ABC):
    """steps: how many there are by default. needs: the items without which there is no run."""

    steps: ClassVar[int]
    needs: ClassVar[tuple[str, ...]]

    def __init__(self, own: Functions, wish: Wish) -> None:
        self.own, self.wish = own, wish
        self.generator = torch.Generator().manual_seed(wish.seed)
        self.losses: dict[str, list[float]] = {}
        self.clock: dict[str, float] = {}
        self.done = 0

    @abstractmethod
    def begin(self) -> Iterator[str]:
        """Make data and parameters; lines to tell meanwhile."""

    @abstractmethod
    def turn(self) -> int:
        """Some steps; how many."""

    @abstractmethod
    def result(self) -> Iterator[str]:
        """Lines to tell at the end: losses, samples."""

    @abstractmethod
    def pictures(self) -> Drawn:
        """What there is to draw of the steps so far."""

    def left(self, most: int) -> int:
        return min(most, self.wish.steps - self.done)

    def timed(self, name: str, step: Any, *given: Any) -> Any:
        """What a step gives, on the clock of a run of that name."""
        start = time.perf_counter()
        found = step(*given)
        self.clock[name] = self.clock.get(name, 0.0) + time.perf_counter() - start
        return found

    def compared(self) -> Iterator[str]:
        """The last losses of each run, and what a step took."""
        for name, losses in self.losses.items():
            last = losses[-self.width() :]
            mean, took = sum(last) / len(last), 1e6 * self.clock[name] / self.done
            yield f"{name + ':':12} loss {mean:.4f}, the mean of the last {len(last)}; {took:.0f} us a step"
        if {HAND, AUTO} <= self.losses.keys():
            yield f"a step by hand takes {self.clock[HAND] / self.clock[AUTO]:.2f} of autograd's"

    def width(self) -> int:
        """Steps that are averaged in the picture of the losses: a thousand, of a short run fewer."""
        return max(1, min(1000, self.done // 20))


class Joined:
    """Forward programs over the same tensors, one after the other, as one."""

    def __init__(self, programs: Sequence[Forward]) -> None:
        self.programs, self.loss = programs, programs[-1].loss

    def run(self, env: Env) -> Env:
        for program in self.programs:
            env = program.run(env)
        return env


class Chain:
    """The learner's gradients of several exercises, in backward order."""

    def __init__(self, own: Functions, exercises: Sequence[str]) -> None:
        self.parts = [Backward(own.gradients(e), own.file(e).exercise) for e in exercises]

    def __call__(self, env: Env) -> None:
        for part in self.parts:
            part(env)


class Descent(Run):
    """Descent with the gradients of `exercises`, and by autograd on the last one's forward pass."""

    exercises: ClassVar[tuple[str, ...]]
    parameters: ClassVar[tuple[str, ...]]

    def descend(self, env: Env) -> None:
        """Begin both at the parameters and sizes of `env`."""
        programs = [Forward.of(self.own.file(e).exercise) for e in self.exercises]
        self.program = programs[-1]
        plan = Training(self.parameters, 0, 0, 0.0, 0.0, ())
        joined: Any = Joined(programs)
        chain: Any = Chain(self.own, self.exercises)
        self.hand = Manual(joined, plan, chain, env)
        self.auto = Autograd(self.program, plan, env) if self.wish.autograd else None
        self.losses = {name: [] for name in ((HAND, AUTO) if self.auto else (HAND,))}

    def step(self, batch: Env, rate: float) -> None:
        """One of both."""
        self.losses[HAND].append(self.timed(HAND, self.hand.step, batch, rate))
        if self.auto:
            self.losses[AUTO].append(self.timed(AUTO, self.auto.step, batch, rate))

    @property
    def size(self) -> int:
        return sum(p.numel() for p in self.hand.params.values())


def by_hand(own: Functions, wanted: Sequence[tuple[str, Sequence[str]]]) -> tuple[list[Backward], str]:
    """Passes of a learner's gradients, each of some of an exercise; or none, and what they wait for."""
    try:
        waiting = own.waits(f"{exercise}.{name}" for exercise, names in wanted for name in names)
    except UsageError as error:
        waiting = [str(error)]
    if waiting:
        more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        return [], f"no run by hand: it waits for {waiting[0]}{more}"
    return [
        Backward({n: own[f"{exercise}.{n}"] for n in names}, own.file(exercise).exercise)
        for exercise, names in wanted
    ], ""


def parts(names: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Training, validation and test names. UsageError where one of them would be empty."""
    found = splits(names)
    if not all(found):
        raise UsageError(f"{len(names)} names are too few to train, validate and test on")
    return found


def uniforms(g: torch.Generator, count: int) -> list[float]:
    """Numbers for a sampler that gets them."""
    found: Tensor = torch.rand(count, generator=g)
    return found.tolist()


def words(sampled: Any, most: int = 20) -> str:
    """The line of samples, whatever the learner's sampler gave."""
    return "samples: " + " ".join(str(w) or "." for w in list(sampled)[:most])
