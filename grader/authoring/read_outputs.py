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

from grader.authoring.item import AuthoredError, Definition, Item, Source
from grader.diagnosis.syntax import OPERATORS

KINDS = ("exact", "approximate")
DRIVER = "use_"
NOT_WRITTEN = "not written yet"


def items(file: Source) -> tuple[Item, ...]:
    """The items that OUTPUTS names, in its order; none where there is no OUTPUTS."""
    table = file.literal("OUTPUTS", {})
    if not isinstance(table, dict) or not all(type(k) is str and v in KINDS for k, v in table.items()):
        raise file.error(f"OUTPUTS is a dict of names to {' or '.join(map(repr, KINDS))}")
    drivers = {DRIVER + name: name for name in table}
    for name, node in file.definitions.items():
        if name.startswith(DRIVER) and name not in drivers:
            raise file.error(f"{name} is a driver, and OUTPUTS has no {name.removeprefix(DRIVER)}", node)
    given = {*provided(file), *drivers, "inputs", "forward"}
    learners = {name: node for name, node in file.definitions.items() if name not in given}
    found: list[Item] = []
    for name, kind in table.items():
        found.append(_item(file, name, kind, learners, [item.name for item in found]))
    asked = {item.judged: item.name for item in reversed(found)}
    for number, item in enumerate(found):
        used = _uses(item, learners, asked)
        if late := used & {other.name for other in found[number:]}:
            raise AuthoredError(
                f"{file.filename}, line {item.line}: {item.name} uses {', '.join(sorted(late))}, which "
                "OUTPUTS names after it: put what is needed first"
            )
        found[number] = replace(item, uses=tuple(sorted(used)))
    return tuple(found)


def _item(
    file: Source, name: str, kind: str, learners: Mapping[str, Definition], before: Collection[str]
) -> Item:
    """before: the names of the items that OUTPUTS has above."""
    driver, own = file.definitions.get(DRIVER + name), learners.get(name)
    caller = driver or own
    if not isinstance(caller, ast.FunctionDef):
        raise file.error(f"OUTPUTS names {name}: write the function {name} or {DRIVER}{name}")
    params = [a.arg for a in caller.args.args]
    asks = [p for p in params if p in learners] if driver else [name]
    if not asks:
        raise file.error(f"{caller.name} asks for no function or class of this file", caller)
    doc = ast.get_docstring(caller) or (ast.get_docstring(own) if own else None)
    if not doc:
        raise file.error(f"{caller.name} has no docstring, its task", caller)
    for one in asks:
        _checked(file, learners[one])
    taken = tuple(p for p in params if p not in asks)
    about = name if name in asks else asks[-1]
    return Item(
        name=name,
        tensor=name,
        params=taken,
        doc=doc,
        source="\n\n\n".join(textwrap.dedent(file.lines(learners[one])) for one in asks),
        header="",
        line=caller.lineno,
        compare=kind,
        asks=tuple(asks),
        driver=driver.name if driver else "",
        receives=tuple(p for p in taken if p in before),
        about=f"{about}{_method(name, learners[about], caller)}",
    )


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
        match n:
            case ast.Attribute(attr=attribute):
                called.add(attribute)
            case ast.UnaryOp(operand=ast.Constant()):
                pass
            case ast.BinOp(op=op) | ast.UnaryOp(op=op):
                called.add(OPERATORS.get(type(op), ""))
            case ast.Call(func=ast.Call()):
                called.add("__call__")
            case ast.Call(func=ast.Name(id)) if id in made:
                called.add("__call__")
    found = {name, f"__{name}__"} & written or {"__call__"} & called & written or called & written
    return f".{found.pop()}" if len(found) == 1 else ""


def _checked(file: Source, node: Definition) -> None:
    """What is to be written has a docstring, its task, and its body begins on a line after it."""
    if not ast.get_docstring(node):
        raise file.error(f"{node.name} has no docstring, its task", node)
    found = tasks(node)
    if not found:
        raise file.error(f"{node.name} has no method with a docstring: what has one is to be written", node)
    for task in found:
        if not begins_below(task):
            raise file.error(f"the body of {task.name} begins on a line after its docstring", task)


def begins_below(task: ast.FunctionDef) -> bool:
    """Whether a function with a docstring has a body, on a line after it."""
    doc, *rest = task.body
    return bool(rest) and rest[0].lineno > (doc.end_lineno or 0) and doc.lineno != task.lineno


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
    own = {n.id for n in found if isinstance(n.ctx, ast.Store)}
    own |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    own |= {a for a in item.asks if isinstance(learners[a], ast.ClassDef)}
    called = {n.id for n in found} | set(item.asks)
    return {asked[name] for name in called - own if name in asked} - {item.name}


def provided(file: Source) -> tuple[str, ...]:
    """PROVIDED = ("name", ...): functions and classes that the stub holds as they are."""
    return listed(file, "PROVIDED")


def listed(file: Source, constant: str) -> tuple[str, ...]:
    """The definitions that a constant names. CARRIED: brought from an exercise before, asked by no item."""
    names = file.literal(constant, ())
    for name in names:
        if name not in file.definitions:
            raise file.error(f"{constant} names {name}, which is not defined")
    return tuple(names)


def blanks(file: Source, asked: Collection[str]) -> tuple[str, ...]:
    """What of the stub belongs to outputs, in the file's order: what is provided, what is to be written."""
    given = provided(file)
    return tuple(
        textwrap.dedent(file.lines(node)) if name in given else _blank(node, file.text)
        for name, node in file.definitions.items()
        if name in given or name in asked
    )


def unwritten(indent: str, name: str) -> str:
    return f'{indent}raise NotImplementedError("{name}: {NOT_WRITTEN}")'


def _blank(node: Definition, source: str) -> str:
    """A definition, each task of it without its body."""
    lines = source.splitlines()
    for task in reversed(tasks(node)):
        name = task.name if task is node else f"{node.name}.{task.name}"
        indent = " " * task.body[0].col_offset
        lines[task.body[0].end_lineno : task.end_lineno] = [unwritten(indent, name)]
    removed = len(source.splitlines()) - len(lines)
    return "\n".join(lines[node.lineno - 1 : (node.end_lineno or 0) - removed])
