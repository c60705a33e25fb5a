"""The system calls that a submission may make, as a filter for the kernel. Pure. Source: seccomp(2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# name: (x86-64, aarch64); None where the architecture has no such call. A group's comment says what needs it;
# what neither torch nor Python calls for a submission is not here.
CALLS: dict[str, tuple[int | None, int | None]] = {
    # records and what is printed; iostreams of torch's write by writev; a notebook's capture moves 1 and 2
    "read": (0, 63), "write": (1, 64), "writev": (20, 66), "close": (3, 57), "lseek": (8, 62),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "close_range": (436, 436),
    # modules of Python's and torch's that are imported at first use, and their libraries
    "open": (2, None), "openat": (257, 56), "pread64": (17, 67), "stat": (4, None), "fstat": (5, 80),
    "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "getdents64": (217, 61), "getcwd": (79, 17),
    "readlink": (89, None), "readlinkat": (267, 78),
    # tensors and objects: malloc, the allocator's large blocks, libraries' pages
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "madvise": (28, 233),
    # locks of the interpreter, of OpenMP and of C++'s statics
    "futex": (202, 98), "sched_yield": (24, 124),
    # Python's handlers (Ctrl-C, faulthandler), and a call that a signal has cut short
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    # time.time and perf_counter, where the vDSO doesn't answer; time.sleep
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None),
    "clock_nanosleep": (230, 115),
    # seeds: torch.seed, random, sets' hashes
    "getrandom": (318, 278),
    # who and where: abort and raise; folders of caches by the user's name; platform; torch.get_num_threads;
    # a sort's memory (glibc's qsort)
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174),
    "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177), "uname": (63, 160),
    "sched_getaffinity": (204, 123), "sysinfo": (99, 179),
    # the private folder: open(…, "w"), torch.save, tempfile
    "ftruncate": (77, 46), "chdir": (80, 49), "rename": (82, None), "renameat": (264, 38),
    "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "unlink": (87, None), "unlinkat": (263, 35),
    # subprocess asks for a pipe before it is told that there are no processes
    "pipe2": (293, 59),
    # the end
    "exit_group": (231, 94),
}  # fmt: skip
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
CLONE3, IOCTL, TGKILL = (435, 435), (16, 29), (234, 131)
FCNTL, FALLOCATE = (72, 25), (285, 47)
# What of fcntl neither locks, leases, notifies nor signals: F_DUPFD, F_GETFD, F_SETFD, F_GETFL,
# F_DUPFD_CLOEXEC
DESCRIPTORS = (0, 1, 2, 3, 1030)
F_SETFL, O_ASYNC = 4, 0x2000  # status flags, but for the one that sends signals
KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
EPERM, ENOTTY, ENOSYS = 1, 25, 38


def _instruction(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, k)


LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCH, ARGUMENTS = 0, 4, (16, 24, 32)  # of an argument its low half: what is held to is an int


def program(machine: str) -> tuple[bytes, int]:
    """The filter, and where in it the process id goes: signals are allowed to oneself only.

    OSError where there is none for the architecture.
    """
    if machine not in ARCHITECTURES:
        raise OSError(f"no filter for {machine}")
    arch, which = ARCHITECTURES[machine]
    allowed = sorted(n for pair in CALLS.values() if (n := pair[which]) is not None)
    parts = [
        _instruction(LOAD, ARCH),
        _instruction(EQUAL, arch, 1, 0),
        _instruction(RETURN, KILL),
        _instruction(LOAD, NUMBER),
        _instruction(AT_LEAST, 0x40000000, 0, 1),  # the x32 calls of an x86-64 kernel
        _instruction(RETURN, KILL),
        _instruction(EQUAL, TGKILL[which], 0, 4),
        _instruction(LOAD, ARGUMENTS[0]),
        _instruction(EQUAL, 0, 0, 1),  # patched with the process id
        _instruction(RETURN, ALLOW),
        _instruction(RETURN, ERRNO | EPERM),
    ]
    place = 8 * 8 + 4
    for (x86, arm), error in ((CLONE3, ENOSYS), (IOCTL, ENOTTY)):
        parts += [_instruction(EQUAL, (x86, arm)[which], 0, 1), _instruction(RETURN, ERRNO | error)]
    parts += _held(FCNTL[which], _fcntl())
    parts += _held(FALLOCATE[which], _fallocate())
    runs = _runs(allowed)
    for i, (low, high) in enumerate(runs):  # in ascending order: below a run is between two
        to_the_end = 2 * (len(runs) - i)
        parts.append(_instruction(AT_LEAST, low, 0, to_the_end - 1))
        parts.append(_instruction(AT_LEAST, high + 1, 0, to_the_end - 1))
    parts += [_instruction(RETURN, ERRNO | EPERM), _instruction(RETURN, ALLOW)]
    return b"".join(parts), place


def _held(number: int, rule: Sequence[bytes]) -> list[bytes]:
    """Hold one system call to a rule, which ends by allowing or refusing it."""
    return [_instruction(EQUAL, number, 0, len(rule)), *rule]


def _fcntl() -> list[bytes]:
    """Descriptors and their flags. Leases stall whoever opens the file, owners and O_ASYNC send signals."""
    rule = [_instruction(LOAD, ARGUMENTS[1])]
    for i, command in enumerate(DESCRIPTORS):
        rule.append(_instruction(EQUAL, command, len(DESCRIPTORS) - i + 2))
    rule += [
        _instruction(EQUAL, F_SETFL, 0, 3),
        _instruction(LOAD, ARGUMENTS[2]),
        _instruction(ANY_BIT, O_ASYNC, 1, 0),
        _instruction(RETURN, ALLOW),
        _instruction(RETURN, ERRNO | EPERM),
    ]
    return rule


def _fallocate() -> list[bytes]:
    """Mode 0 alone: one that keeps the size goes past the limit of a file's size."""
    return [
        _instruction(LOAD, ARGUMENTS[1]),
        _instruction(EQUAL, 0, 0, 1),
        _instruction(RETURN, ALLOW),
        _instruction(RETURN, ERRNO | EPERM),
    ]


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted numbers as runs without a gap, each by its first and last."""
    runs: list[tuple[int, int]] = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1] = (runs[-1][0], n)
        else:
            runs.append((n, n))
    return runs
