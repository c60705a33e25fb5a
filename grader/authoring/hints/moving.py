"""What moves numbers: views, transposes, lookups, slices, joining, masks."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from grader.authoring.hints.notation import Sum, code, element, name, number
from grader.authoring.hints.site import (
    NoRule,
    Site,
    Step,
    axes_said,
    constants,
    leading,
    operation,
    parts,
    plus,
)
from grader.core.text import listed

SLICED = "A slice: what is inside of it gets its upstream gradient, what is outside gets 0."


def view(site: Site) -> Step:
    """A change of shape; also squeeze and unsqueeze."""
    say = (
        f"{site.x} only changes its shape here, and no number changes: the gradient's numbers go back "
        f"into the shape of {site.x}, in the same order."
    )
    if "squeeze" in operation(site.node):
        say = "Only an axis of size 1 is added or dropped: the gradient gets back the shape from before."
    before, after = site.before, site.after
    always = site.scope.shape(site.node, lecture=True)  # what is 1 here may be more there
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
        flat: ast.expr | None = None
        for axis in [k for k in range(a, i) if before[k] != 1]:
            letter, width = site.index[axis], size(site.child, axis)
            flat = code("flat * width + letter", flat=flat, width=width, letter=letter) if flat else letter
        axes = [k for k in range(b, j) if after[k] != 1 or always[k] != 1]
        for axis in range(b, j):
            part = flat if flat and axis in axes else number(0)
            for later in [k for k in axes if k > axis and axis in axes]:
                part = code("part // inner", part=part, inner=size(whole, later))
            own = size(whole, axis)
            index.append(code("part % own", part=part, own=own) if axis in axes[1:] else part)
        a, b = i, j
    return Step(tuple(index), say)


def order(called: str, n: int, given: Sequence[Any]) -> tuple[int, ...]:
    """Which of n axes each axis of the transposed is; given: what a call is given beside its operand."""
    if called == "permute":
        return tuple(d % n for d in (given if isinstance(given[0], int) else given[0]))
    axes = list(range(n))
    if called == "movedim":
        source, to = ([d % n for d in ([x] if isinstance(x, int) else x)] for x in given)
        axes = [a for a in axes if a not in source]
        for place, a in sorted(zip(to, source, strict=True)):
            axes.insert(place, a)
    else:
        a, b = given or (-2, -1)
        axes[a], axes[b] = axes[b], axes[a]
    return tuple(axes)


def several(site: Site) -> list[ast.expr]:
    """What a call is given beside its operand, one by one: of (2, 0), ((2, 0)) and (dims=(2, 0)) 2 and 0."""
    node = site.node
    assert isinstance(node, ast.Call)
    given = node.args[leading(site) :] or [k.value for k in node.keywords]
    if any(isinstance(x, ast.Starred) for x in given):
        raise NoRule(ast.unparse(node))
    return [x for g in given for x in (g.elts if isinstance(g, ast.Tuple | ast.List) else [g])]


AXES = {"transpose": ("dim0", "dim1"), "movedim": ("source", "destination")}


def permuted(site: Site) -> Step:
    """transpose and its like."""
    node, called = site.node, operation(site.node)
    names, given = AXES.get(called, ()), list[Any]()
    if isinstance(node, ast.Call):
        known = parts(site, "", *names)
        if not {*names} <= {*known}:
            raise NoRule(ast.unparse(node))
        axes = several(site) if called == "permute" else [known[k] for k in names]
        given = [site.scope.value(x) for x in axes]
    say = "Transposed forwards, so the gradient is transposed back: the same axes exchanged once more."
    return Step(tuple(site.index[a] for a in order(called, len(site.before), given)), say)


def starts(sizes: Iterable[ast.expr]) -> list[ast.expr | None]:
    """Where stretches of some sizes begin that lie one after another, and where the last ends."""
    return [None, *itertools.accumulate(sizes, lambda a, b: code("a + b", a=a, b=b))]


def joined(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.args[0], ast.List | ast.Tuple)
    given = constants(site, "dim")
    members = node.args[0].elts
    place = next(k for k, m in enumerate(members) if m is site.child)
    axis = (given.get("dim") or 0) % len(site.after)
    if operation(node) == "stack":
        say = f"Stacked: {site.x} is slice {place} of the result along axis {axis}, and gets that slice."
        return Step((*site.index[:axis], number(place), *site.index[axis:]), say)
    moved = list(site.index)
    if start := starts(site.scope.size(member, axis) for member in members[:place])[-1]:
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
    if any(isinstance(p, ast.Slice) and ast.unparse(p) != ":" for p in picks):
        raise NoRule("lookup and slice in one")
    return _lookup(site, {axis: p for axis, p in enumerate(picks) if not isinstance(p, ast.Slice)})


def _is(one: ast.expr, other: ast.expr) -> ast.expr:
    return code("one == other", one=one, other=other)


def _range(site: Site, axis: int, node: ast.expr) -> bool:
    """Whether it is a range over all of an axis."""
    called = isinstance(node, ast.Call) and ast.unparse(node.func) in ("range", "torch.arange")
    return called and [*map(int, site.scope.value(node))] == [*range(site.before[axis])]


def _lookup(site: Site, picks: dict[int, ast.expr]) -> Step:
    """picks: by axis the places that are looked up there; a range is each of them once."""
    runs = next((axis for axis, pick in picks.items() if _range(site, axis, pick)), None)
    shapes = {site.scope.shape(pick) for axis, pick in picks.items() if axis != runs}
    first, last = min(picks), max(picks)
    if len(shapes) > 1 or last - first >= len(picks):
        raise NoRule("this lookup by several index tensors")
    pick, axes = picks[first], () if runs is not None else range(len(*shapes))
    runs_over = [site.over(site.scope.size(pick, a)) for a in axes]
    letters = tuple(x for x, _ in runs_over) if runs is None else (site.index[runs],)
    where = tuple(_is(element(p, letters), site.index[a]) for a, p in picks.items() if a != runs)
    row, along = ("slice", f" along {axes_said(picks)}") if first else ("row", "")
    named = f"each number in {ast.unparse(pick)} names"
    if len(picks) > 1:
        row = "number" if len(picks) == len(site.before) else row
        named = f"the numbers at one place of {listed([*map(ast.unparse, picks.values())])} together name"
    say = (
        f"A lookup: {named} a {row} of {site.x}{along}, and that "
        f"{row} is copied out. A {row} that was looked up several times receives one gradient for each copy, "
        f"and they add up (assigning would keep only the last); a {row} that was never looked up gets 0."
    )
    if runs is not None:
        line = "row" if runs == first else "column"
        what = "one row from each matrix" if last + 1 < len(site.before) else f"one number from each {line}"
        say = (
            f"{ast.unparse(site.node)} picks {what} of {site.x}. What is not picked never reaches the "
            "result, so its gradient is 0; what is picked passes on unchanged."
        )
    if not letters:
        say = SLICED
    sums = tuple(total for _, total in runs_over)
    return Step((*site.index[:first], *letters, *site.index[last + 1 :]), say, sums=sums, where=where)


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
            where.append(_is(letter, _from_end(pick, site.scope.size(site.child, axis)) or pick))
    return Step(tuple(index), SLICED, where=tuple(where))


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


def embedding(site: Site) -> Step:
    assert isinstance(site.node, ast.Call)
    return _lookup(site, {0: site.node.args[0]})


def index_select(site: Site) -> Step:
    given = parts(site, "x", "dim", "index")
    return _lookup(site, {site.scope.value(given["dim"]) % len(site.before): given["index"]})


def pad(site: Site) -> Step:
    widths = site.scope.value(parts(site, "x", "pad")["pad"])
    index = list(site.index)
    for k in range(len(widths) // 2):
        index[-1 - k] = plus(index[-1 - k], widths[2 * k])
    return Step(tuple(index), "Padding puts constants around: the gradient is what arrives in the middle.")


# where the k-th of so many copies of a number is along an axis
SIDE = "times * own + k"
COPIES = {"repeat_interleave": SIDE, "interpolate": SIDE, "repeat": "size * k + own"}


def copied(site: Site) -> Step:
    called, n, how = operation(site.node), len(site.before), ""
    times = several(site)
    if called != "repeat":
        side = called == "repeat_interleave"
        given = parts(site, "x", *(("repeats", "dim") if side else ("size", "scale_factor")))
        count, more = (given.get(k) for k in (("repeats", "dim") if side else ("scale_factor", "mode")))
        if count is None or (more is None) == side or site.scope.shape(count):
            raise NoRule(f"this use of {called}")
        axes = [site.scope.value(more) % n] if more else [*range(2, n)]
        count = count if side else number(site.scope.value(count))
        times = [count if axis in axes else number(1) for axis in range(n)]
        how = f" along axis {axes[0]}, side by side" if side else " to a square of the result"
    say = f"Each number is copied{how}: the gradients of its copies add up."
    index: list[ast.expr] = []
    sums: list[Sum] = []
    for axis, count in enumerate(times, n - len(times)):
        own = site.index[axis] if axis >= 0 else number(0)
        if not isinstance(site.scope.value(count), int):
            raise NoRule(ast.unparse(site.node))
        if site.scope.value(count) != 1:
            k, one = site.over(count)
            sums.append(one)
            many = axis >= 0 and site.before[axis] > 1
            size = site.scope.size(site.child, axis) if many else count
            own = code(COPIES[called], times=count, own=own, k=k, size=size) if many else k
        index.append(own)
    return Step(tuple(index), say, sums=tuple(sums))


def flipped(site: Site) -> Step:
    dims = constants(site, "dims").get("dims")
    dims = [dims] if isinstance(dims, int) else list(dims or [])
    dims = [d % len(site.before) for d in dims]
    index = tuple(
        code("size - 1 - own", size=site.scope.size(site.child, a), own=x) if a in dims else x
        for a, x in enumerate(site.index)
    )
    return Step(index, "Reversed forwards, and reversed once more backwards.")
