"""`grader completion`: a script for the shell, made of the parser and of the names of exercises and items.

shtab writes it. The names stand in the script, by what comes before their last dot, so that a shell offers
few at a time, and completing starts no process.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from grader.core import course
from grader.suite.find import find, item_names

Names = dict[str, list[str]]  # by what is before the last dot: "" to sets and ex1, gpt to gpt.ex1, …
FILES = ("*.py", "*.ipynb")


def run(args: argparse.Namespace) -> int:
    import shtab

    from grader.commands.arguments import parser

    suite = find()
    top = parser()
    mark(top, names({i: item_names(suite.describe(i)) for i in suite.ids()}))
    print(shtab.complete(top, args.shell))
    return 0


def names(exercises: Mapping[str, list[str]]) -> Names:
    """What can be named, from each exercise's items."""
    found: Names = {"": list(course.mapped(list(exercises)))}
    for exercise, items in exercises.items():
        found.setdefault(exercise.rpartition(".")[0], []).append(exercise)
        found[exercise] = [f"{exercise}.{item}" for item in items]
    return found


def mark(parser: argparse.ArgumentParser, known: Names) -> None:
    """Say of each argument, by its metavar, what completes it."""
    import shtab

    exercises = {parent: [n for n in found if n in known] for parent, found in known.items()}
    exercises[""] = known[""]
    by_metavar = {
        "TARGET": _named("target", known),
        "EXERCISE": _named("exercise", exercises),
        "NAME": _named("exercise", exercises),
        "DIR|SET": _named("set_or_dir", exercises, files=False),
        "FILE": shtab.FILE,
        "PATH": shtab.FILE,
        "NOTEBOOK": shtab.FILE,
        "EXPORT": shtab.FILE,
        "DIR": shtab.DIRECTORY,
    }
    subparsers = (a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    for name, command in next(subparsers).items():
        for action in command._actions:
            how = by_metavar.get(str(action.metavar))
            if name in ("check", "watch") and action.metavar == "TARGET":
                how = _named("target_or_file", known, files=True)
            if how and action.dest != "column":
                action.complete = how


def _named(what: str, known: Names, files: bool | None = None) -> dict[str, Any]:
    """A completer of names, for shtab. files: of exercises' files as well; False: of folders as well."""
    function = f"_grader_{what}"
    return {
        "bash": function,
        "zsh": function,
        "fish": f"({function})",
        "preamble": {shell: write(function, known, files) for shell, write in WRITERS.items()},
    }


def _by_parent(known: Names) -> list[tuple[str, str]]:
    """By what has been typed, the names that begin so, in one text."""
    return [(parent, " ".join(found)) for parent, found in known.items() if parent and found]


def _bash(function: str, known: Names, files: bool | None) -> str:
    lines = [f'  compgen -W "{" ".join(known[""])}" -- "$1"']
    for parent, found in _by_parent(known):
        lines.append(f'  case "$1" in {parent}*) compgen -W "{found}" -- "$1";; esac')
    if files is not None:
        lines.append('  compgen -d -- "$1"')
    if files:
        lines += [f"  compgen -f -X '!{pattern}' -- \"$1\"" for pattern in FILES]
    return "\n".join([f"{function}() {{", *lines, "}"])


def _zsh(function: str, known: Names, files: bool | None) -> str:
    lines = [f"  compadd -- {' '.join(known[''])}"]
    lines += [f"  [[ $PREFIX == {parent}* ]] && compadd -- {found}" for parent, found in _by_parent(known)]
    if files is not None:
        lines.append('  _files -g "*.(py|ipynb)"' if files else "  _files -/")
    return "\n".join([f"{function}() {{", *lines, "}"])


def _fish(function: str, known: Names, files: bool | None) -> str:
    lines = [f"  printf '%s\\n' {' '.join(known[''])}", "  set -l typed (commandline -ct)"]
    for parent, found in _by_parent(known):
        lines.append(f"  string match -q -- '{parent}*' $typed; and printf '%s\\n' {found}")
    if files is not None:
        lines.append(f"  __fish_complete_{'path' if files else 'directories'} $typed")
    return "\n".join([f"function {function}", *lines, "end"])


WRITERS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
