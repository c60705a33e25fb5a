"""A small worked example of an item: numbers as one would choose them on paper, differentiated by autograd.

Sizes are shrunk to 2 or 3, the tensors that the item's forward lines read get small round values, and of
many draws the one that is shortest to write is kept. Imports torch; runs at build time.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from unittest import mock

import torch

from grader.authoring.authored import Authored, Item
from grader.authoring.hints.figures import figure, is_exact
from grader.authoring.hints.local import LN, LOCAL
from grader.authoring.hints.site import operation
from grader.core.exercise import Line, sizes
from grader.core.graph import downstream
from grader.reference import draws, float64
from grader.reference.forward import Env, is_float
from grader.reference.program import Program

DRAWS, FUSED = 150, 500  # draws of which the shortest is kept; for an item that spans several lines
PLAIN = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
POSITIVE = (1.0, 2.0, 3.0, 4.0)
SHARE = (0.5, 0.25, 0.2, 0.4, 0.1, 0.8)
UPSTREAM = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 6.0)
ROOT = (1.0, 4.0, 0.25)
CORNERS = ("maximum(", "minimum(")  # where both are equal, autograd hands each a half
BENDS = ("relu", "elu(", ".abs()")  # operations with one formula on either side of 0


@dataclass(frozen=True)
class Example:
    """env: every tensor of the small run. shown: those that the item asks for. upstream: by tensor."""

    sizes: Mapping[str, int]
    env: Env
    reads: tuple[str, ...]
    shown: tuple[str, ...]
    upstream: Mapping[str, torch.Tensor]
    result: torch.Tensor
    siblings: Mapping[str, torch.Tensor]


@functools.cache
def ways(program: Program) -> list[Line]:
    """The lines, each with those of the tensors it reads that get a gradient from it."""
    env, grads = program.gradients(draws.start(program, next(iter(program.fixtures.values()))))

    def back(line: Line, tensor: str) -> bool:
        live = {tensor: env[tensor].detach().clone().requires_grad_()}
        return bool(getattr(program.step(line, {**env, **live}), "requires_grad", False))

    return [
        replace(x, uses=tuple(u for u in x.uses if x.name in grads and is_float(env[u]) and back(x, u)))
        for x in program.lines
    ]


def region(program: Program, tensor: str, cut: frozenset[str]) -> tuple[Line, ...]:
    """The forward lines between a tensor and its cut, those of the cut included; or on to the loss."""
    live = {tensor}
    lines = []
    for line, back in zip(program.lines, ways(program), strict=True):
        if line.name != tensor and live & set(back.uses):
            lines.append(line)
            if line.name not in cut:
                live.add(line.name)
    return tuple(lines)


class Search:
    """An item's small example, looked for among draws of small values.

    lines: the forward lines between its tensor and its cut.
    """

    def __init__(self, parts: Authored, program: Program, item: Item) -> None:
        self.parts, self.program, self.item = parts, program, item
        self.cut = parts.cut(item)
        self.lines = region(program, item.tensor, self.cut)

    def example(self) -> Example | None:
        """None where the exercise's inputs can't be made small."""
        second: Example | None = None  # an upstream gradient comes to nothing, or an index is always the same
        for square in (False, True):  # it hides a forgotten transpose; attention's weights are at any size
            for settings in _sizes(self.program, self.lines):
                if (env := _start(self.program, **settings)) is None:
                    continue
                own = env[self.item.tensor]
                sides = own.shape[-2:] if isinstance(own, torch.Tensor) else None
                if sides is None or (len(sides) == 2 and sides[0] == sides[1]) is not square:
                    continue
                if second and own.numel() > 4 * second.result.numel():  # rather that than a large one
                    continue
                if found := self._shortest(settings, env):
                    picks = [found.env[t] for t in found.shown if not is_float(found.env[t])]
                    varied = all(p.unique().numel() > 1 for p in picks)
                    if varied and all(self._counts(t, found) for t in found.upstream):
                        return found
                    second = second or found
        return second

    def _counts(self, tensor: str, found: Example) -> bool:
        """Whether the gradient has to do with an upstream gradient: a shift past the end leaves nothing."""
        without = {**found.upstream, tensor: torch.zeros_like(found.upstream[tensor])}
        with doubles():
            pulled = self._pulled(found.env, without)
        return pulled is None or not torch.allclose(pulled[1], found.result)

    def _shortest(self, settings: dict[str, Any], env: Env) -> Example | None:
        """Of many draws the one that is shortest to write and says something."""
        lines, item = self.lines, self.item
        own = {line.name for line in lines}
        reads = tuple(
            dict.fromkeys(u for line in lines for u in line.uses if u not in own or u == item.tensor)
        )
        usual = _start(self.program, **next(iter(self.program.fixtures.values()))) or env
        values = {t: _mask(usual[t]) or _values(t, lines, env[t]) for t in reads if is_float(env[t])}
        indexed = any(not is_float(env[t]) for t in reads if isinstance(env[t], torch.Tensor))
        near, beyond = {*reads, *own}, downstream(self.parts.lines, item.tensor)
        asked = [p for p in item.params if isinstance(env.get(p), torch.Tensor)]
        shown = tuple(p for p in asked if p in near or p not in beyond)  # or that lie elsewhere
        bends = any(x in line.code for line in lines if item.tensor in line.uses for x in BENDS)
        corners = any(x in line.code for line in lines for x in CORNERS)
        best: tuple[float, Example] | None = None
        for seed in range(DRAWS if len(lines) < 3 else FUSED):
            g = torch.Generator().manual_seed(seed)
            start = _start(self.program, **{**settings, "seed": seed}) if seed and indexed else env
            if start is None:
                return None
            one = {**start}
            for tensor, choice in values.items():
                one[tensor] = _draw(one[tensor].shape, choice, g)
            upstream = {t: _draw(env[t].shape, UPSTREAM, g) for t in sorted(self.cut)}
            try:
                with doubles():
                    pulled = self._pulled(one, upstream)
            except RuntimeError:  # values outside of what a line can take
                pulled = None
            if pulled is None:
                continue
            after, result = pulled
            if not seed:  # a tensor of which only the shape counts is not shown
                shown = tuple(t for t in shown if t in own or self._matters(t, one, result, upstream))
            candidate = Example(sizes(settings), after, reads, shown, upstream, result, {})
            score = _score(candidate)
            if len(lines) > 2 and bool((result.abs() < 1e-6).all(0).any()):
                score += 1000  # a column that vanishes shows nothing of the lines in between
            own_values = one[item.tensor]
            if bends and not _both_signs(own_values) or own_values.unique().numel() == 1 < own_values.numel():
                score += 1000  # it shows one side of the bend, or one value only
            if corners and self._is_corner(one, upstream, result):
                score += 1000
            if best is None or score < best[0]:
                best = score, candidate
        if best is None or float(best[1].result.abs().max()) < 1e-3:
            return None
        found = best[1]
        pull, direct = self.program.pull, self.program.direct
        siblings = self.parts.siblings(item)
        theirs = {s: pull(found.env, s[1:], direct(s[1:]), found.upstream)[0] for s in siblings}
        return replace(found, siblings=theirs)

    def _pulled(self, env: Env, upstream: Mapping[str, torch.Tensor]) -> tuple[Env, torch.Tensor] | None:
        """The lines run on, and the gradient by autograd; None where it is not finite."""
        start = env[self.item.tensor].detach().clone().requires_grad_()
        own = [line.name for line in self.lines]
        live: Env = {**env, self.item.tensor: start}
        total: Any = 0.0
        for line in self.lines:
            out = self.program.step(line, live)
            live[line.name] = out
            if line.name in self.cut:  # its path ends here
                total = total + (out * upstream[line.name]).sum()
                live[line.name] = out.detach()
            elif line.name == self.program.loss:
                total = total + out
        (result,) = torch.autograd.grad(cast(torch.Tensor, total), start)
        if not bool(result.isfinite().all()):
            return None
        return {**env, **{k: live[k].detach() for k in (self.item.tensor, *own)}}, result

    def _is_corner(self, env: Env, upstream: Mapping[str, torch.Tensor], result: torch.Tensor) -> bool:
        """Whether the gradient jumps within a hair's breadth."""
        own = env[self.item.tensor]
        near = own + 1e-6 * torch.arange(1, own.numel() + 1).view(own.shape)
        with doubles():
            pulled = self._pulled({**env, self.item.tensor: near}, upstream)
        return pulled is None or not torch.allclose(pulled[1], result, atol=1e-3)

    def _matters(
        self, tensor: str, env: Env, result: torch.Tensor, upstream: Mapping[str, torch.Tensor]
    ) -> bool:
        """Whether the gradient changes with a tensor's values."""
        if not is_float(env[tensor]):
            return True
        g = torch.Generator().manual_seed(1)
        for _ in range(4):
            other = torch.rand(env[tensor].shape, generator=g, dtype=torch.float64) + 0.5
            try:
                with doubles():
                    found = self._pulled({**env, tensor: other}, upstream)
            except RuntimeError:
                return True
            if found is None or not torch.allclose(found[1], result):
                return True
        return False


def _sizes(program: Program, lines: tuple[Line, ...]) -> Iterator[dict[str, Any]]:
    """Settings with sizes of 2 and 3, smallest first. A size that a line calculates with is 3: 2-1 hides
    itself, as does the quotient of two that are equal.
    """
    first = next(iter(program.fixtures.values()))
    names = [k for k, v in sizes(first).items() if isinstance(v, int)]
    named = {name for line in lines for name in _counted(ast.parse(line.code.strip()))}
    over = {k for line in lines for k in re.findall(r"\b(\w+) / [a-z]\w*\b(?![.(\[])", line.code)}
    choices = [(6,) if k in over else (3,) if k in named else (2, 3) for k in names]
    for own in sorted(itertools.product(*choices), key=lambda s: (math.prod(s), s)):
        yield {**first, "seed": 1, **dict(zip(names, own, strict=True))}
    # a network that can't be so small: its heads, or a loop of so many steps
    yield from ({**s, "seed": 1} for s in sorted(program.fixtures.values(), key=_volume))


def _volume(settings: Mapping[str, Any]) -> int:
    return math.prod(v for v in sizes(settings).values() if isinstance(v, int))


def _counted(node: ast.AST) -> Iterator[str]:
    """The names of a line, but those that only cut or give a shape: x[:T], x.view(B, T)."""
    if isinstance(node, ast.Name):
        yield node.id
    cut = node.args if isinstance(node, ast.Call) and operation(node) in ("view", "reshape") else []
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Slice) and child not in cut:
            yield from _counted(child)


@functools.cache
def _start(program: Program, **settings: Any) -> Env | None:
    """The forward pass at some sizes; None where they don't fit one another: inputs() may raise anything."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without a single number
            drawn = {k: v.double() if is_float(v) else v for k, v in program.draw(settings).items()}
        with doubles():
            return program.run(drawn)
    except Exception:
        return None


@contextlib.contextmanager
def doubles() -> Iterator[None]:
    """What a forward line makes of nothing, torch.zeros(n), or by .float(), is of float64 too."""
    with float64.double(), mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
        yield


def small(program: Program) -> Env | None:
    """The smallest run that the exercise's inputs() allows."""
    runs = (_start(program, **settings) for settings in _sizes(program, ()))
    return next((env for env in runs if env is not None), None)


def _mask(usual: torch.Tensor) -> tuple[float, ...]:
    """0 and the other value, of a tensor that has no more than these."""
    values = usual.unique().tolist()
    return tuple(values) if len(values) == 2 and 0 in values else ()


def _values(tensor: str, lines: tuple[Line, ...], usual: torch.Tensor) -> tuple[float, ...]:
    """Values that are good to calculate with, for what the lines do with the tensor."""
    for node in (n for line in lines for n in ast.walk(ast.parse(line.code.strip()))):
        if not any(isinstance(n, ast.Name) and n.id == tensor for n in ast.walk(node)):
            continue
        called = operation(node) if isinstance(node, ast.Call) else ""
        if called in LOCAL and LOCAL[called].nice:
            return LOCAL[called].nice
        if called == "logsigmoid":
            return LOCAL["sigmoid"].nice
        if called in ("softmax", "log_softmax", "cross_entropy"):
            return LN
        if called == "binary_cross_entropy":
            return SHARE
        exponent = ast.unparse(node.right) if isinstance(node, ast.BinOp) else ""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and exponent.startswith("-"):
            return ROOT if "." in exponent else (1.0, 2.0, 4.0, 0.5)
    low, high = float(usual.min()), float(usual.max())
    if low >= 0:
        return SHARE if high <= 1 else POSITIVE
    return PLAIN


def _both_signs(values: torch.Tensor) -> bool:
    return values.numel() < 2 or bool((values > 0).any() and (values < 0).any())


def _draw(shape: torch.Size, choice: tuple[float, ...], g: torch.Generator) -> torch.Tensor:
    """Values of the choice, no two alike in a row where there are enough."""
    options = torch.tensor(choice, dtype=torch.float64)
    width = shape[-1] if shape else 1
    rows = math.prod(shape) // width
    if width > len(choice):
        return options[torch.randint(0, len(choice), (rows, width), generator=g)].reshape(shape)
    picks = [torch.randperm(len(choice), generator=g)[:width] for _ in range(rows)]
    return options[torch.stack(picks)].reshape(shape)


def _score(e: Example) -> float:
    """How long it is to write; less if its numbers say more."""
    tensors = [*(e.env[t] for t in e.shown), *e.upstream.values()]
    flat = [float(v) for t in (*tensors, e.result, e.result) for v in t.reshape(-1).tolist()]
    length = sum(len(figure(v)) for v in flat) + 6 * sum(not is_exact(v) for v in flat)
    numbers = e.result.reshape(-1).tolist()
    result = [figure(v) for v in numbers]
    alike = len(result) - len(set(result))
    repeats = 0.0
    for tensor in tensors:
        values = [round(v, 9) for v in tensor.reshape(-1).tolist()]  # the last bits are the processor's
        repeats += 3 * (len(values) - len(set(values))) + 40 * sum(abs(v) > 50 for v in values)
        if tensor.ndim > 1 < tensor.shape[-1] and is_float(tensor):
            rows = [tuple(row) for row in tensor.reshape(-1, tensor.shape[-1]).tolist()]
            repeats += 8 * (len(rows) - len(set(rows)))
    if len(e.upstream) and any(0 < abs(v) < 1e-3 or abs(v) > 500 for v in numbers):
        repeats += 300  # what an eps left over, or blew up
    for name in e.shown:  # an index tensor should name something twice, and leave something out
        values = [round(v, 9) for v in e.env[name].reshape(-1).tolist()]
        if not is_float(e.env[name]):
            repeats += 8 * (len(set(values)) == len(values)) + 8 * (len(set(values)) == 1)
        elif len(set(values)) == 1 < len(values) or len(values) > 2 > len(values) - values.count(0):
            repeats += 200  # it shows one value only
    return length + 15 * result.count("0") + 2 * alike + repeats
