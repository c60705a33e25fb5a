"""Changes of a list, tuple, set or dict, of what it is made of, and of a sum."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Edit, Source, method


def collections(s: Source) -> Iterator[Change]:
    for n in s.nodes:
        index = isinstance(s.parents.get(id(n)), ast.Subscript)
        if isinstance(n, ast.Tuple | ast.List) and isinstance(n.ctx, ast.Load) and not index:
            yield from _elements(s, n)
        elif isinstance(n, ast.Dict):
            for a, b in combinations(n.values, 2):
                if s.text(a) != s.text(b):
                    told = f"{s.quoted(a)} and {s.quoted(b)} are exchanged"
                    edits = [s.edit(a, s.text(b)), s.edit(b, s.text(a))]
                    yield s.change(a, edits, Code.EXCHANGED, told, 20)
        elif isinstance(n, ast.DictComp):
            edits = [s.edit(n.key, s.text(n.value)), s.edit(n.value, s.text(n.key))]
            told = "the keys and the values are exchanged"
            yield s.change(n, edits, Code.EXCHANGED, told, 11)
        elif isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult) and isinstance(n.left, ast.List):
            if any(isinstance(e, ast.Call | ast.List | ast.ListComp) for e in n.left.elts):
                told = f"{s.quoted(n)} has one and the same thing that many times, not as many of them"
                new = f"[_x for _ in range({s.text(n.right)}) for _x in {s.text(n.left)}]"
                yield s.change(n, new, Code.SHARED, told, 5)
        elif isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add):
            told = f"{s.quoted(n.left)} and {s.quoted(n.right)} stand in the wrong order"
            yield s.change(n, f"({s.text(n.right)}) + ({s.text(n.left)})", Code.EXCHANGED, told, 15)
        if isinstance(n, ast.ListComp | ast.GeneratorExp | ast.For | ast.comprehension):
            yield from _iterated(s, n)


def _elements(s: Source, n: ast.Tuple | ast.List) -> Iterator[Change]:
    parts = [s.text(e) for e in n.elts]
    for (i, a), (j, b) in combinations(enumerate(n.elts), 2):
        if parts[i] != parts[j]:
            told = f"{s.quoted(a)} and {s.quoted(b)} are exchanged"
            edits = [s.edit(a, parts[j]), s.edit(b, parts[i])]
            yield s.change(a, edits, Code.EXCHANGED, told, 18)
    left, right = ("(", ")") if isinstance(n, ast.Tuple) else ("[", "]")
    for k, e in enumerate(n.elts):
        rest = parts[:k] + parts[k + 1 :]
        comma = "," if len(rest) == 1 and left == "(" else ""
        told = f"the entry {s.quoted(e)} is one too many"
        yield s.change(n, [s.edit(n, f"{left}{', '.join(rest)}{comma}{right}")], Code.EXTRA_TERM, told, 19)
        if 0 < k < len(n.elts) - 1:
            told = f"the entries from {s.quoted(e)} on are too many"
            new = f"{left}{', '.join(parts[:k])}{',' if k == 1 and left == '(' else ''}{right}"
            yield s.change(n, [s.edit(n, new)], Code.EXTRA_TERM, told, 27)
    if len(parts) > 1:
        told = f"the entries of {s.quoted(n)} stand in the reverse of the order that is meant"
        yield s.change(n, [s.edit(n, f"{left}{', '.join(reversed(parts))}{right}")], Code.DIRECTION, told, 24)


def gathered(s: Source) -> Iterator[Change]:
    """What a loop gathers: a sum for a product, a mean of means."""
    for loop in s.nodes:
        if isinstance(loop, ast.For | ast.While):
            start, _ = s.span(loop)
            before = Edit(start, start, "_k = 0\n" + " " * loop.col_offset)
            for n in ast.walk(loop):
                if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name):
                    yield from _mean_of_means(s, n, n.targets[0].id, before)
                elif isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Add | ast.Mult):
                    yield from _gathered(s, n)


def _mean_of_means(s: Source, n: ast.Assign, name: str, before: Edit) -> Iterator[Change]:
    """m = (m + x) / 2 in each turn, for the mean of all x."""
    of = n.value.left if isinstance(n.value, ast.BinOp) else None
    if (
        isinstance(of, ast.BinOp)
        and isinstance(of.op, ast.Add)
        and name in (s.text(of.left), s.text(of.right))
    ):
        new = s.text(of.right if s.text(of.left) == name else of.left)
        told = f"{name} is the mean of itself and of each new one: the mean of all is meant"
        edits = [before, s.edit(n, f"_k += 1; {name} = {name} + (({new}) - {name}) / _k")]
        yield s.change(n, edits, Code.MEAN_FOR_SUM, told, 9)


def _gathered(s: Source, n: ast.AugAssign) -> Iterator[Change]:
    """A sum from 0 for a product from 1, and the reverse."""
    name, adds = s.text(n.target), isinstance(n.op, ast.Add)
    new, start, word = ("*=", "1.0", "multiplied") if adds else ("+=", "0.0", "added")
    begins = [m for m in s.nodes if isinstance(m, ast.Assign) and s.text(m.targets[0]) == name]
    for begin in begins if len(begins) == 1 and isinstance(begins[0].value, ast.Constant) else ():
        told = f"{s.quoted(n)}: all are to be {word}, from {float(start):g} on"
        edits = [s.edit(n, f"{name} {new} {s.text(n.value)}"), s.edit(begin.value, start)]
        yield s.change(n, edits, Code.OPERATOR, told, 15)


def _iterated(s: Source, n: ast.AST) -> Iterator[Change]:
    """What a loop goes over: in another order, another part, its pairs for its values."""
    if not isinstance(n, ast.For | ast.comprehension):
        return
    over, target = n.iter, n.target
    text, whole = s.text(over), s.quoted(over)
    if isinstance(target, ast.Tuple) and len(target.elts) == 2:
        a, b = target.elts
        told = f"{s.quoted(a)} and {s.quoted(b)} of {whole} are exchanged"
        yield s.change(target, [s.edit(a, s.text(b)), s.edit(b, s.text(a))], Code.EXCHANGED, told, 19)
    if method(over) not in ("reversed", "sorted", "range", "zip", "enumerate"):
        told = f"the loop goes over {whole} forwards: from the end backwards is meant"
        yield s.change(over, f"list({text})[::-1]", Code.DIRECTION, told, 12)
    for new, told in (("[1:]", "the first of {} is not meant"), ("[:-1]", "the last of {} is not meant")):
        if method(over) != "range":
            yield s.change(over, f"list({text}){new}", Code.WRONG_PART, told.format(whole), 30)
    if method(over) == "enumerate" and isinstance(over, ast.Call) and len(over.args) == 1:
        told = f"{whole} counts from 0, where 1 is meant"
        yield s.change(over, f"enumerate({s.text(over.args[0])}, 1)", Code.OFF_BY_ONE, told, 20)
    told = f"each of {whole} is taken as often as it comes, where once is meant"
    yield s.change(over, f"dict.fromkeys({text})", Code.FUNCTION_MISSING, told, 33)
