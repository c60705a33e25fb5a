"""The embedding MLP by the learner's own loop and gradients; the rate finder, the letters' places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from grader.learner.runs.run import AUTO, CHARS, HAND, Descent, Drawn, parts, uniforms, words

BATCH, BLOCK, EMBED, HIDDEN = 32, 3, 2, 100
RATE, CHUNK, FIND = 0.1, 50, 600
GRADIENTS = {
    "mlp.ex2": ("dlogprobs", "dlogsum", "dcounts_sum", "dcounts", "dshifted", "dmaxes", "dlogits"),
    "mlp.ex3": ("dW2", "db2", "dh", "dhpreact", "dW1", "db1", "dembcat"),
    "mlp.ex4": ("dthird", "dsecond", "dfirst", "demb", "dC"),
}


class Mlp(Descent):
    steps = 20_000
    exercises = tuple(GRADIENTS)
    parameters = ("C", "W1", "b1", "W2", "b2")
    needs = (
        "mlp.ex1.dataset",
        *(f"{e}.{n}" for e, names in GRADIENTS.items() for n in names),
        *(f"mlp.ex5.{n}" for n in ("rates", "schedule", "sample")),
        *(f"mlp.ex6.{n}" for n in ("train", "best_rate")),
    )

    def begin(self) -> Iterator[str]:
        dataset, learning = self.own["mlp.ex1.dataset"], parts(self.wish.names)
        self.rows = {
            n: dataset(p, CHARS, BLOCK) for n, p in zip(("train", "validation"), learning, strict=False)
        }
        g, V = self.generator, len(CHARS)
        env = {
            "C": torch.randn(V, EMBED, generator=g),
            "W1": torch.randn(BLOCK * EMBED, HIDDEN, generator=g) * (5 / 3) / (BLOCK * EMBED) ** 0.5,
            "b1": torch.randn(HIDDEN, generator=g) * 0.01,
            "W2": torch.randn(HIDDEN, V, generator=g) * 0.01,
            "b2": torch.zeros(V),
        }
        self.descend({**env, "n": BATCH})
        yield f"{len(self.wish.names)} names, {len(self.rows['train'][0])} contexts; {self.size} parameters"
        self.network = dict(self.hand.params)
        self.rates = self.own["mlp.ex5.schedule"](self.wish.steps, RATE)
        self.found = self._finder()
        yield f"your finder's best learning rate: {10 ** self.found['best']:.3g}"

    def _gradients(self, network: Any, Xb: Any, Yb: Any) -> tuple[float, dict[str, Any]]:
        """A loss and its gradients by hand, as the learner's loop asks for them."""
        with torch.no_grad():
            env = self.hand.program.run({**network, "n": len(Yb), "Xb": Xb, "Yb": Yb})
            self.hand.backward(env)
        return float(env["loss"]), {name: env[f"d{name}"] for name in self.parameters}

    def _finder(self) -> dict[str, Any]:
        """The lecture's search: each batch at a higher rate than the one before; the network stays."""
        rates = self.own["mlp.ex5.rates"](-3.0, 0.0, FIND)
        X, Y = self.rows["train"]
        network, losses = {k: v.clone() for k, v in self.network.items()}, []
        for rate in rates.tolist():
            ix = torch.randint(0, len(X), (BATCH,), generator=self.generator)
            network, loss = self.own["mlp.ex6.train"](network, X, Y, [ix], self._gradients, rate)
            losses.append(float(loss[0]))
        best = float(self.own["mlp.ex6.best_rate"](rates.tolist(), losses, 101))
        exponents = rates.log10()
        return {"lre": exponents.tolist(), "lossi": losses, "best": torch.tensor(best).log10().item()}

    def turn(self) -> int:
        X, Y = self.rows["train"]
        rate = self.rates[self.done]
        count = next(
            (k for k in range(self.left(CHUNK)) if self.rates[self.done + k] != rate), self.left(CHUNK)
        )
        batches = list(torch.randint(0, len(X), (count, BATCH), generator=self.generator))
        train = self.own["mlp.ex6.train"]
        self.network, losses = self.timed(HAND, train, self.network, X, Y, batches, self._gradients, rate)
        self.losses[HAND] += [float(loss) for loss in losses]
        for ix in batches if self.auto else ():
            assert self.auto
            self.losses[AUTO].append(self.timed(AUTO, self.auto.step, {"Xb": X[ix], "Yb": Y[ix]}, rate))
        self.done += count
        return count

    @torch.no_grad()
    def result(self) -> Iterator[str]:
        yield from self.compared()
        for name, (X, Y) in self.rows.items():
            loss = self.program.run({**self.network, "n": len(Y), "Xb": X, "Yb": Y})["loss"]
            yield f"{name} loss {float(loss):.4f}"
        sample = self.own["mlp.ex5.sample"]
        yield words(sample(self.network, CHARS, BLOCK, uniforms(self.generator, 300)))

    def pictures(self) -> Drawn:
        yield "losses", {"lossi": self.losses, "width": self.width()}
        yield "rates", self.found
        yield "embedding", {"C": self.network["C"], "itos": CHARS}
