"""The README is true, and so are the pages that go on from it: commands run, and print what is shown."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import grader
from conftest import ROOT

README = ROOT / "README.md"
PAGES = [ROOT / "docs" / name for name in ("tour.md", "notebook.md", "classes.md", "own-course.md")]
FIRST = 60  # lines within which a learner has all that is needed
COMMAND = re.compile(r"^\$ (?P<command>.*?)(?:  # exit (?P<exit>\d))?$")


Shown = tuple[str, int, list[str]]  # a command, its exit code, and the lines shown below it


def consoles() -> Iterator[list[Shown]]:
    """Each console block of the pages: its commands in order, since one may need what another made."""
    text = "\n".join(page.read_text() for page in PAGES)
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        shown: list[Shown] = []
        for line in block.splitlines():
            if match := COMMAND.match(line):
                shown.append((match["command"], int(match["exit"] or 0), []))
            elif line != "...":
                shown[-1][2].append(line)
        yield shown


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with untouched stubs, to be a learner in."""
    copy = tmp_path_factory.mktemp("readme")
    for name in ("solutions", "exercises", "fixtures", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def slow(shown: list[Shown]) -> bool:
    """A class whose submissions go on to their limits of time; what test_cli grades, the core's solutions."""
    return shown[0][0].startswith(("grader batch ", "grader check backprop --solutions"))


BLOCKS = [pytest.param(b, id=b[0][0], marks=[pytest.mark.slow] * slow(b)) for b in consoles()]


@pytest.mark.parametrize("shown", BLOCKS)
def test_the_tour_prints_what_it_shows(shown: list[Shown], checkout: Path) -> None:
    for command, code, lines in shown:
        program, *arguments = command.removesuffix(" < /dev/null").split()
        assert program == "grader"
        result = grader(*arguments, cwd=checkout, NO_COLOR="1")
        assert result.returncode == code, result.stdout + result.stderr
        printed = {" ".join(line.split()) for line in result.stdout.splitlines()}
        missing = [line for line in lines if " ".join(line.split()) not in printed]
        assert not missing, result.stdout


def test_what_a_learner_needs_is_in_the_first_lines(checkout: Path) -> None:
    begin, _, rest = README.read_text().partition("\n## More\n")
    lines = begin.splitlines()
    clone = next(n for n, line in enumerate(lines, 1) if line.startswith("git clone "))
    assert len(lines) <= FIRST and clone < 15
    for needed in ("make grade", "export PATH=", "grader check ex1", "terminal.svg", "page.png"):
        assert needed in "\n".join(lines[clone - 1 :]), needed
    assert (
        "probe" not in begin.lower() and begin.lower().count("upstream") == 2
    )  # in a stub, and what it means
    (stub,) = re.findall(r"```python\n(.*?)```", begin, re.DOTALL)
    assert stub in (checkout / "exercises/ex1.py").read_text()
    for page in ("docs/classes.md", "docs/ci.md", "docs/own-course.md", "docs/install.md"):
        (line,) = [line for line in rest.splitlines() if page in line]
        assert line.startswith("- [")


def test_what_the_readme_says_can_be_typed(checkout: Path) -> None:
    typed = re.findall(r"^\| `grader(?: (.*?))?` \|", README.read_text(), re.MULTILINE)
    assert len(typed) == 7 and "" in typed
    for words in set(typed) - {"live"}:  # which stays, as its own tests show
        done = grader(*words.split(), *["--yes"] * ("solution" in words), cwd=checkout)
        assert done.returncode in (0, 1) and not done.stderr, done.stderr


def test_every_file_and_target_that_the_readme_names_is_there() -> None:
    text = README.read_text() + PAGES[0].read_text()
    for path in re.findall(r"`((?:exercises|solutions|fixtures|grader|benchmarks|tests)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert target in targets, target


def test_the_rule_in_the_tour_is_the_rule() -> None:
    from grader.core.tolerance import ATOL, RTOL
    from grader.core.verdict import RULE

    assert RULE in " ".join(PAGES[0].read_text().split())
    assert f"{RTOL:.0e}".replace("e-0", "e-") in RULE and f"{ATOL:.0e}".replace("e-0", "e-") in RULE


def test_the_map_stays_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) < 120
