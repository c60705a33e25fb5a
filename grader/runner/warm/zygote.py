"""The warm process: imports torch once, then forks one child for each submission.

Started by `host/client.py` through `start.py`. It holds inputs only; sources and results go straight
between the parent and a child, over descriptors that are passed through and closed here.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import selectors
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

import torch

from grader.core.exercise import Exercise, Gradient
from grader.runner.host import folders
from grader.runner.untrusted import asking, child, loading
from grader.runner.warm import confine, limits, trial
from grader.runner.warm.load import Loaded

MAX_FDS = 64
LOOK = 0.25  # seconds between looks at what children have written
MANY = 16  # jobs after which this process takes the time to settle: more are likely to come
IDLE = 1.0  # seconds without a child, after which it does so too: who has asked once may ask again


@dataclass
class _Running:
    channel: socket.socket
    folder: str
    disk: bool  # whether that is a file system of its own, for the next child too
    watched: bool = True
    why: str = ""  # this process ended it, and why


class Zygote:
    """The event loop: messages from the parent, children's ends, and kill requests by job."""

    def __init__(
        self, control: socket.socket, folder: str, disks: list[str], prepared: confine.Prepared
    ) -> None:
        """disks: file systems below `folder`, each for a child at a time."""
        self.control, self.folder, self.disks, self.prepared = control, folder, disks, prepared
        self.jobs = 0
        self.looked = 0.0
        self.settled = False
        self.loaded = Loaded()
        self.running: dict[int, _Running] = {}
        self.selector = selectors.DefaultSelector()
        self.selector.register(control, selectors.EVENT_READ, self.message)
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.wake = wake_read
        self.selector.register(wake_read, selectors.EVENT_READ, self.reap)

    def serve(self) -> None:
        while True:
            idle = IDLE if self.jobs and not self.settled else None
            ready = self.selector.select(LOOK if self.running else idle)
            for key, _ in ready:
                key.data()
            if not self.settled and (self.jobs >= MANY or not (ready or self.running)):
                self.settle()
            if self.running and time.monotonic() - self.looked > LOOK:
                self.look()

    def message(self) -> None:
        """One message is one byte and its descriptors, of which the first holds a JSON document."""
        fds = array.array("i")
        try:
            data, ancillary, _, _ = self.control.recvmsg(1, socket.CMSG_SPACE(MAX_FDS * fds.itemsize))
        except ConnectionError:
            data, ancillary = b"", []
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
        if not data:
            self.leave()
        request = json.loads(_read_all(fds[0]))
        os.close(fds[0])
        answer = self.load if request["op"] == "load" else self.run
        answer(request, list(fds[1:]))

    def load(self, request: dict[str, Any], fds: list[int]) -> None:
        """Keep an exercise's public description and the given tensors of its fixtures."""
        self.loaded.load(request, [_read_all(fd) for fd in fds])
        for fd in fds:
            os.close(fd)

    def settle(self) -> None:
        """Make later forks cheaper, which takes some tenths of a second."""
        self.settled = True
        _warm(ROUNDS)
        if sys.platform == "linux":
            _collapse()

    def run(self, request: dict[str, Any], fds: list[int]) -> None:
        """Fork a child for one job. Descriptors: source, result, output, channel; requests where it stays."""
        self.jobs += 1
        if request["op"] == "reference":
            from grader.reference import oracle  # noqa: F401 -- here, so that each child needn't
        if disk := bool(self.disks):
            folder = self.disks.pop()
            if self.prepared.landlock:
                self.prepared.landlock.make(folder)
        else:
            folder = os.path.join(self.folder, str(self.jobs))
            os.mkdir(folder, 0o700)
        me = os.getpid()
        pid = os.fork()
        if pid == 0:
            confine.die_with_parent(me)
            child.end(lambda: self.become_child(request, fds, folder))
        for fd in (*fds[:3], *fds[4:]):
            os.close(fd)
        channel = socket.socket(fileno=fds[3])
        channel.setblocking(False)
        self.running[pid] = _Running(channel, folder, disk)
        self.selector.register(channel, selectors.EVENT_READ, lambda: self.kill(pid))

    def become_child(self, request: dict[str, Any], fds: list[int], folder: str) -> None:
        source, result, output, _, *asks = fds
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        text = _read_all(source)
        os.dup2(result, 3, inheritable=False)
        most = os.sysconf("SC_OPEN_MAX")
        off: list[str] = []
        os.chdir(folder)
        if request.get("solution"):
            from grader.reference import lecture

            lecture.embedded_names()  # the file that draws are made of, while it may read files of ours
        if request["op"] != "reference" or request.get("solution"):  # the author's functions
            off = confine.confine(self.prepared, folder, request.get("cpu", limits.CPU))
        rounds = asks[0] if asks else None
        os.closerange(4, rounds or most)
        os.closerange((rounds or 4) + 1, most)
        sys.stdin = os.fdopen(0)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        if request["op"] == "trial":
            trial.main(self.folder, off, 3)
        else:
            self.loaded.answer(request, text, child.Ends(3, rounds), off)

    def reap(self) -> None:
        """Report every ended child on its own channel, after ending whatever it left in its group."""
        try:
            while os.read(self.wake, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if info is None:
                return
            _kill_group(info.si_pid)  # before the pid can be used again
            _, status, usage = os.wait4(info.si_pid, 0)
            job = self.running.pop(info.si_pid, None)
            if job is None:
                continue  # an orphan of a child's: the init of a PID namespace inherits it
            if job.watched:
                self.selector.unregister(job.channel)
            end = {
                "status": status,
                "cpu": usage.ru_utime + usage.ru_stime,
                "why": job.why,
            }
            try:
                job.channel.send(json.dumps(end).encode())
            except OSError:
                pass
            job.channel.close()
            folders.remove(job.folder)
            if job.disk and not os.listdir(job.folder):
                os.utime(job.folder)  # nor is it told when something was written there
                self.disks.append(job.folder)

    def look(self) -> None:
        """End a child that fills its private folder, where the kernel's limits let it, or digs too deep."""
        self.looked = time.monotonic()
        for pid, job in self.running.items():
            if not job.why and folders.fills(job.folder, limits.FOLDER, limits.ENTRIES):
                most = f"{limits.FOLDER >> 20} MB or {limits.ENTRIES} files"
                job.why = f"wrote more than {most}, or too deep a folder"
                _kill_group(pid)

    def kill(self, pid: int) -> None:
        """A byte on a job's channel, or its end, means: end this child. `reap` does the rest."""
        job = self.running.get(pid)
        if job is None:
            return  # it ended by itself, and `reap` was first in this very turn
        self.selector.unregister(job.channel)
        job.watched = False
        _kill_group(pid)

    def leave(self) -> None:
        """The parent is gone: end the children and this process."""
        for pid in self.running:
            _kill_group(pid)
        folders.remove(self.folder)
        os._exit(0)


def _kill_group(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _read_all(fd: int) -> bytes:
    os.lseek(fd, 0, os.SEEK_SET)
    chunks = []
    while chunk := os.read(fd, 1 << 20):
        chunks.append(chunk)
    return b"".join(chunks)


WARM = b"""import torch
import torch.nn.functional as F
def dx(x, n):
    y = torch.zeros_like(x) + (x @ x.T * n - x / n).tanh()
    y[range(n), [0] * n] -= 1.0
    y[range(n), x.max(1).indices] += 1
    for k in range(2):
        y[k] += x[k].view(-1) * -1.0
    m = 1.0 / n * (1 - y**2).mean(0, keepdim=True).expand_as(x).reshape(n, n)
    w = torch.where(x > 0, m, torch.ones_like(x)).clone() + F.one_hot(torch.arange(n), n).float()
    return torch.cat([w, m]).exp().log().unsqueeze(0).squeeze(0).transpose(0, 1).sum(1, keepdim=True) ** -0.5
"""
ROUNDS = 12  # as many as the interpreter waits before it specializes code, and some


def _warm(rounds: int = 1) -> None:
    """Do what every child does, so that children don't each pay for the first time."""
    x = torch.eye(5) + torch.arange(25.0).view(5, 5) / 25  # no random one: children begin with torch's seed
    x.max(1, keepdim=True)
    torch.zeros(3, 2).index_add_(0, torch.tensor([0, 0]), torch.ones(2, 2))
    torch.nn.functional.one_hot(torch.tensor([0, 1]), num_classes=3) * x[:2, :3]
    for kind in (torch.half, torch.bfloat16):  # these look the processor up in files a child can't read
        x.to(kind) @ x.to(kind)
    torch.conv1d(x[None], x[:, :, None])
    torch.linalg.inv(x)
    item, exercise = Gradient("dx", "x"), Exercise("warm", inputs=("x",))
    null = os.open(os.devnull, os.O_WRONLY)
    send = child.sender(null)
    for _ in range(rounds):
        submission = loading.load(WARM, "warm.py")
        loading.rename(submission, WARM)
        for _ in range(2):
            send(*asking.ask(submission, item, "warm", {"x": x, "n": 5}, exercise))
    os.close(null)


def _collapse() -> None:
    """Put this process's memory into huge pages: a fork then copies a tenth of the page tables."""
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size = 1 << 21
    with open("/proc/self/maps") as maps:
        for line in maps.read().splitlines():
            span, rights, *rest = line.split()
            if "w" in rights and "p" in rights and (len(rest) < 4 or rest[3] == "[heap]"):
                low, high = (int(x, 16) for x in span.split("-"))
                low, high = (low + size - 1) // size * size, high // size * size
                for start in range(low, high, size):  # each by itself: one that fails would end the call
                    libc.madvise(start, size, 25)  # MADV_COLLAPSE, Linux 6.1


def main(options: dict[str, Any]) -> None:
    """Serve the parent at the other end of options["control"] until it goes away; see `start.py`."""
    control = socket.socket(fileno=options["control"])
    os.set_inheritable(control.fileno(), False)
    torch.set_num_threads(1)
    torch.set_printoptions(linewidth=76)  # what is printed is shown behind a bar, on 80 columns
    _warm()
    asking.POLICY.install()
    prepared = confine.prepare(options["namespaces"], options["skip"])
    Zygote(control, options["folder"], options["disks"], prepared).serve()
