"""What each picture of the lectures draws, and of which values.

What comes from a submission is read without trust: numbers and texts, no more of them than a picture has room
for, escaped where they are drawn. Values that don't fit end in an exception.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from grader.reports.pictures import charts, grids, trees
from grader.reports.pictures.charts import Labels, Line
from grader.reports.pictures.svg import Picture, path
from grader.reports.pictures.values import FEW, finite, names, plain, row, rows

Values = Mapping[str, Any]


def graph(values: Values) -> Picture:
    told = values["nodes"]
    if not 0 < len(told) <= FEW:
        raise ValueError("no graph")
    nodes = []
    for k, one in enumerate(told):
        parts = [int(p) for p in one["parts"]]
        if any(not 0 <= p < k for p in parts):
            raise ValueError("parts come first")
        label, op, data, grad = str(one["label"]), str(one["op"]), float(one["data"]), float(one["grad"])
        nodes.append(trees.Node(label, op, data, grad, parts))
    said = "Each node has its number, data, and how fast the last one at the bottom changes with it, grad."
    return trees.graph(nodes, "The graph of an expression", said)


def counts(values: Values) -> Picture:
    found = finite(rows(values["N"]))
    if len(found) != len(found[0]) or len(found) > FEW:
        raise ValueError("not square")
    said = (
        "A row is the first letter, a column the next: the darker a square, the more often the pair occurs."
    )
    return grids.counts(found, names(values["itos"], len(found)), "How often each letter follows each", said)


def embedding(values: Values) -> Picture:
    found = finite([one[:2] for one in rows(values["C"])])
    if len(found) > 4 * FEW or len(found[0]) != 2:
        raise ValueError("not two numbers for each letter")
    said = (
        "Letters lie anywhere at first; training brings those together that behave alike, often the vowels."
    )
    labels = Labels("Where each letter lies", said, "C[:, 0], no unit", "C[:, 1], no unit")
    return charts.scatter(labels, [(x, y) for x, y in found], names(values["itos"], len(found)))


def rates(values: Values) -> Picture:
    rates, losses = row(values["lre"]), row(values["lossi"])
    best = values.get("best")
    said = "The loss falls, is lowest where the rate is good, and becomes unstable where it is too high."
    labels = Labels("Finding a learning rate", said, "exponent of the rate, 10^x", "loss, nats")
    found = [Line("loss", list(zip(rates, losses, strict=True)))]
    return charts.lines(labels, found, {}, None if best is None else float(best))


def losses(values: Values) -> Picture:
    """width: steps that are averaged. smoothed: the first run's averages by the learner's function."""
    runs = values["lossi"]
    runs = runs if isinstance(runs, Mapping) else {"loss": runs}
    width, drawn = int(values.get("width", 1000)), []
    for k, (name, told) in enumerate(list(runs.items())[:FEW]):
        losses = [v for v in row(told, 10**7) if math.isfinite(v)]
        smooth = charts.averaged(losses, width)
        if not k and "smoothed" in values:
            smooth = [((s + 1) * width, v) for s, v in enumerate(row(values["smoothed"]))]
        if not smooth or (not k and width > 1):  # of runs that are alike one has its steps drawn
            drawn.append(Line(f"{name}, each step", charts.ranged(losses), k, bool(smooth), k > 0))
        if smooth:
            drawn.append(
                Line(f"{name}, mean of {width} steps" if width > 1 else name, smooth, k, dashed=k > 0)
            )
    said = "One batch's loss jumps; averaged by view(-1, n).mean(1) the curve shows whether it still falls."
    labels = Labels("Loss while training", said, "step", "loss, nats")
    return charts.lines(labels, drawn, {})


def _histograms(title: str, said: str, across: str) -> Callable[[Values], Picture]:
    def draw(values: Values) -> Picture:
        drawn = []
        for k, one in enumerate(values["layers"][:FEW]):
            density, low, high = row(one["density"]), float(one["low"]), float(one["high"])
            wide = (high - low) / len(density)
            name = f"{str(one['name'])[:20]}: std {float(one['std']):.2g}"
            if "saturated" in one:
                name += f", {float(one['saturated']):.1%} beyond ±{float(one['limit']):g}"
            points = [(low + (j + 0.5) * wide, v) for j, v in enumerate(density)]
            drawn.append(Line(name, points, k))
        return charts.lines(Labels(title, said, across, "density"), drawn, {})

    return draw


def dead(values: Values) -> Picture:
    limit = float(values.get("limit", 0.99))
    found = [[float(abs(v) > limit) for v in one] for one in rows(values["h"])]
    said = "White is saturated; a column that is all white is a dead neuron, which learns from no example."
    return grids.black_and_white(found, f"Where |h| > {limit:.3g}", said)


def updates(values: Values) -> Picture:
    found = [row(one) for one in plain(values["ud"])]
    if len({len(one) for one in found}) != 1:
        raise ValueError("steps of other lengths")
    layers = list(zip(*found, strict=True))[:FEW]
    told = values.get("names") or [f"layer {k + 1}" for k in range(len(layers))]
    every = max(1, len(found) // charts.MOST)
    drawn = [
        Line(name, [(s + 1, v) for s, v in enumerate(one)][::every], k)
        for k, (one, name) in enumerate(zip(layers, names(told, len(layers)), strict=True))
    ]
    said = "A step should change weights by a thousandth: far below -3 they learn slowly, far above wildly."
    labels = Labels(
        "How large updates are beside their weights", said, "step", "log10 of std(rate·grad) / std(data)"
    )
    return charts.lines(labels, drawn, {-3.0: "-3"})


def two_rows(values: Values) -> Picture:
    found = finite([row(values["p"], FEW), row(values["dlogits"], FEW)])
    mark = int(values["label"])
    if len({len(one) for one in found}) != 1 or not 0 <= mark < len(found[0]):
        raise ValueError("no row of each")
    shown = {"p": found[0], "n·dlogits[0]": found[1]}
    said = (
        "Both rows should be equal but at the label, where 1 is taken off: all the push down is the pull up."
    )
    return grids.beside(
        shown, names(values["itos"], len(found[0])), mark, "Probabilities, and the pull on the logits", said
    )


def dlogits(values: Values) -> Picture:
    said = "Black is the smallest: in each row the label's cell, whose logit is pulled up."
    return grids.grey(finite(rows(values["dlogits"])), "dlogits", said)


def _layers(title: str, said: str) -> Callable[[Values], Picture]:
    def draw(values: Values) -> Picture:
        made = [[[int(p) for p in place] for place in layer] for layer in values["layers"]]
        below = int(values["inputs"])
        if not 0 < len(made) <= 12 or not 0 < below <= FEW:
            raise ValueError("no layers")
        for count, layer in zip((below, *map(len, made)), made, strict=False):
            if not 0 < len(layer) <= FEW or any(not 0 <= p < count for place in layer for p in place):
                raise ValueError("a place that is not there")
        return trees.layers(names(values["names"], len(made)), made, below, title, said)

    return draw


def _triangles(title: str, said: str) -> Callable[[Values], Picture]:
    def draw(values: Values) -> Picture:
        heads = {str(k): rows(v) for k, v in list(values["heads"].items())[:FEW]}
        n = max(map(len, heads.values()), default=0)
        if not 0 < n <= FEW or any(len(m) != n or len(m[0]) != n for m in heads.values()):
            raise ValueError("not square")
        return grids.triangles(heads, names(values["tokens"], n), title, said)

    return draw


def _bytes(merges: Mapping[int, tuple[int, int]]) -> dict[int, bytes]:
    known = {k: bytes([k]) for k in range(256)}
    for k, (left, right) in merges.items():
        known[k] = known[left] + known[right]
        if len(known[k]) > 1000:
            raise ValueError("too long a token")
    return known


def forest(values: Values) -> Picture:
    merges = {int(k): (int(a), int(b)) for a, b, k in values["merges"]}
    ids = [int(k) for k in values["ids"]]
    if len(merges) > 1000 or not 0 < len(ids) <= 200:
        raise ValueError("no merges")
    texts = {k: b.decode("utf-8", "replace") for k, b in _bytes(merges).items()}
    said = (
        "Each tree is a token of the text: its leaves are bytes, a · among them a space, and each number "
        "is a merge of the two below it."
    )
    return trees.forest(merges, ids, texts, "The merges of a text, as a forest", said)


def tokens(values: Values) -> Picture:
    pieces = [str(piece)[:80] for piece in values["tokens"]]
    if not 0 < len(pieces) <= 2000:
        raise ValueError("no tokens")
    said = "Each ground is one token, a · in it a space: frequent words are one, rare ones stay in pieces."
    numbered = list(zip(pieces, (f"token {int(k)}" for k in values["ids"]), strict=True))
    return grids.tokens(numbered, "A text, coloured by its tokens", said)


def schedule(values: Values) -> Picture:
    rate = Line("rate", list(zip(row(values["steps"]), row(values["lr"]), strict=True)))
    said = "The rate climbs during the warm-up, then falls along half a cosine to a tenth."
    return charts.lines(Labels("GPT-2's learning rate", said, "step", "learning rate"), [rate], {})


def wpe(values: Values) -> Picture:
    found = list(zip(*finite(rows(values["wpe"])), strict=True))
    known = [int(c) for c in values.get("channels", range(0, len(found), max(1, len(found) // 4)))][:4]
    drawn = [Line(f"channel {c}", list(enumerate(found[c])), k) for k, c in enumerate(known)]
    said = "Each line is one channel by position: noise at first, which training makes smoother."
    return charts.lines(Labels("Position embeddings, wpe", said, "position", "value, no unit"), drawn, {})


def moons(values: Values) -> Picture:
    points = [(x, y) for x, y in finite(rows(values["points"]))]
    scores = finite(rows(values["scores"]))  # from the lowest row upwards, over the whole frame
    axes = charts.frame(points)
    left, top, wide, high = axes.area
    dx, dy = wide / len(scores[0]), high / len(scores)
    d = "".join(
        f"M{left + j * dx:.1f} {top + high - (i + 1) * dy:.1f}h{dx:.2f}v{dy:.2f}h-{dx:.2f}z"
        for i, one in enumerate(scores)
        for j, v in enumerate(one)
        if v > 0
    )
    said = (
        "Squares have the label 1, and where the ground is coloured the network says 1: the two should agree."
    )
    labels = Labels("Two moons, and where the network draws the line", said, "x, no unit", "y, no unit")
    groups = [int(v > 0) for v in row(values["labels"])]
    return charts.scatter(labels, points, [""] * len(points), groups, path("f1", d, 0.18))


SPREAD = _histograms(
    "What each tanh gives, by layer",
    "The curves should look alike; what piles up at -1 and 1 is saturated and passes little gradient on.",
    "activation, no unit",
)
GRADIENTS = _histograms(
    "Gradients at each tanh's output, by layer",
    "The curves should be equally wide: one much narrower than the last would be a vanishing gradient.",
    "gradient of the loss, nats per unit",
)
ATTENTION = _triangles(
    "What each head attends to",
    "Down is the token that looks, across at which, the stronger the more: later ones are masked, which "
    "leaves a triangle.",
)
AVERAGES = _triangles(
    "The weights of an average of the past",
    "Down is the place, across what its average takes: one share each of itself and what came before, none "
    "of the masked rest.",
)
TREE = _layers(
    "WaveNet's tree",
    "Two neighbours become one at each level, until one vector has seen all of the context.",
)
STACK = _layers(
    "A stack of dilated convolutions",
    "Each layer looks twice as far back as the one below, so four layers see sixteen places.",
)
