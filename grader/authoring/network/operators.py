"""The table of operators: how a line is written in torch, and its local gradients as code.

A template speaks of the operator's arguments by torch's names for them (`self`, `weight`), of the argument
that the gradient is for as `x`, of its result as `y`, and of the gradient that arrives as `dy`. What a
template can't say is a function. The functions of one number come from the hints' own table.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from grader.authoring.hints.local import LOCAL, LOSSES, REDUCED
from grader.authoring.hints.notation import code
from grader.authoring.network import gradients, layers, lines
from grader.authoring.network.site import NotWritten, Site, Value, Write, axes_code
from grader.authoring.network.trace import Step, constant

Back = str | Callable[[Site], ast.expr]


@dataclass(frozen=True)
class Operator:
    """write: the line. back: by argument its gradient; `spread`: of the result's shape, to be summed."""

    write: Write
    back: dict[str, Back]
    spread: bool = False


def _row(write: str | Write, **back: Back) -> Operator:
    return Operator(lines.line(write) if isinstance(write, str) else write, back)


def _spread(write: str, **back: Back) -> Operator:
    """Elementwise with broadcasting."""
    return Operator(lines.line(write), back, spread=True)


def _both(write: str | Write, back: Back, *arguments: str) -> Operator:
    """One rule for several arguments."""
    return _row(write, **dict.fromkeys(arguments, back))


def _reduced(name: str, back: Back) -> Operator:
    return _row(lines.reduced(name), self=back)


# the functions of the hints' derivatives in torch
FUNCTIONS = {
    "Phi": "0.5 * (1 + torch.erf(v / 2**0.5))",
    "phi": "torch.exp(-v**2 / 2) / (2 * torch.pi) ** 0.5",
    "cos": "torch.cos(v)",
    "sin": "torch.sin(v)",
    "sign": "torch.sign(v)",
    "ln": "torch.log(v)",
    "clip": "torch.clamp(v, -1, 1)",
    "exp": "torch.exp(v)",
    "tanh": "torch.tanh(v)",
    "sigma": "torch.sigmoid(v)",
    "hit": "v",
}


class _Torch(ast.NodeTransformer):
    """A derivative of the hints' table, as torch has it."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        if ast.unparse(node).startswith("1 - hit("):
            assert isinstance(node.right, ast.Call)
            return ast.UnaryOp(ast.Invert(), node.right.args[0])
        self.generic_visit(node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Invert(), node.operand) if isinstance(node.op, ast.Not) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        own = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if own and isinstance(node.args[0], ast.Constant):  # ln(2)
            return ast.Constant(round(math.log(node.args[0].value), 12))  # type: ignore[arg-type]
        return code(own, v=node.args[0]) if own else node


def _in_torch(derivative: str | ast.expr) -> ast.expr:
    tree = ast.parse(derivative, mode="eval").body if isinstance(derivative, str) else derivative
    return _Torch().visit(tree)  # type: ignore[no-any-return]


def _local(name: str, place: int = 0) -> Callable[[Site], ast.expr]:
    """What arrives, times the local gradient of the hints' table."""
    row = LOCAL[name]
    to = row.at(place)[1]

    def back(s: Site) -> ast.expr:
        several = zip(row.names, s.step.args.values(), strict=False) if len(row.names) > 1 else ()
        given = {k: s.body.value(v) for k, v in several}
        given |= {k: s.body.value(s.step.args.get(k, constant(v))) for k, v in row.constants.items()}
        return code("own * dy", own=_in_torch(s.fill(to, **given)), dy=s.dy)

    return back


def _pair(write: str, first: str, second: str, name: str) -> Operator:
    return _spread(write, **{first: _local(name), second: _local(name, 1)})


def _loss(name: str) -> Operator:
    first, second = (layers.each(ast.unparse(_in_torch(to))) for to in LOSSES[name].to)
    return _row(lines.loss(name), self=first, target=second)


def _along(name: str) -> Back:
    """Of a reduction what arrives, times the local gradient of the hints' table."""
    to = str(REDUCED[name].to)

    def back(s: Site) -> ast.expr:
        axes = s.dims()
        if s.raw("ord", 2) != 2:
            raise NotWritten("a norm that is not the second")
        count = less = s.count(axes)
        if s.raw("correction", 1) != 0 and s.raw("unbiased", True) is not False:
            less = code("count - 1", count=count)
        mu = s.fill("x.mean(axes, keepdim=True)", axes=axes_code(axes))
        y = s.kept(s.body.value(s.step))
        if to in ("1", "1/count"):
            return code("own * up", own=s.fill(to, count=count), up=gradients.total(s))
        return code("own * up", own=_in_torch(s.fill(to, y=y, mu=mu, count=count, less=less)), up=s.kept())

    return back


NORM = ("input", "weight", "bias")
CONVOLUTIONS = ("conv", "conv_transpose")
DIAGONAL = "torch.diagonal_scatter(torch.zeros_like(x), dy, {})"
POOLS: dict[str, Back] = {
    "max": layers.max_pool, "avg": layers.average_pool, "adaptive_avg": layers.adaptive_pool
}  # fmt: skip
PRODUCTS = {"matmul": "other", "mm": "mat2", "bmm": "mat2", "mv": "vec", "dot": "tensor"}
COMPARED = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

OPERATORS: dict[str, Operator] = {
    "add": _spread("self + other", self="dy", other=lambda s: _scaled(s, "")),
    "sub": _spread("self - other", self="dy", other=lambda s: _scaled(s, "-")),
    "rsub": _spread("other - self", self="-dy", other="dy"),
    "mul": _pair("self * other", "self", "other", "mul"),
    "div": _pair("self / other", "self", "other", "div"),
    "pow": _pair("self ** exponent", "self", "exponent", "pow"),
    "maximum": _spread("torch.maximum(self, other)", self=gradients.larger, other=gradients.larger),
    "minimum": _spread("torch.minimum(self, other)", self=gradients.larger, other=gradients.larger),
    "masked_fill": _spread("self.masked_fill(mask, value)", self=_local("masked_fill")),
    "where": _spread(
        "torch.where(condition, self, other)", self=_local("where", 1), other=_local("where", 2)
    ),
    **{name: _both(f"self @ {other}", gradients.product, "self", other) for name, other in PRODUCTS.items()},
    "outer": _both("torch.outer(self, vec2)", gradients.product, "self", "vec2"),
    "linear": _row(lines.linear, input=gradients.product, weight=gradients.product, bias=gradients.expand),
    "einsum": _row("torch.einsum(equation, *tensors)", tensors=gradients.product),
    **{name: _reduced(name, _along(name)) for name in REDUCED if name != "norm"},
    **{name: _reduced(name, gradients.extreme) for name in ("amax", "amin", "max", "min")},
    **{name: _row(lines.reduced(name)) for name in ("argmax", "argmin")},
    "linalg_vector_norm": _row(lines.norm, self=_along("norm")),
    "part": _row(lines.part, self=gradients.part),
    **{name: _row(f"F.{name}(self, dim)", self=layers.softmax) for name in ("softmax", "log_softmax")},
    "cumsum": _row("self.cumsum(dim)", self="dy.flip(dim).cumsum(dim).flip(dim)"),
    "cumprod": _row("self.cumprod(dim)", self="(dy * y).flip(dim).cumsum(dim).flip(dim) / self"),
    "flip": _row("self.flip(dims)", self="dy.flip(dims)"),
    "roll": _row("torch.roll(self, shifts, dims)", self=gradients.rolled),
    **dict.fromkeys(("view", "reshape", "_unsafe_view"), _row(lines.view, self=gradients.view)),
    "flatten": _row("self.flatten(start_dim, end_dim=-1)", self=gradients.view),
    "unflatten": _row("self.unflatten(dim, sizes)", self=gradients.view),
    "squeeze": _row("self.squeeze(dim)", self=gradients.squeeze),
    "unsqueeze": _row("self.unsqueeze(dim)", self="dy.squeeze(dim)"),
    **dict.fromkeys(("t", "numpy_T"), _row("self.T", self=gradients.permuted)),
    "mT": _row("self.transpose(-2, -1)", self=gradients.permuted),
    "transpose": _row("self.transpose(dim0, dim1)", self=gradients.permuted),
    "permute": _row("self.permute(*dims)", self=gradients.permuted),
    "movedim": _row("self.movedim(source, destination)", self="dy.movedim(destination, source)"),
    "expand": _row(lines.expand, self=gradients.expand),
    **dict.fromkeys(("slice", "select"), _row(lines.picked, self=gradients.picked)),
    "index": _row(lines.index, self=gradients.looked_up),
    "index_select": _row("self.index_select(dim, index)", self=gradients.looked_up),
    "embedding": _row("weight[indices]", weight=gradients.looked_up),
    "gather": _row("self.gather(dim, index)", self="torch.zeros_like(x).scatter_add(dim, index, dy)"),
    "scatter": _row(
        "self.scatter(dim, index, src, value)", self="dy.scatter(dim, index, 0)", src="dy.gather(dim, index)"
    ),
    "scatter_add": _row("self.scatter_add(dim, index, src)", self="dy", src="dy.gather(dim, index)"),
    **{name: _row(lines.sorting(name), self=gradients.sorted_) for name in ("topk", "sort")},
    "pixel_shuffle": _row(
        "F.pixel_shuffle(self, upscale_factor)", self="F.pixel_unshuffle(dy, upscale_factor)"
    ),
    "pixel_unshuffle": _row(
        "F.pixel_unshuffle(self, downscale_factor)", self="F.pixel_shuffle(dy, downscale_factor)"
    ),
    "prelu": _both("F.prelu(self, weight)", layers.prelu, "self", "weight"),
    **dict.fromkeys(("cat", "concat"), _row("torch.cat([*tensors], dim)", tensors=gradients.cat)),
    "stack": _row("torch.stack([*tensors], dim)", tensors=gradients.cat),
    "repeat_interleave": _row("self.repeat_interleave(repeats, dim=None)", self=gradients.copied),
    "repeat": _row("self.repeat(*repeats)", self=gradients.copied),
    "pad": _row("F.pad(self, pad, value=0)", self=gradients.pad),
    "tril": _row("torch.tril(self, diagonal=0)", self="torch.tril(dy, diagonal)"),
    "triu": _row("torch.triu(self, diagonal=0)", self="torch.triu(dy, diagonal)"),
    "diagonal": _row("torch.diagonal(self, offset=0)", self=DIAGONAL.format("offset")),
    "diag": _row("torch.diag(self, diagonal=0)", self=DIAGONAL.format("diagonal")),
    **dict.fromkeys(
        ("clamp", "clamp_min", "clamp_max"), _row("self.clamp(min=None, max=None)", self=gradients.clamped)
    ),
    "kept": _row("self * mask / (1 - p)", self="dy * mask / (1 - p)"),
    **{
        f"{kind}{n}d": _both(lines.sliding, layers.convolution, *NORM)
        for kind in CONVOLUTIONS
        for n in (1, 2)
    },
    **{f"{kind}_pool{n}d": _row(lines.sliding, self=back) for kind, back in POOLS.items() for n in (1, 2)},
    "upsample_nearest2d": _row(lines.upsampled, input=gradients.copied),
    "upsample_bilinear2d": _row(lines.upsampled, input=layers.bilinear),
    "layer_norm": _both("F.layer_norm(input, normalized_shape, weight, bias, eps=1e-5)", layers.norm, *NORM),
    "rms_norm": _both("F.rms_norm(input, normalized_shape, weight, eps=None)", layers.norm, *NORM),
    "batch_norm": _both(lines.batch_norm, layers.norm, *NORM),
    "group_norm": _both("F.group_norm(input, num_groups, weight, bias, eps=1e-5)", layers.norm, *NORM),
    "cross_entropy_loss": _row(lines.loss("cross_entropy"), self=layers.cross_entropy),
    **dict.fromkeys(("nll_loss", "nll_loss_nd"), _row(lines.loss("nll_loss"), self=layers.cross_entropy)),
    **{name: _loss(name) for name in LOSSES},
    **{name: _row(f"self {sign} other") for name, sign in COMPARED.items()},
    "bitwise_and": _row("self & other"),
    "bitwise_or": _row("self | other"),
    **dict.fromkeys(("bitwise_not", "logical_not"), _row("~self")),
    "detach": _row("self.detach()"),
    "one_hot": _row("F.one_hot(self, num_classes)"),
    **dict.fromkeys(("to", "_to_copy", "type_as"), _row(lines.cast)),
    "constant": _row("value"),
    "zeros_like": _row("torch.zeros_like(self)"),
    "ones_like": _row("torch.ones_like(self)"),
    "full_like": _row("torch.full_like(self, fill_value)"),
    "eye": _row(lines.typed("torch.eye(n)")),
    **dict.fromkeys(("zeros", "new_zeros"), _row(lines.typed("torch.zeros(*size)"))),
    **dict.fromkeys(("ones", "new_ones"), _row(lines.typed("torch.ones(*size)"))),
    "full": _row(lines.typed("torch.full(size, fill_value)")),
    "arange": _row(lines.arange),
}


def _scaled(s: Site, sign: str) -> ast.expr:
    return s.fill(f"{sign}dy" if s.raw("alpha", 1) == 1 else f"{sign}alpha * dy")


LINES = {"gelu": "F.gelu(self, approximate='none')", "neg": "-self"}


def _elementwise(name: str) -> Operator:
    more = "".join(f", {k}={v!r}" for k, v in LOCAL[name].constants.items())
    write = LINES.get(name, f"{'torch' if hasattr(torch, name) else 'F'}.{name}(self{more})")
    return _row(write, self=_gelu if name == "gelu" else _local(name))


def _gelu(s: Site) -> ast.expr:
    if s.raw("approximate", "none") == "none":
        return _local("gelu")(s)
    inner = s.let("bent", "torch.tanh((2 / torch.pi) ** 0.5 * (self + 0.044715 * self**3))")
    slope = "(2 / torch.pi) ** 0.5 * (1 + 0.134145 * self**2)"
    text = f"dy * (0.5 * (1 + bent) + 0.5 * self * (1 - bent**2) * {slope})"
    return s.fill(text, bent=inner)


OPERATORS |= {name: _elementwise(name) for name, row in LOCAL.items() if row.names == ("x",) and row.say}
OPERATORS["log_sigmoid"] = OPERATORS["logsigmoid"]


def known(op: str) -> bool:
    """Whether a line can be written for an operator, if only by torch's own name for it."""
    return op in OPERATORS or hasattr(torch, op) or hasattr(torch.nn.functional, op)


def write(step: Step, value: Value) -> ast.expr:
    """A step as an expression of its operands'."""
    made = OPERATORS[step.op].write if step.op in OPERATORS else lines.anything
    return made(step, value)
