"""Plain data on the wire: what an output item may take and give beside a tensor. Pure; no NumPy, no torch.

None, bool, int, float, str, bytes, list, tuple, set, dict, and tensors in them, as tagged JSON with one
spelling for each value. `encode` copies by exact base types, so that no method of a submission's own
subclass is asked. `decode` accepts what `encode` writes and nothing else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from grader.core.limits import MAX_PLAIN
from grader.core.text import times

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_DIMS = 64
SMALL = 1 << 53  # larger integers are spelt in hexadecimal
MAX_HEX = 10_000  # digits of one
MAX_ALIKE = 16  # keys of a set or dict that have one hash
WIDTH = {"float32": 4}  # bytes of a number by a tensor's type; all others travel as float64


class NotPlain(Exception):
    """A value that is no plain data; its message says which."""


@dataclass(frozen=True)
class Tensor:
    """A tensor inside plain data. data: little-endian float32 where dtype is that, else float64."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


def _itself(value: Any) -> Any:
    return value if type(value) is Tensor else None


def encode(value: object, other: Callable[[Any], Any] = _itself) -> bytes:
    """The one spelling of a value. NotPlain names what can't be spelt, or what is too much.

    other: makes a Tensor or a number of what is none of the base types; None where it can't.
    """
    left = [MAX_PLAIN]
    text = json.dumps(_spell(value, other, 0, left), separators=(",", ":")).encode()
    if len(text) > MAX_BYTES:
        raise NotPlain(f"more than {MAX_BYTES >> 20} MB of data")
    return text


def _spell(value: Any, other: Callable[[Any], Any], depth: int, left: list[int]) -> Any:
    # type(), not isinstance: an object may claim another class
    left[0] -= 1
    if depth > MAX_DEPTH or left[0] < 0:
        raise NotPlain("something nested too deeply, or in itself" if left[0] >= 0 else "too many values")
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is float:
        return ["f", value.hex()]
    if issubclass(kind, int):
        number = int.__int__(value)
        if -SMALL < number < SMALL:
            return number
        digits = int.__format__(number, "x")
        if len(digits) > MAX_HEX:
            raise NotPlain("an integer of too many digits")
        return ["i", digits]
    if issubclass(kind, float):
        return ["f", float.hex(float.__float__(value))]
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, bytes):
        return ["b", bytes.hex(value)]
    if issubclass(kind, bytearray):
        return ["b", bytearray.hex(value)]

    def inner(one: Any) -> Any:
        return _spell(one, other, depth + 1, left)

    for base, tag in ((list, "l"), (tuple, "t")):
        if issubclass(kind, base):
            return [tag, *(inner(one) for one in base.__iter__(value))]
    for unordered in (set, frozenset):
        if issubclass(kind, unordered):
            spelt = [inner(one) for one in unordered.__iter__(value)]
            return ["s", *sorted(spelt, key=json.dumps)]
    if issubclass(kind, dict):
        pairs = list(dict.items(value))
        return ["d", *(inner(one) for pair in pairs for one in pair)]
    found = other(value)
    if type(found) in (bool, int, float):
        return inner(found)
    if type(found) is not Tensor:
        name = str(type.__getattribute__(kind, "__name__"))[:80]
        raise NotPlain(f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}")
    return ["T", found.dtype, list(found.shape), found.data.hex()]


def decode(data: bytes) -> Any:
    """The value that was encoded, each tensor a Tensor; ValueError where `data` is not how one is spelt."""
    if len(data) > MAX_BYTES:
        raise ValueError("too long")
    try:
        spelt = json.loads(data, parse_float=_refuse, parse_constant=_refuse)
        value = _read(spelt, 0)
        again = encode(value)
    except (RecursionError, TypeError, IndexError, OverflowError, NotPlain) as error:
        raise ValueError(f"not plain data: {type(error).__name__}") from None
    if again != data:
        raise ValueError("not the one spelling of its value")
    return value


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is not spelt so")


def _read(spelt: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if type(spelt) is not list:
        if spelt is None or type(spelt) in (bool, int, str):
            return spelt
        raise ValueError("an object")
    if len(spelt) == 2:
        tag, text = spelt
        if tag == "f":
            return float.fromhex(text)
        if tag == "i":
            return int(text, 16)
        if tag == "b":
            return bytes.fromhex(text)
    elif len(spelt) == 4 and spelt[0] == "T":
        return _tensor(spelt[1], spelt[2], bytes.fromhex(spelt[3]))
    tag, *rest = spelt
    values = [_read(one, depth + 1) for one in rest]
    if tag == "l":
        return values
    if tag == "t":
        return tuple(values)
    if tag == "s":
        return set(_spread(values))
    if tag == "d":
        return dict(zip(_spread(values[::2]), values[1::2], strict=True))
    raise ValueError("an unknown tag")


def _spread(keys: list[Any]) -> list[Any]:
    """The same keys; ValueError where many have one hash, with which a set of them would take minutes."""
    if keys and max(Counter(map(hash, keys)).values()) > MAX_ALIKE:
        raise ValueError("keys chosen for their hash")
    return keys


def _tensor(dtype: Any, shape: Any, data: bytes) -> Tensor:
    if type(dtype) is not str or not dtype.isidentifier() or len(dtype) > 40:
        raise ValueError("a type without a name")
    if type(shape) is not list or len(shape) > MAX_DIMS:
        raise ValueError("a shape that is none")
    count = 1
    for size in shape:
        if type(size) is not int or not 0 <= size <= MAX_BYTES:
            raise ValueError("a dimension that is no size")
        count *= size
    if len(data) != count * WIDTH.get(dtype, 8):
        raise ValueError("a tensor of another size than its shape says")
    return Tensor(dtype, tuple(shape), data)


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of plain data, `change` applied to all in it that is no container."""
    kind = type(value)
    if kind in (list, tuple, set):
        return kind(rebuilt(one, change) for one in value)
    if kind is dict:
        return {rebuilt(k, change): rebuilt(v, change) for k, v in value.items()}
    return change(value)


KINDS = {"i": "int", "f": "float", "b": "bytes", "l": "list", "t": "tuple", "s": "set", "d": "dict"}


@lru_cache(4096)  # of references, which are the same for each submission
def kind(data: bytes, called: bool) -> str:
    """An encoded value's type, or a tensor's shape; where `called` that of each result of a driver's."""
    spelt = json.loads(data)
    found = {_kind(one) for one in (spelt[2::2] if called and _kind(spelt) == "dict" else [spelt])}
    return found.pop() if len(found) == 1 else "varies"


def _kind(spelt: Any) -> str:
    if not isinstance(spelt, list):
        return "None" if spelt is None else type(spelt).__name__
    return times(spelt[2]) if spelt[0] == "T" else KINDS[spelt[0]]


def short(number: int) -> str:
    """An integer in decimal, or its length where that is long: Python refuses to write the longest."""
    return str(number) if abs(number) < 1 << 128 else f"a number of {number.bit_length()} bits"
