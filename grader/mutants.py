"""First-order changes of a reference body: the mistakes that one slip of the pen makes. Pure.

`mutants(item, alike)` gives every function that differs from the author's in one place: a factor, a
sign, a summand, a sum, a keepdim or a transpose dropped, another dim, a mean for a sum, a changed
exponent or constant, `=` for `+=`, a branch left out, n for n - 1, another tensor of the same shape.
"""

from __future__ import annotations

import ast
import copy
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.authored import Item


@dataclass(frozen=True)
class Mutant:
    """One change. kind: which; old, new: the code that changed; source: the whole function.

    place: what the change stands in, where that is no formula: an axis, an index, a comparison, a count.
    """

    item: str
    kind: str
    old: str
    new: str
    source: str
    piece: str = ""  # what was dropped or stands in the wrong place
    place: str = ""

    @property
    def key(self) -> str:
        return f"{self.item}: {self.kind}: {self.old} -> {self.new}"


Change = (
    tuple[str, ast.AST] | tuple[str, ast.AST, ast.AST]
)  # kind, the node in place of the old one, the piece


def mutants(item: Item, alike: Mapping[str, Sequence[str]]) -> list[Mutant]:
    """Every first-order mutant of an item's function, each text once.

    alike: for a parameter, the other tensors of its shape that could stand in its place.
    """
    tree = ast.parse(item.source)
    original = ast.unparse(tree)
    pickled = pickle.dumps(tree)  # a copy of it takes a fifth of deepcopy's time
    found: dict[str, Mutant] = {}
    places = _places(tree)
    for index, node in enumerate(_body(tree)):
        for kind, new, *piece in _changes(node, alike):
            changed = pickle.loads(pickled)
            target = list(_body(changed))[index]
            source = ast.unparse(ast.fix_missing_locations(_put(changed, target, new)))
            old, now = _less_one(tree, node, new) or (ast.unparse(node), _text(new))
            if kind == "constant changed" and (power := _power(tree, node)):
                kind, old = "exponent changed", power
            if source != original and source not in found:
                found[source] = Mutant(
                    item.name,
                    kind,
                    old,
                    now,
                    source,
                    ast.unparse(piece[0]) if piece else "",
                    places.get(id(node), ""),
                )
    for kind, old, now, whole in _throughout(tree, alike):
        source = ast.unparse(ast.fix_missing_locations(whole))
        if source != original and source not in found:
            found[source] = Mutant(item.name, kind, old, now, source)
    return _with_parameters(list(found.values()), item)


ALONG = frozenset(
    ("sum", "mean", "max", "min", "argmax", "softmax", "log_softmax", "logsumexp", "var", "std", "cumsum",
     "any", "all", "cat", "stack", "transpose", "index_add_", "flip", "unbind")
)  # fmt: skip


def _places(tree: ast.Module) -> dict[int, str]:
    """By a node's id: what it stands in, where that is no formula."""
    found: dict[int, str] = {}

    def put(place: str, *nodes: ast.AST | None) -> None:
        found.update({id(n): place for node in nodes if node for n in ast.walk(node)})

    for node in ast.walk(tree):  # from the outside in: what is further in counts
        if isinstance(node, ast.Compare | ast.BoolOp):
            put("a comparison", node)
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            put("a comparison", node.test)
        elif isinstance(node, ast.Subscript):
            put("an index", node.slice)
        elif isinstance(node, ast.For | ast.comprehension):
            put("a count", node.iter)
        elif isinstance(node, ast.AugAssign) and not isinstance(node.op, ast.Mult | ast.Div):
            gradient = isinstance(node.target, ast.Attribute) and node.target.attr == "grad"
            put("" if gradient else "a count", node)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            put("a count", *(node.args if name in ("range", "enumerate") else ()))
            put("an axis", *(k.value for k in node.keywords if k.arg in ("dim", "axis")))
            put("an axis", *(a for a in node.args if name in ALONG and _axes(a)))
    return found


def _axes(node: ast.AST) -> bool:
    """Whether an argument is a whole number, or several."""
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return False
    return type(value) is int or (isinstance(value, tuple) and all(type(v) is int for v in value))


LECTURE_N = 32


def _throughout(
    tree: ast.Module, alike: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, str, ast.Module]]:
    """The changes of one name wherever it is used: another tensor of its shape, n as a number."""

    def everywhere(old: str, new: ast.expr) -> ast.Module:
        changed = copy.deepcopy(tree)
        for target in [n for n in _body(changed) if _reads(n, old)]:
            changed = _put(changed, target, new)
        return changed

    uses = [n.id for n in _body(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    for name in dict.fromkeys(uses):
        if uses.count(name) > 1:
            for other in alike.get(name, ()):
                yield "another tensor", name, other, everywhere(name, ast.Name(other, ast.Load()))
            if name == "n":
                yield "hard-coded", "n", str(LECTURE_N), everywhere("n", ast.Constant(LECTURE_N))


def _less_one(tree: ast.Module, node: ast.AST, new: ast.AST) -> tuple[str, str] | None:
    """Where n is changed within n - 1: the whole of it, before and after."""
    after = {"n - 1": "n - 2", "n + 1": "n"}.get(ast.unparse(new))
    whole = [b for b in ast.walk(tree) if isinstance(b, ast.BinOp) and b.left is node]
    return ("n - 1", after) if after and whole and ast.unparse(whole[0]) == "n - 1" else None


def _power(tree: ast.Module, node: ast.AST) -> str:
    """The power whose exponent a constant stands in; nothing where it stands elsewhere."""
    powers = [b for b in ast.walk(tree) if isinstance(b, ast.BinOp) and isinstance(b.op, ast.Pow)]
    return next((ast.unparse(b) for b in powers if any(c is node for c in ast.walk(b.right))), "")


def _reads(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def _body(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that may be changed, in a stable order: not the signature, not the docstring.

    Where only a shape is taken, of ones_like or .shape, the tensor's values can't be mistaken.
    """
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    todo: list[ast.AST] = list(reversed(function.body[1:]))
    while todo:
        node = todo.pop()
        yield node
        like = isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "torch.zeros_like",
            "torch.ones_like",
        )
        if not like and not (isinstance(node, ast.Attribute) and node.attr == "shape"):
            todo += reversed(list(ast.iter_child_nodes(node)))


def _text(node: ast.AST) -> str:
    return "nothing" if isinstance(node, ast.Pass) else ast.unparse(node)


def _put(tree: ast.Module, target: ast.AST, new: ast.AST) -> ast.Module:
    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is target else self.generic_visit(node)

    changed = Put().visit(tree)
    assert isinstance(changed, ast.Module)
    return changed


def _with_parameters(found: list[Mutant], item: Item) -> list[Mutant]:
    """A mutant that names another tensor asks for it."""
    result = []
    for m in found:
        if m.kind == "another tensor":
            head, rest = m.source.split("):", 1)
            if m.new not in item.params:
                m = replace(m, source=f"{head}, {m.new}):{rest}")
        result.append(m)
    return result


def _changes(node: ast.AST, alike: Mapping[str, Sequence[str]]) -> Iterator[Change]:
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


def alike_tensors(
    item: Item, known: Sequence[str], shapes: Mapping[str, Sequence[int]]
) -> dict[str, list[str]]:
    """For each parameter with a shape: the other tensors of `known` that have the same one."""
    here = [t for t in known if t in shapes]
    return {p: [t for t in here if t != p and shapes[t] == shapes[p]] for p in item.params if p in shapes}
