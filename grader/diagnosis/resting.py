"""Which wrong output rests on which: what its calls go through, by the text of driver and functions. Pure.

What is told by values of an output that rests on a wrong one may be that one's mistake, seen from afar.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.core.exercise import Output
from grader.diagnosis.syntax import OPERATORS, Definition, definitions

Definitions = Mapping[str, Definition]


def first(wrong: Sequence[Output], program: str, source: bytes) -> dict[str, Output]:
    """By the name of a wrong output: another one that it goes through, and which does not go through it.

    wrong: in the order of the exercise. program: the authored one, whose drivers call the learner's `source`.
    """
    if len(wrong) < 2:
        return {}
    own, drivers = definitions(source), definitions(program.encode())
    through = {o.name: _through(o, drivers, own) for o in wrong}
    found = {}
    for number, output in enumerate(wrong):
        for place, other in enumerate(wrong):
            mutual = output.about in through[other.name]
            if (
                other.about != output.about
                and other.about in through[output.name]
                and (place < number or not mutual)
            ):
                found[output.name] = other
                break
    return found


def _through(output: Output, drivers: Definitions, own: Definitions) -> set[str]:
    """The definitions of `own` that the calls of an output go through."""
    if output.driver not in drivers:
        return reached(own, [output.judged])
    seen = [drivers[name] for name in reached(drivers, [output.driver])]
    named = _by_word(own)
    return reached(
        own, [n for node in seen for w in _words(node) | _operators(node) for n in named.get(w, ())]
    )


def reached(own: Definitions, start: Sequence[str]) -> set[str]:
    """What some definitions call, or what these call, and they themselves."""
    found: set[str] = set()
    todo = [name for name in start if name in own]
    named = _by_word(own)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        node = own[name]
        if isinstance(node, ast.ClassDef):  # it is made, and called; other methods by their names
            todo += [m for m in (f"{name}.__init__", f"{name}.__call__", f"{name}.forward") if m in own]
            continue
        words = _words(node) | (_operators(node) if "." not in name else _of_self(node))
        todo += [n for w in words for n in named.get(w, ()) if n not in found]
    return found


def _by_word(own: Definitions) -> dict[str, list[str]]:
    """The definitions by the word that calls them: a function's name, and of a method the last part of it."""
    named: dict[str, list[str]] = {}
    for name in own:
        named.setdefault(name.rpartition(".")[2], []).append(name)
    return named


def _words(node: ast.AST) -> set[str]:
    """The names that are read, and attributes."""
    return {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(node)
        if isinstance(n, ast.Name | ast.Attribute) and isinstance(n.ctx, ast.Load)
    }


def _used(node: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """The methods that operators stand for, each with its operands."""
    for n in ast.walk(node):
        match n:
            case ast.BinOp(left=left, op=op, right=right):
                yield OPERATORS.get(type(op), ""), [left, right]
            case ast.UnaryOp(op=op, operand=operand) if not isinstance(operand, ast.Constant):
                yield OPERATORS.get(type(op), ""), [operand]


def _operators(node: ast.AST) -> set[str]:
    return {method for method, _ in _used(node)}


def _of_self(node: Definition) -> set[str]:
    """The methods that a method's operators stand for where one operand is the object itself."""
    return {
        m for m, operands in _used(node) if any(isinstance(o, ast.Name) and o.id == "self" for o in operands)
    }
