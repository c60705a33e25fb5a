"""Layers that are one line of a forward pass: convolutions, pooling, norms."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from grader.authoring.hints.local import AWAY, COUPLED, INV
from grader.authoring.hints.notation import Index, Named, Sum, code, element, name, number, write
from grader.authoring.hints.simplify import simplified
from grader.authoring.hints.site import NoRule, Site, Step, operation, parts, plus, product

# A place of the small side of a convolution, a spot of the kernel and a number of the padded large side meet.
# Its result is the small side, small[n,a,place] = Σ kernel[a,b,spot] · large[n,b,MET], or, of a transposed
# one, the large side. Each of the three has a gradient of what arrives at the result and of the third.
MET = "stride * place + dilation * spot"
KERNEL = (
    "A convolution slides the kernel over the image: each of its weights meets one number of the image at "
    "every place, and gets the sum of their products with what arrives at that place."
)
IMAGE = (
    "A convolution slides the kernel over the image: a number of the image is met by each weight of the "
    "kernel at another place of the result. What comes back is the sum over all these meetings: the kernel "
    "slides back over what arrives, reversed."
)
LAID = (
    "A transposed convolution lays the kernel down at each place of its input, times the number there. So "
    "the way back is an ordinary convolution."
)


def same(dilation: Sequence[int], spots: Sequence[int]) -> list[float]:
    """The padding on each side that leaves an image's size as it is."""
    return [d * (k - 1) / 2 for d, k in zip(dilation, spots, strict=True)]


class _Sliding:
    """How a window slides: strides and the like, and the nodes of its small and its large side."""

    def __init__(self, site: Site, given: dict[str, ast.expr], spots: Sequence[int], small: ast.expr) -> None:
        self.site, self.small, self.spots = site, small, spots
        pooled = spots if "kernel_size" in given else 1
        self.stride, self.dilation = (
            self.numbers(given.get(k), d) for k, d in (("stride", pooled), ("dilation", 1))
        )
        padding = site.scope.value(given.get("padding", number(0)))
        if isinstance(padding, str):
            padding = same(self.dilation, spots) if padding == "same" else 0
        self.padding = self.numbers(None, padding)
        self.axes = range(2, 2 + len(spots))

    def numbers(self, node: ast.expr | None, default: Any) -> tuple[int, ...]:
        """A number for each axis along which it slides."""
        value = default if node is None else self.site.scope.value(node)
        return tuple(map(int, [value] * len(self.spots) if isinstance(value, int) else value))

    def over(self, node: ast.expr) -> tuple[Index, tuple[Sum, ...]]:
        """Fresh indices that run over all places of a side or of the kernel."""
        letters, sums = zip(*(self.site.over(self.site.scope.size(node, a)) for a in self.axes), strict=True)
        return letters, sums

    def met(self, places: Index, spots: Index, large: ast.expr) -> tuple[Index, Index]:
        """The large side's index, and on which condition it lies within."""
        at: list[ast.expr] = []
        where: list[ast.expr] = []
        for k, axis in enumerate(self.axes):
            given = {"stride": number(self.stride[k]), "dilation": number(self.dilation[k])}
            met = simplified(code(MET, place=places[k], spot=spots[k], **given))
            at.append(plus(met, -self.padding[k]))
            where += _within(at[-1], self.site.scope.size(large, axis)) if self.padding[k] else []
        return tuple(at), tuple(where)

    def places(self, own: Index, spots: Index) -> tuple[Index, Index]:
        """At which places the spots meet a number of the large side, and on which condition they do."""
        at: list[ast.expr] = []
        where: list[ast.expr] = []
        made = name(self.site.output) if self.site.output else self.small
        for k, spot in enumerate(spots):
            shift = simplified(code("dilation * spot", dilation=number(self.dilation[k]), spot=spot))
            far = code("own - shift", own=plus(own[k], self.padding[k]), shift=shift)
            if self.stride[k] > 1:
                where.append(code("far % stride == 0", far=far, stride=number(self.stride[k])))
                far = code("far // stride", far=far, stride=number(self.stride[k]))
            where += _within(far, self.site.scope.size(made, 2 + k))
            at.append(far)
        return tuple(at), tuple(where)


def _within(node: ast.expr, size: ast.expr) -> Index:
    return code("node >= 0", node=node), code("node < size", node=node, size=size)


def convolution(site: Site) -> Step:
    """Also a transposed one, which exchanges the two sides."""
    across = "transpose" in operation(site.node)
    names = ("output_padding", "groups", "dilation") if across else ("dilation", "groups")
    given = parts(site, "input", "weight", "bias", "stride", "padding", *names)
    if site.child is given.get("bias"):
        return _shift(site)
    image, kernel = given["input"], given["weight"]
    small, large = (image, site.node) if across else (site.node, image)
    s = _Sliding(site, given, site.scope.shape(kernel)[2:], small)
    groups = site.scope.value(given.get("groups", number(1)))
    widths = {k: number(site.scope.shape(v)[1] // groups) for k, v in (("made", small), ("met", large))}
    row, a, own = site.index[0], site.index[1], site.index[2:]
    c = b = a
    where: Index
    if site.child is kernel:
        (a, c), spots = site.index[:2], own
        row, one = site.over(site.scope.size(small, 0))
        places, sums = s.over(small)
    else:
        c, one = site.over(site.scope.size(kernel, int(across)))
        spots, sums = s.over(kernel)
        places = own
    if site.child is large:
        a, c = c, b
        (places, where), at = s.places(own, spots), own
        if groups > 1:
            where = (*where, code("o // made == c // met", o=a, c=b, **widths))
            c = code("c % met", c=b, **widths)
    else:
        at, where = s.met(places, spots, large)
        b = code("a // made * met + c", a=a, c=c, **widths) if groups > 1 else c
    met = {small: (row, a, *places), large: (row, b, *at), kernel: (a, c, *spots)}
    other = image if site.child is kernel else kernel
    say = LAID if across else KERNEL if site.child is kernel else IMAGE
    return Step(met[site.node], say, (element(other, met[other]),), sums=(one, *sums), where=where)


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
    if set(given) - {"input", "kernel_size", "stride", "padding"}:
        raise NoRule("this average pooling")
    kernel = site.scope.value(given["kernel_size"])
    kernel = [kernel] * (len(site.after) - 2) if isinstance(kernel, int) else kernel
    s = _Sliding(site, given, kernel, site.node)
    sums: tuple[Sum, ...] = ()
    if s.stride == tuple(kernel) and not any(s.padding):
        at = tuple(code("own // k", own=x, k=number(k)) for x, k in zip(site.index[2:], kernel, strict=True))
        sizes = [site.scope.size(site.node, a) for a in s.axes]
        cut = [n % k for n, k in zip(site.before[2:], kernel, strict=True)]
        ends = zip(at, sizes, cut, strict=True)
        where = tuple(code("own < size", own=own, size=size) for own, size, more in ends if more)
    else:
        spots, sums = zip(*(site.over(number(k)) for k in kernel), strict=True)
        at, where = s.places(site.index[2:], spots)
    say = "The mean of each window: each number in it has the same share of what arrives for the window."
    share = code("1 / k", k=number(math.prod(kernel)))
    return Step((*site.index[:2], *at), say, (share,), sums=sums, where=where)


def adaptive_pool(site: Site) -> Step:
    if any(n != 1 for n in site.after[2:]):
        raise NoRule("adaptive pooling to more than one place")
    axes = range(2, len(site.before))
    index = (*site.index[:2], *(number(0) for _ in axes))
    factor = code("1 / count", count=site.count(axes))
    return Step(index, "The mean over all places of a channel.", (factor,))


POOLS = {"max": max_pool, "avg": average_pool, "adaptive_avg": adaptive_pool}


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
    root = f"√({'variance' if centred else 'mean square'} + eps)" + " of an example's group" * bool(groups)
    xhat = Named(hat, f"xh is the normalised {owner}: {owner}{' less its mean,' * centred} over {root}")
    if site.child is given.get("weight"):
        say = f"{site.x} is a factor of the normalised {owner}, which is the local gradient; all "
        say += f"{place}s use it, so sum over them."
        return Step(index, say, (element(name("xh"), index),), sums=sums, named={"xh": xhat})
    named = {"xh": xhat, "inv": Named(r, f"inv is 1/{root}")}
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
