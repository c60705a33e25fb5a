"""The cells that have run in this kernel, graded as `grader check` grades a notebook of them.

So `check` has the command's verdict and not only what one batch can tell, and a cell that raises gets the
command's help.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grader.core.errors import GraderFault, UsageError, swallowing
from grader.core.exercise import Exercise, File
from grader.core.finding import Code
from grader.core.text import listed
from grader.core.verdict import ItemReport, Verdict
from grader.learner import jupyter
from grader.submissions.script import defined
from grader.suite.find import Suite, Target, find

if TYPE_CHECKING:
    from grader.judging.bench import Bench
    from grader.learner.namespace import Network

NAME = "this notebook"
REMEMBERED = 50  # reports on the same cells
HALF = 0.5  # of an exercise's forward pass: cells that have so much of it are of it


class Cells:
    """ran: by a cell's id its number and text, in the order in which they first ran."""

    def __init__(self, ip: Any) -> None:
        self.ip = ip
        history = ip.history_manager.input_hist_raw
        self.ran = {f"In[{n}]": (n, source) for n, source in enumerate(history) if n and source}
        self.bench: Bench | None = None
        ip.events.register("pre_run_cell", self._begins)
        ip.events.register("post_run_cell", self._ended)

    def add(self, info: Any) -> None:
        number = len(
            self.ip.history_manager.input_hist_raw
        )  # its own count may be a cell's or the next one's
        key = getattr(info, "cell_id", None) or f"In[{number}]"
        self.ran[key] = number, info.raw_cell

    def _begins(self, info: Any) -> None:
        if info.store_history and not info.silent:
            self.add(info)

    def _ended(self, result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        if isinstance(error, Exception) and result.execution_count is not None:
            with swallowing("the help for a cell that raised"):
                self.help(result.info.raw_cell)

    def warm(self) -> Bench:
        """A runner that stays, so that the first asking alone waits for torch."""
        from grader.judging.bench import Bench
        from grader.runner.host.client import Runner

        if self.bench is None:
            runner = Runner()
            atexit.register(runner.close)
            self.bench = Bench(runner, remember=REMEMBERED)
        return self.bench

    def notebook(self) -> File:
        cells = [
            {"cell_type": "code", "source": source, "execution_count": number, "outputs": [], "metadata": {}}
            for number, source in self.ran.values()
        ]
        document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        return File(f"{NAME}.ipynb", json.dumps(document).encode())

    def graded(self, suite: Suite, exercise: str, items: Sequence[str]) -> dict[str, ItemReport]:
        """By item what `grader check` says of these cells; empty where it can't."""
        from grader.judging import requests

        try:
            wanted = [Target(exercise, item) for item in items]
            report = requests.grade(suite, self.warm(), wanted, {exercise: self.notebook()})
        except (UsageError, GraderFault):
            self.bench = None
            return {}
        return {item.id.rpartition(".")[2]: item for item in report.items}

    def help(self, source: str) -> None:
        """Say of each gradient that a cell was to make what the command says of it."""
        from grader.learner.namespace import read
        from grader.reports.cell import told

        made = defined(_alone(source))
        exercise = self.whose(made)
        if exercise is None:
            return
        names = [item.name for item in exercise.gradients if item.name in made]
        for name, item in self.graded(find(), exercise.id, names).items():
            if not item.passed and item.verdict is not Verdict.NOT_WRITTEN:
                word, said = told(item)
                word = "" if item.verdict in (Verdict.ERROR, Verdict.WRONG) else f"{word}: "
                jupyter.show(jupyter.Compared("wrong", f"{name}: {word}{said}", ()))
            elif item.passed and (wrong := _received_wrong(read(exercise, self.ip.user_ns), name)):
                said = f"{name}: its code is; the cell stopped, since {wrong} wrong"
                jupyter.show(jupyter.Compared("right", said, ()))

    def whose(self, gradients: Set[str]) -> Exercise | None:
        """The exercise whose gradients they are, by the forward pass that is here."""
        suite = find()
        described = [e for e in map(suite.describe, suite.ids()) if gradients & {i.name for i in e.gradients}]
        names = self.ip.user_ns.keys()
        exercise = max(described, key=lambda one: share(one, names), default=None)
        return exercise if exercise and share(exercise, names)[0] >= HALF else None


def share(exercise: Exercise, names: Set[str]) -> tuple[float, int]:
    """How much of an exercise's forward pass is among these names, as a part and as a count."""
    asked = {line.name for line in exercise.lines}
    return len(asked & names) / max(len(asked), 1), len(asked & names)


def _alone(source: str) -> bytes:
    cells = [{"cell_type": "code", "source": source}]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


_kept: list[Cells] = []  # one kernel's


def here() -> Cells | None:
    """Those of this kernel, from now on; None outside of IPython."""
    ip = jupyter.shell()
    if ip is None or not hasattr(ip, "history_manager"):
        return None
    if not _kept or _kept[0].ip is not ip:
        _kept[:] = [Cells(ip)]
    return _kept[0]


def settled(suite: Suite, network: Network, reports: Sequence[ItemReport]) -> tuple[ItemReport, ...] | None:
    """The reports of a namespace with the verdict that the command has on the cells that made it; None where
    there is none, as where a gradient was made in a loop, by a function, or not in the notebook."""
    cells = here()
    if not cells or network.namespace is not cells.ip.user_ns:
        return None
    names = [i.id.rpartition(".")[2] for i in reports]
    found = cells.graded(suite, network.exercise.id, names)
    known = [name for name, item in found.items() if item.verdict is not Verdict.NOT_WRITTEN]
    if any(
        i.verdict is not Verdict.NOT_WRITTEN and n not in known for i, n in zip(reports, names, strict=True)
    ):
        return None
    return tuple(_one(network, i, found[n]) for i, n in zip(reports, names, strict=True) if n in found)


def _received_wrong(network: Network, name: str) -> str:
    """What an item received that is wrong, as the end of a sentence; empty where nothing is."""
    from grader.learner.judge_received import received_wrong

    wrong = received_wrong(network, name)
    return f"{listed(wrong)} {'are' if wrong[1:] else 'is'}" if wrong else ""


def _one(network: Network, here: ItemReport, by_command: ItemReport) -> ItemReport:
    """here: by what the namespace holds, whose figures `cmp` shows too. by_command: of the cell's code."""
    judged, unsettled = by_command.check, here.check.code is Code.NOT_JUDGED
    wrong = "" if unsettled or here.passed else _received_wrong(network, here.id.rpartition(".")[2])
    if here.verdict is Verdict.NOT_WRITTEN:  # whose cell may have raised
        if not by_command.passed:
            return by_command
        note = f"its code is; it has made nothing here, since {wrong} wrong"
        return replace(by_command, check=replace(judged, note=note, maxdiff=None)) if wrong else here
    note = judged.note or ("" if unsettled else here.check.note)
    if by_command.passed and not here.passed and not unsettled:
        why = f"since {wrong}" if wrong else "made of something else: run the cell again"
        note = f"its code is; what it holds here is wrong, {why}"
    figures = {name: getattr(here.check, name) for name in ("exact", "approx", "allclose", "maxdiff")}
    return replace(by_command, shape=here.shape, check=replace(judged, note=note, **figures))
