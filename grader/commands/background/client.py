"""The client's end: asks the server to grade, and starts one where there is none.

Whatever goes wrong here, the answer is None, and the command does its work in its own process.
"""

from __future__ import annotations

import _socket as socket
import os
import sys
import time

from grader.commands.background import place, talk
from grader.core.errors import swallowed

TYPE_CHECKING = False  # typing's own costs an import
if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 5.0  # seconds in which a server must accept a request
PAUSE = 0.01  # seconds between two tries
LAUNCHES = 2
START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from grader.commands.start import first; runner = first(); "
    "from grader.commands.background.serve import main; main(runner)"
)
THERE = hasattr(os, "getuid") and hasattr(socket, "AF_UNIX")  # not on Windows
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR", "GRADER_SERVER_IDLE")  # and LC_*


def wanted(argv: Sequence[str]) -> bool:
    """Whether a server may answer this command. In CI nothing is to stay behind."""
    return (
        argv[:1] == ["check"]
        and "--no-server" not in argv
        and not os.environ.get("GRADER_NO_SERVER")
        and not os.environ.get("CI")
        and THERE
        and sys.platform in ("linux", "darwin")
    )


def check(argv: Sequence[str]) -> tuple[int, bytes, str] | None:
    """The exit code of `grader check` and what it prints to standard output and error."""
    from grader.reports.screen import here

    try:
        screen, out = here(), sys.stdout
        flags = (str(int(flag)) for flag in (screen.table, screen.color, screen.links))
        facts = (str(screen.width), *flags, out.encoding, out.errors)
        line = _accepted("check", place.identity(), os.getcwd(), *(f or "" for f in facts), *argv)
        if talk.exactly(line, 1) != talk.REPORT:
            return None
        code = talk.exactly(line, 1)[0]
        shown, err = talk.part(line), talk.part(line)
        return code, shown, err.decode()
    except (OSError, talk.Broken):
        return None
    except Exception:  # the command itself will tell what matters
        swallowed("the server's answer")
        return None


def ask(verb: str) -> socket.socket | None:
    """A line on which a running server answers `verb`; None where there is none."""
    home = place.home() if THERE else None
    line = _connect(home) if home else None
    if line:
        line.settimeout(PATIENCE)
        talk.write(line, verb, place.identity())
    return line


def start() -> None:
    """Have a server run that is as this program is. Broken where none can."""
    _accepted("hello", place.identity()).close()


def _accepted(*request: str) -> socket.socket:
    """A line on which a server has accepted the request; Broken where none does."""
    home = place.home() if THERE else None
    if home is None:
        raise talk.Broken
    deadline = time.monotonic() + PATIENCE
    launches = 0
    while time.monotonic() < deadline:
        line = _connect(home)
        if line is None:
            if launches < LAUNCHES and _launch(home, request[1]):
                launches += 1
            else:
                time.sleep(PAUSE)  # somebody else is starting one, or one is leaving
            continue
        try:
            line.settimeout(max(deadline - time.monotonic(), 0.01))
            talk.write(line, *request)
            mark = talk.exactly(line, 1)
            if mark == talk.ACCEPTED:
                line.settimeout(None)  # a submission may take long
                return line
            if mark == talk.BUSY:
                break
        except (ConnectionError, talk.Broken):  # it left at this moment
            pass
        except BaseException:
            line.close()
            raise
        line.close()
        time.sleep(PAUSE)
    raise talk.Broken


def _connect(home: str) -> socket.socket | None:
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        line.connect(os.path.join(home, place.SOCKET))
        if talk.ours(line):
            return line
    except (FileNotFoundError, ConnectionError):
        pass
    except BaseException:
        line.close()
        raise
    line.close()
    return None


def _launch(home: str, identity: str) -> bool:
    """Start a server, unless another one lives: the lock is a server's for its life.

    The socket is made here, so that a request can wait in it while the server starts.
    """
    import fcntl
    import subprocess
    from contextlib import closing

    lock = os.open(os.path.join(home, place.LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        path = os.path.join(home, place.SOCKET)
        if os.path.lexists(path):
            os.unlink(path)  # of one that was killed
        log = os.open(
            os.path.join(home, place.LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600
        )
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with closing(listener), os.fdopen(log, "wb") as errors:
            listener.bind(path)
            listener.listen(16)
            root = os.path.dirname(place.PACKAGE)
            options = [root, home, identity, str(listener.fileno()), str(lock)]
            subprocess.Popen(
                [sys.executable, "-I", "-c", START, *options],
                pass_fds=[listener.fileno(), lock],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                env={k: v for k, v in os.environ.items() if k in KEPT or k.startswith("LC_")},
                start_new_session=True,
            )
        return True
    finally:
        os.close(lock)
