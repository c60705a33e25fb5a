"""The tree over eight letters: all of its gradients by hand, autograd's beside them."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from grader.core.exercise import Training
from grader.learner.runs.run import HAND, Descent, Drawn, parts
from grader.reference import drawn
from grader.reference.lecture import dataset
from grader.reference.training import Calibrated

BATCH, BLOCK, EMBED, HIDDEN, RATE, CHUNK, ENOUGH = 32, 8, 10, 68, 0.1, 20, 20_000
LEVELS = tuple(f"{part}{level}" for level in (1, 2, 3) for part in ("W", "gamma", "beta"))
GRADIENTS = (
    *("dlogits", "dW4", "db4", "dlast", "dh3", "dy3", "dgamma3", "dbeta3", "da3", "dx3", "dW3"),
    *("dy2", "dgamma2", "dbeta2", "da2", "dW2", "dh1", "dgamma1", "dbeta1", "da1", "dW1"),
)


class WaveNet(Descent):
    steps = 10_000
    exercises = ("wavenet.ex4",)
    parameters = ("C", *LEVELS, "W4", "b4")
    needs = (
        *(f"wavenet.ex4.{n}" for n in (*GRADIENTS, "demb", "dC")),
        "wavenet.ex7.flatten",
        "wavenet.ex8.smoothed",
    )

    def begin(self) -> Iterator[str]:
        found = [dataset(part, BLOCK) for part in parts(self.wish.names)[:2]]
        self.rows = [(torch.tensor(X), torch.tensor(Y)) for X, Y in found]
        g = self.generator

        def weight(nin: int, nout: int, gain: float = 5 / 3) -> torch.Tensor:
            found: torch.Tensor = torch.randn(nin, nout, generator=g) * gain / nin**0.5
            return found

        env = {"C": torch.randn(27, EMBED, generator=g)}
        for level, wide in ((1, EMBED), (2, HIDDEN), (3, HIDDEN)):
            env[f"W{level}"] = weight(2 * wide, HIDDEN)
            env[f"gamma{level}"], env[f"beta{level}"] = torch.ones(1, 1, HIDDEN), torch.zeros(1, 1, HIDDEN)
        env |= {"W4": weight(HIDDEN, 27, 0.1), "b4": torch.zeros(27)}
        self.descend({**env, "n": BATCH})
        many = len(self.rows[0][0])
        yield f"{len(self.wish.names)} names, {many} contexts of {BLOCK}; {self.size} parameters"

    def turn(self) -> int:
        X, Y = self.rows[0]
        count = self.left(CHUNK)
        for k, ix in enumerate(torch.randint(0, len(X), (count, BATCH), generator=self.generator)):
            late = self.done + k >= 0.75 * self.wish.steps
            self.step({"Xb": X[ix], "Yb": Y[ix]}, RATE / 10 if late else RATE)
        self.done += count
        return count

    def result(self) -> Iterator[str]:
        yield from self.compared()
        kept = tuple(f"{part}{level}" for level in (1, 2, 3) for part in ("mean", "inv"))
        plan = Training(self.parameters, 0, 0, 0.0, 0.0, kept)
        X = self.rows[0][0][:ENOUGH]
        sizes = {"n": BATCH}
        with torch.no_grad():
            trained = Calibrated(self.program, plan, self.hand.params, sizes, X)
            for name, (some, ys) in zip(("train", "validation"), self.rows, strict=True):
                yield f"{name} loss {trained.loss(some[:ENOUGH], ys[:ENOUGH]):.4f}"
            names = [trained.sample(self.generator, BLOCK) or "." for _ in range(20)]
            yield f"samples: {' '.join(names)}"

    def pictures(self) -> Drawn:
        width = self.width()
        smooth = self.own["wavenet.ex8.smoothed"](self.losses[HAND], width)
        yield "losses", {"lossi": self.losses, "width": width, "smoothed": smooth}
        yield "tree", drawn.tree(self.own["wavenet.ex7.flatten"])
