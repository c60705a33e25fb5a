"""Flat code whose blocks, functions and classes that make gradients are opened. Runs nothing of a submission.

A block that trains gives its statements; a function's are put where it is called, those of a class's methods
where its object is made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from grader.core import parsing
from grader.submissions.flat import reads_writes
from grader.submissions.flat.compared import compared


def opened(node: ast.stmt) -> list[ast.stmt]:
    """The statements of a `with` block, of a marimo cell, of a loop that makes gradients, a training loop, or
    that ends in its first round, and of an `if` that holds for sure."""
    cell = isinstance(node, ast.FunctionDef) and any(
        ast.unparse(d) == "app.cell" for d in node.decorator_list
    )
    if cell or isinstance(node, ast.With) and not any(i.optional_vars for i in node.items):
        body = [n for n in node.body if not isinstance(n, ast.Return)]  # type: ignore[attr-defined]
        return [inner for child in body for inner in opened(child)]
    once = _first_round(node)
    if once or (isinstance(node, ast.For | ast.While | ast.If) and not node.orelse and _trains(node)):
        return [inner for child in once or node.body for inner in opened(child)]  # type: ignore[attr-defined]
    if isinstance(node, ast.If) and not node.orelse and _always(node.test):
        return [inner for child in node.body for inner in opened(child)]
    return [node]


def _always(test: ast.expr) -> bool:
    """`True`, or `__name__ == "__main__"`."""
    main = isinstance(test, ast.Compare) and getattr(test.left, "id", "") == "__name__"
    return main or isinstance(test, ast.Constant) and bool(test.value)


def _first_round(node: ast.stmt) -> list[ast.stmt]:
    """The statements of a loop that goes round once, after its variable's; none of any other."""
    if not isinstance(node, ast.For | ast.While):
        return []
    body, ends = list[ast.stmt](), isinstance(node, ast.For) and ast.unparse(node.iter) == "range(1)"
    for child in node.body:
        inner = child.body if isinstance(child, ast.If) and _in_first(child.test) else [child]
        ends = ends or isinstance(inner[-1], ast.Break)
        body += inner[:-1] if isinstance(inner[-1], ast.Break) else [child]
        if isinstance(inner[-1], ast.Break):
            break
    if isinstance(node, ast.For) and ends:
        first = parsing.expression(f"next(iter({ast.unparse(node.iter)}))")
        bind = ast.Assign([node.target], first)
        body.insert(0, ast.fix_missing_locations(ast.copy_location(bind, node)))
    return body if ends else []


def _in_first(test: ast.expr) -> bool:
    """Whether a test holds in a loop's first round: `True`, `step == 0`, `step >= 0`."""
    counted = isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Eq | ast.GtE)
    return _always(test) or counted and ast.unparse(test.comparators[0]) == "0"  # type: ignore[attr-defined]


def _trains(node: ast.For | ast.While | ast.If | ast.FunctionDef) -> bool:
    """Whether a block's own statements name several gradients anew, or a function's one that it compares."""
    stored = _gradients_of(node)
    return (
        len(stored) >= 4
        or isinstance(node, ast.FunctionDef)
        and (any(c.gradient in _stored(node) for c in compared([node])) or node.name == "main")
    )


def _gradients_of(node: ast.stmt) -> set[str]:
    """The names like a gradient's that a block's statements give a value."""
    assigns = (child for child in reads_writes.walk(node) if isinstance(child, ast.Assign))
    stored = set().union(*(_stored(target) for child in assigns for target in child.targets))
    return {name for name in stored if re.match(r"d[A-Za-z_]", name)}


def _stored(node: ast.AST) -> set[str]:
    """The names that are given a value anywhere in a piece of code."""
    return {n.id for n in reads_writes.walk(node) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}


def run_in_place(nodes: list[ast.stmt]) -> list[ast.stmt]:
    """A function that makes several gradients which nothing outside of functions makes after it: its body is
    put before what calls it first, as if it had been run there.
    """
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef) and (_trains(n) or _tells_gradients(n))]
    if not functions:
        return nodes
    nodes = _unpacked(nodes, functions)
    made: dict[str, ast.FunctionDef] = {}
    outside: set[str] = set()
    for node in reversed(nodes):
        if node in functions and isinstance(node, ast.FunctionDef):
            if not _gradients_of(node) & outside:
                made.setdefault(node.name, node)
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef):
            outside |= _stored(node)
    found: list[ast.stmt] = []
    placed: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Expr) and called(node.value) in placed:
            continue
        own = isinstance(node, ast.FunctionDef | ast.ClassDef)
        call = next((c for c in reads_writes.walk(node) if not own and called(c) in made), None)
        if isinstance(call, ast.Call):
            placed.add(called(call))
            found += _body(made.pop(called(call)), call)
            if isinstance(node, ast.Expr) and node.value is call:
                continue
        found.append(node)
    for node in made.values():  # nothing calls it
        found[(at := found.index(node) + 1) : at] = _body(node, None)
    return found


def _unpacked(nodes: list[ast.stmt], functions: Sequence[ast.FunctionDef]) -> list[ast.stmt]:
    """Where `dh, dW2 = back(dlogits)` names what a function returns by the function's own names: its body."""
    for function in functions:
        *_, last = function.body
        if not (isinstance(last, ast.Return) and (wanted := _listed(last.value))):
            continue
        calls = [n for n in nodes if isinstance(n, ast.Assign) and called(n.value) == function.name]
        others = [n for n in nodes if n is not function]
        used = [name for n in others for c in reads_writes.walk(n) if (name := getattr(c, "id", ""))]
        if len(calls) != 1 or used.count(function.name) != 1 or _listed(calls[0].targets[0]) != wanted:
            continue
        parts = reads_writes.walk(function)
        counted = set().union(*(_stored(n.target) for n in parts if isinstance(n, ast.For)))
        own = _stored(function) - {*wanted} - counted - {a.arg for a in function.args.args}
        if sum(isinstance(n, ast.Return) for n in parts) == 1 and not own & {*used}:
            assert isinstance(call := calls[0].value, ast.Call)
            at = nodes.index(calls[0])
            nodes = [*nodes[:at], *_body(function, call), *nodes[at + 1 :]]
    return nodes


def _listed(value: ast.expr | None) -> list[str]:
    """The names of `dh, dW2`; none where it is no such list of names."""
    elements = value.elts if isinstance(value, ast.Tuple | ast.List) else []
    found = [e.id for e in elements if isinstance(e, ast.Name)]
    return found if len(found) == len(elements) else []


def called(node: ast.AST) -> str:
    """The name of the function that a call calls; empty for anything else."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _tells_gradients(node: ast.FunctionDef) -> bool:
    """Whether a function makes gradients that it declares global."""
    told = {name for n in reads_writes.walk(node) if isinstance(n, ast.Global) for name in n.names}
    return bool(told & _gradients_of(node))


def _body(node: ast.FunctionDef, call: ast.Call | None) -> list[ast.stmt]:
    """A function's statements outside of it, after its parameters have got the call's values."""
    bound: list[ast.stmt] = []
    for parameter, value in zip(node.args.args, call.args if call else [], strict=False):
        if not (isinstance(value, ast.Name) and value.id == parameter.arg) and not isinstance(
            value, ast.Starred
        ):
            bind = ast.Assign([ast.Name(parameter.arg, ast.Store())], value)
            bound.append(ast.fix_missing_locations(ast.copy_location(bind, node.body[0])))
    body = [n for n in node.body if not isinstance(n, ast.Return | ast.Global | ast.Nonlocal)]
    return bound + [inner for child in body for inner in opened(child)]


def unclassed(nodes: list[ast.stmt]) -> list[ast.stmt]:
    """A class whose methods make gradients as attributes of its one object: their statements, where that is
    made, with x for self.x. What a method returns must be of no use."""
    for one in [n for n in nodes if isinstance(n, ast.ClassDef)]:
        methods = [n for n in one.body if isinstance(n, ast.FunctionDef) and n.args.args]
        own = {m.args.args[0].arg for m in methods}
        kept = [n for m in methods for n in reads_writes.walk(m) if isinstance(n, ast.Attribute)]
        kept = [n for n in kept if type(n.ctx) is ast.Store and getattr(n.value, "id", "") in own]
        made = [n for n in nodes if isinstance(n, ast.Assign) and called(n.value) == one.name]
        if len({n.attr for n in kept if re.match(r"d[A-Za-z_]", n.attr)}) < 4 or len(made) != 1:
            continue
        objects = own | {t.id for t in made[0].targets if isinstance(t, ast.Name)}
        bare = {id(n.value): n for n in nodes if isinstance(n, ast.Expr)}
        used = [c for n in nodes for c in reads_writes.walk(n) if isinstance(c, ast.Call)]
        used = [
            c
            for c in used
            if isinstance(c.func, ast.Attribute) and getattr(c.func.value, "id", "") in objects
        ]
        calls = {c.func.attr: c for c in used if isinstance(c.func, ast.Attribute)}
        if any(id(c) not in bare and c.func.attr in {m.name for m in methods} for c in used):  # type: ignore[attr-defined]
            continue
        calls["__init__"] = made[0].value  # type: ignore[assignment]
        body = list[ast.stmt]()
        for method in methods:
            method.args.args.pop(0)
            body += _body(method, calls.get(method.name))
        at, plain = nodes.index(made[0]), _Unclassed(objects)
        gone = [one, *(bare[id(c)] for c in used if id(c) in bare)]
        nodes = [n for n in [*nodes[:at], *body, *nodes[at + 1 :]] if n not in gone]
        nodes = [plain.visit(n) for n in nodes]
    return nodes


class _Unclassed(ast.NodeTransformer):
    """Puts x for net.x. objects: the names of one object."""

    def __init__(self, objects: Collection[str]) -> None:
        self.objects = objects

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self.objects:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node
