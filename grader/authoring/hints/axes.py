"""What works along an axis: sum, mean, maximum, norm, variance, softmax, cross entropy."""

from __future__ import annotations

import ast

from grader.authoring.hints.notation import Index, Named, code, element, name, number, write
from grader.authoring.hints.site import NoRule, Site, Step, arguments, axes_said, is_pair, leading, operation


def _axes(site: Site, names: tuple[str, ...] = ("dim", "keepdim")) -> tuple[tuple[int, ...], bool]:
    given = arguments(site.node, names, leading(site))
    dim = given.get("dim")
    n = len(site.before)
    dims = tuple(range(n)) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    return tuple(d % n for d in dims), bool(given.get("keepdim"))


def _reduced(site: Site, axes: tuple[int, ...], keep: bool) -> Index:
    kept = [number(0) if a in axes else letter for a, letter in enumerate(site.index)]
    return tuple(x for a, x in enumerate(kept) if keep or a not in axes)


def _result(site: Site, index: Index) -> ast.expr:
    return element(name(site.output) if site.output else site.node, index)


def _over(site: Site, axes: tuple[int, ...]) -> str:
    return "all numbers" if len(axes) == len(site.before) else axes_said(axes)


def total(site: Site) -> Step:
    axes, keep = _axes(site)
    say = (
        f"A sum over {_over(site, axes)}: each number of {site.x} enters one total, with weight 1. So the "
        "upstream gradient of that total is handed to all of its summands: a sum forwards is a broadcast "
        "backwards."
    )
    return Step(_reduced(site, axes, keep), say)


def running(site: Site) -> Step:
    axis = arguments(site.node, ("dim",), leading(site)).get("dim")
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
    return Step(index, say, sums=(total,), where=(later,))


def mean(site: Site) -> Step:
    axes, keep = _axes(site)
    say = (
        f"A mean over {_over(site, axes)}: each number enters it with the same weight, one over how many "
        "there are, and gets that share of the upstream gradient."
    )
    return Step(_reduced(site, axes, keep), say, (code("1 / count", count=site.count(axes)),))


def maximum(site: Site) -> Step:
    axes, keep = _axes(site)
    if len(axes) != 1 or not is_pair(site.scope.value(site.node)):
        raise NoRule("a maximum over several axes")
    axis = axes[0]
    m = element(name("m"), (*site.index[:axis], *site.index[axis + 1 :]))
    where = code("own == m", own=site.index[axis], m=m)
    places = f"torch.max({site.x}, {axis}).indices" if leading(site) else f"({site.x}).max({axis}).indices"
    line = {0: "column", 1: "row"}.get(axis, "line") if len(site.before) == 2 else "line"
    named = {"m": Named(code(places), f"{write(m)} is the place of the maximum in its {line}")}
    say = (
        f"A maximum over axis {axis} is decided by one number of each {line}: nudge another one a little and "
        "nothing changes. So the gradient goes to the place of the maximum alone, the rest gets 0."
    )
    return Step(_reduced(site, axes, keep), say, where=(where,), named=named)


def extreme(site: Site) -> Step:
    """amax and amin along one axis."""
    axes, keep = _axes(site)
    if not isinstance(arguments(site.node, ("dim",), leading(site)).get("dim"), int):
        raise NoRule("a maximum over several axes")
    axis = axes[0]
    which = "argmin" if operation(site.node) == "amin" else "argmax"
    m = element(name("top"), _reduced(site, axes, keep=False))
    text = f"{write(m)} is the place of the extreme along axis {axis}"
    named = {"top": Named(code(f"({site.x}).{which}({axis})"), text)}
    say = "One number of each row is passed on: the gradient goes to its place alone, the rest gets 0."
    where = (code("own == m", own=site.index[axis], m=m),)
    return Step(_reduced(site, axes, keep), say, where=where, named=named)


def norm(site: Site) -> Step:
    axes, keep = _axes(site, ("p", "dim", "keepdim"))
    index = _reduced(site, axes, keep)
    say = "The root of a sum of squares: the derivative of each number is its share, itself over the norm."
    return Step(index, say, (code("x / y", x=site.at(site.child, site.index), y=_result(site, index)),))


def logsumexp(site: Site) -> Step:
    axes, keep = _axes(site)
    index = _reduced(site, axes[:1], keep)
    say = "The logarithm of a sum of exponentials: its derivative is the softmax."
    return Step(index, say, (code("exp(x - y)", x=site.at(site.child, site.index), y=_result(site, index)),))


def variance(site: Site, root: bool) -> Step:
    names = ("dim", "unbiased", "keepdim")
    given = arguments(site.node, names, leading(site))
    axes, keep = _axes(site, names)
    count = site.count(axes)
    if given.get("unbiased", True) and given.get("correction", 1):
        count = code("size - 1", size=count)
    mean = code(f"({site.x}).mean({axes}, keepdim=True)")
    mu = element(name("mu"), _reduced(site, axes, True))
    away = code("x - mu", x=site.at(site.child, site.index), mu=mu)
    named = {"mu": Named(mean, f"mu is the mean of {site.x} over {_over(site, axes)}")}
    index = _reduced(site, axes, keep)
    say = (
        f"A variance: each number counts by its distance from the mean, over {write(count)}. That the mean "
        "moves as well makes no difference, because the distances from it sum to 0."
    )
    if root:
        say = say.replace("variance", "standard deviation")
        factor = code("away / (count * y)", away=away, count=count, y=_result(site, index))
        return Step(index, say, (factor,), named=named)
    return Step(index, say, (code("2 * away / count", away=away, count=count),), named=named)


def softmax(site: Site, log: bool) -> Step:
    dim = arguments(site.node, ("dim",), leading(site)).get("dim")
    if dim is None:
        raise NoRule("a softmax without its axis")
    axis = dim % len(site.before)
    letter, total = site.run(axis)
    out = (*site.index[:axis], letter, *site.index[axis + 1 :])
    y = name(site.output) if site.output else site.node
    p = element(name("p") if log else y, site.index)
    factor = code("hit(letter == own) - p", letter=letter, own=site.index[axis], p=p)
    if log:
        named = {"p": Named(code(f"({ast.unparse(y)}).exp()"), "p is the softmax, exp of the result")}
        say = (
            "log-softmax: every output of a row depends on every input of it, through the sum that "
            "normalises."
        )
        return Step(out, say, (factor,), sums=(total,), named=named)
    say = (
        "A softmax: every output of a row depends on every input of it, through the sum that "
        "normalises. Take out how the output moves with its own input, and how with the others."
    )
    return Step(out, say, (element(y, out), factor), sums=(total,))


def cross_entropy(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    if len(node.args) != 2 or node.keywords or len(site.before) != 2:
        raise NoRule("this use of cross_entropy")
    i, j = site.index
    labels = node.args[1]
    x, target = site.x, ast.unparse(labels)
    p = Named(
        code(f"torch.softmax({x}, 1)"),
        f"p is the softmax of {x} along each row: p[{write(i)},{write(j)}] = "
        f"exp({x}[{write(i)},{write(j)}]) / Σ_k exp({x}[{write(i)},k])",
    )
    own, label = element(name("p"), (i, j)), element(labels, (i,))
    rows = site.scope.size(site.child, 0)
    factor = code("(own - hit(label == j)) / rows", own=own, label=label, j=j, rows=rows)
    say = (
        "The cross entropy is the mean over the rows of −log p at the label, where p is the softmax of the "
        "row. Write one row's loss out, with l its logits: −l[label] + log Σ_k exp(l[k]). Each of the two "
        f"parts has a short derivative: the first touches the label ({target}) alone, and the second is a "
        "function you have seen in the forward pass. Then comes the mean over the rows."
    )
    return Step((), say, (factor,), named={"p": p})
