"""Changes of a comparison or of a condition."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number, method

SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
         ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not"}  # fmt: skip
STRICT = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
OPPOSITE = {"==": "!=", "!=": "==", "in": "not in", "not in": "in", "is": "is not", "is not": "is",
            "<": ">=", ">": "<=", "<=": ">", ">=": "<"}  # fmt: skip
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def comparisons(s: Source) -> Iterator[Change]:
    for n in s.nodes:
        if not isinstance(n, ast.Compare) or len(n.ops) != 1:
            continue
        sign, a, b = SIGNS[type(n.ops[0])], s.text(n.left), s.text(n.comparators[0])
        whole = s.quoted(n)
        if sign in STRICT:
            told = f"{whole} is wrong where both are equal: `{STRICT[sign]}` is meant"
            yield s.change(n, f"({a}) {STRICT[sign]} ({b})", Code.COMPARISON, told, 10)
            told = f"{whole} compares the wrong way round"
            yield s.change(n, f"({a}) {TURNED[sign]} ({b})", Code.COMPARISON, told, 16)
        told = f"{whole} is the opposite of what is meant"
        yield s.change(n, f"({a}) {OPPOSITE[sign]} ({b})", Code.COMPARISON, told, 17)
        for other in ("<", "<=", ">", ">=", "==") if sign in ("==", "!=") else ("==", "!="):
            if other not in (sign, OPPOSITE[sign]):
                told = f"{whole} compares by `{sign}` where `{other}` is meant"
                yield s.change(n, f"({a}) {other} ({b})", Code.COMPARISON, told, 31)
                for name in s.params if is_number(n.comparators[0]) else ():
                    told = f"{whole} compares by `{sign}` with a number, where `{other}` with {name} is meant"
                    yield s.change(n, f"({a}) {other} ({name})", Code.HARD_CODED, told, 33)
        if sign == "==":
            told = f"{whole} asks for the whole to be equal, where its beginning is meant"
            yield s.change(n, f"({a}).startswith({b})", Code.COMPARISON, told, 34)


def _tests(s: Source) -> Iterator[ast.expr]:
    for n in s.nodes:
        if isinstance(n, ast.If | ast.While | ast.IfExp):
            yield n.test
        elif isinstance(n, ast.comprehension):
            yield from n.ifs


def flags(s: Source) -> Iterator[Change]:
    """`if skip:` of a name that a loop sets, and never sets back; what is kept though it is empty."""
    for n in s.nodes:
        if method(n) == "append" and isinstance(n, ast.Call) and n.args and isinstance(n.args[0], ast.Name):
            told = f"{n.args[0].id} is kept where it is empty, too"
            yield s.change(n, [s.edit(n, f"{n.args[0].id} and {s.text(n)}")], Code.CONDITION, told, 15)
        if isinstance(n, ast.If) and isinstance(n.test, ast.Name):
            name, (start, _) = n.test.id, s.span(n.body[0])
            told = f"{name} is never set back: it holds from then on"
            edit = Edit(start, start, f"{name} = False\n" + " " * n.body[0].col_offset)
            yield s.change(n, [edit], Code.CONDITION, told, 10)


def conditions(s: Source) -> Iterator[Change]:
    for test in _tests(s):
        text, whole = s.text(test), s.quoted(test)
        if not isinstance(test, ast.Compare):
            told = f"the condition {whole} is the opposite of what is meant"
            yield s.change(test, f"not ({text})", Code.CONDITION, told, 16)
        if not isinstance(s.parents.get(id(test)), ast.While):
            told = f"the condition {whole} is one too many: it holds back what is always meant"
            yield s.change(test, "True", Code.CONDITION, told, 22)
            told = f"what is done if {whole} is one step too many"
            yield s.change(test, "False", Code.EXTRA_STEP, told, 21)
        for n in ast.walk(test):
            if isinstance(n, ast.Subscript) and not isinstance(n.slice, ast.Slice | ast.Tuple):
                index, of = s.text(n.slice), s.text(n.value)
                if not is_number(n.slice):
                    told = f"{s.quoted(n)} may lie past the end of {of}, which is not asked before"
                    yield s.change(test, f"({index}) < len({of}) and ({text})", Code.CONDITION, told, 14)
            if isinstance(n, ast.BoolOp):
                word = "and" if isinstance(n.op, ast.And) else "or"
                other = "or" if word == "and" else "and"
                parts = [f"({s.text(v)})" for v in n.values]
                told = f"`{word}` stands where `{other}` is meant"
                yield s.change(n, f" {other} ".join(parts), Code.CONDITION, told, 15)
                for k, part in enumerate(n.values):
                    told = f"the condition {s.quoted(part)} is one too many"
                    rest = parts[:k] + parts[k + 1 :]
                    yield s.change(n, f" {word} ".join(rest), Code.CONDITION, told, 14)
    for one in s.nodes:
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.BitAnd | ast.BitOr):
            sign, other = ("&", "|") if isinstance(one.op, ast.BitAnd) else ("|", "&")
            told = f"`{sign}` stands where `{other}` is meant"
            yield s.change(
                one, f"({s.text(one.left)}) {other} ({s.text(one.right)})", Code.CONDITION, told, 15
            )
        if isinstance(one, ast.IfExp):
            a, b, test_ = s.text(one.body), s.text(one.orelse), s.text(one.test)
            told = f"the two sides of {s.quoted(one)} are exchanged"
            yield s.change(one, f"({b}) if ({test_}) else ({a})", Code.CONDITION, told, 13)
            told = f"the condition {s.quoted(one.test)} is one too many"
            yield s.change(one, a, Code.CONDITION, told, 22)
            yield s.change(one, b, Code.CONDITION, told, 23)
            for side, new in (
                (one.orelse, f"({a}) if ({test_}) else 0"),
                (one.body, f"0 if ({test_}) else ({b})"),
            ):
                if not is_number(side):
                    told = f"{s.quoted(side)} stands where 0 is meant"
                    yield s.change(side, [s.put(one, new)], Code.EXTRA_TERM, told, 17)
