"""Changes of a name: another tensor, another size, a transpose, a function of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Source, method, subject

FUNCTIONS = {
    "its exponential": "{}.exp()",
    "its softmax": "{}.softmax(-1)",
    "its logarithm": "{}.log()",
    "its tanh": "{}.tanh()",
    "its sigmoid": "{}.sigmoid()",
    "its inverse": "{} ** -1",
    "1 - {}": "1 - {}",
    "1 minus its square": "1 - {} ** 2",
    "{} + 1": "1 + {}",
}
FLIPS = ("-1", "0", "1", "(0, 1)", "(-2, -1)")


def another(s: Source) -> Iterator[Change]:
    """Another tensor or size for a name, in one place and throughout."""
    for name in s.used:
        places = [n for n in s.loads if n.id == name and not _only_shape(s, n) and not s.compared(n)]
        for other in _others(s, name) if places else ():
            told = f"{name} is used where {other} is meant"
            rank = 20 if _alike(s, name, other) else 24
            if len(places) > 1:
                edits = [s.put(n, other) for n in places]
                yield s.change(places[0], edits, Code.ANOTHER_TENSOR, told, rank, other)
            for n in places:
                yield s.change(n, other, Code.ANOTHER_TENSOR, told, rank + 1, other)


def made(s: Source) -> Iterator[Change]:
    """A tensor of the forward pass for a gradient, or for another tensor, that the function makes itself."""
    for n in s.nodes:
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in s.local:
            for other in s.about.wanted:
                if other in s.about.shapes and other != n.id and not s.compared(n):
                    told = f"{n.id} is used where {other} is meant"
                    yield s.change(n, other, Code.ANOTHER_TENSOR, told, 25, other)
    own: dict[str, int] = {}
    for b in s.body:
        for t in b.targets if isinstance(b, ast.Assign) else ():
            if isinstance(t, ast.Name):
                own.setdefault(t.id, b.lineno)
    whole = {id(n) for n in s.returned} | {
        id(subject(n)) for n in s.nodes if isinstance(n, ast.Call) and method(n).endswith("_")
    }
    for n in (n for n in s.nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)):
        fits = (n.id in own or n.id in s.about.shapes) and id(n) not in whole
        for other, line in own.items() if fits else ():
            if line < n.lineno and other != n.id and not s.compared(n):
                told = f"{n.id} is used where {other} is meant"
                yield s.change(n, other, Code.ANOTHER_TENSOR, told, 26)


def _others(s: Source, name: str) -> list[str]:
    about = s.about
    if name in about.sizes:
        return [k for k in about.sizes if k != name]
    if name in about.whole or name in about.masks:
        return [k for k in (*about.whole, *about.masks) if k != name]
    near = ("d" + name, name[1:])
    known = [k for k in about.shapes if k in about.wanted or k in near or k in s.params or _alike(s, name, k)]
    return [k for k in sorted(known, key=lambda k: k not in about.wanted) if k != name]


def _alike(s: Source, a: str, b: str) -> bool:
    return a in s.about.sizes or s.about.shapes.get(a) == s.about.shapes.get(b)


def products(s: Source) -> Iterator[Change]:
    """A product of two sizes, or one size less 1, for one; a number for a size."""
    sizes = list(s.about.sizes)
    for name in (k for k in s.used if k in sizes):
        places = [n for n in s.loads if n.id == name]
        for other in ("2", *sizes):
            told = f"{name} stands where {name} * {other} is meant"
            edits = [s.put(n, f"{name} * {other}") for n in places]
            asks = (other,) if other in sizes else ()
            yield s.change(places[0], edits, Code.WRONG_SIZE, told, 25, *asks)
        for n in places:
            yield s.change(n, f"1 / {name}", Code.OPERATOR, f"{name} stands where 1 / {name} is meant", 26)
    for n in s.loads:
        parent = s.parents.get(id(n))
        less = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Add | ast.Sub)
        if n.id not in sizes or less:
            continue
        for a, b in combinations(sizes, 2):
            told = f"{n.id} stands where {a} * {b} is meant"
            yield s.change(n, f"{a} * {b}", Code.WRONG_SIZE, told, 26, a, b)
            told = f"{n.id} stands where {a} * {b} - 1 is meant"
            yield s.change(n, f"{a} * {b} - 1", Code.WRONG_SIZE, told, 27, a, b)
        for new in (f"{n.id} - 1", f"{n.id} + 1"):
            yield s.change(n, new, Code.WRONG_SIZE, f"{n.id} stands where {new} is meant", 22)


def exchanged(s: Source) -> Iterator[Change]:
    """Two names, each in the other's place."""
    for a, b in combinations(s.used, 2):
        edits = [s.put(n, b if n.id == a else a) for n in s.loads if n.id in (a, b)]
        where = next(n for n in s.loads if n.id in (a, b))
        yield s.change(where, edits, Code.EXCHANGED, f"{a} and {b} are exchanged", 23)
        for d, x in ((a, b), (b, a)):  # the d stands at the other factor
            if d[:1] == "d" and d[1:] in s.about and (dx := f"d{x}") in s.about and dx not in s.used:
                edits = [s.put(n, d[1:] if n.id == d else dx) for n in s.loads if n.id in (d, x)]
                told = f"{d} and {x} are used where {d[1:]} and {dx} are meant"
                yield s.change(where, edits, Code.ANOTHER_TENSOR, told, 23, d[1:], dx)


def transposes(s: Source) -> Iterator[Change]:
    """A transpose too many or too few, of what a matrix product is made of or of a whole."""
    for n in s.nodes:
        if isinstance(n, ast.Attribute) and n.attr in ("T", "mT"):
            told = f"{s.quoted(n.value)} is transposed where it is meant as it is"
            yield s.change(n, s.text(n.value), Code.TRANSPOSED, told, 10)
            if n.attr == "T" and _axes(s, n.value) not in (0, 1, 2):
                told = ".T reverses all axes of a tensor of three or more: the last two are meant, `.mT`"
                yield s.change(n, f"({s.text(n.value)}).mT", Code.TRANSPOSED, told, 8)
        if isinstance(n, ast.Call) and method(n) in ("transpose", "t", "permute", "swapaxes") and subject(n):
            of = subject(n)
            assert of is not None
            told = f"{s.quoted(of)} is transposed where it is meant as it is"
            yield s.change(n, s.text(of), Code.TRANSPOSED, told, 11)
    plain = [n.right for n in s.nodes if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)]
    if len(plain) > 1 and all(isinstance(n, ast.Name) for n in plain):
        told = f"{', '.join(s.text(n) for n in plain)} are meant transposed"
        edits = [s.put(n, f"{s.text(n)}.mT") for n in plain]
        yield s.change(plain[0], edits, Code.TRANSPOSED, told, 9)
    for n in _operands(s):
        if isinstance(n, ast.Attribute) or _turned(s, n):
            continue  # which is one too many then
        told = f"{s.quoted(n)} is meant transposed"
        yield s.change(n, f"({s.text(n)}).mT", Code.TRANSPOSED, told, 9)
        if not isinstance(n, ast.Name):
            continue
        for other in s.about.shapes:
            if other in s.about.wanted and n.id in s.about.shapes and other != n.id:
                told = f"{n.id} is used where {other}, transposed, is meant"
                yield s.change(n, f"{other}.mT", Code.ANOTHER_TENSOR, told, 28, other)


def _turned(s: Source, node: ast.expr) -> bool:
    """Whether a call exchanges the last two axes of a tensor."""
    if not isinstance(node, ast.Call) or method(node) not in ("transpose", "t", "swapaxes"):
        return False
    of = subject(node)
    many = _axes(s, of) if of else None
    given = [a for a in [*node.args, *(k.value for k in node.keywords)] if a is not of]
    try:
        axes = {ast.literal_eval(a) - (many if many and ast.literal_eval(a) >= 0 else 0) for a in given}
    except (ValueError, TypeError):
        return False
    return axes == {-1, -2} or method(node) == "t"


def _axes(s: Source, node: ast.expr) -> int | None:
    shape = s.about.shapes.get(node.id) if isinstance(node, ast.Name) else None
    return None if shape is None else len(shape)


def _operands(s: Source) -> Iterator[ast.expr]:
    for n in s.nodes:
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult):
            yield from (n.left, n.right)
        elif isinstance(n, ast.Call) and method(n) in ("matmul", "mm", "bmm"):
            yield from n.args


def functions(s: Source) -> Iterator[Change]:
    """A function of a tensor for the tensor, or the tensor upside down."""
    for n in s.loads:
        if n.id in s.about.masks:
            yield s.change(n, f"~{n.id}", Code.MASK, f"{n.id} marks the opposite of what is meant", 12)
        turned = isinstance(s.parents.get(id(n)), ast.Attribute)
        if n.id not in s.about.shapes or _only_shape(s, n) or turned:
            continue
        for told, new in FUNCTIONS.items():
            said = f"{n.id} itself is used where {told.format(n.id)} is meant"
            yield s.change(n, new.format(n.id), Code.FUNCTION_MISSING, said, 40)
        said = f"{n.id} is meant squared: an exponent is missing"
        yield s.change(n, f"{n.id} ** 2", Code.EXPONENT, said, 31)
        for dims in FLIPS[: len(s.about.shapes[n.id]) + 1]:
            said = f"{n.id} is to be reversed, its last element first"
            yield s.change(n, f"{n.id}.flip({dims})", Code.DIRECTION, said, 42)
        if _rooted(s, n):
            said = f"the eps is left out where {n.id} is used"
            yield s.change(n, f"{n.id} + 1e-5", Code.EPS, said, 19)
        parent = s.parents.get(id(n))
        parent = s.parents.get(id(parent)) if isinstance(parent, ast.UnaryOp) else parent
        factor = isinstance(parent, ast.BinOp) and not isinstance(parent.op, ast.Add | ast.Sub)
        said, code = f"{n.id} stands where 1 is meant", Code.CONSTANT
        if factor:
            said, code = f"{n.id} is a factor too many", Code.EXTRA_FACTOR
        yield s.change(n, f"torch.ones_like({n.id})", code, said, 39)


def joined(s: Source) -> Iterator[Change]:
    """A factor that is missing wherever a tensor is used, or in one place."""
    for name in [k for k in s.used if k in s.about.shapes]:
        places = [n for n in s.loads if n.id == name and not _only_shape(s, n)]
        for other in s.about.wanted:
            if other in s.about.shapes and other not in s.used:
                for word, sign in (("factor", "*"), ("division by", "/")):
                    told = f"the {word} {other} is missing where {name} is used"
                    new = f"{name} {sign} {other}"
                    edits = [s.put(n, new) for n in places]
                    if len(edits) > 1:
                        yield s.change(places[0], edits, Code.FACTOR_MISSING, told, 43, other)
                    for n in places:
                        yield s.change(n, new, Code.FACTOR_MISSING, told, 48, other)


def _rooted(s: Source, n: ast.AST) -> bool:
    """Whether a root, a logarithm or a power of it is taken, or it divides: where an eps may be missing."""
    above = s.parents.get(id(n))
    if above is None:
        return False
    power = isinstance(above, ast.BinOp) and isinstance(above.op, ast.Pow) and n is above.left
    below = isinstance(above, ast.BinOp) and isinstance(above.op, ast.Div) and n is above.right
    return power or below or method(above) in ("sqrt", "rsqrt", "log", "reciprocal") or _rooted(s, above)


def _only_shape(s: Source, n: ast.Name) -> bool:
    """Whether only the shape of a tensor is taken."""
    parent = s.parents.get(id(n))
    like = isinstance(parent, ast.Call) and method(parent).endswith("_like")
    return like or isinstance(parent, ast.Attribute) and parent.attr in ("shape", "ndim", "size", "numel")
