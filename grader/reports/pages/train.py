"""What `grader train` leaves: a page of pictures, what they show and what came of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from grader.core.text import text
from grader.reports.pages.html import page
from grader.reports.pictures.svg import Picture


def shown(picture: Picture) -> dict[str, Any]:
    """A picture as a page's template reads it; `svg` escapes what it is given."""
    return {
        "title": picture.title,
        "said": picture.said,
        "svg": Markup(picture.svg()),
        "wide": picture.width > 620,
    }


def render(title: str, subtitle: str, lines: Sequence[str], pictures: Sequence[Picture]) -> str:
    """lines: what the terminal was told."""
    return page(
        "train.html",
        title,
        text(subtitle),
        lines=[text(line, 2000) for line in lines],
        pictures=[shown(one) for one in pictures],
    )
