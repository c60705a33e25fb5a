"""Layers that are one line of a forward pass: convolutions, pooling, norms, losses, einsum."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable
from typing import Any

from grader.authoring.hints.notation import Index, Named, Sum, code, element, name, number, write
from grader.authoring.hints.site import NoRule, Site, Step, arguments, leading


def _given(site: Site, names: tuple[str, ...]) -> dict[str, ast.expr]:
    """A call's arguments by name, as they are written; the owner of a method first."""
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    operands = node.args if leading(site) else [node.func.value, *node.args]
    return dict(zip(names, operands, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}


def _number(site: Site, node: ast.expr | None, default: Any) -> Any:
    return default if node is None else site.scope.value(node)


def _many(value: Any, n: int) -> tuple[int, ...]:
    return (value,) * n if isinstance(value, int) else tuple(value)


def _fresh(site: Site, size: ast.expr) -> tuple[ast.expr, Sum]:
    letter = site.fresh()
    return letter, Sum(write(letter), size)


def _plus(node: ast.expr, more: int) -> ast.expr:
    if more == 0:
        return node
    return code("node + more" if more > 0 else "node - more", node=node, more=number(abs(more)))


def _times(node: ast.expr, factor: int) -> ast.expr:
    return node if factor == 1 else code("factor * node", node=node, factor=number(factor))


def _within(node: ast.expr, size: ast.expr) -> Index:
    return code("node >= 0", node=node), code("node < size", node=node, size=size)


def convolution(site: Site) -> Step:
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    given = _given(site, names)
    n = len(site.after) - 2
    stride, padding, dilation = (
        _many(_number(site, given.get(k), d), n) for k, d in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    if _number(site, given.get("groups"), 1) != 1:
        raise NoRule("a convolution in groups")
    image, kernel = given["input"], given["weight"]
    if site.child is given.get("bias"):
        return _shift(site, 1)
    size = site.scope.size
    if site.child is kernel:
        o, c, *spots = site.index
        row, rows = site.run(0)
        places = [site.run(2 + k) for k in range(n)]
        at = [
            _plus(code("a + b", a=_times(p, stride[k]), b=_times(spots[k], dilation[k])), -padding[k])
            for k, (p, _) in enumerate(places)
        ]
        where = [w for k, a in enumerate(at) if padding[k] for w in _within(a, size(image, 2 + k))]
        say = (
            "A convolution slides the kernel over the image: each of its weights meets one number of "
            "the image at "
            "every place, and gets the sum of their products with what arrives at that place."
        )
        index = (row, o, *(p for p, _ in places))
        return Step(
            index,
            say,
            (element(image, (row, c, *at)),),
            sums=(rows, *(s for _, s in places)),
            where=tuple(where),
        )
    row, c, *own = site.index
    o, channels = site.run(1)
    runs = [_fresh(site, size(kernel, 2 + k)) for k in range(n)]
    out, where = [], []
    for k, (spot, _) in enumerate(runs):
        far = code("own - spot", own=_plus(own[k], padding[k]), spot=_times(spot, dilation[k]))
        if stride[k] > 1:
            where.append(code("far % stride == 0", far=far, stride=number(stride[k])))
            far = code("far // stride", far=far, stride=number(stride[k]))
        where += _within(far, size(site.node, 2 + k))
        out.append(far)
    say = (
        "A convolution slides the kernel over the image: a number of the image is met by each weight of "
        "the kernel at another place of the result. What comes back is the sum over all these meetings: "
        "the kernel slides back over what arrives, reversed."
    )
    factor = element(kernel, (o, c, *(s for s, _ in runs)))
    sums = (channels, *(s for _, s in runs))
    return Step((row, o, *out), say, (factor,), sums=sums, where=tuple(where))


def transposed(site: Site) -> Step:
    given = _given(site, ("input", "weight", "bias", "stride", "padding"))
    n = len(site.after) - 2
    stride, padding = (_many(_number(site, given.get(k), d), n) for k, d in (("stride", 1), ("padding", 0)))
    if site.child is given.get("bias"):
        return _shift(site, 1)
    image, kernel, size = given["input"], given["weight"], site.scope.size
    say = (
        "A transposed convolution lays the kernel down at each place of its input, times the number "
        "there. So the way back is an ordinary convolution."
    )
    if site.child is kernel:
        c, o, *spots = site.index
        row, rows = _fresh(site, size(image, 0))
        places = [_fresh(site, size(image, 2 + k)) for k in range(n)]
        out = [
            _plus(code("a + b", a=_times(p, stride[k]), b=spots[k]), -padding[k])
            for k, (p, _) in enumerate(places)
        ]
        where = [w for k, a in enumerate(out) if padding[k] for w in _within(a, size(site.node, 2 + k))]
        factor = element(image, (row, c, *(p for p, _ in places)))
        return Step((row, o, *out), say, (factor,), sums=(rows, *(s for _, s in places)), where=tuple(where))
    row, c, *own = site.index
    o, channels = site.run(1)
    runs = [_fresh(site, size(kernel, 2 + k)) for k in range(n)]
    out = [
        _plus(code("a + b", a=_times(own[k], stride[k]), b=s), -padding[k]) for k, (s, _) in enumerate(runs)
    ]
    where = [w for k, a in enumerate(out) if padding[k] for w in _within(a, size(site.node, 2 + k))]
    factor = element(kernel, (c, o, *(s for s, _ in runs)))
    sums = (channels, *(s for _, s in runs))
    return Step((row, o, *out), say, (factor,), sums=sums, where=tuple(where))


def _shift(site: Site, axis: int) -> Step:
    """A bias that is added along all axes but one."""
    runs = {a: site.run(a) for a in range(len(site.after)) if a != axis}
    index = tuple(runs[a][0] if a in runs else site.index[0] for a in range(len(site.after)))
    say = f"{site.x} is added at every place, so it gets the sum of what arrives at all of them."
    return Step(index, say, sums=tuple(s for _, s in runs.values()))


def max_pool(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    call = ast.Call(node.func, node.args, [*node.keywords, ast.keyword("return_indices", ast.Constant(True))])
    runs = [site.run(a) for a in range(2, len(site.after))]
    index = (*site.index[:2], *(letter for letter, _ in runs))
    flat = site.index[2]
    for axis in range(3, len(site.before)):
        flat = code(
            "flat * width + own", flat=flat, width=site.scope.size(site.child, axis), own=site.index[axis]
        )
    m = element(name("top"), index)
    text = f"{write(m)} is where in its channel, counted along the rows, the largest number of the window is"
    say = (
        "Of each window only its largest number is passed on: the gradient goes to the place of the "
        "maximum, the "
        "rest gets 0."
    )
    where = (code("m == flat", m=m, flat=flat),)
    named = {"top": Named(code("call[1]", call=call), text)}
    return Step(index, say, sums=tuple(s for _, s in runs), where=where, named=named)


def average_pool(site: Site) -> Step:
    given = _given(site, ("input", "kernel_size", "stride", "padding"))
    n = len(site.after) - 2
    kernel = _many(site.scope.value(given["kernel_size"]), n)
    if _many(_number(site, given.get("stride"), kernel), n) != kernel or "padding" in given:
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
    count = functools.reduce(
        lambda a, b: code("a * b", a=a, b=b), [site.scope.size(site.child, a) for a in axes]
    )
    index = (*site.index[:2], *(number(0) for _ in axes))
    return Step(index, "The mean over all places of a channel.", (code("1 / count", count=count),))


def upsample(site: Site) -> Step:
    given = _given(site, ("input", "size", "scale_factor"))
    if "scale_factor" not in given or "mode" in given:
        raise NoRule("this interpolation")
    scale = int(site.scope.value(given["scale_factor"]))
    runs = [_fresh(site, number(scale)) for _ in site.after[2:]]
    own = [
        code("scale * own + k", scale=number(scale), own=site.index[2 + k], k=letter)
        for k, (letter, _) in enumerate(runs)
    ]
    say = "Each number is copied to a square of the result: it gets the sum of what arrives there."
    return Step((*site.index[:2], *own), say, sums=tuple(s for _, s in runs))


# --- norms -----------------------------------------------------------------------------------------------


def layer_norm(site: Site) -> Step:
    given = _given(site, ("input", "shape", "weight", "bias", "eps"))
    shape = site.scope.value(given["shape"])
    n = len(site.after)
    return _normed(site, given, tuple(range(n - len(shape), n)), number(1e-5), True)


def rms_norm(site: Site) -> Step:
    given = _given(site, ("input", "shape", "weight", "eps"))
    shape = site.scope.value(given["shape"])
    n = len(site.after)
    return _normed(
        site,
        given,
        tuple(range(n - len(shape), n)),
        code("torch.finfo(x.dtype).eps", x=given["input"]),
        False,
    )


def batch_norm(site: Site) -> Step:
    given = _given(site, ("input", "mean", "var", "weight", "bias", "training", "momentum", "eps"))
    return _normed(site, given, (0, *range(2, len(site.after))), number(1e-5), True)


def _normed(
    site: Site, given: dict[str, ast.expr], axes: tuple[int, ...], tiny: ast.expr, centred: bool
) -> Step:
    """A norm over some axes. Its gain has the axes of its own shape."""
    x, eps = given["input"], given.get("eps", tiny)
    rows = 0 in axes
    over = ast.Tuple([number(a) for a in axes], ast.Load())
    mean = code("x.mean(over, keepdim=True)", x=x, over=over)
    away = code("x - mean", x=x, mean=mean) if centred else x
    size = code("((away)**2).mean(over, keepdim=True)", away=away, over=over)
    r = code("(size + eps)**-0.5", size=size, eps=eps)
    hat = code("away * r", away=away, r=r)
    owner = ast.unparse(x)
    what = f"{owner} less its mean, times inv" if centred else f"{owner} times inv"
    spread = "variance" if centred else "mean square"
    named = {
        "xh": Named(hat, f"xh is the normalised {owner}: {what}"),
        "inv": Named(r, f"inv is 1/√({spread} + eps)"),
    }
    if site.child in (given.get("weight"), given.get("bias")):
        kept = (1,) if rows else axes
        runs = {a: site.run(a) for a in range(len(site.after)) if a not in kept}
        index = tuple(runs[a][0] if a in runs else site.index[kept.index(a)] for a in range(len(site.after)))
        sums = tuple(s for _, s in runs.values())
        if site.child is given.get("bias"):
            return Step(
                index, f"{site.x} is added to every row: what arrives is summed over all of them.", sums=sums
            )
        say = f"{site.x} is a factor of the normalised {owner}, the local gradient; summed over all rows."
        return Step(index, say, (element(name("xh"), index),), sums=sums, named={"xh": named["xh"]})
    runs = {a: site.run(a) for a in axes}
    index = tuple(runs[a][0] if a in runs else letter for a, letter in enumerate(site.index))
    hits = [code("hit(a == b)", a=runs[a][0], b=site.index[a]) for a in axes if site.after[a] > 1]
    hit = functools.reduce(lambda a, b: code("a * b", a=a, b=b), hits)
    count = functools.reduce(lambda a, b: code("a * b", a=a, b=b), [site.scope.size(x, a) for a in axes])
    own, other = element(name("xh"), site.index), element(name("xh"), index)
    text = "hit - (1 + own * other) / count" if centred else "hit - own * other / count"
    factors = [code(text, hit=hit, own=own, other=other, count=count)]
    factors.append(
        element(name("inv"), tuple(number(0) if a in axes else i for a, i in enumerate(site.index)))
    )
    if "weight" in given:
        factors.append(element(given["weight"], (index[1],) if rows else tuple(index[a] for a in axes)))
    says = (
        "through itself, through the mean, and through the variance"
        if centred
        else "through itself, and through the mean square"
    )
    say = (
        f"A norm: every number of the result depends on every number that it is normalised with: "
        f"{says}. Take them one "
        "by one; each of the sums that come back is a mean of what arrives, or of what arrives times "
        "the normalised."
    )
    return Step(index, say, tuple(factors), sums=tuple(s for _, s in runs.values()), named=named)


def group_norm(site: Site) -> Step:
    given = _given(site, ("input", "groups", "weight", "bias", "eps"))
    groups = site.scope.value(given["groups"])
    x, eps = given["input"], given.get("eps", number(1e-5))
    parted = code("x.unflatten(1, (groups, -1)).flatten(2)", x=x, groups=given["groups"])
    r = code("(parted.var(-1, unbiased=False) + eps)**-0.5", parted=parted, eps=eps)
    hat = code("torch.nn.functional.group_norm(x, groups, eps=eps)", x=x, groups=given["groups"], eps=eps)
    owner = ast.unparse(x)
    named = {
        "xh": Named(hat, f"xh is the normalised {owner}"),
        "inv": Named(r, "inv is 1/√(variance + eps) of an example's group"),
    }
    if site.child is given.get("bias"):
        return _shift(site, 1)
    if site.child is given.get("weight"):
        step = _shift(site, 1)
        say = f"{site.x} is a factor of the normalised {owner}, which is the local gradient."
        return Step(
            step.index, say, (element(name("xh"), step.index),), sums=step.sums, named={"xh": named["xh"]}
        )
    width = site.before[1] // groups
    runs = [site.run(a) for a in range(1, len(site.after))]
    index = (site.index[0], *(letter for letter, _ in runs))
    hits = [code("hit(a == b)", a=a, b=b) for a, b in zip(index[1:], site.index[1:], strict=True)]
    hit = functools.reduce(lambda a, b: code("a * b", a=a, b=b), hits)
    count = number(width * math.prod(site.before[2:]))
    own, other = element(name("xh"), site.index), element(name("xh"), index)
    factors = [code("hit - (1 + own * other) / count", hit=hit, own=own, other=other, count=count)]
    group = code("c // width", c=site.index[1], width=number(width)) if groups > 1 else number(0)
    factors.append(element(name("inv"), (site.index[0], group)))
    if "weight" in given:
        factors.append(element(given["weight"], (index[1],)))
    where = (code("c // width == group", c=index[1], width=number(width), group=group),) if groups > 1 else ()
    say = (
        "A norm over an example's group of channels: every number depends on every other of its group, "
        "through "
        "itself, through the mean, and through the variance."
    )
    return Step(index, say, tuple(factors), sums=tuple(s for _, s in runs), where=where, named=named)


# --- losses ----------------------------------------------------------------------------------------------


def loss(first: str, second: str, say: str) -> Callable[[Site], Step]:
    """A loss of one number against another, and then their mean: the local gradient towards either."""

    def rule(site: Site) -> Step:
        given = _given(site, ("x", "t"))
        if set(given) - {"x", "t", "reduction", "beta"}:
            raise NoRule("this use of a loss")
        x, t = given["x"], given["t"]
        how = site.scope.value(given["reduction"]) if "reduction" in given else "mean"
        own = first if site.child is x else second
        beta = given.get("beta", number(1))
        factor = code(own, x=site.at(x, site.index), t=site.at(t, site.index), beta=beta)
        factors = [factor]
        if how == "mean":
            sizes = [site.scope.size(site.child, a) for a in range(len(site.before))] or [number(1)]
            factors.append(
                code("1 / count", count=functools.reduce(lambda a, b: code("a * b", a=a, b=b), sizes))
            )
        told = say + {"mean": " Then comes the mean: one over how many there are.", "sum": ""}.get(how, "")
        return Step(site.index if how == "none" else (), told, tuple(factors))

    return rule


SQUARE = "A squared distance, number by number: twice the distance."
ABS = "An absolute distance: its sign."
SMOOTH = "A smooth distance: quadratic within beta, a line beyond. So the distance over beta, cut off at ±1."
ENTROPY = "The binary cross entropy −t·ln x − (1 − t)·ln(1 − x), number by number."
LOGITS = "A sigmoid and a binary cross entropy in one: what is left is the probability less the target."


def nll(site: Site) -> Step:
    given = _given(site, ("input", "target"))
    if set(given) - {"input", "target", "reduction"} or len(site.before) != 2:
        raise NoRule("this use of nll_loss")
    how = site.scope.value(given["reduction"]) if "reduction" in given else "mean"
    label = element(given["target"], site.index[:1])
    say = "The mean of minus what stands at each row's label: the other numbers don't count."
    rows = site.scope.size(site.child, 0)
    factors = (code("1 / rows", rows=rows),) if how == "mean" else ()
    return Step((), say, factors, -1, where=(code("label == j", label=label, j=site.index[1]),))


# --- the rest --------------------------------------------------------------------------------------------


def einsum(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    equation = str(ast.literal_eval(node.args[0])).replace(" ", "")
    members = node.args[1:]
    if "->" not in equation or "." in equation:
        raise NoRule("this equation of einsum")
    left, _, out = equation.partition("->")
    terms = left.split(",")
    place = next(k for k, m in enumerate(members) if m is site.child)
    known: dict[str, ast.expr] = dict(zip(terms[place], site.index, strict=True))
    sums = []
    for k, term in enumerate([*terms, out]):
        for axis, letter in enumerate(term):
            if letter not in known:
                owner = members[k] if k < len(members) else site.node
                known[letter], one = _fresh(site, site.scope.size(owner, axis))
                sums.append(one)
    factors = tuple(
        element(m, tuple(known[c] for c in terms[k])) for k, m in enumerate(members) if k != place
    )
    say = (
        f"einsum sums products over the letters that the result lacks. Backwards each letter of "
        f"{site.x} stays, and the "
        "sum runs over the others: an einsum of what arrives with the other factors."
    )
    return Step(tuple(known[c] for c in out), say, factors, sums=tuple(sums))


def clamp(site: Site) -> Step:
    given = _given(site, ("x", "min", "max"))
    x = site.at(site.child, site.index)
    where = [code("x >= low", x=x, low=given["min"])] if "min" in given else []
    where += [code("high >= x", x=x, high=given["max"])] if "max" in given else []
    say = "What lies beyond a bound was set to the bound: nothing comes back to it. The rest passes."
    return Step(site.index, say, where=tuple(where))


def norm(site: Site) -> Step:
    dim = arguments(site.node, ("p", "dim"), leading(site)).get("dim")
    keep = arguments(site.node, ("p", "dim", "keepdim"), leading(site)).get("keepdim")
    n = len(site.before)
    axes = tuple(range(n)) if dim is None else tuple(d % n for d in ([dim] if isinstance(dim, int) else dim))
    index = tuple(number(0) if a in axes else x for a, x in enumerate(site.index) if keep or a not in axes)
    y = element(name(site.output) if site.output else site.node, index)
    say = "The root of a sum of squares: the derivative of each number is its share, itself over the norm."
    return Step(index, say, (code("x / y", x=site.at(site.child, site.index), y=y),))


def logsumexp(site: Site) -> Step:
    given = arguments(site.node, ("dim", "keepdim"), leading(site))
    axis = given["dim"] if isinstance(given["dim"], int) else given["dim"][0]
    axis %= len(site.before)
    index = tuple(
        number(0) if a == axis else x for a, x in enumerate(site.index) if given.get("keepdim") or a != axis
    )
    y = element(name(site.output) if site.output else site.node, index)
    say = "The logarithm of a sum of exponentials: its derivative is the softmax."
    return Step(index, say, (code("exp(x - y)", x=site.at(site.child, site.index), y=y),))


def extreme(site: Site) -> Step:
    """amax and amin along one axis."""
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    given = arguments(node, ("dim", "keepdim"), leading(site))
    if not isinstance(given.get("dim"), int):
        raise NoRule("a maximum over several axes")
    axis = given["dim"] % len(site.before)
    which = "argmin" if node.func.attr == "amin" else "argmax"
    m = element(name("top"), tuple(x for a, x in enumerate(site.index) if a != axis))
    named = {
        "top": Named(
            code(f"({site.x}).{which}({axis})"), f"{write(m)} is the place of the extreme along axis {axis}"
        )
    }
    keep = given.get("keepdim")
    index = tuple(number(0) if a == axis else x for a, x in enumerate(site.index) if keep or a != axis)
    say = "One number of each row is passed on: the gradient goes to its place alone, the rest gets 0."
    return Step(index, say, where=(code("own == m", own=site.index[axis], m=m),), named=named)


def pad(site: Site) -> Step:
    widths = site.scope.value(_given(site, ("x", "pad"))["pad"])
    index = list(site.index)
    for k in range(len(widths) // 2):
        index[-1 - k] = _plus(index[-1 - k], widths[2 * k])
    return Step(tuple(index), "Padding puts constants around: the gradient is what arrives in the middle.")


def repeated(site: Site) -> Step:
    given = _given(site, ("x", "repeats", "dim"))
    times, dim = given["repeats"], site.scope.value(given["dim"]) if "dim" in given else None
    if dim is None or not isinstance(site.scope.value(times), int):
        raise NoRule("this use of repeat_interleave")
    axis = dim % len(site.before)
    letter, total = _fresh(site, times)
    own = code("own * times + k", own=site.index[axis], times=times, k=letter)
    say = f"Each number is copied along axis {axis}, side by side: the gradients of its copies add up."
    return Step((*site.index[:axis], own, *site.index[axis + 1 :]), say, sums=(total,))


def flipped(site: Site) -> Step:
    dims = arguments(site.node, ("dims",), leading(site)).get("dims")
    dims = [dims] if isinstance(dims, int) else list(dims or [])
    dims = [d % len(site.before) for d in dims]
    index = tuple(
        code("size - 1 - own", size=site.scope.size(site.child, a), own=x) if a in dims else x
        for a, x in enumerate(site.index)
    )
    return Step(index, "Reversed forwards, and reversed once more backwards.")


def larger(site: Site) -> Step:
    """maximum and minimum of two."""
    given = _given(site, ("a", "b"))
    other = given["b"] if site.child is given["a"] else given["a"]
    node = site.node
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    sign = ">" if node.func.attr == "maximum" else "<"
    if site.scope.shape(site.child) != site.after:
        raise NoRule("a maximum with what is broadcast")
    where = code(f"x {sign} other", x=site.at(site.child, site.index), other=site.at(other, site.index))
    return Step(
        site.index,
        "Of two numbers one is passed on, and gets the gradient; the other gets 0.",
        where=(where,),
    )


LAYERS: dict[str, Callable[[Site], Step]] = {
    "conv1d": convolution,
    "conv2d": convolution,
    "conv_transpose1d": transposed,
    "conv_transpose2d": transposed,
    "max_pool1d": max_pool,
    "max_pool2d": max_pool,
    "avg_pool1d": average_pool,
    "avg_pool2d": average_pool,
    "adaptive_avg_pool1d": adaptive_pool,
    "adaptive_avg_pool2d": adaptive_pool,
    "interpolate": upsample,
    "layer_norm": layer_norm,
    "rms_norm": rms_norm,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "mse_loss": loss("2*(x - t)", "2*(t - x)", SQUARE),
    "l1_loss": loss("sign(x - t)", "sign(t - x)", ABS),
    "smooth_l1_loss": loss("clip((x - t)/beta)", "clip((t - x)/beta)", SMOOTH),
    "binary_cross_entropy": loss("(x - t)/(x*(1 - x))", "ln((1 - x)/x)", ENTROPY),
    "binary_cross_entropy_with_logits": loss("sigma(x) - t", "-x", LOGITS),
    "nll_loss": nll,
    "einsum": einsum,
    "clamp": clamp,
    "norm": norm,
    "logsumexp": logsumexp,
    "amax": extreme,
    "amin": extreme,
    "pad": pad,
    "repeat_interleave": repeated,
    "flip": flipped,
    "maximum": larger,
    "minimum": larger,
}
