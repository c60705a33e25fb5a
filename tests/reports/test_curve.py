"""The picture of the losses: well-formed, inside its frame, and true to what was added."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.reports.pages.curve import BOTTOM, HEIGHT, LEFT, POINTS, WIDTH, Curve, render

SVG = "{http://www.w3.org/2000/svg}"
losses = st.lists(st.floats(0, 1e12), min_size=1, max_size=60)


def curve(values: list[float], steps: int | None = None) -> Curve:
    one = Curve(steps or len(values))
    for value in values:
        one.add(value)
    return one


def polylines(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each line in the picture; an error where the XML is not well-formed."""
    found = ElementTree.fromstring(svg).iter(f"{SVG}polyline")
    pairs = [[p.split(",") for p in line.attrib["points"].split()] for line in found]
    return [[(float(x), float(y)) for x, y in points] for points in pairs]


@given(st.lists(losses, min_size=1, max_size=4))
@example([[2.5] * 40])
@example([[0.0], [0.0]])
@example([[3.0]])
@example([[1e-300, 2e-300]])
@example([[2.0, math.nextafter(2.0, 3)]])
def test_any_losses_give_a_well_formed_picture_with_every_point_in_its_frame(runs: list[list[float]]) -> None:
    lines = polylines(render({f"run {i}": curve(r) for i, r in enumerate(runs)}, "losses"))
    assert len(lines) == len(runs)
    for line, values in zip(lines, runs, strict=True):
        assert len(line) == len(values)
        assert [x for x, _ in line] == sorted(x for x, _ in line)
        for x, y in line:
            assert LEFT <= x <= WIDTH - 16 and 28 <= y <= HEIGHT - BOTTOM


@given(losses, st.integers(0, 5000))
def test_a_curve_has_few_points_and_loses_none_of_its_losses(values: list[float], more: int) -> None:
    one = curve(values, len(values) + more)
    points = one.all()
    assert len(points) <= POINTS and points[-1][0] == len(values) and one.last == values[-1]
    counts = [stop - start for start, (stop, _) in zip([0, *(s for s, _ in points)], points, strict=False)]
    total = sum(n * mean for n, (_, mean) in zip(counts, points, strict=True))
    assert math.isclose(total, sum(values), rel_tol=1e-9, abs_tol=1e-9)
    assert all(n <= one.every for n in counts)


@pytest.mark.parametrize("steps", [1, 399, 400, 401, 1000, 200_000])
def test_a_full_run_is_drawn_with_at_most_so_many_points(steps: int) -> None:
    one = Curve(steps)
    for i in range(steps):
        one.add(float(i))
    assert 0 < len(one.all()) <= POINTS and one.all()[-1][0] == steps


def test_reading_a_curve_twice_gives_the_same() -> None:
    one = curve([1.0] * 1001)
    assert one.all() == one.all()


def test_names_and_titles_are_escaped() -> None:
    svg = render({"<script>&\"'": curve([1.0, 2.0])}, "</title><b>&amp;")
    root = ElementTree.fromstring(svg)
    assert root.findtext(f"{SVG}title") == "</title><b>&amp;"
    assert "<script>&\"'" in [node.text for node in root.iter(f"{SVG}text")]


def test_a_later_curve_is_dashed_since_it_may_lie_on_the_one_before() -> None:
    one = curve([3.0, 2.0, 1.0])
    root = ElementTree.fromstring(render({"by hand": one, "by autograd": one}, "t"))
    first, second = root.iter(f"{SVG}polyline")
    assert "stroke-dasharray" not in first.attrib and "stroke-dasharray" in second.attrib
    assert first.attrib["points"] == second.attrib["points"]
