"""What works along an axis: sum, mean, maximum, norm, variance, softmax, cross entropy."""

from __future__ import annotations

import ast

from grader.authoring.hints.local import COUPLED, LABELLED, REDUCED
from grader.authoring.hints.notation import Index, Named, code, element, name, number, write
from grader.authoring.hints.site import (
    NoRule,
    Site,
    Step,
    axes_said,
    constants,
    differentiable,
    followed,
    operation,
    parts,
)

OVER = {"mean": "the mean over the rows of ", "sum": "the sum over the rows of ", "none": "for each row "}
SPREAD = ("dim", "unbiased", "keepdim")


def _axes(site: Site, names: tuple[str, ...] = ("dim", "keepdim")) -> tuple[tuple[int, ...], bool]:
    given = constants(site, *names)
    dim = given.get("dim")
    n = len(site.before)
    dims = tuple(range(n)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    return tuple(d % n for d in dims), bool(given.get("keepdim"))


def _reduced(site: Site, axes: tuple[int, ...], keep: bool) -> Index:
    kept = [number(0) if a in axes else letter for a, letter in enumerate(site.index)]
    return tuple(x for a, x in enumerate(kept) if keep or a not in axes)


def _result(site: Site, index: Index) -> ast.expr:
    return element(name(site.output) if site.output else site.node, index)


def running(site: Site) -> Step:
    axis = constants(site, "dim").get("dim")
    if axis is None:
        raise NoRule("a running sum without its axis")
    axis %= len(site.before)
    letter, total = site.run(axis)
    index = (*site.index[:axis], letter, *site.index[axis + 1 :])
    later = code("letter >= own", own=site.index[axis], letter=letter)
    say = (
        f"A running sum along axis {axis}: each number of {site.x} enters the total at its own place and at "
        "every later one, with weight 1. So it gets the sum of the upstream gradients from its own place to "
        "the end: a running sum forwards is a running sum from the other end backwards."
    )
    if operation(site.node) == "cumsum":
        return Step(index, say, sums=(total,), where=(later,))
    say = (
        f"A running product along axis {axis}: each number of {site.x} is a factor at its own place and at "
        "every later one, and its local gradient is the product of all other factors there."
    )
    factor = code("y / x", y=_result(site, index), x=site.at(site.child, site.index))
    return Step(index, say, (factor,), sums=(total,), where=(later,))


def extreme(site: Site) -> Step:
    """max, min, amax and amin along one axis."""
    axes, keep = _axes(site)
    if not isinstance(constants(site, "dim").get("dim"), int):
        raise NoRule("a maximum over several axes")
    axis, kind = axes[0], "min" if "min" in operation(site.node) else "max"
    m = element(name("m"), _reduced(site, axes, keep=False))
    line = {0: "column", 1: "row"}.get(axis, "line") if len(site.before) == 2 else "line"
    text = f"{write(m)} is the place of the {kind}imum in its {line}"
    say = (
        f"A {kind}imum over axis {axis} is decided by one number of each {line}: nudge another one a little "
        f"and nothing changes. So the gradient goes to the place of the {kind}imum alone, the rest gets 0."
    )
    where = (code("own == m", own=site.index[axis], m=m),)
    named = {"m": Named(code(f"({site.x}).arg{kind}({axis})"), text)}
    return Step(_reduced(site, axes, keep), say, where=where, named=named)


def reduced(site: Site) -> Step:
    """A sum and its like, by the table of local gradients."""
    called = operation(site.node)
    names = {"norm": ("p", "dim", "keepdim"), "var": SPREAD, "std": SPREAD}.get(called, ("dim", "keepdim"))
    given = constants(site, *names)
    if given.get("p", 2) != 2:
        raise NoRule("a norm that is not the second")
    axes, keep = _axes(site, names)
    index, mean = _reduced(site, axes, keep), element(name("mu"), _reduced(site, axes, True))
    count = less = site.count(axes)
    if given.get("unbiased", True) and given.get("correction", 1):
        less = code("count - 1", count=count)
    x = site.at(site.child, site.index)
    over = "all numbers" if len(axes) == len(site.before) else axes_said(axes)
    say, to = REDUCED[called].at(0)
    named = {}
    if "mu" in to:
        mu = code(f"({site.x}).mean({axes}, keepdim=True)")
        named = {"mu": Named(mu, f"mu is the mean of {site.x} over {over}")}
    derivative = code(to, x=x, y=_result(site, index), mu=mean, count=count, less=less)
    said = say.format(x=site.x, over=over, less=write(less))
    return followed(index, said, derivative, named=named)


def softmax(site: Site) -> Step:
    dim = constants(site, "dim").get("dim")
    if dim is None:
        raise NoRule("a softmax without its axis")
    axis = dim % len(site.before)
    letter, total = site.run(axis)
    out = (*site.index[:axis], letter, *site.index[axis + 1 :])
    called, y, named = operation(site.node), name(site.output) if site.output else site.node, {}
    row, p = COUPLED[called], y
    if called == "log_softmax":
        p = name("p")
        named = {"p": Named(code(f"({ast.unparse(y)}).exp()"), f"p is the softmax, exp of {ast.unparse(y)}")}
    say, to = row.at(0)
    hit = code("hit(letter == own)", letter=letter, own=site.index[axis])
    derivative = code(to, hit=hit, own=element(p, site.index), other=element(p, out))
    return followed(out, say, derivative, (total,), named)


def labelled(site: Site) -> Step:
    """cross_entropy and nll_loss: a row's label among its classes."""
    given, called = parts(site, "input", "target"), operation(site.node)
    labels, smooth = given.pop("target"), site.scope.value(given.pop("label_smoothing", number(0)))
    how = site.scope.value(given.pop("reduction", ast.Constant("mean")))
    if {*given} != {"input"} or len(site.before) != 2 or differentiable(site.scope.value(labels)):
        raise NoRule(f"this use of {called}")
    (i, j), x = site.index, site.x
    p = Named(
        code(f"torch.softmax({x}, 1)"),
        f"p is the softmax of {x} along each row: p[{write(i)},{write(j)}] = "
        f"exp({x}[{write(i)},{write(j)}]) / Σ_k exp({x}[{write(i)},k])",
    )
    rows, classes = (site.scope.size(site.child, a) for a in (0, 1))
    hot = code("hit(label == j)", label=element(labels, (i,)), j=j)
    numbers = {"most": number(1 - smooth), "share": number(smooth), "classes": classes}
    to = LABELLED["smoothed" if smooth else called].at(0)[1]
    each = code(
        f"({to}) / rows" if how == "mean" else to, p=element(name("p"), (i, j)), hot=hot, rows=rows, **numbers
    )
    say = (
        LABELLED[called]
        .at(0)[0]
        .format(over=OVER[how], Over=OVER[how].capitalize(), target=ast.unparse(labels))
    )
    say += LABELLED["smoothed"].at(0)[0].format(share=write(number(smooth))) if smooth else ""
    say += " Then comes the mean over the rows." if how == "mean" and "p" in to else ""
    return followed((i,) if how == "none" else (), say, each, named={"p": p} if "p" in to else {})
