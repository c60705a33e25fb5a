"""A model's forward pass as a list of steps: what torch.export sees at several sizes, laid over one another.

A number that changes with the sizes becomes an expression in them. What stands in the way of an exercise is
collected, each with its line, and told at once.
"""

from __future__ import annotations

import ast
import itertools
import operator
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch.fx.proxy import TracerBase

from grader.authoring.item import AuthoredError
from grader.authoring.network import plain
from grader.authoring.network.sizes import Unknown, expression

ALIASES = ("alias", "contiguous", "lift_fresh_copy", "lift_fresh", "clone", "_to_copy", "to", "positive")
RANDOM = {"randn_like": "randn", "rand_like": "rand", "randn": "randn", "rand": "rand"}
MOVING = ("view", "reshape", "select", "slice", "transpose", "permute", "expand", "unsqueeze", "squeeze")
FLAT = ("detach", "zeros_like", "ones_like", "full_like", "sign", "floor", "ceil", "round")  # no gradient


@dataclass(eq=False)
class Step:
    """One operation, or an input. args: by name in torch's own signature; a Step, a Number, or lists of them.

    shapes: of the result, at each of the settings. where: file and line of the source. module: the path of
    the layer that it stands in. tracked: whether a gradient comes back to it.
    """

    op: str
    args: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ()
    where: tuple[str, int] = ("", 0)
    module: str = ""
    kind: str = ""  # of an input: parameter, buffer, given, noise
    floats: bool = True
    tracked: bool = False
    name: str = ""
    inline: bool = False
    fn: str = ""  # the source's function; after a # the place among several results
    frames: tuple[tuple[str, int, str], ...] = ()  # file, line, function, the outermost first

    @property
    def shape(self) -> tuple[int, ...]:
        return self.shapes[0]

    def operands(self) -> list[Step]:
        return list(_steps(list(self.args.values())))


@dataclass(frozen=True)
class Number:
    """A number of the program: at the lecture's sizes, and as it is written."""

    value: Any
    code: ast.expr


def _steps(value: Any) -> Any:
    if isinstance(value, Step):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _steps(one)


@dataclass
class Traced:
    """inputs: by kind in the signature's order; steps: all that the loss needs, in order; outputs."""

    inputs: list[Step]
    steps: list[Step]
    outputs: list[Step]


def export(model: Any, given: Mapping[str, Any], atomic: bool) -> Any:
    """The graph of a model at one fixture's sizes; AuthoredError says what it cannot follow."""
    module = model if isinstance(model, torch.nn.Module) else _Called(model)
    try:
        with plain.in_plain_steps(atomic), mock.patch.object(TracerBase, "_filter_traceback_frames", _frames):
            return torch.export.export(module, (), dict(given), strict=False)
    except Exception as error:
        raise AuthoredError(_why(error)) from None


def _frames(self: Any, stack: Any) -> traceback.StackSummary:
    """Of where a step was made the author's lines; torch keeps those in functions called forward alone."""
    return traceback.StackSummary.from_list(
        [f for f in stack if mine(f.filename) or f.filename == plain.__file__]
    )


class _Called(torch.nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, **given: Any) -> Any:
        return self.function(**given)


def _why(error: BaseException) -> str:
    text = str(error)
    inner: BaseException | None = error
    found: tuple[str, int] | None = None
    while inner is not None:
        tb = inner.__traceback__
        while tb is not None:
            if mine(tb.tb_frame.f_code.co_filename):
                found = (tb.tb_frame.f_code.co_filename, tb.tb_lineno)
            tb = tb.tb_next
        inner = inner.__cause__ or inner.__context__
    if "ata-dependent" in text or "unbacked" in text.lower():
        said = (
            "which way it goes depends on a tensor's values: keep the branch that the exercise is "
            "about, or write "
            "torch.where(condition, a, b)"
        )
    elif isinstance(error, NotImplementedError):
        said = text.split("\n")[0]
    else:
        said = f"{type(error).__name__}: {text.strip().splitlines()[0] if text.strip() else ''}"
    return f"{shown(found)}: {said}" if found else said


def shown(where: tuple[str, int]) -> str:
    """A place as one says it: the file from here."""
    path = Path(where[0])
    path = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{path}, line {where[1]}"


def mine(filename: str) -> bool:
    """Whether a file is the author's: not torch's, not ours but for the layers in plain steps."""
    return (
        not filename.startswith(("<", sys.prefix, torch.__path__[0]))
        and "/torch/" not in filename
        and "grader/authoring" not in filename.replace("\\", "/")
    )


class Layers:
    """Graphs of one model at several sizes, as one list of steps.

    settings: the sizes of each graph. problems: what stands in the way, by line.
    """

    def __init__(
        self,
        graphs: Sequence[Any],
        settings: Sequence[Mapping[str, int]],
        given: Sequence[str],
        lenient: bool = False,
    ) -> None:
        self.lenient = lenient
        self.graphs, self.settings, self.given = graphs, settings, given
        self.problems: list[tuple[tuple[str, int], str]] = []
        self.map: dict[Any, Step | None] = {}
        self.inputs: list[Step] = []
        self.steps: list[Step] = []
        self.views: dict[Step, Step] = {}

    def traced(self) -> Traced:
        nodes = [list(g.graph.nodes) for g in self.graphs]
        outputs: list[Step] = []
        last: dict[Any, int] = {}
        for at, node in enumerate(nodes[0]):
            for used in node.all_input_nodes:
                last[used] = at
        self.last = last
        for at, row in enumerate(zip(*nodes, strict=True)):
            self.at = at
            node = row[0]
            if node.op == "placeholder":
                self._input(row)
            elif node.op == "call_function":
                self._call(row)
            elif node.op == "output":
                outputs = [s for n in node.args[0] if self._is_result(n) and (s := self.map[n]) is not None]
        return Traced(self.inputs, self.steps, outputs)

    def _is_result(self, node: Any) -> bool:
        own = {
            o.arg.name for o in self.graphs[0].graph_signature.output_specs if o.kind.name == "USER_OUTPUT"
        }
        return isinstance(node, torch.fx.Node) and node.name in own and node in self.map

    def _input(self, row: Sequence[Any]) -> None:
        node, signature = row[0], self.graphs[0].graph_signature
        spec = next(s for s in signature.input_specs if s.arg.name == node.name)
        kind = {"PARAMETER": "parameter", "USER_INPUT": "given", "CONSTANT_TENSOR": "constant"}.get(
            spec.kind.name, "buffer"
        )
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor):
            self.map[node] = None
            return
        name = spec.target or self._given(spec, node.name)
        step = Step("input", {}, _shapes(row), kind=kind, floats=value.is_floating_point(), name=name)
        step.tracked = step.floats and kind in ("parameter", "given")
        self.map[node] = step
        self.inputs.append(step)

    def _given(self, spec: Any, name: str) -> str:
        """The name of an argument, which torch has in small letters."""
        specs = [s for s in self.graphs[0].graph_signature.input_specs if s.kind.name == "USER_INPUT"]
        at = specs.index(spec)
        if len(specs) == len(self.given) and name.startswith(self.given[at].lower()):
            return self.given[at]
        return next((g for g in self.given if g.lower() == name), name)

    def _call(self, row: Sequence[Any]) -> None:
        node = row[0]
        if node.target is operator.getitem:
            self._part(node, row)
            return
        op = (
            node.target._schema.name.rpartition("::")[2]
            if hasattr(node.target, "_schema")
            else str(node.target)
        )
        frames = _stack(node)
        file, line, fn = frames[-1] if frames else ("", 0, "")
        where = (file, line)
        module = _module(node)
        if op.startswith(("_assert", "sym_")) or not hasattr(node.target, "_schema"):
            if "higher_order" in str(type(node.target)) or "set_grad_enabled" in str(node.target):
                self._problem(where, "no_grad and the like hide steps: leave them out, or write .detach()")
            self.map[node] = None
            return
        names = [a.name for a in node.target._schema.arguments]
        defaults = {a.name: a.default_value for a in node.target._schema.arguments if a.has_default_value()}
        args: dict[str, Any] = {}
        for k, name in enumerate(names):
            values = [n.args[k] if k < len(n.args) else n.kwargs.get(name, defaults.get(name)) for n in row]
            args[name] = self._value(values, where)
        for name in ("layout", "device", "pin_memory", "memory_format", "non_blocking"):
            args.pop(name, None)
        shapes = _shapes(row)
        value = node.meta.get("val")
        value = value[0] if isinstance(value, list | tuple) and value else value
        floats = isinstance(value, torch.Tensor) and value.is_floating_point()
        if isinstance(value, torch.Tensor) and value.is_complex():
            self._problem(where, "complex numbers: write real and imaginary part as tensors of their own")
        elif op in ("item", "_local_scalar_dense"):
            self._problem(where, "a number is taken out of a tensor: leave .item() and float() out")
        if op in RANDOM or op in ("dropout", "native_dropout", "feature_dropout", "bernoulli"):
            self._random(node, op, args, shapes, where, module)
            return
        step = Step(op, args, shapes, where, module, floats=floats, fn=fn, frames=frames)
        if op.startswith("new_"):
            args.pop("self")
        step.tracked = floats and op not in FLAT and any(o.tracked for o in step.operands())
        if op in ("add", "sub") and _zero(args) and shapes == args["self"].shapes:
            self.map[node] = args["self"]
            return
        if self._is_alias(step):
            self.map[node] = next(iter(step.operands()))
            return
        if op.endswith("_") and not op.endswith("__"):
            self._in_place(node, step)
            return
        self.map[node] = step
        self.steps.append(step)
        if op in MOVING:
            self.views[step] = self.views.get(step.operands()[0], step.operands()[0])

    def _is_alias(self, step: Step) -> bool:
        same = [o for o in step.operands() if o.shapes == step.shapes]
        if step.op in ("view_as", "reshape_as"):
            same = [o for o in same if o is step.args["self"]]
        if step.op in ALIASES:
            return bool(same) and same[0].floats == step.floats
        return step.op in ("expand", "view", "reshape", "expand_as", "view_as", "flatten") and bool(same)

    def _in_place(self, node: Any, step: Step) -> None:
        """A change of a whole tensor is a step whose result every later line means."""
        target = node.args[0]
        old = self.map.get(target)
        plainly = step.op.removesuffix("_")
        sharing = [
            n for n, s in self.map.items() if s is not None and self.views.get(s) is old and self._later(n)
        ]
        if (
            old is None
            or not step.operands()
            or old in self.views
            or sharing
            or plainly in ("index_put", "copy")
        ):
            said = "changes part of a tensor in place: torch.where, torch.cat or masked_fill make a new one"
            self._problem(step.where, f"`{plainly}_` {said}")
            self.map[node] = old
            return
        if plainly in ("fill", "zero"):
            like = {"self": old, "value": step.args.get("value", Number(0, ast.Constant(0)))}
            step = Step(
                "full_like", like, step.shapes, step.where, step.module, floats=old.floats, fn=step.fn
            )
        step.op = plainly if step.op.endswith("_") else step.op
        if old.kind == "buffer":  # running statistics, which the loss has no part in
            self.map[node] = step
            return
        self.steps.append(step)
        self.map[node] = self.map[target] = step
        for other, known in list(self.map.items()):
            if known is old:
                self.map[other] = step

    def _later(self, node: Any) -> bool:
        return self.last.get(node, -1) > self.at

    def _random(
        self, node: Any, op: str, args: dict[str, Any], shapes: Any, where: tuple[str, int], module: str
    ) -> None:
        """What the forward pass draws is drawn with the inputs."""
        drawn = Step("input", {}, shapes, where, module, kind="noise", name=RANDOM.get(op, "keep"))
        if op in RANDOM:
            drawn.args = {"draw": RANDOM[op]}
            self.map[node] = drawn
            self.inputs.append(drawn)
            return
        if not args["p"].value or "train" in args and not args["train"].value:
            self.map[node] = args["input"]
            return
        drawn.args, drawn.floats = {"draw": "keep", "p": args["p"]}, False
        self.inputs.append(drawn)
        step = Step("kept", {"self": args["input"], "mask": drawn, "p": args["p"]}, shapes, where, module)
        step.tracked = args["input"].tracked
        self.map[node] = step
        self.steps.append(step)

    def _part(self, node: Any, row: Sequence[Any]) -> None:
        """One of several results: of chunk and split a slice, of unbind a row, of max its values."""
        source, place = node.args
        whole = self.map.get(source)
        if whole is None:
            self.map[node] = None
            return
        step = Step("part", {}, _shapes(row), whole.where, whole.module, floats=whole.floats, fn=whole.fn)
        value = node.meta.get("val")
        step.floats = isinstance(value, torch.Tensor) and value.is_floating_point()
        one = Number(place, ast.Constant(place))
        if whole.op == "broadcast_tensors":
            operand = whole.args["tensors"][place]
            step = Step("expand", {"self": operand}, step.shapes, whole.where, whole.module, fn=whole.fn)
            if operand.shapes == step.shapes:
                self.map[node] = operand
                return
        elif whole.op == "unbind":
            step.op, step.args = (
                "select",
                {"self": whole.args["self"], "dim": whole.args["dim"], "index": one},
            )
        elif whole.op in ("chunk", "split", "split_with_sizes", "tensor_split"):
            parent = whole.args["self"]
            axis = whole.args["dim"].value % len(parent.shape)
            starts, ends = [], []
            for k in range(len(row)):
                parts = [tuple(v.shape) for v in row[k].args[0].meta["val"]]
                starts.append(sum(s[axis] for s in parts[:place]))
                ends.append(starts[-1] + parts[place][axis])
            low, high = (Number(v[0], self._fit(v, whole.where)) for v in (starts, ends))
            if starts[0] == 0:
                low = Number(None, ast.Constant(None))
            if all(end == parent.shapes[k][axis] for k, end in enumerate(ends)):
                high = Number(None, ast.Constant(None))
            step.op = "slice"
            step.args = {"self": parent, "dim": Number(axis, ast.Constant(axis)), "start": low, "end": high}
            step.args["step"] = Number(1, ast.Constant(1))
        else:
            step.args = {"self": whole, "place": one}
        step.tracked = step.floats and any(o.tracked for o in step.operands())
        step.frames = whole.frames
        step.fn = whole.fn + f"#{place}" if whole.op != "broadcast_tensors" else whole.fn
        self.map[node] = step
        self.steps.append(step)

    def _value(self, values: Sequence[Any], where: tuple[str, int]) -> Any:
        first = values[0]
        if isinstance(first, torch.fx.Node):
            return self.map.get(first)
        if isinstance(first, list | tuple):
            if len({len(v) for v in values}) > 1:
                self._problem(where, "how many there are depends on the sizes")
                return []
            return [self._value(v, where) for v in zip(*values, strict=True)]
        if isinstance(first, torch.dtype | torch.device | torch.layout | torch.memory_format):
            dtype = isinstance(first, torch.dtype)
            return Number(first, ast.parse(str(first), mode="eval").body) if dtype else None
        if isinstance(first, bool | int | float | str) or first is None:
            return Number(first, self._fit(values, where))
        self._problem(where, f"{first!r} is nothing that a line can say")
        return None

    def _fit(self, values: Sequence[Any], where: tuple[str, int]) -> ast.expr:
        if all(v == values[0] for v in values):
            return literal(values[0])
        try:
            return expression(values, self.settings)
        except Unknown:
            if not self.lenient:
                raise
            return ast.Name("UNKNOWN", ast.Load())

    def _problem(self, where: tuple[str, int], said: str) -> None:
        if (where, said) not in self.problems:
            self.problems.append((where, said))


def literal(value: Any) -> ast.expr:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return ast.parse(f'float("{value}")', mode="eval").body
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _zero(args: Mapping[str, Any]) -> bool:
    other = args.get("other")
    return isinstance(other, Number) and other.value == 0


def _shapes(row: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    out = []
    for node in row:
        value = node.meta.get("val")
        value = value[0] if isinstance(value, list | tuple) and value else value
        out.append(tuple(int(s) for s in getattr(value, "shape", ())))
    return tuple(out)


def _stack(node: Any) -> tuple[tuple[str, int, str], ...]:
    """The author's lines that a step comes from, or of a layer in plain steps; and their functions."""
    text = node.meta.get("stack_trace") or ""
    frames = re.findall(r'File "([^"]+)", line (\d+), in (\S+)', text)
    ours = plain.__file__
    return tuple((f, int(n), fn) for f, n, fn in frames if mine(f) or f == ours)


def _module(node: Any) -> str:
    stack = node.meta.get("nn_module_stack") or {}
    path = list(stack.values())[-1][0] if stack else ""
    return re.sub(r"^L\['self'\]\.?|^function\.?", "", str(path))


def pruned(steps: Sequence[Step], outputs: Sequence[Step]) -> list[Step]:
    """The steps that outputs depend on, in order."""
    needed: set[Step] = set()
    todo = list(outputs)
    while todo:
        one = todo.pop()
        if one not in needed:
            needed.add(one)
            todo += one.operands()
    return [s for s in steps if s in needed]


def same(graphs: Sequence[Any]) -> bool:
    """Whether graphs hold the same steps, one for one."""
    told = [[(n.op, str(n.target)) for n in g.graph.nodes if n.op != "placeholder"] for g in graphs]
    return all(one == told[0] for one in told)


__all__ = ["Layers", "Number", "Step", "Traced", "Unknown", "export", "itertools", "pruned", "same"]
