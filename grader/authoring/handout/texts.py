"""Every text that a file holds, also in another form: JSON, base64, archives, pickles. Pure."""

from __future__ import annotations

import base64
import binascii
import bz2
import contextlib
import io
import json
import lzma
import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

DEPTH = 6  # of what lies in one another
MOST = 1 << 28  # bytes that something compressed is let grow to
PRINTABLE = re.compile(rb"[\x09\x0a\x0d\x20-\x7e]{8,}")
BASE64 = re.compile(
    r"[A-Za-z0-9+/_-]{16,}(?:(?:\\n|\s)+[A-Za-z0-9+/_-]{16,})*(?:(?:\\n|\s)+[A-Za-z0-9+/_-]+)?={0,2}"
)
HEX = re.compile(r"(?:[0-9a-fA-F]{2}){12,}")


def texts(data: bytes, depth: int = DEPTH) -> Iterator[str]:
    """Every text that a file holds, also in what it holds in another form."""
    if depth == 0:
        return
    if data.count(b"\0") * 3 > len(data):  # letters that are two bytes wide
        yield data.decode("utf-16-le", "ignore")
        yield data.decode("utf-16-be", "ignore")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
        yield "\n".join(run.decode("latin-1") for run in PRINTABLE.findall(data))
    if text:
        yield from _inside(text, depth)
    for inner in _unpacked(data):
        yield from texts(inner, depth - 1)


def _inside(text: str, depth: int) -> Iterator[str]:
    """A text; of one that is JSON its strings; what its base64 and hexadecimal digits spell."""
    strings = _json(text)
    whole = "\n".join(strings) if strings else text
    yield whole
    if depth == 0:
        return
    for one in strings:
        if _json(one):
            yield from _inside(one, depth - 1)
    if "\\n" in whole:  # a text that is quoted in another
        yield from _inside(whole.replace("\\n", "\n").replace("\\t", "\t"), depth - 1)
    for digits, decode in ((BASE64, _base64), (HEX, binascii.unhexlify)):
        for found in digits.findall(whole):
            with contextlib.suppress(ValueError):
                yield from texts(decode(found), depth - 1)


def _json(text: str) -> list[str]:
    """The strings of a text that is JSON."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return []
    try:
        return list(_strings(json.loads(text)))
    except (ValueError, RecursionError):
        return []


def _base64(digits: str) -> bytes:
    packed = re.sub(r"[\\\s=]", "", digits).replace("-", "+").replace("_", "/")
    return base64.b64decode(packed + "=" * (-len(packed) % 4))


def _strings(value: Any) -> Iterator[str]:
    """The strings of a JSON value; a list of lines, as notebooks have, also as one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _strings(one)
    elif isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):
            yield "".join(value)
        for one in value:
            yield from _strings(one)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """What is compressed or archived in some bytes, and the strings of a pickle."""
    if zipfile.is_zipfile(io.BytesIO(data)):  # .npz and .pt too
        with (
            contextlib.suppress(zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error),
            zipfile.ZipFile(io.BytesIO(data)) as archive,
        ):
            for member in archive.infolist():
                if member.file_size < MOST:
                    yield archive.read(member)
    if data[:2] == b"\x1f\x8b" or data[:1] == b"\x78":
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, MOST)
    if data[:3] == b"BZh":
        with contextlib.suppress(OSError, ValueError):
            yield bz2.BZ2Decompressor().decompress(data, MOST)
    if data[:6] == b"\xfd7zXZ\0":
        with contextlib.suppress(lzma.LZMAError):
            yield lzma.LZMADecompressor().decompress(data, MOST)
    if data[:1] == b"\x80":
        with contextlib.suppress(Exception):  # whatever is wrong with it, it is no pickle
            held = [a for _, a, _ in pickletools.genops(data) if isinstance(a, str | bytes)]
            yield from (a.encode() if isinstance(a, str) else a for a in held)
