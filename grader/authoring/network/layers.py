"""Local gradients of layers and losses that are one line: convolutions, pooling, norms, softmax, losses."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from grader.authoring.hints.layers import MET, norm_axes, same
from grader.authoring.hints.local import AWAY, COUPLED, INV, LABELLED
from grader.authoring.hints.notation import code, number
from grader.authoring.hints.simplify import simplified
from grader.authoring.network import lines
from grader.authoring.network.lines import REDUCTION
from grader.authoring.network.site import NotWritten, Site, axes_code, summed
from grader.authoring.network.trace import Number, Step, literal


def _spaces(step: Step) -> int:
    """How many axes a layer slides along: 2 of max_pool2d."""
    return int(step.op[-2])


class _Sliding:
    """Loops over the spots of a kernel, and at each the slice of the padded large side that it meets.

    kernel: its sizes, by axis. small: the side of which each place meets one number there.
    """

    def __init__(self, s: Site, kernel: Sequence[ast.expr], small: Step) -> None:
        self.s, n = s, len(kernel)
        if n + 2 != len(small.shape):
            raise NotWritten("a layer of one image")
        stride = self._numbers("stride", kernel if "pool" in s.step.op else [number(1)] * n)
        dilation = self._numbers("dilation", [number(1)] * n)
        self.padding = self._numbers("padding", [number(0)] * n)
        self.bare = all(isinstance(p, ast.Constant) and p.value == 0 for p in self.padding)
        letters = [ast.Name(c) for c in "ij"[:n]]
        cuts = [
            simplified(
                code(f"x[dilation * spot : {MET} : stride]", spot=c, dilation=d, stride=st, place=size)
            ).slice
            for c, d, st, size in zip(
                letters, dilation, stride, [s.body.size(small, 2 + k) for k in range(n)], strict=True
            )
        ]
        every = (ast.Slice(), ast.Slice())
        self.given = {"window": ast.Tuple([*every, *cuts], ast.Load())}
        self.given["spot"] = ast.Tuple([*every, *letters], ast.Load())
        self.given["around"] = ast.Tuple(
            [p for own in reversed(self.padding) for p in (own, own)], ast.Load()
        )
        self.loops = [
            f"for {c.id} in range({ast.unparse(k)}):\n" for c, k in zip(letters, kernel, strict=True)
        ]

    def _numbers(self, name: str, default: list[ast.expr] | Sequence[ast.expr]) -> Sequence[ast.expr]:
        """A number for each axis, as it is written."""
        found = self.s.step.args.get(name)
        if name == "padding" and self.s.raw("padding") == "same":
            spots = self.s.step.args["weight"].shape[2:]
            reach = same((self.s.raw("dilation", [1]) * len(spots))[: len(spots)], spots)
            if any(r % 1 for r in reach):
                raise NotWritten("a padding that is not the same on both sides")
            return [number(r) for r in reach]
        if not isinstance(found, list) or not found:
            return default
        return [f.code for f in (found * len(default) if len(found) == 1 else found)]

    def do(self, line: str, **more: ast.expr) -> None:
        text = "".join("    " * k + loop for k, loop in enumerate([*self.loops, line]))
        self.s.do(text, **self.given, **more)

    def padded(self, what: ast.expr) -> ast.expr:
        return what if self.bare else self.s.let("padded", "F.pad(what, around)", what=what, **self.given)

    def gathered(self, each: str, **more: ast.expr) -> ast.expr:
        """The gradient of the large side: what comes back at each spot is added to its slice."""
        s = self.s
        zeros = "torch.zeros_like(x)"
        dx = s.own(zeros) if self.bare else s.let("dpadded", f"F.pad({zeros}, around)", **self.given)
        self.do(f"dx[window] += {each}", dx=dx, **more)
        if self.bare:
            return dx
        middle = [ast.Slice(p, code("p + n", p=p, n=s.size(2 + k))) for k, p in enumerate(self.padding)]
        return ast.Subscript(dx, ast.Tuple([ast.Slice(), ast.Slice(), *middle], ast.Load()), ast.Load())


def convolution(s: Site) -> ast.expr:
    """A convolution, spot by spot of its kernel: each is a matrix product of the channels."""
    if s.arg == "bias":
        return shift(s)
    image, weight, n = s.step.args["input"], s.step.args["weight"], _spaces(s.step)
    across = "transpose" in s.step.op
    sliding = _Sliding(s, [s.body.size(weight, 2 + k) for k in range(n)], image if across else s.step)
    g, part = ("g", ".unflatten({}, (groups, -1))") if s.raw("groups", 1) > 1 else ("", "")
    a, b = "co" if across else "oc"
    met = {"n" + a: f"small{part.format(1)}", "n" + b: f"large[window]{part.format(1)}"}
    met[a + b] = f"weight[spot]{part.format(0)}"
    sought = a + b if s.arg == "weight" else "n" + (a if across else b)
    del met[sought]
    letters = [k.replace("n", "n" + g) + "hw"[:n] if "n" in k else g + k for k in (*met, sought)]
    each = f"torch.einsum('{letters[0]},{letters[1]}->{letters[2]}', {', '.join(met.values())})"
    each += f".flatten({letters[2].index('g')}, {letters[2].index('g') + 1})" if g else ""
    small, large = (s.fill("input"), s.dy) if across else (s.dy, s.fill("input"))
    if sought == "n" + b:
        return sliding.gathered(each, small=small)
    large, dx = sliding.padded(large), s.own("torch.zeros_like(x)")
    sliding.do(
        f"dx[spot] = {each}" if s.arg == "weight" else f"dx += {each}", dx=dx, small=small, large=large
    )
    return dx


def shift(s: Site) -> ast.expr:
    """A bias that is added along all axes but the second."""
    return s.fill("dy.sum(axes)", axes=axes_code([0, *range(2, len(s.step.shape))]))


def prelu(s: Site) -> ast.expr:
    n, one = len(s.step.shape), s.step.args["weight"].shape == (1,)
    if s.arg == "self":
        slope = "weight" if one or n == 2 else f"weight.view(-1{', 1' * (n - 2)})"
        return s.fill(f"dy * torch.where(self > 0, 1.0, {slope})")
    axes = range(n) if one else [0, *range(2, n)]
    total = s.fill("(dy * self * (self <= 0)).sum(axes)", axes=axes_code(axes))
    return s.fill("total.reshape(1)", total=total) if one else total


def max_pool(s: Site) -> ast.expr:
    n = _spaces(s.step)
    call = lines.sliding(s.step, s.body.value)
    call.keywords.append(ast.keyword("return_indices", ast.Constant(True)))
    where = s.let("where", code("call[1]", call=call))
    flat = "flatten(2)" if len(s.x.shape) == n + 2 else f"flatten(-{n})"
    text = f"torch.zeros_like(x).{flat}.scatter_add(-1, where.{flat}, dy.{flat}).reshape(whole)"
    return s.fill(text, where=where, whole=s.shape())


def average_pool(s: Site) -> ast.expr:
    if s.raw("ceil_mode") or s.raw("count_include_pad") is False:
        raise NotWritten("this average pooling")
    n = _spaces(s.step)
    found = s.step.args["kernel_size"]
    kernel = [k.code for k in (found * n if len(found) == 1 else found)]
    area = kernel[0] if n == 1 else code("a * b", a=kernel[0], b=kernel[1])
    return _Sliding(s, kernel, s.step).gathered("dy / area", area=area)


def adaptive_pool(s: Site) -> ast.expr:
    n, spaces = len(s.x.shape), _spaces(s.step)
    if any(size != 1 for size in s.step.shape[-spaces:]):
        raise NotWritten("adaptive pooling to more than one place")
    return s.fill("dy.expand(whole) / count", whole=s.shape(), count=s.count([*range(n - spaces, n)]))


def bilinear(s: Site) -> ast.expr:
    """Along each axis a product with a fixed matrix."""
    text = "F.interpolate(torch.eye(own).unsqueeze(0), out, mode='linear', align_corners=align_corners)[0]"
    given = [{"own": s.size(a), "out": s.body.size(s.step, a)} for a in (2, 3)]
    rows, columns = (s.let(k, text, **g) for k, g in zip(("rows", "columns"), given, strict=True))
    return s.fill("rows @ dy @ columns.T", rows=rows, columns=columns)


# --- norms, softmax --------------------------------------------------------------------------------------


def _coupled(s: Site, to: str, over: ast.expr, own: ast.expr, dy: ast.expr) -> ast.expr:
    """What arrives, through a local gradient of the hints' table along axes: summed over its `other`."""

    def sum_of(what: ast.expr, how: str) -> ast.expr:
        return code(f"(what).{how}(over, keepdim=True)", what=what, over=over)

    def through(node: ast.expr, dy: ast.expr, how: str = "sum") -> ast.expr:
        match node:
            case ast.Name("hit"):
                return dy
            case ast.Name("own"):
                return code("own * total", own=own, total=sum_of(dy, how))
            case ast.Name("other"):
                return sum_of(code("dy * own", dy=dy, own=own), how)
            case ast.BinOp(ast.Name("own"), ast.Mult(), right):
                return code("own * rest", own=own, rest=through(right, dy, how))
            case ast.BinOp(ast.Name("other"), ast.Mult(), right):
                return through(right, s.let("weighted", "own * dy", own=own, dy=dy), how)
            case ast.BinOp(left, ast.Div(), _):  # by how many there are
                return through(left, dy, "mean")
            case ast.BinOp(left, op, right):
                return ast.BinOp(through(left, dy, how), op, through(right, dy, how))
        return sum_of(dy, how)

    return through(ast.parse(to, mode="eval").body, dy)


def softmax(s: Site) -> ast.expr:
    own = s.fill("torch.exp(y)" if s.step.op == "log_softmax" else "y")
    return _coupled(s, COUPLED[s.step.op].at(0)[1], s.fill("dim"), own, s.dy)


def norm(s: Site) -> ast.expr:
    """To its gain and its shift sums, to its input what is left of mean and size."""
    n, called = len(s.step.shape), s.step.op
    axes, own = norm_axes(called, n, len(s.raw("normalized_shape", ())))
    rest = [k for k in range(n) if k not in own]

    def all_of(node: ast.expr) -> ast.expr:
        return code("node.sum(rest)", node=node, rest=axes_code(rest)) if rest else node

    if s.arg == "bias":
        return all_of(s.dy)
    groups, centred = s.step.args.get("num_groups"), called != "rms_norm"
    part = "({}).unflatten(1, (groups, -1)).flatten(2)" if groups else "{}"
    given = {"over": number(-1) if groups else axes_code(axes), "whole": s.body.shape(s.step.args["input"])}
    given |= {"groups": groups.code} if groups else {}
    eps = s.step.args.get("eps")
    tiny = eps.code if isinstance(eps, Number) and eps.value is not None else None
    given["eps"] = tiny or s.fill("torch.finfo(input.dtype).eps")
    x = s.fill("input")
    x = s.let("parted", part.format("input"), **given) if groups else x
    away = s.let("away", AWAY, x=x, **given) if centred else x
    inv = s.let("inv", INV, away=away, **given)
    xhat = s.let("xhat", "away * inv", away=away, inv=inv)
    if s.arg == "weight":
        return all_of(s.fill("dy * xhat.reshape(whole)" if groups else "dy * xhat", xhat=xhat, **given))
    gain = "weight" if own[-1] == n - 1 else f"weight.view(-1{', 1' * (n - 2)})"
    scaled, dxhat = part.format(f"dy * {gain}" if s.has("weight") else "dy"), s.dy
    if groups or s.has("weight"):
        dxhat = s.let("dxhat", scaled, **given)
    local = _coupled(s, COUPLED["norm" if centred else called].at(0)[1], given["over"], xhat, dxhat)
    dx = code("inv * local", inv=inv, local=local)
    return s.fill("dx.reshape(whole)", dx=dx, **given) if groups else dx


# --- losses -----------------------------------------------------------------------------------------------


def each(local: str) -> Callable[[Site], ast.expr]:
    """A loss that is reduced at its end: the local gradient of one number, then what the reduction does.

    local: in x and the target t.
    """

    def back(s: Site) -> ast.expr:
        if s.raw("log_target"):
            raise NotWritten("a target that is a logarithm")
        text = local
        if s.has("pos_weight"):
            text = "(1 + (pos_weight - 1) * t) * torch.sigmoid(x) - pos_weight * t"
            text = "(pos_weight - 1) * F.softplus(-x) - x" if s.arg == "target" else text
        text = f"weight * ({text}) * dy" if s.has("weight") else f"({text}) * dy"
        own, how = s.fill(text, x=s.fill("self"), t=s.fill("target")), REDUCTION[s.raw("reduction", 1)]
        if how == "none":
            return summed(own, s.step.shape, s.x.shape)
        return (
            s.fill("own / count", own=own, count=s.count([*range(len(s.x.shape))])) if how == "mean" else own
        )

    return back


def cross_entropy(s: Site) -> ast.expr:
    how, x, smooth = REDUCTION[s.raw("reduction", 1)], s.x, s.raw("label_smoothing", 0.0)
    chosen = s.raw("ignore_index", -100) >= 0 or s.has("weight")
    if len(x.shape) != 2 and (chosen or smooth or how == "none"):
        raise NotWritten("this cross entropy")
    if s.step.args["target"].floats or chosen and smooth:
        raise NotWritten("a cross entropy with probabilities, or weighted and smoothed")
    axis = min(1, len(x.shape) - 1)
    called = "nll_loss" if s.step.op.startswith("nll") else "smoothed" if smooth else "cross_entropy"
    hot = f"F.one_hot(target, classes){'.movedim(-1, 1)' * (len(x.shape) > 2)}"
    given = {"most": literal(1 - smooth), "share": literal(smooth), "classes": s.size(axis)}
    given |= {"p": s.fill("F.softmax(x, axis)", axis=number(axis)), "hot": s.fill(hot, classes=s.size(axis))}
    own = code(LABELLED[called].at(0)[1], **given)
    if how == "none":
        return s.fill("own * dy.unsqueeze(1)", own=own)
    if chosen:
        each = "weight[target]" if s.has("weight") else "(target != ignore_index).float()"
        share = s.let("share", each)
        own = s.fill("own * share.unsqueeze(1)", own=own, share=share)
        return s.fill("own * dy" if how == "sum" else "own * dy / share.sum()", own=own, share=share)
    if how == "sum" or len(x.shape) == 1:
        return s.fill("own * dy", own=own)
    return s.fill("own * dy / count", own=own, count=s.count([0, *range(2, len(x.shape))]))
