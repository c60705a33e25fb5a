"""The table of operators: how a line is written in torch, and its local gradients as code.

A template speaks of the operator's arguments by torch's names for them (`self`, `weight`), of its result as
`y`, and of the gradient that arrives as `dy`. What a template can't say is a function. The functions of one
number come from the hints' own table.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from grader.authoring.hints.elementwise import ELEMENTWISE
from grader.authoring.hints.notation import code, number
from grader.authoring.network.trace import Number, Step, literal

Back = str | Callable[["Site"], ast.expr]


@dataclass(frozen=True)
class Operator:
    """write: the line. back: by argument its gradient; `spread`: of the result's shape, to be summed."""

    write: str | Callable[[Step, Callable[[Any], ast.expr]], ast.expr]
    back: Mapping[str, Back] = field(default_factory=dict)
    spread: bool = False


class NotWritten(Exception):
    """The table has no local gradient for this use of an operator."""


class Site:
    """Where a local gradient is written: the step, the argument that it is for, and what arrives."""

    def __init__(self, body: Any, step: Step, arg: str, place: int, dy: ast.expr) -> None:
        self.body, self.step, self.arg, self.place, self.dy = body, step, arg, place, dy
        found = step.args[arg]
        self.x: Step = found[place] if isinstance(found, list) else found

    def raw(self, name: str, default: Any = None) -> Any:
        found = self.step.args.get(name)
        if isinstance(found, list):
            return [n.value if isinstance(n, Number) else n for n in found]
        return found.value if isinstance(found, Number) else default if found is None else found

    def has(self, name: str) -> bool:
        return isinstance(self.step.args.get(name), Step)

    def fill(self, template: str, **more: ast.expr) -> ast.expr:
        """A template with the step's arguments, its result and what arrives in their places."""
        wanted = {n.id for n in ast.walk(ast.parse(template)) if isinstance(n, ast.Name)}
        parts = {k: self.body.value(v) for k, v in self.step.args.items() if k in wanted and k not in more}
        if "y" in wanted and "y" not in more:
            parts["y"] = self.body.value(self.step)
        if "x" in wanted and "x" not in more:
            parts["x"] = self.body.value(self.x)
        if "dy" in wanted and "dy" not in more:
            parts["dy"] = self.dy
        return code(template, **parts, **more)

    def let(self, name: str, value: ast.expr | str, **more: ast.expr) -> ast.expr:
        node = self.fill(value, **more) if isinstance(value, str) else value
        return self.body.let(name, node)  # type: ignore[no-any-return]

    def do(self, template: str, **more: ast.expr) -> None:
        self.body.do(template, self, more)

    def shape(self, step: Step | None = None) -> ast.expr:
        return self.body.shape(step or self.x)  # type: ignore[no-any-return]

    def size(self, axis: int) -> ast.expr:
        return self.body.size(self.x, axis)  # type: ignore[no-any-return]

    def count(self, axes: list[int]) -> ast.expr:
        return self.body.count(self.x, axes)  # type: ignore[no-any-return]

    def dims(self, n: int | None = None) -> list[int]:
        """The axes that a reduction runs over, from the front."""
        n = len(self.x.shape) if n is None else n
        found = self.raw("dim")
        found = list(range(n)) if found in (None, []) else [found] if isinstance(found, int) else list(found)
        return sorted(d % n for d in found)

    def kept(self, node: ast.expr | None = None) -> ast.expr:
        """What arrives, with the axes that the reduction took away as axes of size 1."""
        node = self.dy if node is None else node
        if self.raw("keepdim") or _number(node):
            return node
        axes = self.dims()
        if self.raw("dim") in (None, []) or len(axes) == len(self.x.shape):
            return node
        for axis in axes:
            node = code("node.unsqueeze(axis)", node=node, axis=number(axis))
        return node


def axes_code(axes: list[int]) -> ast.expr:
    return number(axes[0]) if len(axes) == 1 else ast.Tuple([number(a) for a in axes], ast.Load())


def _call(function: str, *names: str, method: bool = False, **optional: Any) -> Any:
    """A line that calls a function: arguments by position, then by keyword those that are not the default."""

    def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
        given = [value(step.args[n]) for n in names]
        keywords = []
        for name, default in optional.items():
            own = step.args.get(name)
            raw = (
                [getattr(o, "value", o) for o in own] if isinstance(own, list) else getattr(own, "value", own)
            )
            if raw != default and raw not in ([], None):
                keywords.append(ast.keyword(name, value(own)))
        owner: ast.expr = ast.parse(function, mode="eval").body
        if method:
            owner, given = ast.Attribute(given[0], function, ast.Load()), given[1:]
        return ast.Call(owner, given, keywords)

    return write


def _reduced(name: str) -> Any:
    def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
        dim, keep = step.args.get("dim"), step.args.get("keepdim")
        given = []
        if isinstance(dim, Number) and dim.value is not None:
            given = [value(dim)]
        elif isinstance(dim, list) and dim:
            given = [value(dim[0]) if len(dim) == 1 else ast.Tuple([value(d) for d in dim], ast.Load())]
        keywords = (
            [ast.keyword("keepdim", ast.Constant(True))] if isinstance(keep, Number) and keep.value else []
        )
        if name in ("var", "std"):
            right = getattr(step.args.get("correction"), "value", 1)
            biased = getattr(step.args.get("unbiased"), "value", True) is False or right == 0
            keywords += [ast.keyword("unbiased", ast.Constant(False))] if biased else []
        return ast.Call(ast.Attribute(value(step.args["self"]), name, ast.Load()), given, keywords)

    return write


def _spread_over(s: Site, node: ast.expr) -> ast.expr:
    """A reduced gradient, handed to all that it was reduced from."""
    if _number(node):
        ones = {"1": "torch.ones_like(x)", "-1": "-torch.ones_like(x)"}.get(ast.unparse(node))
        return s.fill(ones or "torch.full_like(x, node)", node=node)
    whole = s.shape()
    return s.fill("node.expand(whole)", node=node, whole=whole)


def _number(node: ast.expr) -> bool:
    """Whether what arrives is a number, not a tensor: the loss's own gradient, with a factor."""
    return not any(isinstance(n, ast.Name) for n in ast.walk(node))


def _sum(s: Site) -> ast.expr:
    return _spread_over(s, s.kept())


def _mean(s: Site) -> ast.expr:
    count = s.count(s.dims())
    return s.fill("node / count", node=_spread_over(s, s.kept()), count=count)


def _variance(s: Site) -> ast.expr:
    axes = s.dims()
    count = s.count(axes)
    if s.raw("correction", 1) != 0 and s.raw("unbiased", True) is not False:
        count = code("count - 1", count=count)
    away = s.fill("x - x.mean(axes, keepdim=True)", axes=axes_code(axes))
    up = s.kept()
    if s.step.op == "std":
        return s.fill(
            "up * away / (count * y)", up=up, away=away, count=count, y=s.kept(s.body.value(s.step))
        )
    return s.fill("2 * up * away / count", up=up, away=away, count=count)


def _extreme(s: Site) -> ast.expr:
    """max or min along an axis: to the first place where it is."""
    axis = s.dims()[0]
    if len(s.dims()) != 1:
        raise NotWritten("a maximum over several axes")
    low = s.step.op in ("amin", "min")
    where = s.let("where", f"x.{'argmin' if low else 'argmax'}(axis, keepdim=True)", axis=number(axis))
    return s.fill("torch.zeros_like(x).scatter(axis, where, up)", where=where, up=s.kept(), axis=number(axis))


def _norm(s: Site) -> ast.expr:
    if s.raw("ord", 2) != 2:
        raise NotWritten("a norm that is not the second")
    return s.fill("up * x / y", up=s.kept(), y=s.kept(s.body.value(s.step)))


def _logsumexp(s: Site) -> ast.expr:
    return s.fill("up * torch.exp(x - y)", up=s.kept(), y=s.kept(s.body.value(s.step)))


def _prod(s: Site) -> ast.expr:
    return s.fill("up * y / x", up=s.kept(), y=s.kept(s.body.value(s.step)))


def _softmax(s: Site) -> ast.expr:
    axis = literal(s.raw("dim"))
    if s.step.op == "log_softmax":
        return s.fill("dy - torch.exp(y) * dy.sum(axis, keepdim=True)", axis=axis)
    return s.fill("y * (dy - (y * dy).sum(axis, keepdim=True))", axis=axis)


def _turned(node: ast.expr, step: Step) -> ast.expr:
    """A matrix, or a stack of them, transposed."""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        return node.value
    match node:
        case ast.Call(ast.Attribute(value, "transpose"), [_, _] as axes):
            if sorted(map(ast.unparse, axes)) in (["-1", "-2"], ["0", "1"]):
                return value
    return code("node.T" if len(step.shape) == 2 else "node.transpose(-2, -1)", node=node)


def _matmul(s: Site) -> ast.expr:
    a: Step = s.step.args["self"]
    b: Step = s.step.args["other" if "other" in s.step.args else "mat2"]
    first = s.arg == "self"
    va, vb = s.body.value(a), s.body.value(b)
    dy = s.dy
    if len(a.shape) == 1 and len(b.shape) == 1:
        return code("dy * other", dy=dy, other=vb if first else va)
    if len(b.shape) == 1:
        if first:
            return code("dy.unsqueeze(-1) * b", dy=dy, b=vb)
        lead = axes_code(list(range(len(a.shape) - 1)))
        return code("(dy.unsqueeze(-1) * a).sum(lead)", dy=dy, a=va, lead=lead)
    if len(a.shape) == 1:
        if len(b.shape) != 2:
            raise NotWritten("a vector with a stack of matrices")
        return code("b @ dy", b=vb, dy=dy) if first else code("torch.outer(a, dy)", a=va, dy=dy)
    if first:
        whole = code("dy @ other", dy=dy, other=_turned(vb, b))
        batch = (*s.step.shape[:-2], *a.shape[-2:])
        return s.body.summed(whole, batch, a.shape)  # type: ignore[no-any-return]
    batch = (*s.step.shape[:-2], *b.shape[-2:])
    if len(b.shape) == 2 and len(a.shape) > 2:
        rows = s.body.size(b, 0)
        columns = s.body.size(b, 1)
        return code(
            "a.reshape(-1, rows).T @ dy.reshape(-1, columns)", a=va, dy=dy, rows=rows, columns=columns
        )
    whole = code("flipped @ dy", flipped=_turned(va, a), dy=dy)
    return s.body.summed(whole, batch, b.shape)  # type: ignore[no-any-return]


def _linear(s: Site) -> ast.expr:
    n = len(s.step.shape)
    if s.arg == "bias":
        return s.fill("dy.sum(lead)", lead=axes_code(list(range(n - 1)))) if n > 1 else s.dy
    if s.arg == "input":
        return s.fill("dy @ weight")
    if n == 1:
        return s.fill("torch.outer(dy, input)")
    if n == 2:
        return s.fill("dy.T @ input")
    rows, columns = s.body.size(s.x, 0), s.body.size(s.x, 1)
    return s.fill("dy.reshape(-1, rows).T @ input.reshape(-1, columns)", rows=rows, columns=columns)


def _linear_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    parts = {k: value(v) for k, v in step.args.items() if isinstance(v, Step)}
    return code("input @ weight.T + bias" if "bias" in parts else "input @ weight.T", **parts)


def _einsum(s: Site) -> ast.expr:
    equation = str(s.raw("equation")).replace(" ", "")
    left, _, out = equation.partition("->")
    terms = left.split(",")
    own = terms[s.place]
    rest = [t for k, t in enumerate(terms) if k != s.place]
    others = [o for k, o in enumerate(s.step.args["tensors"]) if k != s.place]
    if "." in equation or "->" not in equation or len(set(own)) < len(own):
        raise NotWritten("this equation of einsum")
    met = "".join([out, *rest])
    lone = [c for c in own if c not in met]
    reached = "".join(c for c in own if c in met)
    text = ",".join([out, *rest]) + "->" + reached
    given = ast.Tuple([ast.Constant(text), s.dy, *(s.body.value(o) for o in others)], ast.Load())
    node: ast.expr = ast.Call(code("torch.einsum"), given.elts, [])
    for c in lone:
        node = code("node.unsqueeze(axis)", node=node, axis=number(own.index(c)))
    return code("node.expand(whole)", node=node, whole=s.shape()) if lone else node


def _einsum_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    given = [value(step.args["equation"]), *(value(t) for t in step.args["tensors"])]
    return ast.Call(code("torch.einsum"), given, [])


def _view_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    flipped = step.args["self"].op in (
        "transpose",
        "permute",
        "expand",
        "slice",
        "select",
        "mT",
        "t",
        "numpy_T",
    )
    name = "reshape" if flipped or step.op == "_unsafe_view" else step.op
    size = step.args.get("size") or step.args.get("shape") or []
    given = [value(n) for n in size] or [ast.Tuple([], ast.Load())]
    return ast.Call(ast.Attribute(value(step.args["self"]), name, ast.Load()), given, [])


def _view(s: Site) -> ast.expr:
    return s.fill("dy.reshape(whole)", whole=s.shape())


def _transpose(s: Site) -> ast.expr:
    if s.step.op in ("t", "numpy_T", "mT") and len(s.x.shape) == 2:
        return _turned(s.dy, s.step)
    if s.step.op == "mT":
        return s.fill("dy.transpose(-2, -1)")
    return s.fill("dy.transpose(dim0, dim1)")


def _permute(s: Site) -> ast.expr:
    dims = [d % len(s.x.shape) for d in s.raw("dims")]
    back = [dims.index(k) for k in range(len(dims))]
    return ast.Call(code("dy.permute", dy=s.dy), [number(k) for k in back], [])


def _permute_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    return ast.Call(code("x.permute", x=value(step.args["self"])), [value(d) for d in step.args["dims"]], [])


def _expand(s: Site) -> ast.expr:
    return s.body.summed(s.dy, s.step.shape, s.x.shape)  # type: ignore[no-any-return]


def _expand_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    x: Step = step.args["self"]
    more = len(step.shape) - len(x.shape)
    size = step.args.get("size") or step.args["shape_of"]
    given = [
        number(-1) if k >= more and x.shape[k - more] == n else value(size[k])
        for k, n in enumerate(step.shape)
    ]
    return ast.Call(ast.Attribute(value(x), "expand", ast.Load()), given, [])


def _pick(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    """What a slice or a select stands as behind a name: the subscript."""
    x: Step = step.args["self"]
    axis = step.args["dim"].value % len(x.shape)
    if step.op == "select":
        at = value(step.args["index"])
        if step.args["index"].value < 0:
            at = code("size + at", size=value(x_size(x, axis)), at=at) if x_size else at
        last: ast.expr = at
    else:
        low, high, by = (step.args.get(k) for k in ("start", "end", "step"))
        bounds = []
        for bound, trivial in ((low, (None, 0)), (high, (None, 2**63 - 1)), (by, (None, 1))):
            raw = getattr(bound, "value", None)
            bounds.append(None if raw in trivial else value(bound))
        last = ast.Slice(*bounds)
    picks: list[ast.expr] = [ast.Slice() for _ in range(axis)]
    return ast.Tuple([*picks, last], ast.Load()) if picks else last


x_size: Any = None  # negative places stay as they are written


def _pick_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    return ast.Subscript(value(step.args["self"]), _pick(step, value), ast.Load())


def _picked(s: Site) -> ast.expr:
    return s.body.placed(s, _pick(s.step, s.body.value))  # type: ignore[no-any-return]


def _index_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    picks = [ast.Slice() if not isinstance(i, Step) else _place(i, value) for i in step.args["indices"]]
    where = picks[0] if len(picks) == 1 else ast.Tuple(picks, ast.Load())
    return ast.Subscript(value(step.args["self"]), where, ast.Load())


def _place(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    """An index: a range where every row is meant."""
    node = value(step)
    text = ast.unparse(node)
    return (
        ast.parse(text.removeprefix("torch.a"), mode="eval").body
        if text.startswith("torch.arange(")
        else node
    )


def _index(s: Site) -> ast.expr:
    picks = s.step.args["indices"]
    if not all(isinstance(i, Step) for i in picks) or any(i.shape == s.x.shape for i in picks):
        raise NotWritten("this lookup")
    where = ast.Tuple([s.body.value(i) for i in picks], ast.Load())
    return s.fill("torch.zeros_like(x).index_put(where, dy, accumulate=True)", where=where)


def _embedding(s: Site) -> ast.expr:
    index: Step = s.step.args["indices"]
    if len(index.shape) == 1:
        return s.fill("torch.zeros_like(weight).index_add(0, indices, dy)")
    width = s.body.size(s.x, 1)
    text = "torch.zeros_like(weight).index_add(0, indices.flatten(), dy.reshape(-1, width))"
    return s.fill(text, width=width)


def _gather(s: Site) -> ast.expr:
    return s.fill("torch.zeros_like(x).scatter_add(dim, index, dy)")


def _cat(s: Site) -> ast.expr:
    axis = s.raw("dim", 0) % len(s.step.shape)
    members: list[Step] = s.step.args["tensors"]

    def until(k: int) -> ast.expr | None:
        if not k:
            return None
        node = s.body.size(members[0], axis)
        for m in members[1:k]:
            node = code("a + b", a=node, b=s.body.size(m, axis))
        return node  # type: ignore[no-any-return]

    high = until(s.place + 1) if s.place + 1 < len(members) else None
    picks: list[ast.expr] = [ast.Slice() for _ in range(axis)]
    cut = ast.Slice(until(s.place), high)
    where = ast.Tuple([*picks, cut], ast.Load()) if picks else cut
    return ast.Subscript(s.dy, where, ast.Load())


def _stack(s: Site) -> ast.expr:
    axis = s.raw("dim", 0) % len(s.step.shape)
    picks: list[ast.expr] = [ast.Slice() for _ in range(axis)]
    where = ast.Tuple([*picks, number(s.place)], ast.Load()) if picks else number(s.place)
    return ast.Subscript(s.dy, where, ast.Load())


def _joined(name: str) -> Any:
    def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
        members: ast.expr = ast.List([value(t) for t in step.args["tensors"]], ast.Load())
        return ast.Call(code(f"torch.{name}"), [members, value(step.args["dim"])], [])

    return write


def _repeated(s: Site) -> ast.expr:
    """repeat_interleave by a number: each number's copies stand side by side."""
    if not isinstance(s.raw("repeats"), int) or s.raw("dim") is None:
        raise NotWritten("this use of repeat_interleave")
    axis = s.raw("dim") % len(s.x.shape)
    text = "dy.unflatten(axis, (size, repeats)).sum(after)"
    return s.fill(text, axis=number(axis), size=s.size(axis), after=number(axis + 1))


def _repeat(s: Site) -> ast.expr:
    times = s.raw("repeats")
    more = len(times) - len(s.x.shape)
    shape: list[ast.expr] = []
    over = []
    for k, count in enumerate(s.step.args["repeats"]):
        own = s.x.shape[k - more] if k >= more else 1
        if count.value != 1:
            over.append(len(shape))
            shape.append(count.code)
        if k >= more:
            shape.append(s.body.size(s.x, k - more) if own != 1 else number(1))
    node: ast.expr = ast.Call(code("dy.reshape", dy=s.dy), shape, [])
    return code("node.sum(axes)", node=node, axes=axes_code(over)) if over else s.dy


def _beyond(step: Step, value: Callable[[Any], ast.expr]) -> list[ast.keyword]:
    """What is put around, where it isn't 0."""
    around = step.args.get("value")
    return [ast.keyword("value", value(around))] if getattr(around, "value", None) else []


def _pad(s: Site) -> ast.expr:
    pad = s.step.args["pad"]
    if s.raw("mode", "constant") != "constant":
        raise NotWritten("padding that is not constant")
    n = len(s.x.shape)
    picks: list[ast.expr] = [ast.Slice() for _ in range(n)]
    for k in range(0, len(pad), 2):
        axis = n - 1 - k // 2
        low, high = pad[k], pad[k + 1]
        if low.value or high.value:
            start = low.code if low.value else None
            size = s.size(axis)
            end = code("low + size", low=low.code, size=size) if low.value else size
            picks[axis] = ast.Slice(start, end if high.value else None)
    while picks and isinstance(picks[-1], ast.Slice) and picks[-1].lower is None and picks[-1].upper is None:
        picks.pop()
    where = picks[0] if len(picks) == 1 else ast.Tuple(picks, ast.Load())
    return ast.Subscript(s.dy, where, ast.Load()) if picks else s.dy


def _pair(s: Site, name: str, default: int, n: int) -> list[ast.expr]:
    found = s.step.args.get(name)
    found = found if isinstance(found, list) and found else None
    if found is None:
        return [number(default)] * n
    return [f.code for f in (found * n if len(found) == 1 else found)]


def _conv(s: Site) -> ast.expr:
    """A convolution, place by place of its kernel: each is a matrix product of the channels."""
    n = len(s.step.shape) - 2
    if isinstance(s.step.args.get("padding"), Number) or s.raw("transposed"):
        raise NotWritten("this padding of a convolution")
    if n != _spaces(s.step):
        raise NotWritten("a convolution of one image")
    axes = [0, *range(2, 2 + n)]
    if s.arg == "bias":
        return s.fill("dy.sum(axes)", axes=axes_code(axes))
    groups = s.raw("groups", 1)
    stride, padding, dilation = (
        _pair(s, k, d, n) for k, d in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    kernel, image, out = s.step.args["weight"], s.step.args["input"], s.step
    sizes = [s.body.size(out, 2 + k) for k in range(n)]
    letters = "ij"[:n]
    here = [
        code(
            "slice(at * d, at * d + st * (o - 1) + 1, st)",
            at=ast.Name(c),
            d=dilation[k],
            st=stride[k],
            o=sizes[k],
        )
        for k, c in enumerate(letters)
    ]
    cuts = [ast.Slice(*h.args) for h in here]  # type: ignore[attr-defined]
    spots: list[ast.expr] = [ast.Name(c) for c in letters]
    everything: list[ast.expr] = [ast.Slice(), ast.Slice()]
    window = ast.Tuple([*everything, *cuts], ast.Load())
    spot = ast.Tuple([*everything, *spots], ast.Load())
    pads = [p for k in reversed(range(n)) for p in (padding[k], padding[k])]
    none = all(p.value == 0 for p in pads if isinstance(p, ast.Constant)) and all(
        isinstance(p, ast.Constant) for p in pads
    )
    pad = ast.Tuple(pads, ast.Load())
    places = "hw"[:n]
    heads = [ast.unparse(code("range(size)", size=s.body.size(kernel, 2 + k))) for k in range(n)]
    loop = "".join(f"{'    ' * k}for {c} in {heads[k]}:\n" for k, c in enumerate(letters)) + "    " * n
    if s.arg == "weight":
        xp = s.body.value(image) if none else s.let("padded", "F.pad(input, pad)", pad=pad)
        dk = s.let("dkernel", "torch.zeros_like(weight)")
        if groups == 1:
            line = f"dk[spot] = torch.einsum('no{places},nc{places}->oc', dy, xp[window])"
            s.do(loop + line, dk=dk, xp=xp, spot=spot, window=window)
            return dk
        dyg = s.let("dgroups", "dy.unflatten(1, (groups, -1))")
        line = (
            f"dk[spot] = torch.einsum('ngo{places},ngc{places}->goc', dyg, "
            "xp[window].unflatten(1, (groups, -1))).flatten(0, 1)"
        )
        s.do(loop + line, dk=dk, dyg=dyg, xp=xp, spot=spot, window=window)
        return dk
    start = "torch.zeros_like(input)" if none else "F.pad(torch.zeros_like(input), pad)"
    dx = s.let("dpadded", start, pad=pad)
    if groups == 1:
        s.do(loop + f"dx[window] += torch.einsum('no{places},oc->nc{places}', dy, weight[spot])",
             dx=dx, window=window, spot=spot)  # fmt: skip
    else:
        dyg = s.let("dgroups", "dy.unflatten(1, (groups, -1))")
        line = (
            f"dx[window] += torch.einsum('ngo{places},goc->ngc{places}', dyg, "
            "weight[spot].unflatten(0, (groups, -1))).flatten(1, 2)"
        )
        s.do(loop + line, dx=dx, dyg=dyg, window=window, spot=spot)
    if none:
        return dx
    ends = [code("p + size", p=padding[k], size=s.size(2 + k)) for k in range(n)]
    middle = ast.Tuple([*everything, *(ast.Slice(padding[k], ends[k]) for k in range(n))], ast.Load())
    return ast.Subscript(dx, middle, ast.Load())


def _conv_transpose(s: Site) -> ast.expr:
    if s.raw("groups", 1) != 1 or any(d != 1 for d in s.raw("dilation", [1])):
        raise NotWritten("this transposed convolution")
    n = len(s.step.shape) - 2
    if s.arg == "bias":
        return s.fill("dy.sum(axes)", axes=axes_code([0, *range(2, 2 + n)]))
    stride = ast.Tuple(_pair(s, "stride", 1, n), ast.Load())
    padding = ast.Tuple(_pair(s, "padding", 0, n), ast.Load())
    if s.arg == "input":
        return s.fill(
            f"F.conv{n}d(dy, weight, stride=stride, padding=padding)", stride=stride, padding=padding
        )
    sizes = [s.body.size(s.step.args["input"], 2 + k) for k in range(n)]
    pads = [p for k in reversed(range(n)) for p in (padding.elts[k],) * 2]
    dyp = s.let("padded", "F.pad(dy, pad)", pad=ast.Tuple(pads, ast.Load()))
    letters, places = "ij"[:n], "hw"[:n]
    cuts = [
        code("slice(at, at + st * (o - 1) + 1, st)", at=ast.Name(c), st=stride.elts[k], o=sizes[k])
        for k, c in enumerate(letters)
    ]
    slices = [ast.Slice(*c.args) for c in cuts]  # type: ignore[attr-defined]
    window = ast.Tuple([ast.Slice(), ast.Slice(), *slices], ast.Load())
    spot = ast.Tuple([ast.Slice(), ast.Slice(), *(ast.Name(c) for c in letters)], ast.Load())
    dk = s.let("dkernel", "torch.zeros_like(weight)")
    loop = "".join(
        f"{'    ' * k}for {c} in range({ast.unparse(s.body.size(s.x, 2 + k))}):\n"
        for k, c in enumerate(letters)
    )
    line = f"dk[spot] = torch.einsum('nc{places},no{places}->co', input, dyp[window])"
    s.do(loop + "    " * n + line, dk=dk, dyp=dyp, window=window, spot=spot)
    return dk


def _spaces(step: Step) -> int:
    """How many axes a layer slides along: 2 of max_pool2d."""
    return int(step.op[-2])


def _max_pool(s: Site) -> ast.expr:
    n = _spaces(s.step)
    name = f"F.max_pool{n}d"
    given = _pool(s.step, s.body.value)
    call = ast.Call(
        code(name), given.args, [*given.keywords, ast.keyword("return_indices", ast.Constant(True))]
    )
    where = s.let("where", code("call[1]", call=call))
    text = "torch.zeros_like(x).flatten(-n).scatter_add(-1, where.flatten(-n), dy.flatten(-n)).reshape(whole)"
    text = text.replace("flatten(-n)", "flatten(2)" if len(s.x.shape) == n + 2 else f"flatten(-{n})")
    return s.fill(text, where=where, whole=s.shape())


def _pool(step: Step, value: Callable[[Any], ast.expr]) -> ast.Call:
    n = _spaces(step)
    kind = "max" if "max" in step.op else "avg"

    def pair(name: str) -> list[Number]:
        found = step.args.get(name)
        return found if isinstance(found, list) else []

    def one(found: list[Number]) -> ast.expr:
        alike = len({f.value for f in found}) == 1
        return value(found[0]) if alike else ast.Tuple([value(f) for f in found], ast.Load())

    kernel, stride = pair("kernel_size"), pair("stride")
    call = ast.Call(code(f"F.{kind}_pool{n}d"), [value(step.args["self"]), one(kernel)], [])
    if stride and {f.value for f in stride} != {f.value for f in kernel}:
        call.keywords.append(ast.keyword("stride", one(stride)))
    if any(f.value for f in pair("padding")):
        call.keywords.append(ast.keyword("padding", one(pair("padding"))))
    if any(f.value != 1 for f in pair("dilation")):
        call.keywords.append(ast.keyword("dilation", one(pair("dilation"))))
    return call


def _avg_pool(s: Site) -> ast.expr:
    n = len(s.step.shape) - 2
    kernel = _pair(s, "kernel_size", 1, n)
    stride = _pair(s, "stride", 0, n) if s.raw("stride") else kernel
    if any(s.raw("padding", [0])):
        raise NotWritten("padded average pooling")
    letters = "ij"[:n]
    sizes = [s.body.size(s.step, 2 + k) for k in range(n)]
    cuts = [
        code("slice(at, at + st * (o - 1) + 1, st)", at=ast.Name(c), st=stride[k], o=sizes[k])
        for k, c in enumerate(letters)
    ]
    slices = [ast.Slice(*c.args) for c in cuts]  # type: ignore[attr-defined]
    window = ast.Tuple([ast.Slice(), ast.Slice(), *slices], ast.Load())
    dx = s.let("dpooled", "torch.zeros_like(x)")
    loop = "".join(
        f"{'    ' * k}for {c} in range({ast.unparse(kernel[k])}):\n" for k, c in enumerate(letters)
    )
    area = kernel[0] if n == 1 else code("a * b", a=kernel[0], b=kernel[1])
    s.do(loop + "    " * n + "dx[window] += dy / area", dx=dx, window=window, area=area)
    return dx


def _adaptive(s: Site) -> ast.expr:
    if any(n != 1 for n in s.step.shape[-_spaces(s.step) :]):
        raise NotWritten("adaptive pooling to more than one place")
    n = len(s.x.shape)
    axes = list(range(n - _spaces(s.step), n))
    return s.fill("dy.expand(whole) / count", whole=s.shape(), count=s.count(axes))


def _normed(s: Site, axes: list[int], shape: list[ast.expr] | None, centred: bool) -> ast.expr:
    """A norm over some axes: to its gain and its shift sums, to its input what is left of mean and size."""
    eps = s.step.args.get("eps")
    tiny = eps.code if isinstance(eps, Number) and eps.value is not None else code("torch.finfo(x.dtype).eps")
    given = s.step.args["input"]
    n = len(given.shape)
    over = axes_code(axes)
    own = [k for k in range(n) if k not in axes] if shape else axes
    rest = [k for k in range(n) if k not in own]
    if s.arg == "bias":
        return s.fill("dy.sum(rest)", rest=axes_code(rest))
    x = s.body.value(given)
    away = code("x - x.mean(over, keepdim=True)", x=x, over=over) if centred else x
    if centred:
        away = s.let("away", away)
    text = "(away**2).mean(over, keepdim=True) + tiny"
    inv = s.let("inv", code(f"({text}) ** -0.5", away=away, over=over, tiny=_in(tiny, x)))
    xhat = s.let("xhat", code("away * inv", away=away, inv=inv))
    if s.arg == "weight":
        return s.fill("(dy * xhat).sum(rest)", xhat=xhat, rest=axes_code(rest))
    dxhat = s.dy
    if s.has("weight"):
        gain = s.body.value(s.step.args["weight"])
        gain = ast.Call(code("gain.view", gain=gain), shape, []) if shape else gain
        dxhat = s.let("dxhat", code("dy * gain", dy=s.dy, gain=gain))
    shift = "dxhat.mean(over, keepdim=True) - " if centred else ""
    text = f"inv * (dxhat - {shift}xhat * (dxhat * xhat).mean(over, keepdim=True))"
    return code(text, inv=inv, dxhat=dxhat, over=over, xhat=xhat)


def _in(node: ast.expr, x: ast.expr) -> ast.expr:
    return code(ast.unparse(node), x=x)


def _layer_norm(s: Site) -> ast.expr:
    n, k = len(s.step.shape), len(s.raw("normalized_shape"))
    return _normed(s, list(range(n - k, n)), None, s.step.op == "layer_norm")


def _batch_norm(s: Site) -> ast.expr:
    n = len(s.step.shape)
    if not s.raw("training", True):
        raise NotWritten("batch norm with saved statistics")
    shape: list[ast.expr] = [number(-1), *(number(1) for _ in range(n - 2))]
    return _normed(s, [0, *range(2, n)], shape, True)


def _batch_norm_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    parts = [
        ast.keyword(k, value(step.args[k])) for k in ("weight", "bias") if isinstance(step.args[k], Step)
    ]
    training = [ast.keyword("training", ast.Constant(True))]
    eps = [ast.keyword("eps", value(step.args["eps"]))] if step.args["eps"].value != 1e-5 else []
    given = [value(step.args["input"]), ast.Constant(None), ast.Constant(None)]
    return ast.Call(code("F.batch_norm"), given, [*parts, *training, *eps])


def _norm_line(name: str) -> Any:
    def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
        shape = ast.Tuple([value(n) for n in step.args["normalized_shape"]], ast.Load())
        given = [value(step.args["input"]), shape]
        given += [value(step.args[k]) for k in ("weight", "bias") if isinstance(step.args.get(k), Step)]
        eps = step.args.get("eps")
        default = 1e-5 if name == "layer_norm" else None
        raw = getattr(eps, "value", None)
        more = [ast.keyword("eps", value(eps))] if raw is not None and raw != default else []
        return ast.Call(code(f"F.{name}"), given, more)

    return write


def _group_norm(s: Site) -> ast.expr:
    x, groups = s.step.args["input"], s.step.args["num_groups"].code
    n = len(x.shape)
    rest = axes_code([0, *range(2, n)])
    if s.arg == "bias":
        return s.fill("dy.sum(rest)", rest=rest)
    eps = s.step.args["eps"].code
    value = s.body.value(x)
    parted = s.let("parted", code("x.unflatten(1, (groups, -1)).flatten(2)", x=value, groups=groups))
    away = s.let("away", code("parted - parted.mean(-1, keepdim=True)", parted=parted))
    inv = s.let("inv", code("((away**2).mean(-1, keepdim=True) + eps) ** -0.5", away=away, eps=eps))
    xhat = s.let("xhat", code("away * inv", away=away, inv=inv))
    whole = s.body.shape(x)
    if s.arg == "weight":
        return s.fill("(dy * xhat.reshape(whole)).sum(rest)", xhat=xhat, whole=whole, rest=rest)
    dxhat: ast.expr = s.dy
    if s.has("weight"):
        shape = ast.Tuple([number(-1), *(number(1) for _ in range(n - 2))], ast.Load())
        dxhat = s.fill("dy * weight.view(shape)", shape=shape)
    text = "(dxhat).unflatten(1, (groups, -1)).flatten(2)"
    dxhat = s.let("dxhat", code(text, dxhat=dxhat, groups=groups))
    text = "(inv * (dxhat - dxhat.mean(-1, keepdim=True) - xhat * (dxhat * xhat).mean(-1, keepdim=True)))"
    return code(f"{text}.reshape(whole)", inv=inv, dxhat=dxhat, xhat=xhat, whole=whole)


REDUCTION = ("none", "mean", "sum")  # torch's numbers for them


def _loss_line(name: str, first: str = "self", second: str = "target") -> Any:
    def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
        how = REDUCTION[step.args["reduction"].value]
        more = [] if how == "mean" else [ast.keyword("reduction", ast.Constant(how))]
        for extra in ("label_smoothing", "beta", "delta"):
            given = step.args.get(extra)
            if isinstance(given, Number) and given.value not in (0.0, 1.0):
                more.append(ast.keyword(extra, value(given)))
        for extra in ("weight", "pos_weight"):
            if isinstance(step.args.get(extra), Step):
                more.append(ast.keyword(extra, value(step.args[extra])))
        if getattr(step.args.get("ignore_index"), "value", -100) != -100:
            more.append(ast.keyword("ignore_index", value(step.args["ignore_index"])))
        return ast.Call(code(f"F.{name}"), [value(step.args[first]), value(step.args[second])], more)

    return write


def _each(template: str) -> Callable[[Site], ast.expr]:
    """A loss that is reduced at its end: the local gradient of one number, then what the reduction does."""

    def back(s: Site) -> ast.expr:
        if any(s.has(k) for k in ("weight", "pos_weight")):
            raise NotWritten("a weighted loss")
        own = s.fill(template)
        how = REDUCTION[s.raw("reduction", 1)]
        own = s.body.summed(own, s.step.shape, s.x.shape) if how == "none" else own
        if how == "mean":
            own = code("own / count", own=own, count=s.count(list(range(len(s.x.shape)))))
        return own

    return back


def _cross_entropy(s: Site) -> ast.expr:
    target = s.step.args["target"]
    if s.has("weight") or s.raw("label_smoothing", 0.0):
        raise NotWritten("a weighted or smoothed cross entropy")
    how, x = REDUCTION[s.raw("reduction", 1)], s.x
    if how == "none" or s.raw("ignore_index", -100) != -100:
        raise NotWritten("a cross entropy without a mean")
    if target.floats:
        raise NotWritten("a cross entropy with probabilities")
    logs = s.step.op.startswith("nll")
    if len(x.shape) == 2:
        rows = s.size(0)
        if logs:
            own = s.let("dlogp", "torch.zeros_like(x)")
            s.do("own[range(rows), target] = -1", own=own, rows=rows)
        else:
            own = s.let("dscores", "F.softmax(x, 1)")
            s.do("own[range(rows), target] -= 1", own=own, rows=rows)
    elif len(x.shape) == 1:
        own = s.let("dscores", "F.softmax(x, 0)")
        s.do("own[target] -= 1", own=own)
        return s.fill("own * dy", own=own)
    else:
        classes = s.size(1)
        text = "F.softmax(x, 1) - F.one_hot(target, classes).movedim(-1, 1)"
        own = s.fill(text, classes=classes)
    if how == "sum":
        return s.fill("own * dy", own=own)
    count = s.count([0, *range(2, len(x.shape))])
    return s.fill("own * dy / count", own=own, count=count)


def _power(s: Site) -> ast.expr:
    raw = s.raw("exponent")
    if s.arg == "exponent" and not s.has("self"):
        return s.fill("dy * y * log", log=ast.Constant(round(math.log(s.raw("self")), 12)))
    if s.arg == "exponent":
        return s.fill("dy * y * torch.log(self)")
    if isinstance(raw, Step):
        return s.fill("dy * exponent * self ** (exponent - 1)")
    if raw == 2:
        return s.fill("2 * self * dy")
    exponent = s.step.args["exponent"].code
    less = literal(raw - 1) if isinstance(exponent, ast.Constant | ast.UnaryOp) else code("e - 1", e=exponent)
    return s.fill("exponent * self ** less * dy", less=less) if raw != 3 else s.fill("3 * self**2 * dy")


def _clamped(s: Site) -> ast.expr:
    low, high = s.raw("min"), s.raw("max")
    tests = [
        *(["(self >= min)"] if low is not None else []),
        *(["(self <= max)"] if high is not None else []),
    ]
    return s.fill(f"dy * ({' & '.join(tests)})")


def _tied(template: str, sign: str) -> Any:
    def back(s: Site) -> ast.expr:
        other = "other" if s.arg == "self" else "self"
        return s.fill(f"dy * (x {sign} {other})")

    return back


def _scalar_mask(s: Site) -> ast.expr:
    return s.fill("dy.masked_fill(mask, 0.0)")


def _where_line(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    names = ("condition", "self", "other")
    return ast.Call(code("torch.where"), [value(step.args[n]) for n in names], [])


def _cumsum(s: Site) -> ast.expr:
    return s.fill("dy.flip(dim).cumsum(dim).flip(dim)")


def _part(s: Site) -> ast.expr:
    whole = s.step.args["self"]
    if s.raw("place") or whole.op not in ("max", "min"):
        raise NotWritten(f"a part of {whole.op}")
    return s.dy


def _same(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    text = "self * mask / (1 - p)"
    return code(text, **{k: value(v) for k, v in step.args.items()})


def _template(text: str) -> Any:
    def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
        alpha = step.args.get("alpha")
        parts = {k: value(v) for k, v in step.args.items() if v is not None}
        if isinstance(alpha, Number) and alpha.value != 1:
            parts["other"] = code("alpha * other", **parts)
        return code(text, **parts)

    return write


def _sub(sign: str) -> Any:
    def back(s: Site) -> ast.expr:
        factor = "" if s.raw("alpha", 1) == 1 or s.arg == "self" else "alpha * "
        return s.fill(f"{sign}{factor}dy")

    return back


def _rsub(s: Site) -> ast.expr:
    return s.fill("-dy") if s.arg == "self" else s.dy


POW = Operator(_template("self ** exponent"), {"self": _power, "exponent": _power}, spread=True)
OPERATORS: dict[str, Operator] = {
    "add": Operator(_template("self + other"), {"self": "dy", "other": _sub("")}, spread=True),
    "sub": Operator(_template("self - other"), {"self": "dy", "other": _sub("-")}, spread=True),
    "rsub": Operator(_template("other - self"), {"self": _rsub, "other": _rsub}, spread=True),
    "mul": Operator(_template("self * other"), {"self": "dy * other", "other": "dy * self"}, spread=True),
    "div": Operator(
        _template("self / other"), {"self": "dy / other", "other": "-dy * self / other**2"}, spread=True
    ),
    "pow": POW,
    "maximum": Operator(
        _call("torch.maximum", "self", "other"),
        {"self": _tied("", ">"), "other": _tied("", ">")},
        spread=True,
    ),
    "minimum": Operator(
        _call("torch.minimum", "self", "other"),
        {"self": _tied("", "<"), "other": _tied("", "<")},
        spread=True,
    ),
    "matmul": Operator(_template("self @ other"), {"self": _matmul, "other": _matmul}),
    "mm": Operator(_template("self @ mat2"), {"self": _matmul, "mat2": _matmul}),
    "bmm": Operator(_template("self @ mat2"), {"self": _matmul, "mat2": _matmul}),
    "mv": Operator(_template("self @ vec"), {"self": "torch.outer(dy, vec)", "vec": "self.T @ dy"}),
    "dot": Operator(_template("self @ tensor"), {"self": "dy * tensor", "tensor": "dy * self"}),
    "outer": Operator(_call("torch.outer", "self", "vec2"), {"self": "dy @ vec2", "vec2": "dy.T @ self"}),
    "linear": Operator(_linear_line, {"input": _linear, "weight": _linear, "bias": _linear}),
    "einsum": Operator(_einsum_line, {"tensors": _einsum}),
    "sum": Operator(_reduced("sum"), {"self": _sum}),
    "mean": Operator(_reduced("mean"), {"self": _mean}),
    "prod": Operator(_reduced("prod"), {"self": _prod}),
    "var": Operator(_reduced("var"), {"self": _variance}),
    "std": Operator(_reduced("std"), {"self": _variance}),
    "amax": Operator(_reduced("amax"), {"self": _extreme}),
    "amin": Operator(_reduced("amin"), {"self": _extreme}),
    "argmax": Operator(_reduced("argmax")),
    "linalg_vector_norm": Operator(
        _call("norm", "self", method=True, dim=None, keepdim=False), {"self": _norm}
    ),
    "logsumexp": Operator(_reduced("logsumexp"), {"self": _logsumexp}),
    "softmax": Operator(_call("F.softmax", "self", "dim"), {"self": _softmax}),
    "log_softmax": Operator(_call("F.log_softmax", "self", "dim"), {"self": _softmax}),
    "cumsum": Operator(_call("cumsum", "self", "dim", method=True), {"self": _cumsum}),
    "flip": Operator(_call("flip", "self", "dims", method=True), {"self": "dy.flip(dims)"}),
    "roll": Operator(_call("torch.roll", "self", "shifts", "dims"), {}),
    "view": Operator(_view_line, {"self": _view}),
    "reshape": Operator(_view_line, {"self": _view}),
    "_unsafe_view": Operator(_view_line, {"self": _view}),
    "flatten": Operator(_call("flatten", "self", "start_dim", method=True, end_dim=-1), {"self": _view}),
    "unflatten": Operator(
        lambda step, value: ast.Call(
            ast.Attribute(value(step.args["self"]), "unflatten", ast.Load()),
            [value(step.args["dim"]), ast.Tuple([value(n) for n in step.args["sizes"]], ast.Load())],
            [],
        ),
        {"self": _view},
    ),
    "squeeze": Operator(_call("squeeze", "self", "dim", method=True), {"self": _view}),
    "unsqueeze": Operator(_call("unsqueeze", "self", "dim", method=True), {"self": "dy.squeeze(dim)"}),
    "t": Operator(_template("self.T"), {"self": _transpose}),
    "numpy_T": Operator(_template("self.T"), {"self": _transpose}),
    "mT": Operator(_template("self.transpose(-2, -1)"), {"self": _transpose}),
    "transpose": Operator(_call("transpose", "self", "dim0", "dim1", method=True), {"self": _transpose}),
    "permute": Operator(_permute_line, {"self": _permute}),
    "movedim": Operator(
        _call("movedim", "self", "source", "destination", method=True),
        {"self": "dy.movedim(destination, source)"},
    ),
    "expand": Operator(_expand_line, {"self": _expand}),
    "slice": Operator(_pick_line, {"self": _picked}),
    "select": Operator(_pick_line, {"self": _picked}),
    "index": Operator(_index_line, {"self": _index}),
    "index_select": Operator(
        _call("index_select", "self", "dim", "index", method=True),
        {"self": "torch.zeros_like(self).index_add(dim, index, dy)"},
    ),
    "embedding": Operator(_template("weight[indices]"), {"weight": _embedding}),
    "gather": Operator(_call("gather", "self", "dim", "index", method=True), {"self": _gather}),
    "cat": Operator(_joined("cat"), {"tensors": _cat}),
    "concat": Operator(_joined("cat"), {"tensors": _cat}),
    "stack": Operator(_joined("stack"), {"tensors": _stack}),
    "repeat_interleave": Operator(
        _call("repeat_interleave", "self", "repeats", method=True, dim=None), {"self": _repeated}
    ),
    "repeat": Operator(
        lambda step, value: ast.Call(
            ast.Attribute(value(step.args["self"]), "repeat", ast.Load()),
            [value(n) for n in step.args["repeats"]],
            [],
        ),
        {"self": _repeat},
    ),
    "pad": Operator(
        lambda step, value: ast.Call(
            code("F.pad"),
            [
                value(step.args["self"]),
                ast.Tuple([value(n) for n in step.args["pad"]], ast.Load()),
            ],
            _beyond(step, value),
        ),
        {"self": _pad},
    ),
    "masked_fill": Operator(
        _call("masked_fill", "self", "mask", "value", method=True), {"self": _scalar_mask}, spread=True
    ),
    "where": Operator(
        _where_line,
        {"self": "dy.where(condition, 0.0)", "other": "dy.masked_fill(condition, 0.0)"},
        spread=True,
    ),
    "tril": Operator(_call("torch.tril", "self", diagonal=0), {"self": "torch.tril(dy, diagonal)"}),
    "triu": Operator(_call("torch.triu", "self", diagonal=0), {"self": "torch.triu(dy, diagonal)"}),
    "diagonal": Operator(_call("torch.diagonal", "self"), {"self": "torch.diag_embed(dy)"}),
    "clamp": Operator(_call("clamp", "self", method=True, min=None, max=None), {"self": _clamped}),
    "clamp_min": Operator(_call("clamp", "self", method=True, min=None), {"self": _clamped}),
    "clamp_max": Operator(_call("clamp", "self", method=True, max=None), {"self": _clamped}),
    "kept": Operator(_same, {"self": "dy * mask / (1 - p)"}),
    "conv1d": Operator(
        _call("F.conv1d", "input", "weight", bias=None, stride=[1], padding=[0], dilation=[1], groups=1),
        {"input": _conv, "weight": _conv, "bias": _conv},
    ),
    "conv2d": Operator(
        _call(
            "F.conv2d", "input", "weight", bias=None, stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1
        ),
        {"input": _conv, "weight": _conv, "bias": _conv},
    ),
    "conv_transpose2d": Operator(
        _call("F.conv_transpose2d", "input", "weight", bias=None, stride=[1, 1], padding=[0, 0]),
        {"input": _conv_transpose, "weight": _conv_transpose, "bias": _conv_transpose},
    ),
    "conv_transpose1d": Operator(
        _call("F.conv_transpose1d", "input", "weight", bias=None, stride=[1], padding=[0]),
        {"input": _conv_transpose, "weight": _conv_transpose, "bias": _conv_transpose},
    ),
    "max_pool2d": Operator(_pool, {"self": _max_pool}),
    "max_pool1d": Operator(_pool, {"self": _max_pool}),
    "avg_pool2d": Operator(_pool, {"self": _avg_pool}),
    "avg_pool1d": Operator(_pool, {"self": _avg_pool}),
    "adaptive_avg_pool2d": Operator(
        _call("F.adaptive_avg_pool2d", "self", "output_size"), {"self": _adaptive}
    ),
    "adaptive_avg_pool1d": Operator(
        _call("F.adaptive_avg_pool1d", "self", "output_size"), {"self": _adaptive}
    ),
    "upsample_nearest2d": Operator(
        lambda step, value: _upsampled(step, value), {"input": lambda s: _upsample(s)}
    ),
    "layer_norm": Operator(
        _norm_line("layer_norm"), {"input": _layer_norm, "weight": _layer_norm, "bias": _layer_norm}
    ),
    "rms_norm": Operator(_norm_line("rms_norm"), {"input": _layer_norm, "weight": _layer_norm}),
    "batch_norm": Operator(
        _batch_norm_line, {"input": _batch_norm, "weight": _batch_norm, "bias": _batch_norm}
    ),
    "group_norm": Operator(
        _call("F.group_norm", "input", "num_groups", weight=None, bias=None, eps=1e-5),
        {"input": _group_norm, "weight": _group_norm, "bias": _group_norm},
    ),
    "cross_entropy_loss": Operator(_loss_line("cross_entropy"), {"self": _cross_entropy}),
    "nll_loss": Operator(_loss_line("nll_loss"), {"self": _cross_entropy}),
    "nll_loss_nd": Operator(_loss_line("nll_loss"), {"self": _cross_entropy}),
    "mse_loss": Operator(
        _loss_line("mse_loss"),
        {"self": _each("2 * dy * (self - target)"), "target": _each("2 * dy * (target - self)")},
    ),
    "l1_loss": Operator(
        _loss_line("l1_loss"),
        {"self": _each("dy * torch.sign(self - target)"), "target": _each("dy * torch.sign(target - self)")},
    ),
    "smooth_l1_loss": Operator(
        _loss_line("smooth_l1_loss"),
        {
            "self": _each("dy * ((self - target) / beta).clamp(-1, 1)"),
            "target": _each("dy * ((target - self) / beta).clamp(-1, 1)"),
        },
    ),
    "binary_cross_entropy": Operator(
        _loss_line("binary_cross_entropy"),
        {
            "self": _each("dy * (self - target) / (self * (1 - self))"),
            "target": _each("dy * torch.log((1 - self) / self)"),
        },
    ),
    "binary_cross_entropy_with_logits": Operator(
        _loss_line("binary_cross_entropy_with_logits"),
        {"self": _each("dy * (torch.sigmoid(self) - target)"), "target": _each("-dy * self")},
    ),
    "part": Operator(
        lambda step, value: code(
            f"whole.{'values' if step.args['place'].value == 0 else 'indices'}",
            whole=value(step.args["self"]),
        ),
        {"self": lambda s: _part(s)},
    ),
    "max": Operator(_reduced("max"), {"self": _extreme}),
    "min": Operator(_reduced("min"), {"self": _extreme}),
    "new_zeros": Operator(
        lambda step, value: ast.Call(code("torch.zeros"), [value(n) for n in step.args["size"]], [])
    ),
    "new_ones": Operator(
        lambda step, value: ast.Call(code("torch.ones"), [value(n) for n in step.args["size"]], [])
    ),
    "constant": Operator(_template("value")),
    "zeros_like": Operator(_call("torch.zeros_like", "self")),
    "ones_like": Operator(_call("torch.ones_like", "self")),
    "eye": Operator(_call("torch.eye", "n")),
    "zeros": Operator(
        lambda step, value: ast.Call(code("torch.zeros"), [value(n) for n in step.args["size"]], [])
    ),
    "ones": Operator(
        lambda step, value: ast.Call(
            code("torch.ones"),
            [value(n) for n in step.args["size"]],
            [ast.keyword("dtype", code("torch.bool"))] if "bool" in str(_dtype(step)) else [],
        )
    ),
    "full": Operator(
        lambda step, value: ast.Call(
            code("torch.full"),
            [ast.Tuple([value(n) for n in step.args["size"]], ast.Load()), value(step.args["fill_value"])],
            [],
        )
    ),
    "full_like": Operator(_call("torch.full_like", "self", "value")),
    "arange": Operator(
        lambda step, value: ast.Call(
            code("torch.arange"),
            [
                value(step.args[k])
                for k in ("start", "end", "step")
                if k in step.args
                and not (k == "start" and step.args[k].value == 0)
                and not (k == "step" and step.args[k].value == 1)
            ],
            [ast.keyword("dtype", value(step.args["dtype"]))]
            if step.args.get("dtype")
            and step.args["dtype"].value is not None
            and "float" in str(step.args["dtype"].value)
            else [],
        )  # fmt: skip
    ),
    **{
        name: Operator(_template(f"self {sign} other"))
        for name, sign in {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}.items()
    },
    "bitwise_not": Operator(_template("~self")),
    "logical_not": Operator(_template("~self")),
    "bitwise_and": Operator(_template("self & other")),
    "bitwise_or": Operator(_template("self | other")),
    "detach": Operator(_template("self.detach()")),
    "one_hot": Operator(_call("F.one_hot", "self", "num_classes")),
    "to": Operator(lambda step, value: _cast(step, value)),
    "_to_copy": Operator(lambda step, value: _cast(step, value)),
}


def _dtype(step: Step) -> Any:
    return getattr(step.args.get("dtype"), "value", None)


def _cast(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    kind = "float" if step.floats else str(_dtype(step)).rpartition(".")[2].replace("int64", "long")
    return ast.Call(ast.Attribute(value(step.args["self"]), kind, ast.Load()), [], [])


def _upsampled(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    x: Step = step.args["input"]
    scale = step.shape[-1] // x.shape[-1]
    return code("F.interpolate(x, scale_factor=scale)", x=value(x), scale=number(scale))


def _upsample(s: Site) -> ast.expr:
    scale = s.step.shape[-1] // s.x.shape[-1]
    if any(a * scale != b for a, b in zip(s.x.shape[2:], s.step.shape[2:], strict=True)):
        raise NotWritten("this interpolation")
    text = "dy.reshape(n, c, h, scale, w, scale).sum((3, 5))"
    sizes = {k: s.size(a) for a, k in enumerate("nchw")}
    return s.fill(text, **sizes, scale=number(scale))


FUNCTIONS = {
    "Phi": "0.5 * (1 + torch.erf(v / 2**0.5))",
    "phi": "torch.exp(-v**2 / 2) / (2 * torch.pi) ** 0.5",
    "cos": "torch.cos(v)",
    "sin": "torch.sin(v)",
    "sign": "torch.sign(v)",
    "ln": "math.log(v)",
    "exp": "torch.exp(v)",
    "tanh": "torch.tanh(v)",
    "sigma": "torch.sigmoid(v)",
    "hit": "v",
}


class _Torch(ast.NodeTransformer):
    """A derivative of the hints' table, as torch has it."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if ast.unparse(node).startswith("1 - hit("):
            assert isinstance(node.right, ast.Call)
            return ast.UnaryOp(ast.Invert(), node.right.args[0])
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        assert isinstance(node.func, ast.Name)
        return code(FUNCTIONS[node.func.id], v=node.args[0])


F_ONLY = ("leaky_relu", "elu", "gelu", "silu", "softplus", "logsigmoid", "mish", "hardtanh", "selu")


def _elementwise(name: str) -> Operator:
    rule = ELEMENTWISE[name]
    constants = {**rule.constants}

    def back(s: Site) -> ast.expr:
        given = {k: s.step.args[k].code if k in s.step.args else literal(v) for k, v in constants.items()}
        if name == "gelu" and s.raw("approximate", "none") != "none":
            return _gelu_tanh(s)
        node: ast.expr = s.dy
        if rule.factor:
            factor = _Torch().visit(ast.parse(rule.factor, mode="eval").body)
            text = ast.unparse(factor)
            node = s.fill(f"({text}) * dy", x=s.body.value(s.step.args["self"]), **given)
        if rule.where:
            node = s.fill(f"node * ({rule.where})", node=node, x=s.body.value(s.step.args["self"]))
        return code("-node", node=node) if rule.sign < 0 else node

    owner = "F" if name in F_ONLY else "torch"
    optional: dict[str, Any] = dict(constants)
    write: Any = _call(f"{owner}.{name}", "self", **optional)
    if name == "gelu":
        write = _call("F.gelu", "self", approximate="none")
    if name == "neg":
        write = _template("-self")
    return Operator(write, {"self": back})


def _gelu_tanh(s: Site) -> ast.expr:
    inner = s.let("bent", "torch.tanh((2 / torch.pi) ** 0.5 * (self + 0.044715 * self**3))")
    slope = "(2 / torch.pi) ** 0.5 * (1 + 0.134145 * self**2)"
    text = f"dy * (0.5 * (1 + bent) + 0.5 * self * (1 - bent**2) * {slope})"
    return s.fill(text, bent=inner)


OPERATORS |= {
    name: _elementwise(name) for name in ELEMENTWISE if name not in ("clone", "contiguous", "float")
}
OPERATORS["log_sigmoid"] = OPERATORS["logsigmoid"]


def known(op: str) -> bool:
    """Whether a line can be written for an operator, if only by torch's own name for it."""
    return op in OPERATORS or hasattr(torch, op) or hasattr(torch.nn.functional, op)


def write(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    """A step as an expression of its operands'."""
    if step.op in OPERATORS:
        made = OPERATORS[step.op].write
        assert not isinstance(made, str)
        return made(step, value)
    return _anything(step, value)


def _anything(step: Step, value: Callable[[Any], ast.expr]) -> ast.expr:
    """An operator that the table doesn't know, by torch's own name for it."""
    for owner, name in ((torch, "torch"), (torch.nn.functional, "F")):
        if hasattr(owner, step.op):
            given = [value(v) for v in step.args.values() if isinstance(v, Step)]
            rest = [
                value(v)
                for v in step.args.values()
                if isinstance(v, Number | list)
                and not isinstance(v, Step)
                and getattr(v, "value", 0) is not None
            ]
            return ast.Call(code(f"{name}.{step.op}"), [*given, *rest], [])
    raise NotWritten(f"torch's {step.op}")
