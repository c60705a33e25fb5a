"""Numbers that change with the sizes, as expressions in them; and other sizes to try. Pure."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class Unknown(Exception):
    """No short expression in the sizes gives these numbers."""


def expression(values: Sequence[Any], settings: Sequence[Mapping[str, int]]) -> ast.expr:
    """The shortest expression in the sizes that is `values` at each of the settings; Unknown without one."""
    names = [n for n in settings[0] if len({s[n] for s in settings}) > 1]
    if all(v < 0 for v in values):
        return ast.UnaryOp(ast.USub(), expression([-v for v in values], settings))
    vectors = tuple((n, tuple(s[n] for s in settings)) for n in names)
    return ast.parse(_found(tuple(values), vectors), mode="eval").body


@functools.cache
def _found(values: tuple[Any, ...], vectors: tuple[tuple[str, tuple[int, ...]], ...]) -> str:
    for text in _texts([n for n, _ in vectors], any(isinstance(v, float) for v in values)):
        code = compile(text, "size", "eval")
        try:
            for at, value in enumerate(values):
                got = eval(code, {n: v[at] for n, v in vectors})
                if abs(got - value) > 1e-9 * abs(value) or (type(value) is int and type(got) is not int):
                    break
            else:
                return text
        except ZeroDivisionError:  # 1 / (n - 4)
            continue
    raise Unknown(str(values))


def _texts(names: Sequence[str], floats: bool) -> Iterator[str]:
    whole = list(_whole(names))
    if floats:
        yield from (f"{a} / {b}" for a, b in itertools.permutations(names, 2))
        for one in whole:
            one = f"({one})" if set(one) & set("*/+- ") else one
            yield f"{one} ** -0.5"
            yield f"{one} ** 0.5"
            yield f"1 / {one}"
            yield f"{one} / 1"
            yield f"1 / {one} ** 0.5"
            yield f"2 / {one}"
            yield f"1 / (2 * {one}) ** 0.5"
        return
    yield from whole


def _whole(names: Sequence[str]) -> Iterator[str]:
    pairs = list(itertools.combinations_with_replacement(names, 2))
    yield from names
    yield from (f"{n} {sign} 1" for n in names for sign in "-+")
    yield from (text for k in range(2, 9) for n in names for text in (f"{k} * {n}", f"{n} // {k}"))
    yield from (f"{n} {sign} {k}" for k in range(2, 9) for n in names for sign in "-+")
    for a, b in pairs:
        yield f"{a} * {b}"
        yield f"{a} * {b} - 1"
    for a, b in itertools.permutations(names, 2):
        yield f"{a} // {b}"
        yield f"{a} + {b}"
        yield f"{a} - {b}"
    for k in range(2, 5):
        for a, b in itertools.product(names, repeat=2):
            yield f"{k} * {a} * {b}"
            yield f"{a} * {b} // {k}"
            yield f"{a} * ({b} // {k})"
            yield f"{a} * ({b} - {k - 1})"
            yield f"{a} * ({b} + {k - 1})"
            yield f"{k} * {a} + {b}"
            yield f"{k} * ({a} // {b})"
    for k, m in itertools.product(range(2, 9), range(1, 5)):
        for n in names:
            yield f"{k} * {n} + {m}"
            yield f"{k} * {n} - {m}"
            yield f"({n} - {m}) // {k}"
            yield f"({n} + {m}) // {k}"
            yield f"({n} - {m}) // {k} + 1"
            yield f"{k} * {n} // {m}"
    for a, b, c in itertools.product(names, repeat=3):
        yield f"{a} * {b} * {c}"
        yield f"{a} * {b} // {c}"
        yield f"{a} * ({b} // {c})"
    for a, b, c, e in itertools.combinations_with_replacement(names, 4):
        yield f"{a} * {b} * {c} * {e}"
    for n in names:
        for k, m, j in itertools.product((2, 4), range(9), range(1, 9)):
            yield f"{j} * (({n} - {m}) // {k} + 1) ** 2"
            yield f"{j} * ({n} // {k} - {m}) ** 2"
    for a, b in itertools.product(names, repeat=2):
        for k in range(2, 5):
            yield f"{a} * ({b} // {k}) ** 2"
            yield f"({a} // {k}) * ({b} // {k})"
            yield f"{a} * {b} ** 2 // {k}"
    for a, b, c in itertools.product(names, repeat=3):
        for k in range(2, 5):
            yield f"{k} * {a} * {b} * {c}"
            yield f"{a} * ({b} // {k}) * ({c} // {k})"


def others(value: int) -> Iterator[int]:
    """Other values for a size, small ones first."""
    tried = [value + 1, value - 1, value + 2, value - 2, value + 3, 2 * value, 3 * value, value // 2,
             value + 4, value - 3, value - 4, 4 * value, value + 6, value + 8]  # fmt: skip
    return iter(dict.fromkeys(v for v in tried if v > 1 and v != value))
