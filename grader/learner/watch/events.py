"""What a command that stays waits for: saves, keys, signals, the end of its input. Restores the terminal."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import select
import signal
import socket
import sys
import threading
import time
from collections import deque
from enum import Enum
from typing import Any

try:
    import termios
    import tty
except ImportError:  # Windows, where nothing but a socket can be waited for either
    termios = None  # type: ignore[assignment]

KEYS = termios is not None  # whether single keys can be read at all


class Event(Enum):
    SAVE = "save"
    EOF = "end of input"
    END = "end"  # SIGTERM, SIGHUP
    INTERRUPT = "interrupt"
    STOP = "stop"  # Ctrl-Z
    RESIZE = "resize"


NAMES = {
    "SIGTERM": Event.END,
    "SIGHUP": Event.END,
    "SIGBREAK": Event.INTERRUPT,
    "SIGINT": Event.INTERRUPT,
    "SIGTSTP": Event.STOP,
    "SIGWINCH": Event.RESIZE,
}
SIGNALS = {getattr(signal, name): event for name, event in NAMES.items() if hasattr(signal, name)}

SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)?")  # an arrow and the like: they mean nothing here


class Events:
    """One queue of all that happens; use it as a context manager.

    keys: read single keys from the terminal, which gets its own mode back at the end. Else what comes
    on standard input is dropped, and its end is an event.
    """

    def __init__(self, keys: bool) -> None:
        self.keys = keys
        self.queue: deque[Event | str] = deque()
        self.input: int | None = sys.stdin.fileno() if sys.stdin is not None else None
        if self.input is None:
            self.queue.append(Event.EOF)
        self.terminal = self.input if self.input is not None else -1
        self.awake, self.wake = socket.socketpair()
        for one in (self.awake, self.wake):
            one.setblocking(False)
        self.reader: threading.Thread | None = None
        self.saved = False
        self.mode: list[Any] = []
        self.handlers: dict[int, Any] = {}
        self.decoder = codecs.getincrementaldecoder("utf-8")("ignore")

    def __enter__(self) -> Events:
        if self.keys:
            self.mode = termios.tcgetattr(self.terminal)
        try:
            signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
            for number, event in SIGNALS.items():
                if self.keys or event is not Event.STOP:
                    self.handlers[number] = signal.signal(number, self._signal)
            self._single_keys()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._own_mode()
        signal.set_wakeup_fd(-1)
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def save(self) -> None:
        """Report a save; from any thread."""
        self.saved = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # it will wake up anyway, or has ended
            self.wake.send(b"\0")

    def wait(self, until: float | None = None) -> Event | str | None:
        """The next event, a key as a string; None at the time `until` of the monotonic clock."""
        while not self.queue:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._collect(left)
        return self.queue.popleft()

    def pending(self) -> deque[Event | str]:
        """What has happened and is not yet taken; doesn't wait."""
        self._collect(0)
        return self.queue

    def suspend(self) -> None:
        """Stop this process as Ctrl-Z does, with the terminal as it was; returns when it goes on."""
        self._own_mode()
        own = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, own)
        self._single_keys()

    def _signal(self, number: int, _: object) -> None:
        self.queue.append(SIGNALS[signal.Signals(number)])

    def _collect(self, timeout: float | None) -> None:
        watched: list[Any] = [self.awake]
        if self.input is not None and termios:
            watched.append(self.input)
        elif self.input is not None and not self.reader:
            self.reader = threading.Thread(target=self._to_its_end, args=(self.input,), daemon=True)
            self.reader.start()
        ready, _, _ = select.select(watched, [], [], timeout)
        if self.awake in ready:
            self.awake.recv(4096)
        if self.saved:
            self.saved = False
            self.queue.append(Event.SAVE)
        if self.input is not None and self.input in ready:
            self._read(self.input)

    def _to_its_end(self, pipe: int) -> None:
        """What comes on standard input is dropped; that it ends is told."""
        with contextlib.suppress(OSError):
            while os.read(pipe, 1024):
                pass
        self.queue.append(Event.EOF)
        self._wake()

    def _read(self, terminal_or_pipe: int) -> None:
        try:
            data = os.read(terminal_or_pipe, 1024)
        except OSError:  # the terminal has gone
            data = b""
        if not data:
            self.input = None
            self.queue.append(Event.EOF)
        elif self.keys:
            self.queue.extend(SEQUENCE.sub("", self.decoder.decode(data)))

    def _single_keys(self) -> None:
        if self.keys:
            tty.setcbreak(self.terminal, termios.TCSADRAIN)

    def _own_mode(self) -> None:
        if self.mode:
            with contextlib.suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(self.terminal, termios.TCSADRAIN, self.mode)
