"""`grader watch`: grade at every save, with a runner that stays warm; stay at one item until it passes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from grader.commands.after import ahead
from grader.commands.learn import current_item, ladder
from grader.commands.read import task
from grader.core import parsing
from grader.core.errors import UsageError
from grader.core.exercise import File
from grader.core.text import text
from grader.core.verdict import Report
from grader.judging import requests
from grader.judging.bench import Bench
from grader.judging.targets import chosen
from grader.learner import progress
from grader.learner.watch.changes import beside, changes, following
from grader.learner.watch.events import KEYS as READABLE
from grader.learner.watch.events import Event, Events
from grader.learner.watch.saves import Saves, stamp
from grader.reports import screen
from grader.reports.screen import Screen
from grader.runner.host.client import Runner
from grader.runner.host.job import Abandoned
from grader.suite.find import Suite, Target, find, read_submission, targets

HALF = 0.15  # seconds that a file which is no Python, or empty, may take to become whole
MANY = 6  # changes that are told one by one
CLEAR = "\x1b[H\x1b[2J"
SLOW = 1.0  # seconds
QUIT = ("q", "\x04")
KEYS = "npah?"  # those that run nothing
URGENT = (Event.SAVE, Event.STOP, Event.INTERRUPT, Event.END, *QUIT)


def run(args: argparse.Namespace) -> int:
    suite = find()
    args.submission, args.solutions = None, False
    wanted, path = watched(suite, args)
    read_submission(path)  # says so where there is none
    keys = (
        bool(READABLE and sys.stdin and sys.stdin.isatty() and sys.stdout.isatty())
        and os.environ.get("TERM") != "dumb"
    )
    go_on = args.go_on or not keys
    with Runner() as runner, Events(keys) as events:
        bench = Bench(runner)
        while True:
            with Saves(path, events.save):
                watch = Watch(suite, bench, events, wanted, path)
                watch.learners_own, watch.go_on = not args.submission, go_on
                code = watch.run()
            if watch.onward is None:
                return code
            wanted, path = [watch.onward], suite.learners(watch.onward.exercise)


def watched(suite: Suite, args: argparse.Namespace) -> tuple[list[Target], Path]:
    """The targets, and the one file that they are in."""
    if not args.targets:  # where the learner is
        here = current_item(suite, progress.read(suite.work), targets(suite, suite.at_hand()))
        args.targets = [here[0] if here else suite.ids()[0]]
    wanted = chosen(suite, args, args.targets)
    names = list(dict.fromkeys(t.exercise for t in wanted))
    if args.submission:
        return wanted, Path(args.submission)
    if len(names) > 1 or len(wanted) > 1:
        raise UsageError(f"{args.command} stays with one file: name one exercise or one item")
    return wanted, suite.learners(names[0])


class Watch:
    """What is shown, and what it was made from. `run` is the story."""

    learners_own = True  # the file is the one in exercises/, whose progress is remembered
    go_on = False  # from what has passed, without a key

    def __init__(self, suite: Suite, bench: Bench, events: Events, wanted: list[Target], path: Path) -> None:
        self.suite, self.bench, self.events, self.path = suite, bench, events, path
        self.exercises = list(dict.fromkeys(t.exercise for t in wanted))
        self.name = suite.shown(path)
        self.current = f"{wanted[0].exercise}.{wanted[0].item}" if wanted[0].item else ""
        self.report: Report | None = None
        self.graded: bytes | None = None  # what the report is about
        self.stamp = stamp(path)
        self.until: float | None = None  # when a file that may be half-written is taken as it is
        self.slow: float | None = None  # when a run is so long that it is said; None: it hasn't begun
        self.onward: Target | None = None  # where to go from here: another exercise
        self.said: list[str] = []  # what the last graded save changed
        self.note = ""  # what has happened since
        self.extra = ""
        self.whole = False
        bench.runner.abandoned = self._abandoned

    def run(self) -> int:
        """Until somebody ends it; 0 if everything has passed by then, 2 if nothing could be graded."""
        self._write(f"{self.name}: the first run …\n")
        self.look(settled=True)
        prepare()
        while self.onward is None:
            event = self.events.wait(self.until)
            if event is None or event is Event.SAVE:
                self.look(settled=event is None)
            elif event is Event.STOP:
                self.events.suspend()
                self.draw()
                self.look(settled=False)
            elif event is Event.RESIZE:
                self.draw()
            elif event is Event.INTERRUPT:
                self._write("\n")
                return 130
            elif event is Event.EOF:
                self.look(settled=True)  # its last save may not have been reported yet
                break
            elif event is Event.END or event in QUIT:
                break
            elif isinstance(event, str):
                self._key(event)
        return 2 if self.report is None else 0 if self.report.passed else 1

    def look(self, settled: bool, again: bool = False) -> None:
        """Grade what the file holds, if that is new. settled: it has had its time to be written."""
        self.until = None
        before, self.stamp = self.stamp, stamp(self.path)
        try:
            source = read_submission(self.path)
        except UsageError as error:
            why = text(str(error)).replace(str(self.path), self.name)
            self._wait_for_more() if not settled else self.tell(f"{why}: waiting for it")
            return
        if source == self.graded and not again:
            if self.stamp != before:
                self.tell("unchanged")
        elif not settled and _half(source, self.name):
            self._wait_for_more()
        else:
            self._grade(source)

    def _wait_for_more(self) -> None:
        self.stamp = None
        self.until = time.monotonic() + HALF

    def _grade(self, source: bytes) -> None:
        sources = dict.fromkeys(self.exercises, File(self.name, source))
        wanted = [Target(exercise) for exercise in self.exercises]
        self.slow = None
        try:
            report = self.graded_report(wanted, sources)
        except Abandoned:  # what made it so is next in the queue
            self.graded = None
            return
        except UsageError as error:  # no notebook, for now
            self.tell("grader: " * (self.report is None) + text(str(error)))
            self.graded = source
            return
        hindered = ""
        if self.learners_own:
            now, hindered = progress.record(self.suite.work, report, sources)
            if report.passed:
                there = " n goes there." * (self.events.keys and self._after() is not None)
                report = replace(report, ahead=ahead(self.suite, now, report) + there)
        before, self.report, self.graded = self.report, report, source
        self.said, self.note, self.extra = self._changes(before, report), "", ""
        if report.passed and before and not before.passed and self.go_on and self.events.keys:
            self.onward = self._after()
        self.draw()
        if hindered:
            self.tell(f"{hindered}: `grader list` won't know of this check")

    def graded_report(self, wanted: list[Target], sources: requests.Sources) -> Report:
        return requests.grade(self.suite, self.bench, wanted, sources)

    def _after(self) -> Target | None:
        """The next exercise that has not passed; nothing where all have, or where a file was named."""
        ids = [name for name in self.suite.at_hand() if self.suite.stub(name).is_file()]
        if not self.learners_own or self.exercises[0] not in ids:
            return None
        at = ids.index(self.exercises[0])
        others = [Target(name) for name in (*ids[at + 1 :], *ids[:at])]
        found = current_item(self.suite, progress.read(self.suite.work), others)
        return Target(*found) if found else None

    def _changes(self, before: Report | None, now: Report) -> list[str]:
        """What to say of a new report; goes on to the next item when the current one has passed."""
        passes = {item.id: item.passed for item in now.items}
        if self.current not in passes:
            self.current = following(now) or now.items[0].id
        if before is None:
            return []
        here, then = self.current, following(now, self.current)
        lines = list(changes(before, now, here, then, stays=not self.go_on))
        passed = {item.id for item in before.items if item.passed}
        if self.go_on and then and passes[here] and here not in passed:
            self.current = then
        shown = ": `a` shows all items" * self.events.keys
        more = [f"and {len(lines) - MANY} more{shown}"] if len(lines) > MANY else []
        return lines[:MANY] + more or ["no item's verdict has changed"]

    def _abandoned(self) -> bool:
        """Asked while a run is under way: whether it must not be waited for. Answers keys meanwhile."""
        queue = self.events.pending()
        for event in list(queue):
            late = event is Event.SAVE and stamp(self.path) == self.stamp  # told of what is being graded
            if event is Event.RESIZE or (isinstance(event, str) and event in KEYS):
                self.draw() if event is Event.RESIZE else self._key(event)
            elif not late:
                continue
            queue.remove(event)
        if self.slow is None:
            self.slow = time.monotonic() + SLOW
        elif time.monotonic() > self.slow and self.events.keys:
            self.slow = float("inf")
            first = " or torch is still being loaded" * (self.report is None)
            self.tell(f"{self.name} is still running{first}: a save begins anew, q quits")
        return self.onward is not None or any(event in URGENT for event in queue)

    def _key(self, key: str) -> None:
        if key == "r":
            self.said = []
            self.look(settled=True, again=True)
            return
        if self.report is None:
            return
        if key == "n":
            self._onward(self.report)
        elif key == "p":
            self.current, self.said = beside(self.report, self.current, -1), []
        if key == "a":
            self.whole = not self.whole
        if key in KEYS:
            self.extra = self._extra(key)
            self.draw()

    def _onward(self, report: Report) -> None:
        """From what has passed to the next that has not, at the end to another exercise; else one further."""
        if report.passed and (after := self._after()):
            self.onward = after
            return
        passed = any(item.id == self.current and item.passed for item in report.items)
        then = following(report, self.current) if passed else None
        self.current, self.said = then or beside(report, self.current, 1), []

    def _extra(self, key: str) -> str:
        from grader.learner.watch import focus

        if key == "h":
            exercise, _, item = self.current.rpartition(".")
            state = progress.read(self.suite.work)
            self.whole = False
            return ladder(self.suite, state, Target(exercise, item), watched=True)
        return focus.HELP if key == "?" else ""

    def tell(self, line: str) -> None:
        """Something that leaves the report as it is."""
        self.note = line
        if self.events.keys and self.report:
            self.draw()
        else:
            self._write(line + "\n")

    def draw(self) -> None:
        if self.report is None:
            return
        if self.events.keys:
            self._write(CLEAR + self._screen(self.report))
        else:
            from grader.learner.watch import focus

            lines = [focus.heading(self.report), *self.said]
            self._write("\n".join([*lines, focus.verdict(self.report, self.current)]) + "\n")

    def _screen(self, report: Report) -> str:
        from grader.learner.watch import focus

        size, on = os.get_terminal_size(sys.stdout.fileno()), screen.here()
        on = Screen(size.columns, True, on.color, on.links, on.folder)
        said = [*self.said, self.note] if self.note else self.said
        if self.whole and not self.extra:
            return focus.all_items(report, focus.View(self.current, said), on, size.lines)
        exercise, _, item = self.current.rpartition(".")
        target = Target(exercise, item)
        described = self.suite.describe(exercise)
        about = self.current if item == "training" else task(self.suite, described, target, brief=True)
        return focus.one(report, focus.View(self.current, said, about, self.extra), on, size.lines)

    def _write(self, shown: str) -> None:
        sys.stdout.write(shown)
        sys.stdout.flush()


def _half(source: bytes, name: str) -> bool:
    """Whether a file looks as if more of it were to come."""
    import json

    try:
        if name.endswith(".ipynb"):
            json.loads(source)
        else:
            parsing.module(source)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return True
    return not source.strip()


def prepare() -> None:
    """For the next save, while nobody waits."""
    import grader.diagnosis.diagnose
    import grader.learner.watch.focus
    import grader.reports.plain  # noqa: F401
