"""The learner's own transformer on a text, character by character; gradients are autograd's."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import torch

from grader.core.errors import UsageError
from grader.learner.runs.run import AUTO, Drawn, Run
from grader.reference import drawn

BATCH, BLOCK, EMBED, HEADS, LAYERS, RATE = 16, 32, 32, 4, 2, 3e-3
LENGTH = 200_000  # characters of a play of our own, at least
NEW = 300  # characters of a sample
EVERY = 20  # batches of each part that a loss is estimated on


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
        self.losses = {AUTO: []}
        size = sum(p.numel() for p in self.model.parameters())
        yield f"{len(text)} characters, {len(self.chars)} different ones; {size} parameters"

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
        yield "losses", {"lossi": {"loss": self.losses[AUTO]}, "width": self.width()}
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
