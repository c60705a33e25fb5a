"""Changes of a formula of plain numbers, and of where its brackets stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.core.finding import Code
from grader.diagnosis.repairs.formulas import operand_dropped
from grader.diagnosis.repairs.source import Change, Source, is_number, method, subject


def formulas(s: Source) -> Iterator[Change]:
    """Parts of a formula that are too many; exponents; divisions of whole numbers; a derivative's form."""
    for n in s.nodes:
        if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub) and not is_number(n):
            told = f"the minus sign of {s.quoted(n.operand)} is one too many"
            yield s.change(n, s.text(n.operand), Code.TERM_SIGN, told, 12)
        if not isinstance(n, ast.BinOp):
            continue
        a, b = s.text(n.left), s.text(n.right)
        yield from operand_dropped(s, n)
        if isinstance(n.op, ast.FloorDiv):
            told = f"`//` rounds down: {s.quoted(n)} is meant with `/`"
            yield s.change(n, f"({a}) / ({b})", Code.OPERATOR, told, 8)
        if isinstance(n.op, ast.Div):
            yield from _divided(s, n)
        for other in (
            s.scope if isinstance(n.op, ast.Mult) and a == b and isinstance(n.left, ast.Name) else ()
        ):
            told = f"{a} is squared where {other} is meant"
            yield s.change(n, f"{other} * {other}", Code.ANOTHER_TENSOR, told, 21)
        if isinstance(n.op, ast.Mult):
            told = f"{s.quoted(n)} is meant as a power, with `**`"
            yield s.change(n, f"({a}) ** ({b})", Code.OPERATOR, told, 31)
            if s.text(n.left) in s.text(n.right) and isinstance(n.right, ast.BinOp):
                told = f"{s.quoted(n)} is the derivative of a sigmoid, from its output: of a tanh is meant"
                yield s.change(n, f"1 - ({a}) ** 2", Code.LOCAL_GRADIENT, told, 27)
        if isinstance(n.op, ast.Mod | ast.FloorDiv):
            other = "//" if isinstance(n.op, ast.Mod) else "%"
            told = f"{s.quoted(n)} is meant with `{other}`"
            yield s.change(n, f"({a}) {other} ({b})", Code.OPERATOR, told, 26)
        if isinstance(n.op, ast.Pow):
            told = f"the exponent of {s.quoted(n.left)} is off"
            forms = [f"({b}) + 1", f"({b}) - 1", f"({b}) * 2", f"({b}) / 2", f"-({b})", "0.5", "-0.5"]
            for new in [*forms, *([] if is_number(n.right, 2) else ["2"])]:  # 2.0 is another type alone
                yield s.change(n, f"({a}) ** ({new})", Code.EXPONENT, told, 18)
    for n in s.values:
        if isinstance(n, ast.Name) and isinstance(s.parents.get(id(n)), ast.BinOp) and n.id in s.scope:
            yield s.change(n, f"{n.id} ** 2", Code.EXPONENT, f"{n.id} is meant squared", 24)
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add):
            told = f"{s.quoted(n.right)} is added where its opposite is meant"
            yield s.change(n, f"({s.text(n.left)}) + (-({s.text(n.right)}))", Code.TERM_SIGN, told, 19)


def _divided(s: Source, n: ast.BinOp) -> Iterator[Change]:
    """A division that is held back, rounded, or by something else."""
    a, b, parent = s.text(n.left), s.text(n.right), s.parents.get(id(n))
    if isinstance(parent, ast.BinOp):
        told = f"{s.quoted(n)} may become larger than 1, which is not held back"
        yield s.change(n, f"min(1.0, ({a}) / ({b}))", Code.FUNCTION_MISSING, told, 30)
    if of := _of_length(s, n.right):
        told = f"{s.quoted(n.right)} is the length of one axis: how many numbers {of} has is meant"
        yield s.change(n.right, f"{of}.numel()", Code.WRONG_SIZE, told, 14)
    for other in s.scope:
        for new in (other, f"1 - {other}", f"len({other})") if other in s.params else (other,):
            if new != b:
                told = f"{s.quoted(n.left)} is divided by {s.quoted(n.right)}: by {new} is meant"
                yield s.change(n.right, new, Code.ANOTHER_TENSOR, told, 31)
    told = f"`/` gives a float: {s.quoted(n)} is meant with `//`"
    share = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Sub) and n is parent.right
    yield s.change(n, f"({a}) // ({b})", Code.WRONG_TYPE, told, 35 if share else 11)


def _of_length(s: Source, n: ast.expr) -> str:
    """Of which tensor an expression is the length of an axis, x.shape[0] or len(x); empty if of none."""
    if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Attribute) and n.value.attr == "shape":
        return s.text(n.value.value)
    return s.text(n.args[0]) if isinstance(n, ast.Call) and method(n) == "len" and n.args else ""


# --- brackets ----------------------------------------------------------------------------------------


def brackets(s: Source) -> Iterator[Change]:
    """A part of a formula that stands in or out of a bracket: of a function, a power, by precedence."""
    for n in s.values:
        if isinstance(n, ast.BinOp):
            yield from _out_of(s, n)
            yield from _precedence(s, n)
        if isinstance(n, ast.Call) and len(n.args) <= 1:
            yield from _into(s, n)
        base = n.left if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) else None
        if (
            isinstance(n, ast.BinOp)
            and isinstance(base, ast.BinOp)
            and isinstance(base.op, ast.Add | ast.Sub)
        ):
            a, b, c = s.text(base.left), s.text(base.right), s.text(n.right)
            sign = "+" if isinstance(base.op, ast.Add) else "-"
            told = f"a bracket in the wrong place: {s.quoted(base.right)} stands in the power"
            yield s.change(n, f"({a}) ** ({c}) {sign} ({b})", Code.BRACKET, told, 19)


def _out_of(s: Source, n: ast.BinOp) -> Iterator[Change]:
    """f(a) + b, where f(a + b) is meant."""
    call, sign = n.left, {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(n.op), "")
    if not sign or method(call) in ("len", "std", "var"):  # which what is added to all doesn't change
        return
    b = s.text(n.right)
    told = f"{s.quoted(n.right)} stands outside of the bracket of {s.quoted(call)}, in which it is meant"
    if isinstance(call, ast.Call) and (of := subject(call)) is not None:
        yield s.change(
            n, [s.edit(n, _with(s, call, of, f"({s.text(of)}) {sign} ({b})"))], Code.BRACKET, told, 18
        )
    if isinstance(call, ast.BinOp) and isinstance(call.op, ast.Pow):
        told = f"{s.quoted(n.right)} stands outside of the power, in which it is meant"
        new = f"(({s.text(call.left)}) {sign} ({b})) ** ({s.text(call.right)})"
        yield s.change(n, new, Code.BRACKET, told, 19)


def _into(s: Source, n: ast.Call) -> Iterator[Change]:
    """f(a + b), where f(a) + b is meant."""
    of = subject(n)
    if isinstance(of, ast.BinOp):
        sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(of.op), "")
        if sign:
            a, b = s.text(of.left), s.text(of.right)
            told = f"{s.quoted(of.right)} stands in the bracket of {method(n)}, outside of which it is meant"
            yield s.change(n, f"{_with(s, n, of, a)} {sign} ({b})", Code.BRACKET, told, 21)


def _with(s: Source, call: ast.Call, of: ast.expr, new: str) -> str:
    """A call of something else."""
    start, end = s.span(call)
    a, b = s.span(of)
    while s.data[a - 1 : a] == b"(" and s.data[b : b + 1] == b")" and a - 1 > start:
        a, b = a - 1, b + 1
    return s.data[start:a].decode() + f"({new})" + s.data[b:end].decode()


def _precedence(s: Source, n: ast.BinOp) -> Iterator[Change]:
    """(a * b) - c, where a * (b - c) is meant; a - (b - c) for (a - b) - c, and the reverse."""
    b, inner = s.text(n.right), n.left
    sign = s.data[s.span(n.left)[1] : s.span(n.right)[0]].decode().strip("() \n")
    path = inner
    while isinstance(path, ast.BinOp):
        path = path.right
        if isinstance(inner, ast.BinOp) and s.span(path)[1] == s.span(inner)[1]:
            start, _ = s.span(n)
            a, _ = s.span(path)
            new = s.data[start:a].decode() + f"(({s.text(path)}) {sign} ({b}))"
            told = f"brackets are missing: {s.quoted(n.right)} is meant together with {s.quoted(path)}"
            yield s.change(n, new, Code.BRACKET, told, 22)
            first: ast.expr = n.right
            while isinstance(first, ast.BinOp) and s.span(first.left)[0] == s.span(first)[0]:
                first = first.left
            if first is not n.right:  # a * b - c / d for a * (b - c) / d
                after = s.data[s.span(first)[1] : s.span(n)[1]].decode()
                new = s.data[start:a].decode() + f"(({s.text(path)}) {sign} ({s.text(first)})){after}"
                told = (
                    f"brackets are missing: {s.quoted(first)} is meant together with {s.quoted(path)} alone"
                )
                yield s.change(n, new, Code.BRACKET, told, 22)
            if isinstance(path, ast.Call) and (of := subject(path)) is not None:
                new = s.data[start:a].decode() + _with(s, path, of, f"({s.text(of)}) {sign} ({b})")
                told = f"{s.quoted(n.right)} is meant in the bracket of {s.quoted(path)}, not outside of it"
                yield s.change(n, new, Code.BRACKET, told, 20)
