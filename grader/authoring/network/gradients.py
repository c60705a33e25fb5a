"""Local gradients that no template can say: powers, products of matrices, reductions, what moves numbers."""

from __future__ import annotations

import ast

from grader.authoring.hints.arithmetic import equation, turned
from grader.authoring.hints.moving import COPIES, order, starts
from grader.authoring.hints.notation import code, number
from grader.authoring.network import lines
from grader.authoring.network.site import NotWritten, Site, along, axes_code, is_number, joined, summed
from grader.authoring.network.trace import Number, Step, constant, literal


def larger(s: Site) -> ast.expr:
    """maximum and minimum of two; where they are equal (PPO, inside its clip) each gets half."""
    other = "other" if s.arg == "self" else "self"
    return s.fill(f"dy * ((x {'>' if s.step.op == 'maximum' else '<'} {other}) + 0.5 * (x == {other}))")


def clamped(s: Site) -> ast.expr:
    tests = [f"(self {sign} {k})" for k, sign in (("min", ">="), ("max", "<=")) if s.raw(k) is not None]
    return s.fill(f"dy * ({' & '.join(tests)})")


# --- products of matrices --------------------------------------------------------------------------------


def transposed(node: ast.expr, axes: int) -> ast.expr:
    """A matrix, or a stack of them, transposed."""
    if own := turned(node, axes):
        return own
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return ast.BinOp(transposed(node.right, axes), node.op, transposed(node.left, axes))
    return code("node.T" if axes == 2 else "node.transpose(-2, -1)", node=node)


def product(s: Site) -> ast.expr:
    """A sum of products: what arrives meets the other factors, by the equation that hints go by."""
    args, op = s.step.args, s.step.op
    members: list[Step] = args["tensors"] if op == "einsum" else [*args.values()][:2]
    whole = str(s.raw("equation", "")).replace(" ", "") or equation(op, *(m.shape for m in members))
    left, _, out = whole.partition("->")
    terms = left.split(",")
    place = s.place if op == "einsum" else [*args].index(s.arg)
    own = terms.pop(place)
    if "." in whole or "->" not in whole or len(set(own)) < len(own):
        raise NotWritten("this equation of einsum")
    others = [s.body.value(m) for k, m in enumerate(members) if k != place]
    if op != "einsum" and (found := _of_matrices(s, own, out, terms[0], others[0])):
        return found
    reached = "".join(c for c in own if c in "".join([out, *terms]))
    text = ",".join([out, *terms]) + "->" + reached
    node: ast.expr = ast.Call(code("torch.einsum"), [ast.Constant(text), s.dy, *others], [])
    for axis, c in enumerate(own):
        if c not in reached:
            node = code("node.unsqueeze(axis)", node=node, axis=number(axis))
    return node if reached == own else code("node.expand(whole)", node=node, whole=s.shape())


def _of_matrices(s: Site, own: str, out: str, theirs: str, other: ast.expr) -> ast.expr | None:
    """What arrives and another factor as a product of matrices; None where that takes an einsum.

    own, out, theirs: the letters of the axes of the gradient, of what arrives, and of the other factor.
    """
    if not out:
        return s.fill("dy * other", other=other)
    if len(own) == 1 and len(out + theirs) == 3:
        (letter, vector), (two, matrix) = sorted(((out, s.dy), (theirs, other)), key=lambda one: len(one[0]))
        return code("m @ v" if two == own + letter else "v @ m", m=matrix, v=vector)
    if own in (out + theirs, theirs + out):
        pair = {"a": s.dy, "b": other} if own == out + theirs else {"a": other, "b": s.dy}
        return code("torch.outer(a, b)", **pair) if len(own) == 2 else None
    if min(map(len, (own, out, theirs))) < 2:
        return None
    sides = ((out, s.dy), (theirs, other)) if own[-2] in out else ((theirs, other), (out, s.dy))
    (first, left), (second, right) = sides
    if len(own) == 2 < len(first) and first[-1] == own[-2] and second.startswith(first[:-1]):
        text = "left.reshape(-1, rows).T @ right.reshape(-1, columns)"
        return code(text, left=left, right=right, rows=s.size(0), columns=s.size(1))
    left = transposed(left, len(first)) if first[-1] == own[-2] else left
    right = transposed(right, len(second)) if second[-2] == own[-1] else right
    return summed(ast.BinOp(left, ast.MatMult(), right), (*s.step.shape[:-2], *s.x.shape[-2:]), s.x.shape)


# --- reductions ------------------------------------------------------------------------------------------


def total(s: Site) -> ast.expr:
    """What a sum gives back: the reduced gradient, handed to all that it was reduced from."""
    node = s.kept()
    if not is_number(node):
        return s.fill("node.expand(whole)", node=node, whole=s.shape())
    ones = {"1": "torch.ones_like(x)", "-1": "-torch.ones_like(x)"}.get(ast.unparse(node))
    return s.fill(ones or "torch.full_like(x, node)", node=node)


def extreme(s: Site) -> ast.expr:
    """max or min along an axis: to the first place where it is."""
    axis = number(s.dims()[0])
    if len(s.dims()) != 1:
        raise NotWritten("a maximum over several axes")
    which = "argmin" if s.step.op in ("amin", "min") else "argmax"
    where = s.let("where", f"x.{which}(axis, keepdim=True)", axis=axis)
    return s.fill("torch.zeros_like(x).scatter(axis, where, up)", where=where, up=s.kept(), axis=axis)


def sorted_(s: Site) -> ast.expr:
    """topk and sort: what was chosen goes back to its place."""
    where = s.let("where", s.fill("y.indices"))
    return s.fill("torch.zeros_like(x).scatter(dim, where, dy)", where=where)


def part(s: Site) -> ast.expr:
    whole = s.step.args["self"]
    if s.raw("place") or whole.op not in ("max", "min", "topk", "sort"):
        raise NotWritten(f"a part of {whole.op}")
    return s.dy


# --- what moves numbers ----------------------------------------------------------------------------------


def view(s: Site) -> ast.expr:
    shape = s.shape()
    return ast.Call(s.fill("dy.reshape"), shape.elts if isinstance(shape, ast.Tuple) else [shape], [])


def squeeze(s: Site) -> ast.expr:
    return s.fill("dy.unsqueeze(dim)") if isinstance(s.raw("dim"), int) else view(s)


def permuted(s: Site) -> ast.expr:
    """transpose and its like: the last two axes of a product are exchanged within it."""
    n, called = len(s.x.shape), s.step.op
    axes = order(called, n, [*map(s.raw, [*s.step.args][1:])])
    if called == "permute":
        return ast.Call(s.fill("dy.permute"), [number(axes.index(a)) for a in range(n)], [])
    if called == "transpose" and not (axes[: n - 2] == (*range(n - 2),) and isinstance(s.dy, ast.BinOp)):
        return s.fill("dy.transpose(dim0, dim1)")
    return transposed(s.dy, n)


def rolled(s: Site) -> ast.expr:
    back = ast.Tuple([literal(-n) for n in s.raw("shifts")], ast.Load())
    return s.fill("torch.roll(dy, back, dims)", back=back)


def expand(s: Site) -> ast.expr:
    return summed(s.dy, s.step.shape, s.x.shape)


def picked(s: Site) -> ast.expr:
    return s.body.placed(s, lines.pick(s.step, s.body.value))


def looked_up(s: Site) -> ast.expr:
    """What was copied out of an axis, or of rows by several places, adds up."""
    found = s.step.args.get("indices", s.step.args.get("index"))
    listed = found if isinstance(found, list) else [None] * (s.raw("dim", 0) % len(s.x.shape)) + [found]
    picks = {axis: pick for axis, pick in enumerate(listed) if isinstance(pick, Step)}
    (axis, pick), *more = picks.items()
    if any(p.shape == s.x.shape for p in picks.values()):
        raise NotWritten("this lookup")
    if not more and len(pick.shape) == 1:
        where = {"axis": number(axis), "pick": s.body.value(pick)}
        return s.fill("torch.zeros_like(x).index_add(axis, pick, dy)", **where)
    if len(picks) < len(listed):
        raise NotWritten("a lookup beside a slice")
    return s.fill("torch.zeros_like(x).index_put(where, dy, accumulate=True)", where=s.body.value(listed))


def cat(s: Site) -> ast.expr:
    """Also stack: each tensor's own stretch, or slice."""
    axis = s.raw("dim", 0) % len(s.step.shape)
    pick: ast.expr = number(s.place)
    if s.step.op != "stack":
        ends = starts(s.body.size(member, axis) for member in s.step.args["tensors"])
        pick = ast.Slice(ends[s.place], None if s.place == len(ends) - 2 else ends[s.place + 1])
    return ast.Subscript(s.dy, along(axis, pick), ast.Load())


def copied(s: Site) -> ast.expr:
    """The gradients of a number's copies add up: they stand on an axis of their own."""
    n, op = len(s.x.shape), s.step.op
    times = [constant(1)] * n
    if op == "repeat":
        times = s.step.args["repeats"]
    else:
        axes, count = [s.raw("dim")], s.step.args.get("repeats")
        if "upsample" in op:
            axes, count = [2, 3], constant(lines.magnified(s.step))
        if not isinstance(count, Number) or not count.value or None in axes:
            raise NotWritten(f"this use of {op}")
        for axis in axes:
            times[axis] = count
    first = COPIES.get(op) == COPIES["repeat"]
    shape: list[ast.expr] = []
    over = []
    for axis, count in enumerate(times, n - len(times)):
        size = [s.size(axis) if s.x.shape[axis] != 1 else number(1)] if axis >= 0 else []
        own = [count.code] if count.value != 1 else []
        over += [len(shape) + (0 if first else len(size))] * len(own)
        shape += [*own, *size] if first else [*size, *own]
    node: ast.expr = ast.Call(s.fill("dy.reshape"), shape, [])
    return code("node.sum(axes)", node=node, axes=axes_code(over)) if over else s.dy


def pad(s: Site) -> ast.expr:
    widths = s.step.args["pad"]
    if s.raw("mode", "constant") != "constant":
        raise NotWritten("padding that is not constant")
    n = len(s.x.shape)
    picks: list[ast.expr] = [ast.Slice() for _ in range(n)]
    last = 0
    for k in range(0, len(widths), 2):
        axis, low, high = n - 1 - k // 2, widths[k], widths[k + 1]
        if low.value or high.value:
            size = s.size(axis)
            end = code("low + size", low=low.code, size=size) if low.value else size
            picks[axis] = ast.Slice(low.code if low.value else None, end if high.value else None)
            last = max(last, axis + 1)
    return ast.Subscript(s.dy, joined(picks[:last]), ast.Load()) if last else s.dy
