"""A trace as a flat forward program, one named tensor a line; and its tensors' gradients."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from grader.authoring.hints.simplify import simplified
from grader.authoring.item import AuthoredError
from grader.authoring.network import bodies, export, names, operators, trace
from grader.authoring.network.load import Network, Sizes
from grader.authoring.network.site import Writer
from grader.authoring.network.sizes import expression
from grader.authoring.network.trace import Number, Step, constant, literal

MOVES = ("transpose", "t", "numpy_T", "mT", "permute", "view", "reshape", "flatten", "unflatten", "unsqueeze",
         "squeeze", "expand", "select", "slice", "_unsafe_view")  # fmt: skip
WHOLE = ("cat", "stack", "einsum", "layer_norm", "conv2d", "softmax", "part")  # their operands have names
LONG = 72


class Flat:
    """A trace as a flat forward program.

    settings: the sizes that it was traced at. lines: the names of its tensors by the source's line, where
    the source is flat.
    """

    def __init__(
        self, network: Network, settings: Sequence[Sizes], lines: Mapping[int, str] | None = None
    ) -> None:
        self.network, self.settings = network, settings
        self.graphs = [network.graph(s) for s in settings]
        given = list(network.make(settings[0])[1])
        self.traced = trace.Layers(self.graphs, settings, given, lines is not None)
        self.problems = self.traced.problems
        self.said = ""
        self._refuse()
        self.loss = self._loss()
        self.steps = self._pruned()
        self.problems += [
            (step.where, f"torch's {step.op} is no line that can be written: write it in other operations")
            for step in self.steps
            if not operators.known(step.op)
        ]
        self._refuse()
        if self.loss not in self.steps:
            raise AuthoredError(
                "what the model returns is one of its inputs: there is nothing to differentiate"
            )
        self.writer = Writer(self.fit, operators.write)
        self.paths = {i: i.name for i in self.traced.inputs}
        used = {o for s in self.steps for o in s.operands()}
        weights = {s.args.get(k) for s in self.steps for k in ("weight", "pos_weight") if "self" in s.args}
        fixed = [i for i in self.traced.inputs if i in used and (i.kind == "constant" or i in weights)]
        for step in [i for i in fixed if i.kind in ("constant", "buffer")]:
            if made := self.table(step):
                step.op, step.inline = "constant", True
                step.args = {"value": Number(None, ast.parse(made, mode="eval").body)}
                used.discard(step)
        self.inputs = [i for i in self.traced.inputs if i in used]
        for step in self.inputs:
            if step.kind == "buffer" and step.name.endswith(("running_mean", "running_var")):
                step.kind = "statistic"  # a new layer's are 0 and 1, which tell nothing apart
        if lines is None:
            names.named(self.inputs, self.steps, [*settings[0], "loss"])
            self.loss.name, self.loss.inline = "loss", False
            self._inline()
        else:
            for step in self.steps:
                step.name = f"{lines.get(step.where[1], 'x')}_{step.op}"
            for line, target in lines.items():
                if own := [s for s in self.steps if s.where[1] == line]:
                    own[-1].name = target
                    for step in own[:-1]:
                        step.inline = True
            self.loss.inline = False
        self.lines = [s for s in self.steps if not s.inline]

    def _refuse(self) -> None:
        """Say all that stands in the way."""
        if self.problems:
            told = sorted({(w if w[0] else self.network.place, said) for w, said in self.problems})
            raise AuthoredError("\n".join(f"{export.shown(where)}: {said}" for where, said in told))

    def fit(self, values: Sequence[int]) -> ast.expr:
        if all(v == values[0] for v in values):
            return literal(values[0])
        return expression(list(values), self.settings)

    def _loss(self) -> Step:
        """The scalar that the model returns, or one made of what it returns."""
        steps, outs = self.traced.steps, self.traced.outputs
        tracked = [o for o in dict.fromkeys(outs) if o.tracked]
        scalars = [o for o in tracked if o.shape == ()]
        where = steps[-1].where if steps else ("", 0)

        def add(op: str, **args: Any) -> Step:
            shapes = args["self"].shapes if op == "mul" else len(self.settings) * ((),)
            steps.append(Step(op, args, shapes, where, "", tracked=True))
            return steps[-1]

        if not tracked:
            raise AuthoredError("nothing that the model returns depends on a parameter or an input")
        if len(scalars) > 1:
            self.said = f"The network returns {len(scalars)} numbers; the loss is their sum."
        if not scalars:
            for out in tracked:
                noise = Step("input", {"draw": "randn"}, out.shapes, kind="noise", name="weighting")
                self.traced.inputs.append(noise)
                weighted = add("mul", self=noise, other=out)
                scalars.append(add("sum", self=weighted, dim=constant(None)))
                if len(scalars) > 1:
                    scalars = [add("add", self=scalars[0], other=scalars[1])]
            self.said = (
                "The network ends with no single number, so the loss is the sum of what it returns, "
                "each number with a fixed random weight."
            )
        total = scalars[0]
        for more in scalars[1:]:
            total = add("add", self=total, other=more)
        return total

    def _pruned(self) -> list[Step]:
        """The steps that the loss depends on. What is only compared gets no gradient: it is not tracked."""
        needed, reached = {self.loss}, {self.loss}
        for step in reversed(self.traced.steps):
            needed.update(step.operands() if step in needed else ())
            step.tracked = step.tracked and step in reached
            reached.update(step.operands() if step.tracked else ())
        for step in self.traced.inputs:
            step.tracked = step.tracked and step in reached
        return [s for s in self.traced.steps if s in needed]

    def _inline(self) -> None:
        """What has no name in the source and is used once stands in the line that uses it, if it is small."""
        uses: dict[Step, list[Step]] = {}
        for step in self.steps:
            for operand in step.operands():
                uses.setdefault(operand, []).append(step)
        wanted = {s for s in self.steps if s.inline}
        for step in self.steps:
            ops = [r.op for r in uses.get(step, [])]
            step.inline = "part" in ops or ops == ["detach"]
        for step in self.steps:
            if step not in wanted or len(uses.get(step, [])) != 1 or step is self.loss:
                continue
            reader = uses[step][0]
            small = _is_small(step, reader) and not (reader.op in WHOLE and step.tracked)
            if small and len(self._written(step)) < LONG - 20:
                step.inline = True
                step.inline = len(self._written(reader)) < LONG

    def _written(self, step: Step) -> str:
        return ast.unparse(simplified(operators.write(step, self.writer.value)))

    def forward(self) -> str:
        lines = [self.writer.line(s) for s in self.lines]
        used = {n.id for line in lines for n in ast.walk(ast.parse(line)) if isinstance(n, ast.Name)}
        params = [i.name for i in self.inputs] + [n for n in self.settings[0] if n in used]
        head = "def forward(" + ", ".join(params) + "):"
        if len(head) > 100:
            head = "def forward(\n    " + _wrapped(params, 4) + "\n):"
        return "\n    ".join([head, *lines, "return loss"]) + "\n"

    def of_data(self) -> set[str]:
        """What no parameter has a part in, such as targets; of a function what its last line alone reads."""
        if not any(i.kind == "parameter" for i in self.inputs):
            return {i.name for i in self.inputs if self.readers(i) == [self.loss]}
        learned: set[Step] = set()
        for step in (*self.inputs, *self.steps):
            if step.tracked and (step.kind == "parameter" or not learned.isdisjoint(step.operands())):
                learned.add(step)
        return {s.name for s in (*self.inputs, *self.lines) if s not in learned}

    def readers(self, tensor: Step) -> list[Step]:
        """The lines that read a tensor, in order."""

        def reads(step: Step) -> bool:
            return any(o is tensor or (o.inline and reads(o)) for o in step.operands())

        return [line for line in self.lines if reads(line)]

    def body(self, tensor: Step) -> str:
        taken = {s.name for s in (*self.inputs, *self.steps)}
        taken |= {*self.settings[0], "n", "F", "torch", "i", "j"}
        taken |= {"d" + s.name for s in (*self.inputs, *self.lines)}
        taken.discard("d" + tensor.name)
        return bodies.Body(
            self.fit, tensor, self.readers(tensor), self.loss, taken, {*self.settings[0]}
        ).text()

    def values(self, step: Step) -> list[torch.Tensor]:
        """A buffer or a constant at each of the settings."""
        path = self.paths[step]
        return [{**dict(g.named_buffers()), **g.constants}[path] for g in self.graphs]

    def table(self, step: Step) -> str:
        """A buffer or a constant, as code; "" where no short code makes it."""
        values = self.values(step)
        size = [self.fit([s[k] for s in step.shapes]) for k in range(len(step.shape))]
        shape = ast.unparse(ast.Tuple(size, ast.Load()))
        n = ast.unparse(size[0]) if size else ""
        ones = f"torch.ones({shape})"
        tries = [f"torch.zeros({shape})", ones, f"torch.arange({n})", f"torch.arange({n}).float()"]
        tries += [f"torch.tril({ones})", f"torch.triu({ones})"]
        masks = (("tril", 0), ("tril", 1), ("triu", 1), ("triu", 0))
        tries += [f"torch.{t}({ones}) == {v}" for t, v in masks]
        tries += [f"{ones}.triu(1) == 1", f"torch.eye({n})"]
        if all(torch.equal(values[0], v) for v in values) and values[0].numel() <= 12:
            tries.append(f"torch.tensor({values[0].tolist()})")
        for text in tries:
            try:
                made = [eval(text, {"torch": torch}, dict(s)) for s in self.settings]
            except Exception:
                continue
            if all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(made, values, strict=True)):
                return text
        return ""


def _is_small(step: Step, reader: Step) -> bool:
    """Whether a step may stand in the line of its reader: a view, what is scaled, a summand."""
    if step.op in MOVES or not step.tracked:
        return True
    summand = reader.op in ("add", "sub") and step.op in ("mul", "matmul") and step.shapes == reader.shapes
    if summand and not any(o.inline and o.tracked for o in step.operands()):
        return True
    scaling = reader.op in ("mul", "div", "add", "sub", "masked_fill", "rsub", "neg")
    alone = sum(o.tracked for o in reader.operands()) == 1 and all(
        o.shape == () or o is step for o in reader.operands() if o.tracked or reader.op != "masked_fill"
    )
    return scaling and alone and step.op in ("matmul", "linear", "mul")


def _wrapped(words: Sequence[str], indent: int) -> str:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 92:
            lines.append(line.rstrip())
            line = ""
        line += f"{word}, "
    return ("\n" + " " * indent).join([*lines, line.rstrip()])
