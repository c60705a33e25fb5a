"""A template as one self-contained page. Whatever is put in is escaped, and the page may load nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.core.verdict import Report, Verdict
from grader.reports.table import of

WEB = Path(__file__).parents[1] / "web"
SCRIPT, LIVE = "page.js", "live.js"

# A verdict's kind is its colour, its symbol says the same without one.
KINDS = {
    Verdict.EXACT: ("exact", "✓"),
    Verdict.APPROXIMATE: ("approximate", "≈"),
    Verdict.NOT_WRITTEN: ("open", "○"),
    Verdict.ERROR: ("stopped", "!"),
    Verdict.REFUSED: ("stopped", "!"),
    Verdict.OVER_LIMIT: ("stopped", "!"),
}
WRONG = ("wrong", "✕")


def kind(verdict: Verdict) -> tuple[str, str, str]:
    """A verdict's CSS class, symbol and words."""
    return *KINDS.get(verdict, WRONG), verdict.value.replace("-", " ")


def legend(verdicts: Iterable[Verdict]) -> list[tuple[str, str, str, int]]:
    """Each kind of verdict and how often it is there, in the order in which they come."""
    return [(*what, n) for what, n in Counter(map(kind, verdicts)).items()]


def scores(report: Report) -> tuple[str, str]:
    """What stands in large, and what in small behind it."""
    score, words = of(report).split(" ", 1)
    return score, f" {words} points" if report.marked else f" {words} passed"


def page(template: str, title: str, subtitle: str, live: bool = False, **values: Any) -> str:
    """A page that carries its style and script and, by its policy, runs and loads nothing else.

    live: `grader live` serves it, to which it listens.
    """
    return (
        _environment()
        .get_template(template)
        .render(
            title=title,
            subtitle=subtitle,
            live=live,
            style=Markup(_style()),
            script=Markup(_script(live)),
            policy=Markup(policy(live)),
            **values,
        )
    )


def policy(live: bool = False) -> str:
    """The page's Content-Security-Policy."""
    connects = "connect-src 'self'; " * live
    return (
        f"default-src 'none'; style-src '{_hash(_style())}'; script-src '{_hash(_script(live))}'; "
        f"img-src data:; {connects}base-uri 'none'; form-action 'none'"
    )


@cache
def _part(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _style() -> str:
    return _part("page.css") + _part("pictures.css")


def _script(live: bool) -> str:
    return _part(SCRIPT) + _part(LIVE) * live


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(WEB),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["coded"] = coded
    return made


def coded(words: str) -> Markup:
    """Words, escaped, with what stands between backticks as code, and lines that are indented as code is."""
    return Markup(re.sub(r"`([^`\n]+)`|(?m:^)( {4}.+)", r"<code>\1\2</code>", str(escape(words))))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
