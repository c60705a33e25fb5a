"""The body of an item: the gradient through the lines that read its tensor, in plain torch."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from grader.authoring.hints.notation import code, name, number
from grader.authoring.hints.simplify import simplified
from grader.authoring.network import operators
from grader.authoring.network.operators import OPERATORS
from grader.authoring.network.site import Fit, Later, NotWritten, Site, Statements, summed
from grader.authoring.network.trace import Step


class Body(Statements):
    """One item's body. readers: the lines of the forward program that read the tensor."""

    def __init__(
        self, fit: Fit, tensor: Step, readers: Sequence[Step], loss: Step, taken: set[str], sizes: set[str]
    ) -> None:
        super().__init__(fit, operators.write, tensor, taken)
        self.readers, self.loss, self.sizes = readers, loss, sizes

    def text(self) -> str:
        """Statements, the last of which returns the gradient. NotWritten where the table lacks a rule."""
        terms: list[ast.expr] = []
        for reader in (r for r in self.readers if r.tracked):
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
                    self.change(whole, where, "+=", what)
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
        axes, ops = {s.args["dim"].value % len(self.tensor.shape) for s in steps}, {s.op for s in steps}
        if len(axes) != 1 or len(ops) != 1 or len(steps) < 2:
            return None
        axis, op = axes.pop(), ops.pop()
        size, bounds = self.tensor.shape[axis], []
        for step, _, what in self.parts:
            low, high, stride = (getattr(step.args.get(k), "value", None) for k in ("start", "end", "step"))
            if op == "select":
                low = step.args["index"].value % size
                high = low + 1
            elif stride not in (None, 1):
                return None
            low, high = (v + size if v < 0 else v for v in (low or 0, size if high is None else high))
            bounds.append((low, min(high, size), what))
        bounds.sort(key=lambda b: b[0])
        if [0, *(b[1] for b in bounds)] != [*(b[0] for b in bounds), size]:
            return None
        parts = ast.List([b[2] for b in bounds], ast.Load())
        text = "torch.stack(parts, axis)" if op == "select" else "torch.cat(parts, axis)"
        return code(text, parts=parts, axis=number(axis))

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
                except Later:
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
        return summed(found, step.shape, operand.shape) if operator.spread else found


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
