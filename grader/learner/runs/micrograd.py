"""Two moons, told apart by a network of the learner's own engine; torch's in double beside it."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import torch

from grader.learner.runs.run import AUTO, HAND, Drawn, Run
from grader.reference import drawn

POINTS, BATCH, ALPHA = 100, 20, 1e-4
WIDTHS = (16, 16, 1)
ENGINE = ("add", "multiply", "power", "relu", "composed", "backward")


def moons(count: int, rng: random.Random) -> tuple[list[list[float]], list[int]]:
    """Two half circles that hook into each other, with noise: points and labels, 1 and -1."""
    points, labels = [], []
    for k in range(count):
        angle, upper = math.pi * rng.random(), k % 2
        x, y = (math.cos(angle), math.sin(angle)) if upper else (1 - math.cos(angle), 0.5 - math.sin(angle))
        points.append([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)])
        labels.append(1 if upper else -1)
    return points, labels


class Micrograd(Run):
    steps = 100
    needs = tuple(f"micrograd.ex2.{n}" for n in ENGINE) + tuple(
        f"micrograd.ex5.{n}"
        for n in ("neuron", "mlp", "hinge", "penalty", "accuracy", "decayed", "minibatch")
    )

    def begin(self) -> Iterator[str]:
        self.rng = random.Random(self.wish.seed)
        self.points, self.labels = moons(POINTS, self.rng)
        Value = self.Value = self.own["micrograd.ex2.add"]
        names = self.own.file("micrograd.ex5").loaded.names
        names["Value"] = Value  # what neurons are made of, where the file names it
        self.net = self.own["micrograd.ex5.mlp"](2, list(WIDTHS), lambda: Value(self.rng.uniform(-1, 1)))
        begun = [p.data for p in self.net.parameters()]
        self.losses, self.right = {HAND: []}, list[float]()
        self.torch = None
        if self.wish.autograd:
            self.torch = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in _matrices(begun)]
            self.losses[AUTO] = []
        yield f"{POINTS} points of two moons; {len(begun)} parameters"

    def turn(self) -> int:
        minibatch, hinge = self.own["micrograd.ex5.minibatch"], self.own["micrograd.ex5.hinge"]
        places = [self.rng.randrange(POINTS) for _ in range(BATCH)]
        points, labels = minibatch(self.points, self.labels, places)
        rate = 0.5 * self.own["micrograd.ex5.decayed"](self.done, self.wish.steps)

        def step() -> float:
            scores = [self.net(list(point)) for point in points]
            loss = hinge(scores, labels) + self.own["micrograd.ex5.penalty"](self.net.parameters(), ALPHA)
            for p in self.net.parameters():
                p.grad = 0.0
            loss.backward()
            for p in self.net.parameters():
                p.data -= rate * p.grad
            self.right.append(self.own["micrograd.ex5.accuracy"](scores, labels))
            return float(loss.data)

        self.losses[HAND].append(self.timed(HAND, step))
        if self.torch:
            self.losses[AUTO].append(self.timed(AUTO, self._beside, points, labels, rate))
        self.done += 1
        return 1

    def _beside(self, points: Any, labels: Any, rate: float) -> float:
        assert self.torch
        loss = (1 - torch.tensor(labels) * _scores(self.torch, points)).relu().mean()
        loss = loss + ALPHA * sum((p**2).sum() for p in self.torch)
        for p, grad in zip(self.torch, torch.autograd.grad(loss, self.torch), strict=True):
            p.data -= rate * grad
        return float(loss.detach())

    def result(self) -> Iterator[str]:
        yield from self.compared()
        scores = [self.net(list(point)) for point in self.points]
        share = self.own["micrograd.ex5.accuracy"](scores, self.labels)
        yield f"{float(share):.0%} of all {POINTS} points are on the right side"

    def pictures(self) -> Drawn:
        yield "losses", {"lossi": self.losses, "width": max(1, self.done // 20)}
        now = [
            torch.tensor(p, dtype=torch.float64) for p in _matrices([p.data for p in self.net.parameters()])
        ]
        yield "moons", {"points": self.points, "labels": self.labels, "scores": _ground(now, self.points)}
        yield "neuron", drawn.neuron(self.Value)


def _matrices(numbers: list[float]) -> list[Any]:
    """The parameters of neurons, weights then bias, as a weight and a bias for each layer."""
    found, at, nin = list[Any](), 0, 2
    for nout in WIDTHS:
        rows = [numbers[at + k * (nin + 1) : at + (k + 1) * (nin + 1)] for k in range(nout)]
        found += [[row[:-1] for row in rows], [row[-1] for row in rows]]
        at, nin = at + nout * (nin + 1), nout
    return found


def _scores(matrices: list[torch.Tensor], points: Any) -> torch.Tensor:
    x = torch.as_tensor(points, dtype=torch.float64)
    for k, (W, b) in enumerate(zip(matrices[::2], matrices[1::2], strict=True)):
        x = x @ W.T + b
        x = x.relu() if k < len(WIDTHS) - 1 else x
    return x[:, 0]


def _ground(matrices: list[torch.Tensor], points: Any) -> Any:
    """What the network says all over the picture's frame, from the lowest row upwards."""
    from grader.reports.pictures.charts import frame

    axes = frame(points)
    xs, ys = (
        torch.linspace(*axes.x, 61, dtype=torch.float64),
        torch.linspace(*axes.y, 46, dtype=torch.float64),
    )
    middle_x, middle_y = (xs[1:] + xs[:-1]) / 2, (ys[1:] + ys[:-1]) / 2
    at = torch.stack([middle_x.repeat(45), middle_y.repeat_interleave(60)], 1)
    return _scores(matrices, at).view(45, 60).tolist()
