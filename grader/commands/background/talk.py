"""What goes over the socket. A request is one message of NUL-separated fields; an answer begins with a mark.

The first two fields are a verb and the client's identity, in every version.
Both ends check that the other belongs to the same user, though only that user can reach the socket. What
`socket` adds to `_socket` takes a client as long to import as the rest of its work.
"""

from __future__ import annotations

import _socket as socket
import os
import struct
import sys

ACCEPTED, BUSY, OTHER = b"+", b"b", b"o"  # at once: will be answered; not now; of another identity
REPORT, DECLINED = b"r", b"d"  # later: exit code, what to print on both outputs; or: grade it yourself
LENGTH = struct.Struct("!I")  # before each of the two
MOST = 1 << 20  # bytes of a request


class Broken(Exception):
    """The other end went away, or said what it should not."""


def write(line: socket.socket, *fields: str) -> None:
    """ValueError where it is longer than the other end reads."""
    data = b"\0".join(map(os.fsencode, fields))
    if len(data) > MOST:
        raise ValueError("too long a request")
    line.sendall(LENGTH.pack(len(data)) + data)


def read(line: socket.socket, most: int = MOST) -> list[str]:
    length = LENGTH.unpack(exactly(line, LENGTH.size))[0]
    if length > most:
        raise Broken
    return [os.fsdecode(field) for field in exactly(line, length).split(b"\0")]


def exactly(line: socket.socket, size: int) -> bytes:
    """That many bytes; Broken where they don't come."""
    data = bytearray()
    while len(data) < size:
        chunk = line.recv(min(size - len(data), 1 << 20))
        if not chunk:
            raise Broken
        data += chunk
    return bytes(data)


def part(line: socket.socket) -> bytes:
    """Bytes that follow their length."""
    return exactly(line, LENGTH.unpack(exactly(line, LENGTH.size))[0])


def ours(line: socket.socket) -> bool:
    """Whether the process at the other end runs as this user, as the kernel has it."""
    if sys.platform == "linux":
        _, uid, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    elif sys.platform == "darwin":
        uid = struct.unpack("2I", line.getsockopt(0, 1, 76)[:8])[1]  # LOCAL_PEERCRED: struct xucred
    else:
        return False
    return bool(uid == os.getuid())


def gone(line: socket.socket) -> bool:
    """Whether the other end has left; it sends nothing while it waits."""
    import select

    return bool(select.select([line], [], [], 0)[0])
