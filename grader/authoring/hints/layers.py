"""Layers that are one line of a forward pass: convolutions, pooling, norms."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from typing import Any

from grader.authoring.hints.notation import Index, Named, Sum, code, element, name, number, write
from grader.authoring.hints.site import NoRule, Site, Step, parts, plus, product


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
    made = name(site.output) if site.output else site.node
    out, within = [], []
    for k, spot in enumerate(spots):
        far = code("own - spot", own=plus(own[k], s.padding[k]), spot=_times(spot, s.dilation[k]))
        if s.stride[k] > 1:
            within.append(code("far % stride == 0", far=far, stride=number(s.stride[k])))
            far = code("far // stride", far=far, stride=number(s.stride[k]))
        within += _within(far, site.scope.size(made, 2 + k))
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


def layer_norm(site: Site) -> Step:
    given = parts(site, "input", "shape", "weight", "bias", "eps")
    return _normed(site, given, _last(site, given["shape"]))


def rms_norm(site: Site) -> Step:
    given = parts(site, "input", "shape", "weight", "eps")
    tiny = code("torch.finfo(x.dtype).eps", x=given["input"])
    return _normed(site, {"eps": tiny, **given}, _last(site, given["shape"]), centred=False)


def _last(site: Site, shape: ast.expr) -> tuple[int, ...]:
    """The last axes, of so many sizes."""
    n = len(site.after)
    return tuple(range(n - len(site.scope.value(shape)), n))


def batch_norm(site: Site) -> Step:
    given = parts(site, "input", "mean", "var", "weight", "bias", "training", "momentum", "eps")
    return _normed(site, given, (0, *range(2, len(site.after))))


def _gain(site: Site, owner: str, xhat: Named, at: tuple[Index, tuple[Sum, ...]], more: str) -> Step:
    """A factor of what a norm has normalised."""
    index, sums = at
    say = f"{site.x} is a factor of the normalised {owner}{more}"
    return Step(index, say, (element(name("xh"), index),), sums=sums, named={"xh": xhat})


def _local(index: Index, own: Index, hits: Sequence[ast.expr], count: ast.expr, centred: bool) -> ast.expr:
    """How a normalised number moves with another that it is normalised with."""
    text = "hit - (1 + own * other) / count" if centred else "hit - own * other / count"
    xh = {"own": element(name("xh"), own), "other": element(name("xh"), index)}
    return code(text, hit=product(hits), count=count, **xh)


def _normed(site: Site, given: dict[str, ast.expr], axes: tuple[int, ...], centred: bool = True) -> Step:
    """A norm over some axes. Its gain has the axes of its own shape."""
    x, eps = given["input"], given.get("eps", number(1e-5))
    rows = 0 in axes
    over = ast.Tuple([number(a) for a in axes], ast.Load())
    away = code("x - x.mean(over, keepdim=True)", x=x, over=over) if centred else x
    r = code("(((away)**2).mean(over, keepdim=True) + eps)**-0.5", away=away, over=over, eps=eps)
    owner = ast.unparse(x)
    root = f"√({'variance' if centred else 'mean square'} + eps)"
    text = f"xh is the normalised {owner}: {owner}{' less its mean,' if centred else ''} over {root}"
    xhat = Named(code("away * r", away=away, r=r), text)
    inv = Named(r, f"inv is 1/{root}")
    if site.child in (given.get("weight"), given.get("bias")):
        kept = (1,) if rows else axes
        at = _run(site, [a for a in range(len(site.after)) if a not in kept], kept)
        if site.child is given.get("weight"):
            return _gain(
                site, owner, xhat, at, ", which is the local gradient; all rows use it, so sum over them."
            )
        say = f"{site.x} is added to every row: what arrives is summed over all of them."
        return Step(at[0], say, sums=at[1])
    index, sums = _run(site, axes, range(len(site.after)))
    hits = [code("hit(a == b)", a=index[a], b=site.index[a]) for a in axes if site.after[a] > 1]
    factors = [_local(index, site.index, hits, product(site.scope.size(x, a) for a in axes), centred)]
    place = tuple(number(0) if a in axes else i for a, i in enumerate(site.index))
    factors.append(element(name("inv"), place))
    if "weight" in given:
        factors.append(element(given["weight"], (index[1],) if rows else tuple(index[a] for a in axes)))
    says = "through itself, and through the mean square"
    if centred:
        says = "through itself, through the mean, and through the variance"
    say = (
        "A norm: every number of the result depends on every number that it is normalised with: "
        f"{says}. Take them one by one; each of the sums that come back is a mean of what arrives, or of "
        "what arrives times the normalised."
    )
    return Step(index, say, tuple(factors), sums=sums, named={"xh": xhat, "inv": inv})


def group_norm(site: Site) -> Step:
    given = parts(site, "input", "groups", "weight", "bias", "eps")
    if site.child is given.get("bias"):
        return _shift(site)
    groups = site.scope.value(given["groups"])
    x, eps = given["input"], given.get("eps", number(1e-5))
    parted = code("x.unflatten(1, (groups, -1)).flatten(2)", x=x, groups=given["groups"])
    r = code("(parted.var(-1, unbiased=False) + eps)**-0.5", parted=parted, eps=eps)
    hat = code("torch.nn.functional.group_norm(x, groups, eps=eps)", x=x, groups=given["groups"], eps=eps)
    owner = ast.unparse(x)
    xhat = Named(hat, f"xh is the normalised {owner}")
    inv = Named(r, "inv is 1/√(variance + eps) of an example's group")
    if site.child is given.get("weight"):
        step = _shift(site)
        return _gain(site, owner, xhat, (step.index, step.sums), ", which is the local gradient.")
    width = site.before[1] // groups
    index, sums = _run(site, range(1, len(site.after)), range(len(site.after)))
    hits = [code("hit(a == b)", a=a, b=b) for a, b in zip(index[1:], site.index[1:], strict=True)]
    factors = [_local(index, site.index, hits, number(width * math.prod(site.before[2:])), centred=True)]
    group = code("c // width", c=site.index[1], width=number(width)) if groups > 1 else number(0)
    factors.append(element(name("inv"), (site.index[0], group)))
    if "weight" in given:
        factors.append(element(given["weight"], (index[1],)))
    where = (code("c // width == group", c=index[1], width=number(width), group=group),) if groups > 1 else ()
    say = (
        "A norm over an example's group of channels: every number depends on every other of its group, "
        "through itself, through the mean, and through the variance."
    )
    return Step(index, say, tuple(factors), sums=sums, where=where, named={"xh": xhat, "inv": inv})
