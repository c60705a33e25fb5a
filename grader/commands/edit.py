"""`grader edit`: the learner's editor, opened at an item's function, or at its mistake."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess

from grader.commands.learn import current_item, line_of
from grader.commands.read import statuses
from grader.core.errors import UsageError
from grader.learner import progress
from grader.learner.progress import Status
from grader.suite.find import find, targets

# How an editor is told the line; one that isn't here gets the file alone.
PLUS = ("vi", "vim", "nvim", "gvim", "mvim", "nano", "pico", "emacs", "emacsclient", "micro", "kak", "joe",
        "ne", "mg", "jed", "gedit", "kate", "geany")  # fmt: skip
COLON = ("subl", "hx", "helix", "zed", "zeditor", "lapce", "mate")
CODE = ("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf")


def run(args: argparse.Namespace) -> int:
    """The editor's own exit code."""
    suite = find()
    state = progress.read(suite.work)
    wanted = targets(suite, [args.targets] if args.targets else suite.at_hand())
    exercise, item = wanted[0].exercise, wanted[0].item
    if item is None:
        exercise, item = current_item(suite, state, wanted) or (exercise, None)
    path = suite.shown(suite.learners(exercise))
    line = None
    if item:
        found = statuses(suite, suite.describe(exercise), state)[item]
        at = state["items"].get(f"{exercise}.{item}", {}).get("line") if found is Status.WRONG else None
        line = at or line_of(suite, exercise, item)
    place = f"{path}:{line}" if line else path
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not named:
        raise UsageError(f"no editor is set: `export EDITOR=nano`, say, or open {place}")
    try:
        command = shlex.split(named)
        done = subprocess.run([*command, *told(command[0], path, line)])
    except (OSError, ValueError, IndexError) as error:
        raise UsageError(f"EDITOR={named} can't be started ({error}): open {place}") from None
    return done.returncode


def told(editor: str, path: str, line: int | None) -> list[str]:
    """The arguments that open a file at a line."""
    name = os.path.basename(editor).removesuffix(".exe")
    if line is None:
        return [path]
    if name in CODE:
        return ["--goto", f"{path}:{line}"]
    if name in COLON:
        return [f"{path}:{line}"]
    return [f"+{line}", path] if name in PLUS else [path]
