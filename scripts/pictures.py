"""Make the pictures of docs/pictures/ anew, from real runs: `make pictures`.

terminal.svg is what `grader check ex1` prints on a terminal of 80 columns, page.png what `grader report`
writes, with page.txt, its text. tests/whole/test_pictures.py holds their text against new runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "docs" / "pictures"
COLUMNS = 80
WRITTEN = {  # a learner's beginning: the second has its sign wrong, the third its shape
    "dlogprobs": "    d = torch.zeros_like(logprobs)\n    d[range(n), Yb] = -1.0 / n\n    return d",
    "dprobs": "    return -dlogprobs / probs",
    "dcounts_sum_inv": "    return (counts * dprobs).sum(1)",
}
ITEMS = [f"ex1.{name}" for name in WRITTEN]
WINDOW = "1100,1000"
FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # which would be loaded from elsewhere


def learner(folder: Path) -> None:
    """exercises/ex1.py in a folder, with its first functions written."""
    source = (ROOT / "exercises" / "ex1.py").read_text()
    for name, body in WRITTEN.items():
        before, start, after = source.partition(f"def {name}(")
        source = before + start + re.sub(r"    raise NotImplementedError.*", lambda _: body, after, count=1)  # noqa: B023
    (folder / "exercises").mkdir()
    (folder / "exercises" / "ex1.py").write_text(source)


def environ() -> dict[str, str]:
    unwanted = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"}
    kept = {k: v for k, v in os.environ.items() if k not in unwanted}
    return kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "GRADER_NO_SERVER": "1"}


def on_a_terminal(words: list[str], folder: Path) -> str:
    """What a command writes to a terminal of 80 × 24."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [Path(sys.executable).with_name("grader"), *words]
    process = subprocess.Popen(command, cwd=folder, env=environ(), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while chunk := os.read(ours, 65536):
            written += chunk
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n")


def terminal() -> str:
    """terminal.svg."""
    from rich.console import Console
    from rich.text import Text

    with tempfile.TemporaryDirectory() as folder:
        learner(Path(folder))
        written = on_a_terminal(["check", "ex1"], Path(folder))
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi("$ grader check ex1\n" + written.rstrip("\n")))
    return FONT.sub("", console.export_svg(title="grader check ex1"))


def page(out: Path) -> None:
    """The page that page.png shows."""
    with tempfile.TemporaryDirectory() as folder:
        learner(Path(folder))
        command = [Path(sys.executable).with_name("grader"), "report", *ITEMS, "--html", out]
        subprocess.run(command, cwd=folder, env=environ(), stdout=subprocess.DEVNULL)


class Words(HTMLParser):
    """The text of a page or of an SVG, a line for each element that has some."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.hidden = 0
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden and data.strip():
            self.lines.append(" ".join(data.split()))


def words(markup: str) -> str:
    """Its text without times, which are the machine's."""
    text = "\n".join(Words(markup).lines)
    return re.sub(r"\d+(\.\d+)?(?= ?(ms|s|seconds?)\b)", "#", text)


def main() -> int:
    sys.path.insert(0, str(ROOT / "tests"))
    from tools import path  # type: ignore[import-not-found]

    HERE.mkdir(exist_ok=True)
    (HERE / "terminal.svg").write_text(terminal(), encoding="utf-8")
    browser = path("chromium")
    if browser is None:
        print("terminal.svg is written; page.png wants a browser: `make test-tools`")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder) / "page.html"
        page(shown)
        picture = HERE / "page.png"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        options += [f"--user-data-dir={folder}/profile", f"--window-size={WINDOW}"]
        asked = [browser, *options, f"--screenshot={picture}", shown.as_uri()]
        subprocess.run(asked, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (HERE / "page.txt").write_text(words(shown.read_text(encoding="utf-8")) + "\n", encoding="utf-8")
    print("docs/pictures/ is written: terminal.svg, page.png, page.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
