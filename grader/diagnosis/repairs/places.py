"""Changes of a place: off by one in ranges, slices and indices; another slice, index or example."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number, method, names_in


def places(s: Source) -> Iterator[Change]:
    """Off by one, in ranges, slices and indices; another slice or index."""
    yield from _ranges(s)
    for n in s.nodes:
        if isinstance(n, ast.Subscript):
            index = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
            for part in index:
                yield from _slice(s, n, part) if isinstance(part, ast.Slice) else _index(s, n, part)
            yield from _axes(s, n, index)
    yield from _ones(s)


def _ranges(s: Source) -> Iterator[Change]:
    for n in s.nodes:
        if not isinstance(n, ast.Call) or method(n) != "range" or not n.args or n.keywords:
            continue
        whole = s.quoted(n)
        stop = n.args[0] if len(n.args) == 1 else n.args[1]
        start = n.args[0] if len(n.args) > 1 else None
        text, rest = s.text(stop), "".join(f", {s.text(a)}" for a in n.args[2:])
        begin = s.text(start) if start is not None else "0"
        forms = [
            (f"range({begin}, ({text}) - 1{rest})", "ends one turn too late"),
            (f"range({begin}, ({text}) + 1{rest})", "ends one turn too early"),
            (f"range(({begin}) + 1, {text}{rest})", "begins one turn too early"),
            (f"range(({begin}) + 1, ({text}) + 1{rest})", "begins and ends one too early"),
            (f"range(({begin}) - 1, ({text}) - 1{rest})", "begins and ends one too late"),
        ]
        if begin != "0":  # -1 is the last place
            forms.append((f"range(({begin}) - 1, {text}{rest})", "begins one turn too late"))
        for new, told in forms:
            yield s.change(n, new, Code.OFF_BY_ONE, f"{whole} {told}", 17)
        if start is not None:
            yield s.change(n, f"range({text})", Code.WRONG_PART, f"{whole} begins too late", 20)


def _slice(s: Source, n: ast.Subscript, part: ast.Slice) -> Iterator[Change]:
    whole = s.quoted(n)
    low = s.text(part.lower) if part.lower else ""
    high = s.text(part.upper) if part.upper else ""
    step = f":{s.text(part.step)}" if part.step else ""
    tried: list[tuple[str, str, Code, int]] = []
    if low:
        tried += [
            (f"({low}) + 1:{high}", "begins one place too early", Code.OFF_BY_ONE, 18),
            (f"({low}) - 1:{high}", "begins one place too late", Code.OFF_BY_ONE, 18),
            (f":{high}", "lacks its beginning", Code.WRONG_PART, 24),
            (f"-({low}):{high}", "begins at another place than is meant", Code.WRONG_PART, 32),
        ]
    else:
        tried.append((f"1:{high}", "begins one place too early", Code.OFF_BY_ONE, 19))
    if high:
        tried += [
            (f"{low}:({high}) + 1", "ends one place too early", Code.OFF_BY_ONE, 18),
            (f"{low}:({high}) - 1", "ends one place too late", Code.OFF_BY_ONE, 18),
            (f"{low}:", "ends too early", Code.WRONG_PART, 24),
            (f"{low}:-({high})", "ends at another place than is meant", Code.WRONG_PART, 32),
        ]
    else:
        tried.append((f"{low}:-1", "ends one place too late", Code.OFF_BY_ONE, 19))
    if low and high:
        tried += [
            (f"({low}) + 1:({high}) + 1", "begins and ends one place too early", Code.OFF_BY_ONE, 18),
            (f"({low}) - 1:({high}) - 1", "begins and ends one place too late", Code.OFF_BY_ONE, 18),
        ]
    elif low or high:
        tried.append((f"{high}:{low}", "takes the other part than is meant", Code.WRONG_PART, 25))
    for name in s.scope:
        if name not in (low, high):
            for new in (f"{name}:{high}", f"{low}:{name}", f"{low}:{low} + {name}" if low else f"-{name}:"):
                tried.append((new, "takes another part than is meant", Code.WRONG_PART, 32))
    for new, told, code, rank in tried if not step.startswith(":-") else ():  # backwards it begins at its end
        yield s.change(n, [s.edit(part, new + step)], code, f"{whole} {told}", rank)
    yield from _throughout(s, n)
    yield from _two_parts(s, n, part)
    yield from _from_another(s, n, part)
    if not step:
        told = f"{whole} goes forwards, where backwards is meant"
        yield s.change(n, f"({s.text(n)})[::-1]", Code.DIRECTION, told, 31)
    elif not low and not high:
        yield s.change(n, s.text(n.value), Code.DIRECTION, f"{whole} turns round what is meant as it is", 15)


def _throughout(s: Source, n: ast.Subscript) -> Iterator[Change]:
    """The whole, wherever one and the same part of it is taken."""
    alike = [m for m in s.nodes if isinstance(m, ast.Subscript) and s.text(m) == s.text(n)]
    if len(alike) > 1 and n is alike[0] and isinstance(n.ctx, ast.Load):
        told = f"a part of {s.quoted(n.value)} is taken, {s.quoted(n)}, where all of it is meant"
        edits = [s.put(m, s.text(m.value)) for m in alike]
        yield s.change(n, edits, Code.WRONG_PART, told, 24)


def _two_parts(s: Source, n: ast.Subscript, part: ast.Slice) -> Iterator[Change]:
    """Two parts of one thing, [k:] and [:-k], one place nearer to one another or farther apart."""
    apart = "".join(s.text(part).split()).lstrip(":-").rstrip(":")
    both = [m for m in s.nodes if isinstance(m, ast.Slice) and s.text(m) in (f"{apart}:", f":-{apart}")]
    if apart.isdecimal() and len({s.text(m) for m in both}) == 2:
        for count in (int(apart) - 1, int(apart) + 1):
            told = f"the two parts are {apart} places from one another, where {count} is meant"
            edits = [s.edit(m, s.text(m).replace(apart, str(count))) for m in both]
            yield s.change(n, edits, Code.OFF_BY_ONE, told, 18)


def _from_another(s: Source, n: ast.Subscript, part: ast.Slice) -> Iterator[Change]:
    """A part that is one place from another one: targets, neighbours."""
    for other in s.nodes:
        if not isinstance(other, ast.Subscript):
            continue
        cut = other.slice
        if (
            isinstance(cut, ast.Slice)
            and s.text(other.value) == s.text(n.value)
            and s.text(cut) != s.text(part)
        ):
            a, b = s.text(cut.lower) if cut.lower else "0", s.text(cut.upper) if cut.upper else ""
            for sign, word in (("+", "after"), ("-", "before")):
                if b and (cut.lower or sign == "+"):
                    told = f"{s.quoted(n)} is meant one place {word} {s.quoted(other)}"
                    moved = s.edit(part, f"({a}) {sign} 1:({b}) {sign} 1")
                    yield s.change(n, [moved], Code.WRONG_PART, told, 26)


def _index(s: Source, n: ast.Subscript, part: ast.expr) -> Iterator[Change]:
    whole, text = s.quoted(n), s.text(part)
    if is_number(part):
        for other in ("0", "-1", "1", "2"):
            if other != text:
                size = isinstance(n.value, ast.Attribute) and n.value.attr == "shape"
                what = "is the length of another axis" if size else "takes another place"
                told = f"{whole} {what} than is meant"
                code = Code.WRONG_SIZE if size else Code.WRONG_PART
                yield s.change(n, [s.edit(part, other)], code, told, 18)
        return
    if isinstance(part, ast.Constant | ast.Tuple):
        return
    for new, word in ((f"({text}) + 1", "before"), (f"({text}) - 1", "behind")):
        told = f"{whole} is one place {word} the one that is meant"
        yield s.change(n, [s.edit(part, new)], Code.OFF_BY_ONE, told, 19)


def _axes(s: Source, n: ast.Subscript, index: list[ast.expr]) -> Iterator[Change]:
    """The index of rows for that of columns; an index that is missing."""
    whole, of = s.quoted(n), s.text(n.value)
    if len(index) == 2:
        a, b = s.text(index[0]), s.text(index[1])
        told = f"the rows and the columns of {whole} are exchanged"
        edits = [s.edit(index[0], b), s.edit(index[1], a)]
        yield s.change(n, edits, Code.EXCHANGED, told, 14)
        if isinstance(index[0], ast.Slice) and not (index[0].lower or index[0].upper):
            told = f"{whole} takes a column, where a row is meant"
            yield s.change(n, [Edit(s.span(n)[0], s.span(n)[1], f"{of}[{b}]")], Code.WRONG_AXIS, told, 15)
    elif isinstance(n.ctx, ast.Load) and not isinstance(index[0], ast.Slice):
        told = f"{whole} takes a row, where a column is meant"
        yield s.change(n, f"{of}[:, {s.text(index[0])}]", Code.WRONG_AXIS, told, 26)
    if isinstance(n.ctx, ast.Load) and len(index) == 1:
        told = f"a part of {of} is taken, [{s.text(index[0])}], where all of it is meant"
        yield s.change(n, of, Code.WRONG_PART, told, 30)


def _ones(s: Source) -> Iterator[Change]:
    """1 added or subtracted too much, in one place or in all; 1 that is missing of a count."""
    found = [
        n
        for n in s.nodes
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub) and is_number(n.right, 1)
    ]
    turns = {t.id for n in s.nodes if isinstance(n, ast.For | ast.comprehension)
             for t in ast.walk(n.target) if isinstance(t, ast.Name)}  # fmt: skip
    for n in found:
        told = f"{s.quoted(n)} is one off: {s.quoted(n.left)} is meant"
        counted = isinstance(n.left, ast.Name) and n.left.id in turns  # then it is not the range that is off
        yield s.change(n, s.text(n.left), Code.OFF_BY_ONE, told, 16 if counted else 21)
        other = "-" if isinstance(n.op, ast.Add) else "+"
        told = f"the sign of the 1 in {s.quoted(n)} is wrong"
        yield s.change(n, f"({s.text(n.left)}) {other} 1", Code.OFF_BY_ONE, told, 28)
    if len(found) > 1:
        told = f"{s.quoted(found[0])} is one off, as everywhere here: {s.quoted(found[0].left)} is meant"
        yield s.change(found[0], [s.put(n, s.text(n.left)) for n in found], Code.OFF_BY_ONE, told, 22)
    for one in s.nodes:
        parent = s.parents.get(id(one))
        counts = isinstance(parent, ast.BinOp | ast.Compare) or method(parent or one) in (
            "linspace",
            "arange",
        )
        read = isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and counts
        if read or isinstance(one, ast.Call) and method(one) == "len":
            for new, word in ((f"{s.text(one)} - 1", "large"), (f"{s.text(one)} + 1", "small")):
                told = f"{s.quoted(one)} is 1 too {word} there"
                yield s.change(one, new, Code.OFF_BY_ONE, told, 31 if read else 29)


def parts(s: Source) -> Iterator[Change]:
    """Another part of a tensor than the one that is taken; one example for the sum of all."""
    for n in s.nodes:
        if not isinstance(n, ast.Subscript) or isinstance(n.ctx, ast.Del):
            continue
        index = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
        whole, of = s.quoted(n), s.text(n.value)
        if isinstance(n.ctx, ast.Load) and len(index) == 1 and is_number(index[0]):
            told = f"{whole} is one example alone: what all give is to be summed"
            yield s.change(n, f"({of}).sum(0)", Code.WRONG_PART, told, 7)
        for part in index:
            turns = [v for v in s.turns if v not in names_in(n)] if is_number(part) else []
            for name in turns:
                told = f"{whole} takes the same place in each turn: {name} is meant"
                yield s.change(n, [s.edit(part, name)], Code.WRONG_PART, told, 20)
            if not isinstance(part, ast.Slice):
                continue
            for new in _slices(s, part):
                told = f"{whole} takes another part than is meant"
                yield s.change(n, [s.edit(part, new)], Code.WRONG_PART, told, 26)
        whole_axis = isinstance(index[0], ast.Slice) and index[0].lower is index[0].upper is None
        if len(index) == 2 and whole_axis and not isinstance(index[1], ast.Slice):
            at = s.text(index[1])
            told = f"{whole} marks whole columns: in each row only one cell is meant"
            edit = s.edit(index[0], f"range(len({at}))")
            yield s.change(n, [edit], Code.WHOLE_ROWS, told, 25)
            statement = s.parents.get(id(n))
            if isinstance(statement, ast.Assign):
                value = f"({s.text(statement.value)}).squeeze(1)"
                yield s.change(n, [edit, s.edit(statement.value, value)], Code.WHOLE_ROWS, told, 25)


def examples(s: Source) -> Iterator[Change]:
    """One example of each factor for all of them."""
    taken: dict[str, list[ast.Subscript]] = {}
    for n in s.nodes:
        of = n.value if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load) else None
        known = isinstance(of, ast.Name) and of.id in s.about.shapes
        if isinstance(n, ast.Subscript) and known and is_number(n.slice):
            taken.setdefault(s.text(n.slice), []).append(n)
    for index, places in taken.items():
        if len(places) > 1:
            told = f"only one example is taken, [{index}], of what all give together"
            edits = [s.put(n, f"{s.text(n.value)}.flatten(0, 1)") for n in places]
            yield s.change(places[0], edits, Code.WRONG_PART, told, 8)


def _slices(s: Source, part: ast.Slice) -> Iterator[str]:
    low = s.text(part.lower) if part.lower else ""
    high = s.text(part.upper) if part.upper else ""
    if part.step is not None and not low and not high:
        yield "1::2"
    if low and not high:
        yield f":{low}"
    if high and not low:
        yield f"{high}:"
    if low:
        yield f"({low}) - 1:{high}"
        yield f"({low}) + 1:{high}"
        yield f":{high}"
    if high:
        yield f"{low}:({high}) + 1"
        yield f"{low}:({high}) - 1"
        yield f"{low}:"


def columns(s: Source) -> Iterator[Change]:
    """An index with keepdim=True beside another: the two broadcast to a grid."""
    for n in s.nodes:
        if not isinstance(n, ast.Subscript) or not isinstance(n.slice, ast.Tuple):
            continue
        for part in n.slice.elts:
            kept = [
                c for c in ast.walk(part) if isinstance(c, ast.keyword) and c.arg in ("keepdim", "keepdims")
            ]
            if kept:
                told = f"{s.quoted(part)} is a column: each row gets the places of all rows, not its own"
                edits = [s.put(part, f"({s.text(part)}).flatten()")]
                yield s.change(n, edits, Code.WHOLE_ROWS, told, 2)
                statement = s.parents.get(id(n))
                if isinstance(statement, ast.Assign | ast.AugAssign) and not is_number(statement.value):
                    value = s.put(statement.value, f"({s.text(statement.value)}).flatten()")
                    yield s.change(n, [*edits, value], Code.WHOLE_ROWS, told, 2)
