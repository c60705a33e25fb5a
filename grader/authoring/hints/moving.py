"""What moves numbers: views, transposes, lookups, slices, joining, masks."""

from __future__ import annotations

import ast
import functools

from grader.authoring.hints.notation import Sum, code, element, name, number, write
from grader.authoring.hints.site import (
    NoRule,
    Shape,
    Site,
    Step,
    constants,
    leading,
    operation,
    parts,
    plus,
    shape_of,
    spread,
)


def view(site: Site) -> Step:
    say = (
        f"{site.x} only changes its shape here, and no number changes: the gradient's numbers go back "
        f"into the shape of {site.x}, in the same order."
    )
    before, after = site.before, site.after
    size, whole = site.scope.size, name(site.output) if site.output else site.node
    index: list[ast.expr] = []
    a = b = 0
    while a < len(before) or b < len(after):
        i, j, m, n = a, b, 1, 1
        while True:
            if m <= n and i < len(before) and (m < n or i == a):
                m, i = m * before[i], i + 1
            elif j < len(after) and (n < m or j == b):
                n, j = n * after[j], j + 1
            elif m == n:
                break
            else:
                raise NoRule("this change of shape")
        flat: ast.expr = number(0)
        for axis in range(a, i):
            letter, width = site.index[axis], size(site.child, axis)
            flat = (
                letter
                if axis == a or ast.unparse(flat) == "0"
                else code("flat * width + letter", flat=flat, width=width, letter=letter)
            )
        if j - b == 1:
            index.append(flat)
        else:
            for axis in range(b, j):
                part = flat
                for later in range(axis + 1, j):
                    part = code("part // inner", part=part, inner=size(whole, later))
                index.append(code("part % own", part=part, own=size(whole, axis)) if axis > b else part)
        a, b = i, j
    return Step(tuple(index), say)


def _permuted(site: Site, order: tuple[int, ...]) -> Step:
    say = "Transposed forwards, so the gradient is transposed back: the same axes exchanged once more."
    return Step(tuple(site.index[a] for a in order), say)


def transpose(site: Site) -> Step:
    n = len(site.before)
    node = site.node
    order = list(range(n))
    if isinstance(node, ast.Attribute) or operation(node) == "t":
        a, b = -2, -1
    else:
        given = constants(site, "dim0", "dim1")
        a, b = given["dim0"], given["dim1"]
    order[a], order[b] = order[b], order[a]
    return _permuted(site, tuple(order))


def permute(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    dims = [ast.literal_eval(x) for x in site.node.args[leading(site) :]]
    dims = list(dims[0]) if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return _permuted(site, tuple(d % len(site.before) for d in dims))


def concatenated(site: Site, stack: bool) -> Step:
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.args[0], ast.List | ast.Tuple)
    given = constants(site, "dim")
    members = node.args[0].elts
    place = next(k for k, m in enumerate(members) if m is site.child)
    axis = (given.get("dim") or 0) % len(site.after)
    if stack:
        say = f"Stacked: {site.x} is slice {place} of the result along axis {axis}, and gets that slice."
        return Step((*site.index[:axis], number(place), *site.index[axis:]), say)
    moved = list(site.index)
    if before := [site.scope.size(member, axis) for member in members[:place]]:
        start = functools.reduce(lambda a, b: code("a + b", a=a, b=b), before)
        moved[axis] = code("own + start", own=moved[axis], start=start)
    say = f"Concatenated along axis {axis}: {site.x} gets its own stretch of the upstream gradient."
    return Step(tuple(moved), say)


def subscript(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Subscript)
    picks = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    for k in [k for k, p in enumerate(picks) if isinstance(p, ast.Constant) and p.value is ...]:
        picks[k : k + 1] = [ast.Slice()] * (len(site.before) + 1 - len(picks))
    if all(isinstance(p, ast.Slice | ast.Constant | ast.UnaryOp) for p in picks):
        return _sliced(site, picks)
    if any(isinstance(p, ast.Slice) for p in picks):
        raise NoRule("lookup and slice in one")
    shapes = [shape_of(site.scope.value(p)) if not _range(p) else (0,) for p in picks]
    if len(picks) == 1:
        return _lookup(site, picks[0], shapes[0])
    if any(len(s) != 1 for s in shapes):
        raise NoRule("a lookup by several index tensors")
    runs = next((k for k, p in enumerate(picks) if _range(p)), None)
    if runs is None:
        letter, *sums = site.run(0)
    else:
        letter, sums = site.index[runs], []
    where = tuple(_is(element(p, (letter,)), site.index[k]) for k, p in enumerate(picks) if k != runs)
    what = "one row from each matrix" if len(picks) < len(site.before) else "one number from each row"
    say = (
        f"{ast.unparse(node)} picks {what} of {site.x}. What is not picked never reaches the result, so its "
        "gradient is 0; what is picked passes on unchanged."
    )
    return Step((letter, *site.index[len(picks) :]), say, sums=tuple(sums), where=where)


def _is(one: ast.expr, other: ast.expr) -> ast.expr:
    return code("one == other", one=one, other=other)


def _range(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("range", "torch.arange")


def _lookup(site: Site, pick: ast.expr, shape: Shape) -> Step:
    letters = tuple(site.fresh() for _ in shape)
    sums = tuple(Sum(write(x), site.scope.size(pick, a)) for a, x in enumerate(letters))
    where = (_is(element(pick, letters), site.index[0]),)
    say = (
        f"A lookup: each number in {ast.unparse(pick)} names a row of {site.x}, and that row is copied out. "
        "A row that was looked up several times receives one gradient for each copy, and they add up "
        "(assigning would keep only the last); a row that was never looked up gets 0."
    )
    return Step((*letters, *site.index[1:]), say, sums=sums, where=where)


def _sliced(site: Site, picks: list[ast.expr]) -> Step:
    index: list[ast.expr] = []
    where: list[ast.expr] = []
    for axis, letter in enumerate(site.index):
        pick = picks[axis] if axis < len(picks) else ast.Slice()
        if isinstance(pick, ast.Slice):
            size = site.scope.size(site.child, axis)
            lower, upper = (_from_end(bound, size) for bound in (pick.lower, pick.upper))
            low = lower or number(0)
            where += [code("letter < end", letter=letter, end=upper)] if upper else []
            below = code("low - 1", low=low)
            if isinstance(low, ast.Constant) and isinstance(low.value, int):
                below = number(low.value - 1)
            where += [code("below < letter", below=below, letter=letter)] if lower else []
            place = code("letter - low", letter=letter, low=low) if lower else letter
            if pick.step:
                where.append(code("place % step == 0", place=place, step=pick.step))
                place = code("place // step", place=place, step=pick.step)
            index.append(place)
        else:
            where.append(_is(letter, pick))
    say = "A slice: what is inside of it gets its upstream gradient, what is outside gets 0."
    return Step(tuple(index), say, where=tuple(where))


def _from_end(bound: ast.expr | None, size: ast.expr) -> ast.expr | None:
    """A slice's bound, from the front."""
    if isinstance(bound, ast.UnaryOp) and isinstance(bound.op, ast.USub):
        return code("size - back", size=size, back=bound.operand)
    return bound


def gather(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    dim, pick = node.args[leading(site) :]
    axis = int(site.scope.value(dim)) % len(site.before)
    index = list(site.index)
    index[axis], *sums = (number(0),) if site.after[axis] == 1 else site.run(axis)
    where = (_is(element(pick, tuple(index)), site.index[axis]),)
    say = (
        f"gather picks along axis {axis}, at the places that {ast.unparse(pick)} names. What is not picked "
        "never reaches the result, so its gradient is 0; what is picked passes on unchanged."
    )
    return Step(tuple(index), say, sums=tuple(sums), where=where)


def unsqueezed(site: Site) -> Step:
    before, after = list(site.before), list(site.after)
    index, own = [], 0
    rest = (
        [a for a, n in enumerate(before) if n != 1] if len(after) < len(before) else list(range(len(before)))
    )
    for n in after:
        if own < len(rest) and before[rest[own]] == n:
            index.append(site.index[rest[own]])
            own += 1
        else:
            index.append(number(0))
    return Step(
        tuple(index),
        "Only an axis of size 1 is added or dropped: the gradient gets back the shape from before.",
    )


def masked_fill(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    say = (
        "Where the mask is set, the value was overwritten: nothing of it reaches the loss, and its "
        "gradient is 0. Elsewhere the upstream gradient passes."
    )
    return spread(site, say, "hit(not mask)", mask=site.node.args[leading(site)])


def where(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    condition, first, _ = site.node.args
    say = "where chooses one of two: the upstream gradient goes to the one that was chosen, the other gets 0."
    return spread(site, say, "hit(test)" if site.child is first else "hit(not test)", test=condition)


def embedding(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    pick = site.node.args[0]
    return _lookup(site, pick, site.scope.shape(pick))


def pad(site: Site) -> Step:
    widths = site.scope.value(parts(site, "x", "pad")["pad"])
    index = list(site.index)
    for k in range(len(widths) // 2):
        index[-1 - k] = plus(index[-1 - k], widths[2 * k])
    return Step(tuple(index), "Padding puts constants around: the gradient is what arrives in the middle.")


def repeated(site: Site) -> Step:
    given = parts(site, "x", "repeats", "dim")
    times, dim = given["repeats"], site.scope.value(given["dim"]) if "dim" in given else None
    if dim is None or not isinstance(site.scope.value(times), int):
        raise NoRule("this use of repeat_interleave")
    axis = dim % len(site.before)
    letter, total = site.over(times)
    own = code("own * times + k", own=site.index[axis], times=times, k=letter)
    say = f"Each number is copied along axis {axis}, side by side: the gradients of its copies add up."
    return Step((*site.index[:axis], own, *site.index[axis + 1 :]), say, sums=(total,))


def flipped(site: Site) -> Step:
    dims = constants(site, "dims").get("dims")
    dims = [dims] if isinstance(dims, int) else list(dims or [])
    dims = [d % len(site.before) for d in dims]
    index = tuple(
        code("size - 1 - own", size=site.scope.size(site.child, a), own=x) if a in dims else x
        for a, x in enumerate(site.index)
    )
    return Step(index, "Reversed forwards, and reversed once more backwards.")
