"""Where things are, and what a command's arguments mean: the project's folders, exercises, submissions."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.core import course
from grader.core.errors import Unreadable, UsageError
from grader.core.exercise import Exercise
from grader.core.text import text
from grader.suite import fixtures
from grader.suite.files import most, read_file


@dataclass(frozen=True)
class Suite:
    """root: holds fixtures/ and perhaps solutions/. work: where exercises/ is, or shall be.

    Of one command, which sees the exercises that there are when it first asks.
    """

    root: Path
    work: Path

    @cached_property
    def _ids(self) -> tuple[str, ...]:
        return tuple(course.ordered(fixtures.exercises(self.root)))

    def ids(self) -> list[str]:
        return list(self._ids)

    def describe(self, exercise: str) -> Exercise:
        return fixtures.describe(self.root, exercise)

    def stub(self, exercise: str) -> Path:
        return self.work.joinpath("exercises", *exercise.split(".")).with_suffix(".py")

    def learners(self, exercise: str) -> Path:
        """The learner's file; UsageError, where there is none, names the command that makes it."""
        path = self.stub(exercise)
        if not path.exists():
            if not (self.work / "exercises").is_dir():
                raise UsageError(f"there is no exercises/ in {self.work}: `grader init` makes it there")
            whole = course.set_of(exercise)
            raise UsageError(
                f"{self.shown(path)} is missing: `grader reset {exercise}` makes it, "
                f"`grader init {whole}` all of {whole}"
            )
        return path

    def set_here(self) -> str:
        """The set whose folder we are in, as in exercises/gpt; "" elsewhere."""
        here = current_folder()
        return here.name if here.parent == self.work.resolve() / "exercises" else ""

    def at_hand(self) -> list[str]:
        """What is meant where nothing is named: the exercises of all sets that exercises/ has anything of;
        in a set's folder, that set's."""
        ids = self.ids()
        sets = set[str]()
        for i in ids:
            if course.set_of(i) not in sets and (self.stub(i).exists() or self.notebook(i).exists()):
                sets.add(course.set_of(i))
        if (here := self.set_here()) in sets:
            sets = {here}
        return [i for i in ids if course.set_of(i) in sets] or ids

    def notebook(self, exercise: str) -> Path:
        return self.stub(exercise).with_suffix(".ipynb")

    def solution(self, exercise: str) -> Path:
        return self.root.joinpath("solutions", *exercise.split(".")).with_suffix(".py")

    def shown(self, path: Path) -> str:
        """A path as a user would type it: from the current folder, unless the whole one is shorter."""
        return min(os.path.relpath(path), str(path), key=len)


def find(trusted: bool = False) -> Suite:
    """The suite of the folder that we work in, where that has fixtures, as a release has; else the one of
    this package, with work in the current folder where that has exercises, or is one of theirs; else in the
    checkout, if this is one.

    trusted: this package's fixtures whatever the folder holds, which may be somebody else's.
    """
    package = Path(__file__).resolve().parents[1]
    root = package if fixtures.installed(package) else package.parent
    work = work_here()
    for folder in () if trusted else (current_folder(), work):
        if folder and has_fixtures(folder):
            return Suite(folder, folder)
    return Suite(root, work or (Path.cwd() if root == package else root))


def work_here() -> Path | None:
    """The folder whose exercises/ is here, or which we are in."""
    here = current_folder()
    if (here / "exercises").is_dir():
        return here
    above = next((p.parent for p in (here, *here.parents) if p.name == "exercises"), None)
    return above if above and any(here.glob("ex*.py")) else None


def current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the folder that you are in has been deleted: `cd` to another one") from None


def has_fixtures(folder: Path) -> bool:
    """Whether a folder holds an exercise's fixtures; `fixtures/` of another program's doesn't count."""
    base = folder / "fixtures"
    return any(next(base.glob(f"{depth}/exercise.json"), None) for depth in ("*", "*/*"))


@dataclass(frozen=True)
class Target:
    """What a command names: an exercise, and an item of it or (None) all."""

    exercise: str
    item: str | None = None


def targets(suite: Suite, words: Sequence[str]) -> list[Target]:
    """Exercises and items by name: ex1, ex1.dprobs, or the name of a set. None means all."""
    ids = suite.ids()
    if not ids:
        raise UsageError(f"{suite.root} has no fixtures: {fixtures.repair(suite.root)}")
    here = suite.set_here()
    return [target for word in words or ids for target in _named(suite, ids, word, here)]


def _named(suite: Suite, ids: list[str], word: str, here: str) -> list[Target]:
    """What one word names. here: the set whose folder we are in, in which ex3 is its own."""
    short = word.removeprefix(f"{course.CORE}.")  # backprop.ex3, where ex3 is another set's
    for one in (f"{here}.{word}",) * bool(here) + (word, short):
        if known := [i for i in ids if one in (i, course.set_of(i))]:
            return [Target(i) for i in known]
        exercise, _, item = one.rpartition(".")
        if exercise in ids:
            if found := _items(suite.describe(exercise), item):
                return [Target(exercise, name) for name in found]
            names = item_names(suite.describe(exercise))
            meant = next((n for n in names if item and item.lower() in (n.lower(), n[1:].lower())), None)
            said = f" (did you mean {exercise}.{meant}?)" if meant else _close(item, names)
            where = f"`grader list {exercise}` names them"
            raise UsageError(f"{exercise} has no item {_quoted(item)}{said}; {where}")
    if _authored(suite, word):
        raise UsageError(f"{_quoted(word)} has no fixtures yet: `grader build {word}` makes them")
    owners = {i: found for i in ids if (found := _items(suite.describe(i), word))} if "." not in word else {}
    near = next((i for i in owners if course.set_of(i) == (here or course.CORE)), next(iter(owners), None))
    if near:
        return [Target(near, name) for name in owners[near]]
    meant = _meant(suite, word)
    raise UsageError(f"there is no exercise {_quoted(word)}{meant}; `grader list` names them")


def _items(exercise: Exercise, word: str) -> list[str]:
    """The item that is called so, for which its tensor's own name will do; or all that are about the function
    or class of this name."""
    names = item_names(exercise)
    named = [n for n in (f"d{word}", word) if n in names][:1]
    return named or [item.name for item in exercise.outputs if word and item.judged == word]


def whole(suite: Suite, words: Sequence[str], refused: Callable[[Target], str]) -> list[str]:
    """The exercises that are named, each once; UsageError, which `refused` words, where one is an item."""
    found = targets(suite, words)
    for target in found:
        if target.item:
            raise UsageError(refused(target))
    return list(dict.fromkeys(t.exercise for t in found))


def item_names(exercise: Exercise) -> list[str]:
    return [i.name for i in exercise.items] + (["training"] if exercise.training else [])


def _meant(suite: Suite, word: str) -> str:
    """What a word may mean that names nothing: in other letters, or nearly so."""
    ids = suite.ids()
    names = {i: item_names(suite.describe(i)) for i in ids}
    known = [*ids, *dict.fromkeys(map(course.set_of, ids)), *(f"{i}.{n}" for i in ids for n in names[i])]
    low = word.lower()
    same = next((k for k in known if low in (k.lower(), k.lower().rpartition(".")[2])), None)
    same = same or next((k for k in known if sorted(k) == sorted(word)), None)  # gtp
    if not same and "." not in word and not _close(word, known):
        close = difflib.get_close_matches(word, {n for i in ids for n in names[i]}, 1, 0.8)
        same = next((f"{i}.{close[0]}" for i in ids if close and close[0] in names[i]), None)
    return f" (did you mean {same}?)" if same else _close(word, known)


def _authored(suite: Suite, word: str) -> bool:
    """Whether solutions/, here or in the suite, has an exercise or a set that is called so."""
    if not all(part.replace("-", "_").isidentifier() for part in word.split(".")) or len(word) > 100:
        return False
    homes = [root.joinpath("solutions", *word.split(".")) for root in (current_folder(), suite.root)]
    return any(home.with_suffix(".py").is_file() or any(home.glob("*.py")) for home in homes)


def _quoted(word: str) -> str:
    return text(word, 60) or '""'


def _close(word: str, names: list[str]) -> str:
    close = difflib.get_close_matches(word, names, 1, 0.7)
    return f" (did you mean {close[0]}?)" if close else ""


def read_submission(path: Path) -> bytes:
    """A submission's bytes. UsageError, in one line, where it is no regular file of a sane size."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        ours = path.parts[:1] == ("exercises",) and not os.path.isdir("exercises")
        raise UsageError(f"{path} does not exist" + ": `grader init` makes it here" * ours) from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    try:
        return read_file(path, most(str(path)))
    except Unreadable as error:
        repair = ": name the file itself, or copy it there" * ("link" in str(error))
        raise UsageError(f"{path} {error}{repair}") from None
