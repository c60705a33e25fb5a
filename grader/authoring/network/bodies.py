"""The body of an item: the gradient through the lines that read its tensor, in plain torch."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from grader.authoring.hints.notation import code, name, number
from grader.authoring.network.operators import OPERATORS, NotWritten, Site, axes_code, write
from grader.authoring.network.simplify import simplified
from grader.authoring.network.sizes import Unknown
from grader.authoring.network.trace import Number, Step


class Writer:
    """Expressions for steps: by name, or written out where they stand inside a line."""

    def __init__(self, fit: Callable[[Sequence[int]], ast.expr]) -> None:
        self.fit = fit

    def value(self, what: Any) -> ast.expr:
        if isinstance(what, Step):
            return name(what.name) if not what.inline else write(what, self.value)
        if isinstance(what, Number):
            return copy.deepcopy(what.code)
        if isinstance(what, list):
            return ast.Tuple([self.value(w) for w in what], ast.Load())
        return ast.Constant(what)

    def line(self, step: Step) -> str:
        """`name = expression`."""
        return f"{step.name} = {ast.unparse(simplified(write(step, self.value)))}"


class Body(Writer):
    """One item's body. lines: of the forward program that read the tensor, each with its inline steps."""

    def __init__(
        self,
        fit: Any,
        tensor: Step,
        readers: Sequence[Step],
        loss: Step,
        taken: set[str],
        sizes: Sequence[str],
    ) -> None:
        super().__init__(fit)
        self.sizes = sizes
        self.tensor, self.readers, self.loss, self.taken = tensor, readers, loss, {*taken}
        self.statements: list[str] = []
        self.known: dict[str, ast.expr] = {}
        self.parts: list[tuple[Step, ast.expr, ast.expr]] = []  # slices: the step, where, what

    def text(self) -> str:
        """Statements, the last of which returns the gradient. NotWritten where the table lacks a rule."""
        terms: list[ast.expr] = []
        for reader in self.readers:
            up = number(1) if reader is self.loss else name("d" + reader.name)
            terms += self._through(reader, up)
        total = simplified(self._with_parts(terms))
        if not any(isinstance(n, ast.Name) and n.id not in self.sizes for n in ast.walk(total)):
            like = "torch.ones_like(x)" if ast.unparse(total) == "1" else "torch.full_like(x, total)"
            total = code(like, x=name(self.tensor.name), total=total)
        self.statements.append(f"return {ast.unparse(simplified(total))}")
        text = "\n".join(self.statements)
        if "UNKNOWN" in text:
            raise NotWritten("a number that is no expression in the sizes")
        return text

    def _with_parts(self, terms: list[ast.expr]) -> ast.expr:
        if self.parts:
            if (joined := self._joined()) is not None:
                terms.append(joined)
            else:
                whole = self.let(
                    "d" + self.tensor.name, code("torch.zeros_like(x)", x=name(self.tensor.name))
                )
                for _, where, what in self.parts:
                    cut = ast.Subscript(whole, where, ast.Store())
                    self.statements.append(f"{ast.unparse(cut)} += {ast.unparse(simplified(what))}")
                terms.append(whole)
        if not terms:
            raise NotWritten("no line that reads it")
        total = terms[0]
        for term in terms[1:]:
            total = code("total + term", total=total, term=term)
        return total

    def _joined(self) -> ast.expr | None:
        """Slices that make up an axis, one after another: joined again."""
        steps = [s for s, _, _ in self.parts]
        axes = {s.args["dim"].value % len(self.tensor.shape) for s in steps}
        if len(axes) != 1:
            return None
        axis = axes.pop()
        if all(s.op == "select" for s in steps):
            at = [s.args["index"].value for s in steps]
            if sorted(at) == list(range(self.tensor.shape[axis])) and len(at) > 1:
                parts = [
                    what
                    for _, what in sorted(
                        zip(at, (w for _, _, w in self.parts), strict=True), key=lambda p: p[0]
                    )
                ]
                return code("torch.stack(parts, axis)", parts=ast.List(parts, ast.Load()), axis=number(axis))
            return None
        bounds = []
        for step, _, what in self.parts:
            if step.op != "slice" or getattr(step.args["step"], "value", 1) != 1:
                return None
            low, high = (getattr(step.args.get(k), "value", None) for k in ("start", "end"))
            size = self.tensor.shape[axis]
            high = size if high is None else min(high + size if high < 0 else high, size)
            low = low or 0
            bounds.append((low + size if low < 0 else low, high, what))
        bounds.sort(key=lambda b: b[0])
        whole = [0, *(b[1] for b in bounds)] == [*(b[0] for b in bounds), self.tensor.shape[axis]]
        if not whole or len(bounds) < 2:
            return None
        parts = [b[2] for b in bounds]
        return code("torch.cat(parts, axis)", parts=ast.List(parts, ast.Load()), axis=number(axis))

    def placed(self, site: Site, where: ast.expr) -> ast.expr:
        """What comes back through a slice: into its place among zeros."""
        if site.x is self.tensor:
            self.parts.append((site.step, where, site.dy))
            raise _Later
        own = self.let("d" + site.x.name, code("torch.zeros(whole)", whole=self.shape(site.x)))
        cut = ast.Subscript(own, where, ast.Store())
        self.statements.append(f"{ast.unparse(cut)} = {ast.unparse(simplified(site.dy))}")
        return own

    def _through(self, reader: Step, up: ast.expr) -> list[ast.expr]:
        """The gradient's terms through one line: one for each way."""
        inner = self._inner(reader)
        arrived: dict[Step, list[ast.expr]] = {reader: [up]}
        terms: list[ast.expr] = []
        for step in reversed(inner):
            if step not in arrived:
                continue
            dy = arrived[step][0]
            for more in arrived[step][1:]:
                dy = code("a + b", a=dy, b=more)
            for arg, place, operand in _operands(step):
                if operand is not self.tensor and operand not in inner or not operand.tracked:
                    continue
                if operand is not self.tensor and not self._leads(operand, inner):
                    continue
                if not isinstance(dy, ast.Name | ast.Constant) and _heavy(step):
                    dy = self.let("d" + step.name, dy)
                try:
                    back = self._back(step, arg, place, operand, dy)
                except _Later:
                    continue
                if operand is self.tensor:
                    terms.append(back)
                else:
                    arrived.setdefault(operand, []).append(back)
        return terms

    def _inner(self, reader: Step) -> list[Step]:
        """A line's steps, the outermost last."""
        found: list[Step] = []

        def visit(step: Step) -> None:
            for operand in step.operands():
                if operand.inline and operand not in found:
                    visit(operand)
            if step not in found:
                found.append(step)

        visit(reader)
        return found

    def _leads(self, step: Step, inner: Sequence[Step]) -> bool:
        return any(o is self.tensor or o in inner and self._leads(o, inner) for o in step.operands())

    def _back(self, step: Step, arg: str, place: int, operand: Step, dy: ast.expr) -> ast.expr:
        operator = OPERATORS.get(step.op)
        rule = operator.back.get(arg) if operator else None
        if operator is None or rule is None:
            raise NotWritten(f"the local gradient of {step.op}")
        site = Site(self, step, arg, place, dy)
        found = site.fill(rule) if isinstance(rule, str) else rule(site)
        if operator.spread:
            if operand.shape == step.shape:
                return found
            found = self.summed(found, step.shape, operand.shape)
        return found

    # what the rules of the table ask for

    def let(self, wanted: str, value: ast.expr) -> ast.expr:
        """A statement that names a value; its name."""
        text = ast.unparse(simplified(value))
        if isinstance(value, ast.Name):
            return value
        if text in self.known:
            return self.known[text]
        free, k = wanted, 2
        while free in self.taken:
            free, k = f"{wanted}{k}", k + 1
        self.taken.add(free)
        self.statements.append(f"{free} = {text}")
        if "zeros" not in text:
            self.known[text] = name(free)
        return name(free)

    def do(self, template: str, site: Site, more: Mapping[str, ast.expr]) -> None:
        """A statement of the table's."""
        wanted = {n.id for n in ast.walk(ast.parse(template)) if isinstance(n, ast.Name)}
        parts = {k: self.value(v) for k, v in site.step.args.items() if k in wanted}
        parts |= {"dy": site.dy, **more}
        if "x" in wanted:
            parts["x"] = self.value(site.x)

        class Fill(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.expr:
                return copy.deepcopy(parts.get(node.id, node))

        tree = ast.fix_missing_locations(Fill().visit(ast.parse(template)))
        self.statements += [ast.unparse(simplified(s)) for s in tree.body]

    def summed(self, node: ast.expr, whole: tuple[int, ...], own: tuple[int, ...]) -> ast.expr:
        """A gradient of what was broadcast, summed over its copies."""
        more = len(whole) - len(own)
        if more:
            node = code("node.sum(axes)", node=node, axes=axes_code(list(range(more))))
        ones = [k for k, n in enumerate(own) if n == 1 < whole[more + k]]
        if ones:
            node = code("node.sum(axes, keepdim=True)", node=node, axes=axes_code(ones))
        return node

    def shape(self, step: Step) -> ast.expr:
        if step.name and not step.inline:
            return code("x.shape", x=name(step.name))
        return ast.Tuple([self.size(step, k) for k in range(len(step.shape))], ast.Load())

    def size(self, step: Step, axis: int) -> ast.expr:
        """How many there are along an axis: by a size's name where there is one."""
        try:
            return self.fit([s[axis] for s in step.shapes])
        except Unknown:
            return code("x.shape[axis]", x=self.value(step), axis=number(axis))

    def count(self, step: Step, axes: list[int]) -> ast.expr:
        if len(axes) > 2 and len(axes) == len(step.shape) and not step.inline:
            return code("x.numel()", x=self.value(step))
        node = self.size(step, axes[0]) if axes else number(1)
        for axis in axes[1:]:
            node = code("a * b", a=node, b=self.size(step, axis))
        if not ast.walk(node) or all(
            isinstance(n, ast.Constant | ast.BinOp | ast.operator) for n in ast.walk(node)
        ):
            return number(math.prod(step.shape[a] for a in axes))
        return node


class _Later(Exception):
    """The term is one of several slices, which are put together at the end."""


def _operands(step: Step) -> list[tuple[str, int, Step]]:
    found = []
    for arg, value in step.args.items():
        for place, one in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(one, Step):
                found.append((arg, place, one))
    return found


def _heavy(step: Step) -> bool:
    """Whether a rule uses what arrives more than once, so that it deserves a name."""
    many = "softmax log_softmax layer_norm rms_norm batch_norm group_norm conv2d conv1d max_pool2d einsum"
    return step.op in many.split()
