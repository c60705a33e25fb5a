"""The bigram table counted, and the same as a network by descent with gradients by hand."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from grader.learner.runs.run import CHARS, Descent, Drawn, uniforms, words
from grader.reference import drawn
from grader.reference.training import ONE

RATE = 50.0


class Bigrams(Descent):
    steps = 100
    exercises = ("bigrams.ex4",)
    parameters = ("W",)
    needs = (
        *(f"bigrams.ex1.{n}" for n in ("counts", "probs", "nll", "sample")),
        *(f"bigrams.ex2.{n}" for n in ("pairs", "onehot")),
        *(f"bigrams.ex4.{n}" for n in ("dlogits", "dsquares", "dW")),
        "bigrams.ex5.sample",
    )

    def begin(self) -> Iterator[str]:
        names = list(self.wish.names)
        pairs = self.own["bigrams.ex2.pairs"](names, CHARS)
        yield f"{len(names)} names, {len(pairs[1])} pairs; your table is counted ..."
        table = self.own["bigrams.ex1.counts"]
        self.counted = drawn.counts(table, names, CHARS)
        self.table = self.own["bigrams.ex1.probs"](torch.tensor(self.counted["N"]), 1)
        self.nll = float(self.own["bigrams.ex1.nll"](names, CHARS, self.table))
        yield f"loss of the table, smoothed by 1: {self.nll:.4f}"
        xenc = self.own["bigrams.ex2.onehot"](pairs, len(CHARS))
        self.batch = {"xenc": xenc, "ys": pairs[1], "dnll": ONE, "dpenalty": ONE}  # loss = nll + penalty
        W = torch.randn(len(CHARS), len(CHARS), generator=self.generator)
        self.descend({"W": W, "n": len(pairs[1])})

    def turn(self) -> int:
        self.step(self.batch, RATE)
        self.done += 1
        return 1

    def result(self) -> Iterator[str]:
        yield from self.compared()
        drawn_with = uniforms(self.generator, 400)
        yield "of the table, " + words(self.own["bigrams.ex1.sample"](self.table, CHARS, drawn_with), 10)
        sampled = self.own["bigrams.ex5.sample"](self.hand.params["W"], CHARS, drawn_with)
        yield "of the network, " + words(sampled, 10)

    def pictures(self) -> Drawn:
        yield "losses", {"lossi": self.losses, "width": self.width()}
        yield "counts", self.counted
