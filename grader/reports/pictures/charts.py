"""Lines and points over two axes: curves of a training, histograms by layer, an embedding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grader.reports.pictures.svg import SERIES, Axes, Picture, circle, label, number, path, rect, span, word

Points = Sequence[tuple[float, float]]
MOST = 400  # points of a line; a longer one is averaged, or shown by the least and the largest of each part


@dataclass(frozen=True)
class Line:
    """One line of a picture, along its points. raw: thin, behind the averaged line of the same colour."""

    name: str
    points: Points
    colour: int = 0
    raw: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Labels:
    """What a picture is called, what to see in it in one sentence, and what its axes count, with units."""

    title: str
    said: str
    across: str
    down: str


def lines(
    labels: Labels, drawn: Sequence[Line], marks: Mapping[float, str], at: float | None = None
) -> Picture:
    """Lines with a legend. marks: heights of dashed lines across, and their names. at: a dashed line down."""
    known = [p for line in drawn for p in _finite(line.points)]
    axes = Axes(span([x for x, _ in known]), span([*(y for _, y in known), *marks], 0.05))
    left, top, wide, high = axes.area
    body = [axes.drawn(labels.across, labels.down)]
    if at is not None:
        body.append(path("mark", f"M{axes.at(at, 0)[0]:.1f} {top:.1f}v{high:.1f}"))
    for line in drawn:
        where = " ".join(f"{x:.1f},{y:.1f}" for x, y in (axes.at(*p) for p in _finite(line.points)))
        title = f"<title>{word(line.name)}</title>"
        body.append(f'<polyline class="{_sort(line)}" points="{where}">{title}</polyline>')
    for height, said in marks.items():
        y = axes.at(axes.x[0], height)[1]
        body += [
            path("mark", f"M{left:.1f} {y:.1f}h{wide:.1f}"),
            label(left + 6, y - 5, said, "halo", "start"),
        ]
    return _picture(labels, "".join(body), axes, [line for line in drawn if not line.raw])


def _finite(points: Points) -> list[tuple[float, float]]:
    return [p for p in points if all(map(math.isfinite, p))]


def _sort(line: Line) -> str:
    """The classes of a line: its colour, whether it is raw or dashed."""
    dashed = line.dashed or line.colour >= SERIES
    return f"series s{line.colour % SERIES}{' raw' * line.raw}{' dashed' * dashed}"


def _picture(labels: Labels, body: str, axes: Axes, named: Sequence[Line]) -> Picture:
    """With a legend below, where there is more than one line."""
    legend, x, y = "", 72.0, axes.height + 6
    for line in named if len(named) > 1 else ():
        wide = 34 + 6.6 * len(line.name)
        if x > 72 and x + wide > axes.width:
            x, y = 72.0, y + 18
        legend += path(_sort(line), f"M{x:.1f} {y:.1f}h20") + label(x + 26, y + 4, line.name, "", "start")
        x += wide
    ends = [(line.name, line.points[0][1], line.points[-1][1]) for line in named if line.points]
    told = "; ".join(f"{name} from {number(first)} to {number(last)}" for name, first, last in ends)
    height = y + 14 if legend else axes.height
    made = Picture(labels.title, labels.said, told, body + legend, axes.width, height)
    return replace(made, area=axes.area, x=axes.x, y=axes.y)


def averaged(values: Sequence[float], width: int) -> list[tuple[float, float]]:
    """Steps and losses, `width` steps at a time, as view(-1, width).mean(1) has them; the rest left out."""
    whole = len(values) // width * width
    return [(k + width, sum(values[k : k + width]) / width) for k in range(0, whole, width)]


def ranged(values: Sequence[float]) -> list[tuple[float, float]]:
    """Steps and losses, all of them or the least and the largest of each of MOST // 2 parts."""
    if len(values) <= MOST:
        return [(k + 1, v) for k, v in enumerate(values)]
    every = math.ceil(2 * len(values) / MOST)
    found: list[tuple[float, float]] = []
    for k in range(0, len(values), every):
        part = values[k : k + every]
        found += [(k + 1, min(part)), (k + len(part), max(part))]
    return found


def scatter(
    labels: Labels, points: Points, names: Sequence[str], groups: Sequence[int] = (), behind: str = ""
) -> Picture:
    """Points with a name each, "" for none. groups: of which of two each is. behind: drawn first."""
    axes = frame(points)
    body = [behind, axes.drawn(labels.across, labels.down)]
    for k, (point, name) in enumerate(zip(points, names, strict=True)):
        x, y = axes.at(*point)
        said = f"{name} {number(point[0])}, {number(point[1])}".strip()
        if name:
            body += [circle("box", x, y, 9, said), label(x, y + 4, name)]
        elif groups and groups[k]:  # the group is told by the form too
            body.append(rect("f1 halo", (x - 4, y - 4, 8, 8), said))
        else:
            body.append(circle("f0 halo", x, y, 4.4, said))
    made = Picture(labels.title, labels.said, f"{len(points)} points", "".join(body), axes.width, axes.height)
    return replace(made, area=axes.area, x=axes.x, y=axes.y)


def frame(points: Points) -> Axes:
    """The axes of a scatter of these points."""
    return Axes(span([x for x, _ in points], 0.08), span([y for _, y in points], 0.08), 560, 420)
