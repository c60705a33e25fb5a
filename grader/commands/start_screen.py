"""What `make grade` ends with while nothing is written: what this is, the file to open, what to type."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from grader.commands.learn import line_of
from grader.core.verdict import Report
from grader.suite.find import Suite


def start_screen(suite: Suite, report: Report) -> str:
    """Some twenty rows of at most 80 columns. report: of stubs in which nothing is written."""
    first = report.items[0].id
    exercise, _, item = first.rpartition(".")
    count, many = len(report.items), len(report.exercises)
    file = suite.shown(suite.stub(exercise))
    line = line_of(suite, exercise, item)
    typed, shorter = _typed(suite)
    kind = "gradient" if suite.describe(exercise).gradients else "function"
    rows = [
        "Backpropagation by hand. Nothing is written yet, so here you begin.",
        "",
        "Each exercise is a Python file of small functions that end in a `raise`. The",
        "text in each says what comes in and what is wanted: your own lines go in the",
        "place of the `raise`. A check runs them, and says which are right and what is",
        "wrong with the others.",
        "",
        f"  open   {file}{f', line {line}' if line else ''}",
        f"  write  {item}, the first {kind} of {count}{f' in {many} exercises' * (many > 1)}",
        f"  type   {typed} check {exercise}",
        "",
        "Again and again: write, save, check. What more there is to type:",
        "",
        f"  {typed}                 stays, and checks at every save",
        f"  {typed} hint            helps with the next one, a step at a time",
        f"  {typed} list            shows the whole course",
    ]
    rows += ["", f"To type `grader` alone: {shorter}"] if shorter else []
    return "\n".join(rows) + "\n"


def _typed(suite: Suite) -> tuple[str, str]:
    """How the command is typed here, as it certainly works; and the line that makes it a shorter one."""
    script = Path(sys.executable).with_name("grader")
    if not (script.is_file() and script.is_relative_to(suite.root)):
        return "grader", ""  # installed, by a program that puts it on the PATH
    typed = suite.shown(script)
    folder = script.parent if typed.startswith(("..", "/")) else f"$PWD/{os.path.dirname(typed)}"
    return typed, f'export PATH="{folder}:$PATH"'
