"""What a child sends: records of raw bytes, and the strict parser that the trusted side reads them with.

A record is a little-endian u32, that many bytes of JSON (an object of fixed form), and as many raw
bytes as its "bytes" says. Nothing is unpickled, and every field is checked before it is used.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from grader.core import plain
from grader.core.finding import Code
from grader.core.limits import MAX_ELEMENTS as MAX_ELEMENTS
from grader.core.limits import MAX_SENT, VALUE

LENGTH = struct.Struct("<I")
JSON = json.JSONEncoder(check_circular=False)  # does less for each than json.dumps
MAX_HEADER = 16_384
SHORT, KEPT = 512, 4096  # bytes of a header that is kept, and how many are
MAX_TEXT = 2_000
MAX_DIMS = 64
STATUSES = frozenset({"value", "not-written", "error", "refused", "not-a-tensor", "over-limit"})
WIDTH = {"float32": 4, "float64": 8}
LAYERS = ("namespaces", "no-new-privileges", "resource limits", "capabilities", "landlock", "seccomp")
CODES = frozenset(Code)
T = TypeVar("T")
PLAIN = "plain"  # the type of an output item's value that is no tensor


class Malformed(Exception):
    """The stream breaks the wire format: a submission wrote to it."""


class TooMuch(Malformed):
    """More than is taken of a run, in whatever form."""


@dataclass(frozen=True)
class Record:
    """What one item gave on one fixture. `data` is little-endian, of type `encoded`; None: not sent.

    Of an output that is no tensor, encoded is "plain" and data as `plain.encode` spells it.
    """

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
    code: Code | None = None  # what the message is about, where the status alone doesn't say
    forward: str = ""  # where the learner's own forward pass differs
    same: int | None = None  # of a changed function: the number of another that gave the same


def encode(header: dict[str, Any], data: bytes = b"") -> bytes:
    """One record as bytes; used by the child."""
    text = JSON.encode({**header, "bytes": len(data)}).encode()
    return LENGTH.pack(len(text)) + text + data


def weight(header: Mapping[str, Any], data: bytes) -> int:
    """What a record's data counts as, in bytes."""
    values = data.count(b",") + data.count(b"[") if header.get("encoded") == PLAIN else 0
    return len(data) + VALUE * values


@dataclass
class Parser:
    """Feed it what arrives; `records` fills. Malformed where the stream is not of the expected form."""

    expected: Collection[tuple[str, str]]
    plain: Collection[tuple[str, str]] | None = None  # those that may be plain data; None: any
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    complete: bool = False
    off: tuple[str, ...] | None = None  # the layers of confinement that the child did without
    loaded: bool = False  # whether the submission's top level came to its end
    unparsed: tuple[str, int | None] | None = None  # why Python can't read the file as it is, and the line
    early: set[tuple[str, str]] = field(default_factory=set)  # came before anything of the submission ran
    _buffer: bytearray = field(default_factory=bytearray)
    sent: int = 0  # bytes so far, and what plain data counts as besides

    def feed(self, chunk: bytes) -> None:
        self._count(len(chunk))
        self._buffer += chunk
        while self._take():
            pass

    def _count(self, size: int) -> None:
        self.sent += size
        if self.sent > MAX_SENT:
            counts = f"where each value of plain data counts as {VALUE} bytes"
            raise TooMuch(f"more than {MAX_SENT >> 20} MB in all, {counts}")

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
        text = bytes(self._buffer[LENGTH.size : start])
        header = _header(text)
        size = header["bytes"]
        if type(size) is not int or not 0 <= size <= MAX_ELEMENTS * 8:
            raise Malformed("payload length out of range")
        if len(self._buffer) < start + size:
            return False
        data = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        if self.off is None:  # the first record, sent before anything of the submission ran
            off = header.get("off")
            if type(off) is not list or len(off) > len(LAYERS) or any(x not in LAYERS for x in off):
                raise Malformed("no word of the confinement")
            self.off = tuple(off)
            return True
        if not self.loaded and header.get("loaded") is True:
            if data or not header.keys() <= {"loaded", "unparsed", "bytes"}:
                raise Malformed("a word of loading with more in it")
            self.loaded, self.unparsed = True, _unparsed(header.get("unparsed"))
            return True
        if header.get("end") is True:
            if data or set(header) != {"end", "bytes"}:
                raise Malformed("an end with more in it")
            self.complete = True
            return True
        key = (_text(header.get("fixture", "")), _text(header.get("item", "")))
        if key not in self.expected:
            raise Malformed("a record for an item that was not asked")
        if header.get("encoded") == PLAIN and self.plain is not None and key not in self.plain:
            raise Malformed("plain data where a gradient is asked")
        if header.get("encoded") == PLAIN:
            self._count(weight(header, data) - len(data))
        record = _filled(_described(text), header, data)
        if key in self.records:
            raise Malformed("two records for one item")
        self.records[key] = record
        if not self.loaded:
            self.early.add(key)
        return True


def _once(function: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """The same, kept for short texts: one submission's headers are mostly those of all the others."""
    kept = lru_cache(KEPT)(function)
    return lambda text: kept(text) if len(text) <= SHORT else function(text)


@_once
def _header(text: bytes) -> Mapping[str, Any]:
    try:
        header = json.loads(text.decode())  # of bytes it would guess an encoding
    except (ValueError, RecursionError):
        raise Malformed("header is not JSON") from None
    if type(header) is not dict or "bytes" not in header:
        raise Malformed("header is not an object with a length")
    return header


FIELDS = {"fixture", "item", "status", "dtype", "encoded", "message", "code", "shape", "line", "reads",
          "mutated", "sent", "bytes", "forward", "same"}  # fmt: skip


@_once
def _described(text: bytes) -> Record:
    """A record but for its data, every field of its header checked."""
    header = _header(text)
    if not header.keys() <= FIELDS:
        raise Malformed("unknown field")
    get = header.get
    fixture, item, status = _text(get("fixture", "")), _text(get("item", "")), _text(get("status", ""))
    dtype, encoded, message = _text(get("dtype", "")), _text(get("encoded", "")), _text(get("message", ""))
    if status not in STATUSES:
        raise Malformed("unknown status")
    code = _text(get("code", ""))
    if code and code not in CODES:
        raise Malformed("unknown code")
    shape, line, sent = get("shape", ()), _line(get("line")), get("sent", False)
    if shape != ():
        if type(shape) is not list or len(shape) > MAX_DIMS:
            raise Malformed("shape is not a list")
        for d in shape:
            if type(d) is not int or not 0 <= d < 1 << 62:
                raise Malformed("a dimension is not a size")
    if type(sent) is not bool:
        raise Malformed("a flag is not true or false")
    if not sent and PLAIN in (encoded, dtype):
        raise Malformed("plain data that was not sent")
    if sent and encoded == dtype == PLAIN:
        if status != "value" or shape != ():
            raise Malformed("plain data with a shape")
    elif sent:
        if status != "value" or encoded not in WIDTH or (encoded == "float32") != (dtype == "float32"):
            raise Malformed("values of an unknown type")
        count = math.prod(shape)
        if (
            max(shape, default=0) > MAX_ELEMENTS
            or count > MAX_ELEMENTS
            or header["bytes"] != count * WIDTH[encoded]
        ):
            raise Malformed("payload and shape disagree")
    elif header["bytes"]:
        raise Malformed("payload without values")
    same = get("same")
    if same is not None and (type(same) is not int or not 0 <= same < 1 << 31):
        raise Malformed("what it is the same as is no number")
    reads, mutated = _names(get("reads", ())), _names(get("mutated", ()))
    return Record(
        fixture=fixture,
        item=item,
        status=status,
        dtype=dtype,
        shape=tuple(shape),
        encoded=encoded,
        message=message,
        line=line,
        reads=reads,
        mutated=mutated,
        code=Code(code) if code else None,
        forward=_text(get("forward", "")),
        same=same,
    )


def _filled(record: Record, header: Mapping[str, Any], data: bytes) -> Record:
    """The same with its data, where that was sent."""
    if not header.get("sent"):
        return record
    if record.encoded == PLAIN:
        try:
            plain.decode(data)
        except ValueError:
            raise Malformed("plain data that is none") from None
    filled = object.__new__(Record)  # `replace` takes ten times as long
    filled.__dict__.update(record.__dict__, data=data)
    return filled


def _unparsed(value: Any) -> tuple[str, int | None] | None:
    if value is None:
        return None
    if type(value) is not list or len(value) != 2:
        raise Malformed("what could not be parsed is not a text and a line")
    return _text(value[0]), _line(value[1])


def _line(value: Any) -> int | None:
    if value is not None and (type(value) is not int or not 0 < value < 1 << 31):
        raise Malformed("line is not a line number")
    return value


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_TEXT:
        raise Malformed("a text field is not a short text")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if value == ():
        return ()
    if type(value) is not list or len(value) > 256:
        raise Malformed("names are not a list of names")
    for name in value:
        if type(name) is not str:
            raise Malformed("names are not a list of names")
    return tuple(value)
