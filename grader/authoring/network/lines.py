"""How a step stands in a line of torch: most by a template in torch's own names of the arguments."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

import torch

from grader.authoring.hints.notation import code, filled, number
from grader.authoring.network.site import NotWritten, Value, Write, along, joined
from grader.authoring.network.trace import Number, Step, constant

REDUCTION = ("none", "mean", "sum")  # torch's numbers for them
TURNED = ("transpose", "permute", "expand", "slice", "select", "mT", "t", "numpy_T")


def plain(value: Any) -> Any:
    """What an argument is at the lecture's sizes; a Step is itself."""
    return [plain(v) for v in value] if isinstance(value, list) else getattr(value, "value", value)


def line(text: str) -> Write:
    """A line from a template.

    Of a call what a step lacks is left out, and a keyword whose argument is what the template gives it.
    """

    def write(step: Step, value: Value) -> ast.expr:
        def several(node: ast.expr) -> list[ast.expr]:
            if isinstance(node, ast.Starred):
                return [value(v) for v in step.args[ast.unparse(node.value)]]
            if isinstance(node, ast.List):
                return [ast.List([n for e in node.elts for n in several(e)], ast.Load())]
            if not isinstance(node, ast.Name):
                return [node]
            own = step.args.get(node.id)
            return [] if plain(own) is None else [value(own)]

        node = ast.parse(text, mode="eval").body
        if not isinstance(node, ast.Call):
            parts = {k: value(v) for k, v in step.args.items() if v is not None}
            if plain(step.args.get("alpha", 1)) != 1:
                parts["other"] = code("alpha * other", **parts)
            return filled(node, parts)  # type: ignore[no-any-return]
        keywords = []
        for keyword in node.keywords:
            own = step.args.get(keyword.arg or "")
            if plain(own) not in (ast.literal_eval(keyword.value), [], None):
                keywords.append(ast.keyword(keyword.arg, value(own)))
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "self":
            node.func.value = value(step.args["self"])
        return ast.Call(node.func, [n for a in node.args for n in several(a)], keywords)

    return write


def _with(step: Step, **changed: Any) -> Step:
    """A step with other arguments; one that is no argument of its own yet is a constant."""
    made = {k: v if isinstance(v, Number | list) else constant(v) for k, v in changed.items()}
    return replace(step, args={**step.args, **made})


def _one(dim: Any) -> Any:
    return dim if not isinstance(dim, list) else dim[0] if len(dim) == 1 else dim or None


def reduced(name: str) -> Write:
    """A reduction: one axis stands without brackets, all axes are not named."""

    def write(step: Step, value: Value) -> ast.expr:
        dim, args = _one(step.args.get("dim")), step.args
        biased = name in ("var", "std") and (
            plain(args.get("unbiased")) is False or plain(args.get("correction", 1)) == 0
        )
        own = _with(step, dim=dim, unbiased=not biased)
        return line(f"self.{name}(dim, keepdim=False, unbiased=True)")(own, value)

    return write


def loss(name: str) -> Write:
    text = f"F.{name}(self, target, reduction='mean', label_smoothing=0.0, beta=1.0, delta=1.0, "
    text += "log_target=False, weight=None, pos_weight=None, ignore_index=-100)"

    def write(step: Step, value: Value) -> ast.expr:
        return line(text)(_with(step, reduction=REDUCTION[step.args["reduction"].value]), value)

    return write


def sliding(step: Step, value: Value) -> ast.Call:
    """Layers that slide a window along axes: one number stands for the same one along each."""
    own = {k: v[0] for k, v in step.args.items() if isinstance(v, list) and v and len({*map(plain, v)}) == 1}
    step = _with(step, **own)
    text = "input, weight, bias, stride=1, padding=0, dilation=1, groups=1, output_padding=0"
    if "pool" in step.op:
        default = plain(step.args.get("kernel_size"))
        text = f"self, kernel_size, output_size, stride={default}, padding=0, dilation=1"
    made = line(f"F.{step.op}({text})")(step, value)
    assert isinstance(made, ast.Call)
    return made


def batch_norm(step: Step, value: Value) -> ast.expr:
    text = "F.batch_norm(input, None, None, weight, bias, training=False, eps=1e-5)"
    return line(text)(_with(step, training=True), value)


def norm(step: Step, value: Value) -> ast.expr:
    return line("self.norm(dim=None, keepdim=False)")(_with(step, dim=_one(step.args.get("dim"))), value)


def linear(step: Step, value: Value) -> ast.expr:
    bias = isinstance(step.args.get("bias"), Step)
    return line("input @ weight.T + bias" if bias else "input @ weight.T")(step, value)


def view(step: Step, value: Value) -> ast.expr:
    turned = step.args["self"].op in TURNED or step.op == "_unsafe_view"
    size = step.args.get("size") or step.args.get("shape") or []
    given = [value(n) for n in size] or [ast.Tuple([], ast.Load())]
    name = "reshape" if turned else step.op
    return ast.Call(ast.Attribute(value(step.args["self"]), name, ast.Load()), given, [])


def expand(step: Step, value: Value) -> ast.expr:
    x: Step = step.args["self"]
    more = len(step.shape) - len(x.shape)
    size = step.args["size"]
    given = [
        number(-1) if k >= more and x.shape[k - more] == n else value(size[k])
        for k, n in enumerate(step.shape)
    ]
    return ast.Call(ast.Attribute(value(x), "expand", ast.Load()), given, [])


def pick(step: Step, value: Value) -> ast.expr:
    """What a slice or a select stands as behind a name: the subscript. Negative places stay as written."""
    axis = step.args["dim"].value % len(step.args["self"].shape)
    if step.op == "select":
        return along(axis, value(step.args["index"]))
    bounds = []
    for name, trivial in (("start", 0), ("end", 2**63 - 1), ("step", 1)):
        bound = step.args.get(name)
        bounds.append(None if plain(bound) in (None, trivial) else value(bound))
    return along(axis, ast.Slice(*bounds))


def picked(step: Step, value: Value) -> ast.expr:
    return ast.Subscript(value(step.args["self"]), pick(step, value), ast.Load())


def sorting(name: str) -> Write:
    return line(f"self.{name}({'k, ' if name == 'topk' else ''}dim, descending=False, largest=True)")


def index(step: Step, value: Value) -> ast.expr:
    """A lookup; torch.arange is a range there, where every row is meant."""

    def place(found: Any) -> ast.expr:
        if not isinstance(found, Step):
            return ast.Slice()
        text = ast.unparse(value(found))
        ranged = text.startswith("torch.arange(")
        return code(text.removeprefix("torch.a")) if ranged else value(found)

    where = joined([place(i) for i in step.args["indices"]])
    return ast.Subscript(value(step.args["self"]), where, ast.Load())


def part(step: Step, value: Value) -> ast.expr:
    which = "indices" if step.args["place"].value else "values"
    return ast.Attribute(value(step.args["self"]), which, ast.Load())


def arange(step: Step, value: Value) -> ast.expr:
    floats = "float" in str(plain(step.args.get("dtype")))
    given = [k for k in ("start", "end", "step") if k in step.args]
    if given[-1] == "step" and plain(step.args["step"]) == 1:
        given.pop()
    if len(given) == 2 and plain(step.args["start"]) == 0:
        given = ["end"]
    made = ast.Call(code("torch.arange"), [value(step.args[k]) for k in given], [])
    return code("made.float()", made=made) if floats else made


def typed(text: str) -> Write:
    """A line that makes a tensor of nothing, of another type than floats where it is."""

    def write(step: Step, value: Value) -> ast.expr:
        made = line(text)(step, value)
        assert isinstance(made, ast.Call)
        if not step.floats and isinstance(step.args.get("dtype"), Number):
            made.keywords.append(ast.keyword("dtype", value(step.args["dtype"])))
        return made

    return write


def cast(step: Step, value: Value) -> ast.expr:
    dtype = str(plain(step.args.get("dtype"))).rpartition(".")[2].replace("int64", "long")
    return ast.Call(
        ast.Attribute(value(step.args["self"]), "float" if step.floats else dtype, ast.Load()), [], []
    )


def upsampled(step: Step, value: Value) -> ast.expr:
    scale, sizes = magnified(step), step.args.get("output_size")
    given: dict[str, ast.expr] = {"scale_factor": number(scale)}
    if not scale:
        name, own = ("size", sizes) if plain(sizes) else ("scale_factor", step.args["scale_factors"])
        given = {name: value(own)}
    if "bilinear" in step.op:
        given |= {"mode": ast.Constant("bilinear"), "align_corners": value(step.args["align_corners"])}
    keywords = [ast.keyword(k, v) for k, v in given.items()]
    return ast.Call(code("F.interpolate"), [value(step.args["input"])], keywords)


def magnified(step: Step) -> int:
    """By how much an interpolation makes both sides larger; 0 where that is no integer, or not the same."""
    own, out = step.args["input"].shapes, step.shapes
    pairs = [(a, b) for s, t in zip(own, out, strict=True) for a, b in zip(s[2:], t[2:], strict=True)]
    scales = {b / a for a, b in pairs}
    return int(min(scales)) if len(scales) == 1 and all(b % a == 0 for a, b in pairs) else 0


def anything(step: Step, value: Value) -> ast.expr:
    """An operator that the table doesn't know, by torch's own name for it."""
    for owner, name in ((torch, "torch"), (torch.nn.functional, "F")):
        if hasattr(owner, step.op):
            given: list[Any] = [v for v in step.args.values() if isinstance(v, Step)]
            given += [v for v in step.args.values() if isinstance(v, Number | list) and plain(v) is not None]
            return ast.Call(code(f"{name}.{step.op}"), [value(v) for v in given], [])
    raise NotWritten(f"torch's {step.op}")
