"""Loss curves as one SVG picture, readable on light and on dark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

POINTS = 400
WIDTH, HEIGHT, LEFT, BOTTOM = 720, 360, 56, 40
COLOURS = ("#d62728", "#1f77b4", "#2ca02c")
DASHES = ("", "5 4", "2 3")


class Curve:
    """Losses of a run of `steps`, averaged into at most POINTS points as they come."""

    def __init__(self, steps: int) -> None:
        self.every = max(1, math.ceil(steps / POINTS))
        self.points: list[tuple[int, float]] = []
        self.last = math.nan
        self._sum, self._count, self._seen = 0.0, 0, 0

    def add(self, loss: float) -> None:
        self.last = loss
        self._sum, self._count, self._seen = self._sum + loss, self._count + 1, self._seen + 1
        if self._count == self.every:
            self.points.append((self._seen, self._sum / self._count))
            self._sum, self._count = 0.0, 0

    def all(self) -> list[tuple[int, float]]:
        """The points, and what is left over since the last."""
        rest = [(self._seen, self._sum / self._count)] if self._count else []
        return self.points + rest


def render(curves: Mapping[str, Curve], title: str) -> str:
    """The curves in one picture; a later one is dashed, since it may lie on the one before."""
    data = {name: curve.all() for name, curve in curves.items()}
    every = [p for points in data.values() for p in points]
    right = max(s for s, _ in every)
    low, high = min(v for _, v in every), max(v for _, v in every)
    span = (high - low) or 1.0

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - 16) * step / right

    def y(loss: float) -> float:
        return 28 + (HEIGHT - BOTTOM - 28) * (high - loss) / span

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="#777"><title>{escape(title)}</title>'
        f'<text x="{LEFT}" y="16">{escape(title)}</text>'
    ]
    for i in range(5):
        value = low + span * i / 4
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - 16}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#8884"/>'
            f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3f}</text>'
        )
        step = right * i / 4
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - 20}" text-anchor="middle">{step:.0f}</text>')
    for i, (name, points) in enumerate(data.items()):
        colour, dash = COLOURS[i % 3], DASHES[i % 3]
        line = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in points)
        dots = f'stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6" {dots}/>')
        parts.append(
            f'<text x="{WIDTH - 24}" y="{44 + 20 * i}" text-anchor="end" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
