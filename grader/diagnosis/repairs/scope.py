"""Changes of what a value is read from, in any function: another variable, attribute or number."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code, Finding
from grader.diagnosis.repairs.source import LIBRARIES, Change, Source, is_number, method

LARGE = 1e4  # a number that stands for one without bound
MOST = 12  # names that one is tried against
FIELDS = 6  # and attributes


def _reads(s: Source) -> list[ast.Name]:
    """The variables that are read, but for those that are called."""
    called = {id(n.func) for n in s.nodes if isinstance(n, ast.Call)}
    names = [n for n in s.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return [n for n in names if id(n) not in called and n.id not in LIBRARIES]


def _unused(s: Source) -> list[str]:
    read = {n.id for n in _names(s)}
    return [p for p in s.params if p not in read]


def variables(s: Source) -> Iterator[Change]:
    """Another variable for one, in one place and throughout; two exchanged."""
    reads, unused = _reads(s), _unused(s)
    known = s.scope[:MOST]
    places: dict[str, list[ast.Name]] = {}
    for n in reads:
        places.setdefault(n.id, []).append(n)
    for name, at in places.items():
        for other in known:
            if other == name or (name == "self") != (other == "self") or other in s.switches:
                continue
            told = f"{name} is used where {other} is meant"
            rank = 12 if other in unused else 20
            for n in (n for n in at if not _of_text(s, n) and n.lineno not in _empty(s, other)):
                if not (s.compared(n) and isinstance(s.parents.get(id(n)), ast.Call)):  # many would do there
                    yield s.change(n, other, Code.ANOTHER_TENSOR, told, 24 if _asked(s, n) else rank)
            if len(at) > 1:
                yield s.change(at[0], [s.put(n, other) for n in at], Code.ANOTHER_TENSOR, told, rank + 1)
        cut = any(isinstance(n, ast.FloorDiv | ast.Mod) for n in s.nodes)  # of a negative number upwards
        if name in known and len(at) > 1 and not cut and not any(_decides(s, n) for n in at):
            edits = [s.put(n, f"-{name}") for n in at]
            told = f"{name} is meant with the other sign wherever it is used"
            yield s.change(at[0], edits, Code.TERM_SIGN, told, 23)
            told = f"{name} is a factor too many wherever it is used"
            edits = [s.put(n, "1.0") for n in at]
            yield s.change(at[0], edits, Code.EXTRA_FACTOR, told, 34)
    for a, b in combinations([k for k in places if k in known and k not in s.switches], 2):
        edits = [s.put(n, b if n.id == a else a) for n in reads if n.id in (a, b)]
        yield s.change(places[a][0], edits, Code.EXCHANGED, f"{a} and {b} are exchanged", 22)
    for step in s.nodes:
        if isinstance(step, ast.Assign) and not isinstance(step.value, ast.Name | ast.Constant):
            for other in known:
                if other != s.text(step.targets[0]) and other not in ("self", *s.switches):
                    told = f"{s.quoted(step.value)} stands where {other} is meant"
                    yield s.change(step.value, other, Code.ANOTHER_TENSOR, told, 27)


def _empty(s: Source, name: str) -> range:
    """The lines on which a list or dict of the function is empty still: there it says nothing."""
    named = [n for n in s.nodes if isinstance(n, ast.Name) and n.id == name]
    made = s.parents.get(id(named[0])) if named else None
    value = made.value if isinstance(made, ast.Assign) else None
    if isinstance(made, ast.Assign) and isinstance(value, ast.List | ast.Dict) and len(s.text(value)) == 2:
        return range(made.lineno, min([n.lineno for n in named[1:]], default=made.lineno))
    return range(0)


def _asked(s: Source, n: ast.Name) -> bool:
    """Whether a name stands in a call of any, all, len or bool of which the truth alone counts."""
    call = s.parents.get(id(n), n)
    tests = isinstance(s.parents.get(id(call)), ast.If | ast.IfExp | ast.While | ast.UnaryOp)
    return method(call) in ("any", "all", "len", "bool") and tests


def _of_text(s: Source, n: ast.Name) -> bool:
    """Whether a name is compared with a text: another one there is only a condition that never holds."""
    parent = s.parents.get(id(n))
    sides = [parent.left, *parent.comparators] if isinstance(parent, ast.Compare) else []
    return any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)


def unused(s: Source) -> Finding | None:
    """The first argument that the function never reads; None where there is none, or none is seen."""
    arguments = s.function.args
    if arguments.vararg or arguments.kwarg or {"locals", "vars", "eval"} & {n.id for n in _names(s)}:
        return None
    asked = [*arguments.posonlyargs, *arguments.args][: -len(arguments.defaults) or None]
    read = {n.id for n in _names(s)}
    for name in [a.arg for a in asked if a.arg not in read and a.arg not in ("self", "cls")]:
        told = f"{name} is never used, though what is asked for depends on it"
        return Finding(Code.UNUSED, told, line=s.line(s.function))
    return None


def _names(s: Source) -> list[ast.Name]:
    return [n for n in s.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]


def _sets(s: Source, n: ast.AST) -> bool:
    """Whether a node's statement sets an attribute, as a backward pass and a step of descent do."""
    while not isinstance(n, ast.stmt):
        n = s.parents[id(n)]
    targets = n.targets if isinstance(n, ast.Assign) else [n.target] if isinstance(n, ast.AugAssign) else []
    return any(isinstance(t, ast.Attribute) for t in targets)


def attributes(s: Source) -> Iterator[Change]:
    """An attribute of another object, another attribute, or the object itself."""
    called = {id(n.func) for n in s.nodes if isinstance(n, ast.Call)}
    found = [
        n
        for n in s.nodes
        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.attr in s.about.fields
        if id(n) not in called
    ]
    owners = list(dict.fromkeys(n.value.id for n in found if isinstance(n.value, ast.Name)))
    kept = [n for n in s.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    owners += [k for k in dict.fromkeys(n.id for n in kept) if k not in owners][:3]
    texts = {s.text(n) for n in found}
    fields = list(dict.fromkeys([*(n.attr for n in found), *s.about.fields]))[:FIELDS]
    for n in found:
        assert isinstance(n.value, ast.Name)
        own = s.text(n)
        others = [f"{owner}.{n.attr}" for owner in owners] + [f"{n.value.id}.{field}" for field in fields]
        sets = _sets(s, n)
        read = isinstance(n.ctx, ast.Load) and not _decides(s, n)
        others += [k for k in s.scope if read and k not in ("self", *s.switches)]
        for other in dict.fromkeys((*others, *sorted(texts))):
            if other != own and (sets or not other.endswith(".grad")):
                told = f"{own} stands where {other} is meant"
                yield s.change(
                    n, [s.edit(n, other)], Code.ANOTHER_TENSOR, told, 18 if other in others else 28
                )
        if isinstance(n.ctx, ast.Load):
            places = [m for m in found if s.text(m) == own and isinstance(m.ctx, ast.Load)]
            told = f"{own} is used where {n.value.id} itself is meant"
            edits = [s.edit(m, n.value.id) for m in places]
            edits += [
                s.edit(m, s.text(m.value))
                for m in s.nodes
                if isinstance(m, ast.Attribute) and m.attr == n.attr and m not in places
                if isinstance(m.ctx, ast.Load) and isinstance(m.value, ast.Name) and m.value.id == n.value.id
            ]
            yield s.change(n, edits, Code.ANOTHER_TENSOR, told, 26)
    yield from _pairs_of_owners(s)


def _pairs_of_owners(s: Source) -> Iterator[Change]:
    """The objects of `a.x += b.x` exchanged, in all such statements."""
    steps = [
        n
        for n in s.nodes
        if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Attribute)
        if isinstance(n.value, ast.Attribute)
    ]
    if steps:
        edits = [
            e for n in steps for e in (s.edit(n.target, s.text(n.value)), s.edit(n.value, s.text(n.target)))
        ]
        told = f"`{s.text(steps[0])}` goes the wrong way round: it adds to what it is to be added from"
        yield s.change(steps[0], edits, Code.EXCHANGED, told, 10)


def constants(s: Source) -> Iterator[Change]:
    """A number for which a variable is meant, or another number."""
    unused, same = _unused(s), dict[str, list[ast.expr]]()
    own = [f"self.{f}" for f in s.about.fields if "self" in s.params]
    texts = {s.text(n) for n in s.nodes if isinstance(n, ast.Attribute)}
    fields = sorted(own, key=lambda f: f not in texts)
    for n in s.nodes:
        parent = s.parents.get(id(n))
        if not is_number(n) or (parent is not None and is_number(parent)):  # of a negative one the whole
            continue
        assert isinstance(n, ast.expr)
        same.setdefault(s.text(n), []).append(n)
    for text, places in same.items():
        value = float(ast.literal_eval(text))
        others = [k for k in s.scope[:MOST] if k not in ("self", *s.switches)]
        for other in (*others, *fields[:MOST]):
            told = f"{text} is written where {other} is meant"
            rank = 7 if other in unused else 24 if value not in (0, 1) else 31
            if len(places) > 1:
                yield s.change(places[0], [s.put(n, other) for n in places], Code.HARD_CODED, told, rank)
            for n in places:
                yield s.change(n, other, Code.HARD_CODED, told, rank + 1)
        ends = any(isinstance(s.parents.get(id(n)), ast.Slice) for n in places)  # a length may mean all
        for param in (k for k in s.params if k not in s.switches and value > 1 and not ends):
            for form in (f"len({param})", f"{param}.shape[0]", f"{param}.shape[1]", f"{param}.shape[-1]"):
                told = f"{text} is written where a length of {param} is meant"
                yield s.change(places[0], [s.put(n, form) for n in places], Code.HARD_CODED, told, 33)
        for n in places:
            code = Code.EPS if 0 < value < 1e-3 else Code.CONSTANT
            if not isinstance(s.parents.get(id(n)), ast.Subscript | ast.Slice) and not _in_range(s, n):
                told = f"the number {text} is off"
                for k, new in enumerate(_other(value, isinstance(ast.literal_eval(text), int))):
                    yield s.change(n, new, code, told, 28 if k < 2 and value > 2 else 30)


def _in_range(s: Source, n: ast.AST) -> bool:
    return method(s.parents.get(id(n), n)) == "range"


def _other(value: float, whole: bool) -> Iterator[str]:
    if abs(value) >= LARGE:
        yield 'float("inf")' if value > 0 else 'float("-inf")'
    if not math.isfinite(value) or abs(value) > 1e30:
        return
    if 0 < value < 1e-3:
        yield from ("1e-5", "1e-6", "1e-8", "1e-12", "0.0")
        return
    if whole:
        yield from (str(int(value) + 1), str(int(value) - 1), str(-int(value)), str(2 * int(value)))
    yield from (f"{-value!r}", f"{value / 2!r}", f"{value * 2!r}", f"{value**2!r}", f"{1 - value!r}")
    yield from ("0", "1", "-1", "2", "0.5", 'float("inf")', 'float("-inf")')
    if value > 0:
        yield from (f"{value!r} ** 0.5", f"1 / {value!r}")


def missing(s: Source) -> Iterator[Change]:
    """A factor, a division or a term that is missing, made of what the function has."""
    unused = _unused(s)
    known = [k for k in dict.fromkeys((*unused, *s.scope)) if k not in ("self", *s.switches)][:MOST]
    found = [n for n in s.nodes if isinstance(n, ast.Attribute) and n.attr in s.about.fields]
    owners = dict.fromkeys(n.value.id for n in found if isinstance(n.value, ast.Name))
    fields = dict.fromkeys((*(n.attr for n in found), *s.about.fields))
    whole = {id(n) for n in s.returned}
    pieces = [*known, *[f"{o}.{f}" for o in owners for f in fields][:MOST]]
    steps = [n.value for n in s.nodes if isinstance(n, ast.AugAssign)]
    for piece in pieces if len(steps) > 1 else ():
        told = f"the factor {piece} is missing"
        edits = [s.put(n, f"({s.text(n)}) * {piece}") for n in steps]
        yield s.change(steps[0], edits, Code.FACTOR_MISSING, told, 19 if "." in piece else 29)
    for n in {id(n): n for n in (*steps, *s.returned, *_computed(s))}.values():
        if method(n) in ("zeros", "zeros_like", "empty"):
            continue  # a factor changes no more than their type
        text, of = f"({s.text(n)})", "" if id(n) in whole else f" of {s.quoted(n)}"
        for piece in pieces:
            rank = 13 if piece in unused else 40
            for sign, what in (("*", f"factor {piece}{of}"), ("/", f"division{of} by {piece}")):
                if not _undoes(s, n, sign, piece):
                    told = f"the {what} is missing"
                    yield s.change(n, f"{text} {sign} {piece}", Code.FACTOR_MISSING, told, rank)
            for sign in "+-" if not of or method(n) == "sum" or piece in unused else ():
                yield s.change(
                    n, f"{text} {sign} {piece}", Code.TERM_MISSING, f"the term {piece} is missing", rank
                )
        for count in known if not of else ():
            told = f"the division by the length of {count} is missing"
            yield s.change(n, f"{text} / len({count})", Code.FACTOR_MISSING, told, 41)
        for number in ("2", "0.5") if not of else ():
            yield s.change(n, f"{text} * {number}", Code.FACTOR_MISSING, f"a factor{of} is missing", 42)


def _undoes(s: Source, n: ast.expr, sign: str, piece: str) -> bool:
    """Whether a factor, or a division, would only take back what stands there."""
    if not isinstance(n, ast.BinOp):
        return False
    if sign == "*":
        return isinstance(n.op, ast.Div) and s.text(n.right) == piece
    return isinstance(n.op, ast.Mult) and piece in (s.text(n.left), s.text(n.right))


def _decides(s: Source, node: ast.AST) -> bool:
    """Whether a node is only compared, so that many another would do as well there."""
    inner = s.parents.get(id(node))
    while inner is not None:
        outer = s.parents.get(id(inner))
        if isinstance(inner, ast.Compare) or method(inner) in ("min", "max", "sorted", "sort", "argmax"):
            return True
        if isinstance(inner, ast.Tuple) and not isinstance(outer, ast.Return):
            return True
        inner = outer
    return False


def _computed(s: Source) -> Iterator[ast.expr]:
    return (n for n in _all_computed(s) if not _decides(s, n))


def _all_computed(s: Source) -> Iterator[ast.expr]:
    """What is assigned, collected, or stands in a sum."""
    for n in s.nodes:
        if isinstance(n, ast.Assign) and not isinstance(n.value, ast.Constant):
            yield n.value
        elif isinstance(n, ast.ListComp | ast.GeneratorExp):
            yield n.elt
        elif isinstance(n, ast.DictComp):
            yield n.value
        elif isinstance(n, ast.Call) and method(n) == "append" and n.args:
            yield n.args[0]
        elif isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub):
            yield from (n.left, n.right)
        elif isinstance(n, ast.Call) and method(n) == "sum":
            yield n
        elif isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow):
            yield n.left
        elif isinstance(n, ast.Call) and (method(n) == "where" or s.text(n.func).startswith("self.")):
            yield from n.args[method(n) == "where" :]
