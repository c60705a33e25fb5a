"""A deep stack of the learner's modules and what the lecture looks at in it; gradients are autograd's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from grader.learner.runs.run import AUTO, CHARS, Drawn, Run, parts
from grader.reference import drawn
from grader.reference.lecture import dataset

BATCH, BLOCK, EMBED, HIDDEN, LAYERS, RATE = 32, 3, 10, 100, 5, 0.1


class BatchNorm(Run):
    steps = 4000
    needs = (
        *(f"batchnorm.ex6.{n}" for n in ("linear", "tanh", "batchnorm", "running", "sequential")),
        *(f"batchnorm.ex1.{n}" for n in ("expected_loss", "saturated", "dead")),
        "batchnorm.ex5.update_ratios",
    )

    def begin(self) -> Iterator[str]:
        Linear, Tanh, Norm = (self.own[f"batchnorm.ex6.{n}"] for n in ("linear", "tanh", "batchnorm"))
        learning = parts(self.wish.names)
        found = [dataset(part, BLOCK) for part in learning[:2]]
        self.rows = [(torch.tensor(X), torch.tensor(Y)) for X, Y in found]
        g, V = self.generator, len(CHARS)
        self.C = torch.randn(V, EMBED, generator=g)
        layers: list[Any] = []
        for k in range(LAYERS):
            wide = BLOCK * EMBED if k == 0 else HIDDEN
            layers += [
                Linear(torch.randn(wide, HIDDEN, generator=g) * 5 / 3, bias=False),
                Norm(HIDDEN),
                Tanh(),
            ]
        layers += [Linear(torch.randn(HIDDEN, V, generator=g), bias=False), Norm(V)]
        with torch.no_grad():
            layers[-1].gamma *= 0.1  # less sure at the beginning, as in the lecture
        self.layers, self.model = layers, self.own["batchnorm.ex6.sequential"](layers)
        self.weights: list[Tensor] = [self.C, *self.model.parameters()]
        for p in self.weights:
            p.requires_grad_()
        self.losses, self.ud = {AUTO: []}, list[Any]()
        size = sum(p.numel() for p in self.weights)
        yield f"{len(self.wish.names)} names; {LAYERS} hidden layers, {size} parameters"
        yield f"your expected first loss: {float(self.own['batchnorm.ex1.expected_loss'](V)):.4f}"

    def _forward(self, X: Tensor, Y: Tensor) -> Any:
        """The loss, and what each tanh gave."""
        x, given = self.C[X].view(len(X), -1), list[Tensor]()
        for layer in self.layers:
            x = layer(x)
            if isinstance(layer, self.own["batchnorm.ex6.tanh"]):
                given.append(x)
        return F.cross_entropy(x, Y), given

    def turn(self) -> int:
        X, Y = self.rows[0]
        ix = torch.randint(0, len(X), (BATCH,), generator=self.generator)
        rate = RATE if self.done < 0.75 * self.wish.steps else RATE / 10

        def step() -> float:
            loss, given = self._forward(X[ix], Y[ix])
            for t in given:
                t.retain_grad()
            for p in self.weights:
                p.grad = None
            loss.backward()
            self.given = given
            with torch.no_grad():
                for p in self.weights:
                    assert p.grad is not None
                    p -= rate * p.grad
            for layer in self.layers:  # what is kept for later is no part of the graph
                for name in ("running_mean", "running_var"):
                    if isinstance(kept := getattr(layer, name, None), Tensor):
                        setattr(layer, name, kept.detach())
            return float(loss.detach())

        self.losses[AUTO].append(self.timed(AUTO, step))
        pairs = [(p.detach(), p.grad.detach()) for p in self.weights if p.grad is not None]
        ratios = self.own["batchnorm.ex5.update_ratios"]([p for p, _ in pairs], [g for _, g in pairs], rate)
        self.ud.append([float(r) for r in ratios])
        self.done += 1
        return 1

    def result(self) -> Iterator[str]:
        yield from self.compared()
        limit, h = 0.97, self.given[0].detach()
        shares = [f"{float(self.own['batchnorm.ex1.saturated'](t.detach(), limit)):.1%}" for t in self.given]
        yield f"beyond ±{limit}, by layer: {', '.join(shares)}"
        dead = int(self.own["batchnorm.ex1.dead"](h, limit).sum())
        yield f"dead neurons of layer 1 in the last batch: {dead} of {h.shape[1]}"
        for layer in self.layers:
            layer.training = False
        with torch.no_grad():
            for name, rows in zip(("train", "validation"), self.rows, strict=True):
                yield f"{name} loss {float(self._forward(*rows)[0]):.4f}"
            yield self._samples()

    def _samples(self) -> str:
        found = []
        for _ in range(10):
            context, said = [0] * BLOCK, ""
            while len(said) < 30:
                x = self.model(self.C[torch.tensor([context])].view(1, -1))
                ix = int(torch.multinomial(F.softmax(x, 1), 1, generator=self.generator))
                if not ix:
                    break
                context, said = [*context[1:], ix], said + CHARS[ix]
            found.append(said or ".")
        return "samples: " + " ".join(found)

    def pictures(self) -> Drawn:
        names = [f"layer {k + 1}" for k in range(len(self.given))]
        given = [t.detach() for t in self.given]
        grads = [t.grad for t in self.given if t.grad is not None]
        yield "losses", {"lossi": {"loss": self.losses[AUTO]}, "width": self.width()}
        told = [drawn.histogram(n, t, -1.0, 1.0, 0.97) for n, t in zip(names, given, strict=True)]
        yield "activations", {"layers": told}
        edge = 3 * max(float(t.std()) for t in grads)
        yield (
            "gradients",
            {"layers": [drawn.histogram(n, t, -edge, edge) for n, t in zip(names, grads, strict=True)]},
        )
        yield "dead", drawn.dead(self.own["batchnorm.ex1.dead"], given[0], 0.97)
        weights = [p for p in self.weights if p.ndim == 2]
        sizes = ["C", *(f"W{k + 1}" for k in range(len(weights) - 1))]
        yield "updates", {"ud": self.ud, "names": sizes}
