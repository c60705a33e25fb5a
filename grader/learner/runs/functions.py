"""A learner's functions and classes of a set, by item; what is not written yet is said with its place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from grader.core import parsing
from grader.core.errors import UsageError
from grader.core.exercise import Exercise, Output
from grader.suite.find import Suite, read_submission

Load = Callable[[bytes, str], Any]  # a file's bytes and name -> what `untrusted.loading.load` gives


@dataclass
class Own:
    """One exercise's file. load: runs its top level, in this process."""

    exercise: Exercise
    path: Path
    shown: str
    load: Load

    @cached_property
    def source(self) -> bytes:
        return read_submission(self.path)

    @cached_property
    def loaded(self) -> Any:
        return self.load(self.source, self.shown)

    def name(self, item: str) -> str:
        """What judges an item: its function, its class, or a method, as Value.tanh."""
        one = self.exercise.item(item)
        if not isinstance(one, Output) or not one.asks:
            return one.name
        return one.about if one.judged in one.asks else one.asks[0]

    def waits(self, item: str) -> str:
        """Where an item is not written, and "" where it is."""
        name, _, method = self.name(item).partition(".")
        try:
            body = parsing.module(self.source).body
        except (SyntaxError, ValueError) as error:
            return f"{self.shown}, line {getattr(error, 'lineno', 1)}: it can't be read: {error}"
        found = _definition(body, name)
        if found is None:
            return f"{self.shown}: there is no {name}"
        methods = getattr(found, "body", ())
        asked = [_definition(methods, n) for n in ("__init__", method)] if method else [found]
        for node in (node for one in asked if one for node in ast.walk(one)):
            if isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node):
                return f"{self.shown}, line {node.lineno}: {self.name(item)} is not written yet"
        return ""


def _definition(body: Iterable[ast.stmt], name: str) -> ast.stmt | None:
    """The last definition of a name, which is the one that counts; an assignment counts too."""
    found = None
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            found = node
        elif isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in node.targets
        ):
            found = node  # type: ignore[assignment]
    return found


class Functions:
    """Those of several exercises: `functions["mlp.ex1.dataset"]`."""

    def __init__(self, suite: Suite, solutions: bool, load: Load) -> None:
        self.suite, self.solutions, self.load = suite, solutions, load
        self.files: dict[str, Own] = {}

    def file(self, exercise: str) -> Own:
        """UsageError where there is none."""
        if exercise not in self.files:
            path = self.suite.solution(exercise) if self.solutions else self.suite.learners(exercise)
            described = self.suite.describe(exercise)
            self.files[exercise] = Own(described, path, self.suite.shown(path), self.load)
        return self.files[exercise]

    def waits(self, items: Iterable[str]) -> list[str]:
        """Of each item that is not written: which, and where."""
        found = {item: self.file(item.rpartition(".")[0]).waits(item.rpartition(".")[2]) for item in items}
        return [f"{item} ({where})" for item, where in found.items() if where]

    def __getitem__(self, item: str) -> Any:
        """The function or class that an item is about. UsageError where its file doesn't give it."""
        exercise, _, name = item.rpartition(".")
        own = self.file(exercise)
        called = own.name(name).partition(".")[0]
        names, loaded = own.loaded.names, own.loaded
        if called not in names:
            what, line = (
                loaded.broken.get(called)
                or loaded.lost.get(called)
                or loaded.failure
                or ("it is not there", None)
            )
            where = f"{own.shown}, line {line}" if line else own.shown
            raise UsageError(f"{where}: {called}: {what}; `grader check {exercise}` says more")
        return names[called]

    def gradients(self, exercise: str) -> dict[str, Callable[..., Any]]:
        """The gradients of an exercise, by item name."""
        return {g.name: self[f"{exercise}.{g.name}"] for g in self.file(exercise).exercise.gradients}


def gradients(exercise: Exercise) -> list[str]:
    return [f"{exercise.id}.{g.name}" for g in exercise.gradients]
