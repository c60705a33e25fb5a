"""The commands that write stubs and notebooks: init, reset. What a learner has written is never lost."""

from __future__ import annotations

import argparse
import difflib
import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from grader.commands.read import confirmed
from grader.core import course
from grader.core.errors import UsageError
from grader.core.exercise import Exercise
from grader.core.text import text as harmless
from grader.suite import fixtures
from grader.suite.files import free, refusing
from grader.suite.find import Suite, find, whole, work_here


def init(args: argparse.Namespace) -> int:
    """Copy stubs and notebooks into a folder. A file that differs is kept; with --force, as a backup."""
    suite = find()
    folder, words = _folder_and_words(suite, args.words)
    there = replace(suite, work=folder)
    names = whole(suite, words, lambda t: f"init copies a whole exercise: `grader init {t.exercise}`")
    written = already = 0
    kept: list[Path] = []
    for path, _, text in (file for name in names for file in _files(there, suite.describe(name))):
        old = _old(there, path)
        if old == text:
            already += 1
        elif old is None or args.force:
            _write(there, path, text, old)
            written += 1
        else:
            kept.append(path)
    sets = ", ".join(dict.fromkeys(map(course.set_of, names)))
    print(f"{there.shown(folder / 'exercises')}/: {len(names)} exercise{'s' * (len(names) != 1)} ({sets})")
    print(
        f"{written} file{'s' * (written != 1)} written"
        + (f", {already} were there already" if already else "")
    )
    for path in kept:
        print(f"kept as you have it: {there.shown(path)}")
    if kept:
        again = shlex.join(["grader", "init", *args.words, "--force"])
        print(f"`{again}` puts stubs in their place, and keeps yours as backups")
    go = "" if folder == Path.cwd() else f"`cd {shlex.quote(os.path.relpath(folder))}`, then "
    print(f"Next: {go}`grader next {names[0]}` shows the first item, `grader check {names[0]}` grades")
    return 0


def reset(args: argparse.Namespace) -> int:
    suite = find()
    refused = "reset puts back a whole exercise: `grader reset {}`"
    for name in whole(suite, args.targets, lambda t: refused.format(t.exercise)):
        for path, kind, text in _files(suite, suite.describe(name)):
            old = _old(suite, path)
            if old == text:
                print(f"{suite.shown(path)} is the {kind} already")
                continue
            question = f"Put {suite.shown(path)} back to the {kind}?"
            if old is not None and not args.yes and not confirmed(question):
                return 1
            _write(suite, path, text, old)
            print(f"wrote {suite.shown(path)}")
    return 0


def _folder_and_words(suite: Suite, words: list[str]) -> tuple[Path, list[str]]:
    """[DIR] [SET…] taken apart: the first word is a folder unless it names a set or an exercise."""
    known = [*course.mapped(suite.ids()), *suite.ids()]
    if not words or words[0] in known:
        return work_here() or Path.cwd(), words
    first, rest = words[0], words[1:]
    if first.rpartition(".")[0] in suite.ids():  # an item: an error, not a folder of that name
        return Path.cwd(), words
    plain = os.sep not in first and not os.path.isdir(first)
    if plain and (close := difflib.get_close_matches(first, known, 1, 0.75)):
        raise UsageError(
            f"there is no set {harmless(first, 60)} (did you mean {close[0]}?); "
            f"a folder of that name is `grader init ./{harmless(first, 60)}`"
        )
    return Path(os.path.abspath(first)), rest


def _files(suite: Suite, exercise: Exercise) -> Iterator[tuple[Path, str, str]]:
    """An exercise's derived files: where each goes, what it is, and its text."""
    paths = {"stub": suite.stub(exercise.id), "notebook": suite.notebook(exercise.id)}
    for kind, text in fixtures.derived(suite.root, exercise).items():
        yield paths[kind], kind, text


def _old(suite: Suite, path: Path) -> str | None:
    """What is there now; None where there is nothing."""
    with refusing(f"{suite.shown(path)} can't be read"):
        try:
            return path.read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return None


def _write(suite: Suite, path: Path, text: str, old: str | None) -> None:
    """Write a derived text; what was there, `old`, is kept beside it."""
    with refusing(f"{suite.shown(path)} can't be written"):
        if old is not None:
            backup = free(path.with_name(f"{path.name}.bak"), lambda n: f"{path.name}.{n}.bak")
            path.rename(backup)
            print(f"kept what was there as {suite.shown(backup)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
