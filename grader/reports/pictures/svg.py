"""A picture as SVG: its words, its axes, its colours by class.

What a class looks like on a light and on a dark page is told by web/pictures.css, which a page has in its
style and a picture that stands alone brings along. No library: matplotlib would be 174 MB.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib.resources import files

from grader.core.text import text

SERIES = 6  # colours, s0 to s5; a seventh line begins again, dashed
LEFT, RIGHT, TOP, BOTTOM = 72.0, 26.0, 14.0, 44.0  # around the area in which values are drawn
WORDS = 120  # characters of a text in a picture, at most


@dataclass(frozen=True)
class Picture:
    """body: SVG elements on width × height. said: one sentence, what to see. told: the values in words.

    name: which picture it is. area: left, top, width and height of what `x` and `y`, from and to, are along.
    """

    title: str
    said: str
    told: str
    body: str
    width: float
    height: float
    name: str = ""
    area: tuple[float, ...] = ()
    x: tuple[float, float] = (0, 1)
    y: tuple[float, float] = (0, 1)

    def svg(self, style: str = "") -> str:
        """The element, for a page that has the style; its values can be read back by its data- attributes."""
        spans = {"data-area": self.area, "data-x": self.x, "data-y": self.y} if self.area else {}
        read = "".join(f' {k}="{" ".join(f"{v:.10g}" for v in span)}"' for k, span in spans.items())
        size = f"{math.ceil(self.width)} {math.ceil(self.height)}"
        described = word(f"{self.said} {self.told}".strip(), 1000)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="pic" role="img" '
            f'data-picture="{escape(self.name)}" '
            f'width="{size.split()[0]}" height="{size.split()[1]}" viewBox="0 0 {size}"{read}>'
            f"<title>{word(self.title)}</title><desc>{described}</desc>"
            f'{style}<rect class="ground" width="100%" height="100%"/>{self.body}</svg>\n'
        )

    def alone(self) -> str:
        """A file of its own, which follows the reader's theme; title and sentence stand above and below."""
        wide, high = max(self.width, 420.0), self.height + 48
        lines = list(wrapped(self.said, int(wide / 6.2)))
        moved = f'<g transform="translate({(wide - self.width) / 2:g} 28)">{self.body}</g>'
        body = label(12, 20, self.title, "title", "start") + moved
        body += "".join(label(12, high + 17 * k, line, "quiet", "start") for k, line in enumerate(lines))
        left, top, *size = self.area or (0, 0)
        area = (left + (wide - self.width) / 2, top + 28, *size) if self.area else ()
        whole = replace(self, body=body, width=wide, height=high + 17 * len(lines), area=area)
        return whole.svg(f"<style>{css()}svg.pic{{color-scheme:light dark}}</style>")


@cache
def css() -> str:
    return (files("grader") / "reports/web/pictures.css").read_text(encoding="utf-8")


def word(said: object, most: int = WORDS) -> str:
    """A text as it may stand in a picture: harmless, cut and escaped."""
    return escape(text(str(said), most))


def label(x: float, y: float, said: object, sort: str = "", anchor: str = "middle") -> str:
    """A text at a place, escaped. sort: its classes."""
    classes = f' class="{sort}"' if sort else ""
    return f'<text{classes} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{word(said)}</text>'


def rect(sort: str, box: tuple[float, float, float, float], said: str = "", strength: float = 1) -> str:
    """A rectangle: its classes, its left, top, width and height, what it is, how strong its colour."""
    x, y, wide, high = box
    faint = f' fill-opacity="{strength:.3f}"' if strength < 1 else ""
    inner = f"><title>{word(said)}</title></rect>" if said else "/>"
    return (
        f'<rect class="{sort}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"{faint}{inner}'
    )


def circle(sort: str, x: float, y: float, r: float, said: str) -> str:
    return f'<circle class="{sort}" cx="{x:.1f}" cy="{y:.1f}" r="{r:g}"><title>{word(said)}</title></circle>'


def path(sort: str, d: str, strength: float = 1) -> str:
    faint = f' fill-opacity="{strength:.3f}"' if strength < 1 else ""
    return f'<path class="{sort}" d="{d}"{faint}/>'


def turned(x: float, y: float, said: str) -> str:
    """The name of an axis that runs upwards."""
    turn = f"translate({x:.1f} {y:.1f}) rotate(-90)"
    return f'<text class="quiet" transform="{turn}" text-anchor="middle">{word(said)}</text>'


def wrapped(said: str, most: int) -> Iterator[str]:
    line = ""
    for part in said.split():
        if line and len(line) + len(part) >= most:
            yield line
            line = ""
        line += f" {part}" if line else part
    yield line


def finite(values: Sequence[float]) -> list[float]:
    return [float(v) for v in values if math.isfinite(v)]


def span(values: Sequence[float], room: float = 0.0) -> tuple[float, float]:
    """From the least to the largest that is finite, with `room` on either side. ValueError without any."""
    known = finite(values)
    low, high = min(known), max(known)
    if high - low <= 1e-12 * max(abs(low), abs(high)) or high - low < 1e-300:
        low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
    wide = min(high - low, 1e300)
    return low - room * wide, high + room * wide


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between two: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((s * power for s in (1, 2, 5) if rough <= s * power), 10 * power)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, first + 3 * about) if k * step <= high + 1e-9 * step]


def number(value: float, step: float = 0.0) -> str:
    """A number on an axis, as its ticks are apart; a minus as long as a plus."""
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e6 and step:
        return f"{value:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


class Axes:
    """Where values go in an area, and the area's ticks, names and units."""

    def __init__(
        self, x: tuple[float, float], y: tuple[float, float], width: float = 560, height: float = 300
    ):
        self.x, self.y, self.width, self.height = x, y, width, height
        self.area = (LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels. What is outside, or infinite, is put on the edge."""
        left, top, wide, high = self.area
        across = (min(max(x, self.x[0]), self.x[1]) - self.x[0]) / (self.x[1] - self.x[0])
        down = (self.y[1] - min(max(y, self.y[0]), self.y[1])) / (self.y[1] - self.y[0])
        return left + wide * across, top + high * down

    def drawn(self, across: str, down: str) -> str:
        """The ticks and the names of both axes. across, down: what they count, with the unit."""
        left, top, wide, high = self.area
        parts = []
        xs, ys = ticks(*self.x), ticks(*self.y)
        for v in ys:
            y = self.at(self.x[0], v)[1]
            said = number(v, ys[1] - ys[0] if len(ys) > 1 else 0)
            parts += [
                path("grid", f"M{left:.1f} {y:.1f}h{wide:.1f}"),
                label(left - 6, y + 4, said, "tick", "end"),
            ]
        for v in xs:
            x = self.at(v, self.y[0])[0]
            said = number(v, xs[1] - xs[0] if len(xs) > 1 else 0)
            parts += [path("grid", f"M{x:.1f} {top + high:.1f}v4"), label(x, top + high + 17, said, "tick")]
        parts.append(label(left + wide / 2, self.height - 8, across, "quiet"))
        parts.append(turned(13, top + high / 2, down))
        return "".join(parts)
