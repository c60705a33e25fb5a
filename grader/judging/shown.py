"""Two values side by side, cut to where they first differ. Pure; NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.core import plain
from grader.core.calling import RAISES
from grader.core.plain import Tensor
from grader.core.text import text

LONG = 40  # characters of a value that are shown
WHOLE = 70  # of one that is shown with another: a longer one is cut to what differs
BESIDE = 2  # entries that are shown on either side of the one that differs
AROUND = 12  # characters of a text, likewise


def both(came: Any, wanted: Any, path: tuple[Any, ...]) -> tuple[str, str]:
    """Two values as they are written, each cut around the place that differs, to which `path` leads."""
    inner = came, wanted
    for key in path:
        inner = _at(inner[0], key), _at(inner[1], key)
    if type(inner[0]) is type(inner[1]) and type(inner[0]) in (str, bytes):
        pairs = enumerate(zip(*inner, strict=False))
        path = (*path, next((k for k, (x, y) in pairs if x != y), min(map(len, inner))))
    said = [_around(one, path, 6) for one in (came, wanted)]
    if said[0] == said[1]:  # a difference in the last digits
        said = [_around(one, path, 17) for one in (came, wanted)]
    if said[0] == said[1]:
        said = [f"{type(inner[k]).__name__} {said[k]}" for k in (0, 1)]
    return text(said[0]), text(said[1])


def _at(value: Any, key: Any) -> Any:
    """What a value has at a key, or nothing."""
    try:
        return value[key]
    except (TypeError, LookupError):
        return None


def _around(value: Any, path: tuple[Any, ...], digits: int) -> str:
    if type(value) is Tensor and _came(value):
        value = array(value)
    whole = _written(value, digits)
    if len(whole) <= WHOLE or not path:
        return whole if len(whole) <= WHOLE else f"{whole[:WHOLE]}…"
    key, rest = path[0], path[1:]
    if type(value) in (str, bytes):
        begin = max(0, key - AROUND)
        cut = repr(value[begin : key + 2 * AROUND])
        return f"{'…' * (begin > 0)}{cut}{'…' * (key + 2 * AROUND < len(value))}"
    if isinstance(value, (list, tuple, np.ndarray)) and type(key) is int:
        begin, end = max(0, min(key, len(value)) - BESIDE), key + BESIDE + 1
        parts = [_around(x, rest, digits) if k == key else _short(x, digits) for k, x in enumerate(value)]
        inside = ["…"] * (begin > 0) + parts[begin:end] + ["…"] * (end < len(value))
        return ("({})" if type(value) is tuple else "[{}]").format(", ".join(inside))
    if type(value) is dict:
        inside = [f"{_short(key, digits)}: {_around(value[key], rest, digits)}"] if key in value else []
        return f"{{{', '.join([*inside, '…'])}}}"
    return f"{whole[:WHOLE]}…"


def _short(value: Any, digits: int) -> str:
    said = _written(value, digits)
    return said if len(said) <= LONG else f"{said[:LONG]}…"


def _written(value: Any, digits: int) -> str:
    """A value as it is written, floats rounded; whole."""
    kind = type(value)
    if kind is Tensor:
        if not _came(value):
            return f"a tensor of {value.dtype}"
        value = array(value)
    if isinstance(value, (np.ndarray, np.generic)):  # an entry of an array too
        value = value.tolist()
        kind = type(value)
    if kind is float:
        return f"{value + 0.0:.{digits}g}"  # no -0
    if kind is int:
        return plain.short(value)
    if kind is dict:
        if value.keys() == {RAISES}:
            return f"a {value[RAISES]}"
        return f"{{{', '.join(f'{_written(k, digits)}: {_written(v, digits)}' for k, v in value.items())}}}"
    if kind is list:
        return f"[{', '.join(_written(v, digits) for v in value)}]"
    if kind is tuple:
        return f"({', '.join(_written(v, digits) for v in value)}{',' * (len(value) == 1)})"
    if kind is set:
        return f"{{{', '.join(sorted(_written(v, digits) for v in value))}}}" if value else "set()"
    return repr(value)


def _came(tensor: Tensor) -> bool:
    """Whether a tensor's numbers were sent: those of complex ones, say, are not."""
    return bool(tensor.data) or 0 in tensor.shape


def shown(value: Any) -> str:
    """A value as it is written, cut where it is long."""
    return text(_short(value, 6))


def array(tensor: Tensor) -> NDArray[Any]:
    sent = np.float32 if tensor.dtype == "float32" else np.float64
    return np.frombuffer(tensor.data, np.dtype(sent).newbyteorder("<")).reshape(tensor.shape)
