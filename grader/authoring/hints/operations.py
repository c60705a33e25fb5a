"""The table of operations: what each does to one number on its way to the loss, and how to think of it.

A rule follows the element x[index] through one operation: at which elements of the result it appears, by
what local gradient it counts there, and the sentence that a teaching assistant would say. The rules know
tensors only by their values and shapes, through a Scope; nothing here imports torch.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from grader.authoring.hints import arithmetic, axes, layers, moving
from grader.authoring.hints.local import LOCAL, LOSSES, REDUCED, SIGNS, local, loss
from grader.authoring.hints.notation import Index, Term, name, number, write
from grader.authoring.hints.site import (
    FLAT,
    NoRule,
    Scope,
    Shape,
    Site,
    Step,
    differentiable,
    operation,
    spread,
)

LETTERS = "ijklmrstuvabcdef"  # of indices, but for those that are names in the forward program

CALLS: dict[str, Callable[[Site], Step]] = {
    **dict.fromkeys(REDUCED, axes.reduced),
    **dict.fromkeys(("cumsum", "cumprod"), axes.running),
    **dict.fromkeys(("softmax", "log_softmax"), axes.softmax),
    **dict.fromkeys(("cross_entropy", "nll_loss"), axes.labelled),
    **dict.fromkeys(("view", "reshape", "flatten", "unflatten", "unsqueeze", "squeeze"), moving.view),
    **dict.fromkeys(("transpose", "t", "T", "mT", "permute", "movedim"), moving.permuted),
    "expand": lambda site: spread(site, ""),
    **dict.fromkeys(("cat", "stack"), moving.joined),
    "embedding": moving.embedding,
    "index_select": moving.index_select,
    "gather": moving.gather,
    "values": lambda site: Step(site.index, ""),
    "pad": moving.pad,
    **dict.fromkeys(moving.COPIES, moving.copied),
    "flip": moving.flipped,
    **dict.fromkeys(("max", "min", "amax", "amin"), axes.extreme),
    "einsum": arithmetic.einsum,
    "clamp": arithmetic.clamp,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "outer", "linear"), arithmetic.matmul),
    **{f"{kind}{n}d": layers.convolution for kind in ("conv", "conv_transpose") for n in (1, 2)},
    **{f"{kind}_pool{n}d": rule for kind, rule in layers.POOLS.items() for n in (1, 2)},
    **dict.fromkeys(layers.NORMS, layers.normed),
    **dict.fromkeys(LOSSES, loss),
}


def operands(node: ast.expr, scope: Scope) -> list[ast.expr]:
    """The expressions that an operation works on."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Subscript | ast.Attribute):
        return [node.value]
    if isinstance(node, ast.Call):
        given, function = node.args, node.func
        if isinstance(function, ast.Attribute) and not isinstance(scope.value(function.value), ModuleType):
            given = [function.value, *given]  # a method
        given = [*given, *(k.value for k in node.keywords)]
        return list(itertools.chain(*(x.elts if isinstance(x, ast.List | ast.Tuple) else [x] for x in given)))
    return []


def ways(node: ast.expr, tensor: str, scope: Scope) -> Iterator[list[ast.expr]]:
    """Each way from an occurrence of the tensor out to the whole expression: the name first."""
    if isinstance(node, ast.Name):
        if node.id == tensor:
            yield [node]
        return
    for operand in operands(node, scope) if operation(node) not in FLAT else ():
        if isinstance(operand, ast.Constant) or not differentiable(_try(scope, operand)):
            continue
        for way in ways(operand, tensor, scope):
            yield [*way, node]


def _try(scope: Scope, node: ast.expr) -> Any:
    try:
        return scope.value(node)
    except Exception:
        return None


def rule(site: Site) -> Step:
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return arithmetic.matmul(site)
    if isinstance(node, ast.Subscript):
        return moving.subscript(site)
    called = operation(node) or SIGNS.get(type(getattr(node, "op", node)), "")
    if called in LOCAL:
        return local(site, LOCAL[called])
    if called in CALLS:
        return CALLS[called](site)
    raise NoRule(called or ast.unparse(node))


@dataclass(frozen=True)
class Path:
    """One way of a tensor through one line: its term of the gradient, and what to say on the way."""

    term: Term
    say: tuple[str, ...]  # backwards, from the line's result to the tensor
    kinds: tuple[str, ...] = ()  # of the operations: what is called, else the type of their node


def paths(tensor: str, shape: Shape, line: str, code: str, scope: Scope, loss: bool) -> list[Path]:
    """Every way of a tensor through one forward line. NoRule where the table doesn't know an operation."""
    assign = ast.parse(code.strip()).body[0]
    assert isinstance(assign, ast.Assign)
    out = scope.shape(assign.value)
    letters = [x for x in LETTERS if x not in scope.runs[0]]
    first = 1 if len(shape) == 1 and len(out) > 1 else 0  # b[j], where the result is [i,j]
    start: Index = tuple(number(0) if n == 1 else name(letters[first + k]) for k, n in enumerate(shape))
    used = {write(x) for x in start}
    found = []
    for way in ways(assign.value, tensor, scope):
        fresh = iter(x for x in letters if x not in used)
        steps = [Step(start, "")]
        for child, node in itertools.pairwise(way):
            output = line if node is way[-1] else None
            steps.append(rule(Site(scope, node, child, steps[-1].index, output, fresh)))
        sign = math.prod(s.sign for s in steps)
        factors = tuple(f for s in steps for f in s.factors)
        sums = tuple(one for s in steps for one in s.sums)
        where = tuple(w for s in steps for w in s.where)
        named = {k: v for s in steps for k, v in s.named.items()}
        term = Term(tensor, start, line, steps[-1].index, sign, factors, sums, where, named, loss)
        kinds = tuple(operation(n) or type(getattr(n, "op", n)).__name__ for n in way[1:])
        found.append(Path(term, tuple(dict.fromkeys(s.say for s in reversed(steps) if s.say)), kinds))
    return found
