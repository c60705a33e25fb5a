"""What operations of torch do to shapes: a table of rules. Pure: no torch, no NumPy.

A rule gives what torch would give, raises Clash where torch would refuse the shapes, and Lost for all that it
doesn't know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from grader.diagnosis.shapes import views
from grader.diagnosis.shapes.values import (
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
    "view": views.view,
    "reshape": views.view,
    "view_as": lambda x, other: views.view(x, tensor(other).shape),
    "reshape_as": lambda x, other: views.view(x, tensor(other).shape),
    "expand": views.expand,
    "broadcast_to": views.expand,
    "expand_as": lambda x, other: views.expand(x, tensor(other).shape),
    "repeat": views.repeat,
    "permute": views.permute,
    "transpose": views.transpose,
    "swapaxes": views.transpose,
    "t": views.t,
    "squeeze": views.squeeze,
    "unsqueeze": views.unsqueeze,
    "flatten": views.flatten,
    "ravel": lambda x: Tensor((math.prod(tensor(x).shape),), x.kind),
    "cat": views.joined,
    "concat": views.joined,
    "stack": lambda parts, dim=0: views.joined(parts, dim, new=True),
    "index_select": views.index_select,
    "gather": views.gather,
    "one_hot": views.one_hot,
    "full": lambda shape, _: made(shape),
    "eye": lambda n, m=None: made(n, n if m is None else m),
    "arange": arange,
    "tensor": nested,
}
KEYWORDS = frozenset(
    ("dim", "num_classes", "start_dim", "end_dim", "dim0", "dim1")
)  # by which a rule may be called
