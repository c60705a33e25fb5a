"""The course as a map: the sets in lecture order, each with its title. Pure.

The exercises ex1 to ex4 are a set too, `backprop`, although their ids don't begin with its name. A set that
is not in SETS comes last, under its own name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CORE = "backprop"
SETS = {
    "micrograd": "Micrograd: derivatives and a scalar engine",
    "bigrams": "Bigrams: counting letters, and the same as a network",
    "mlp": "The embedding MLP",
    "batchnorm": "Activations, gradients and batch norm",
    "gradcheck": "Before backprop: a gradient checked by small steps, and a bug that one shows",
    CORE: "Backprop ninja: the core, every gradient by hand",
    "wavenet": "WaveNet: a tree of layers",
    "gpt": "GPT: attention, blocks, a transformer",
    "training-losses": "Losses for training a language model further",
    "tokenizer": "The tokenizer: byte-pair encoding",
    "gpt2": "GPT-2: the whole network, and its training",
    "modern": "Modern parts, beyond the lectures: norms, rotations, groups, experts, adapters",
}

# What was added later than its place in the lecture: the number that it stands after in its set.
AFTER = {
    "bigrams.ex5": 1.5,
    "gpt.ex11": 0.1,
    "gpt.ex12": 0.2,
}

# The lecture's notebook, which holds the core's exercises in one: the lines that tell what its sizes and
# labels are called, the names of sizes, and those that it has for a fixture's.
NOTEBOOK = ("ex1", "ex2", "ex3", "ex4")
SETUP = (
    ("C", "torch.randn((vocab_size, n_embd), generator=g)"),
    ("ix", "torch.randint(0, Xtr.shape[0], (batch_size,), generator=g)"),
    ("W1", "torch.randn((n_embd * block_size, n_hidden), generator=g) * (5/3)/((n_embd * block_size)**0.5)"),
    ("b1", "torch.randn(n_hidden, generator=g) * 0.1"),
    ("loss", "-logprobs[range(n), Yb].mean()"),
)
SIZE_NAMES = ("block_size", "vocab_size", "n_embd", "n_hidden")
SIZES = {"batch_size": "n"}
# By what its exercises are told apart where no heading does: the chain's first and last gradients; by
# exercise the gradient that it makes anew, and one that only the first makes it from; by exercise a line of
# its own (what is assigned, what the value holds); a pattern of the gradients that the first alone asks for.
CHAIN_BEGINS = frozenset(("dlogprobs", "dprobs"))
CHAIN_ENDS = frozenset(("demb", "dC", "dembcat"))
FUSED = {2: ("dlogits", "dnorm_logits"), 3: ("dhprebn", "dbndiff")}
OWN_LINES = {2: ("loss.*", ("cross_entropy",)), 3: ("h.*", (".mean(", ".var(")), 4: ("C", ("randn",))}
FIRST_ALONE = (
    "d(logprobs|probs|counts_sum_inv|counts_sum|counts|norm_logits|logit_maxes|h|W2|b2|hpreact|bngain|bnbias|"
    "bnraw|bnvar_inv|bnvar|bndiff2|bndiff|bnmeani|embcat|W1|b1|emb|C)"
)


def set_of(exercise: str) -> str:
    """The set that an exercise belongs to: gpt of gpt.ex3."""
    name, dot, _ = exercise.rpartition(".")
    return name if dot else CORE


def ordered(ids: Sequence[str]) -> list[str]:
    """Exercises as they are checked: the core first, then the sets in lecture order."""
    order = [CORE, *SETS]
    return sorted(
        ids, key=lambda i: (order.index(s) if (s := set_of(i)) in order else len(order), s, *_place(i))
    )


def _place(exercise: str) -> tuple[float, int, str]:
    """By what an exercise comes before or after another of its set."""
    name = exercise.rpartition(".")[2]
    number = name.removeprefix("ex")
    place = AFTER.get(exercise, float(number) if number.isdecimal() else math.inf)
    return place, len(name), name


def mapped(ids: Sequence[str]) -> dict[str, list[str]]:
    """By set, in lecture order, its exercises."""
    names = dict.fromkeys([*SETS, *map(set_of, ordered(ids))])
    by_set = {name: [i for i in ordered(ids) if set_of(i) == name] for name in names}
    return {name: found for name, found in by_set.items() if found}


def title(name: str) -> str:
    return SETS.get(name, name)
