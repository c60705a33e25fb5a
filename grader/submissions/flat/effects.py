"""The effect of each of a row of statements, as in a notebook. Pure.

What a function reads counts where it is called. A change in place reaches all names that stand for the same
tensor, be it made by another name, a row, a view, or a function that the tensor is passed to.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from grader.submissions.flat.reads_writes import (
    BLOCKS,
    Effect,
    effect_of,
    free_of,
    in_place,
    root_of,
    stands_for,
    walk,
)

S = TypeVar("S")


def analyse(nodes: Sequence[ast.stmt], make: Callable[[ast.stmt, Effect], S]) -> list[S]:
    """The effect of each statement in its place: functions' names and shared tensors followed."""
    definitions = [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    free = {n.name: free_of(n) for n in reversed(definitions)}  # one may stand below its first use
    changing = {n.name: c for n in definitions if isinstance(n, ast.FunctionDef) and any(c := _changes(n))}
    same: dict[str, set[str]] = {}  # name -> the names of its tensor
    classes: set[str] = set()
    objects: set[str] = set()  # names of the learner's own objects, and of lists of them
    out: list[S] = []
    for node in nodes:
        try:
            effect = effect_of(node)
        except RecursionError:  # nested without end: it stands for nothing
            continue
        reads, weak = set(effect.reads), set(effect.weak)
        todo, seen = list(reads), set(reads)
        while todo:  # what the functions read that it calls, and those that these call
            inner, changed = free.get(todo.pop(), (frozenset(), frozenset()))
            weak |= changed
            todo += [n for n in inner if n not in seen]
            seen |= inner
        reads = seen
        if changing and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            weak |= _passed_to(node, changing)
        if objects & reads and any(isinstance(part, ast.Call) for part in walk(node)):
            weak |= reads & objects  # a method may change what its object holds
        if isinstance(node, BLOCKS):
            weak |= _by_view(node)
        touched = weak | (effect.strong & reads if isinstance(node, ast.AugAssign) else set())
        shared = set().union(*(same.get(name, set()) - {name} for name in touched))
        assigns = [n for n in walk(node) if isinstance(n, ast.Assign)] if isinstance(node, BLOCKS) else []
        assigns += [node] if isinstance(node, ast.Assign) else []
        joined = [_joined(assign, same) for assign in assigns]  # before the names lose what they stood for
        for name in effect.strong:
            if not isinstance(node, ast.AugAssign):
                same.pop(name, set()).discard(name)
        for given, group in [pair for pairs in joined for pair in pairs]:
            _join(given | (group - effect.strong), same)
        if isinstance(node, ast.Assign):
            targets = [t.id for t in node.targets if isinstance(t, ast.Name)]
            if _holds_object(node.value, classes, objects):
                objects.update(targets)
            else:
                objects.difference_update(targets)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            free[node.name] = free_of(node)
        if isinstance(node, ast.ClassDef):
            classes.add(node.name)
        strong = effect.strong
        changed = frozenset(weak) - strong
        out.append(make(node, Effect(frozenset(reads), strong, changed, frozenset(shared), effect.imports)))
    return out


def _passed_to(node: ast.stmt, changing: Mapping[str, tuple[str | None, ...]]) -> set[str]:
    """The names that a statement passes to functions which change them in place."""
    found = set()
    for call in walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in changing:
            parameters = changing[call.func.id]
            found |= {root_of(a) for p, a in zip(parameters, call.args, strict=False) if p}
            found |= {root_of(k.value) for k in call.keywords if k.arg in parameters}
    return {name for name in found if name}


def _changes(node: ast.FunctionDef) -> tuple[str | None, ...]:
    """A function's parameters in their order, None for those whose tensor it leaves as it is."""
    rebound: dict[str, int] = {}  # from which line on a parameter is a tensor of the function's own
    changed: dict[str, int] = {}
    for child in node.body:
        for part in walk(child):
            if isinstance(part, ast.Assign):
                for target in part.targets:
                    if isinstance(target, ast.Name):
                        rebound.setdefault(target.id, part.lineno)
            if isinstance(part, ast.stmt | ast.Call):
                for name in _changed_by(part):
                    changed.setdefault(name, part.lineno)
    order = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    last = node.end_lineno or node.lineno
    return tuple(p if p in changed and changed[p] <= rebound.get(p, last) else None for p in order)


def _changed_by(part: ast.AST) -> set[str]:
    """Names whose tensor one statement or call changes: x += …, x[…] = …, x.add_(…)."""
    if isinstance(part, ast.Call):
        return in_place(part)
    if isinstance(part, ast.AugAssign):
        return {name for name in (root_of(part.target),) if name}
    if isinstance(part, ast.Assign):
        return {name for t in part.targets if isinstance(t, ast.Subscript) and (name := root_of(t))}
    return set()


def _by_view(block: ast.stmt) -> set[str]:
    """Names whose tensor a block changes by another name: row = x[i], then row[j] = …"""
    parts = walk(block)
    changed = set().union(*(_changed_by(part) for part in parts))
    views = [
        (target.id, root)
        for part in parts
        if isinstance(part, ast.Assign) and (root := stands_for(part.value))
        for target in part.targets
        if isinstance(target, ast.Name)
    ]
    return {root for name, root in views if name != root and name in changed}


def _joined(node: ast.Assign, same: Mapping[str, set[str]]) -> list[tuple[set[str], set[str]]]:
    """For each value of an assignment the names that it is given, and those that stood for it before."""
    values = [(node.targets, node.value)]
    for target in node.targets:
        if isinstance(target, ast.Tuple | ast.List) and isinstance(node.value, ast.Tuple | ast.List):
            values += [([t], v) for t, v in zip(target.elts, node.value.elts, strict=False)]
    pairs = []
    for places, value in values:
        targets = {t.id for t in places if isinstance(t, ast.Name)}
        root = stands_for(value)
        if targets and (root or len(targets) > 1):
            pairs.append((targets, same.get(root, {root}) | {root} if root else set[str]()))
    return pairs


def _join(names: set[str], same: dict[str, set[str]]) -> None:
    """Note that names stand for one tensor, or may."""
    group = set().union(*(same.get(name, {name}) for name in names))
    same.update(dict.fromkeys(group, group))


def _holds_object(value: ast.expr, classes: Collection[str], objects: Collection[str]) -> bool:
    """Whether an expression makes an object of the learner's own, or is one or a collection of some."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in classes
    if isinstance(value, ast.List | ast.Tuple):
        return any(_holds_object(e, classes, objects) for e in value.elts)
    if isinstance(value, ast.Dict):
        return any(_holds_object(e, classes, objects) for e in value.values)
    return isinstance(value, ast.Name) and value.id in objects
