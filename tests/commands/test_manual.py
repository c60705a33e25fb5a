"""Help and man pages: every command has all that a manual has, and it is true."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest
from command import grader
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from grader.commands import arguments, manual

TOP = arguments.parser()
COMMANDS = next(a.choices for a in TOP._actions if isinstance(a, argparse._SubParsersAction))
PARSERS = {"grader": TOP, **COMMANDS}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="WSL there")


def shown(*args: str, columns: int = 80) -> str:
    """What the command prints as help on a terminal of that width."""
    ran = grader(*args, "--help", cwd=ROOT, COLUMNS=str(columns))
    assert ran.returncode == 0 and ran.stderr == ""
    return ran.stdout


def test_every_command_has_a_page_and_every_page_a_command() -> None:
    assert manual.manual().keys() - {"table"} == PARSERS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_function_of_a_module(name: str) -> None:
    module, _, function = COMMANDS[name].get_default("run").partition(".")
    assert callable(getattr(importlib.import_module(f"grader.commands.{module}"), function))


@pytest.mark.parametrize("name", PARSERS)
def test_help_has_synopsis_description_arguments_exit_codes_and_an_example(name: str) -> None:
    text = shown(*([] if name == "grader" else [name]))
    assert text.startswith(f"usage: {PARSERS[name].prog} ")
    assert "\nexit codes:\n  0 " in text
    example = text.partition("\nexamples:\n")[2].splitlines()[0]
    assert example.startswith(f"  {PARSERS[name].prog} ".rstrip()), example
    assert max(map(len, text.splitlines())) <= 80 or "~/.local" in text


@pytest.mark.parametrize("columns", [40, 200])
def test_help_keeps_to_the_terminal(columns: int) -> None:
    prose = [line for line in shown("check", columns=columns).splitlines() if " " in line.strip()]
    assert max(len(line) for line in prose if "grader check" not in line and "$XDG" not in line) <= columns


EXAMPLES = [
    (name, line.partition(" > ")[0])
    for name in PARSERS
    for line, _ in manual.manual()[name]["examples"]
    if line.startswith("grader ")
]


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[line for _, line in EXAMPLES])
def test_every_example_is_a_command_of_ours(name: str, line: str) -> None:
    program, *words = shlex.split(line)
    args = TOP.parse_args(words)
    assert program == "grader" and (name in ("grader", args.command))


@pytest.mark.parametrize("name", PARSERS)
def test_every_argument_is_explained_with_its_default(name: str) -> None:
    for action in PARSERS[name]._actions:
        assert action.help or action.dest == "command", action
        if action.default not in (None, False, argparse.SUPPRESS) and action.option_strings:
            assert "by default" in action.help, action
            if action.dest != "workers":
                assert str(action.default) in action.help, action


def test_every_environment_variable_that_is_read_is_in_the_manual() -> None:
    """The page of each command may name few; the table has all, or one names it with its siblings."""
    told = " ".join(
        [*manual.manual()["table"]["environment"], *manual.manual()["table"]["environment"].values()]
    )
    read: set[str] = set()
    for path in (ROOT / "grader").rglob("*.py"):
        read |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z][A-Z_0-9]+)\"", path.read_text()))
    assert len(read) > 10
    assert {name for name in read if name not in told.replace(",", " ").split()} <= {"PATH"}


def test_every_entry_of_the_tables_is_used() -> None:
    pages = [page for name, page in manual.manual().items() if name != "table"]
    for table in ("files", "environment"):
        assert {n for page in pages for n in page.get(table, ())} == manual.manual()["table"][table].keys()


@given(st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=60))
def test_no_text_is_a_request_to_roff(text: str) -> None:
    escaped = manual._escaped(text)
    assert not escaped.startswith((".", "'"))
    assert escaped.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\") == text


def test_a_man_page_has_what_the_help_has(tmp_path: Path) -> None:
    page = manual.pages(TOP)["grader-check.1"]
    flat = " ".join(page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").split())
    for action in COMMANDS["check"]._actions:
        assert " ".join((action.help or "").split()) in flat
    for section in (
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXIT STATUS",
        "EXAMPLES",
        "FILES",
        "ENVIRONMENT",
    ):
        assert f"\n.SH {section}\n" in page
