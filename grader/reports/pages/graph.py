"""A layered drawing of a directed acyclic graph: where each node goes, and how each edge runs. Pure.

Ranks by longest path, order by barycentres, positions by least squares: the method of Sugiyama,
Tagawa and Toda. Our own, since the pure-Python library for it is unmaintained and under the GPL.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.core import parsing

WIDTH, HEIGHT = 132.0, 42.0  # of a node
GAP, LANE, RANK = 16.0, 12.0, 66.0  # between nodes; the width of an edge that passes by; between ranks
MARGIN = 8.0
ACROSS = 3  # nodes in a row of those that no edge ties to others
SWEEPS = 16
SOURCE_PULL, LANE_PULL = 0.02, 0.1  # beside an inner node's 1: so the main path runs straight


@dataclass(frozen=True)
class Layout:
    """nodes: each one's centre. edges: each one's SVG path, from its tail's foot to its head's top."""

    width: float
    height: float
    nodes: Mapping[str, tuple[float, float]]
    edges: Mapping[tuple[str, str], str]


def layout(parents: Mapping[str, Sequence[str]]) -> Layout:
    """Lay a graph out from top to bottom. parents: each node's, in an order that has parents first.

    What no edge ties to others stands below it all, in rows.
    """
    used = {tail for tails in parents.values() for tail in tails}
    tied = {node: tails for node, tails in parents.items() if tails or node in used}
    above = _tied(tied) if tied else Layout(0.0, 0.0, {}, {})
    alone = [node for node in parents if node not in tied]
    top = above.height + GAP if tied else MARGIN
    at = dict(above.nodes)
    for k, node in enumerate(alone):
        row, column = divmod(k, ACROSS)
        at[node] = MARGIN + WIDTH / 2 + column * (WIDTH + GAP), top + HEIGHT / 2 + row * (HEIGHT + GAP)
    width = max((x for x, _ in at.values()), default=0) + WIDTH / 2 + MARGIN
    height = max((y for _, y in at.values()), default=0) + HEIGHT / 2 + MARGIN
    return Layout(
        max(width, above.width), max(height, above.height), {n: at[n] for n in parents}, above.edges
    )


def _tied(parents: Mapping[str, Sequence[str]]) -> Layout:
    """The layers of a graph in which every node has an edge."""
    ranks = _ranks(parents)
    chains = {
        (tail, head): [tail, *(f"{tail}\0{head}\0{r}" for r in range(ranks[tail] + 1, ranks[head])), head]
        for head, tails in parents.items()
        for tail in tails
    }
    layers = _layers(ranks, chains)
    links = [pair for chain in chains.values() for pair in zip(chain, chain[1:], strict=False)]
    above: dict[str, list[str]] = {n: [] for layer in layers for n in layer}
    below: dict[str, list[str]] = {n: [] for layer in layers for n in layer}
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    layers = _ordered(layers, above, below)
    pull = {n: LANE_PULL if _is_lane(n) else 1.0 if above[n] else SOURCE_PULL for n in above}
    x = _positions(layers, above, below, pull)
    left = min(v - _width(n) / 2 for n, v in x.items()) - MARGIN
    right = max(v + _width(n) / 2 for n, v in x.items()) + MARGIN
    down = {n: MARGIN + HEIGHT / 2 + RANK * rank for rank, layer in enumerate(layers) for n in layer}
    at = {n: (x[n] - left, y) for n, y in down.items()}
    height = 2 * MARGIN + HEIGHT + RANK * (len(layers) - 1)
    edges = {edge: _path([at[n] for n in chain]) for edge, chain in chains.items()}
    return Layout(right - left, height, {n: at[n] for n in parents}, edges)


def _ranks(parents: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The longest path to each node; a node without parents stands right above its first consumer."""
    ranks: dict[str, int] = {}
    for node, tails in parents.items():
        ranks[node] = max((ranks[t] + 1 for t in tails), default=0)
    for node, tails in parents.items():
        heads = [ranks[head] for head, others in parents.items() if node in others]
        if not tails and heads:
            ranks[node] = min(heads) - 1
    return ranks


def _layers(ranks: Mapping[str, int], chains: Mapping[tuple[str, str], list[str]]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(max(ranks.values()) + 1)]
    for node, rank in ranks.items():
        layers[rank].append(node)
    for (tail, _), chain in chains.items():
        for step, lane in enumerate(chain[1:-1], 1):
            layers[ranks[tail] + step].append(lane)
    return layers


def _ordered(
    layers: list[list[str]], above: Mapping[str, list[str]], below: Mapping[str, list[str]]
) -> list[list[str]]:
    """Each layer sorted by the mean place of its neighbours, down and up; the order that crosses least."""
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        near = above if down else below
        turn = layers[1:] if down else layers[-2::-1]
        place = {n: float(i) for layer in layers for i, n in enumerate(layer)}
        for layer in turn:
            mean = {n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n] for n in layer}
            layer.sort(key=mean.__getitem__)
            place |= {n: float(i) for i, n in enumerate(layer)}
        if (crossings := _crossings(layers, below)) < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(layers: list[list[str]], below: Mapping[str, list[str]]) -> int:
    place = {n: i for layer in layers for i, n in enumerate(layer)}
    count = 0
    for layer in layers:
        ends = [(i, place[m]) for i, n in enumerate(layer) for m in below[n]]
        count += sum((a - c) * (b - d) < 0 for k, (a, b) in enumerate(ends) for c, d in ends[:k])
    return count


def _positions(
    layers: list[list[str]],
    above: Mapping[str, list[str]],
    below: Mapping[str, list[str]],
    pull: Mapping[str, float],
) -> dict[str, float]:
    """Each node as near to the mean of its neighbours as its layer's order and the gaps allow."""
    x: dict[str, float] = {}
    for layer in layers:
        x |= dict(zip(layer, _apart(layer, [0.0] * len(layer), pull), strict=True))
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = []
            for n in layer:
                near = above[n] + below[n]
                weight = sum(pull[m] for m in near)
                wanted.append(sum(pull[m] * x[m] for m in near) / weight if near else x[n])
            x |= dict(zip(layer, _apart(layer, wanted, pull), strict=True))
    return x


def _apart(layer: Sequence[str], wanted: Sequence[float], pull: Mapping[str, float]) -> list[float]:
    """The places nearest to those wanted, by least squares, at which nothing overlaps.

    With what must lie to a node's left taken off, they only have to rise: isotonic regression.
    """
    offsets, edge = [], 0.0
    for n in layer:
        offsets.append(edge + _width(n) / 2)
        edge += _width(n) + GAP
    blocks: list[tuple[float, float, int]] = []  # mean, weight, count
    for n, want, offset in zip(layer, wanted, offsets, strict=True):
        mean, weight, count = want - offset, pull[n], 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, k = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight, count = heavy + weight, k + count
        blocks.append((mean, weight, count))
    flat = [mean for mean, _, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Down through its lanes: straight past a rank, a curve between two."""
    x, y = points[0]
    parts = [f"M{x:.1f} {y + HEIGHT / 2:.1f}"]
    for i, (bx, by) in enumerate(points[1:], 2):
        top, foot = by - HEIGHT / 2, y + HEIGHT / 2
        middle = (top + foot) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {bx:.1f} {middle:.1f} {bx:.1f} {top:.1f}")
        if i < len(points):
            parts.append(f"V{by + HEIGHT / 2:.1f}")
        x, y = bx, by
    return "".join(parts)


def _width(node: str) -> float:
    return LANE if _is_lane(node) else WIDTH


def _is_lane(node: str) -> bool:
    return "\0" in node


def operation(code: str) -> str:
    """What a forward line does, in a word or the signs of its operations, the outermost last."""
    tree = parsing.module(code.strip()).body[0]
    assert isinstance(tree, ast.Assign)
    signs: list[str] = []
    _operations(tree.value, signs)
    return " ".join(dict.fromkeys(signs)) or "is"


def _operations(node: ast.AST, signs: list[str]) -> None:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Subscript) and child is node.slice):
            _operations(child, signs)
    if isinstance(node, ast.BinOp):
        signs.append(SIGNS.get(type(node.op), "op"))
    elif (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and not isinstance(node.operand, ast.Constant)
    ):
        signs.append("−")
    elif isinstance(node, ast.Call):
        signs.append(node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func))
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        signs.append("[ ]")


SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷", ast.MatMult: "@", ast.Pow: "^",
}  # fmt: skip
