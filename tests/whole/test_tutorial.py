"""The tutorial is true: its files and commands, in order, in a fresh folder and a real shell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import ROOT
from test_ci import environ

TUTORIAL = ROOT / "docs/own-exercise.md"
BLOCK = re.compile(r"^```(python|console)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (?P<command>.*?)(?:  # exit (?P<exit>\d))?$")
END = "-- exit "


def steps(page: Path = TUTORIAL) -> Iterator[tuple[str, str]]:
    """What there is to do, in order: ("write FILE", its text), or ("run", a block of a terminal)."""
    for kind, file, text in BLOCK.findall(page.read_text()):
        yield (f"write {file}", text) if kind == "python" else ("run", text)


def shown(block: str) -> Iterator[tuple[str, int, list[str]]]:
    """Each command of a terminal's block, its exit code, and the lines shown below it."""
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        if part:
            first, *lines = part.splitlines()
            match = COMMAND.match(first)
            assert match, first
            yield match["command"], int(match["exit"] or 0), [x for x in lines if x != "..."]


@pytest.mark.slow
def test_from_an_empty_folder_to_a_release(tmp_path: Path) -> None:
    work = tmp_path / "empty"
    work.mkdir()
    assert len(list(steps())) == 11
    follow(work, environ(tmp_path, NO_COLOR="1", GRADER_NO_SERVER="1"))


@pytest.mark.slow
def test_any_network_from_a_file_to_the_first_green_node(tmp_path: Path) -> None:
    work = tmp_path / "empty"
    work.mkdir()
    follow(work, environ(tmp_path, NO_COLOR="1", GRADER_NO_SERVER="1"), ROOT / "docs/any-network.md")


def follow(work: Path, env: Mapping[str, str], page: Path = TUTORIAL) -> None:
    """Do all that a page says, in a folder, and compare what it shows. A line that ends in … begins so."""
    for kind, text in steps(page):
        if kind != "run":
            file = work / kind.removeprefix("write ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            continue
        # one shell for a block: a `cd` holds for the commands after it
        commands = list(shown(text))
        script = "\n".join(f"{command} 2>&1; echo '{END}'$?" for command, _, _ in commands)
        ran = subprocess.run(["bash", "-c", script], cwd=work, env=env, capture_output=True, text=True)
        outputs = re.split(rf"^{END}(\d+)\n", ran.stdout, flags=re.MULTILINE)[:-1]
        codes = [int(code) for code in outputs[1::2]]
        assert codes == [code for _, code, _ in commands], ran.stdout
        for (command, _, lines), output in zip(commands, outputs[::2], strict=True):
            said = [" ".join(line.split()) for line in output.splitlines()]
            wanted = [" ".join(line.split()) for line in lines]
            missing = [w for w in wanted if not (begun(w, said) if w.endswith("…") else w in said)]
            assert not missing, f"{command}\n{output}"


def begun(line: str, said: list[str]) -> bool:
    return any(other.startswith(line.removesuffix("…").strip()) for other in said)


def test_the_tutorial_shows_what_grader_new_writes() -> None:
    """The solution as it is shown is the skeleton with bodies: same forward pass, same docstrings."""
    texts = dict(step for step in steps() if step[0] != "run")
    cell, solved = texts["write cell.py"], texts["write solutions/rnn/ex1.py"]
    assert solved.startswith(cell.replace("def cell(", "def forward("))
