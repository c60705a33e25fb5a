"""What a child sends: records of raw bytes, and the strict parser that the trusted side reads them with.

A record is a little-endian u32, that many bytes of JSON (an object of fixed form), and as many raw
bytes as its "bytes" says. Nothing is unpickled, and every field is checked before it is used.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

LENGTH = struct.Struct("<I")
MAX_HEADER = 16_384
MAX_TEXT = 2_000
MAX_DIMS = 64
MAX_ELEMENTS = 1 << 20  # a wrong shape of more elements is reported by its shape alone
MAX_TOTAL = 1 << 28
STATUSES = frozenset({"value", "not-written", "error", "refused", "not-a-tensor", "over-limit"})
WIDTH = {"float32": 4, "float64": 8}
ALT = "alt:"  # names gradients for items that also ask for a sibling's; see build.tensors


class Malformed(Exception):
    """The stream breaks the wire format: a submission wrote to it."""


@dataclass(frozen=True)
class Record:
    """What one item gave on one fixture. `data` is little-endian, of type `encoded`; None: not sent."""

    fixture: str
    item: str
    status: str
    dtype: str = ""
    shape: tuple[int, ...] = ()
    encoded: str = ""
    data: bytes | None = None
    message: str = ""
    line: int | None = None
    reads: tuple[str, ...] = ()
    mutated: tuple[str, ...] = ()


def encode(header: dict[str, Any], data: bytes = b"") -> bytes:
    """One record as bytes; used by the child."""
    text = json.dumps({**header, "bytes": len(data)}).encode()
    return LENGTH.pack(len(text)) + text + data


@dataclass
class Parser:
    """Feed it what arrives; `records` fills. Malformed where the stream is not of the expected form."""

    expected: Collection[tuple[str, str]]
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    complete: bool = False
    off: tuple[str, ...] | None = None  # the layers of confinement that the child did without
    _buffer: bytearray = field(default_factory=bytearray)
    _total: int = 0

    def feed(self, chunk: bytes) -> None:
        self._total += len(chunk)
        if self._total > MAX_TOTAL:
            raise Malformed("too many bytes")
        self._buffer += chunk
        while self._take():
            pass

    def _take(self) -> bool:
        if self.complete and self._buffer:
            raise Malformed("bytes after the end")
        if len(self._buffer) < LENGTH.size:
            return False
        (length,) = LENGTH.unpack_from(self._buffer)
        if not 2 <= length <= MAX_HEADER:
            raise Malformed("header length out of range")
        start = LENGTH.size + length
        if len(self._buffer) < start:
            return False
        header = _header(bytes(self._buffer[LENGTH.size : start]))
        size = header["bytes"]
        if type(size) is not int or not 0 <= size <= MAX_ELEMENTS * 8:
            raise Malformed("payload length out of range")
        if len(self._buffer) < start + size:
            return False
        data = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        if self.off is None:  # the first record, sent before anything of the submission ran
            off = header.get("off")
            if type(off) is not list or len(off) > 16 or any(type(x) is not str for x in off):
                raise Malformed("no word of the confinement")
            self.off = tuple(off)
            return True
        if header.get("end") is True:
            if data or set(header) != {"end", "bytes"}:
                raise Malformed("an end with more in it")
            self.complete = True
            return True
        record = _record(header, data)
        key = (record.fixture, record.item)
        if key not in self.expected:
            raise Malformed("a record for an item that was not asked")
        if key in self.records:
            raise Malformed("two records for one item")
        self.records[key] = record
        return True


def _header(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("header is not JSON") from None
    if type(header) is not dict or "bytes" not in header:
        raise Malformed("header is not an object with a length")
    return header


def _record(header: dict[str, Any], data: bytes) -> Record:
    fields = {k: v for k, v in header.items() if k != "bytes"}
    strings = ("fixture", "item", "status", "dtype", "encoded", "message")
    if not set(fields) <= {*strings, "shape", "line", "reads", "mutated", "sent"}:
        raise Malformed("unknown field")
    if any(type(fields.get(k, "")) is not str or len(fields.get(k, "")) > MAX_TEXT for k in strings):
        raise Malformed("a text field is not a short text")
    shape = fields.get("shape", [])
    if type(shape) is not list or len(shape) > MAX_DIMS:
        raise Malformed("shape is not a list")
    if any(type(d) is not int or not 0 <= d < 1 << 62 for d in shape):
        raise Malformed("a dimension is not a size")
    line = fields.get("line")
    if line is not None and (type(line) is not int or not 0 < line < 1 << 31):
        raise Malformed("line is not a line number")
    for key in ("reads", "mutated"):
        names = fields.get(key, [])
        if type(names) is not list or len(names) > 256 or any(type(x) is not str for x in names):
            raise Malformed(f"{key} is not a list of names")
    if type(fields.get("sent", False)) is not bool:
        raise Malformed("a flag is not true or false")
    status = fields.get("status")
    if status not in STATUSES:
        raise Malformed("unknown status")
    sent = bool(fields.get("sent"))
    if sent:
        if status != "value" or fields.get("encoded") not in WIDTH:
            raise Malformed("values of an unknown type")
        count = math.prod(shape)
        if (
            max(shape, default=0) > MAX_ELEMENTS
            or count > MAX_ELEMENTS
            or len(data) != count * WIDTH[fields["encoded"]]
        ):
            raise Malformed("payload and shape disagree")
    elif data:
        raise Malformed("payload without values")
    return Record(
        fixture=fields.get("fixture", ""),
        item=fields.get("item", ""),
        status=status,
        dtype=fields.get("dtype", ""),
        shape=tuple(shape),
        encoded=fields.get("encoded", ""),
        data=data if sent else None,
        message=fields.get("message", ""),
        line=line,
        reads=tuple(fields.get("reads", [])),
        mutated=tuple(fields.get("mutated", [])),
    )
