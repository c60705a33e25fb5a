"""What a statement reads and writes, by name. Pure; for code that is flat, as in a notebook.

Conservative where it can't know: what may be written counts as written, and keeps the earlier value
in sight.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BUILTINS = frozenset(dir(builtins))
CHANGES = frozenset({"append", "extend", "insert", "update", "setdefault", "pop", "remove"})
QUIET = frozenset({"requires_grad_", "retain_grad", "backward"})
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
SCOPES = (*COMPREHENSIONS, ast.Lambda)
WORDLESS = frozenset((ast.Constant, *ast.expr_context.__subclasses__(), *ast.operator.__subclasses__()))
LEAVES = WORDLESS | {ast.Name}
VIEWS = {"unbind", "numpy", "view", "reshape", "squeeze", "unsqueeze", "t", "transpose", "permute", "expand",
         "detach", "flatten"}  # fmt: skip


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one. As ast.iter_child_nodes, in a fifth of its time."""
    if type(node) in LEAVES:
        return []
    out: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if type(value) is list:
            out += [v for v in value if isinstance(v, ast.AST)]
        elif isinstance(value, ast.AST) and type(value) not in WORDLESS:
            out.append(value)
    return out


def walk(node: ast.AST) -> list[ast.AST]:
    """A node and all below it, level by level. As ast.walk."""
    out = [node]
    for one in out:
        out += children(one)
    return out


@dataclass(frozen=True)
class Effect:
    """reads: names whose earlier value it needs. strong: names it gives a new value. weak: changes.

    shared: names that it changes without naming them, since one that it changes is the same tensor.
    """

    reads: frozenset[str] = frozenset()
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    imports: bool = False

    @property
    def written(self) -> frozenset[str]:
        return self.strong | self.weak


def stands_for(value: ast.expr) -> str | None:
    """The name whose tensor an expression is, or a view of."""
    while True:
        if isinstance(value, ast.Name):
            return value.id
        part = isinstance(value, ast.Subscript) and not _copies(value.slice)
        if part or (isinstance(value, ast.Attribute) and value.attr in ("T", "data", "mT")):
            value = value.value  # type: ignore[attr-defined]
        elif (
            isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr in VIEWS
        ):
            value = value.func.value
        else:
            return None


def _copies(index: ast.expr) -> bool:
    """Whether indexing gives a copy for sure: by lists, ranges or masks."""
    return any(isinstance(p, ast.List | ast.Compare) or _is_range(p) for p in walk(index))


def _is_range(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called in ("range", "arange")


def effect_of(node: ast.stmt) -> Effect:
    if isinstance(node, ast.Import | ast.ImportFrom):
        bound = {(a.asname or a.name).split(".")[0] for a in node.names}
        return Effect(strong=frozenset(bound), imports=True)
    reads, strong, weak = _flow([node], set())
    return Effect(frozenset(reads - BUILTINS), frozenset(strong), frozenset(weak - strong))


Flow = tuple[set[str], set[str], set[str]]


def _flow(nodes: Iterable[ast.stmt], known: set[str]) -> Flow:
    """Reads of earlier values, sure writes and possible writes of statements in a row.

    known: names that were surely given a value inside the same block before.
    """
    reads: set[str] = set()
    strong: set[str] = set()
    weak: set[str] = set()
    known = set(known)
    for node in nodes:
        r, s, w = _one(node, known)
        reads |= r - known
        strong |= s
        weak |= w
        known |= s
    return reads, strong, weak


def _one(node: ast.stmt, known: set[str]) -> Flow:
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return _assign(node)
    if isinstance(node, ast.Expr):
        return in_all(node.value)
    if isinstance(node, ast.For | ast.AsyncFor):
        reads, stored = loads(node.iter)
        target_reads, targets, weak = _target(node.target)
        inner = _flow(node.body, known | targets)
        other = _flow(node.orelse, known)
        reads |= target_reads | (inner[0] - targets) | other[0]
        if targets & (inner[2] | _augmented(node.body)):
            weak |= _elements(node.iter)
        return reads, stored, weak | targets | inner[1] | inner[2] | other[1] | other[2]
    if isinstance(node, ast.While | ast.If):
        reads, stored = loads(node.test)
        a, b = _flow(node.body, known | stored), _flow(node.orelse, known | stored)
        sure = a[1] & b[1] if isinstance(node, ast.If) else set()
        return reads | a[0] | b[0], stored | sure, a[1] | a[2] | b[1] | b[2]
    if isinstance(node, ast.With | ast.AsyncWith):
        reads, strong = set(), set()
        for with_item in node.items:
            reads |= loads(with_item.context_expr)[0]
            if with_item.optional_vars is not None:
                strong |= _target(with_item.optional_vars)[1]
        inner = _flow(node.body, known | strong)
        return reads | (inner[0] - strong), strong | inner[1], inner[2]
    if isinstance(node, ast.Try):
        parts = [_flow(node.body, known), _flow(node.orelse, known), _flow(node.finalbody, known)]
        parts += [_flow(h.body, known) for h in node.handlers]
        reads = set().union(*(p[0] for p in parts))
        return reads, set(), set().union(*(p[1] | p[2] for p in parts))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        reads = set()
        outer: list[ast.expr] = list(node.decorator_list)
        if isinstance(node, ast.ClassDef):
            outer += node.bases
        else:
            outer += [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        for expression in outer:
            reads |= loads(expression)[0]
        return reads, {node.name}, set()
    if isinstance(node, ast.Import | ast.ImportFrom):
        return set(), {(a.asname or a.name).split(".")[0] for a in node.names}, set()
    if isinstance(node, ast.Delete):  # what a name stood for was made before
        return set().union(*(_target(t)[0] for t in node.targets)), set(), set()
    reads, stored = loads(node)
    return reads, set(), stored


def _augmented(body: Sequence[ast.stmt]) -> set[str]:
    """Names that a block changes by `+=` and the like."""
    found = (n.target for child in body for n in walk(child) if isinstance(n, ast.AugAssign))
    return {t.id for t in found if isinstance(t, ast.Name)}


def _elements(iterable: ast.expr) -> set[str]:
    """The names whose rows a loop goes over: `for row in x`, `for i, row in enumerate(x.unbind(0))`."""
    if root := stands_for(iterable):
        return {root}
    if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.func.id != "range":
        return set().union(*(_elements(a) for a in iterable.args))
    return set()


def _assign(node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> Flow:
    reads, strong, weak = in_all(node.value) if node.value is not None else (set(), set(), set())
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        r, s, w = _target(target)
        reads |= r
        if isinstance(node, ast.AugAssign):
            reads |= s
        if isinstance(node, ast.AnnAssign) and node.value is None:
            s = set()
        strong |= s
        weak |= w
    return reads, strong, weak


def _target(node: ast.expr) -> Flow:
    """What storing into a target reads, names anew, and changes."""
    if isinstance(node, ast.Name):
        return set(), {node.id}, set()
    if isinstance(node, ast.Tuple | ast.List):
        parts = [_target(e) for e in node.elts]
        return tuple(set().union(*(p[k] for p in parts)) for k in range(3))  # type: ignore[return-value]
    if isinstance(node, ast.Starred):
        return _target(node.value)
    reads, _ = loads(node)
    root = root_of(node)
    return reads, set(), {root} if root else set()


def root_of(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def in_all(node: ast.AST) -> Flow:
    """The names that an expression reads, those that a walrus in it writes, and those whose tensor or list
    it changes: x.add_(…), x.append(…), f(…, out=x)."""
    reads: set[str] = set()
    stored: set[str] = set()
    changed: set[str] = set()
    todo = [node]
    for one in todo:
        kind = type(one)
        if kind is ast.Name:
            (reads if type(one.ctx) is ast.Load else stored).add(one.id)  # type: ignore[attr-defined]
            continue
        if isinstance(one, SCOPES):
            reads |= _outer(one)
            for inner in walk(one):
                if isinstance(inner, ast.Call):
                    changed |= in_place(inner)
            continue
        if kind is ast.Call:
            changed |= in_place(one)  # type: ignore[arg-type]
        todo += children(one)
    return reads, stored, changed


def in_place(call: ast.Call) -> set[str]:
    """The names whose tensor or list a call changes."""
    out = {r for k in call.keywords if k.arg == "out" and (r := root_of(k.value))}
    if isinstance(call.func, ast.Attribute):
        name = call.func.attr
        in_place = name.endswith("_") and not name.endswith("__")
        if (in_place or name in CHANGES) and name not in QUIET and (root := root_of(call.func)):
            out.add(root)
        if call.args and (name == "at" or (in_place and root_of(call.func) == "torch")):
            out |= {root for root in (root_of(call.args[0]),) if root}  # np.add.at(x, …), torch.relu_(x)
    return out


def loads(node: ast.AST) -> tuple[set[str], set[str]]:
    """The names that an expression reads, and those that a walrus in it writes."""
    return in_all(node)[:2]


def _outer(node: ast.AST) -> set[str]:
    """The names outside of it that a comprehension or a lambda reads."""
    if isinstance(node, ast.Lambda):
        own = {a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
        defaults = (*node.args.defaults, *(d for d in node.args.kw_defaults if d))
        return (loads(node.body)[0] - own).union(*(loads(default)[0] for default in defaults))
    assert isinstance(node, COMPREHENSIONS)
    reads: set[str] = set()
    bound: set[str] = set()
    for number, generator in enumerate(node.generators):
        first = loads(generator.iter)[0]
        reads |= first if number == 0 else first - bound
        bound |= loads(generator.target)[1]
        reads |= set().union(*(loads(test)[0] for test in generator.ifs)) - bound
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    return reads.union(*(loads(part)[0] - bound for part in parts))


def free_of(node: ast.FunctionDef | ast.ClassDef) -> tuple[frozenset[str], frozenset[str]]:
    """The outer names that a function or class reads when it is used, and those it declares global."""
    reads: set[str] = set()
    own: set[str] = set()
    outer: set[str] = set()
    for child in walk(node):
        if isinstance(child, ast.Name):
            (reads if isinstance(child.ctx, ast.Load) else own).add(child.id)
        elif isinstance(child, ast.arg):
            own.add(child.arg)
        elif isinstance(child, ast.Global | ast.Nonlocal):
            outer |= set(child.names)
        elif isinstance(child, ast.FunctionDef | ast.ClassDef) and child is not node:
            own.add(child.name)
    return frozenset((reads - (own - outer)) - BUILTINS), frozenset(outer)
