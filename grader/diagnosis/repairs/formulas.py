"""Changes of a formula: an operator, a constant, an exponent, a part too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number, method, subject

LARGEST = 1e30  # of a number in a formula: Python writes no larger int as a float
ALONG = frozenset(("scatter", "scatter_", "scatter_add", "scatter_add_", "gather", "index_add", "index_add_"))
AXES = frozenset(
    ("max", "argmax", "min", "sum", "mean", "softmax", "transpose", "permute", "unsqueeze", "squeeze",
     "split", "chunk", "flatten", "unflatten", "cat", "stack", "roll", "flip", "pad")
)  # fmt: skip
DERIVATIVES = {
    "log": "1 / ({})",
    "tanh": "1 - ({}).tanh() ** 2",
    "sigmoid": "({0}).sigmoid() * (1 - ({0}).sigmoid())",
    "relu": "(({}) > 0)",
}
RELATED = {
    "log_softmax": ("softmax",), "softmax": ("log_softmax", "sigmoid"), "tanh": ("sigmoid",),
    "sigmoid": ("tanh", "softmax"), "logsigmoid": ("sigmoid",), "sinh": ("tanh",), "cosh": ("tanh",),
    "log2": ("log",), "log10": ("log",), "zeros_like": ("ones_like",), "ones_like": ("zeros_like",),
    "argmin": ("argmax",), "min": ("max",), "prod": ("sum",), "std": ("var",), "var": ("std",),
}  # fmt: skip


def operators(s: Source) -> Iterator[Change]:
    for n in s.values:
        if not isinstance(n, ast.BinOp):
            continue
        a, b = s.text(n.left), s.text(n.right)
        piece = s.quoted(n.right)
        match n.op:
            case ast.Add():
                told = f"{piece} is added where it is to be subtracted"
                yield s.change(n, f"({a}) - ({b})", Code.TERM_SIGN, told, 13)
                told = f"{piece} is added where it is to be multiplied"
                yield s.change(n, f"({a}) * ({b})", Code.OPERATOR, told, 33)
            case ast.Sub():
                told = f"{piece} is subtracted where it is to be added"
                yield s.change(n, f"({a}) + ({b})", Code.TERM_SIGN, told, 13)
                if is_number(n.left, 1) and (x := b.replace(" ", "").removesuffix("**2")).isidentifier():
                    told = (
                        f"1 - {x} squared is the derivative of a tanh: a sigmoid's, {x} * (1 - {x}), is meant"
                    )
                    yield s.change(n, f"{x} * (1 - {x})", Code.LOCAL_GRADIENT, told, 14)
                told = f"the signs of {s.quoted(n.left)} and of {piece} are exchanged"
                yield s.change(n, f"({b}) - ({a})", Code.TERM_SIGN, told, 14)
            case ast.Mult():
                told = f"there is a multiplication by {piece} where a division is meant"
                yield s.change(n, f"({a}) / ({b})", Code.OPERATOR, told, 14)
                told = f"there is a multiplication by {s.quoted(n.left)} where a division is meant"
                yield s.change(n, f"({b}) / ({a})", Code.OPERATOR, told, 15)
                told = f"{piece} is multiplied where it is to be added"
                yield s.change(n, f"({a}) + ({b})", Code.OPERATOR, told, 33)
                yield from _matrix_products(s, n, a, b)
                if isinstance(n.left, ast.Name) and b.replace(" ", "") == f"1-{a}":
                    told = (
                        f"{a} * (1 - {a}) is the derivative of a sigmoid: a tanh's, 1 - {a} squared, is meant"
                    )
                    yield s.change(n, f"1 - {a} ** 2", Code.LOCAL_GRADIENT, told, 14)
            case ast.Div():
                told = f"there is a division by {piece} where a multiplication is meant"
                yield s.change(n, f"({a}) * ({b})", Code.OPERATOR, told, 14)
                yield s.change(n, f"({b}) / ({a})", Code.OPERATOR, f"{s.quoted(n)} is upside down", 15)
                if not is_number(n.right):
                    kinds = ast.Name | ast.Subscript | ast.BinOp
                    count = isinstance(n.right, kinds) or method(n.right) == "len"
                    for word, off in (("-", "large"), ("+", "small")) if count else ():
                        told = f"the number that is divided by, {piece}, is 1 too {off}"
                        yield s.change(n.right, f"({b}) {word} 1", Code.WRONG_SIZE, told, 23)
                    told = f"the division by {piece} is meant by its square: an exponent is missing"
                    if method(n.right) != "len":
                        yield s.change(n, f"({a}) / ({b}) ** 2", Code.EXPONENT, told, 19)
            case ast.MatMult():
                told = "the matrix product has its factors the wrong way round"
                yield s.change(n, f"({b}) @ ({a})", Code.EXCHANGED, told, 16)
                told = "a matrix product stands where an elementwise product is meant"
                yield s.change(n, f"({a}) * ({b})", Code.MATRIX_PRODUCT, told, 17)


def _matrix_products(s: Source, n: ast.BinOp, a: str, b: str) -> Iterator[Change]:
    told = "`*` multiplies element by element: a matrix product, `@`, is meant"
    parent = s.parents.get(id(n))
    if isinstance(parent, ast.Attribute) and parent.attr in ("sum", "mean"):
        return  # a matrix product has its sum already: what fits is a chance
    for rank, new in enumerate(("{a} @ {b}", "{a} @ {b}.mT", "{a}.mT @ {b}", "{b} @ {a}", "{b} @ {a}.mT",
                                "{b}.mT @ {a}")):  # fmt: skip
        yield s.change(n, new.format(a=f"({a})", b=f"({b})"), Code.MATRIX_PRODUCT, told, 16 + rank)


def numbers(s: Source) -> Iterator[Change]:
    """A constant or an exponent that is off."""
    for n in s.nodes:
        of, by = (n.left, n.right) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) else (None, None)
        if method(n) == "pow" and isinstance(n, ast.Call) and n.args:
            of, by = subject(n), n.args[-1]
        if of is not None and by is not None:
            base, power = s.text(of), s.text(by)
            told = f"the exponent of {s.quoted(of)} is off"
            for new in (f"({power}) + 1", f"({power}) - 1", f"({power}) * 2", f"({power}) / 2", f"-({power})",
                        f"({power}) - 0.5", f"({power}) + 0.5", f"({power}) - 2",
                        f"({power}) + 2"):  # fmt: skip
                yield s.change(n, f"({base}) ** ({new})", Code.EXPONENT, told, 18)
            yield s.change(n, base, Code.EXPONENT, told, 18)
            if is_number(by, 2, 3):
                told = f"{s.quoted(n)} is a power where the product, {power} * …, is meant"
                yield s.change(n, f"({base}) * ({power})", Code.OPERATOR, told, 19)
        more = isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub) and is_number(n.right, 1)
        if isinstance(n, ast.BinOp) and more and isinstance(n.left, ast.Name):
            name, sign = n.left.id, "-" if isinstance(n.op, ast.Sub) else "+"
            told = f"{name} {sign} 1 stands where {name} is meant"
            yield s.change(n, name, Code.WRONG_SIZE, told, 19)
        value = n.value if isinstance(n, ast.Constant) else None
        if isinstance(n, ast.Constant) and isinstance(value, int | float) and type(value) is not bool:
            yield from () if _is_exponent(s, n) or abs(value) > LARGEST else _number(s, n, value)
        own = isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in s.local
        if own and isinstance(s.parents.get(id(n)), ast.BinOp):
            yield s.change(n, f"{s.text(n)} ** 2", Code.EXPONENT, f"{s.text(n)} is meant squared", 31)
    same: dict[float, list[ast.Constant]] = {}
    for n in s.nodes:
        if isinstance(n, ast.Constant) and type(n.value) is int:
            same.setdefault(n.value, []).append(n)
    for number, places in same.items():
        for step in (-1, 1) if len(places) > 1 and 0 < number <= LARGEST else ():
            edits = [s.put(n, str(number + step)) for n in places]
            told = f"{number} is written where another number is meant"
            yield s.change(places[0], edits, Code.CONSTANT, told, 34)


def _number(s: Source, n: ast.Constant, value: float) -> Iterator[Change]:
    parent = s.parents.get(id(n))
    if 0 < value < 1e-3 or (value < 0.1 and isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add)):
        for other in ("1e-5", "1e-6", "1e-8", "1e-12", "1e-3", "0.0"):
            told = f"the eps, {value:g}, is not that of the forward line"
            yield s.change(n, other, Code.EPS, told, 19)
        return
    if isinstance(parent, ast.Call) and method(parent) in ALONG and parent.args and parent.args[0] is n:
        for axis in ("0", "1", "2", "-1", "-2"):
            told = f"{method(parent)} goes along axis {value:g}, where another is meant"
            yield s.change(n, axis, Code.WRONG_AXIS, told, 4)
    code, told = Code.CONSTANT, f"the constant {'-' * isinstance(parent, ast.UnaryOp)}{value:g} is off"
    if (around := _around(s, n)) is not None:
        code, told = around
    elif not value:
        return
    for new in (value + 1, value - 1, value * 2, value / 2, -value):
        if new != value:
            yield s.change(n, f"{new!r}", code, told, 32)
    for name in s.about.sizes if value > 1 or _divides(s, n) else ():
        for meant, rank in ((name, 21), (f"{name} - 1", 22)):
            told = f"{value:g} is written where {meant} is meant"
            yield s.change(n, meant, Code.HARD_CODED, told, rank, name)


def _around(s: Source, n: ast.AST) -> tuple[Code, str] | None:
    """What a number says that stands in an index, in a range or among the axes; None elsewhere."""
    inner, outer = n, s.parents.get(id(n))
    while outer is not None:
        if isinstance(outer, ast.Subscript) and inner is outer.slice:
            size = isinstance(outer.value, ast.Attribute) and outer.value.attr == "shape"
            if size:
                return Code.WRONG_SIZE, f"{s.quoted(outer)} is the length of another axis than is meant"
            return Code.WRONG_PART, f"{s.quoted(outer)} takes another part than is meant"
        if method(outer) == "range":
            return Code.WRONG_PART, f"{s.quoted(outer)} runs over other places than are meant"
        if method(outer) in AXES and inner is not getattr(outer, "func", None):
            return Code.WRONG_AXIS, f"an axis of {method(outer)} is wrong: another is meant"
        inner, outer = outer, s.parents.get(id(outer))
    return None


def _divides(s: Source, n: ast.AST) -> bool:
    parent = s.parents.get(id(n))
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div)


def _is_exponent(s: Source, n: ast.AST) -> bool:
    parent = s.parents.get(id(n))
    if isinstance(parent, ast.UnaryOp):
        n, parent = parent, s.parents.get(id(parent))
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow) and parent.right is n


def brackets(s: Source) -> Iterator[Change]:
    """A bracket in the wrong place: a factor of one term alone, or of all of them."""
    for n in s.values:
        if not isinstance(n, ast.BinOp):
            continue
        sign = "+" if isinstance(n.op, ast.Add) else "-"
        base = n.left if isinstance(n.op, ast.Pow) else None
        if isinstance(base, ast.BinOp) and isinstance(base.op, ast.Add | ast.Sub):
            sign = "+" if isinstance(base.op, ast.Add) else "-"
            new = f"({s.text(base.left)}) {sign} ({s.text(base.right)}) ** ({s.text(n.right)})"
            told = f"a bracket in the wrong place: the power is meant of {s.quoted(base.right)} alone"
            yield s.change(n, new, Code.BRACKET, told, 27)
        if isinstance(n.op, ast.Mult | ast.Div):
            word = "*" if isinstance(n.op, ast.Mult) else "/"
            for total, factor in ((n.left, n.right), (n.right, n.left)):
                if not isinstance(total, ast.BinOp) or not isinstance(total.op, ast.Add | ast.Sub):
                    continue
                if word == "/" and factor is n.left:
                    continue
                inner = "+" if isinstance(total.op, ast.Add) else "-"
                a, b, f = s.text(total.left), s.text(total.right), s.text(factor)
                verb = "multiplies" if word == "*" else "divides"
                for new, too in (
                    (f"({a}) {word} ({f}) {inner} ({b})", total.right),
                    (f"({a}) {inner} ({b}) {word} ({f})", total.left),
                ):
                    told = f"a bracket in the wrong place: {s.quoted(factor)} {verb} {s.quoted(too)}, too"
                    yield s.change(n, new, Code.BRACKET, told, 28)
        if isinstance(n.op, ast.Add | ast.Sub):
            for term, other, last in ((n.left, n.right, False), (n.right, n.left, True)):
                if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult | ast.Div):
                    word = "*" if isinstance(term.op, ast.Mult) else "/"
                    rest, f = s.text(term.left), s.text(term.right)
                    pair = (s.text(other), rest) if last else (rest, s.text(other))
                    piece = s.quoted(term.right)
                    told = f"a bracket in the wrong place: {piece} is meant of {s.quoted(other)}, too"
                    new = f"(({pair[0]}) {sign} ({pair[1]})) {word} ({f})"
                    own = isinstance(other, ast.BinOp) and isinstance(other.op, ast.Mult | ast.Div)
                    yield s.change(n, new, Code.BRACKET, told, 48 if own else 40)  # then a factor is missing


def too_many(s: Source) -> Iterator[Change]:
    """A term, a factor, a step or a sign that is to go."""
    for n in s.values:
        match n:
            case ast.UnaryOp(op=ast.USub()):
                told = f"the minus sign of {s.quoted(n.operand)} is one too many"
                yield s.change(n, s.text(n.operand), Code.TERM_SIGN, told, 12)
            case ast.UnaryOp(op=ast.Invert()):
                told = f"{s.quoted(n)} marks the opposite of what is meant"
                yield s.change(n, s.text(n.operand), Code.MASK, told, 12)
            case ast.Compare(ops=[one]):
                yield from _comparison(s, n, one)
            case ast.BinOp():
                yield from operand_dropped(s, n)
            case ast.Call() if (of := subject(n)) is not None and method(n) not in (
                "sum",
                "mean",
                "where",
                "pow",
            ):
                yield from _call_dropped(s, n, of)
    indices = [n.slice for n in s.nodes if isinstance(n, ast.Subscript)]  # no values, but computed
    for call in (c for index in indices for c in ast.walk(index) if isinstance(c, ast.Call)):
        yield from _related(s, call)


def _related(s: Source, n: ast.Call) -> Iterator[Change]:
    name = method(n)
    _, end = s.span(n.func)
    for other in RELATED.get(name, ()):
        told = f"{name} is used where {other} is meant"
        edit = Edit(end - len(name.encode()), end, other)
        yield s.change(n, [edit], Code.ANOTHER_FUNCTION, told, 18)


def _comparison(s: Source, n: ast.Compare, op: ast.cmpop) -> Iterator[Change]:
    left, right = s.text(n.left), s.text(n.comparators[0])
    strict = {ast.Gt: ">=", ast.GtE: ">", ast.Lt: "<=", ast.LtE: "<"}.get(type(op), "")
    for word in (">", "<", ">=", "<=", "==", "!="):
        told = f"{s.quoted(n)} marks other places than are meant"
        if word == strict:
            told = f"{s.quoted(n)} is wrong where both are exactly equal"
        yield s.change(n, f"({left}) {word} ({right})", Code.MASK, told, 30)


def operand_dropped(s: Source, n: ast.BinOp) -> Iterator[Change]:
    left, right = s.quoted(n.left), s.quoted(n.right)
    match n.op:
        case ast.Add() | ast.Sub():
            rank = 9 if isinstance(n.right, ast.BinOp) else 29  # before a slip within it
            yield s.change(n, s.text(n.left), Code.EXTRA_TERM, f"the term {right} is one too many", rank)
            told = f"the term {left} is one too many"
            if isinstance(n.op, ast.Sub):  # without it there would be a minus
                told = f"{s.quoted(n)} stands where {right} is meant"
            yield s.change(n, s.text(n.right), Code.EXTRA_TERM, told, 29)
            minus = f"-({s.text(n.right)})"
            yield s.change(n, minus, Code.EXTRA_TERM, f"the term {left} is one too many", 30)
        case ast.Mult() | ast.MatMult():
            yield s.change(n, s.text(n.left), Code.EXTRA_FACTOR, f"the factor {right} is one too many", 29)
            yield s.change(n, s.text(n.right), Code.EXTRA_FACTOR, f"the factor {left} is one too many", 29)
            for part in (n.left, n.right) if isinstance(n.op, ast.Mult) else ():
                told, number = f"{s.quoted(part)} is a factor too many", is_number(part)
                one = "1" if number else f"torch.ones_like({s.text(part)})"
                yield s.change(part, one, Code.EXTRA_FACTOR, told, 29 if number else 36)
            if isinstance(n.left, ast.BinOp) and isinstance(n.op, ast.MatMult):
                told = f"the factors after {s.quoted(n.left.left)} are too many"
                yield s.change(n, s.text(n.left.left), Code.EXTRA_FACTOR, told, 36)
        case ast.Div():
            yield s.change(
                n, s.text(n.left), Code.EXTRA_FACTOR, f"the division by {right} is one too many", 29
            )


def _call_dropped(s: Source, n: ast.Call, of: ast.expr) -> Iterator[Change]:
    name = method(n)
    told, rank = f"{name} is one step too many", 20
    if name in ("tanh", "sigmoid", "exp", "softmax") and isinstance(of, ast.Name):
        told, rank = f"{name} is applied to {of.id}, which is meant as it is", 17
    yield s.change(n, s.text(of), Code.EXTRA_STEP, told, rank)
    yield from _related(s, n)
    if name == "relu":
        for k in s.about.wanted:
            if k in s.about.shapes:
                told = f"relu is applied to {s.quoted(of)}, which passes where {k} is positive"
                yield s.change(n, f"({s.text(of)}) * ({k} > 0)", Code.MASK, told, 19, k)
    if name in ("view", "reshape"):
        yield from _views(s, n, of)
    if name in DERIVATIVES:
        told = f"{name} itself is used where its derivative is meant"
        yield s.change(n, DERIVATIVES[name].format(s.text(of)), Code.LOCAL_GRADIENT, told, 38)


def _views(s: Source, n: ast.Call, of: ast.expr) -> Iterator[Change]:
    """A transpose for a view, or a view that cuts the axes in another order."""
    told = f"{method(n)} keeps the order of the numbers: a transpose is meant"
    yield s.change(n, f"({s.text(of)}).mT", Code.VIEW, told, 18)
    sizes = [a for a in n.args if a is not of]
    sizes = sizes[0].elts if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple) else sizes
    outer = s.parents.get(id(n))
    turn = s.parents.get(id(outer)) if isinstance(outer, ast.Attribute) else None
    turned = turn if method(turn) in ("permute", "transpose", "swapaxes") else None  # type: ignore[arg-type]
    for i, j in combinations(range(len(sizes)), 2):
        order = [s.text(a) for a in sizes]
        order[i], order[j] = order[j], order[i]
        told = f"{method(n)} cuts the axes in another order than they lie in"
        view = f"({s.text(of)}).{method(n)}({', '.join(order)})"
        yield s.change(n, view, Code.VIEW, told, 21)
        yield s.change(n, f"{view}.transpose({i}, {j})", Code.VIEW, told, 22)
        if turned is not None:
            yield s.change(turned, view, Code.VIEW, told, 23)
            yield s.change(turned, f"{view}.transpose({i}, {j})", Code.VIEW, told, 23)
