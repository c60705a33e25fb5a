"""How far a long command is: one bar on standard error, and nothing where that is no terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

EACH = 0.1  # seconds between drawings


class Bar:
    """Done of a total, a text, the time left; use it as a context manager.

    text: names its fields, `{loss:.4f}`, and is empty before anything is done; if nothing is, no bar stays.
    """

    def __init__(self, total: int, text: str) -> None:
        self.total, self.text = total, text
        self.progress: Any = None
        self.shown = 0.0
        if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar, left = BarColumn(None), TimeRemainingColumn()  # the bar takes what room there is
        columns = (bar, MofNCompleteColumn(), TextColumn("{task.description}"), left)
        # what is printed meanwhile goes above the bar, unless it goes somewhere else
        same = bool(sys.stdout and sys.stdout.isatty())
        console = Console(stderr=True)
        self.progress = Progress(*columns, console=console, redirect_stdout=same, auto_refresh=False)
        self.task = self.progress.add_task("", total=total)

    def at(self, done: int, **fields: float) -> None:
        """Draw it anew, unless it has just been drawn."""
        now = time.monotonic()
        if self.progress and (now - self.shown > EACH or done == self.total):
            self.shown = now
            said = self.text.format_map(fields)
            self.progress.update(self.task, completed=done, description=said, refresh=True)

    def stop(self) -> None:
        if self.progress:
            self.progress.live.transient = not self.shown
            self.progress.stop()

    def __enter__(self) -> Bar:
        if self.progress:
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
