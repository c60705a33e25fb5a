"""The README's pictures show what a run shows today; `make pictures` makes them anew."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from conftest import ROOT

sys.path.append(str(ROOT / "scripts"))
import pictures  # noqa: E402

PICTURES = ROOT / "docs/pictures"


def test_the_terminal_s_picture_says_what_a_run_says() -> None:
    assert pictures.words((PICTURES / "terminal.svg").read_text()) == pictures.words(pictures.terminal())


def test_the_page_s_picture_says_what_a_run_says(tmp_path: Path) -> None:
    pictures.page(tmp_path / "page.html")
    assert (PICTURES / "page.txt").read_text() == pictures.words((tmp_path / "page.html").read_text()) + "\n"


def test_a_change_of_a_word_is_noticed_and_a_time_is_not() -> None:
    assert pictures.words("<p>wrong in 1.5 s</p>") == pictures.words("<p>wrong in 20 s</p>")
    assert pictures.words("<p>wrong</p>") != pictures.words("<p>right</p>")


def test_the_pictures_load_nothing_and_are_of_a_size_to_read() -> None:
    svg = (PICTURES / "terminal.svg").read_text()
    assert "@import" not in svg and "url(http" not in svg and "@font-face" not in svg
    png = (PICTURES / "page.png").read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG") and width <= 1200 and height <= 1200 and len(png) < 300_000
    readme = (ROOT / "README.md").read_text()
    assert "(docs/pictures/terminal.svg)" in readme and "(docs/pictures/page.png)" in readme
