"""What one node of a reference body becomes by a slip of the pen. Pure; `mutants` puts it in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from grader.authoring.hints.local import LOCAL
from grader.authoring.hints.notation import code

LECTURE_N = 32

# functions whose local gradients are taken for one another's; how these are written, beside the table's way
BENT = {"tanh": "1 - y*y", "sigmoid": "(1 - y)*y"}

Change = (
    tuple[str, ast.AST] | tuple[str, ast.AST, ast.AST]
)  # kind, the node in place of the old one, the piece


def bent(text: str) -> tuple[str, ...]:
    """Which of these functions a code calls or defines; GELU, approximated, calls tanh."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2].lower()
            found.add("tanh" if name == "gelu" and "tanh" in ast.unparse(node) else name)
    return tuple(called for called in BENT if called in found)


def local_gradient(node: ast.expr, among: Sequence[str]) -> tuple[str, ast.expr] | None:
    """Whose local gradient it is, of some functions, and at which result: of 1 - t**2 tanh, and t."""
    text = ast.unparse(node).replace("1.0", "1")
    for called, form in [(c, form) for c in among for form in (str(LOCAL[c].to), BENT[c])]:
        for y in [n for n in ast.walk(node) if isinstance(n, ast.expr)]:
            if ast.unparse(code(form, y=y)).replace("1.0", "1") == text:
                return called, y
    return None


def changes(node: ast.AST, alike: Mapping[str, Sequence[str]], among: Sequence[str] = ()) -> Iterator[Change]:
    """alike: other tensors by name. among: the functions, of those `bent`, that are called."""
    match node:
        case ast.BinOp():
            yield from _binary(node, among)
        case ast.UnaryOp(ast.USub(), operand):
            yield "sign dropped", operand
        case ast.Constant(int() | float() as value) if not isinstance(value, bool):
            for other in (0, value + 1, value - 1, value * 2, value / 2):
                if other != value:
                    yield "constant changed", ast.Constant(other)
        case ast.Call():
            yield from _call(node)
        case ast.Attribute(value, "T" | "mT"):
            yield "transpose dropped", value
            if isinstance(node.ctx, ast.Load):
                yield "view for transpose", code("x.reshape(turned.shape)", x=value, turned=node), value
        case ast.Name(name, ast.Load()):
            if name == "n":
                yield "hard-coded", ast.Constant(LECTURE_N)
                yield "n - 1 for n", code("n - 1")
                yield "n + 1 for n", code("n + 1")
            for tensor in alike.get(name, ()):
                yield "another tensor", ast.Name(tensor, ast.Load())
        case ast.AugAssign(_, ast.Mult() | ast.Div() as op, value):
            yield "division dropped" if isinstance(op, ast.Div) else "factor dropped", ast.Pass(), value
        case ast.AugAssign(target, op, value):
            yield "branch left out", ast.Pass(), value
            yield "= for an accumulation", ast.Assign([target], value)
            opposite = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
            yield "sign of a branch", ast.AugAssign(target, opposite, value), value
            if isinstance(op, ast.Sub):
                yield "= for an accumulation", ast.Assign([target], code("-value", value=value))
        case ast.Subscript(value, ast.Tuple([first, second]), ast.Store()):
            # [range(n), Yb], a cell a row, as whole columns, whole rows, rows by the column's number, or all
            yield "whole columns", code("x[:, second]", x=value, second=second)
            yield "whole rows", code("x[first]", x=value, first=first)
            yield "rows by column", code("x[second]", x=value, second=second)
            yield "all cells", code("x[:]", x=value)
        case ast.Return(ast.expr() as value):
            yield "sign", ast.Return(code("-value", value=value))


# By operator: the kind of change, what a and b become, and which of them is the piece.
OTHER: dict[type[ast.operator], Sequence[tuple[str, str, str]]] = {
    ast.Add: [("minus for plus", "a - b", "b")],
    ast.Sub: [("plus for minus", "a + b", "b")],
    ast.Mult: [
        ("division for multiplication", "a / b", "b"),
        ("division for multiplication", "b / a", "a"),
        ("sum for product", "a + b", "b"),
    ],
    ast.Div: [("multiplication for division", "a * b", "b")],
    ast.MatMult: [("elementwise for matrix product", "a * b", "b")],
}
# By operator: the kind of change where a part is gone, and what is left without the first.
DROPPED = {
    ast.Add: ("summand dropped", "b"),
    ast.Sub: ("summand dropped", "-b"),
    ast.Mult: ("factor dropped", "b"),
    ast.Div: ("factor dropped", "1 / b"),
    ast.MatMult: ("factor dropped", "b"),
}


def _binary(node: ast.BinOp, among: Sequence[str]) -> Iterator[Change]:
    kind, a, b = type(node.op), node.left, node.right
    one = kind in (ast.Add, ast.Sub) and isinstance(a, ast.Constant) and a.value == 1
    if one:
        yield "factor dropped", a, node  # of 1 - t**2 a factor 1 is left
    if found := local_gradient(node, among):
        called, y = found
        for other in {*BENT} - {called}:
            yield f"{other} for {called}", code(str(LOCAL[other].to), y=y), node
    if kind is ast.Sub and isinstance(a, ast.BinOp) and isinstance(a.op, ast.Sub):
        yield "only the first term", a.left
    if kind is ast.Div and ast.unparse(node) == "n / (n - 1)":
        yield "Bessel dropped", ast.Constant(1)
    tiny = b.value if isinstance(b, ast.Constant) else None
    if kind is ast.Add and isinstance(tiny, float) and 0 < tiny < 1e-3:
        yield "eps dropped", a, b
    if kind in DROPPED:
        dropped, rest = DROPPED[kind]
        if not one:
            yield "division dropped" if kind is ast.Div else dropped, a, b
        if not (kind is ast.Div and isinstance(a, ast.Constant) and a.value == 1):
            yield dropped, code(rest, b=b), a
    for name, other, piece in OTHER.get(kind, ()):
        yield name, code(other, a=a, b=b), {"a": a, "b": b}[piece]
    if kind is ast.MatMult:
        yield "only the last example", code("a[:, -1:] @ b[-1:]", a=a, b=b)
        yield "factors exchanged", code("b @ a", a=a, b=b)
    if kind is ast.Pow:
        yield "power dropped", ast.Constant(1), node
        yield "exponent dropped", a
        for power in ("b + 1", "b + -1", "b + 2", "b + 0.5", "b + -0.5", "-b"):
            yield "exponent changed", code(f"a ** ({power})", a=a, b=b)


def _call(node: ast.Call) -> Iterator[Change]:
    function = node.func
    name, owner = (function.attr, function.value) if isinstance(function, ast.Attribute) else ("", node)

    def method(name: str) -> ast.expr:
        """The same call of another method."""
        return ast.Call(ast.Attribute(owner, name, ast.Load()), node.args, node.keywords)

    keeps = any(k.arg == "keepdim" for k in node.keywords)
    if name == "sum":
        yield "sum dropped", owner, owner
        yield "mean for sum", method("mean")
        yield "sum over everything", code("x.sum()", x=owner)
        yield "only the last example", code("x[-1:]" if keeps else "x[-1]", x=owner)
        yield from _one_factor_summed(node, owner)
    if name in ("sum", "max") and node.args and isinstance(node.args[0], ast.Constant):
        other = ast.Constant(1 - int(str(node.args[0].value)))
        yield "another dim", ast.Call(function, [other], node.keywords)
        yield "another dim", code("f(other, keepdim=True)", f=function, other=other)
        yield "another dim", code("f(other)", f=function, other=other)
    if name == "softmax":
        yield "another dim", ast.Call(function, [node.args[0], ast.Constant(0)], node.keywords)
        yield "softmax dropped", node.args[0]
        yield "log_softmax", method("log_softmax")
        yield "not normalised", code("x.exp()", x=node.args[0])
    if keeps:
        rest = [k for k in node.keywords if k.arg != "keepdim"]
        yield "keepdim dropped", ast.Call(function, node.args, rest)
    if name in ("zeros_like", "ones_like"):
        yield "zeros for ones", method("zeros_like" if name == "ones_like" else "ones_like")
    if name == "transpose":
        yield "transpose dropped", owner
    if name == "index_add_":
        index, source = node.args[1:3]
        yield "= for an accumulation", ast.Assign([code("x[index]", x=owner, index=index)], source)
    if name == "clone":
        yield "clone dropped", owner


def _one_factor_summed(node: ast.Call, product: ast.expr) -> Iterator[Change]:
    """(a * b).sum(…) as a * b.sum(…), as a.sum(…) * b, as a product of sums, or as a matrix product."""
    if not (isinstance(product, ast.BinOp) and isinstance(product.op, ast.Mult)):
        return
    a, b = product.left, product.right
    sum_a, sum_b = (ast.Call(code("x.sum", x=x), node.args, node.keywords) for x in (a, b))
    yield "one factor summed", code("a * sum_b", a=a, sum_b=sum_b), b
    yield "one factor summed", code("sum_a * b", sum_a=sum_a, b=b), a
    yield "both factors summed", code("sum_a * sum_b", sum_a=sum_a, sum_b=sum_b)
    for x, y in ((a, b), (b, a)):
        yield "matrix for summed product", code("x.T @ y", x=x, y=y)
        yield "matrix for summed product", code("x @ y.T", x=x, y=y)
