"""First-order changes of a reference body: the mistakes that one slip of the pen makes. Pure.

`mutants(item, alike)` gives every function that differs from the author's in one place: a factor, a
sign, a summand, a sum, a keepdim or a transpose dropped, another dim, a mean for a sum, a changed
exponent or constant, `=` for `+=`, a branch left out, n for n - 1, another tensor of the same shape.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.authored import Item


@dataclass(frozen=True)
class Mutant:
    """One change. kind: which; old, new: the code that changed; source: the whole function."""

    item: str
    kind: str
    old: str
    new: str
    source: str
    piece: str = ""  # what was dropped or stands in the wrong place

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
    found: dict[str, Mutant] = {}
    for index, node in enumerate(_body(tree)):
        for kind, new, *piece in _changes(node, alike):
            changed = copy.deepcopy(tree)
            target = list(_body(changed))[index]
            source = ast.unparse(ast.fix_missing_locations(_put(changed, target, new)))
            if source != original and source not in found:
                found[source] = Mutant(
                    item.name,
                    kind,
                    ast.unparse(node),
                    _text(new),
                    source,
                    ast.unparse(piece[0]) if piece else "",
                )
    return _with_parameters(list(found.values()), item)


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
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose dropped", node.value
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from _name(node, alike)
    elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mult | ast.Div):
        yield "factor dropped", ast.Pass(), node.value
    elif isinstance(node, ast.AugAssign):
        yield "branch left out", ast.Pass(), node.value
        yield "= for an accumulation", ast.Assign([node.target], node.value)
        opposite = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign of a branch", ast.AugAssign(node.target, opposite, node.value), node.value
    elif isinstance(node, ast.Return) and node.value is not None:
        yield "sign", ast.Return(ast.UnaryOp(ast.USub(), node.value))


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
    if kind in DROPPED:
        yield DROPPED[kind], node.left, node.right
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
    if kind is ast.MatMult:
        yield "factors exchanged", ast.BinOp(node.right, ast.MatMult(), node.left)
    if kind is ast.Pow:
        yield "exponent dropped", node.left
        for step in (1, -1):
            power = ast.BinOp(node.right, ast.Add(), ast.Constant(step))
            yield "exponent changed", ast.BinOp(node.left, ast.Pow(), power)
        yield "exponent changed", ast.BinOp(node.left, ast.Pow(), ast.UnaryOp(ast.USub(), node.right))


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
    if name in ("sum", "max") and node.args and isinstance(node.args[0], ast.Constant):
        yield (
            "another dim",
            ast.Call(node.func, [ast.Constant(1 - int(str(node.args[0].value)))], node.keywords),
        )
    if any(k.arg == "keepdim" for k in node.keywords):
        rest = [k for k in node.keywords if k.arg != "keepdim"]
        yield "keepdim dropped", ast.Call(node.func, node.args, rest)
    if name in ("zeros_like", "ones_like"):
        yield "zeros for ones", _method(node, "zeros_like" if name == "ones_like" else "ones_like")
    if name == "index_add_":
        target = node.func.value if isinstance(node.func, ast.Attribute) else node
        index, source = node.args[1:3]
        assignment = ast.Assign([ast.Subscript(_load(target), index, ast.Store())], source)
        yield "= for an accumulation", assignment
    if name == "clone" and isinstance(node.func, ast.Attribute):
        yield "clone dropped", node.func.value


def _method(node: ast.Call, name: str) -> ast.Call:
    assert isinstance(node.func, ast.Attribute)
    return ast.Call(ast.Attribute(node.func.value, name, ast.Load()), node.args, node.keywords)


def _load(node: ast.AST) -> ast.expr:
    assert isinstance(node, ast.expr)
    return node


def _name(node: ast.Name, alike: Mapping[str, Sequence[str]]) -> Iterator[Change]:
    if node.id == "n":
        yield "n - 1 for n", ast.BinOp(node, ast.Sub(), ast.Constant(1))
        yield "n + 1 for n", ast.BinOp(node, ast.Add(), ast.Constant(1))
    for other in alike.get(node.id, ()):
        yield "another tensor", ast.Name(other, ast.Load())


def say(m: Mutant) -> str:
    """What one did who wrote this mutant: the mistake, without the formula that would mend it."""
    where = {"n": "n", "n - 1": "n - 1"}.get(m.old)
    if m.old == "n - 1" and m.new == "n":
        return "n stands where the forward pass has n - 1"
    if where == "n" and m.kind in ("n - 1 for n", "n + 1 for n"):
        return f"{m.new} stands where n is meant"
    if "ones_like" in m.piece or "ones_like" in m.old:
        return (
            "it is not expanded to its tensor's shape"
            if "dropped" in m.kind
            else "ones are mixed up with zeros"
        )
    if "dropped" in m.kind and m.piece and not m.piece.isidentifier() and "sum" not in m.kind[:4]:
        # to name it would be to tell the formula
        return "a term is missing" if m.kind == "summand dropped" else "a factor is missing"
    division = m.kind == "factor dropped" and "/" in m.old and m.new != m.piece
    sentences = {
        "factor dropped": f"{'the division by' if division else 'the factor'} {m.piece} is missing",
        "summand dropped": f"the term {m.piece} is missing",
        "minus for plus": f"{m.piece} is subtracted where it is to be added",
        "plus for minus": f"{m.piece} is added where it is to be subtracted",
        "division for multiplication": f"a division by {m.piece} where a multiplication is meant",
        "multiplication for division": f"a multiplication by {m.piece} where a division is meant",
        "sum for product": f"{m.piece} is added where it is to be multiplied",
        "elementwise for matrix product": "an elementwise product where a matrix product is meant",
        "factors exchanged": "the matrix product has its factors the wrong way round",
        "exponent dropped": f"the exponent of {m.new} is missing",
        "exponent changed": f"the exponent in {m.new} is off",
        "constant changed": f"a constant is off: {m.new}",
        "sign": "the sign is wrong",
        "sign dropped": "a minus sign is missing",
        "sign of a branch": "one branch has the wrong sign",
        "sum dropped": "a sum is missing: the forward line replicates this tensor, so its gradient adds up",
        "mean for sum": "a mean is taken where a sum is meant",
        "sum over everything": "the sum runs over all elements where it is meant over one dim",
        "another dim": "the wrong dim: rows and columns are mixed up",
        "keepdim dropped": "keepdim=True is missing",
        "transpose dropped": "a transpose is missing",
        "zeros for ones": "zeros and ones are mixed up",
        "branch left out": "one of the branches is left out",
        "= for an accumulation": "assigned where contributions add up: only the last one stays",
        "another tensor": f"{m.new} is used where another tensor of its shape is meant",
    }
    return sentences.get(m.kind, m.kind)


def alike_tensors(
    item: Item, known: Sequence[str], shapes: Mapping[str, Sequence[int]]
) -> dict[str, list[str]]:
    """For each parameter with a shape: the other tensors of `known` that have the same one."""
    here = [t for t in known if t in shapes]
    return {p: [t for t in here if t != p and shapes[t] == shapes[p]] for p in item.params if p in shapes}
