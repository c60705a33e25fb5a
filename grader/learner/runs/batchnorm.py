"""A deep stack of the learner's modules and what the lecture looks at in it; beside it the same by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from grader.learner.runs.run import AUTO, CHARS, HAND, Drawn, Run, by_hand, parts
from grader.reference import drawn
from grader.reference.forward import Env, Forward
from grader.reference.lecture import dataset

BATCH, BLOCK, EMBED, HIDDEN, LAYERS, RATE = 32, 3, 10, 100, 5, 0.1
EPS = 1e-10  # next to nothing, since batchnorm.ex3 has none
# The way back: the loss, a tanh, a batch norm, a linear layer's weight and what it reads, the letters.
GRADIENTS = (
    ("mlp.ex2", ("dlogprobs", "dlogsum", "dcounts_sum", "dcounts", "dshifted", "dmaxes", "dlogits")),
    ("batchnorm.ex2", ("dxtanh",)),
    ("batchnorm.ex3", ("dbngain", "dbnbias", "dbnraw", "dbnstdi", "dbnmeani", "dhprebn")),
    ("batchnorm.ex4", ("dW",)),
    ("mlp.ex3", ("dembcat",)),
    ("mlp.ex4", ("dthird", "dsecond", "dfirst", "demb", "dC")),
)


class ByHand:
    """The same network without modules, in steps of which each has its gradient in an exercise."""

    def __init__(self, run: BatchNorm) -> None:
        self.loss, self.letters = (
            Forward.of(run.own.file(exercise).exercise) for exercise in ("mlp.ex2", "mlp.ex4")
        )
        self.back = run.back
        self.C = run.C.clone()
        found = [getattr(layer, "weight", None) for layer in run.layers]
        self.W = [w.clone() for w in found if isinstance(w, Tensor)]
        norms = [layer for layer in run.layers if isinstance(layer, run.own["batchnorm.ex6.batchnorm"])]
        self.gain, self.bias = ([getattr(n, k).clone()[None] for n in norms] for k in ("gamma", "beta"))

    @torch.no_grad()
    def step(self, X: Tensor, Y: Tensor, rate: float) -> float:
        n, envs, x = len(X), list[Env](), self.C[X].view(len(X), -1)
        # ex3's standard deviation divides by n - 1, a module's by n: the difference is a factor of the gain.
        more = (n / (n - 1)) ** 0.5
        for W, gain, bias in zip(self.W, self.gain, self.bias, strict=True):
            pre = x @ W
            env: Env = {"n": n, "x": x, "W": W, "embcat": x, "W1": W, "logits": pre, "hprebn": pre}
            env |= {"bnmeani": pre.mean(0, keepdim=True), "bnstdi": pre.std(0, keepdim=True)}
            env |= {"bnraw": (pre - env["bnmeani"]) / env["bnstdi"], "bngain": gain * more, "bnbias": bias}
            x = env["bngain"] * env["bnraw"] + bias
            envs.append({**env, "hpreact": x, "xtanh": x, "h": x.tanh(), "ytanh": x.tanh()})
            logits, x = x, envs[-1]["h"]
        end = self.loss.run({**dict.fromkeys(self.loss.inputs), "Yb": Y, "n": n}, {"h": x, "logits": logits})
        loss, tanh, norm, weight, below, letters = self.back
        loss(end)
        arrived = end["dlogits"]
        for k, env in reversed(list(enumerate(envs))):
            env["dh"] = env["dytanh"] = env["dhpreact"] = arrived
            if k < len(envs) - 1:
                tanh(env)
                env["dhpreact"] = env["dxtanh"]
            norm(env)
            env["dlogits"] = env["dhprebn"]
            weight(env)
            under = {**env, "dhpreact": env["dhprebn"]}
            below(under)
            arrived = under["dembcat"]
            self.W[k].sub_(rate * env["dW"])
            self.gain[k].sub_(rate * more * env["dbngain"])
            self.bias[k].sub_(rate * env["dbnbias"])
        rest = {"W1": torch.zeros(BLOCK * EMBED, 1), "W2": torch.zeros(1, 1), "b1": torch.zeros(1)}
        looked = self.letters.run({**rest, "b2": rest["b1"], "C": self.C, "Xb": X, "Yb": torch.zeros_like(Y)})
        looked["dembcat"] = arrived
        letters(looked)
        self.C.sub_(rate * looked["dC"])
        return float(end[self.loss.loss])


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
                Norm(HIDDEN, EPS),
                Tanh(),
            ]
        layers += [Linear(torch.randn(HIDDEN, V, generator=g), bias=False), Norm(V, EPS)]
        with torch.no_grad():
            layers[-1].gamma *= 0.1  # less sure at the beginning, as in the lecture
        self.layers, self.model = layers, self.own["batchnorm.ex6.sequential"](layers)
        self.weights: list[Tensor] = [self.C, *self.model.parameters()]
        self.back, waits = by_hand(self.own, GRADIENTS)
        self.hand = ByHand(self) if self.back else None
        for p in self.weights:
            p.requires_grad_()
        self.losses = {name: list[float]() for name in ([HAND, AUTO] if self.hand else [AUTO])}
        self.ud = list[Any]()
        size = sum(p.numel() for p in self.weights)
        yield f"{len(self.wish.names)} names; {LAYERS} hidden layers, {size} parameters"
        yield f"your expected first loss: {float(self.own['batchnorm.ex1.expected_loss'](V)):.4f}"
        if waits:
            yield waits

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

        if self.hand:
            self.losses[HAND].append(self.timed(HAND, self.hand.step, X[ix], Y[ix], rate))
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
        yield "losses", {"lossi": self.losses, "width": self.width()}
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
