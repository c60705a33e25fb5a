"""The pictures of the lectures: which items each needs, what it is drawn from, which command shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from grader.reports.pictures import drawings
from grader.reports.pictures.drawings import Values
from grader.reports.pictures.svg import Picture


@dataclass(frozen=True)
class Kind:
    """needs: the items that it is made with, in whose place of a report it stands. asks: what its driver in
    reference/drawn.py calls, and params: what of the first fixture that gets; where there is none, the values
    are a training's, or those of a notebook. values: what `draw` reads, as the lecture calls it.
    """

    draw: Callable[[Values], Picture]
    values: tuple[str, ...]
    shown: str  # the command that shows it
    needs: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    params: tuple[str, ...] = ()


def drawn(name: str, values: Values) -> Picture | None:
    """The picture of some values; None where they don't make one."""
    try:
        return replace(KINDS[name].draw(values), name=name)
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError):
        return None


KINDS = {
    "graph": Kind(
        drawings.graph,
        ("nodes",),
        "grader report micrograd.ex4",
        ("micrograd.ex4.trace",),
        ("trace", "Value"),
    ),
    "neuron": Kind(
        drawings.graph, ("nodes",), "grader report micrograd.ex2", ("micrograd.ex2.tanh",), ("Value",)
    ),
    "moons": Kind(drawings.moons, ("points", "labels", "scores"), "grader train micrograd"),
    "counts": Kind(
        drawings.counts,
        ("N", "itos"),
        "grader train bigrams",
        ("bigrams.ex1.counts",),
        ("counts",),
        ("words", "chars"),
    ),
    "embedding": Kind(drawings.embedding, ("C", "itos"), "grader train mlp", ("mlp.ex6.train",), ("train",)),
    "rates": Kind(
        drawings.rates, ("lre", "lossi"), "grader train mlp", ("mlp.ex6.best_rate",), ("train", "best_rate")
    ),
    "losses": Kind(drawings.losses, ("lossi",), "grader train wavenet"),
    "activations": Kind(
        drawings.SPREAD, ("layers",), "grader train batchnorm", ("batchnorm.ex6.linear",), ("Linear", "Tanh")
    ),
    "gradients": Kind(
        drawings.GRADIENTS, ("layers",), "grader train batchnorm", ("batchnorm.ex6.tanh",), ("Linear", "Tanh")
    ),
    "dead": Kind(
        drawings.dead,
        ("h",),
        "grader report batchnorm.ex1",
        ("batchnorm.ex1.dead",),
        ("dead",),
        ("h", "limit"),
    ),
    "updates": Kind(
        drawings.updates,
        ("ud",),
        "grader train batchnorm",
        ("batchnorm.ex5.update_ratios",),
        ("update_ratios",),
    ),
    "row": Kind(drawings.two_rows, ("p", "dlogits", "label", "itos"), "grader report ex2", ("ex2.dlogits",)),
    "dlogits": Kind(drawings.dlogits, ("dlogits",), "grader report ex2", ("ex2.dlogits",)),
    "tree": Kind(
        drawings.TREE,
        ("layers", "names", "inputs"),
        "grader report wavenet.ex7",
        ("wavenet.ex7.flatten",),
        ("FlattenConsecutive",),
    ),
    "dilation": Kind(
        drawings.STACK,
        ("layers", "names", "inputs"),
        "grader report wavenet.ex8",
        ("wavenet.ex8.dilated",),
        ("dilated",),
    ),
    "averages": Kind(
        drawings.AVERAGES,
        ("heads", "tokens"),
        "grader report gpt.ex11",
        ("gpt.ex11.by_softmax",),
        ("by_softmax",),
    ),
    "attention": Kind(
        drawings.ATTENTION,
        ("heads", "tokens"),
        "grader train gpt",
        ("gpt.ex12.multihead",),
        ("MultiHeadAttention",),
    ),
    "forest": Kind(
        drawings.forest,
        ("merges", "ids"),
        "grader report tokenizer.ex2",
        ("tokenizer.ex2.encode",),
        ("train", "encode"),
    ),
    "tokens": Kind(
        drawings.tokens,
        ("tokens", "ids"),
        "grader report tokenizer.ex2",
        ("tokenizer.ex2.round_trip",),
        ("train", "vocab", "encode"),
    ),
    "schedule": Kind(
        drawings.schedule, ("steps", "lr"), "grader report gpt2.ex9", ("gpt2.ex9.rate",), ("rate",)
    ),
    "wpe": Kind(
        drawings.wpe,
        ("wpe",),
        "grader report gpt.ex3",
        ("gpt.ex3.dwpe",),
        ("dW", "dx", "dtok", "dpos", "dwpe", "dwte"),
    ),
}


def of_exercise(exercise: str) -> dict[str, Kind]:
    """The pictures that a driver makes of an exercise's functions, by name."""
    return {n: k for n, k in KINDS.items() if k.asks and k.needs[0].rpartition(".")[0] == exercise}
