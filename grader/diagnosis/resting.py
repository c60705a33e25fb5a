"""Which wrong output rests on which: what its calls go through, by the text of driver and functions. Pure.

What is told by values of an output that rests on a wrong one may be that one's mistake, seen from afar.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.core.exercise import Output
from grader.diagnosis.syntax import OPERATORS, tree

Definition = ast.FunctionDef | ast.ClassDef
Definitions = Mapping[str, Definition]  # functions and classes by name, methods as Value.tanh


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


def definitions(source: bytes) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for node in tree(source).body:
        if isinstance(node, Definition):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{m.name}": m for m in node.body if isinstance(m, ast.FunctionDef)}
    return found


def _through(output: Output, drivers: Definitions, own: Definitions) -> set[str]:
    """The definitions of `own` that the calls of an output go through."""
    found: set[str] = set()
    if output.driver in drivers:
        seen = reached(drivers, [output.driver])
        words = {w for name in seen for w in (*_words(drivers[name]), *_operators(drivers[name]))}
        start = [n for n in own if n in words or n.rpartition(".")[2] in words and "." in n]
    else:
        start = [output.judged]
    found |= reached(own, start)
    return found


def reached(own: Definitions, start: Sequence[str]) -> set[str]:
    """What some definitions call, or what these call, and they themselves."""
    found: set[str] = set()
    todo = [name for name in start if name in own]
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
        todo += [n for n in own if n in words or "." in n and n.rpartition(".")[2] in words]
    return found


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
