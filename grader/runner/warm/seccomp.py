"""The system calls that a submission may make, as a filter for the kernel. Pure. Source: seccomp(2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

# name: (x86-64, aarch64); None where the architecture has no such call
CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "open": (2, None), "close": (3, 57), "stat": (4, None),
    "fstat": (5, 80), "lstat": (6, None), "poll": (7, None), "lseek": (8, 62), "mmap": (9, 222),
    "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "pread64": (17, 67), "pwrite64": (18, 68),
    "readv": (19, 65), "writev": (20, 66), "access": (21, None), "select": (23, None),
    "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233), "dup": (32, 23),
    "dup2": (33, None), "nanosleep": (35, 101), "getitimer": (36, 102), "alarm": (37, None),
    "setitimer": (38, 103), "getpid": (39, 172), "exit": (60, 93), "uname": (63, 160),
    "fcntl": (72, 25), "ftruncate": (77, 46), "getdents": (78, None), "getcwd": (79, 17),
    "chdir": (80, 49), "rename": (82, None), "mkdir": (83, None), "rmdir": (84, None),
    "unlink": (87, None), "readlink": (89, None), "umask": (95, 166), "gettimeofday": (96, 169),
    "getrlimit": (97, 163), "getrusage": (98, 165), "sysinfo": (99, 179), "times": (100, 153),
    "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177),
    "getppid": (110, 173), "getpgrp": (111, None), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "getpgid": (121, 155), "sigaltstack": (131, 132), "statfs": (137, 43),
    "fstatfs": (138, 44), "arch_prctl": (158, None), "gettid": (186, 178), "time": (201, None),
    "futex": (202, 98), "sched_getaffinity": (204, 123), "getdents64": (217, 61),
    "set_tid_address": (218, 96), "restart_syscall": (219, 128), "fadvise64": (221, 223),
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
    "exit_group": (231, 94), "openat": (257, 56), "mkdirat": (258, 34), "newfstatat": (262, 79),
    "unlinkat": (263, 35), "renameat": (264, 38), "readlinkat": (267, 78), "faccessat": (269, 48),
    "pselect6": (270, 72), "ppoll": (271, 73), "set_robust_list": (273, 99), "fallocate": (285, 47),
    "dup3": (292, 24), "pipe2": (293, 59), "renameat2": (316, 276), "getrandom": (318, 278),
    "membarrier": (324, 283), "statx": (332, 291), "rseq": (334, 293), "close_range": (436, 436),
    "faccessat2": (439, 439), "futex_waitv": (449, 449),
}  # fmt: skip
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
CLONE3, IOCTL, TGKILL = (435, 435), (16, 29), (234, 131)
KILL, ERRNO, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
EPERM, ENOTTY, ENOSYS = 1, 25, 38


def _instruction(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, k)


LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16


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
        _instruction(LOAD, FIRST_ARGUMENT),
        _instruction(EQUAL, 0, 0, 1),  # patched with the process id
        _instruction(RETURN, ALLOW),
        _instruction(RETURN, ERRNO | EPERM),
    ]
    place = 8 * 8 + 4
    for (x86, arm), error in ((CLONE3, ENOSYS), (IOCTL, ENOTTY)):
        parts += [_instruction(EQUAL, (x86, arm)[which], 0, 1), _instruction(RETURN, ERRNO | error)]
    runs = _runs(allowed)
    for i, (low, high) in enumerate(runs):  # in ascending order: below a run is between two
        to_the_end = 2 * (len(runs) - i)
        parts.append(_instruction(AT_LEAST, low, 0, to_the_end - 1))
        parts.append(_instruction(AT_LEAST, high + 1, 0, to_the_end - 1))
    parts += [_instruction(RETURN, ERRNO | EPERM), _instruction(RETURN, ALLOW)]
    return b"".join(parts), place


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted numbers as runs without a gap, each by its first and last."""
    runs: list[tuple[int, int]] = []
    for n in numbers:
        if runs and runs[-1][1] == n - 1:
            runs[-1] = (runs[-1][0], n)
        else:
            runs.append((n, n))
    return runs
