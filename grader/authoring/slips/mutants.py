"""First-order changes of a reference body: the mistakes that one slip of the pen makes. Pure.

`mutants(item, alike, forward)` gives every function that differs from the author's in one place: a factor, a
sign, a summand, a sum, a keepdim or a transpose dropped, another dim, a mean for a sum, a changed
exponent or constant, `=` for `+=`, a branch left out, n for n - 1, another tensor of the same shape.
"""

from __future__ import annotations

import ast
import copy
import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.authoring.authored import Item
from grader.authoring.hints.local import LOCAL
from grader.authoring.hints.notation import code
from grader.authoring.slips.changes import LECTURE_N, bent, changes


@dataclass(frozen=True)
class Mutant:
    """One change. kind: which; old, new: the code that changed; source: the whole function.

    context: what the change stands in, where that is no formula: an axis, an index, a comparison, a count.
    """

    item: str
    kind: str
    old: str
    new: str
    source: str
    piece: str = ""  # what was dropped or stands in the wrong place
    context: str = ""
    bent: tuple[str, ...] = ()  # see `changes.bent`: what the forward pass or the body calls

    @property
    def key(self) -> str:
        return f"{self.item}: {self.kind}: {self.old} -> {self.new}"


def mutants(item: Item, alike: Mapping[str, Sequence[str]], forward: str) -> list[Mutant]:
    """Every first-order mutant of an item's function, each text once.

    alike: for a parameter, the other tensors of its shape that could stand in its place. forward: the code
    of the forward pass.
    """
    tree = ast.parse(item.source)
    original = ast.unparse(tree)
    body = list(_body(tree))
    pickled = pickle.dumps((tree, body))  # a copy of it takes a fifth of deepcopy's time
    found: dict[str, Mutant] = {}
    called = bent(f"{forward}\n{item.source}")

    def keep(whole: ast.Module, kind: str, old: str, now: str, piece: str = "", context: str = "") -> None:
        source = ast.unparse(whole)
        if source != original:
            found.setdefault(source, Mutant(item.name, kind, old, now, source, piece, context, called))

    contexts = _contexts(tree)
    for index, node in enumerate(body):
        for kind, new, *piece in changes(node, alike, called):
            changed, nodes = pickle.loads(pickled)
            whole = _put(changed, nodes[index], new)
            text = "nothing" if isinstance(new, ast.Pass) else ast.unparse(new)
            old, now = _less_one(tree, node, new) or (ast.unparse(node), text)
            if kind == "constant changed" and (power := _power(tree, node)):
                kind, old = "exponent changed", power
            told = ast.unparse(piece[0]) if piece else ""
            keep(whole, kind, old, now, told, contexts.get(id(node), ""))
    for kind, old, now, whole in _throughout(tree, alike):
        keep(whole, kind, old, now)
    return [_asking(m, item, *[m.new] * (m.kind == "another tensor")) for m in found.values()]


ALONE = [called for called, row in LOCAL.items() if row.names == ("x",)]  # functions of one number


def too_far(item: Item, line: str) -> list[Mutant]:
    """The function times the table's local gradient of the line that makes its own tensor."""
    match ast.parse(line.strip()).body:
        case [ast.Assign([ast.Name(y)], ast.Call(ast.Attribute(owner, called), args))] if called in ALONE:
            x = args[0] if args else owner
            whole = x.value if isinstance(x, ast.Subscript) else x
            local = code(str(LOCAL[called].to).replace("hit(", "("), x=x, y=ast.Name(y))
            if isinstance(whole, ast.Name) and not any(isinstance(n, ast.Call) for n in ast.walk(local)):
                tree = ast.parse(item.source)
                for node in ast.walk(tree):
                    if isinstance(node, ast.Return) and node.value:
                        node.value = ast.BinOp(node.value, ast.Mult(), local)
                m = Mutant(item.name, "one line too far", called, whole.id, ast.unparse(tree))
                return [_asking(m, item, *{n.id for n in ast.walk(local) if isinstance(n, ast.Name)})]
    return []


LIKE = re.compile(r"torch\.(zeros|ones)_like")
ALONG = frozenset(
    ("sum", "mean", "max", "min", "argmax", "softmax", "log_softmax", "logsumexp", "var", "std", "cumsum",
     "any", "all", "cat", "stack", "transpose", "index_add_", "flip", "unbind", "squeeze", "unsqueeze")
)  # fmt: skip


def _contexts(tree: ast.Module) -> dict[int, str]:
    """By a node's id: what it stands in, where that is no formula."""
    found: dict[int, str] = {}

    def put(context: str, *nodes: ast.AST | None) -> None:
        found.update({id(n): context for node in nodes if node for n in ast.walk(node)})

    for node in ast.walk(tree):  # from the outside in: what is further in counts
        if isinstance(node, ast.Compare | ast.BoolOp):
            put("a comparison", node)
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            put("a comparison", node.test)
        elif isinstance(node, ast.Subscript):
            size = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
            put("a size" if size else "an index", node.slice)
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


def _throughout(
    tree: ast.Module, alike: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, str, ast.Module]]:
    """The changes of one name wherever it is used: another tensor of its shape, n as a number."""

    def everywhere(old: str, new: ast.expr) -> ast.Module:
        changed = copy.deepcopy(tree)
        for target in [n for n in _body(changed) if _read(n) == old]:
            changed = _put(changed, target, new)
        return changed

    uses = [name for n in _body(tree) if (name := _read(n))]
    for name in dict.fromkeys(uses):
        if uses.count(name) > 1:
            for other in alike.get(name, ()):
                yield "another tensor", name, other, everywhere(name, ast.Name(other, ast.Load()))
            if name == "n":
                yield "hard-coded", "n", str(LECTURE_N), everywhere("n", ast.Constant(LECTURE_N))


def _less_one(tree: ast.Module, node: ast.AST, new: ast.AST) -> tuple[str, str] | None:
    """Where n is changed within n - 1: the whole of it, before and after."""
    if not (after := {"n - 1": "n - 2", "n + 1": "n"}.get(ast.unparse(new))):
        return None
    whole = [b for b in ast.walk(tree) if isinstance(b, ast.BinOp) and b.left is node]
    return ("n - 1", after) if whole and ast.unparse(whole[0]) == "n - 1" else None


def _power(tree: ast.Module, node: ast.AST) -> str:
    """The power whose exponent a constant stands in; nothing where it stands elsewhere."""
    powers = [b for b in ast.walk(tree) if isinstance(b, ast.BinOp) and isinstance(b.op, ast.Pow)]
    return next((ast.unparse(b) for b in powers if any(c is node for c in ast.walk(b.right))), "")


def _read(node: ast.AST) -> str:
    """The name that a node reads; nothing where it reads none."""
    return node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else ""


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
        like = isinstance(node, ast.Call) and LIKE.fullmatch(ast.unparse(node.func))
        if not like and not (isinstance(node, ast.Attribute) and node.attr == "shape"):
            todo += reversed(list(ast.iter_child_nodes(node)))


def _put(tree: ast.Module, target: ast.AST, new: ast.AST) -> ast.Module:
    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is target else self.generic_visit(node)

    changed = ast.fix_missing_locations(Put().visit(tree))
    assert isinstance(changed, ast.Module)
    return changed


def _asking(m: Mutant, item: Item, *names: str) -> Mutant:
    """A mutant that names tensors which the function lacks asks for them."""
    more = "".join(f", {name}" for name in sorted({*names} - {*item.params}))
    return replace(m, source=m.source.replace("):", f"{more}):", 1)) if more else m


def alike_tensors(
    item: Item, known: Sequence[str], shapes: Mapping[str, Sequence[int]]
) -> dict[str, list[str]]:
    """For each parameter with a shape: the other tensors of `known` that have the same one."""
    here = [t for t in known if t in shapes]
    return {p: [t for t in here if t != p and shapes[t] == shapes[p]] for p in item.params if p in shapes}
