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
    """Put stubs and notebooks back, after one question that says of which; what was there is kept."""
    suite = find()
    refused = "reset puts back a whole exercise: `grader reset {}`"
    names = whole(suite, args.targets or suite.at_hand(), lambda t: refused.format(t.exercise))
    files = [(*file, _old(suite, file[0])) for name in names for file in _files(suite, suite.describe(name))]
    for path, kind, text, old in files if len(names) == 1 else ():
        if old == text:
            print(f"{suite.shown(path)} is the {kind} already")
    changed = [file for file in files if file[3] != file[2]]
    yours = [(suite.shown(path), kind) for path, kind, _, old in changed if old is not None]
    if len(yours) == 1:
        ((name, kind),) = yours
        question = f"Put {name} back to the {kind}?"
    else:
        listed = "".join(f"{name}\n" for name, _ in yours)
        question = f"{listed}Put these {len(yours)} files back to their stubs? Yours are kept as backups."
    if yours and not args.yes and not confirmed(question):
        return 1
    for path, _, text, old in changed:
        _write(suite, path, text, old)
        print(f"wrote {suite.shown(path)}")
    if len(names) > 1 and not changed:
        print(f"all of {len(names)} exercises are as they were at first")
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
