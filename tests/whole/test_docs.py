"""The documentation is true: links lead somewhere, what is named is there, commands print what is shown."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import ROOT, sampled
from markdown_it import MarkdownIt
from test_ci import environ
from test_tutorial import follow

import grader
from grader import __version__

PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")))
INTERNALS = sorted(ROOT.glob("docs/internals/*.md"))
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def links(text: str) -> list[str]:
    """Where the links and pictures of a page lead; code is no link."""
    inside = [child for token in MarkdownIt().parse(text) for child in token.children or ()]
    found = [t.attrGet("href") or t.attrGet("src") for t in inside if t.type in ("link_open", "image")]
    return [str(target) for target in found if target]


def anchors(text: str) -> set[str]:
    """What a page's headings are called in a link, as GitHub does it."""
    tokens = MarkdownIt().parse(text)
    titles = [
        t.children or () for before, t in zip(tokens, tokens[1:], strict=False) if before.tag[:1] == "h"
    ]
    found: list[str] = []
    for title in titles:
        words = "".join(t.content for t in title).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found.append(f"{slug}-{count}" if (count := found.count(slug)) else slug)
    return set(found)


def broken(page: Path) -> list[str]:
    wrong = []
    for target in links(page.read_text()):
        if re.match(r"(https?|mailto):", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / unquote(path)).resolve() if path else page
        found = file.is_relative_to(ROOT) and file.exists()
        known = anchors(file.read_text()) if found and anchor and file.suffix == ".md" else set()
        if not found or (anchor and unquote(anchor) not in known):
            wrong.append(target)
    return wrong


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_broken_link_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "there.md").write_text("# A `b`, c: d\n\n# Twice\n\n# Twice\n")
    page = tmp_path / "page.md"
    right = "[a](there.md#a-b-c-d) [b](there.md#twice-1) `[g](gone.md)`"
    page.write_text(f"{right} [c](#x) [d](gone.md) [e](there.md#no) [f][f]\n\n[f]: ../out.md\n")
    assert broken(page) == ["#x", "gone.md", "there.md#no", "../out.md"]


@every_page
def test_every_file_and_target_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    if page.name == "CHANGELOG.md":  # of another day
        return
    named = set(re.findall(r"`((?:grader|tests|scripts|benchmarks|docs|examples|\.github)/[\w./-]*)`", text))
    assert [path for path in named if not re.search("[A-Z]{3}", path) and not (ROOT / path).exists()] == []
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z-]+)[^`]*`", text)) <= {*targets}


def test_the_index_has_every_page_as_a_link_and_in_the_sidebar() -> None:
    index = ROOT / "docs/index.md"
    text = index.read_text()
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in links(text)}
    listed = {
        (index.parent / f"{line}.md").resolve()
        for block in re.findall(r"```{toctree}\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line and line[0] != ":"
    }
    pages = {page for page in PAGES if ".github" not in page.parts} - {index}
    assert linked == pages and listed == pages


def test_the_public_names_are_documented_and_no_others() -> None:
    text = (ROOT / "docs/api.md").read_text()
    assert {*re.findall(r"auto\w+:: grader\.(\w+)", text)} == {*grader.__all__} - {"__version__"}


# --- the version -------------------------------------------------------------------------------------


def test_the_changelog_begins_with_this_version_and_its_date() -> None:
    heading = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heading and (match := re.fullmatch(r"(\S+) \((\S+)\)", heading[1])), heading
    assert match[1] == __version__ and date.fromisoformat(match[2])


def test_recipes_and_pages_name_this_version() -> None:
    files = [*PAGES, *(p for p in ROOT.glob("examples/*/*") if p.is_file()), *ROOT.glob("examples/*/.*.yml")]
    quoted = {v for p in files for v in re.findall(r"backprop[-_]grader(?:==|-)(\d[\d.]*\d)", p.read_text())}
    assert quoted == {__version__}


# --- how it works within -----------------------------------------------------------------------------

linux = pytest.mark.skipif(sys.platform != "linux", reason="they show the layers of confinement, Linux's")


@linux
@pytest.mark.parametrize("page", sampled(INTERNALS, 4), ids=lambda page: page.stem)
def test_what_a_page_on_internals_shows_is_so(page: Path, tmp_path: Path) -> None:
    """Its files, commands and Python sessions in a folder of links, but for what is submitted."""
    for name in ("scripts", "fixtures", "solutions"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    env = environ(tmp_path, NO_COLOR="1")
    follow(tmp_path, env, page)
    sessions = re.findall(r"^```pycon\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    if sessions:
        (tmp_path / "sessions").write_text("\n".join(sessions))
        command = [sys.executable, "-m", "doctest", "-o", "NORMALIZE_WHITESPACE", "sessions"]
        ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_page_on_internals_shows_something() -> None:
    for page in INTERNALS:
        assert re.search(r"^```(pycon|console)$", page.read_text(), re.MULTILINE), page
