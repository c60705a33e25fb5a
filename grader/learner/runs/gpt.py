"""The learner's own transformer on a text, character by character; beside it the same by hand."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import torch

from grader.core.errors import UsageError
from grader.learner.runs.run import AUTO, HAND, Drawn, Run, by_hand
from grader.reference import drawn
from grader.reference.forward import Env, Forward

BATCH, BLOCK, EMBED, HEADS, LAYERS, RATE = 16, 32, 32, 4, 2, 3e-3
LENGTH = 200_000  # characters of a play of our own, at least
NEW = 300  # characters of a sample
EVERY = 20  # batches of each part that a loss is estimated on


# The way back: the loss, the last linear layer, the last norm, a block, and the two tables.
GRADIENTS = (
    ("gpt.ex2", ("dflat", "dlogits")),
    ("gpt.ex3", ("dW", "db", "dx")),
    ("gpt.ex7", ("dgamma", "dbeta", "dxhat", "dinv", "dvar", "ddiff2", "ddiff", "dmean", "dx")),
    (
        "gpt.ex10",
        (
            *("dW2", "db2", "dact", "dhidden", "dW1", "db1", "dn2", "dgamma2", "dbeta2", "dx1", "dWproj"),
            *("dbproj", "djoined", "dout", "datt", "dvh", "dscores", "dqh", "dkh", "dq", "dk", "dv"),
            *("dWq", "dWk", "dWv", "dn1", "dgamma1", "dbeta1", "dx"),
        ),
    ),
    ("gpt.ex3", ("dtok", "dpos", "dwpe", "dwte")),
)


class ByHand:
    """The same network from the same weights, in the forward passes of the exercises on its gradients."""

    def __init__(self, run: Gpt) -> None:
        self.norm, self.block = (Forward.of(run.own.file(e).exercise) for e in ("gpt.ex7", "gpt.ex10"))
        self.back, model = run.back, run.model
        self.outer = {
            "wte": model.token_embedding_table.weight,
            "wpe": model.position_embedding_table.weight,
            "W": model.lm_head.weight.T,
            "b": model.lm_head.bias,
        }
        self.last = {"gamma": model.ln_f.weight, "beta": model.ln_f.bias}
        self.blocks = [self._weights(block) for block in model.blocks]
        self.groups = [self.outer, self.last, *self.blocks]
        for group in self.groups:
            for name, p in group.items():
                group[name] = p.detach().clone()
        self.optimiser = torch.optim.AdamW([p for group in self.groups for p in group.values()], lr=RATE)

    def _weights(self, block: Any) -> Env:
        """A block's parameters as gpt.ex10 calls them."""
        kinds = {"Wq": "query", "Wk": "key", "Wv": "value"}
        heads = {
            W: torch.cat([getattr(h, kind).weight.T for h in block.sa.heads], 1) for W, kind in kinds.items()
        }
        first, second = block.ffwd.net[0], block.ffwd.net[2]
        proj, ln1, ln2 = block.sa.proj, block.ln1, block.ln2
        heads |= {"Wproj": proj.weight.T, "bproj": proj.bias, "gamma1": ln1.weight, "beta1": ln1.bias}
        heads |= {"gamma2": ln2.weight, "beta2": ln2.bias, "W1": first.weight.T, "b1": first.bias}
        return {**heads, "W2": second.weight.T, "b2": second.bias}

    @torch.no_grad()
    def step(self, idx: torch.Tensor, targets: torch.Tensor) -> float:
        (B, T), size = idx.shape, EMBED // HEADS
        loss, linear, norm, block, tables = self.back
        labels = targets.flatten()
        # An exercise's own last layer and loss are no part of this network: they get nothing to do.
        rest: Env = {
            "B": B,
            "T": T,
            "C": EMBED,
            "n_head": HEADS,
            "head_size": size,
            "W": torch.zeros(EMBED, 1),
        }
        rest |= {"labels": torch.zeros_like(labels), "later": torch.ones(T, T).triu(1).bool()}
        tok, pos = self.outer["wte"][idx], self.outer["wpe"][:T]
        begin: Env = {**self.outer, "idx": idx, "B": B, "T": T, "tok": tok, "pos": pos, "x": tok + pos}
        x, envs = begin["x"], list[Env]()
        for weights in self.blocks:
            envs.append(self.block.run({**rest, **weights, "x": x}))
            x = envs[-1]["x2"]
        last = self.norm.run({**rest, **self.last, "x": x})
        end: Env = {**self.outer, "idx": idx, "labels": labels, "B": B, "T": T, "x": last["y"]}
        end["logits"] = end["x"] @ end["W"] + end["b"]
        end["flat"] = end["logits"].view(B * T, -1)
        loss(end)
        linear(end)
        last["dy"] = end["dx"]
        norm(last)
        arrived = last["dx"]
        for env in reversed(envs):
            env["dx2"] = arrived
            block(env)
            arrived = env["dx"]
        begin["dx"] = arrived
        tables(begin)
        found = [{**end, "dwte": begin["dwte"], "dwpe": begin["dwpe"]}, last, *envs]
        for group, env in zip(self.groups, found, strict=True):
            for name, p in group.items():
                p.grad = env[f"d{name}"]
        self.optimiser.step()
        return float(torch.nn.functional.cross_entropy(end["flat"], labels))


# By the play's rules what each of their names may become: words, and names in braces.
RULES = {
    "speech": ("{who}:\n{line}\n{line}", "{who}:\n{line}", "{who}:\n{line}\n{line}\n{line}"),
    "who": ("MIRA", "OLD FERRYMAN", "TOBIAS", "THE MILLER"),
    "line": ("{clause}.", "{clause}, and {clause}.", "If {clause}, then {clause}.", "{clause}; but why?"),
    "clause": ("{one} {does} {many}", "{many} {do} {one}", "{one} {goes} {where}", "I saw how {clause}"),
    "one": ("the {how} {thing}", "a {thing}", "my {thing}", "the {thing} that {does} {many}"),
    "many": ("two {things}", "the {how} {things}", "our {things}", "seven {things} {where}"),
    "how": ("quiet", "grey", "hungry", "little", "broken", "golden"),
    "thing": ("fox", "river", "lantern", "boat", "miller", "winter", "stone", "bird"),
    "things": ("foxes", "rivers", "lanterns", "boats", "millers", "winters", "stones", "birds"),
    "does": ("remembers", "follows", "fears", "carries", "hides", "loves"),
    "do": ("remember", "follow", "fear", "carry", "hide", "love"),
    "goes": ("sleeps", "waits", "sings", "sinks", "wanders"),
    "where": ("under the bridge", "by the mill", "in the rain", "beyond the hill", "at night"),
}


def play(length: int) -> str:
    """A play that nobody wrote, of at least so many characters: the same on every Python, each line by RULES.

    Who learns it learns spelling, then who speaks, then that one fox remembers and two remember.
    """
    draw = random.Random(1337).random  # of which Python promises the same numbers in every version

    def said(name: str) -> str:
        way = RULES[name][int(draw() * len(RULES[name]))]
        return re.sub(r"\{(\w+)\}", lambda rule: said(rule[1]), way)

    speeches, size = list[str](), 0
    while size < length:
        speeches.append(re.sub(r"(?m)^[a-z]", lambda first: first[0].upper(), said("speech")))
        size += len(speeches[-1]) + 2
    return "\n\n".join(speeches) + "\n"


class Gpt(Run):
    steps = 2000
    needs = (
        *(f"gpt.ex11.{n}" for n in ("vocabulary", "encode", "decode", "batch", "generate")),
        *(
            f"gpt.ex12.{n}"
            for n in (
                "split",
                "head",
                "multihead",
                "feedforward",
                "layernorm",
                "block",
                "gpt",
                "loss",
                "estimate_loss",
            )
        ),
    )

    def begin(self) -> Iterator[str]:
        text = self._text()
        self.chars = self.own["gpt.ex11.vocabulary"](text)
        data = torch.tensor(self.own["gpt.ex11.encode"](text, self.chars))
        self.data = dict(zip(("train", "validation"), self.own["gpt.ex12.split"](data, 0.9), strict=True))
        torch.manual_seed(self.wish.seed)
        self.model = self.own["gpt.ex12.gpt"](len(self.chars), EMBED, BLOCK, HEADS, LAYERS)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=RATE)
        self.back, waits = by_hand(self.own, GRADIENTS)
        self.hand = ByHand(self) if self.back else None
        self.losses = {name: list[float]() for name in ([HAND, AUTO] if self.hand else [AUTO])}
        size = sum(p.numel() for p in self.model.parameters())
        yield f"{len(text)} characters, {len(self.chars)} different ones; {size} parameters"
        if waits:
            yield waits

    def _text(self) -> str:
        path = self.wish.text
        if path is None:
            return play(LENGTH)
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--text {path} can't be read as a text: {error}") from None
        if len(text) < 20 * BLOCK:
            raise UsageError(f"--text {path}: {len(text)} characters are too few: at least {20 * BLOCK}")
        return text

    def _batch(self, part: str) -> Any:
        data = self.data[part]
        starts = torch.randint(0, len(data) - BLOCK, (BATCH,), generator=self.generator).tolist()
        return self.own["gpt.ex11.batch"](data, starts, BLOCK)

    def turn(self) -> int:
        x, y = self._batch("train")

        def step() -> float:
            _, loss = self.model(x, y)
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            return float(loss.detach())

        if self.hand:
            self.losses[HAND].append(self.timed(HAND, self.hand.step, x, y))
        self.losses[AUTO].append(self.timed(AUTO, step))
        self.done += 1
        return 1

    @torch.no_grad()
    def result(self) -> Iterator[str]:
        yield from self.compared()
        batches = {part: [self._batch(part) for _ in range(EVERY)] for part in self.data}
        for part, loss in self.own["gpt.ex12.estimate_loss"](self.model, batches).items():
            yield f"{part} loss {float(loss):.4f}"
        given = torch.rand(NEW, 1, generator=self.generator)
        begin = torch.zeros(1, 1, dtype=torch.long)
        made = self.own["gpt.ex11.generate"](lambda idx: self.model(idx)[0], begin, BLOCK, given)
        yield "sample:"
        yield from str(self.own["gpt.ex11.decode"](made[0].tolist(), self.chars)).strip().split("\n")

    @torch.no_grad()
    def pictures(self) -> Drawn:
        yield "losses", {"lossi": self.losses, "width": self.width()}
        ids = self.data["validation"][:12]
        x = self.model.token_embedding_table(ids) + self.model.position_embedding_table(
            torch.arange(len(ids))
        )
        block = self.model.blocks[0]
        heads = {
            f"block 1, head {k + 1}": drawn.seen(h, block.ln1(x[None])) for k, h in enumerate(block.sa.heads)
        }
        yield (
            "attention",
            {"heads": heads, "tokens": list(self.own["gpt.ex11.decode"](ids.tolist(), self.chars))},
        )
        yield "wpe", {"wpe": self.model.position_embedding_table.weight}
