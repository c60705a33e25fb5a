"""Flat code rewritten so that each gradient is made by statements of its own. Runs nothing of a submission.

Blocks that train are opened, functions that make the gradients are put where they are called, gradients that
are kept in a dictionary get names, and what only looks on is taken out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import cast

from grader.submissions.flat import reads_writes


def opened(node: ast.stmt) -> list[ast.stmt]:
    """A `with` block's statements, and those of a loop that makes gradients: a training loop."""
    if isinstance(node, ast.With) and not any(i.optional_vars for i in node.items):
        return [inner for child in node.body for inner in opened(child)]
    if isinstance(node, ast.For | ast.While) and _trains(node):
        return [inner for child in node.body for inner in opened(child)]
    if isinstance(node, ast.If) and not node.orelse and (_always(node.test) or _trains(node)):
        return [inner for child in node.body for inner in opened(child)]
    return [node]


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _trains(node: ast.For | ast.While | ast.If | ast.FunctionDef) -> bool:
    """Whether a block's own statements name several gradients anew."""
    return len(_gradients_of(node)) >= 4


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
        if isinstance(node, ast.Expr) and _called(node.value) in placed:
            continue
        own = isinstance(node, ast.FunctionDef | ast.ClassDef)
        call = next((c for c in reads_writes.walk(node) if not own and _called(c) in made), None)
        if isinstance(call, ast.Call):
            placed.add(_called(call))
            found += _body(made.pop(_called(call)), call)
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
        calls = [n for n in nodes if isinstance(n, ast.Assign) and _called(n.value) == function.name]
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


def _called(node: ast.AST) -> str:
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


def quieten(nodes: list[ast.stmt]) -> None:
    """Take out what only looks on: cmp(…), print(x.grad), assert …(x.grad)."""
    inner = (*reads_writes.BLOCKS, ast.FunctionDef, ast.ClassDef)
    looking = {"cmp"}
    for node in sorted(nodes, key=lambda n: not isinstance(n, ast.FunctionDef)):
        if isinstance(node, inner):
            if getattr(node, "name", "") != "cmp":
                Quiet(looking).generic_visit(node)
            if isinstance(node, ast.FunctionDef) and copies_grad(node):
                looking.add(node.name)
    quiet = Quiet(looking)
    nodes[:] = [cast(ast.stmt, quiet.visit(n)) if isinstance(n, ast.Expr | ast.Assert) else n for n in nodes]


class Quiet(ast.NodeTransformer):
    """Puts `pass` for what only looks on. looking: functions that read .grad."""

    def __init__(self, looking: Collection[str]) -> None:
        self.looking = looking

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if self._looks(node.value) else node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return ast.copy_location(ast.Pass(), node) if self._looks(node.test) else node

    def _looks(self, node: ast.expr) -> bool:
        _, stored, changed = reads_writes.in_all(node)
        if stored or changed:
            return False
        calls = (c.func for c in reads_writes.walk(node) if isinstance(c, ast.Call))
        return any(getattr(f, "id", "") in self.looking for f in calls) or copies_grad(node) is not None


class Kept(ast.NodeTransformer):
    """Puts a name for an element of a dictionary, or of a namespace, that gradients are kept in."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self.names = {theirs: name for name, theirs in kept.items()}

    @staticmethod
    def of(nodes: Iterable[ast.stmt]) -> dict[str, str]:
        """By name what it stands for: grads['probs'] or grads['dprobs'] for dprobs, several of them, but not
        where they are only put there: grads['probs'] = dprobs.
        """
        empty, stored, after = set[str](), dict[str, dict[str, str]](), set[str]()
        for one in (n for node in nodes for n in reads_writes.walk(node) if isinstance(n, ast.Assign)):
            if _is_empty(one.value):
                empty |= {t.id for t in one.targets if isinstance(t, ast.Name)}
            for target in one.targets:
                if found := _key(target):
                    holder, key = found
                    name = key if key[:1] == "d" else f"d{key}"
                    stored.setdefault(holder, {})[name] = ast.unparse(target)
                    if isinstance(one.value, ast.Name) and one.value.id == name:
                        after.add(holder)
        for holder, gradients in stored.items():
            if holder in empty - after and len(gradients) > 1:
                return gradients
        return {}

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._named(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._named(node)

    def _named(self, node: ast.Subscript | ast.Attribute) -> ast.AST:
        if _key(node) and (name := self.names.get(ast.unparse(node))):
            return ast.copy_location(ast.Name(name, node.ctx), node)
        return self.generic_visit(node)


def _key(node: ast.AST) -> tuple[str, str] | None:
    """x and k of x["k"] or x.k."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.value.id, node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        return (node.value.id, key) if isinstance(key, str) and key.isidentifier() else None
    return None


def _is_empty(node: ast.expr) -> bool:
    """{}, dict() or SimpleNamespace()"""
    if isinstance(node, ast.Call) and not (node.args or node.keywords):
        return getattr(node.func, "attr", getattr(node.func, "id", "")) in ("dict", "SimpleNamespace")
    return isinstance(node, ast.Dict) and not node.keys


class WithoutGrad(ast.NodeTransformer):
    """Puts x for x.grad where only its form is wanted: torch.zeros_like(x.grad), x.grad.shape."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_like") and node.args:
            node.args[0] = _plain(node.args[0])
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr in ("shape", "size", "dtype", "device", "ndim"):
            node.value = _plain(node.value)
        return node


def _plain(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "grad" else node


def copies_grad(node: ast.AST) -> tuple[str, int] | None:
    """`x.grad`, with its line, if something reads one: of a tensor by its name, or of `parameters[3]`."""
    for child in reads_writes.walk(node):
        if (
            isinstance(child, ast.Attribute)
            and child.attr == "grad"
            and isinstance(child.ctx, ast.Load)
            and isinstance(child.value, ast.Name | ast.Subscript)
        ):
            return f"{ast.unparse(child.value)}.grad"[:60], child.lineno
    return None
