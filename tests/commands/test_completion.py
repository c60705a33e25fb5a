"""Completion as a shell does it: a real bash, zsh and fish."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from conftest import DEADLINE, EXERCISES, ROOT

from grader.commands.completion import names

PROMPT = "READY> "


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script of each shell, and a learner's folder beside them."""
    folder = tmp_path_factory.mktemp("completion")
    for shell, name in (("bash", "grader.bash"), ("zsh", "_grader"), ("fish", "grader.fish")):
        command = [sys.executable, "-X", "importtime", "-m", "grader", "completion", shell]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE)
        assert ran.returncode == 0, ran.stderr
        (folder / name).write_text(ran.stdout)
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.stderr.splitlines()}
        assert "shtab" in imported and not imported & {"torch", "numpy", "rich"}
    (folder / "work/mine").mkdir(parents=True)
    (folder / "work/my.ipynb").touch()
    return folder


# What is typed before the tab; what is offered, and what isn't.
TYPED = {
    "a command": ("grader che", {"check"}, {"train"}),
    "another command": ("grader co", {"completion"}, {"check"}),
    "a set or an exercise": ("grader check b", {"backprop", "bigrams"}, {"gpt"}),
    "not all items at once": ("grader check ex", {"ex1", "ex4"}, {"ex1.dprobs"}),
    "an item": ("grader check ex1.dlog", {"ex1.dlogprobs", "ex1.dlogits"}, {"ex1", "ex1.dh"}),
    "an exercise of a set": ("grader show gpt.e", {"gpt.ex1", "gpt.ex11"}, {"ex1", "gpt"}),
    "an item of a set": ("grader hint tokenizer.ex1.", {"tokenizer.ex1.stats"}, {"tokenizer.ex1", "ex1"}),
    "a second target": ("grader check ex1 ex4.t", {"ex4.training"}, {"ex1"}),
    "an option": ("grader check --st", {"--strict"}, {"--submission"}),
    "a file": ("grader check --submission my", {"my.ipynb"}, {"mlp"}),
    "a notebook": ("grader watch my", {"my.ipynb"}, {"mlp"}),
    "a folder": ("grader init mi", {"micrograd", "mine"}, {"my.ipynb"}),
    "a choice": ("grader server st", {"start", "stop", "status"}, {"check"}),
    "an exercise of a class": ("grader batch in --exercise ex", {"ex1"}, {"ex1.dprobs"}),
}
ids, rows = list(TYPED), list(TYPED.values())


@pytest.mark.parametrize(("typed", "offered", "not_offered"), rows, ids=ids)
def test_bash(typed: str, offered: set[str], not_offered: set[str], scripts: Path) -> None:
    """The function that bash calls at a tab, with the words that it gives it."""
    program = """
        source grader.bash; cd work; COMP_LINE=$1; read -ra COMP_WORDS <<< "$1"
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); complete -p grader | grep -o '_shtab[a-z_]*' > /dev/null
        function=$(complete -p grader | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); "$function" 2>&1
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    ran = subprocess.run(
        ["bash", "-c", program, "bash", typed], cwd=scripts, capture_output=True, text=True, timeout=DEADLINE
    )
    found = set(ran.stdout.split("\n"))
    assert offered <= found and not found & not_offered, ran.stdout + ran.stderr


@pytest.mark.tools("fish")
@pytest.mark.parametrize(("typed", "offered", "not_offered"), rows, ids=ids)
def test_fish(typed: str, offered: set[str], not_offered: set[str], scripts: Path, tmp_path: Path) -> None:
    program = f"source {scripts}/grader.fish; complete -C '{typed}'"
    ran = subprocess.run(
        ["fish", "--no-config", "-c", program],
        cwd=scripts / "work",
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    found = {line.partition("\t")[0].rstrip("/") for line in ran.stdout.splitlines()}
    assert offered <= found and not found & not_offered, ran.stdout + ran.stderr


START = {
    "bash": (["--norc", "--noprofile", "-i"], "source {}/grader.bash"),
    "zsh": (["-f", "-i"], "fpath=({} $fpath); autoload -Uz compinit; compinit -u -D"),
}


@pytest.mark.parametrize("shell", ["bash", pytest.param("zsh", marks=pytest.mark.tools("zsh"))])
def test_a_tab_at_a_real_prompt(shell: str, scripts: Path, tmp_path: Path) -> None:
    options, load = START[shell]
    environ = {**os.environ, "PS1": PROMPT, "TERM": "dumb", "HOME": str(tmp_path), "INPUTRC": os.devnull}
    terminal = pexpect.spawn(
        shell,
        options,
        env=environ,
        cwd=str(scripts / "work"),
        encoding="utf-8",
        timeout=DEADLINE,
        dimensions=(40, 200),
    )
    try:
        terminal.expect_exact(PROMPT)
        terminal.sendline(load.format(scripts) + "; echo loa''ded")
        terminal.expect("loaded")
        terminal.expect_exact(PROMPT)
        for typed, done in (
            ("grader che", "grader check "),
            ("grader check ex1.dpr", "ex1.dprobs "),
            ("grader check --subm", "--submission "),
            ("grader init toke", "tokenizer "),
        ):
            terminal.send(f"{typed}\t")
            terminal.expect_exact(done)
            terminal.sendcontrol("u")
            terminal.sendline("echo emp''tied")
            terminal.expect("emptied")
            terminal.expect_exact(PROMPT)
    finally:
        terminal.close(force=True)


def test_names_stand_under_what_is_before_their_last_dot() -> None:
    found = names({"ex1": ["da", "db"], "gpt.ex1": ["dc"], "gpt.ex2": []})
    assert found == {
        "": ["backprop", "gpt", "ex1"],
        "ex1": ["ex1.da", "ex1.db"],
        "gpt": ["gpt.ex1", "gpt.ex2"],
        "gpt.ex1": ["gpt.ex1.dc"],
        "gpt.ex2": [],
    }


def test_no_name_needs_quoting_in_a_shell() -> None:
    from grader.suite import fixtures
    from grader.suite.find import item_names

    words = [*EXERCISES, *(n for e in EXERCISES for n in item_names(fixtures.describe(ROOT, e)))]
    assert all(word.replace(".", "").replace("-", "").replace("_", "").isalnum() for word in words)
