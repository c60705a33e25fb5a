"""What a learner's function asks for: its parameters, by name; and a driver's calls, by what they say."""

from __future__ import annotations

import difflib
import dis
import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from itertools import compress
from typing import Any

from grader.core import plain
from grader.core.exercise import Exercise, Item, Output

RAISES = "raises"  # the only key of what stands for an exception that a driver waits for
SHOWN = 70  # characters of a call's argument that are shown


def calls(
    name: str, function: Callable[..., Any], *cases: tuple[Any, ...], wants: tuple[type[Exception], ...] = ()
) -> dict[str, Any]:
    """What a function gives for each tuple of arguments, by the call as it is written: "merge([1, 1], …)".

    It gets copies. wants: exceptions that are results too, {"raises": "ValueError"}.
    """
    found: dict[str, Any] = {}
    for case in cases:
        said = f"{name}({', '.join(map(written, case))})"
        try:
            found[said] = function(*(plain.rebuilt(one, _copy) for one in case))
        except wants as error:
            found[said] = {RAISES: type(error).__name__}
        except Exception as error:
            error.add_note(said)
            raise
    return found


def _copy(one: Any) -> Any:
    return one.clone() if hasattr(one, "clone") else one


def written(value: Any, most: int = SHOWN) -> str:
    """An argument as it is written in a call, cut where it is long; a tensor by its shape."""
    said = _written(value)
    return said if len(said) <= most else said[: most - 1] + "…"


def _written(value: Any) -> str:
    kind = type(value)
    if kind is dict:
        return f"{{{', '.join(f'{_written(k)}: {_written(v)}' for k, v in value.items())}}}"
    if kind is set:
        return f"{{{', '.join(sorted(map(_written, value)))}}}" if value else "set()"
    if kind is list:
        return f"[{', '.join(map(_written, value))}]"
    if kind is tuple:
        return f"({', '.join(map(_written, value))}{',' * (len(value) == 1)})"
    if kind is float:
        return f"{value:.6g}"
    if hasattr(value, "shape"):
        return f"a tensor of {tuple(value.shape)}"
    return getattr(value, "__name__", None) or (
        repr(value) if kind in (str, bytes, bool, int) or value is None else f"a {kind.__name__}"
    )


class BadRequest(Exception):
    """A parameter names something that can't be injected."""


@dataclass(frozen=True)
class Call:
    """How to call one function: which names go by position and which by keyword, what it reads."""

    function: Callable[..., Any]
    positional: tuple[str, ...]
    keywords: tuple[str, ...]
    reads: tuple[str, ...]
    fill: Mapping[str, Any]  # defaults of parameters that nothing is injected for

    @cached_property
    def injected(self) -> tuple[str, ...]:
        """The names that it gets, beside its own defaults."""
        return tuple(k for k in (*self.positional, *self.keywords) if k not in self.fill)

    @cached_property
    def line(self) -> int | None:
        """The line where the function stands."""
        return line_of(self.function)

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        """Call the function with its arguments out of `arguments`."""
        if self.fill:
            arguments = {**self.fill, **arguments}
        given = [arguments[k] for k in self.positional]
        if not self.keywords:
            return self.function(*given)
        return self.function(*given, **{k: arguments[k] for k in self.keywords})


def _parameters(function: Any, name: str) -> Iterable[tuple[str, Any, Any]]:
    """Name, kind and default of each parameter."""
    code = getattr(function, "__code__", None)
    plain = type(function) is types.FunctionType and not (function.__dict__ or function.__kwdefaults__)
    if plain and code and not (function.__defaults__ or code.co_flags & 12 or code.co_kwonlyargcount):
        kind = Parameter.POSITIONAL_OR_KEYWORD
        return [(n, kind, Parameter.empty) for n in code.co_varnames[: code.co_argcount]]
    try:
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        raise BadRequest(f"the parameters of {name} can't be read") from None


def resolve(function: Any, item: Item, given: Collection[str], exercise: Exercise) -> Call:
    """What a function asks for by name, and which upstream gradients its code reads.

    given: the names of all that can be injected. BadRequest where the function asks for more.
    """
    if not callable(function):
        raise BadRequest(f"{item.name} is not a function")
    positional: list[str] = []
    keywords: list[str] = []
    fill: dict[str, Any] = {}
    hidden = False

    def keep(name: str, kind: Any, default: Any) -> None:
        """Its own default, in its place, so that the parameters after it keep theirs."""
        if kind is not Parameter.KEYWORD_ONLY and not keywords:
            positional.append(name)
            fill[name] = default

    for name, kind, default in _parameters(function, item.name):
        if kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            hidden = True
        elif isinstance(item, Output) and default is not Parameter.empty and name not in item.params:
            keep(name, kind, default)
        elif name in item.available or (name in given and not exercise.is_gradient(name)):
            by_position = kind is Parameter.POSITIONAL_ONLY or not (
                keywords or kind is Parameter.KEYWORD_ONLY
            )
            (positional if by_position else keywords).append(name)
        elif default is Parameter.empty:
            raise BadRequest(why_not(name, item, exercise, given))
        else:
            keep(name, kind, default)
    if hidden and not positional and not keywords:
        raise BadRequest(
            f"the parameters of {item.name} are hidden behind * or **: name them, or use functools.wraps"
        )
    used = loads(function)
    reads = [k for k in (*positional, *keywords) if k in item.available and (used is None or k in used)]
    return Call(function, tuple(positional), tuple(keywords), tuple(reads), fill)


def why_not(name: str, item: Item, exercise: Exercise, given: Collection[str]) -> str:
    """Why a name is nothing that an item's function can ask for."""
    if name == item.name:
        return f"{name} asks for {name} itself, the gradient it is to return"
    if exercise.is_gradient(name):
        have = ", ".join(item.available) or "none"
        return f"{name} does not exist yet when the backward pass reaches {item.name} (there is: {have})"
    close = difflib.get_close_matches(name, [*given, *item.available], 1)
    others = (*(t for t in exercise.tensors if t in given), *item.available)
    others = item.params if isinstance(item, Output) else others
    hint = f"; did you mean {close[0]}?" if close else f": there are {', '.join(others)}" if others else ""
    return f"there is nothing called {name} to pass to {item.name}{hint}"


_TWO = bytes(  # by operation, whether its argument is two local names; whether it is one
    name.endswith(("LOAD_FAST_LOAD_FAST", "BORROW_LOAD_FAST_BORROW")) or name == "STORE_FAST_LOAD_FAST"
    for name in dis.opname[:256]
)
_ONE = bytes(name.startswith("LOAD_FAST") and not two for name, two in zip(dis.opname, _TWO, strict=False))


def loads(function: Any) -> set[str] | None:
    """The local names that a function's own code loads, nested functions included; None: can't be seen.

    Reads the bytecode's bytes all at once: `dis` builds an object for each, which a fork pays for twice.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    if not isinstance(code, types.CodeType) or {"locals", "vars", "eval", "exec"} & set(code.co_names):
        return None
    names = {n for c in code.co_consts if isinstance(c, types.CodeType) for n in c.co_freevars}
    local, raw = code.co_varnames, code.co_code
    operations, arguments = raw[::2], raw[1::2]
    loaded = set(compress(arguments, operations.translate(_ONE)))
    for two in set(compress(arguments, operations.translate(_TWO))):
        loaded |= {two >> 4, two & 15}
    return names.union(local[i] for i in loaded if i < len(local))


def line_of(function: Any) -> int | None:
    """The line of a function's only statement, where that is a `return`; else the one it begins on."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if not isinstance(code, types.CodeType):
        return None
    begin = code.co_firstlineno
    if code.co_nlocals > code.co_argcount + code.co_kwonlyargcount:
        return begin
    return min((line for _, _, line in code.co_lines() if line and line > begin), default=begin)
