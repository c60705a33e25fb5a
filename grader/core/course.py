"""The course as a map: the sets in lecture order, each with its title. Pure.

The exercises ex1 to ex4 are a set too, `backprop`, although their ids don't begin with its name. A set that
is not in SETS comes last, under its own name.
"""

from __future__ import annotations

from collections.abc import Sequence

CORE = "backprop"
SETS = {
    "micrograd": "Micrograd: derivatives and a scalar engine",
    "bigrams": "Bigrams: counting letters, and the same as a network",
    "mlp": "The embedding MLP",
    "batchnorm": "Activations, gradients and batch norm",
    CORE: "Backprop ninja: the core, every gradient by hand",
    "wavenet": "WaveNet: a tree of layers",
    "gpt": "GPT: attention, blocks, a transformer",
    "training-losses": "Losses for training a language model further",
    "tokenizer": "The tokenizer: byte-pair encoding",
    "gpt2": "GPT-2: the whole network, and its training",
}


def set_of(exercise: str) -> str:
    """The set that an exercise belongs to: gpt of gpt.ex3."""
    name, dot, _ = exercise.rpartition(".")
    return name if dot else CORE


def ordered(ids: Sequence[str]) -> list[str]:
    """Exercises as they are checked: the core first, then the sets in lecture order."""
    order = [CORE, *SETS]
    return sorted(
        ids, key=lambda i: (order.index(s) if (s := set_of(i)) in order else len(order), s, len(i), i)
    )


def mapped(ids: Sequence[str]) -> dict[str, list[str]]:
    """By set, in lecture order, its exercises."""
    names = dict.fromkeys([*SETS, *map(set_of, ordered(ids))])
    by_set = {name: [i for i in ordered(ids) if set_of(i) == name] for name in names}
    return {name: found for name, found in by_set.items() if found}


def title(name: str) -> str:
    return SETS.get(name, name)
