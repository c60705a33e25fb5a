"""Layers of confinement for the process that runs a submission: Linux, no root, no exec.

`prepare()` is called once in the zygote, `confine()` in each child before anything of a submission
is read. Each layer is tried by itself, and `confine` says which of them are off. On other systems
only the resource limits are there. Sources: landlock(7), seccomp(2), prctl(2), capabilities(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import resource
import signal
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from grader.runner.warm.limits import CPU, ENTRIES, FILE, FILES, FOLDER, MEMORY
from grader.runner.warm.seccomp import program

DISKS = 64  # children with a file system of their own at a time

T = TypeVar("T")
_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(OSError):
    """The kernel refused a layer."""


def _syscall(number: int, *args: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = int(_libc.syscall(ctypes.c_long(number), *converted))
    if result < 0:
        raise Unavailable(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _prctl(*args: int) -> None:
    if _libc.prctl(*(ctypes.c_ulong(a) for a in (*args, *([0] * (5 - len(args)))))) < 0:
        raise Unavailable(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# --- namespaces: once, before torch is imported ----------------------------------------------------

NEWUSER, NEWNET, NEWIPC, NEWPID, NEWNS = 0x10000000, 0x40000000, 0x08000000, 0x20000000, 0x00020000


def unshare() -> bool:
    """Put this process into namespaces of its own: user, mounts, network, IPC; its children into a PID one.

    Afterwards the caller forks: the fork is the init of the PID namespace, and with it every
    descendant ends. Returns whether it worked; where it didn't, nothing has changed.
    """
    if sys.platform != "linux":
        return False
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(NEWUSER | NEWNET | NEWIPC | NEWPID | NEWNS) != 0:
        return False
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError:
        pass  # without a map the ids read as nobody; the namespaces hold all the same
    return True


def disks(folder: str) -> list[str]:
    """File systems in memory below `folder`, one for a child at a time, seen in this mount namespace alone.

    The kernel keeps each to FOLDER bytes and ENTRIES inodes, of unlinked files too. None where it refuses.
    """
    made = []
    options = f"size={FOLDER},nr_inodes={ENTRIES + 1},mode=700".encode()  # + 1: its root
    for name in ("", *(f"disk{n}" for n in range(DISKS))):
        path = os.path.join(folder, name)
        os.makedirs(path, 0o700, exist_ok=True)
        if _libc.mount(b"tmpfs", path.encode(), b"tmpfs", 2 | 4 | 8, options) != 0:  # NOSUID, NODEV, NOEXEC
            break
        made.append(path)
    return made[1:]


def unmount(folder: str) -> None:
    """Remove a folder over which `disks` has made file systems; what nobody has open goes with them."""
    _libc.umount2(folder.encode(), 2)  # MNT_DETACH
    with contextlib.suppress(OSError):  # the client has been first, or the zygote
        os.rmdir(folder)


# --- Landlock --------------------------------------------------------------------------------------

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on x86-64 and aarch64
READ = 1 << 2 | 1 << 3  # read a file, list a folder
RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
WRITE = 1 << 1 | 1 << 14 | READ | sum(1 << i for i in (4, 5, 7, 8))  # files and folders, no device or socket


def landlock_version() -> int:
    """The kernel's Landlock ABI; 0 where it has none."""
    try:
        return _syscall(CREATE_RULESET, 0, 0, 1)
    except OSError:
        return 0


def readable() -> list[str]:
    """What Python and torch read: the interpreter's, the packages' and the system's libraries.

    Packages may lie outside the interpreter's folders, where a .pth file leads there. The project's own
    folder is on the path too; it is left out.
    """
    paths = [sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), "/usr/lib", "/lib", "/lib64"]
    paths += [
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/usr/share/zoneinfo",
        "/dev/null",
        "/dev/urandom",
        "/dev/zero",
    ]
    trees = {os.path.realpath(p) for p in paths if os.path.exists(p)}
    package = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    around = os.path.dirname(package)
    elsewhere = {os.path.realpath(p) for p in sys.path if os.path.isabs(p) and os.path.exists(p)}
    trees |= {p for p in elsewhere if not f"{around}{os.sep}".startswith(p.rstrip(os.sep) + os.sep)}
    # with fixtures of its own, beside a checkout's; it may be installed later, where packages are
    installed = [
        os.path.join(p, "grader")
        for p in elsewhere
        if p.endswith("-packages") or os.path.lexists(os.path.join(p, "grader"))
    ]
    secret = [package, *installed, *(os.path.join(around, x) for x in ("fixtures", "solutions", "exercises"))]
    return sorted({p for tree in trees for p in _without(tree, secret)})


def _without(tree: str, secret: Sequence[str]) -> Iterator[str]:
    """A tree, or where it holds something secret, what is in it beside that."""
    if any(s == tree or tree.startswith(s + os.sep) for s in secret):
        return
    if not any(s.startswith(tree.rstrip(os.sep) + os.sep) for s in secret):
        yield tree
        return
    for name in os.listdir(tree):
        path = os.path.join(tree, name)
        if not os.path.islink(path):
            yield from _without(path, secret)


@dataclass
class Landlock:
    """A read-only view of some paths and a folder to write in."""

    version: int
    paths: list[tuple[int, int]] = field(default_factory=list)  # (descriptor, rights)
    made: dict[str, int] = field(default_factory=dict)  # a folder -> the descriptor of its rules

    @classmethod
    def over(cls, paths: Iterable[str]) -> Landlock:
        version = landlock_version()
        if version == 0:
            raise Unavailable(0, "no Landlock")
        opened = []
        for path in paths:
            rights = READ if os.path.isdir(path) else 1 << 2
            if path.startswith("/dev/"):
                rights |= 1 << 1
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            opened.append((fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100), rights))  # out of a child's way
            os.close(fd)
        return cls(version, opened)

    def ruleset(self, folder: str) -> int:
        """A descriptor of: read what was named, write below `folder`, and no more."""
        handled = RIGHTS[max(v for v in RIGHTS if v <= self.version)]
        net = 3 if self.version >= 4 else 0  # bind and connect TCP: none allowed
        scoped = 3 if self.version >= 6 else 0  # abstract sockets and signals out of the sandbox
        attr = struct.pack("<QQQ", handled, net, scoped)
        ruleset = _syscall(
            CREATE_RULESET, attr, 24 if self.version >= 6 else 16 if self.version >= 4 else 8, 0
        )
        own = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        for fd, rights in (*self.paths, (own, WRITE)):
            rule = struct.pack("<Qi", rights & handled, fd)
            _syscall(ADD_RULE, ruleset, 1, rule, 0)
        os.close(own)
        return ruleset

    def make(self, folder: str) -> None:
        """Have the rules of a folder that many children get, one after another, once for all of them."""
        if folder not in self.made:
            with contextlib.suppress(OSError):  # else each child tries, and says what it does without
                ruleset = self.ruleset(folder)
                self.made[folder] = fcntl.fcntl(ruleset, fcntl.F_DUPFD_CLOEXEC, 100)
                os.close(ruleset)

    def restrict(self, folder: str) -> None:
        """From now on that is all that this process may; its descriptor is the caller's to close."""
        made = self.made.get(folder)
        _syscall(RESTRICT_SELF, self.ruleset(folder) if made is None else made, 0)


# --- seccomp ---------------------------------------------------------------------------------------


class Seccomp:
    """The filter in memory as the kernel takes it, so that a child has only its own id to put in."""

    def __init__(self) -> None:
        code, self.place = program(platform.machine())
        self.filter = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("<HxxxxxxQ", len(code) // 8, ctypes.addressof(self.filter))
        self.header = ctypes.create_string_buffer(header, len(header))

    def install(self) -> None:
        struct.pack_into("<I", self.filter, self.place, os.getpid())
        _prctl(22, 2, ctypes.addressof(self.header))  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


# --- all together ----------------------------------------------------------------------------------


@dataclass
class Prepared:
    """What a zygote makes once for all its children."""

    namespaces: bool
    landlock: Landlock | None
    seccomp: Seccomp | None
    size: int  # bytes of address space that the zygote has
    capabilities: bool  # dropped already, by the zygote for itself and all children
    skip: frozenset[str] = frozenset()


def prepare(namespaces: bool, skip: Iterable[str] = ()) -> Prepared:
    """Build the Landlock view and the seccomp filter.

    skip: layers that tests and benchmarks turn off; "signal scope": Landlock as before Linux 6.12.
    """
    landlock = seccomp = None
    capabilities = False
    skip = frozenset(skip)
    if sys.platform == "linux":
        try:
            if "capabilities" not in skip:
                _drop_capabilities()
                capabilities = True
        except OSError:
            pass
        try:
            landlock = Landlock.over(readable())
            if "signal scope" in skip:
                landlock.version = min(landlock.version, 5)
        except OSError:
            pass
        try:
            seccomp = Seccomp()
        except OSError:
            pass
    return Prepared(namespaces, landlock, seccomp, _size(), capabilities, skip)


def confine(prepared: Prepared, folder: str, cpu: int = CPU) -> list[str]:
    """Confine this process for good. Returns the layers that are off, in the order of LAYERS.

    folder: the only place where it may write. cpu: seconds until SIGXCPU.
    """
    steps: dict[str, Callable[[], None]] = {
        "no-new-privileges": lambda: _prctl(38, 1),
        "resource limits": lambda: _limits(cpu, prepared.size + MEMORY),
        "capabilities": lambda: None if prepared.capabilities else _require(None),
        "landlock": lambda: _require(prepared.landlock).restrict(folder),
        "seccomp": lambda: _require(prepared.seccomp).install(),
    }
    off = [] if prepared.namespaces and "namespaces" not in prepared.skip else ["namespaces"]
    for name, step in steps.items():
        try:
            if name in prepared.skip:
                raise Unavailable(0, "turned off")
            step()
        except (OSError, AttributeError, ValueError):  # AttributeError: no such call on this system
            off.append(name)
    return off


def _require(layer: T | None) -> T:
    if layer is None:
        raise Unavailable(0, "not there")
    return layer


def _limits(cpu: int, memory: int) -> None:
    def lower(which: int, soft: int, hard: int | None = None) -> None:
        old = resource.getrlimit(which)[1]
        top = soft if hard is None else hard
        top = top if old == resource.RLIM_INFINITY else min(top, old)
        resource.setrlimit(which, (min(soft, top), top))

    lower(resource.RLIMIT_CPU, cpu, cpu + 2)
    lower(resource.RLIMIT_FSIZE, FILE)
    lower(resource.RLIMIT_NOFILE, FILES)
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_STACK, 16 << 20)
    lower(resource.RLIMIT_AS, memory)


def _size() -> int:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 8 << 30  # no /proc: an ample guess


def _drop_capabilities() -> None:
    for capability in range(64):
        if _libc.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP; EPERM where there is none to drop
            break
    header = struct.pack("<Ii", 0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    if _libc.capset(header, b"\0" * 24) != 0:
        raise Unavailable(ctypes.get_errno(), "capset")
    _prctl(47, 4)  # PR_CAP_AMBIENT, CLEAR_ALL


def die_with_parent(parent: int) -> None:
    """End this process when the one that forked it ends."""
    if sys.platform == "linux":
        _prctl(1, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
