"""The output items of an authored file: OUTPUTS, drivers, and the stubs of functions and classes. Pure.

    OUTPUTS = {"stats": "exact", "chain": "approximate"}

names the items. An item is the function called so; or its driver `use_<item>` is, which gets the learner's
functions and classes by their names, calls them, and gives plain data or tensors back.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from grader.authoring.item import AuthoredError, Definition, Item, assigns

KINDS = ("exact", "approximate")
DRIVER = "use_"
NOT_WRITTEN = "not written yet"


def items(
    tree: ast.Module, definitions: Mapping[str, Definition], source: str, filename: str
) -> tuple[Item, ...]:
    """The items that OUTPUTS names, in its order; none where there is no OUTPUTS."""
    table = _literal(tree, "OUTPUTS", {}, filename)
    if not isinstance(table, dict) or not all(type(k) is str and v in KINDS for k, v in table.items()):
        raise AuthoredError(f"{filename}: OUTPUTS is a dict of names to {' or '.join(map(repr, KINDS))}")
    drivers = {DRIVER + name: name for name in table}
    for name, node in definitions.items():
        if name.startswith(DRIVER) and name not in drivers:
            raise AuthoredError(
                f"{filename}, line {node.lineno}: {name} is a driver, and OUTPUTS has no "
                f"{name.removeprefix(DRIVER)}"
            )
    given = {*provided(tree, definitions, filename), *drivers, "inputs", "forward"}
    learners = {name: node for name, node in definitions.items() if name not in given}
    found: list[Item] = []
    for name, kind in table.items():
        found.append(_item(name, kind, definitions, learners, found, source, filename))
    asked = {item.judged: item.name for item in reversed(found)}
    for number, item in enumerate(found):
        used = _uses(item, learners, asked)
        if late := used & {other.name for other in found[number:]}:
            raise AuthoredError(
                f"{filename}, line {item.line}: {item.name} uses {', '.join(sorted(late))}, which OUTPUTS "
                "names after it: put what is needed first"
            )
        found[number] = replace(item, uses=tuple(sorted(used)))
    return tuple(found)


def _item(
    name: str,
    kind: str,
    definitions: Mapping[str, Definition],
    learners: Mapping[str, Definition],
    before: Collection[Item],
    source: str,
    filename: str,
) -> Item:
    driver, own = definitions.get(DRIVER + name), learners.get(name)
    caller = driver or own
    if not isinstance(caller, ast.FunctionDef):
        raise AuthoredError(f"{filename}: OUTPUTS names {name}: write the function {name} or {DRIVER}{name}")
    where = f"{filename}, line {caller.lineno}: {caller.name}"
    params = [a.arg for a in caller.args.args]
    earlier = {item.name for item in before}
    asks = [p for p in params if p in learners] if driver else [name]
    if not asks:
        raise AuthoredError(f"{where} asks for no function or class of this file")
    doc = ast.get_docstring(caller) or (ast.get_docstring(own) if own else None)
    if not doc:
        raise AuthoredError(f"{where} has no docstring, its task")
    for one in asks:
        _checked(learners[one], filename)
    taken = tuple(p for p in params if p not in asks)
    about = name if name in asks else asks[-1]
    return Item(
        name=name,
        tensor=name,
        params=taken,
        doc=doc,
        source="\n\n\n".join(_text(learners[one], source) for one in asks),
        header="",
        line=caller.lineno,
        compare=kind,
        asks=tuple(asks),
        driver=driver.name if driver else "",
        receives=tuple(p for p in taken if p in earlier),
        about=f"{about}{_method(name, learners[about], caller)}",
    )


OPERATORS = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.Div: "__truediv__",
    ast.MatMult: "__matmul__",
    ast.Pow: "__pow__",
    ast.USub: "__neg__",
}


def _method(name: str, node: Definition, driver: ast.FunctionDef) -> str:
    """.tanh where an item is about that method: it is called so, or the driver calls no other task."""
    if not isinstance(node, ast.ClassDef):
        return ""
    written = {task.name for task in tasks(node)}
    if len(written) == 1:
        return f".{written.pop()}"
    made = {n.id for n in ast.walk(driver) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    called: set[str] = set()
    for n in ast.walk(driver):
        if isinstance(n, ast.Attribute):
            called.add(n.attr)
        elif isinstance(n, ast.BinOp) or (isinstance(n, ast.UnaryOp) and not _number(n.operand)):
            called.add(OPERATORS.get(type(n.op), ""))
        elif isinstance(n, ast.Call) and (isinstance(n.func, ast.Call) or getattr(n.func, "id", "") in made):
            called.add("__call__")
    found = {name} & written or {"__call__"} & called & written or called & written
    return f".{found.pop()}" if len(found) == 1 else ""


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


def _checked(node: Definition, filename: str) -> None:
    """What is to be written has a docstring, its task, and its body begins on a line after it."""
    where = f"{filename}, line {node.lineno}: {node.name}"
    if not ast.get_docstring(node):
        raise AuthoredError(f"{where} has no docstring, its task")
    found = tasks(node)
    if not found:
        raise AuthoredError(f"{where} has no method with a docstring: what has one is to be written")
    for task in found:
        rest = task.body[1:]
        if not rest or rest[0].lineno <= (task.body[0].end_lineno or 0) or task.body[0].lineno == task.lineno:
            place = f"{filename}, line {task.lineno}"
            raise AuthoredError(f"{place}: the body of {task.name} begins on a line after its docstring")


def tasks(node: Definition) -> list[ast.FunctionDef]:
    """What of a definition is to be written: a function; of a class, the methods that have docstrings."""
    if isinstance(node, ast.FunctionDef):
        return [node]
    return [n for n in node.body if isinstance(n, ast.FunctionDef) and ast.get_docstring(n)]


def _uses(item: Item, learners: Mapping[str, Definition], asked: Mapping[str, str]) -> set[str]:
    """The items whose functions an item's own call: by names that are not its own variables or parameters.

    A class that an item asks for is its own, though other items ask for it too.
    """
    nodes = [n for a in item.asks for n in ast.walk(learners[a])]
    found = [n for n in nodes if isinstance(n, ast.Name)]
    own = {n.id for n in found if isinstance(n.ctx, ast.Store)} | {
        n.arg for n in nodes if isinstance(n, ast.arg)
    }
    own |= {a for a in item.asks if isinstance(learners[a], ast.ClassDef)}
    called = {n.id for n in found} | set(item.asks)
    return {asked[name] for name in called - own if name in asked} - {item.name}


def provided(tree: ast.Module, definitions: Mapping[str, Definition], filename: str) -> tuple[str, ...]:
    """PROVIDED = ("name", ...): functions and classes that the stub holds as they are."""
    names = _literal(tree, "PROVIDED", (), filename)
    for name in names:
        if name not in definitions:
            raise AuthoredError(f"{filename}: PROVIDED names {name}, which is not defined")
    return tuple(names)


def blanks(
    tree: ast.Module,
    definitions: Mapping[str, Definition],
    asked: Collection[str],
    source: str,
    filename: str,
) -> tuple[str, ...]:
    """What of the stub belongs to outputs, in the file's order: what is provided, what is to be written."""
    given = provided(tree, definitions, filename)
    return tuple(
        _text(node, source) if name in given else _blank(node, source)
        for name, node in definitions.items()
        if name in given or name in asked
    )


def _blank(node: Definition, source: str) -> str:
    """A definition, each task of it without its body."""
    lines = source.splitlines()
    for task in reversed(tasks(node)):
        name = task.name if task is node else f"{node.name}.{task.name}"
        indent = " " * task.body[0].col_offset
        lines[task.body[0].end_lineno : task.end_lineno] = [
            f'{indent}raise NotImplementedError("{name}: {NOT_WRITTEN}")'
        ]
    removed = len(source.splitlines()) - len(lines)
    return "\n".join(lines[node.lineno - 1 : (node.end_lineno or 0) - removed])


def _text(node: Definition, source: str) -> str:
    return textwrap.dedent("\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno]))


def _literal(tree: ast.Module, name: str, default: Any, filename: str) -> Any:
    node = next((n for n in tree.body if assigns(n, name)), None)
    if node is None:
        return default
    assert isinstance(node, ast.Assign)
    try:
        return ast.literal_eval(node.value)
    except ValueError:
        raise AuthoredError(f"{filename}, line {node.lineno}: {name} holds plain texts only") from None
