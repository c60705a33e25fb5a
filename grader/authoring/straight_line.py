"""Whether a forward function is straight-line code, a tensor a line, and how to make it so. Pure.

An author's network often isn't: loops, changes in place, calls inside calls. Each finding is one line that
names the line and says what to write there instead.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

SHAPING = ("view", "reshape", "expand", "repeat", "range", "arange", "size", "permute", "transpose")


def problem(forward: ast.FunctionDef) -> tuple[int, str] | None:
    """The first line that is not flat, and what to do about it; None where all are."""
    return next(_problems(forward), None)


def _problems(forward: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    arguments = forward.args
    if [a.arg for a in arguments.args][:1] == ["self"]:
        said = "`self` hides what it works with: name each parameter, self.W as W, in the signature"
        yield forward.lineno, said
    if any(getattr(arguments, kind) for kind in ("vararg", "kwarg", "kwonlyargs", "posonlyargs", "defaults")):
        said = "name all that it works with as plain parameters, without * and without defaults"
        yield forward.lineno, said
    known = {a.arg for a in arguments.args}
    body = forward.body[1:] if ast.get_docstring(forward) else forward.body
    for node in body[:-1]:
        if said := _statement(node, known):
            yield node.lineno, said
        elif isinstance(node, ast.Assign):
            known.add(ast.unparse(node.targets[0]))
    last = body[-1] if body else forward
    named = [ast.unparse(n.targets[0]) for n in body[:-1] if isinstance(n, ast.Assign)]
    if not isinstance(last, ast.Return) or last.value is None:
        yield last.lineno, "end with `return loss`, the one number that is differentiated"
    elif not isinstance(last.value, ast.Name):
        yield last.lineno, f"give it a name first: `loss = {ast.unparse(last.value)}`, then `return loss`"
    elif named[-1:] != [last.value.id]:
        yield last.lineno, f"return the last tensor that is named, {(named or ['loss'])[-1]}"


def _statement(node: ast.stmt, known: set[str]) -> str:
    """What to write instead of a statement; nothing where it is `name = expression`."""
    code = ast.unparse(node).split("\n")[0]
    if isinstance(node, ast.For | ast.While | ast.AsyncFor):
        return (
            f"`{code}` is a loop: write its steps one by one, each tensor under a name of its own (h1, h2, …)"
        )
    if isinstance(node, ast.If | ast.Match):
        return f"`{code}` is a branch: keep the one that the exercise is about"
    if isinstance(node, ast.AugAssign):
        return _in_place(node.target, ast.unparse(ast.BinOp(node.target, node.op, node.value)), known)
    if isinstance(node, ast.AnnAssign):
        return f"`{code}` has a type: leave it out"
    if isinstance(node, ast.Return):
        return f"`{code}` is not the last line: only that one returns"
    if not isinstance(node, ast.Assign):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _changes(node.value):
            return f"`{code}` changes a tensor in place: give the result a new name, without the underscore"
        return f"`{code}` names no tensor: leave it out, or give its result a name"
    target = node.targets[0]
    if len(node.targets) > 1 or isinstance(target, ast.Tuple | ast.List):
        return f"`{code}` names several tensors: write a line for each"
    if not isinstance(target, ast.Name):
        return f"`{code}` writes into a tensor: torch.where or torch.cat makes a new one, under a new name"
    if target.id in known:
        return f"{target.id} is named a second time: call it {_free(target.id, known)} from here on"
    if node.lineno != node.end_lineno:
        return f"`{target.id} = …` is longer than a line: split it, and name what is in between"
    return _expression(target.id, node.value, known)


def _in_place(target: ast.expr, new: str, known: set[str]) -> str:
    if not isinstance(target, ast.Name):
        return f"{ast.unparse(target)} is changed in place: torch.where or torch.cat makes a new tensor"
    free = _free(target.id, known)
    return f"{target.id} is changed in place: write `{free} = {new}`, and {free} from here on"


def _expression(name: str, value: ast.expr, known: set[str]) -> str:
    """What to write instead of an expression that holds too much for one line."""
    for node in ast.walk(value):
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            return f"`{ast.unparse(node)}` is a loop: write its steps one by one, a line for each"
        if isinstance(node, ast.Lambda | ast.IfExp | ast.NamedExpr | ast.Await | ast.Starred):
            return f"`{ast.unparse(node)}` hides a step: write it out, under a name of its own"
        if isinstance(node, ast.Call) and _changes(node):
            return f"`{ast.unparse(node)}` changes a tensor in place: leave the underscore out"
        if isinstance(node, ast.Call) and (inner := _inner(node)):
            free = _free(f"{name}_in", known)
            outer = ast.unparse(value).replace(ast.unparse(inner), free, 1)
            if isinstance(inner, ast.BinOp | ast.UnaryOp | ast.Compare):
                outer = outer.replace(f"({free})", free, 1) if f"({free})." in outer else outer
            return (
                f"`{ast.unparse(node)}` has a step inside a step: write `{free} = {ast.unparse(inner)}`, "
                f"then `{name} = {outer}`"
            )
    return ""


def _inner(call: ast.Call) -> ast.expr | None:
    """What a call works with that is itself a calculation, and no tensor by its name."""
    function = call.func
    operands = [] if _name(function) in SHAPING else [*call.args, *(k.value for k in call.keywords)]
    if isinstance(function, ast.Attribute):
        operands.insert(0, function.value)
    return next((found for one in operands if (found := _calculated(one))), None)


def _calculated(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.List | ast.Tuple):  # torch.cat([a, b], 1)
        return next((found for one in node.elts if (found := _calculated(one))), None)
    steps = isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Compare)
    return node if steps and any(isinstance(n, ast.Name) for n in ast.walk(node)) else None


def _changes(call: ast.Call) -> bool:
    """Whether a call is of a method such as add_, which works in place."""
    name = _name(call.func)
    return isinstance(call.func, ast.Attribute) and name.endswith("_") and not name.endswith("__")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def _free(name: str, known: set[str]) -> str:
    """A name for the next value of `name`."""
    stem = name.rstrip("0123456789")
    number = 2
    while f"{stem}{number}" in known:
        number += 1
    return f"{stem}{number}" if name in known else name
