"""Flat code rewritten so that each gradient is made by statements of its own. Runs nothing of a submission.

Gradients that are kept in a dictionary or as attributes get names, and what only looks on is taken out.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from grader.submissions.flat import reads_writes
from grader.submissions.flat.blocks import called

GRAD = "_grad_"  # before a tensor's name: its .grad
EMPTY = ("dict", "SimpleNamespace", "OrderedDict", "Namespace")


def quieten(nodes: list[ast.stmt]) -> None:
    """Take out what only looks on: cmp(…), print(x.grad), assert …(x.grad)."""
    inner = (*reads_writes.BLOCKS, ast.FunctionDef, ast.ClassDef)
    looking = {"cmp"}
    for node in sorted(nodes, key=lambda n: not isinstance(n, ast.FunctionDef)):
        if isinstance(node, inner):
            if getattr(node, "name", "") != "cmp":
                _Quiet(looking).generic_visit(node)
            if isinstance(node, ast.FunctionDef) and copies_grad(node):
                looking.add(node.name)
    quiet = _Quiet(looking)
    nodes[:] = [cast(ast.stmt, quiet.visit(n)) if isinstance(n, ast.Expr | ast.Assert) else n for n in nodes]


class _Quiet(ast.NodeTransformer):
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
            if _is_empty(one.value) or called(one.value) in plain:
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
