"""Changes of statements: one too many, in the wrong place, `=` for `+=`, what is to be copied."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Edit, Source, method, names_in

MUTATES = frozenset(
    ("append", "extend", "pop", "insert", "remove", "sort", "reverse", "update", "add", "clear", "setdefault",
     "popitem", "discard", "copy_", "add_", "mul_", "zero_", "sub_", "div_")
)  # fmt: skip
AUGMENTED = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}


def _movable(n: ast.stmt) -> bool:
    docstring = isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    return not docstring and not isinstance(n, ast.Pass | ast.Import | ast.ImportFrom)


def left_out(s: Source) -> Iterator[Change]:
    """A statement that is one too many."""
    for block in s.blocks:
        for n in block:
            if not _movable(n) or isinstance(n, ast.Return | ast.FunctionDef):
                continue
            told = f"{s.quoted(n)} is one step too many"
            if isinstance(n, ast.For | ast.While | ast.If | ast.With):
                head = s.text(n).partition("\n")[0].rstrip(": ")
                told = f"what line {s.line(n)} does, `{head}`, is one step too many"
            if isinstance(n, ast.If) and n.orelse:
                continue
            yield s.change(n, [s.edit(n, "pass")], Code.EXTRA_STEP, told, 18)
            yield from _overwritten(s, n, block)


def _overwritten(s: Source, n: ast.stmt, block: list[ast.stmt]) -> Iterator[Change]:
    """`x = f(x)`, after which the old x is still needed: f(x) is meant in the next statement alone."""
    if not isinstance(n, ast.Assign) or not isinstance(n.targets[0], ast.Name):
        return
    name = n.targets[0].id
    rest = block[block.index(n) + 1 :]
    if name in s.params and rest:
        told = f"{name} is overwritten here, though what was passed is meant"
        yield s.change(n, [s.edit(n, "pass")], Code.OVERWRITTEN, told, 11)
    for after in () if s.within(n, ast.For, ast.While) else rest[:1]:  # there it may add up
        uses = [m for m in ast.walk(after) if isinstance(m, ast.Name) and m.id == name]
        uses = [m for m in uses if isinstance(m.ctx, ast.Load)]
        if uses:
            told = f"{name} is overwritten here, though what it was before is needed later"
            edits = [s.edit(n, "pass"), *(s.put(m, s.text(n.value)) for m in uses)]
            yield s.change(n, edits, Code.OVERWRITTEN, told, 16)


def moved(s: Source) -> Iterator[Change]:
    """A statement that stands too early or too late, in its block."""
    for block in s.blocks:
        places = [k for k, n in enumerate(block) if _movable(n)]
        for i in places:
            for j in places:
                n = block[i]
                if i == j or j == i + 1 or isinstance(n, ast.Return):  # i + 1 to i is the same
                    continue
                if max(i, j) - min(i, j) > 6:
                    continue
                block.insert(j, block.pop(i))
                when = "late" if j < i else "early"
                told = f"{_named(s, n)} comes too {when}"
                try:
                    yield s.rewritten(n, Code.MISPLACED, told, 20 if abs(i - j) == 1 else 24)
                finally:
                    block.insert(i, block.pop(j))


def _named(s: Source, n: ast.stmt) -> str:
    first = s.text(n).partition("\n")[0].rstrip(": ")
    if (
        isinstance(n, ast.For | ast.While | ast.If | ast.With | ast.FunctionDef)
        and len(first) < 48
        and "`" not in first
    ):
        return f"`{first}`"
    return s.quoted(n)


def nested(s: Source) -> Iterator[Change]:
    """A statement that stands before, in or after a loop or a condition, where another of these is meant."""
    for block in s.blocks:
        for k, n in enumerate(block):
            if isinstance(n, ast.For | ast.While | ast.If):
                yield from _into(s, block, k)
                yield from _out_of(s, block, k)


def _word(n: ast.stmt) -> str:
    return "condition" if isinstance(n, ast.If) else "loop"


def _into(s: Source, block: list[ast.stmt], k: int) -> Iterator[Change]:
    """What stands before or after a compound statement is meant in it."""
    outer = block[k]
    assert isinstance(outer, ast.For | ast.While | ast.If)
    line, word = s.line(outer), _word(outer)
    code = Code.CONDITION if word == "condition" else Code.LOOP
    for at in [*range(k - 1, max(-1, k - 4), -1), *range(k + 1, min(len(block), k + 3))]:
        n = block[at]
        leaves = any(isinstance(m, ast.Return | ast.Raise) for m in ast.walk(n))  # in a loop it may never run
        if not _movable(n) or isinstance(n, ast.FunctionDef) or leaves and word == "loop":
            continue
        for into, place in ((outer.body, 0), (outer.body, len(outer.body)), (outer.orelse, 0)):
            if into is outer.orelse and word == "loop":
                continue
            if into and isinstance(into[-1], ast.Break | ast.Continue | ast.Return | ast.Raise):
                continue  # after which nothing is done
            block.pop(at)
            into.insert(place, n)
            side = "before" if at < k else "after"
            told = f"{_named(s, n)} stands {side} the {word} of line {line}: it is meant inside"
            if into is outer.orelse:
                told = (
                    f"{_named(s, n)} is done in any case, not only where the condition of line {line} fails"
                )
            try:
                alone = into is outer.body and not isinstance(n, ast.For | ast.While)
                yield s.rewritten(n, code, told, 14 if alone else 24)
            finally:
                into.pop(place)
                block.insert(at, n)


def _out_of(s: Source, block: list[ast.stmt], k: int) -> Iterator[Change]:
    """What stands in a compound statement is meant before or after it."""
    outer = block[k]
    assert isinstance(outer, ast.For | ast.While | ast.If)
    line, word = s.line(outer), _word(outer)
    code = Code.CONDITION if word == "condition" else Code.LOOP
    for inner in (outer.body, outer.orelse):
        for at in dict.fromkeys((len(inner) - 1, 0)) if inner else ():
            n = inner[at]
            if not _movable(n) or isinstance(n, ast.Break | ast.Continue):
                continue
            for place, side in ((k + 1, "after"), (k, "before")):
                inner.pop(at)
                hole = not inner and inner is outer.body
                if hole:
                    inner.append(ast.Pass())
                block.insert(place, n)
                told = f"{_named(s, n)} stands inside the {word} of line {line}: it is meant {side} it"
                try:
                    rank = 6 if isinstance(n, ast.Return) and side == "after" else 20
                    yield s.rewritten(n, code, told, rank)
                finally:
                    block.pop(place)
                    if hole:
                        inner.pop()
                    inner.insert(at, n)


def steps(s: Source) -> Iterator[Change]:
    """= for += and the reverse, one step or all alike; another of these operators."""
    assigned = [n for n in s.nodes if isinstance(n, ast.Assign) and len(n.targets) == 1]
    assigned = [n for n in assigned if not isinstance(n.value, ast.Constant)]  # nothing adds 0
    inner = [n for n in assigned if isinstance(n.targets[0], ast.Attribute | ast.Subscript)]
    for group in {s.text(n.targets[0]).rpartition(".")[2]: None for n in inner}:
        alike = [n for n in inner if s.text(n.targets[0]).rpartition(".")[2] == group]
        told = (
            f"{s.quoted(alike[0].targets[0])} is assigned where it is to be added to: what was there is lost"
        )
        edits = [s.edit(n, f"{s.text(n.targets[0])} += {s.text(n.value)}") for n in alike]
        yield s.change(alike[0], edits, Code.ASSIGNED, told, 7)
    for n in assigned:
        target, value = s.text(n.targets[0]), n.value
        if isinstance(n.targets[0], ast.Name | ast.Attribute | ast.Subscript):
            told = f"{s.quoted(n.targets[0])} is assigned where it is to be added to: what was there is lost"
            yield s.change(n, [s.edit(n, f"{target} += {s.text(value)}")], Code.ASSIGNED, told, 12)
        if (
            isinstance(value, ast.BinOp)
            and isinstance(value.op, ast.Add | ast.Sub)
            and s.text(value.left) == target
        ):
            minus = "-" if isinstance(value.op, ast.Sub) else ""
            told = f"{target} grows by what was there before: it is to begin anew"
            yield s.change(n, [s.edit(n, f"{target} = {minus}({s.text(value.right)})")], Code.ADDED, told, 12)
        yield from _early(s, n)
        if isinstance(n.targets[0], ast.Tuple) and len(n.targets[0].elts) == 2:
            a, b = n.targets[0].elts
            told = f"{s.quoted(a)} and {s.quoted(b)} are exchanged"
            yield s.change(n, [s.edit(a, s.text(b)), s.edit(b, s.text(a))], Code.EXCHANGED, told, 11)
        if isinstance(n.targets[0], ast.Subscript) and not isinstance(n.targets[0].slice, ast.Slice):
            index = n.targets[0].slice
            told = f"the key and the value of {s.quoted(n.targets[0])} are exchanged"
            yield s.change(
                n, [s.edit(index, s.text(value)), s.edit(value, s.text(index))], Code.EXCHANGED, told, 11
            )
            yield from _adds_at(s, n, n.targets[0], value)
    for chain in s.nodes:
        if isinstance(chain, ast.Assign) and len(chain.targets) == 2:
            one, two = (s.text(t) for t in chain.targets)
            for first, then in ((one, two), (two, one)):
                told = f"{one} and {two} are given the same: {first} is to get what {then} was before"
                edit = s.edit(chain, f"{first}, {then} = {then}, {s.text(chain.value)}")
                yield s.change(chain, [edit], Code.ASSIGNED, told, 12)
    for step in s.nodes:
        if not isinstance(step, ast.AugAssign):
            continue
        target, value = s.text(step.target), step.value
        told = f"{s.quoted(step.target)} is added to where it is to be assigned"
        yield s.change(step, [s.edit(step, f"{target} = {s.text(value)}")], Code.ADDED, told, 13)
        for kind, op in AUGMENTED.items():
            # What is added alike everywhere may undo nothing, as to logits: no division becomes a sum.
            if not isinstance(step.op, kind) and (op == "*=" or not isinstance(step.op, ast.Div)):
                word = {"+=": "added", "-=": "subtracted", "*=": "multiplied", "/=": "divided"}[op]
                told = f"{s.quoted(step)}: it is to be {word} there"
                yield s.change(
                    step, [s.edit(step, f"{target} {op} {s.text(value)}")], Code.OPERATOR, told, 14
                )
        if isinstance(step.target, ast.Subscript):
            yield from _adds_at(s, step, step.target, value)


def _early(s: Source, n: ast.Assign) -> Iterator[Change]:
    """x = x * w, which is meant of what is made of x afterwards."""
    of = n.value
    sign = {ast.Add: "+", ast.Mult: "*", ast.Div: "/"}.get(type(of.op)) if isinstance(of, ast.BinOp) else None
    if not sign or not isinstance(of, ast.BinOp) or s.text(n.targets[0]) != s.text(of.left):
        return
    later = [
        m for m in s.values if getattr(m, "lineno", 0) > n.lineno and isinstance(m, ast.BinOp | ast.Call)
    ]
    for m in later:
        told = f"{s.quoted(n)} comes too early: it is meant of {s.quoted(m)}"
        edits = [s.edit(n, "pass"), s.put(m, f"({s.text(m)}) {sign} ({s.text(of.right)})")]
        yield s.change(n, edits, Code.MISPLACED, told, 27)


def _adds_at(s: Source, n: ast.stmt, target: ast.Subscript, value: ast.expr) -> Iterator[Change]:
    """An index that may have a place several times, of which only one contribution stays."""
    of, index = s.text(target.value), target.slice
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    told = f"{s.quoted(n)} keeps one contribution where a place comes several times: each is to be added"
    at = ", ".join(f"torch.as_tensor({s.text(p)})" for p in parts)
    new = f"{of}.index_put_(({at},), torch.as_tensor({s.text(value)}, dtype={of}.dtype), accumulate=True)"
    yield s.change(n, [s.edit(n, new)], Code.ASSIGNED, told, 9)


def loops(s: Source) -> Iterator[Change]:
    """A sum that is assigned anew in each turn, a loop that is left too early."""
    for loop in s.nodes:
        if not isinstance(loop, ast.For | ast.While):
            continue
        start, _ = s.span(loop)
        indent = "\n" + " " * loop.col_offset
        for n in ast.walk(loop):
            if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name):
                name = n.targets[0].id
                told = f"{name} is made anew in each turn: only the last stays, where all are to be added"
                edits = [Edit(start, start, f"{name} = 0{indent}"), s.edit(n, f"{name} += {s.text(n.value)}")]
                yield s.change(n, edits, Code.LOOP, told, 21)
            if isinstance(n, ast.Break):
                told = "the loop ends here, where it is to go on"
                yield s.change(n, [s.edit(n, "continue")], Code.LOOP, told, 18)
            if isinstance(n, ast.Continue):
                told = "the loop goes on here, where it is to end"
                yield s.change(n, [s.edit(n, "break")], Code.LOOP, told, 18)


def copies(s: Source) -> Iterator[Change]:
    """Something that is kept, or passed, and then changed."""
    copied = "__import__('copy').deepcopy"
    changed = _changed(s)
    for n in s.nodes:
        if isinstance(n, ast.Call) and method(n) in ("append", "add", "insert", "setdefault") and n.args:
            for part in n.args[-1].elts if isinstance(n.args[-1], ast.Tuple) else n.args[-1:]:
                if not isinstance(part, ast.Name | ast.Attribute) or not changed & {*names_in(part)}:
                    continue
                told = f"{s.quoted(part)} itself is kept, which changes afterwards: a copy is meant"
                yield s.change(part, f"{copied}({s.text(part)})", Code.SHARED, told, 8)
        alias = isinstance(n, ast.Assign) and isinstance(n.value, ast.Name | ast.Attribute | ast.Subscript)
        if isinstance(n, ast.Assign) and alias and changed & {*names_in(n)}:
            told = f"{s.quoted(n.targets[0])} is another name of {s.quoted(n.value)}, not a copy"
            yield s.change(n.value, f"{copied}({s.text(n.value)})", Code.SHARED, told, 15)
    for value in s.returned:
        if isinstance(value, ast.Attribute):
            told = f"{s.quoted(value)} itself is returned, which changes afterwards: a copy is meant"
            yield s.change(value, f"{copied}({s.text(value)})", Code.SHARED, told, 21)
    first = next((n for n in s.function.body if _movable(n)), None)
    if first is None:
        return
    indent = "\n" + " " * first.col_offset
    start, _ = s.span(first)
    for name in sorted(changed - set(s.params) - s.local):
        told = f"{name} keeps what earlier calls put in: each call is to begin anew"
        yield s.change(first, [Edit(start, start, f"{name}.clear(){indent}")], Code.SHARED, told, 4)
    for param in sorted(changed & set(s.params) - {"self"}):
        told = f"{param}, which is passed, is changed in place: a copy is meant"
        if param in s.kept:
            told = (
                f"the default of {param} is made once, and keeps what each call puts in: a new one is meant"
            )
        edits = [Edit(start, start, f"{param} = {copied}({param}){indent}")]
        yield s.change(first, edits, Code.SHARED, told, 4)


def _changed(s: Source) -> set[str]:
    """The names of what is changed in place."""
    found: set[str] = set()
    for n in s.nodes:
        if isinstance(n, ast.Subscript | ast.Attribute) and isinstance(n.ctx, ast.Store | ast.Del):
            found |= {m.id for m in ast.walk(n.value) if isinstance(m, ast.Name)} - {"self"}
        elif isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name):
            found.add(n.target.id)
        elif isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in MUTATES:
            found |= {m.id for m in ast.walk(n.func.value) if isinstance(m, ast.Name)}
    return found
