"""The README is true: its commands run, and print what it shows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import grader
from conftest import ROOT

COMMAND = re.compile(r"^\$ (?P<command>.*?)(?:  # exit (?P<exit>\d))?$")


def console() -> Iterator[tuple[str, int, list[str]]]:
    """Each command of the README's console blocks, its exit code, and the lines shown below it."""
    for block in re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL):
        command, code = "", 0
        lines: list[str] = []
        for line in block.splitlines():
            if match := COMMAND.match(line):
                if command:
                    yield command, code, lines
                command, code, lines = match["command"], int(match["exit"] or 0), []
            elif line != "...":
                lines.append(line)
        yield command, code, lines


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with untouched stubs, to be a learner in."""
    copy = tmp_path_factory.mktemp("readme")
    for name in ("solutions", "exercises", "fixtures", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.mark.parametrize(
    ("command", "code", "lines"), list(console()), ids=lambda x: x if isinstance(x, str) else ""
)
def test_the_tour_prints_what_it_shows(command: str, code: int, lines: list[str], checkout: Path) -> None:
    program, *arguments = command.removesuffix(" < /dev/null").split()
    assert program == "grader"
    result = grader(*arguments, cwd=checkout, NO_COLOR="1")
    assert result.returncode == code, result.stdout + result.stderr
    shown = {" ".join(line.split()) for line in result.stdout.splitlines()}
    missing = [line for line in lines if " ".join(line.split()) not in shown]
    assert not missing, result.stdout


def test_every_file_and_target_that_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"`((?:exercises|solutions|fixtures|grader|benchmarks|tests)/[\w./]*)`", text):
        assert (ROOT / path).exists(), path
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"`make ([a-z-]+)`", text):
        assert target in targets, target


def test_the_rule_in_the_readme_is_the_rule() -> None:
    from grader.core.tolerance import ATOL, RTOL
    from grader.core.verdict import RULE

    assert RULE in " ".join((ROOT / "README.md").read_text().split())
    assert f"{RTOL:.0e}".replace("e-0", "e-") in RULE and f"{ATOL:.0e}".replace("e-0", "e-") in RULE


def test_the_map_stays_short() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) < 120
