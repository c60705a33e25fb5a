"""Derivatives in the mathematics of indices: expressions as ast nodes, written as one writes on paper. Pure.

A term such as `counts[i,j] · dprobs[i,j]`, summed over j, is kept as data, so that it can be both written
and evaluated: what a hint says has been held against autograd.
"""

from __future__ import annotations

import ast
import copy
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.core.text import listed

Index = tuple[ast.expr, ...]
SUPERSCRIPT = {2: "²", 3: "³"}
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)  # how tightly an expression binds


@dataclass(frozen=True)
class Sum:
    """An index that runs over all of an axis: its letter, and an expression for how many values it has."""

    letter: str
    size: ast.expr


@dataclass(frozen=True)
class Named:
    """A name that a formula introduces: what it is worth, as code, and what it means, in words."""

    code: ast.expr
    text: str


@dataclass(frozen=True)
class Term:
    """What comes back along one path: ± factors · upstream, summed over `sums` wherever `where` holds."""

    tensor: str
    index: Index
    consumer: str
    at: Index  # the element of the consumer
    sign: int
    factors: Index
    sums: tuple[Sum, ...]
    where: Index
    named: Mapping[str, Named]
    through_loss: bool = False

    def text(self) -> str:
        """Without its sign: `Σ_j counts[i,j] · dprobs[i,j]`."""
        product = " · ".join(_bound(p, PRODUCT) for p in self._factors()) or "1"
        letters = ",".join(s.letter for s in self.sums)
        if inside := self.within(True):
            product = f"Σ over all {letters} with {' and '.join(map(write, inside))} of {product}"
        elif self.sums:
            product = f"Σ_{letters if len(self.sums) == 1 else f'{{{letters}}}'} {product}"
        outside = " and ".join(map(write, self.within(False)))
        return f"[{outside}] · {product}" if outside else product

    def within(self, sums: bool) -> list[ast.expr]:
        """The conditions on an index that is summed over, or the others."""
        letters = {s.letter for s in self.sums}
        return [c for c in self.where if sums is any(getattr(n, "id", "") in letters for n in ast.walk(c))]

    def summands(self, at: tuple[int, ...], scope: Mapping[str, Any]) -> list[list[float]]:
        """The factors of each summand of the element `at`: the sign first, the upstream gradient last."""
        factors = self._factors()
        return [
            [float(self.sign), *(float(evaluate(f, local)) for f in factors)]
            for local in self._runs(at, scope)
        ]

    def in_numbers(
        self, at: tuple[int, ...], scope: Mapping[str, Any], figure: Callable[[float], str]
    ) -> list[str]:
        """Each summand of the element `at` as arithmetic: `(1 − 0.5²) · 6`, without the term's sign."""
        out = []
        for local in self._runs(at, scope):
            numbers = _Numbers(local, figure)
            texts = [_bound(numbers.visit(copy.deepcopy(f)), PRODUCT) for f in self._factors()]
            product = " · ".join(f"({t})" if k and t[0] == "-" else t for k, t in enumerate(texts))
            out.append((product or "1").replace("−", "-"))
        return out

    def _factors(self) -> Index:
        """The local gradients, then what arrives: of the loss its own gradient, 1, which is not written."""
        upstream = element(name("d" + self.consumer), self.at)
        return self.factors if self.through_loss else (*self.factors, upstream)

    def _runs(self, at: tuple[int, ...], scope: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The scope with every index letter's value, for each summand of the element `at`."""
        local = dict(scope)
        for letter, value in zip(self.index, at, strict=True):
            if isinstance(letter, ast.Name):
                local[letter.id] = value
        extents = [range(int(evaluate(s.size, local))) for s in self.sums]
        for values in itertools.product(*extents):
            local |= dict(zip((s.letter for s in self.sums), values, strict=True))
            if all(bool(evaluate(c, local)) for c in self.where):
                yield local


class _Numbers(ast.NodeTransformer):
    """Puts an expression's numbers in place of its elements and names."""

    def __init__(self, scope: Mapping[str, Any], figure: Callable[[float], str]) -> None:
        self.scope, self.figure = scope, figure

    def _value(self, node: ast.expr) -> ast.expr:
        return name(self.figure(float(evaluate(node, self.scope))).removeprefix("≈"))

    visit_Subscript = visit_Name = visit_Call = _value

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        new = self.generic_visit(node)
        assert isinstance(new, ast.BinOp)
        for side in ("left", "right"):
            part = getattr(new, side)
            negative = isinstance(part, ast.Name) and part.id.startswith("-")
            if negative and not (side == "left" and isinstance(new.op, ast.Add | ast.Sub)):
                assert isinstance(part, ast.Name)
                setattr(new, side, name(f"({part.id})"))
        return new


def evaluate(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    compiled = getattr(node, "compiled", None)  # a formula is evaluated for every element
    if compiled is None:
        calls = any(isinstance(n, ast.Call) for n in ast.walk(node))
        tree = _Called().visit(copy.deepcopy(node)) if calls else node
        compiled = compile(ast.fix_missing_locations(ast.Expression(tree)), "formula", "eval")
        node.compiled = compiled  # type: ignore[attr-defined]
    return eval(compiled, {**scope, **FUNCTIONS})


FUNCTIONS: dict[str, Callable[..., Any]] = {  # that formulas call, whatever a tensor or a size is called
    "size()": lambda tensor, axis, said: tensor.shape[axis],
    "hit()": lambda holds: float(bool(holds)),
    "ln()": math.log,
    "exp()": math.exp,
    "tanh()": math.tanh,
    "sigma()": lambda v: 1 / (1 + math.exp(-v)),
    "clip()": lambda v: max(-1.0, min(1.0, v)),
    "cos()": math.cos,
    "sin()": math.sin,
    "sign()": lambda v: math.copysign(1.0, v) if v else 0.0,
    "Phi()": lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))),
    "phi()": lambda v: math.exp(-v * v / 2) / math.sqrt(2 * math.pi),
}


class _Called(ast.NodeTransformer):
    """Puts a formula's own functions apart from names of the forward program."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and f"{node.func.id}()" in FUNCTIONS:
            node.func = name(f"{node.func.id}()")
        return node


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def number(value: float) -> ast.expr:
    return ast.Constant(int(value) if value == int(value) else value)


def element(node: ast.expr, index: Index) -> ast.expr:
    """node[index]; a scalar has none, and what unsqueeze added is left out."""
    if not index:
        return node
    match node:
        case ast.Call(ast.Attribute(value, "unsqueeze"), [place]):
            axis = ast.literal_eval(place) % len(index)
            return element(value, (*index[:axis], *index[axis + 1 :]))
    return ast.Subscript(node, ast.Tuple(list(index), ast.Load()), ast.Load())


def code(text: str, **parts: ast.expr) -> ast.expr:
    """An expression in which the given parts stand for names."""
    return filled(ast.parse(text, mode="eval").body, parts)  # type: ignore[no-any-return]


def filled(tree: Any, parts: Mapping[str, ast.expr]) -> Any:
    """A tree, changed: the given parts stand for names."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

    return Fill().visit(tree)


def write(node: ast.expr) -> str:
    return _write(node)[0]


def _bound(node: ast.expr, tightness: int) -> str:
    text, own = _write(node)
    return text if own >= tightness else f"({text})"


def _write(node: ast.expr) -> tuple[str, int]:
    """The text, and how tightly its outermost operation binds."""
    if isinstance(node, ast.Constant):
        text = f"{node.value:g}" if isinstance(node.value, float) else str(node.value)
        return text.replace("e-0", "e-") if "e" in text else text.replace("-", "−"), ATOM
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        base = _bound(node.value, ATOM)
        return f"{base}[{','.join(write(x) for x in node.slice.elts)}]", ATOM
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return f"−{_bound(node.operand, POWER)}", SIGN
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"not {_bound(node.operand, ATOM)}", PRODUCT
    if isinstance(node, ast.Compare):
        left, right = write(node.left), write(node.comparators[0])
        sign = {ast.Eq: "=", ast.Gt: ">", ast.GtE: "≥", ast.Lt: "<", ast.LtE: "≤"}[type(node.ops[0])]
        return f"{left} {sign} {right}", SUM
    if isinstance(node, ast.BinOp):
        if text := _power(node):
            return text, POWER
        rule = _BINARY.get(type(node.op))
        if rule:
            sign, own = rule
            return f"{_bound(node.left, own)}{sign}{_bound(node.right, own + 1)}", own
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "hit":  # 1 where it holds, else 0
            return f"[{write(node.args[0])}]", ATOM
        if node.func.id == "size":  # its last argument is the size on the lecture's numbers
            return write(node.args[-1]), ATOM
        return f"{node.func.id}({', '.join(write(a) for a in node.args)})", ATOM
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) < 2:
        inner = node.args[0] if node.args else node.func.value
        function = not node.args or ast.unparse(node.func.value) in ("torch", "F", "math")
        if function and not node.keywords:
            return f"{node.func.attr}({write(inner)})", ATOM
    return ast.unparse(node), ATOM


_BINARY: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", SUM),
    ast.Sub: (" − ", SUM),
    ast.Mult: (" · ", PRODUCT),
    ast.Div: ("/", PRODUCT),
    ast.FloorDiv: (" div ", PRODUCT),
    ast.Mod: (" mod ", PRODUCT),
}


def _power(node: ast.BinOp) -> str:
    if not isinstance(node.op, ast.Pow):
        return ""
    try:
        exponent = ast.literal_eval(node.right)
    except ValueError:
        return f"{_bound(node.left, ATOM)}^({write(node.right)})"
    base = _bound(node.left, ATOM)
    if exponent in SUPERSCRIPT:
        return base + SUPERSCRIPT[exponent]
    return base + f"^{exponent:g}".replace("-", "−")


def total(terms: tuple[Term, ...]) -> str:
    """`dx[i,j] = first + second − third`; index names of sums may repeat from term to term."""
    first = terms[0]
    left = write(element(name("d" + first.tensor), first.index))
    text = ""
    for term in terms:
        one = term.text()
        if text and term.sums:
            one = f"({one})"
        minus = term.sign < 0
        text += (" − " if minus else " + ") + one if text else ("−" if minus else "") + one
    return f"{left} = {text}"


def sizes_named(terms: Sequence[Term]) -> list[str]:
    """What the numbers are that stand in terms for sizes: `10 is the size of emb along axis 2 here.`"""
    owners: dict[str, dict[str, list[str]]] = {}
    for node in (n for t in terms for part in (*t.at, *t.factors, *t.where) for n in ast.walk(part)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "size":
            owner, axis, said = node.args
            axes = owners.setdefault(write(said), {}).setdefault(ast.unparse(owner), [])
            axes += [write(axis)] * (write(axis) not in axes)
    along = {n: [f"{o} along axis {listed(axes)}" for o, axes in of.items()] for n, of in owners.items()}
    return [f"{n} is the size of {listed(places)} here." for n, places in along.items()]
