"""What one node of a reference body becomes by a slip of the pen. Pure; `mutants` puts it in its place."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

LECTURE_N = 32

Change = (
    tuple[str, ast.AST] | tuple[str, ast.AST, ast.AST]
)  # kind, the node in place of the old one, the piece


def changes(node: ast.AST, alike: Mapping[str, Sequence[str]]) -> Iterator[Change]:
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign dropped", node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield from _constant(node)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield "transpose dropped", node.value
        if isinstance(node.ctx, ast.Load):
            turned = ast.Call(
                ast.Attribute(node.value, "reshape", ast.Load()), [ast.Attribute(node, "shape")], []
            )
            yield "view for transpose", turned, node.value
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _name(node, alike)
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult | ast.Div):
        yield "division dropped" if isinstance(node.op, ast.Div) else "factor dropped", ast.Pass(), node.value
    elif isinstance(node, ast.AugAssign):
        yield "branch left out", ast.Pass(), node.value
        yield "= for an accumulation", ast.Assign([node.target], node.value)
        opposite = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign of a branch", ast.AugAssign(node.target, opposite, node.value), node.value
        if isinstance(node.op, ast.Sub):
            yield "= for an accumulation", ast.Assign([node.target], ast.UnaryOp(ast.USub(), node.value))
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        yield from _cells(node)
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "sign", ast.Return(ast.UnaryOp(ast.USub(), node.value))


def _cells(node: ast.Subscript) -> Iterator[Change]:
    """[range(n), Yb], one cell a row, as whole rows, whole columns, all, or rows by the column's number."""
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
        first, second = node.slice.elts
        every = ast.Slice()
        for kind, index in (
            ("whole columns", ast.Tuple([every, second], ast.Load())),
            ("whole rows", first),
            ("rows by column", second),
            ("all cells", every),
        ):
            yield kind, ast.Subscript(node.value, index, ast.Store())


OTHER: dict[type[ast.operator], Sequence[tuple[str, Callable[[], ast.operator]]]] = {
    ast.Add: [("minus for plus", ast.Sub)],
    ast.Sub: [("plus for minus", ast.Add)],
    ast.Mult: [("division for multiplication", ast.Div), ("sum for product", ast.Add)],
    ast.Div: [("multiplication for division", ast.Mult)],
    ast.MatMult: [("elementwise for matrix product", ast.Mult)],
}
DROPPED = {
    ast.Add: "summand dropped",
    ast.Sub: "summand dropped",
    ast.Mult: "factor dropped",
    ast.Div: "factor dropped",
    ast.MatMult: "factor dropped",
}


def _binary(node: ast.BinOp) -> Iterator[Change]:
    kind = type(node.op)
    if kind is ast.Sub and isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Sub):
        yield "only the first term", node.left.left
    if kind is ast.Div and ast.unparse(node) == "n / (n - 1)":
        yield "Bessel dropped", ast.Constant(1)
    tiny = node.right.value if isinstance(node.right, ast.Constant) else None
    if kind is ast.Add and isinstance(tiny, float) and 0 < tiny < 1e-3:
        yield "eps dropped", node.left, node.right
    if kind in DROPPED:
        yield "division dropped" if kind is ast.Div else DROPPED[kind], node.left, node.right
        right: ast.expr = node.right
        if kind is ast.Sub:
            right = ast.UnaryOp(ast.USub(), right)
        elif kind is ast.Div:
            right = ast.BinOp(ast.Constant(1), ast.Div(), right)
        if not (kind is ast.Div and isinstance(node.left, ast.Constant) and node.left.value == 1):
            yield DROPPED[kind], right, node.left
    yield from _exchanged(node)


def _exchanged(node: ast.BinOp) -> Iterator[Change]:
    kind = type(node.op)
    for name, other in OTHER.get(kind, ()):
        yield name, ast.BinOp(node.left, other(), node.right), node.right
        if name == "division for multiplication":
            yield name, ast.BinOp(node.right, other(), node.left), node.left
    if kind is ast.MatMult:
        yield "only the last example", _last(node)
        yield "factors exchanged", ast.BinOp(node.right, ast.MatMult(), node.left)
    if kind is ast.Pow:
        yield "power dropped", ast.Constant(1), node
        yield "exponent dropped", node.left
        for step in (1, -1, 2, 0.5, -0.5):
            power = ast.BinOp(node.right, ast.Add(), ast.Constant(step))
            yield "exponent changed", ast.BinOp(node.left, ast.Pow(), power)
        yield "exponent changed", ast.BinOp(node.left, ast.Pow(), ast.UnaryOp(ast.USub(), node.right))


def _last(node: ast.BinOp) -> ast.expr:
    """X.T @ Y with only the last row of both."""
    right = ast.Subscript(node.right, ast.Slice(ast.Constant(-1)), ast.Load())
    left = ast.Subscript(
        node.left, ast.Tuple([ast.Slice(), ast.Slice(ast.Constant(-1))], ast.Load()), ast.Load()
    )
    return ast.BinOp(left, ast.MatMult(), right)


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    assert isinstance(value, int | float)
    for other in (0, value + 1, value - 1, value * 2, value / 2):
        if other != value:
            yield "constant changed", ast.Constant(other)


def _call(node: ast.Call) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name == "sum" and isinstance(node.func, ast.Attribute):
        yield "sum dropped", node.func.value, node.func.value
        yield "mean for sum", _method(node, "mean")
        yield "sum over everything", ast.Call(node.func, [], [])
        keeps = any(k.arg == "keepdim" for k in node.keywords)
        end = ast.UnaryOp(ast.USub(), ast.Constant(1))
        last = ast.Slice(end) if keeps else end
        yield "only the last example", ast.Subscript(node.func.value, last, ast.Load())
        yield from _one_factor_summed(node, node.func)
    if name in ("sum", "max") and node.args and isinstance(node.args[0], ast.Constant):
        yield (
            "another dim",
            ast.Call(node.func, [ast.Constant(1 - int(str(node.args[0].value)))], node.keywords),
        )
        other = ast.Constant(1 - int(str(node.args[0].value)))
        for keep in (True, False):
            keywords = [ast.keyword("keepdim", ast.Constant(True))] if keep else []
            yield "another dim", ast.Call(node.func, [other], keywords)
    if name == "softmax":
        assert isinstance(node.func, ast.Attribute)
        yield "another dim", ast.Call(node.func, [node.args[0], ast.Constant(0)], node.keywords)
        yield "softmax dropped", node.args[0]
        yield "log_softmax", _method(node, "log_softmax")
        yield "not normalised", ast.Call(ast.Attribute(node.args[0], "exp", ast.Load()), [], [])
    if any(k.arg == "keepdim" for k in node.keywords):
        rest = [k for k in node.keywords if k.arg != "keepdim"]
        yield "keepdim dropped", ast.Call(node.func, node.args, rest)
    if name in ("zeros_like", "ones_like"):
        yield "zeros for ones", _method(node, "zeros_like" if name == "ones_like" else "ones_like")
    if name == "transpose" and isinstance(node.func, ast.Attribute):
        yield "transpose dropped", node.func.value
    if name == "index_add_":
        target = node.func.value if isinstance(node.func, ast.Attribute) else node
        index, source = node.args[1:3]
        assignment = ast.Assign([ast.Subscript(_load(target), index, ast.Store())], source)
        yield "= for an accumulation", assignment
    if name == "clone" and isinstance(node.func, ast.Attribute):
        yield "clone dropped", node.func.value


def _one_factor_summed(node: ast.Call, func: ast.Attribute) -> Iterator[Change]:
    """(a * b).sum(…) as a * b.sum(…), as a.sum(…) * b, as a product of sums, or as a matrix product."""
    product = func.value
    if not (isinstance(product, ast.BinOp) and isinstance(product.op, ast.Mult)):
        return

    def total(factor: ast.expr) -> ast.expr:
        return ast.Call(ast.Attribute(factor, "sum", ast.Load()), node.args, node.keywords)

    a, b = product.left, product.right
    yield "one factor summed", ast.BinOp(a, ast.Mult(), total(b)), b
    yield "one factor summed", ast.BinOp(total(a), ast.Mult(), b), a
    yield "both factors summed", ast.BinOp(total(a), ast.Mult(), total(b))
    for x, y in ((a, b), (b, a)):
        turned = ast.Attribute(x, "T", ast.Load())
        yield "matrix for summed product", ast.BinOp(turned, ast.MatMult(), y)
        yield "matrix for summed product", ast.BinOp(x, ast.MatMult(), ast.Attribute(y, "T", ast.Load()))


def _method(node: ast.Call, name: str) -> ast.Call:
    assert isinstance(node.func, ast.Attribute)
    return ast.Call(ast.Attribute(node.func.value, name, ast.Load()), node.args, node.keywords)


def _load(node: ast.AST) -> ast.expr:
    assert isinstance(node, ast.expr)
    return node


def _name(node: ast.Name, alike: Mapping[str, Sequence[str]]) -> Iterator[Change]:
    if node.id == "n":
        yield "hard-coded", ast.Constant(LECTURE_N)
        yield "n - 1 for n", ast.BinOp(node, ast.Sub(), ast.Constant(1))
        yield "n + 1 for n", ast.BinOp(node, ast.Add(), ast.Constant(1))
    for other in alike.get(node.id, ()):
        yield "another tensor", ast.Name(other, ast.Load())
