"""Who runs when: children side by side, or one alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """Threads at work `beside` each other; one that is `alone` waits for them, and they for it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.under_way = 0
        self.taken = False  # by one that is alone, or will be

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        with self.changed:
            self.changed.wait_for(lambda: not self.taken)
            self.under_way += 1
        try:
            yield
        finally:
            with self.changed:
                self.under_way -= 1
                self.changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self.changed:
            self.changed.wait_for(lambda: not self.taken)
            self.taken = True
            self.changed.wait_for(lambda: not self.under_way)
        try:
            yield
        finally:
            with self.changed:
                self.taken = False
                self.changed.notify_all()
