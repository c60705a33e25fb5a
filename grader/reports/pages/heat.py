"""A tensor as a small picture: one colour a sign, the stronger the larger. Pure; NumPy only.

The picture is transparent where a value is 0, so that it reads on a light page and on a dark one.
Colour grows with the square root of the value: a gradient's few large elements would hide the rest.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_ROWS, MOST_COLUMNS = 128, 256  # cells of a picture; a larger tensor is reduced to blocks
NEGATIVE, POSITIVE = (0x1F, 0x77, 0xD0), (0xE0, 0x5A, 0x10)  # blue and orange: also for the colour-blind
NOT_FINITE = 255  # a palette's index, and its colour
GREY = (0x80, 0x80, 0x80)
LEVELS = 127  # for each sign


@dataclass(frozen=True)
class Heat:
    """A picture: its PNG as a data URI, and its size in cells. block: the elements behind a cell."""

    uri: str
    rows: int
    columns: int
    block: tuple[int, int] = (1, 1)
    mark: tuple[int, int] | None = None  # row and column of the cell to point at


def heat(values: Array, scale: float, mark: int | None = None) -> Heat:
    """The values between -scale and scale. mark: the flat index of an element to point at.

    Where a block of elements shares a cell, the cell shows the one of largest absolute value.
    """
    flat = flatten(values)
    block = math.ceil(flat.shape[0] / MOST_ROWS), math.ceil(flat.shape[1] / MOST_COLUMNS)
    cells = reduce(flat, block)
    with np.errstate(invalid="ignore", over="ignore"):
        strength = np.sqrt(np.clip(np.abs(cells) / scale, 0, 1)) if scale > 0 else np.zeros_like(cells)
    finite = np.isfinite(cells)
    level = np.where(finite, np.sign(cells) * np.ceil(strength * LEVELS), 0)
    indices = np.where(finite, LEVELS + level, NOT_FINITE).astype(np.uint8)
    at = None
    if mark is not None:
        row, column = divmod(mark, flat.shape[1])
        at = row // block[0], column // block[1]
    rows, columns = cells.shape
    return Heat(png(indices, DIVERGING), rows, columns, block, at)


def grey(values: Array) -> Heat:
    """A matrix from its smallest value, black, to its largest, white: as the lecture's imshow."""
    flat = flatten(values)
    low, high = float(flat.min()), float(flat.max())
    indices = np.rint(255 * (flat - low) / ((high - low) or 1.0)).astype(np.uint8)
    rows, columns = flat.shape
    return Heat(png(indices, GREYS), rows, columns)


def flatten(values: Array) -> Array:
    """Any tensor as a matrix of float64: a vector as a row, more axes than two side by side."""
    values = np.asarray(values, np.float64)
    if values.ndim < 2:
        return values.reshape(1, -1)
    return values.reshape(values.shape[0], -1)


def reduce(values: Array, block: tuple[int, int]) -> Array:
    """Of each block the element of largest absolute value; one that is not finite before all others."""
    if block == (1, 1):
        return values
    (rows, columns), (down, across) = values.shape, block
    tall, wide = math.ceil(rows / down), math.ceil(columns / across)
    padded = np.zeros((tall * down, wide * across))
    padded[:rows, :columns] = values
    blocks = padded.reshape(tall, down, wide, across).transpose(0, 2, 1, 3).reshape(tall, wide, -1)
    weight = np.where(np.isfinite(blocks), np.abs(blocks), np.inf)
    chosen = weight.argmax(2)[..., None]
    return np.asarray(np.take_along_axis(blocks, chosen, 2)[..., 0])


Colours = tuple[tuple[int, int, int, int], ...]


def png(indices: Array, palette: Colours) -> str:
    """A matrix of indices into a palette of red, green, blue, alpha, as a PNG's data URI."""
    rows, columns = indices.shape
    lines = np.hstack([np.zeros((rows, 1), np.uint8), indices]).tobytes()  # each begins with "no filter"
    data = b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
            _colours(palette),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def _colours(palette: Colours) -> bytes:
    colours = _chunk(b"PLTE", bytes(v for colour in palette for v in colour[:3]))
    return colours + _chunk(b"tRNS", bytes(colour[3] for colour in palette))


SIGNS = tuple(
    (*(NEGATIVE if i < LEVELS else POSITIVE), round(255 * abs(i - LEVELS) / LEVELS))
    for i in range(2 * LEVELS + 1)
)
DIVERGING: Colours = (*SIGNS, (*GREY, 255))
GREYS: Colours = tuple((v, v, v, 255) for v in range(256))
