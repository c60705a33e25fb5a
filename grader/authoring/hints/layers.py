"""Layers that are one line of a forward pass: convolutions, pooling, norms."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from grader.authoring.hints.local import AWAY, COUPLED, INV
from grader.authoring.hints.notation import Index, Named, Sum, code, element, name, number, write
from grader.authoring.hints.site import NoRule, Site, Step, operation, parts, plus, product


def _numbers(site: Site, node: ast.expr | None, default: Any) -> tuple[int, ...]:
    """A number for each axis that a layer slides along."""
    value = default if node is None else site.scope.value(node)
    return (value,) * (len(site.after) - 2) if isinstance(value, int) else tuple(value)


def _times(node: ast.expr, factor: int) -> ast.expr:
    return node if factor == 1 else code("factor * node", node=node, factor=number(factor))


def _within(node: ast.expr, size: ast.expr) -> Index:
    return code("node >= 0", node=node), code("node < size", node=node, size=size)


class _Sliding:
    """A convolution's arguments. met: where a place of the small side and one of the kernel meet."""

    def __init__(self, site: Site) -> None:
        given = parts(site, "input", "weight", "bias", "stride", "padding", "dilation", "groups")
        self.image, self.kernel = given["input"], given["weight"]
        self.site, self.bias = site, given.get("bias")
        self.stride, self.dilation = (_numbers(site, given.get(k), 1) for k in ("stride", "dilation"))
        self.axes = [2 + k for k in range(len(self.stride))]
        padding = site.scope.value(given.get("padding", number(0)))
        if isinstance(padding, str):  # same, or valid
            spots = site.scope.shape(self.kernel)[2:]
            reach = [d * (k - 1) // 2 for d, k in zip(self.dilation, spots, strict=True)]
            padding = reach if padding == "same" else 0
        self.padding = _numbers(site, None, padding)
        groups = site.scope.value(given.get("groups", number(1)))
        made, met = (n // groups for n in (site.scope.shape(self.kernel)[0], site.scope.shape(self.image)[1]))
        self.groups = (number(made), number(met)) if groups > 1 else None  # channels of a group

    def over(self, node: ast.expr) -> tuple[Index, tuple[Sum, ...]]:
        """Fresh indices that run over all places of an image or of the kernel."""
        letters, sums = zip(*(self.site.over(self.site.scope.size(node, a)) for a in self.axes), strict=True)
        return letters, sums

    def met(self, places: Index, spots: Index, owner: ast.expr) -> tuple[Index, Index]:
        """The index, and on which condition it lies within its owner."""
        at: list[ast.expr] = []
        where: list[ast.expr] = []
        for k, axis in enumerate(self.axes):
            place, spot = _times(places[k], self.stride[k]), _times(spots[k], self.dilation[k])
            at.append(plus(code("a + b", a=place, b=spot), -self.padding[k]))
            where += _within(at[-1], self.site.scope.size(owner, axis)) if self.padding[k] else []
        return tuple(at), tuple(where)


def convolution(site: Site) -> Step:
    s = _Sliding(site)
    if site.child is s.bias:
        return _shift(site)
    if site.child is s.kernel:
        o, c, *weight = site.index
        row, rows = site.run(0)
        places, sums = s.over(site.node)
        at, where = s.met(places, tuple(weight), s.image)
        say = (
            "A convolution slides the kernel over the image: each of its weights meets one number of the "
            "image at every place, and gets the sum of their products with what arrives at that place."
        )
        if s.groups:
            c = code("o // made * met + c", o=o, c=c, made=s.groups[0], met=s.groups[1])
        factor = element(s.image, (row, c, *at))
        return Step((row, o, *places), say, (factor,), sums=(rows, *sums), where=where)
    row, c, *own = site.index
    o, channels = site.run(1)
    spots, sums = s.over(s.kernel)
    out, within = [], []
    for k, spot in enumerate(spots):
        far = code("own - spot", own=plus(own[k], s.padding[k]), spot=_times(spot, s.dilation[k]))
        if s.stride[k] > 1:
            within.append(code("far % stride == 0", far=far, stride=number(s.stride[k])))
            far = code("far // stride", far=far, stride=number(s.stride[k]))
        within += _within(far, site.scope.size(site.node, 2 + k))
        out.append(far)
    say = (
        "A convolution slides the kernel over the image: a number of the image is met by each weight of "
        "the kernel at another place of the result. What comes back is the sum over all these meetings: "
        "the kernel slides back over what arrives, reversed."
    )
    if s.groups:
        within.append(code("o // made == c // met", o=o, c=c, made=s.groups[0], met=s.groups[1]))
        c = code("c % met", c=c, met=s.groups[1])
    factor = element(s.kernel, (o, c, *spots))
    return Step((row, o, *out), say, (factor,), sums=(channels, *sums), where=tuple(within))


def transposed(site: Site) -> Step:
    s = _Sliding(site)
    if site.child is s.bias:
        return _shift(site)
    say = (
        "A transposed convolution lays the kernel down at each place of its input, times the number "
        "there. So the way back is an ordinary convolution."
    )
    if site.child is s.kernel:
        c, o, *own = site.index
        row, more = site.over(site.scope.size(s.image, 0))
        places, sums = s.over(s.image)
        out, where = s.met(places, tuple(own), site.node)
        factor = element(s.image, (row, c, *places))
    else:
        row, c, *own = site.index
        o, more = site.run(1)
        spots, sums = s.over(s.kernel)
        out, where = s.met(tuple(own), spots, site.node)
        factor = element(s.kernel, (c, o, *spots))
    return Step((row, o, *out), say, (factor,), sums=(more, *sums), where=where)


def _shift(site: Site) -> Step:
    """A bias that is added along all axes but the second."""
    index, sums = _run(site, [a for a in range(len(site.after)) if a != 1], [1])
    say = f"{site.x} is added at every place, so it gets the sum of what arrives at all of them."
    return Step(index, say, sums=sums)


def _run(site: Site, axes: Sequence[int], own: Sequence[int]) -> tuple[Index, tuple[Sum, ...]]:
    """An index of the result that runs along some axes; own: what axis each axis of the operand is there."""
    runs = {a: site.run(a) for a in axes}
    index = tuple(runs[a][0] if a in runs else site.index[own.index(a)] for a in range(len(site.after)))
    return index, tuple(s for _, s in runs.values())


def max_pool(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    call = ast.Call(node.func, node.args, [*node.keywords, ast.keyword("return_indices", ast.Constant(True))])
    index, sums = _run(site, range(2, len(site.after)), range(2))
    flat = site.index[2]
    for axis in range(3, len(site.before)):
        flat = code(
            "flat * width + own", flat=flat, width=site.scope.size(site.child, axis), own=site.index[axis]
        )
    m = element(name("top"), index)
    text = f"{write(m)} is where in its channel, counted along the rows, the largest number of the window is"
    say = (
        "Of each window only its largest number is passed on: the gradient goes to the place of the "
        "maximum, the rest gets 0."
    )
    where = (code("m == flat", m=m, flat=flat),)
    named = {"top": Named(code("call[1]", call=call), text)}
    return Step(index, say, sums=sums, where=where, named=named)


def average_pool(site: Site) -> Step:
    given = parts(site, "input", "kernel_size", "stride", "padding")
    n = len(site.after) - 2
    kernel = _numbers(site, given["kernel_size"], 1)
    if _numbers(site, given.get("stride"), kernel) != kernel or "padding" in given:
        raise NoRule("average pooling whose windows overlap")
    own = [code("own // k", own=site.index[2 + k], k=number(kernel[k])) for k in range(n)]
    where = tuple(
        code("own < size", own=own[k], size=site.scope.size(site.node, 2 + k))
        for k in range(n)
        if site.before[2 + k] % kernel[k]
    )
    say = "The mean of each window: each number in it has the same share of what arrives for the window."
    return Step((*site.index[:2], *own), say, (code("1 / k", k=number(math.prod(kernel))),), where=where)


def adaptive_pool(site: Site) -> Step:
    if any(n != 1 for n in site.after[2:]):
        raise NoRule("adaptive pooling to more than one place")
    axes = range(2, len(site.before))
    index = (*site.index[:2], *(number(0) for _ in axes))
    factor = code("1 / count", count=site.count(axes))
    return Step(index, "The mean over all places of a channel.", (factor,))


def upsample(site: Site) -> Step:
    given = parts(site, "input", "size", "scale_factor")
    if "scale_factor" not in given or "mode" in given:
        raise NoRule("this interpolation")
    scale = int(site.scope.value(given["scale_factor"]))
    runs = [site.over(number(scale)) for _ in site.after[2:]]
    own = [
        code("scale * own + k", scale=number(scale), own=site.index[2 + k], k=letter)
        for k, (letter, _) in enumerate(runs)
    ]
    say = "Each number is copied to a square of the result: it gets the sum of what arrives there."
    return Step((*site.index[:2], *own), say, sums=tuple(s for _, s in runs))


# --- norms -----------------------------------------------------------------------------------------------

NORMS = {
    "layer_norm": ("input", "shape", "weight", "bias", "eps"),
    "rms_norm": ("input", "shape", "weight", "eps"),
    "batch_norm": ("input", "mean", "var", "weight", "bias", "training", "momentum", "eps"),
    "group_norm": ("input", "groups", "weight", "bias", "eps"),
}


def norm_axes(called: str, n: int, last: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that a norm runs over, of n in all or of the last ones, and those of its gain and shift."""
    if called in ("layer_norm", "rms_norm"):
        return (tuple(range(n - last, n)),) * 2
    return (tuple(range(1, n)) if called == "group_norm" else (0, *range(2, n))), (1,)


def normed(site: Site) -> Step:
    called, n = operation(site.node), len(site.after)
    given = parts(site, *NORMS[called])
    axes, own = norm_axes(called, n, len(site.scope.value(given["shape"])) if "shape" in given else 0)
    x, centred, groups = given["input"], called != "rms_norm", given.get("groups")
    owner, place = ast.unparse(x), "row" if own[-1] == n - 1 else "place"
    if site.child in (given.get("weight"), given.get("bias")):
        index, sums = _run(site, [a for a in range(n) if a not in own], own)
    else:
        index, sums = _run(site, axes, range(n))
    if site.child is given.get("bias"):
        return Step(
            index, f"{site.x} is added to every {place}: what arrives is summed over all of them.", sums=sums
        )
    eps = given.get("eps", number(1e-5) if centred else code("torch.finfo(x.dtype).eps", x=x))
    over = number(-1) if groups else ast.Tuple([number(a) for a in axes], ast.Load())
    own_x = code("x.unflatten(1, (groups, -1)).flatten(2)", x=x, groups=groups) if groups else x
    away = code(AWAY, x=own_x, over=over) if centred else own_x
    r = code(INV, away=away, over=over, eps=eps)
    hat = code("(away * r).reshape(x.shape)" if groups else "away * r", away=away, r=r, x=x)
    xhat = Named(hat, f"xh is the normalised {owner}: {owner}{' less its mean,' * centred} times inv")
    if site.child is given.get("weight"):
        say = f"{site.x} is a factor of the normalised {owner}, the local gradient; summed over all {place}s."
        return Step(index, say, (element(name("xh"), index),), sums=sums, named={"xh": xhat})
    what = f"1/√({'variance' if centred else 'mean square'} + eps)" + " of an example's group" * bool(groups)
    named = {"xh": xhat, "inv": Named(r, f"inv is {what}")}
    hits = [code("hit(a == b)", a=index[a], b=site.index[a]) for a in axes if site.after[a] > 1]
    say, to = COUPLED["norm" if centred else called].at(0)
    say = say.format(over=" over an example's group of channels" * bool(groups))
    at: Index = tuple(number(0) if a in axes else i for a, i in enumerate(site.index))
    where: list[ast.expr] = []
    count = product(site.scope.size(x, a) for a in axes)
    if groups:
        width = site.before[1] // site.scope.value(groups)
        count = number(width * math.prod(site.before[2:]))
        own_group, group = (code("c // width", c=c[1], width=number(width)) for c in (site.index, index))
        one = width == site.before[1]
        at = (at[0], number(0) if one else own_group, number(0))
        where = [] if one else [code("group == own", group=group, own=own_group)]
    theirs = {"own": element(name("xh"), site.index), "other": element(name("xh"), index)}
    factors = [code(to, hit=product(hits), count=count, **theirs), element(name("inv"), at)]
    if "weight" in given:
        factors.append(element(given["weight"], tuple(index[a] for a in own)))
    return Step(index, say, tuple(factors), sums=sums, where=tuple(where), named=named)
