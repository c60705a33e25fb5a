"""Saves of one file, as events. The folder is watched, so that a rename or a deletion is a save too."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

STEP = 5  # milliseconds of quiet after which a save has settled
DEBOUNCE = 50  # milliseconds after which several writes are reported all the same
LOOK = 1000  # milliseconds between looks of our own, where the system reports nothing (network folders)

Stamp = tuple[int, int, int]


def stamp(path: Path) -> Stamp | None:
    """What changes when a file is saved; None where there is none."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return info.st_mtime_ns, info.st_ino, info.st_size


class Saves:
    """Calls `told` from a thread of its own after each save of `path`; use it as a context manager."""

    def __init__(self, path: Path, told: Callable[[], object]) -> None:
        self.path, self.told = path.absolute(), told
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Saves:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.thread.join(1.0)

    def _watch(self) -> None:
        polling = False
        last = stamp(self.path)
        self.told()  # what was saved before this thread began
        while not self.stop.is_set():
            try:
                last = self._folder(polling, last)
            except OSError:  # the folder is gone, or the system has no more watches to give
                polling = self.path.parent.is_dir()
                self.stop.wait(LOOK / 4000)

    def _folder(self, polling: bool, last: Stamp | None) -> Stamp | None:
        """Watch the folder for as long as it is the same one; the file's last stamp."""
        from watchfiles import watch

        folder = self.path.parent
        inode = folder.stat().st_ino
        for changes in watch(
            folder,
            watch_filter=None,
            debounce=DEBOUNCE,
            step=STEP,
            stop_event=self.stop,
            rust_timeout=LOOK,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=polling or None,
            poll_delay_ms=50,
            recursive=False,
        ):
            now = stamp(self.path)
            if now != last or any(Path(name).name == self.path.name for _, name in changes):
                last = now
                self.told()
            if folder.stat().st_ino != inode:
                break
        return last
