"""What a learner sees at a terminal: `check`, list and their like at any width, edit, reset, shell."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pexpect
import pytest
from command import grader
from conftest import DEADLINE, sampled, solution, stub_of
from test_cli import GRADER, PASSED, USAGE, environ, half, on_a_terminal, put_stubs, rows, server, work

from grader.commands.edit import told
from grader.core.verdict import RULE

__all__ = ["half", "server", "work"]  # fixtures


def function(exercise: str, name: str) -> str:
    text = solution(exercise)
    found = next(n for n in ast.parse(text).body if getattr(n, "name", "") == name)
    return ast.get_source_segment(text, found) or ""


# --- check -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", sampled([80, 40, 120, 24], 2))
def test_every_item_has_a_line_at_any_width(width: int, work: Path) -> None:
    text = on_a_terminal("check", "ex1", "--solutions", cwd=work, width=width, NO_COLOR="1")
    assert text.count("✓ d") == 26
    assert all(len(line) <= width for line in text.splitlines())
    if width >= 80:
        assert "…" not in text and text.count("  yes\r\n") == 26  # in general, at the end


def all_wrong() -> str:
    """ex1 with a slip in each of its functions, of many kinds."""
    text, solved = stub_of("ex1"), solution("ex1")
    by_name = {part.split("(")[0][4:]: part for part in solved.split("\n\n\n") if part.startswith("def d")}
    for part in text.split("\n\n\n"):
        if part.startswith("def d"):
            wrong = re.sub(r"return (.+)\n*\Z", r"return (\1) * 0.5 + 0.1", by_name[part.split("(")[0][4:]])
            text = text.replace(part.rstrip("\n"), wrong)
    return text


def test_a_wrong_exercise_is_clear_at_a_glance(tmp_path: Path) -> None:
    """Every item in the table, five failures in full, the rest a line each: no more rows than can be read."""
    path = put_stubs(tmp_path) / "exercises/ex1.py"
    path.write_text(all_wrong())
    text = on_a_terminal("check", "ex1", cwd=tmp_path, width=80, NO_COLOR="1").replace("\r\n", "\n")
    lines = text.splitlines()
    assert text.count("\n✗ d") == 26 and "0 of 26 passed" in lines[-2]
    assert len(lines) <= 110 and max(map(len, lines)) <= 80
    assert len(re.findall(r"^✗ ex1\.\w+  wrong  exercises/ex1\.py:\d+$", text, re.M)) == 5
    assert len(re.findall(r"^  at \[\d+(?:, \d+)?\]: yours \S+, autograd's \S+; ", text, re.M)) == 5
    assert len(re.findall(r"^ +\d+ │ ", text, re.M)) == 10 and text.count("^^^") >= 3
    assert len(re.findall(r"^✗ ex1\.\w+ +line \d+  \S", text, re.M)) == 21
    first = path.read_text().split("def dlogprobs")[0].count("\n") + 1
    assert re.fullmatch(r"Next: fix ex1\.dlogprobs, exercises/ex1\.py:(\d+)\.", lines[-1]), first
    assert "approx:" not in text
    everything = on_a_terminal("check", "ex1", "--all", cwd=tmp_path, width=80, NO_COLOR="1")
    assert len(re.findall(r"^ +\d+ │ ", everything, re.M)) == 52 and "`--all`" not in everything


def test_what_came_new_is_told_and_where_to_go_on(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    path = tmp_path / "exercises/ex1.py"
    grader("check", "ex1", cwd=tmp_path)
    stub = path.read_text()
    wrong = "def dlogprobs(logprobs):\n    return logprobs\n"
    path.write_text(f"{stub}\n\n{function('ex1', 'dlogprobs')}\n\n{function('ex1', 'dprobs')}")
    assert (
        "new: ex1.dlogprobs and ex1.dprobs passed since the last check.\n"
        in grader("check", "ex1", cwd=tmp_path).stdout
    )
    one = grader("check", "ex1.dprobs", cwd=tmp_path).stdout
    assert "Next: write ex1.dcounts_sum_inv, exercises/ex1.py:" in one
    path.write_text(f"{stub}\n\n{wrong}\n\n{function('ex1', 'dprobs')}")
    assert (
        "new: ex1.dlogprobs no longer passes since the last check.\n"
        in grader("check", "ex1", cwd=tmp_path).stdout
    )


def test_after_the_last_item_it_says_what_was_built_and_what_is_next(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    path = tmp_path / "exercises/ex2.py"
    path.write_text(f"{path.read_text()}\n\n{function('ex2', 'dlogits')}")
    said = grader("check", "ex2", cwd=tmp_path).stdout
    assert "ex2 is done. You have built: Backpropagation through the whole cross entropy" in said
    assert "`grader solution ex2` shows the author's beside yours." in said and "\nNext: ex3, " in said
    beside = on_a_terminal("solution", "ex2", cwd=tmp_path)
    assert "# yours" in beside and "│ # the author's" in beside
    narrow = on_a_terminal("solution", "ex2", cwd=tmp_path, width=40)
    assert narrow.index("# yours") < narrow.index("\r\n# the author's")


def test_a_place_is_a_link_where_the_terminal_has_links(work: Path, half: Path) -> None:
    text = on_a_terminal("check", "ex1", "--submission", str(half), cwd=work, TERM_PROGRAM="WezTerm")
    assert re.search(rf"\x1b\]8;[^;]*;{re.escape(half.as_uri())}\x1b", text)
    assert "\x1b]8" not in on_a_terminal("check", "ex1", "--submission", str(half), cwd=work)


def test_a_dict_has_no_shape_and_an_error_no_numbers(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    path = tmp_path / "exercises/tokenizer/ex1.py"
    path.write_text(f"{path.read_text()}\n\n{function('tokenizer.ex1', 'stats')}")
    said = grader("check", "tokenizer.ex1", cwd=tmp_path).stdout
    assert re.search(r"^tokenizer\.ex1\.stats +dict +yes", said, re.M) and "scalar" not in said
    path = tmp_path / "exercises/ex1.py"
    body = "def demb(emb, dembcat):\n    return dembcat.view(32, 3, 10)\n"
    path.write_text(f"{path.read_text()}\n\n{body}")
    row = rows(grader("check", "ex1.demb", cwd=tmp_path).stdout)["ex1.demb"]
    assert row.split()[2] == "error:"  # no "yes" for what is right on the lecture's numbers alone


# --- what is read --------------------------------------------------------------------------------------

READ = [
    "list", "list gpt", "list ex1", "list training-losses.ex3", "show ex1", "show ex1.dlogits",
    "show tokenizer.ex2", "next ex1", "hint ex1.dcounts_sum_inv --all", "explain approx",
    "explain ex1.dcounts",
]  # fmt: skip


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("command", READ)
def test_what_is_read_wraps_at_words(command: str, width: int, work: Path) -> None:
    narrow = grader(*command.split(), cwd=work, COLUMNS=str(width)).stdout
    assert max(map(len, narrow.splitlines())) <= width
    wide = grader(*command.split(), cwd=work, COLUMNS="400").stdout
    if not command.startswith("list"):  # whose columns move
        assert narrow.split() == wide.split()


def test_prose_does_not_go_on_in_the_line_of_code_before_it(work: Path) -> None:
    said = grader("hint", "gpt.ex5.dscores1", "--rung", "1", cwd=work, COLUMNS="100").stdout
    assert '    att1 = F.softmax(scores1.masked_fill(later, float("-inf")), -1)\nA softmax: ' in said


def test_the_rule_of_approx_is_explained(work: Path) -> None:
    assert RULE in " ".join(grader("explain", "approx", cwd=work).stdout.split())


def test_what_can_be_done_now_is_shown_as_such(work: Path) -> None:
    listed = grader("list", "ex1", cwd=work).stdout
    assert listed.count("can be done now") == 1 and "blocked" not in listed


# --- edit, reset, shell --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("editor", "arguments"),
    [
        ("/usr/bin/vim", ["+3", "ex1.py"]),
        ("nano", ["+3", "ex1.py"]),
        ("code", ["--goto", "ex1.py:3"]),
        ("hx", ["ex1.py:3"]),
        ("another", ["ex1.py"]),
    ],
)
def test_an_editor_is_told_the_line_in_its_own_way(editor: str, arguments: list[str]) -> None:
    assert told(editor, "ex1.py", 3) == arguments


def test_edit_opens_the_editor_at_the_item(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    script = tmp_path / "vim"
    script.write_text('#!/bin/sh\necho "$@" > opened\nexit 7\n')
    script.chmod(0o755)
    ran = grader("edit", "ex1.dh", cwd=tmp_path, EDITOR=f"{script} -R", VISUAL="")
    line = stub_of("ex1").split("def dh(")[0].count("\n") + 1
    assert ran.returncode == 7 and (tmp_path / "opened").read_text() == f"-R +{line} exercises/ex1.py\n"
    ran = grader("edit", cwd=tmp_path, EDITOR="", VISUAL="")
    assert ran.returncode == USAGE and "open exercises/ex1.py:" in ran.stderr
    ran = grader("edit", "ex1", cwd=tmp_path, EDITOR=str(tmp_path / "none"), VISUAL="")
    assert ran.returncode == USAGE and "can't be started" in ran.stderr


def test_reset_takes_a_set_or_everything_and_asks_once(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    changed = [tmp_path / "exercises" / name for name in ("ex1.py", "ex2.py", "gpt/ex1.py")]
    for path in changed:
        path.write_text("# mine\n")
    ran = grader("reset", cwd=tmp_path)
    assert ran.returncode == USAGE and all(path.read_text() == "# mine\n" for path in changed)
    assert "Put these 3 files back" in ran.stderr
    assert grader("reset", "backprop", "--yes", cwd=tmp_path).returncode == PASSED
    assert changed[0].read_text() == stub_of("ex1") and changed[2].read_text() == "# mine\n"
    assert grader("reset", "--yes", cwd=tmp_path).returncode == PASSED
    assert changed[2].read_text() == stub_of("gpt.ex1")
    assert len(list(tmp_path.glob("exercises/**/*.bak"))) == 3


def typed(folder: Path, item: str, *lines: str) -> str:
    """What a shell of an item says to these lines."""
    ran = subprocess.run(
        [GRADER, "shell", item],
        cwd=folder,
        env=environ(),
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert ran.returncode == PASSED, ran.stderr
    return ran.stdout + ran.stderr


def test_a_shell_has_the_items_tensors_and_no_answer_before_an_attempt(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    path = tmp_path / "exercises/ex1.py"
    said = typed(tmp_path, "ex1.dh", "tuple(dlogits.shape)", "'dh' in globals()", "yours()", "autograd()")
    assert "Nothing here is confined" in said and "(32, 27)" in said and "False" in said
    assert "dh: not written yet (exercises/ex1.py)" in said and "Write dh first" in said
    assert "Traceback" not in said
    path.write_text(f"{path.read_text()}\n\ndef dh(dlogits, W2):\n    return -dlogits @ W2.T\n")
    said = typed(tmp_path, "ex1.dh", "check()", "bool(torch.allclose(autograd(), -yours()))", "yours()")
    assert "wrong: the sign is wrong" in said and "True" in said and "...," in said  # of 2,048 numbers
    assert grader("list", "ex1.dh", cwd=tmp_path).stdout.endswith("wrong\n")  # it is remembered


def test_ctrl_d_is_no(work: Path) -> None:
    child = pexpect.spawn(str(GRADER), ["solution", "ex1.dh"], cwd=work, env=environ(), encoding="utf-8")
    child.expect_exact("[y/N] ", timeout=DEADLINE)
    child.sendeof()
    child.expect(pexpect.EOF, timeout=DEADLINE)
    child.close()
    assert child.exitstatus == 1 and child.before.split() == []


def test_next_fits_a_terminal_and_says_where_all_tensors_are_listed(work: Path) -> None:
    text = on_a_terminal("next", "ex1", cwd=work, width=80, NO_COLOR="1")
    assert len(text.splitlines()) < 24 and "tensors:" not in text
    assert "`grader show ex1.dlogprobs`" in " ".join(text.split())


def test_a_shell_of_an_output_has_the_authors_answer(tmp_path: Path) -> None:
    put_stubs(tmp_path)
    path = tmp_path / "exercises/tokenizer/ex2.py"
    path.write_text(f"{path.read_text()}\n\n{function('tokenizer.ex2', 'vocab')}\n")
    said = typed(tmp_path, "tokenizer.ex2.vocab", "author()", "yours() == author()")
    assert "Write vocab first" in said and "True" in said


@pytest.mark.parametrize("word", ["ex1", "ex4.training"])
def test_a_shell_is_of_one_item(word: str, work: Path) -> None:
    ran = grader("shell", word, cwd=work)
    assert ran.returncode == USAGE and "shell takes one item" in ran.stderr
