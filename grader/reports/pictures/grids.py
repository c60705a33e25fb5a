"""Matrices as cells: counts with letters, dead units, one row beside another, attention; a text's tokens."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from grader.reports.pictures.svg import Picture, label, number, path, rect, turned

Rows = Sequence[Sequence[float]]
STRONGEST = 0.45  # of a cell's colour, so that a text on it keeps its contrast
GREYS = 16  # shades of a grey picture
SHOWN = str.maketrans({" ": "·", "\n": "↵", "\t": "→", "\r": "␍"})


def strength(share: float) -> float:
    """How strong a cell's colour is, by its share of the largest; the root, as in heatmaps."""
    return STRONGEST * math.sqrt(min(max(share, 0.0), 1.0))


def counts(rows: Rows, names: Sequence[str], title: str, said: str) -> Picture:
    """A square for each pair of characters: the pair, and below it how often it occurs."""
    side, n = 32.0, len(names)
    cells = [(v, names[i] + names[j], i, j) for i, row in enumerate(rows) for j, v in enumerate(row)]
    most, pair, *_ = max(cells)
    body = []
    for v, name, i, j in cells:
        x, y = j * side + 1, i * side + 1
        body.append(rect("f0", (x, y, side - 1, side - 1), f"{name}: {v:.7g}", strength(v / (most or 1))))
        body += [label(x + 15, y + 13, name), label(x + 15, y + 26, f"{v:.7g}", "small")]
    total = sum(v for v, *_ in cells)
    told = f"{n} by {n} characters, {total:.7g} pairs; the most frequent is {pair}, {most:.7g} times"
    return Picture(title, said, told, "".join(body), n * side + 1, n * side + 1)


def black_and_white(rows: Rows, title: str, said: str) -> Picture:
    """White where a number is not 0: a row for each example, a column for each neuron."""
    tall, wide = len(rows), len(rows[0])
    side = min(max(560 / wide, 3), 12)
    across, down = wide * side, tall * side
    dead = [j for j in range(wide) if all(row[j] for row in rows)]
    white = [(i, j) for i, row in enumerate(rows) for j, v in enumerate(row) if v]
    body = rect("black", (40, 8, across, down)) + path("white", _squares(white, side, 40))
    body += rect("grid", (40, 8, across, down))
    body += "".join(path("f1", f"M{40 + (j + 0.5) * side:.1f} {down + 11:.1f}l4 8h-8z") for j in dead)
    body += label(40 + across / 2, down + 36, f"neuron, {wide}", "quiet")
    body += turned(22, 8 + down / 2, f"example, {tall}")
    share = f"{len(white) / (tall * wide):.1%} saturated"
    told = (
        f"{tall} examples, {wide} neurons; {share}; {len(dead)} dead: {', '.join(map(str, dead)) or 'none'}"
    )
    return Picture(title, said, told, body, 56 + across, down + 46)


def _squares(places: Sequence[tuple[int, int]], side: float, left: float) -> str:
    box = f"h{side:.1f}v{side:.1f}h-{side:.1f}z"
    return "".join(f"M{left + j * side:.1f} {8 + i * side:.1f}{box}" for i, j in places)


def grey(rows: Rows, title: str, said: str) -> Picture:
    """From the least, black, to the largest, white, as the lecture's imshow."""
    low, high = min(map(min, rows)), max(map(max, rows))
    tall, wide = len(rows), len(rows[0])
    side = min(max(560 / wide, 3), 16)
    shades: dict[int, list[tuple[int, int]]] = {}
    for i, row in enumerate(rows):
        for j, v in enumerate(row):
            shades.setdefault(round((GREYS - 1) * (v - low) / ((high - low) or 1.0)), []).append((i, j))
    body = rect("black", (8, 8, wide * side, tall * side))
    for shade, places in sorted(shades.items()):
        body += path("white", _squares(places, side, 8), shade / (GREYS - 1))
    told = f"{tall} by {wide}, from {number(low)}, black, to {number(high)}, white"
    return Picture(title, said, told, body, 16 + wide * side, 16 + tall * side)


def beside(
    rows: Mapping[str, Sequence[float]], names: Sequence[str], mark: int, title: str, said: str
) -> Picture:
    """Rows of numbers, a column for each name, one of them framed; by their signs in two colours."""
    side, left, high = 34.0, 92.0, 26 + 40.0 * len(rows)
    most = max((abs(v) for row in rows.values() for v in row), default=0) or 1
    body = [label(left + (j + 0.5) * side, 18, name) for j, name in enumerate(names)]
    for i, (name, row) in enumerate(rows.items()):
        y = 26 + i * 40.0
        body.append(label(left - 8, y + 21, name, "", "end"))
        for j, v in enumerate(row):
            x, sort = left + j * side, f"f{int(v < 0)}"
            body.append(rect(sort, (x, y, 32, 32), f"{name} of {names[j]}: {v:.4g}", strength(abs(v) / most)))
            body.append(label(x + 16, y + 20, f"{v:.2f}".replace("-", "−"), "small"))
    body.append(rect("frame", (left + mark * side - 2, 4, side + 2, high - 6)))
    sums = ", ".join(f"{name} sums to {number(round(sum(row), 5))}" for name, row in rows.items())
    return Picture(
        title, said, f"{len(names)} columns; {sums}", "".join(body), left + len(names) * side + 8, high + 4
    )


def triangles(heads: Mapping[str, Rows], tokens: Sequence[str], title: str, said: str) -> Picture:
    """A square for each head, as strong as its weights: down the token that looks, across what it looks at.

    What is masked, NaN here, has a ground of its own.
    """
    n, most = len(tokens), 3
    side = min(max(200 / n, 11), 26)
    gap, body = n * side + 34, []
    for k, (name, rows) in enumerate(heads.items()):
        x0, y0 = 22 + (k % most) * gap, 44 + (k // most) * (gap + 24)
        body.append(label(x0, y0 - 22, name, "title", "start"))
        for i, (token, row) in enumerate(zip(tokens, rows, strict=True)):
            shown, at = token.translate(SHOWN), (i + 0.5) * side
            body.append(label(x0 - 4, y0 + at + 3.5, shown, "small tick", "end"))
            body.append(label(x0 + at, y0 - 5, shown, "small tick"))
            for j, v in enumerate(row):
                box = (x0 + j * side, y0 + i * side, side - 1, side - 1)
                seen = f"{token} sees {tokens[j]}: {v:.3f}"
                body.append(
                    rect("masked", box) if math.isnan(v) else rect("f0", box, seen, min(max(v, 0), 0.999))
                )
    columns, down = min(len(heads), most), math.ceil(len(heads) / most)
    hidden = sum(math.isnan(v) for rows in heads.values() for row in rows for v in row)
    told = f"{len(heads)} squares of {n} by {n}; {hidden} cells are masked"
    return Picture(
        title, said, told, "".join(body), max(22 + columns * gap, 260), 44 + down * (gap + 24) - 48
    )


def tokens(pieces: Sequence[tuple[str, str]], title: str, said: str) -> Picture:
    """A text, each token of it on a ground of its own. pieces: a text and its title each."""
    x, y, body = 8.0, 8.0, []
    for k, (piece, name) in enumerate(pieces):
        shown = piece.translate(SHOWN) or "∅"
        wide = 7.2 * sum(2 if ord(c) > 0x2E7F else 1 for c in shown) + 4
        if x > 8 and x + wide > 560:
            x, y = 8.0, y + 28
        body += [rect(f"f{k % 4}", (x, y, wide, 22), name, 0.3), label(x + 2, y + 15, shown, "mono", "start")]
        x += wide + 2
    told = f"{len(pieces)} tokens: " + " | ".join(piece for piece, _ in pieces[:60])
    return Picture(title, said, told, "".join(body), 576, y + 32)
