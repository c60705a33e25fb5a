"""Flat code rewritten so that each gradient is made by statements of its own. Runs nothing of a submission.

Blocks that train are opened, functions that make the gradients are put where they are called, gradients that
are kept in a dictionary get names, and what only looks on is taken out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from grader.core import parsing
from grader.submissions.flat import reads_writes
from grader.submissions.flat.compared import compared

GRAD = "_grad_"  # before a tensor's name: its .grad
EMPTY = ("dict", "SimpleNamespace", "OrderedDict", "Namespace")


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


def unclassed(nodes: list[ast.stmt]) -> list[ast.stmt]:
    """A class whose methods make gradients as attributes of its one object: their statements, where that is
    made, with x for self.x. What a method returns must be of no use."""
    for one in [n for n in nodes if isinstance(n, ast.ClassDef)]:
        methods = [n for n in one.body if isinstance(n, ast.FunctionDef) and n.args.args]
        own = {m.args.args[0].arg for m in methods}
        kept = [n for m in methods for n in reads_writes.walk(m) if isinstance(n, ast.Attribute)]
        kept = [n for n in kept if type(n.ctx) is ast.Store and getattr(n.value, "id", "") in own]
        made = [n for n in nodes if isinstance(n, ast.Assign) and _called(n.value) == one.name]
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
        at, plain = nodes.index(made[0]), Unclassed(objects)
        gone = [one, *(bare[id(c)] for c in used if id(c) in bare)]
        nodes = [n for n in [*nodes[:at], *body, *nodes[at + 1 :]] if n not in gone]
        nodes = [plain.visit(n) for n in nodes]
    return nodes


class Unclassed(ast.NodeTransformer):
    """Puts x for net.x. objects: the names of one object."""

    def __init__(self, objects: Collection[str]) -> None:
        self.objects = objects

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self.objects:
            return ast.copy_location(ast.Name(node.attr, node.ctx), node)
        return node


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
        return any(getattr(f, "id", "") in self.looking for f in calls) or bool(copies_grad(node))


class Kept(ast.NodeTransformer):
    """Puts a name for an element of a dictionary or namespace, or an attribute, that keeps gradients."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self.names = {theirs: name for name, theirs in kept.items()}

    @staticmethod
    def of(nodes: Sequence[ast.stmt], backward: bool) -> dict[str, str]:
        """By name what it stands for: grads['probs'] or grads['dprobs'] for dprobs, or probs.d, several of
        them, but not where they are only put there: grads['probs'] = dprobs. backward: whether autograd runs.
        """
        empty, stored, after = set[str](), dict[str, dict[str, str]](), set[str]()
        plain = {n.name for n in nodes if isinstance(n, ast.ClassDef) and isinstance(n.body[-1], ast.Pass)}
        for one in (n for node in nodes for n in reads_writes.walk(node)):
            if not isinstance(one, ast.Assign | ast.AnnAssign) or one.value is None:
                continue
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if _is_empty(one.value) or _called(one.value) in plain:
                empty |= {t.id for t in targets if isinstance(t, ast.Name)}
            for target in targets:
                if found := _key(target):
                    holder, key = found
                    name = key if key[:1] == "d" else f"d{key}"
                    stored.setdefault(holder, {})[name] = ast.unparse(target)
                    if isinstance(one.value, ast.Name) and one.value.id == name:
                        after.add(holder)
                    if isinstance(target, ast.Attribute) and not isinstance(one.value, ast.Constant):
                        stored.setdefault(f".{key}", {})[f"d{holder}"] = ast.unparse(target)
        empty |= {holder for holder in stored if holder[0] == "."} - {".requires_grad", ".data"}
        empty -= {".grad"} if backward else set()
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
        return getattr(node.func, "attr", getattr(node.func, "id", "")) in EMPTY
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


class OfAutograd(ast.NodeTransformer):
    """Puts a name for x.grad: it may stand for an upstream gradient."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == "grad" and isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Name(GRAD + node.value.id, node.ctx), node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node


def copies_grad(node: ast.AST) -> list[tuple[str, int]]:
    """Each `x.grad` that something reads, with its line: of a tensor by its name, or of `parameters[3]`."""
    found = []
    for child in reads_writes.walk(node):
        if isinstance(child, ast.Name) and child.id.startswith(GRAD):
            found.append((f"{child.id.removeprefix(GRAD)}.grad", child.lineno))
        elif (
            isinstance(child, ast.Attribute)
            and child.attr == "grad"
            and isinstance(child.ctx, ast.Load)
            and isinstance(child.value, ast.Name | ast.Subscript)
        ):
            found.append((f"{ast.unparse(child.value)}.grad"[:60], child.lineno))
    return found
