"""What operations of torch that arrange or pick elements do to shapes; see `shape_rules`. Pure."""

from __future__ import annotations

import math
from typing import Any

from grader.diagnosis.shapes.values import (
    Clash,
    Lost,
    Shape,
    Tensor,
    axis,
    broadcast,
    integer,
    promoted,
    sizes,
    tensor,
)

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
