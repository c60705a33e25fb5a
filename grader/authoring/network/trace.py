"""A model's forward pass as a list of steps: what torch.export sees at several sizes, laid over one another.

A number that changes with the sizes becomes an expression in them. What stands in the way of an exercise is
collected, each with its line, and told at once.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from grader.authoring.hints.site import FLAT
from grader.authoring.network import export
from grader.authoring.network.sizes import Unknown, expression
from grader.reference.forward import is_float

ALIASES = ("alias", "contiguous", "lift_fresh_copy", "lift_fresh", "clone", "_to_copy", "to", "type_as",
           "positive")  # fmt: skip
RANDOM = {"randn_like": "randn", "rand_like": "rand", "randn": "randn", "rand": "rand"}
MOVING = ("view", "reshape", "select", "slice", "transpose", "permute", "expand", "unsqueeze", "squeeze")


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


def constant(value: Any) -> Number:
    return Number(value, literal(value))


def literal(value: Any) -> ast.expr:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return ast.parse(f'float("{value}")', mode="eval").body
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def _steps(value: Any) -> Iterator[Step]:
    if isinstance(value, Step):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _steps(one)


class Layers:
    """Graphs of one model at several sizes, as one list of steps.

    settings: the sizes of each graph. given: the arguments' names. inputs: in the signature's order. steps:
    in order. outputs: what the model returns. problems: what stands in the way, by line.
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
        self.outputs: list[Step] = []
        nodes = [list(g.graph.nodes) for g in graphs]
        self.last = {used: at for at, node in enumerate(nodes[0]) for used in node.all_input_nodes}
        for at, row in enumerate(zip(*nodes, strict=True)):
            self.at = at
            node = row[0]
            if node.op == "placeholder":
                self._input(row)
            elif node.op == "call_function":
                self._call(row)
            elif node.op == "output":
                self.outputs = [s for n in node.args[0] if self._is_result(n) and (s := self.map[n])]

    def _is_result(self, node: Any) -> bool:
        specs = self.graphs[0].graph_signature.output_specs
        own = {o.arg.name for o in specs if o.kind.name == "USER_OUTPUT"}
        return isinstance(node, torch.fx.Node) and node.name in own and node in self.map

    def _input(self, row: Sequence[Any]) -> None:
        node, signature = row[0], self.graphs[0].graph_signature
        spec = next(s for s in signature.input_specs if s.arg.name == node.name)
        kinds = {"PARAMETER": "parameter", "USER_INPUT": "given", "CONSTANT_TENSOR": "constant"}
        kind = kinds.get(spec.kind.name, "buffer")
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor):
            self.map[node] = None
            return
        name = spec.target or self._given(spec, node.name)
        step = Step("input", {}, _shapes(row), kind=kind, floats=value.is_floating_point(), name=name)
        frozen = not getattr(self.graphs[0].state_dict.get(spec.target), "requires_grad", True)  # of LoRA
        step.tracked = step.floats and kind in ("parameter", "given") and not frozen
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
        frames = export.stack(node)
        file, line, fn = frames[-1] if frames else ("", 0, "")
        where = (file, line)
        schema = getattr(node.target, "_schema", None)
        op = schema.name.rpartition("::")[2] if schema else str(node.target)
        if schema is None or op.startswith(("_assert", "sym_")):
            if "higher_order" in str(type(node.target)) or "set_grad_enabled" in op:
                self._problem(where, "no_grad and the like hide steps: leave them out, or write .detach()")
            self.map[node] = None
            return
        args: dict[str, Any] = {}
        for k, argument in enumerate(schema.arguments):
            name, default = argument.name, argument.default_value
            values = [n.args[k] if k < len(n.args) else n.kwargs.get(name, default) for n in row]
            args[name] = self._value(values, where)
        for name in ("layout", "device", "pin_memory", "memory_format", "non_blocking"):
            args.pop(name, None)
        if isinstance(args.get("other"), Step):
            op = {"max": "maximum", "min": "minimum"}.get(op, op)
        value = _result(node)
        floats = is_float(value)
        if isinstance(value, torch.Tensor) and value.is_complex():
            self._problem(where, "complex numbers: write real and imaginary part as tensors of their own")
        elif op in ("item", "_local_scalar_dense"):
            self._problem(where, "a number is taken out of a tensor: leave .item() and float() out")
        step = Step(op, args, _shapes(row), where, export.module(node), floats=floats, fn=fn, frames=frames)
        if op in RANDOM or op in ("dropout", "native_dropout", "feature_dropout", "bernoulli"):
            self._random(node, step)
            return
        if op.startswith("new_"):
            args.pop("self")
        if op == "batch_norm":  # in training; what it saves has no part in the loss
            args |= {"running_mean": None, "running_var": None}
        step.tracked = floats and step.op not in FLAT and any(o.tracked for o in step.operands())
        nothing = {"add": 0, "sub": 0, "mul": 1, "div": 1}.get(op)
        other, x = getattr(args.get("other"), "code", None), args.get("self")
        same = isinstance(x, Step) and x.floats and floats and step.shapes == x.shapes
        if same and isinstance(other, ast.Constant) and other.value == nothing:  # the same tensor twice
            self.map[node] = x
        elif self._is_alias(step):
            self.map[node] = step.operands()[0]
        elif op.endswith("_") and not op.endswith("__"):
            self._in_place(node, step)
        else:
            self._add(node, step)
            if op in MOVING:
                self.views[step] = self.views.get(step.operands()[0], step.operands()[0])

    def _is_alias(self, step: Step) -> bool:
        same = [o for o in step.operands() if o.shapes == step.shapes]
        if step.op in ("view_as", "reshape_as"):
            same = [o for o in same if o is step.args["self"]]
        if step.op in ALIASES or step.op == "detach" and not step.operands()[0].tracked:
            return bool(same) and same[0].floats == step.floats
        return step.op in ("expand", "view", "reshape", "expand_as", "view_as", "flatten") and bool(same)

    def _in_place(self, node: Any, step: Step) -> None:
        """A change of a whole tensor is a step whose result every later line means."""
        target = node.args[0]
        old = self.map.get(target)
        plainly = step.op.removesuffix("_")
        where: list[Any] = step.args.get("indices") or []  # a[a > 3] = 3
        if plainly == "index_put" and old and [old.shapes] == [getattr(w, "shapes", ()) for w in where]:
            value = step.args["values"]
            if not where[0].floats and value.shape == ():
                step = replace(step, op="masked_fill", args={"self": old, "mask": where[0], "value": value})
                plainly = step.op
        later = [s for n, s in self.map.items() if s and self.last.get(n, -1) > self.at]
        shared = any(self.views.get(s) is old for s in later)
        partly = old is not None and old in self.views or shared or plainly in ("index_put", "copy")
        if old is None or partly or not step.operands():
            said = "changes part of a tensor in place: torch.where, torch.cat or masked_fill make a new one"
            self._problem(step.where, f"`{plainly}_` {said}")
            self.map[node] = old
            return
        if plainly in ("fill", "zero"):
            like = {"self": old, "fill_value": step.args.get("value", constant(0))}
            step = replace(step, op="full_like", args=like, floats=old.floats, tracked=False, frames=())
        step.op = plainly if step.op.endswith("_") else step.op
        if old.kind == "buffer":  # running statistics, which the loss has no part in
            self.map[node] = step
            return
        self.steps.append(step)
        self.map[node] = self.map[target] = step
        for other, known in list(self.map.items()):
            if known is old:
                self.map[other] = step

    def _add(self, node: Any, step: Step) -> None:
        self.map[node] = step
        self.steps.append(step)

    def _random(self, node: Any, step: Step) -> None:
        """What the forward pass draws is drawn with the inputs."""
        args, at = step.args, (step.shapes, step.where, step.module)
        drawn = Step("input", {}, *at, kind="noise", name=RANDOM.get(step.op, "keep"))
        if step.op in RANDOM:
            drawn.args = {"draw": RANDOM[step.op]}
            self.map[node] = drawn
            self.inputs.append(drawn)
            return
        if not args["p"].value or "train" in args and not args["train"].value:
            self.map[node] = args["input"]
            return
        drawn.args, drawn.floats = {"draw": "keep", "p": args["p"]}, False
        self.inputs.append(drawn)
        kept = {"self": args["input"], "mask": drawn, "p": args["p"]}
        self._add(node, Step("kept", kept, *at, tracked=args["input"].tracked))

    def _part(self, node: Any, row: Sequence[Any]) -> None:
        """One of several results: of chunk and split a slice, of unbind a row, of max its values."""
        source, place = node.args
        whole = self.map.get(source)
        if whole is None:
            self.map[node] = None
            return
        fn = f"{whole.fn}#{place}"
        op, args = "part", {"self": whole, "place": constant(place)}
        if whole.op == "broadcast_tensors":
            operand = whole.args["tensors"][place]
            if operand is None or operand.shapes == _shapes(row):
                self.map[node] = operand
                return
            op, args, fn = "expand", {"self": operand, "size": self._size(row)}, whole.fn
        elif whole.op == "unbind":
            op = "select"
            args = {"self": whole.args["self"], "dim": whole.args["dim"], "index": constant(place)}
        elif whole.op in ("chunk", "split", "split_with_sizes", "tensor_split"):
            op, args = "slice", self._cut(whole, place, row)
        floats = is_float(_result(node))
        step = Step(op, args, _shapes(row), whole.where, whole.module, floats=floats, fn=fn)
        step.tracked = floats and any(o.tracked for o in step.operands())
        step.frames = whole.frames
        self._add(node, step)

    def _size(self, row: Sequence[Any]) -> list[Number]:
        """A result's shape as numbers that are written."""
        return [Number(s[0], self._fit(s)) for s in zip(*_shapes(row), strict=True)]

    def _cut(self, whole: Step, place: int, row: Sequence[Any]) -> dict[str, Any]:
        """A stretch of an axis as a slice's arguments."""
        parent = whole.args["self"]
        axis = whole.args["dim"].value % len(parent.shape)
        starts, ends = [], []
        for one in row:
            sizes = [v.shape[axis] for v in one.args[0].meta["val"]]
            starts.append(int(sum(sizes[:place])))
            ends.append(starts[-1] + int(sizes[place]))
        low, high = (Number(v[0], self._fit(v)) for v in (starts, ends))
        if starts[0] == 0:
            low = constant(None)
        if all(end == shape[axis] for end, shape in zip(ends, parent.shapes, strict=True)):
            high = constant(None)
        return {"self": parent, "dim": constant(axis), "start": low, "end": high, "step": constant(1)}

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
            return Number(first, self._fit(values))
        self._problem(where, f"{first!r} is nothing that a line can say")
        return None

    def _fit(self, values: Sequence[Any]) -> ast.expr:
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


def _result(node: Any) -> Any:
    """What a node gives; the first of several."""
    value = node.meta.get("val")
    return value[0] if isinstance(value, list | tuple) and value else value


def _shapes(row: Sequence[Any]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(s) for s in getattr(_result(node), "shape", ())) for node in row)
