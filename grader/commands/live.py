"""`grader live`: the report as a page on this machine, which changes at every save."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader.commands.edit import told
from grader.commands.learn import following_rung, line_of
from grader.commands.report import Losses, aids, map_of, sheet
from grader.commands.watch import Watch, prepare, watched
from grader.core.text import text
from grader.core.verdict import Report
from grader.judging import requests
from grader.judging.bench import Bench
from grader.learner import progress
from grader.learner.live.server import Server
from grader.learner.watch.changes import find as item_of
from grader.learner.watch.events import Event, Events
from grader.learner.watch.saves import Saves
from grader.reports.pages import page
from grader.reports.pages.page import Sheet, View
from grader.runner.host.client import Runner
from grader.submissions.script import written_at
from grader.suite.find import Suite, Target, find, read_submission

IN_TERMINAL = ("vi", "vim", "nvim", "nano", "emacs", "micro", "hx", "helix", "kak", "joe", "ne", "mcedit")


def run(args: argparse.Namespace) -> int:
    suite = find()
    args.submission, args.solutions = None, False
    wanted, path = watched(suite, args)
    read_submission(path)  # says so where there is none
    with Runner() as runner, Events(keys=False) as events:
        events.input = None  # the terminal's keys are an editor's
        live = Live(suite, Bench(runner), events, wanted, path)
        live.learners_own = not args.submission
        with Server(live.page, live.act) as live.server:
            while True:
                with Saves(live.path, events.save):
                    code = live.serve(browse=not args.no_browser)
                if live.onward is None:
                    return code
                live, args.no_browser = live.there(live.onward), True


class Live(Watch):
    """What `grader watch` does at a save, shown on a page, which the server's threads make."""

    go_on = True  # from item to item; to another exercise by a button
    server: Server
    sheets: Sequence[Sheet] = ()
    made = (-1, "")  # the version of the page that was made last, and that page
    editor: subprocess.Popen[bytes] | None = None

    def __init__(self, suite: Suite, bench: Bench, events: Events, wanted: list[Target], path: Path) -> None:
        super().__init__(suite, bench, events, wanted, path)
        self.lock = threading.Lock()
        self.losses: Losses = {}  # of autograd's training, which is the same at every save
        self.told = False  # the address

    def there(self, onward: Target) -> Live:
        """The same page at another exercise; the old one stands until that has a report."""
        new = Live(self.suite, self.bench, self.events, [onward], self.suite.learners(onward.exercise))
        new.server, new.editor, new.told = self.server, self.editor, True
        self.server.page, self.server.act = new.page, new.act
        return new

    def serve(self, browse: bool) -> int:
        """Until somebody ends it, or goes on to another exercise; the exit codes are `grader watch`'s."""
        self.look(settled=True)
        print(self.name if self.told else f"{self.name}: {self.server.url}\nCtrl-C ends it.", flush=True)
        if browse:
            _browse(self.server.url)
        prepare()
        while self.onward is None:
            event = self.events.wait(self.until)
            if event is None or event is Event.SAVE:
                self.look(settled=event is None)
            elif event is Event.END:
                break
            elif event is Event.INTERRUPT and not self._editing():
                print()
                break
        return 2 if self.report is None else 0 if self.report.passed else 1

    def graded_report(self, wanted: list[Target], sources: requests.Sources) -> Report:
        graded = requests.every(self.suite, self.bench, wanted, sources)
        sheets = [sheet(self.bench.runner, one, self.losses) for one in graded]
        self.sheets = sheets
        return requests.report_of(graded)

    def draw(self) -> None:
        self.server.tell()

    def tell(self, line: str) -> None:
        self.note = line
        self.server.tell()

    # --- from the server's threads -----------------------------------------------------------------

    def page(self) -> str:
        """The page as it is now, made once for all who look at it."""
        with self.lock:
            version = self.server.version
            if self.made[0] != version:
                self.made = version, self._page(version)
            return self.made[1]

    def _page(self, version: int) -> str:
        report = self.report
        if report is None:
            return page.waiting(self.name, self.note or "The first run …", version)
        state = progress.read(self.suite.work)
        said = [*self.said, self.note] if self.note else self.said
        after = self._after() if report.passed else None
        view = View(
            version,
            said,
            map_of(self.suite, state, self.exercises[0]),
            self._ways(),
            after.exercise if after else "",
        )
        sheets = [replace(one, aids=aids(self.suite, one, state)) for one in self.sheets]
        return page.render(report, sheets, view)

    def act(self, what: str, item: str) -> str:
        """What was clicked of an item, or of an exercise to go to; what to say of it, which is nothing where
        the page itself shows it."""
        if what == "go":
            return self._go(item)
        report = self.report
        if report is None or item not in {one.id for one in report.items}:
            return "There is no such item."
        exercise, _, name = item.rpartition(".")
        with self.lock:
            if what == "hint":
                hindered = following_rung(self.suite, Target(exercise, name))
                self.server.tell()
                return hindered
            return self._edit(report, item) if what == "edit" else "Nothing is called so."

    def _ways(self) -> list[str]:
        """The exercises that the page can go to."""
        ids = self.suite.at_hand() if self.learners_own else []
        return [id for id in ids if id not in self.exercises and self.suite.stub(id).is_file()]

    def _go(self, exercise: str) -> str:
        if exercise not in self._ways():
            return "There is no such exercise."
        self.onward = Target(exercise)
        self.events.save()  # wakes the command
        return ""

    def _edit(self, report: Report, id: str) -> str:
        """Open the learner's file at an item; no other can be named."""
        item = item_of(report, id)
        exercise, _, name = id.rpartition(".")
        line = item.line or line_of(self.suite, exercise, name) or 1
        place = f"{self.name}, line {line}"
        if item.cell:  # whose place an editor of texts knows by the line of the JSON
            place = f"{item.place} of {self.name}"
            line = written_at(read_submission(self.path), item.cell, line)
        words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        if not words:
            return f"No editor is named: `EDITOR=code grader live` names one. It is {place}."
        if self._editing():
            return f"An editor is open in the terminal already. It is {place}."
        terminal = Path(words[0]).stem in IN_TERMINAL
        if terminal and not (sys.stdin and sys.stdin.isatty()):
            return f"{text(words[0])} needs a terminal, and this command has none. It is {place}."
        try:
            one = subprocess.Popen(
                [*words, *told(words[0], str(self.path.absolute()), line)], start_new_session=not terminal
            )
        except OSError as error:
            return f"{text(words[0])} can't be started ({error.strerror}). It is {place}."
        self.editor = one if terminal else None
        return f"{place} is open in the terminal." if terminal else ""

    def _editing(self) -> bool:
        """Whether an editor has the terminal: Ctrl-C is then its own."""
        return self.editor is not None and self.editor.poll() is None


def _browse(url: str) -> None:
    """Open a browser, where there is a screen for one; a text browser would take the terminal."""
    import webbrowser

    screen = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    if sys.platform in ("darwin", "win32") or any(map(os.environ.get, screen)):
        webbrowser.open(url)
