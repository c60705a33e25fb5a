"""Sums, differences, products, quotients, powers, and the product of matrices."""

from __future__ import annotations

import ast
from dataclasses import replace

from grader.authoring.hints.notation import Sum, binary, call, element, number, write
from grader.authoring.hints.site import NoRule, Site, Step, spread


def binop(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.BinOp)
    left = site.child is node.left
    other = node.right if left else node.left
    if isinstance(node.op, ast.MatMult):
        return _matmul(site, left, other)
    constant = not site.scope.shape(other)
    if isinstance(node.op, ast.Add):
        text = ast.unparse(node)
        say = (
            ""
            if constant
            else f"{text} is a sum: the upstream gradient is handed on to each summand as it is."
        )
        return spread(site, say)
    if isinstance(node.op, ast.Sub):
        if left:
            text = ast.unparse(node)
            return spread(
                site, f"{text} is a difference: its first part gets the upstream gradient as it is."
            )
        return replace(
            spread(site, f"{site.x} is subtracted, so it gets the upstream gradient with its sign changed."),
            sign=-1,
        )
    if isinstance(node.op, ast.Pow):
        return _pow(site, left, other)
    if isinstance(node.op, ast.Mult):
        text = ast.unparse(other)
        say = (
            f"The constant factor {text} stays a factor on the way back."
            if constant
            else "In a product, the local gradient towards one factor is the other factor; here that is "
            f"{text}."
        )
        step = spread(site, say)
        return replace(step, factors=(site.at(other, step.index),))
    if isinstance(node.op, ast.Div) and left:
        step = spread(site, f"Dividing by {ast.unparse(other)} forwards is dividing by it backwards.")
        return replace(step, factors=(binary(number(1), ast.Div(), site.at(other, step.index)),))
    if isinstance(node.op, ast.Div):
        step = spread(
            site, f"{site.x} stands in the denominator: the derivative of 1/x, times the numerator."
        )
        own = site.at(node.right, step.index)
        return replace(
            step,
            factors=(binary(site.at(other, step.index), ast.Div(), binary(own, ast.Pow(), number(2))),),
            sign=-1,
        )
    raise NoRule(type(node.op).__name__)


def _pow(site: Site, base: bool, other: ast.expr) -> Step:
    if not base:
        step = spread(site, f"{site.x} is an exponent: the derivative of aˣ is aˣ · ln a.")
        return replace(step, factors=(site.result(), call("ln", site.at(other, step.index))))
    try:
        power = ast.literal_eval(other)
    except ValueError:
        raise NoRule("a power that is not a number") from None
    step = spread(site, "A power, element by element: the power rule, with the exponent going down by one.")
    own = site.at(site.child, step.index)
    rest = own if power == 2 else binary(own, ast.Pow(), number(power - 1))
    scale = (number(abs(power)),) if abs(power) != 1 else ()
    return replace(step, factors=(*scale, rest), sign=-1 if power < 0 else 1)


def _matmul(site: Site, left: bool, other: ast.expr) -> Step:
    before, after, with_ = site.before, site.after, site.scope.shape(other)
    if len(before) < 2 or len(with_) < 2:
        raise NoRule("a matrix product with a vector")
    index = list(site.index)
    sums = []

    def new(axis: int) -> ast.expr:
        letter = site.fresh()
        sums.append(Sum(write(letter), site.scope.size(site.node, axis)))
        return letter

    batch = []
    for axis in range(len(after) - 2):
        own = axis - len(after) + len(before)
        lone = own < 0 or (before[own] == 1 and after[axis] > 1)
        batch.append(new(axis) if lone else index[own])
    row, column = index[-2], index[-1]
    if left:
        end = new(len(after) - 1)
        out, meets = [*batch, row, end], (column, end)
    else:
        end = new(len(after) - 2)
        out, meets = [*batch, end, column], (end, row)
    lead = [
        number(0) if n == 1 and after[k - len(with_) + len(after)] > 1 else batch[k - len(with_) + len(after)]
        for k, n in enumerate(with_[:-2])
    ]
    say = (
        "A matrix product: the gradient of either factor is itself a matrix product, of the upstream "
        f"gradient and the other factor, {ast.unparse(other)}. "
    )
    lecture = (site.scope.shape(n, lecture=True)[-2:] for n in (site.child, other, site.node))
    if one_way(*lecture):
        say += (
            "There is nothing to memorise, since the shapes leave one way to put them together: transpose "
            "what must be, and see what stands on which side."
        )
    else:
        say += (
            "Sizes are equal here, so the shapes alone leave several ways to put them together: write one "
            "number of the product as a sum, and see which numbers it is made of."
        )
    turned = _turned(other)
    met = element(turned, (*lead, *reversed(meets))) if turned else element(other, (*lead, *meets))
    return Step(tuple(out), say, (met,), sums=tuple(sums))


def one_way(*shapes: tuple[int, ...]) -> bool:
    """Whether the shapes of a product of matrices, and of its factors, leave one way to go back."""
    return len({size for shape in shapes for size in shape}) == 3


def _turned(node: ast.expr) -> ast.expr | None:
    """What stands before .T, .mT or .transpose(-2, -1): its elements are said by itself."""
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transpose":
        axes = sorted(ast.unparse(a) for a in node.args)
        return node.func.value if axes == ["-1", "-2"] else None
    return None


def unary(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.UnaryOp)
    if isinstance(node.op, ast.UAdd):
        return Step(site.index, "")
    return Step(site.index, "The minus stays a minus.", sign=-1)
