"""What operations of torch do to shapes: a table of rules. Pure: no torch, no NumPy.

A rule gives what torch would give, raises Clash where torch would refuse the shapes, and Lost for all that it
doesn't know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from grader.shape_values import (
    Clash,
    Lost,
    Number,
    Pair,
    Shape,
    Tensor,
    axis,
    broadcast,
    elementwise,
    integer,
    kind_of,
    promoted,
    sizes,
    tensor,
)

MANY = 100  # elements of a list


# --- elementwise -------------------------------------------------------------------------------------


# --- products ----------------------------------------------------------------------------------------


def matmul(a: Any, b: Any) -> Tensor:
    left, right = tensor(a).shape, tensor(b).shape
    if not left or not right:
        raise Clash(left, right)
    rows = left if len(left) > 1 else (1, *left)
    columns = right if len(right) > 1 else (*right, 1)
    if rows[-1] != columns[-2]:
        raise Clash(left, right)
    try:
        batch = broadcast(rows[:-2], columns[:-2])
    except Clash:
        raise Clash(left, right) from None
    return Tensor(batch + (rows[-2],) * (len(left) > 1) + (columns[-1],) * (len(right) > 1), promoted(a, b))


def _of_dims(a_dims: int, b_dims: int) -> Callable[..., Tensor]:
    def product(a: Any, b: Any) -> Tensor:
        if (len(tensor(a).shape), len(tensor(b).shape)) != (a_dims, b_dims):
            raise Lost
        if a_dims == 3 and a.shape[0] != b.shape[0]:
            raise Clash(a.shape, b.shape)
        return matmul(a, b)

    return product


def outer(a: Any, b: Any) -> Tensor:
    if len(tensor(a).shape) != 1 or len(tensor(b).shape) != 1:
        raise Lost
    return Tensor((*a.shape, *b.shape), promoted(a, b))


def einsum(form: Any, *operands: Any) -> Tensor:
    if len(operands) == 1 and isinstance(operands[0], tuple):
        operands = operands[0]
    if not isinstance(form, str) or "." in form or len(form) > 100:
        raise Lost
    left, arrow, right = form.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise Lost
    found: dict[str, int] = {}
    for term, operand in zip(terms, operands, strict=True):
        if len(term) != len(tensor(operand).shape) or not (term.isalpha() or not term):
            raise Lost
        for letter, size in zip(term, operand.shape, strict=True):
            if found.setdefault(letter, size) != size and 1 not in (size, found[letter]):
                raise Clash(*(o.shape for o in operands))
            found[letter] = max(found[letter], size)
    if not arrow:
        right = "".join(sorted(c for c in found if left.count(c) == 1))
    if len(set(right)) != len(right) or any(c not in found for c in right):
        raise Lost
    return Tensor(tuple(found[c] for c in right), promoted(*operands))


# --- reductions --------------------------------------------------------------------------------------


def reduced(shape: Shape, dims: Any, keepdim: bool) -> Shape:
    """dims: one, several, or None for all."""
    if dims is None or dims == ():
        gone = set(range(len(shape)))
    else:
        chosen = [axis(d, len(shape)) for d in (dims if isinstance(dims, tuple) else (dims,))]
        gone = set(chosen)
        if len(gone) != len(chosen):
            raise Lost
    if keepdim:
        return tuple(1 if i in gone else d for i, d in enumerate(shape))
    return tuple(d for i, d in enumerate(shape) if i not in gone)


REDUCTIONS = frozenset(
    ("sum", "mean", "prod", "std", "var", "amax", "amin", "logsumexp", "argmax", "argmin", "max", "min")
) | {"all", "any"}
ONE_DIM = frozenset(("prod", "argmax", "argmin", "max", "min"))
INDICES = frozenset(("argmax", "argmin"))


def arguments(name: str, args: Sequence[Any], keywords: dict[str, Any]) -> tuple[Any, bool]:
    """A reduction's dim (None: all) and keepdim, however they are written."""
    rest = dict(keywords)
    given = list(args)
    dim = rest.pop("dim", rest.pop("axis", None))
    keepdim = rest.pop("keepdim", rest.pop("keepdims", False))
    if given:
        dim = given.pop(0)
    if given and name not in ("std", "var"):
        keepdim = given.pop(0)
    for known in ("unbiased", "correction", "dtype"):
        rest.pop(known, None)
    if given or rest or type(keepdim) is not bool or isinstance(dim, bool | Number | Tensor | str):
        raise Lost
    if name in ONE_DIM and isinstance(dim, tuple):
        raise Lost
    if dim is None and (keepdim and name in ONE_DIM - INDICES):
        raise Lost
    return dim, keepdim


def reduction(name: str, x: Any, dim: Any, keepdim: bool) -> Tensor | Pair:
    if name == "logsumexp" and dim is None:
        raise Lost
    shape = reduced(tensor(x).shape, dim, keepdim)
    if name in ("max", "min") and dim is not None:
        return Pair(Tensor(shape, x.kind), Tensor(shape, "i"))
    if name in INDICES:
        return Tensor(shape, "i")
    if name in ("all", "any"):
        return Tensor(shape, "b")
    if name in ("sum", "prod") and x.kind != "f":
        return Tensor(shape, "i")
    return Tensor(shape, x.kind)


# --- another arrangement -----------------------------------------------------------------------------


def view(x: Any, *new: Any) -> Tensor:
    shape, count = sizes(new), math.prod(tensor(x).shape)
    if shape.count(-1) > 1 or any(d < -1 for d in shape):
        raise Lost
    if -1 in shape:
        rest = math.prod(d for d in shape if d != -1)
        if not rest or count % rest:
            raise Clash(x.shape, shape)
        shape = tuple(count // rest if d == -1 else d for d in shape)
    if math.prod(shape) != count:
        raise Clash(x.shape, shape)
    return Tensor(shape, x.kind)


def expand(x: Any, *new: Any) -> Tensor:
    shape, old = sizes(new), tensor(x).shape
    if len(shape) < len(old):
        raise Clash(old, shape)
    padded = (0,) * (len(shape) - len(old)) + old
    out = []
    for was, wanted in zip(padded, shape, strict=True):
        if wanted < 0 and not was:
            raise Lost
        if was not in (0, 1, wanted) and wanted != -1:
            raise Clash(old, shape)
        out.append(was if wanted == -1 else wanted)
    return Tensor(tuple(out), x.kind)


def repeat(x: Any, *times: Any) -> Tensor:
    counts, old = sizes(times), tensor(x).shape
    if len(counts) < len(old) or any(c < 0 for c in counts):
        raise Lost
    padded = (1,) * (len(counts) - len(old)) + old
    return Tensor(tuple(c * d for c, d in zip(counts, padded, strict=True)), x.kind)


def permute(x: Any, *order: Any) -> Tensor:
    dims = [axis(d, len(tensor(x).shape)) for d in sizes(order)]
    if sorted(dims) != list(range(len(x.shape))):
        raise Lost
    return Tensor(tuple(x.shape[d] for d in dims), x.kind)


def transpose(x: Any, dim0: Any, dim1: Any) -> Tensor:
    order = list(range(len(tensor(x).shape)))
    i, j = axis(dim0, len(order)), axis(dim1, len(order))
    if order:
        order[i], order[j] = order[j], order[i]
    return permute(x, *order)


def t(x: Any) -> Tensor:
    if len(tensor(x).shape) > 2:
        raise Lost
    return Tensor(x.shape[::-1], x.kind)


def squeeze(x: Any, dim: Any = None) -> Tensor:
    shape = tensor(x).shape
    dims = range(len(shape)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    gone = {axis(d, len(shape)) for d in dims}
    return Tensor(tuple(d for i, d in enumerate(shape) if d != 1 or i not in gone), x.kind)


def unsqueeze(x: Any, dim: Any) -> Tensor:
    at = axis(dim, len(tensor(x).shape) + 1)
    return Tensor((*x.shape[:at], 1, *x.shape[at:]), x.kind)


def flatten(x: Any, start_dim: Any = 0, end_dim: Any = -1) -> Tensor:
    shape = tensor(x).shape
    if not shape:
        return Tensor((1,), x.kind)
    a, b = axis(start_dim, len(shape)), axis(end_dim, len(shape))
    if a > b:
        raise Lost
    return Tensor((*shape[:a], math.prod(shape[a : b + 1]), *shape[b + 1 :]), x.kind)


def joined(parts: Any, dim: Any = 0, new: bool = False) -> Tensor:
    """cat, or (new) stack."""
    if not isinstance(parts, tuple) or not parts:
        raise Lost
    shapes = [tensor(p).shape for p in parts]
    first, kind = shapes[0], promoted(*parts)
    if any(len(s) != len(first) or not s and not new for s in shapes):
        raise Lost
    at = axis(dim, len(first) + new)
    if new:
        if len(set(shapes)) > 1:
            raise Lost
        return Tensor((*first[:at], len(parts), *first[at:]), kind)
    if len({s[:at] + s[at + 1 :] for s in shapes}) > 1:
        raise Lost
    return Tensor((*first[:at], sum(s[at] for s in shapes), *first[at + 1 :]), kind)


# --- picking -----------------------------------------------------------------------------------------


def indexed(x: Any, index: Any) -> Tensor:
    """x[index], for numbers, slices, None, `...`, and integer tensors; masks are a matter of values."""
    shape, kind = tensor(x).shape, x.kind
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(p is not None and p is not Ellipsis for p in parts)
    if used > len(shape) or parts.count(Ellipsis) > 1:
        raise Lost
    rest = [slice(None)] * (len(shape) - used)
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    parts[at : at + 1] = rest
    out: list[int] = []
    picked: list[tuple[int, Shape]] = []  # where an integer tensor stands among what is left
    left = iter(shape)
    for part in parts:
        if part is None:
            out.append(1)
            continue
        size = next(left)
        if isinstance(part, Tensor) and part.shape == () and part.kind == "i":
            continue
        if isinstance(part, slice):
            out.append(len(range(size)[part]))
        elif isinstance(part, Tensor) and part.kind == "i":
            picked.append((len(out), part.shape))
            out.append(-1)
        elif not -size <= integer(part) < size:
            raise Lost
    if picked:
        common = broadcast(*(s for _, s in picked))
        places = [p for p, _ in picked]
        together = places == list(range(places[0], places[0] + len(places)))
        before = [d for d in out[: places[0]] if d != -1] if together else []
        after = [d for d in out[len(before) :] if d != -1]
        out = [*before, *common, *after]
    return Tensor(tuple(out), kind)


def index_select(x: Any, dim: Any, index: Any) -> Tensor:
    at = axis(dim, len(tensor(x).shape))
    if len(tensor(index).shape) != 1 or not x.shape:
        raise Lost
    return Tensor((*x.shape[:at], index.shape[0], *x.shape[at + 1 :]), x.kind)


def gather(x: Any, dim: Any, index: Any) -> Tensor:
    if len(tensor(x).shape) != len(tensor(index).shape):
        raise Lost
    return Tensor(index.shape, x.kind)


def one_hot(x: Any, num_classes: Any = -1) -> Tensor:
    if tensor(x).kind != "i" or integer(num_classes) < 1:
        raise Lost  # without classes it depends on the values
    return Tensor((*x.shape, num_classes), "i")


# --- new tensors -------------------------------------------------------------------------------------


def made(*new: Any) -> Tensor:
    shape = sizes(new)
    if any(d < 0 for d in shape):
        raise Lost
    return Tensor(shape)


def arange(*ends: Any) -> Tensor:
    numbers = [integer(e) for e in ends]
    if not 1 <= len(numbers) <= 3 or (len(numbers) == 3 and not numbers[2]):
        raise Lost
    return Tensor((len(range(*numbers)),), "i")


def nested(value: Any) -> Tensor:
    """torch.tensor of numbers in lists, one in the other at most twice; longer ones are not followed."""
    if not isinstance(value, tuple):
        return Tensor((), kind_of(value))
    rows = value if value and all(isinstance(v, tuple) for v in value) else (value,)
    if len(value) > MANY or any(len(r) != len(rows[0]) or len(r) > MANY for r in rows):
        raise Lost
    kind = promoted(*(v for r in rows for v in r)) if rows[0] else "f"
    if any(isinstance(v, Tensor) for r in rows for v in r):
        raise Lost
    return Tensor((len(rows[0]),) if rows == (value,) else (len(rows), len(rows[0])), kind)


def _same(x: Any, *_: Any) -> Tensor:
    return Tensor(tensor(x).shape, x.kind)


def _real(x: Any, *_: Any) -> Tensor:
    return Tensor(tensor(x).shape)


def _whole(x: Any) -> Tensor:
    return Tensor(tensor(x).shape, "i")


def _truth(*values: Any) -> Any:
    return elementwise(*values, kind="b")


def _quotient(a: Any, b: Any) -> Any:
    return elementwise(a, b, kind="f")


def _all(names: str, rule: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    return dict.fromkeys(names.split(), rule)


RULES: dict[str, Callable[..., Any]] = {
    **_all("exp log log2 log10 log1p expm1 sqrt rsqrt tanh sigmoid reciprocal sin cos", _real),
    **_all("float double softmax log_softmax", _real),
    **_all("long int argsort", _whole),
    **_all("abs neg sign relu square floor ceil round clone detach contiguous cumsum", _same),
    **_all("zeros_like ones_like empty_like full_like tril triu clamp_min clamp_max", _same),
    **_all("add sub subtract mul multiply pow maximum minimum masked_fill", elementwise),
    **_all("div divide true_divide", _quotient),
    **_all("eq ne lt gt le ge logical_and logical_or", _truth),
    **_all("zeros ones empty rand randn", made),
    **_all("index_add scatter_add scatter index_put index_add_ scatter_add_ scatter_", _same),
    **_all("index_put_ add_ sub_ mul_ div_ fill_ zero_ copy_ masked_fill_ neg_", _same),
    "where": lambda c, a, b: elementwise(c, a, b, kind=promoted(a, b)),
    "matmul": matmul,
    "mm": _of_dims(2, 2),
    "mv": _of_dims(2, 1),
    "dot": _of_dims(1, 1),
    "bmm": _of_dims(3, 3),
    "outer": outer,
    "einsum": einsum,
    "view": view,
    "reshape": view,
    "view_as": lambda x, other: view(x, tensor(other).shape),
    "reshape_as": lambda x, other: view(x, tensor(other).shape),
    "expand": expand,
    "broadcast_to": expand,
    "expand_as": lambda x, other: expand(x, tensor(other).shape),
    "repeat": repeat,
    "permute": permute,
    "transpose": transpose,
    "swapaxes": transpose,
    "t": t,
    "squeeze": squeeze,
    "unsqueeze": unsqueeze,
    "flatten": flatten,
    "ravel": lambda x: Tensor((math.prod(tensor(x).shape),), x.kind),
    "cat": joined,
    "concat": joined,
    "stack": lambda parts, dim=0: joined(parts, dim, new=True),
    "index_select": index_select,
    "gather": gather,
    "one_hot": one_hot,
    "full": lambda shape, _: made(shape),
    "eye": lambda n, m=None: made(n, n if m is None else m),
    "arange": arange,
    "tensor": nested,
}
KEYWORDS = frozenset(
    ("dim", "num_classes", "start_dim", "end_dim", "dim0", "dim1")
)  # by which a rule may be called
