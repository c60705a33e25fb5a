"""Losses that are one line: a table of their local gradients, for the hints and for the bodies of items."""

from __future__ import annotations

from grader.authoring.hints.notation import code, element, number
from grader.authoring.hints.site import NoRule, Site, Step, operation, parts

# a loss by its local gradients towards x and towards t, and what to say of it
LOSSES = {
    "mse_loss": ("2*(x - t)", "2*(t - x)", "A squared distance, number by number: twice the distance."),
    "l1_loss": ("sign(x - t)", "sign(t - x)", "An absolute distance: its sign."),
    "smooth_l1_loss": (
        "clip((x - t)/beta)",
        "clip((t - x)/beta)",
        "A smooth distance: quadratic within beta, a line beyond. So the distance over beta, cut off at ±1.",
    ),
    "huber_loss": (
        "delta*clip((x - t)/delta)",
        "delta*clip((t - x)/delta)",
        "A smooth distance: quadratic within delta, a line beyond. So the distance, cut off at ±delta.",
    ),
    "kl_div": (
        "-t",
        "ln(t) + 1 - x",
        "t · (ln t − x), number by number, with x a logarithm already.",
    ),
    "binary_cross_entropy": (
        "(x - t)/(x*(1 - x))",
        "ln((1 - x)/x)",
        "The binary cross entropy −t·ln x − (1 − t)·ln(1 − x), number by number.",
    ),
    "binary_cross_entropy_with_logits": (
        "sigma(x) - t",
        "-x",
        "A sigmoid and a binary cross entropy in one: what is left is the probability less the target.",
    ),
}


def loss(site: Site) -> Step:
    """A loss of one number against another, and then their mean."""
    first, second, say = LOSSES[operation(site.node)]
    given = parts(site, "x", "t")
    if set(given) - {"x", "t", "reduction", "beta", "delta"}:
        raise NoRule("this use of a loss")
    x, t = given["x"], given["t"]
    how = site.scope.value(given["reduction"]) if "reduction" in given else "mean"
    more = {k: given.get(k, number(1)) for k in ("beta", "delta")}
    factors = [
        code(first if site.child is x else second, x=site.at(x, site.index), t=site.at(t, site.index), **more)
    ]
    if how == "mean":
        factors.append(code("1 / count", count=site.count(range(len(site.before)))))
        say += " Then comes the mean: one over how many there are."
    return Step(site.index if how == "none" else (), say, tuple(factors))


def nll(site: Site) -> Step:
    given = parts(site, "input", "target")
    if set(given) - {"input", "target", "reduction"} or len(site.before) != 2:
        raise NoRule("this use of nll_loss")
    how = site.scope.value(given["reduction"]) if "reduction" in given else "mean"
    label = element(given["target"], site.index[:1])
    say = "The mean of minus what stands at each row's label: the other numbers don't count."
    rows = site.scope.size(site.child, 0)
    factors = (code("1 / rows", rows=rows),) if how == "mean" else ()
    return Step((), say, factors, -1, where=(code("label == j", label=label, j=site.index[1]),))
