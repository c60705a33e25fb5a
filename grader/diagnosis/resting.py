"""Which wrong output rests on which: what its calls go through, by the text of driver and functions. Pure.

What is told by values of an output that rests on a wrong one may be that one's mistake, seen from afar.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from grader.core.exercise import Exercise, Output, definition
from grader.diagnosis.syntax import OPERATORS, Definition, definitions

Definitions = Mapping[str, Definition]


def first(wrong: Sequence[Output], exercise: Exercise, source: bytes) -> dict[str, Output]:
    """By the name of a wrong output: another one that it goes through, and which does not go through it.

    wrong: in the order of the exercise, whose drivers call the learner's `source`.
    """
    if len(wrong) < 2:
        return {}
    own, drivers = definitions(source), definitions(exercise.program.encode())
    through = {o.name: goes_through(o, drivers, own) for o in wrong}
    covered = {o.name: _covered(o, exercise.outputs, own) for o in wrong}
    found = {}
    for number, output in enumerate(wrong):
        for place, other in enumerate(wrong):
            mutual = covered[output.name] & through[other.name]
            if (
                other.about != output.about
                and covered[other.name] & through[output.name]
                and (place < number or not mutual)
            ):
                found[output.name] = other
                break
    return found


def _covered(output: Output, outputs: Sequence[Output], own: Definitions) -> set[str]:
    """What an output is about; of a class whose methods have outputs of their own, the other methods."""
    apart = {o.about for o in outputs if o.about.startswith(f"{output.about}.")}
    given = {f"{output.about}.{m}" for m in ("__init__", "__repr__")}
    rest = {n for n in own if n.startswith(f"{output.about}.")} - apart - given
    return rest if apart else {output.about}


def goes_through(output: Output, drivers: Definitions, own: Definitions) -> set[str]:
    """The definitions of `own` that the calls of an output go through."""
    if output.driver not in drivers:
        return reached(own, [output.judged])
    seen = [drivers[name] for name in reached(drivers, [output.driver])]
    called = {n for node in seen for n in _called(node, own, _operators(node), output.asks)}
    called -= {output.about.replace(".__r", ".__")}  # 2 - a is a's __rsub__, if that is what is asked for
    return reached(own, {output.about, *(n for n in called if "." not in n or definition(n) in output.asks)})


def reached(own: Definitions, start: Collection[str]) -> set[str]:
    """What some definitions call, or what these call, and they themselves.

    A method counts where its class does.
    """
    called, found = {name for name in start if name in own}, set[str]()
    while True:
        classes = {definition(n) for n in (*start, *found)}
        new = {n for n in called if "." not in n or definition(n) in classes} - found
        if not new:
            return found
        found |= new
        for name in new:
            node = own[name]
            if isinstance(node, ast.ClassDef):  # it is made, and called; other methods by their names
                called |= own.keys() & {f"{name}.{m}" for m in ("__init__", "__call__", "forward")}
            else:
                called |= _called(node, own, _of_self(node) if "." in name else _operators(node))


def _called(node: ast.AST, own: Definitions, methods: set[str], asked: Collection[str] = ()) -> set[str]:
    """The definitions that a function names, and methods by the last part: not what it is passed, or sets.

    methods: those that its operators stand for. asked: the parameters of a driver that are the learner's.
    """
    nodes = list(ast.walk(node))
    names = [n for n in nodes if isinstance(n, ast.Name)]
    hidden = {n.arg for n in nodes if isinstance(n, ast.arg)}.difference(asked)
    hidden |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
    read = {n.id for n in names if isinstance(n.ctx, ast.Load)} - hidden
    coding = {id(n.func) for n in nodes if isinstance(n, ast.Call) and _of_text(n)}
    attributes = [n for n in nodes if isinstance(n, ast.Attribute) and id(n) not in coding]
    methods = methods | {n.attr for n in attributes if isinstance(n.ctx, ast.Load)}
    return {n for n in own if n in read or "." in n and n.rpartition(".")[2] in methods}


def _of_text(call: ast.Call) -> bool:
    """Whether it is text's own encode or decode: a tokenizer's always gets something that is no encoding."""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    first = call.args[0] if call.args else ast.Constant("utf-8")
    return method in ("encode", "decode") and isinstance(first, ast.Constant) and first.value == "utf-8"


def _used(node: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """The methods that operators stand for, each with its operands; not those of attributes, as x.grad."""
    for n in ast.walk(node):
        match n:
            case ast.BinOp(ast.Attribute(), _, _) | ast.BinOp(_, _, ast.Attribute()):
                pass
            case ast.BinOp(left=left, op=op, right=right):
                yield OPERATORS.get(type(op), ""), [left, right]
            case ast.UnaryOp(op=op, operand=ast.Name() as operand):
                yield OPERATORS.get(type(op), ""), [operand]


def _operators(node: ast.AST) -> set[str]:
    return {method for method, _ in _used(node)}


def _of_self(node: Definition) -> set[str]:
    """The methods that a method's operators stand for where one operand is the object itself."""
    return {
        m for m, operands in _used(node) if any(isinstance(o, ast.Name) and o.id == "self" for o in operands)
    }
