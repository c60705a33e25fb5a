"""A warm runner, the exercises that it has loaded, and the reports that it has given."""

from __future__ import annotations

from collections import OrderedDict

from grader.core.exercise import Task
from grader.core.verdict import Report
from grader.runner.host.client import Runner
from grader.suite import fixtures
from grader.suite.find import Suite

Stamp = tuple[tuple[str, int, int, int], ...]


class Bench:
    """Loads an exercise once, and again only when its files have changed.

    remember: how many reports are kept, the latest used; a command that grades once keeps none.
    """

    def __init__(self, runner: Runner, remember: int = 0) -> None:
        self.runner, self.remember = runner, remember
        self.loaded: dict[str, tuple[Stamp, Task]] = {}
        self.reports: OrderedDict[str, Report] = OrderedDict()
        self.recalled = 0  # reports that were not graded again

    def task(self, suite: Suite, name: str) -> Task:
        """An exercise with its fixtures, which the runner has. GraderFault as `fixtures.read`."""
        stamp = fixtures.stamp(suite.root, name)
        if name not in self.loaded or self.loaded[name][0] != stamp:
            self.forget(name)
            description = suite.describe(name)
            saved = fixtures.read(suite.root, description)
            self.runner.load(description, saved.given)
            self.loaded[name] = stamp, Task(description, saved)
        return self.loaded[name][1]

    def forget(self, name: str) -> None:
        """The runner has something else under this name now."""
        self.loaded.pop(name, None)

    def recall(self, key: str) -> Report | None:
        report = self.reports.get(key)
        if report:
            self.reports.move_to_end(key)
            self.recalled += 1
        return report

    def keep(self, key: str, report: Report) -> None:
        self.reports[key] = report
        while len(self.reports) > self.remember:
            self.reports.popitem(last=False)
