"""What some tests need beside Python: skipped and told, or failed in CI; installed by one command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tools
from conftest import ROOT, in_part

NEEDY = """
import pytest

@pytest.mark.tools("fish", "zsh")
def test_two(): ...

@pytest.mark.tools("man")
def test_one(): ...

def test_none(): ...
"""


@pytest.mark.parametrize(
    ("ci", "counts", "code"), [("", "1 passed, 2 skipped", 0), ("true", "1 passed, 2 error", 1)]
)
def test_without_the_tools(ci: str, counts: str, code: int, tmp_path: Path) -> None:
    """In a folder of its own, with a path on which there is nothing."""
    (tmp_path / "test_needy.py").write_text(NEEDY)
    command = [sys.executable, "-m", "pytest", "-p", "tools", "-p", "no:cacheprovider", "-c", os.devnull, "."]
    environ = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "tests"), "CI": ci}
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert ran.returncode == code and counts in ran.stdout, ran.stdout + ran.stderr
    told = "2 tests skipped for want of " in ran.stdout and f"`{tools.COMMAND}` installs them" in ran.stdout
    assert told == (not ci)
    if ci:
        assert f"no fish, zsh here: `{tools.COMMAND}`" in ran.stdout


def test_the_tools_that_are_asked_for_are_those_that_are_installed() -> None:
    asked = {
        name.strip("\"' ")
        for file in (ROOT / "tests").rglob("test_*.py")
        if file != Path(__file__)
        for call in file.read_text().split("mark.tools(")[1:]
        for name in call.partition(")")[0].split(",")
    }
    assert asked == tools.TOOLS.keys()


@pytest.mark.parametrize("manager", ["apt-get", "brew", ""])
def test_what_installs_them(manager: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that has one package manager, or none."""
    for name in filter(None, (manager, "sudo")):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    lines = [" ".join(command) for command in tools.commands(["chromium", "fish"])]
    apt = "sudo env DEBIAN_FRONTEND=noninteractive apt-get"
    install = f"{apt} install -y -qq --no-install-recommends"
    assert (
        lines
        == {
            "apt-get": [f"{apt} update -qq", f"{install} chromium", f"{install} fish"],
            "brew": ["brew install --cask google-chrome", "brew install fish"],
            "": [],
        }[manager]
    )


def test_the_command_says_what_it_could_not_install(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make
    (tmp_path / "python").symlink_to(sys.executable)
    ran = subprocess.run(
        [make, "PYTHON=python", "test-tools"],
        cwd=ROOT,
        env={"PATH": f"{tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stdout.startswith("Still missing: ") and "zsh, fish, man." in ran.stdout, ran.stdout


def test_the_parts_of_the_long_lists_make_the_whole_and_share_nothing() -> None:
    ids = ["a", *(f"b[{k}]" for k in range(7)), *(f"c[{k}]" for k in range(3)), "d"]
    parts = [in_part(ids, which, 3) for which in (1, 2, 3)]
    assert [sum(kept) for kept in zip(*parts, strict=True)] == [1] * len(ids)
    assert {sum(part) for part in parts} <= {3, 4, 5}
