"""Nodes and what they are made of: micrograd's graph, WaveNet's layers, a tokenizer's merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.reports.pages.graph import HEIGHT, WIDTH, layout
from grader.reports.pictures.grids import SHOWN
from grader.reports.pictures.svg import Picture, circle, label, path, rect

LEAVES, DEEPEST = 400, 30  # of a forest, at most
GAP = 46.0  # between its levels


@dataclass(frozen=True)
class Node:
    """A number of a computation, and the places in the list of those that it is made from."""

    label: str
    op: str
    data: float
    grad: float
    parts: Sequence[int] = ()


def graph(nodes: Sequence[Node], title: str, said: str) -> Picture:
    """Each node's name and operation, its data and its grad. nodes: in an order that has parts first."""
    drawn = layout({str(k): list(dict.fromkeys(map(str, node.parts))) for k, node in enumerate(nodes)})
    body = [path("axis", edge) for edge in drawn.edges.values()]
    for k, node in enumerate(nodes):
        x, y = drawn.nodes[str(k)]
        name = f"{node.label} = {node.op}" if node.label and node.op else node.label or node.op or "·"
        body.append(rect("box", (x - WIDTH / 2, y - HEIGHT / 2 - 5, WIDTH, HEIGHT + 10)))
        body += [label(x, y - 11, name), label(x, y + 4, f"data {node.data:.4f}", "mono")]
        body.append(label(x, y + 19, f"grad {node.grad:.4f}", "mono f1"))
    told = "; ".join(f"{n.label or n.op}: data {n.data:.4f}, grad {n.grad:.4f}" for n in nodes)
    moved = f'<g transform="translate(0 6)">{"".join(body)}</g>'
    return Picture(title, said, told, moved, max(drawn.width, 200), drawn.height + 12)


def layers(
    names: Sequence[str], made: Sequence[Sequence[Sequence[int]]], inputs: int, title: str, said: str
) -> Picture:
    """Layers of places, inputs at the bottom. made: of each layer, of each place, those below that it reads.

    What the last place of the last layer sees is strong, all else is quiet.
    """
    counts = [inputs, *map(len, made)]
    seen: list[set[int]] = [set() for _ in counts]
    seen[-1] = {counts[-1] - 1}
    for level in range(len(made) - 1, -1, -1):
        seen[level] = {p for at in seen[level + 1] for p in made[level][at]}
    step, left = 460 / max(inputs - 1, 1), 96.0

    def at(level: int, place: int) -> tuple[float, float]:
        return left + step * ((place + 1) * inputs / counts[level] - 1), 30 + 62.0 * (len(made) - level)

    behind, before = list[str](), list[str]()
    for level, places in enumerate(made):
        for place, (part, strong) in (
            (p, (q, p in seen[level + 1])) for p, parts in enumerate(places) for q in parts
        ):
            (x0, y0), (x1, y1) = at(level, part), at(level + 1, place)
            edge = f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"
            (before if strong else behind).append(path(f"series {'s0' if strong else 'raw s5'}", edge))
    for level, count in enumerate(counts):
        before.append(label(8, at(level, 0)[1] + 4, ["input", *names][level], "quiet", "start"))
        for place in range(count):
            before.append(
                circle("f0" if place in seen[level] else "box", *at(level, place), 5.5, f"place {place}")
            )
    told = f"{len(made)} layers over {inputs} places; the last one sees {len(seen[0])} of them"
    return Picture(title, said, told, "".join(behind + before), left + 480, 60 + 62.0 * len(made))


def forest(
    trees: Mapping[int, tuple[int, int]],
    roots: Sequence[int],
    shown: Mapping[int, str],
    title: str,
    said: str,
) -> Picture:
    """The tree of merges of each token of a text. trees: by token its two parts. shown: each one's text."""
    x, body, deepest = 14.0, list[str](), 0
    edges: list[str] = []

    def draw(token: int, depth: int) -> float:
        nonlocal x, deepest
        deepest, y, merged = max(deepest, depth), 34 + GAP * depth, token in trees and depth < DEEPEST
        if merged:
            below = [draw(part, depth + 1) for part in trees[token]]
            here = sum(below) / 2
            edges.extend(path("axis", f"M{here:.1f} {y:.1f}L{each:.1f} {y + GAP:.1f}") for each in below)
        else:
            here, x = x + 12, x + 30
        text = shown.get(token, "?").translate(SHOWN)
        body.append(circle("box", here, y, 10, f"{token}: {text}"))
        body.append(label(here, y - 13 if merged else y + 3.5, text, "small halo"))
        body.extend([label(here, y + 3.5, token, "small f1")] * merged)
        return here

    for root in roots:
        if x < 30 * LEAVES:
            draw(root, 0)
            x += 14
    parts = [f"{shown.get(a, '?')}+{shown.get(b, '?')} is {k}" for k, (a, b) in list(trees.items())[:30]]
    told = f"{len(roots)} tokens, {len(trees)} merges: {', '.join(parts)}"
    return Picture(title, said, told, "".join(edges + body), max(x, 240), 34 + GAP * deepest + 26)
