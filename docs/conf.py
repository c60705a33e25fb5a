"""Sphinx's configuration: `make docs` builds the site from the Markdown files, where they are.

The source folder is the project's root, so that links between docs/, README.md and the rest lead where they
do on GitHub. A warning, as of a broken link, is an error, and so is a page that loads from elsewhere.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from grader import __version__  # noqa: E402

project = "Backpropagation by hand"
release = version = __version__
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md"]
exclude_patterns = [
    ".*",
    "build",
    "dist",
    "grader",
    "tests",
    "fixtures",
    "exercises",
    "solutions",
    "examples",
]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
default_role = "literal"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!grader\.(grade|check|cmp|Report|Verdict)$).*")]  # types of others

html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_copyright = False

PARAMETER = re.compile(r"^(\w+(?:, \w+)*): ")
LOADED = re.compile(
    r"""<(?:script|img|iframe)\b[^>]*\bsrc=["'](?:https?:)?//|<link\b[^>]*\bhref=["'](?:https?:)?//"""
)


def parameters(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Our docstrings say `name: what it is` of parameters, which is to be a list."""
    found: list[str] = []
    listed = False
    for line in lines:
        if PARAMETER.match(line):
            found += [""] * (not listed) + [PARAMETER.sub(r"* ``\1``: ", line)]
            listed = True
        else:
            listed = listed and bool(line.strip())
            found.append("  " * listed + line)
    lines[:] = found


def finished(app: Sphinx, error: Exception | None) -> None:
    """The site begins at its root, and loads nothing."""
    if error:
        return
    out = Path(app.outdir)
    out.joinpath("index.html").write_text('<meta http-equiv="refresh" content="0; url=docs/index.html">\n')
    loading = [page for page in out.rglob("*.html") if LOADED.search(page.read_text(encoding="utf-8"))]
    if loading:
        raise ValueError(f"loads something from elsewhere: {', '.join(map(str, loading))}")


def setup(app: Sphinx) -> None:
    app.connect("autodoc-process-docstring", parameters)
    app.connect("build-finished", finished)
