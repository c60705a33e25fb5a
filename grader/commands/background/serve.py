"""The server's process: accepts at once, grades one request after the other, ends itself when idle.

It grades with the very code of `commands/check.py`, and answers with a report or not at all: a usage
error or a fault of the grader's own is told by the client's process, in which it happens again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import socket
import sys
import threading
import time
import traceback

from grader import __version__
from grader.commands.background import place, talk
from grader.core.errors import GraderFault, UsageError
from grader.judging.bench import Bench
from grader.runner.host.client import Runner
from grader.runner.host.job import Abandoned

IDLE = 1800.0  # seconds
LOOK = 30.0  # seconds between looks whether the socket is still there
TURN = 1.0  # seconds that a request waits for the one before it
SEND = 5.0  # seconds that a client may take for its request
LAST = 120.0  # seconds that the request under way may go on for, when another server takes over
CLIENTS = 16
REMEMBER = 64  # reports


def main(runner: Runner) -> None:
    """`client._launch` says what the arguments are. runner: torch is being imported there already."""
    _, _, home, identity, listener, lock = sys.argv
    Server(runner, home, identity, socket.socket(fileno=int(listener)), int(lock)).serve()


class Server:
    def __init__(self, runner: Runner, home: str, identity: str, listener: socket.socket, lock: int) -> None:
        self.bench: Bench | None = Bench(runner, REMEMBER)
        self.identity, self.listener, self.lock = identity, listener, lock
        self.path = os.path.join(home, place.SOCKET)
        self.inode = os.stat(self.path).st_ino
        self.since = time.time()
        self.used = time.monotonic()
        self.clients = self.requests = 0
        self.retired = False
        self.parser: argparse.ArgumentParser | None = None
        self.counting, self.grading = threading.Lock(), threading.Lock()
        self.idle = IDLE
        with contextlib.suppress(KeyError, ValueError):
            self.idle = float(os.environ["GRADER_SERVER_IDLE"])

    def serve(self) -> None:
        """Accept until it is idle for long, or retired; then end, when the last request is answered."""
        self.listener.listen(CLIENTS)  # the kernel names this process, from now on, to those who connect
        while not self.retired:
            left = self.used + self.idle - time.monotonic()
            try:
                self.listener.settimeout(min(max(left, 1.0 if self.clients else 0.01), LOOK))
                line, _ = self.listener.accept()
            except TimeoutError:
                idle = not self.clients and self.used + self.idle < time.monotonic()
                if idle or not (self.there() and os.path.exists(__file__)):
                    self.retire()
                continue
            except OSError:  # retired meanwhile
                break
            with self.counting:
                self.clients += 1
            threading.Thread(target=self.attend, args=(line,), daemon=True).start()
        self.end(wait=LAST)

    def there(self) -> bool:
        """Whether the socket still is this server's; somebody may have tidied up."""
        try:
            return os.stat(self.path).st_ino == self.inode
        except OSError:
            return False

    def retire(self) -> None:
        """Make room for another server, which may start while this one finishes."""
        with self.counting:
            if self.retired:
                return
            self.retired = True
            if self.there():
                os.unlink(self.path)
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)  # wakes the one who accepts
            self.listener.close()
            os.close(self.lock)

    def end(self, wait: float = 0.0) -> None:
        """End this process and the zygote, after at most `wait` seconds for the request under way."""
        self.grading.acquire(timeout=wait)
        if self.bench:
            self.bench.runner.close()
        os._exit(0)

    def attend(self, line: socket.socket) -> None:
        """One client, in a thread of its own."""
        try:
            with line:
                line.settimeout(SEND)
                if self.clients > CLIENTS:
                    line.sendall(talk.BUSY)
                elif talk.ours(line):
                    self.answer(line, *talk.read(line))
        except (OSError, talk.Broken):  # the client has gone
            pass
        except Exception:
            traceback.print_exc(file=sys.__stderr__)  # to the log; the client sees the line's end
        finally:
            with self.counting:
                self.clients -= 1
                self.used = time.monotonic()

    def answer(self, line: socket.socket, verb: str, identity: str, *rest: str) -> None:
        if verb == "status":
            line.sendall(json.dumps(self.status()).encode())
        elif verb == "stop":
            self.retire()
            line.sendall(talk.ACCEPTED)
            self.end()
        elif identity != self.identity:
            self.retire()
            line.sendall(talk.OTHER)
        elif not self.grading.acquire(timeout=TURN):
            line.sendall(talk.BUSY)
        else:
            try:
                line.sendall(talk.ACCEPTED)
                line.settimeout(None)
                if verb == "check":
                    line.sendall(self.check(line, *rest))
                self.prepare()
            finally:
                self.grading.release()

    def check(self, line: socket.socket, cwd: str, *words: str) -> bytes:
        """The answer to `grader check`. words: of its terminal and its output, then its arguments."""
        from grader.commands import arguments, check, ci
        from grader.reports.screen import Screen

        self.requests += 1
        out, err = io.StringIO(), io.StringIO()
        bench = self.bench = self.bench or Bench(Runner(), REMEMBER)
        bench.runner.abandoned = lambda: talk.gone(line)
        try:
            width, table, color, links, encoding, errors, *argv = words
            os.chdir(cwd)  # only the thread whose turn it is looks at paths
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                self.parser = self.parser or arguments.parser()
                args = self.parser.parse_args(argv)
            if args.require_sandbox or args.no_server or ci.asked(args):
                return talk.DECLINED
            screen = Screen(int(width), table == "1", color == "1", links == "1", cwd)
            with contextlib.redirect_stderr(err):
                code = check.answer(args, screen, out, bench)
            shown = out.getvalue().encode(encoding, errors), err.getvalue().encode()
        except Abandoned:
            raise talk.Broken from None
        except GraderFault:
            bench.runner.close()
            self.bench = None
            return talk.DECLINED
        except (UsageError, SystemExit, OSError, ValueError, LookupError):
            return talk.DECLINED
        finally:
            os.chdir("/")
        return talk.REPORT + bytes([code]) + b"".join(talk.LENGTH.pack(len(x)) + x for x in shown)

    def prepare(self) -> None:
        """For the next request, while nobody waits: what the last one had no need of, and a runner."""
        import grader.commands.check
        import grader.diagnosis.diagnose
        import grader.reports.document
        import grader.reports.plain
        import grader.reports.terminal  # noqa: F401

        self.bench = self.bench or Bench(Runner(), REMEMBER)

    def status(self) -> dict[str, object]:
        bench = self.bench
        return {
            "pid": os.getpid(),
            "version": __version__,
            "package": place.PACKAGE,
            "since": self.since,
            "busy": self.grading.locked(),
            "requests": self.requests,
            "recalled": bench.recalled if bench else 0,
            "memory": _memory(os.getpid()),
        }


def _memory(pid: int) -> int:
    """Bytes that a process and its children hold; 0 where the system doesn't tell."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            total = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                total += sum(map(_memory, map(int, file.read().split())))
        return total
    except OSError:
        return 0
