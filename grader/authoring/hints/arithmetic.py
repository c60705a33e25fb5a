"""Sums, differences, products, quotients, powers, products of matrices, and what chooses of two."""

from __future__ import annotations

import ast
from dataclasses import replace

from grader.authoring.hints.notation import Sum, code, element, number
from grader.authoring.hints.site import NoRule, Site, Step, operation, parts, spread


def binop(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.BinOp)
    left = site.child is node.left
    other = node.right if left else node.left
    text, said = ast.unparse(node), ast.unparse(other)
    constant = not site.scope.shape(other)
    match node.op:
        case ast.MatMult():
            return _matmul(site, left, other)
        case ast.Pow():
            return _pow(site, left, other)
        case ast.Add():
            say = f"{text} is a sum: the upstream gradient is handed on to each summand as it is."
            return spread(site, "" if constant else say)
        case ast.Sub() if left:
            return spread(
                site, f"{text} is a difference: its first part gets the upstream gradient as it is."
            )
        case ast.Sub():
            say = f"{site.x} is subtracted, so it gets the upstream gradient with its sign changed."
            return spread(site, say, sign=-1)
        case ast.Mult():
            say = f"The constant factor {said} stays a factor on the way back."
            if not constant:
                say = "In a product, the local gradient towards one factor is the other factor; here that "
                say += f"is {said}."
            return spread(site, say, "other", other=other)
        case ast.Div() if left:
            return spread(
                site, f"Dividing by {said} forwards is dividing by it backwards.", "1 / other", other=other
            )
        case ast.Div():
            say = f"{site.x} stands in the denominator: the derivative of 1/x, times the numerator."
            return spread(site, say, "other / own**2", -1, other=other, own=node.right)
    raise NoRule(type(node.op).__name__)


SIGNS: dict[str, ast.operator] = {
    "add": ast.Add(), "sub": ast.Sub(), "mul": ast.Mult(), "div": ast.Div(), "pow": ast.Pow(),
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), ast.MatMult()),
}  # fmt: skip


def called(site: Site, function: str) -> Step:
    """x.pow(2) as x ** 2, torch.mul(a, b) as a * b."""
    given = parts(site, "left", "right")
    if len(given) != 2 or {*given} != {"left", "right"}:
        raise NoRule(ast.unparse(site.node))
    return binop(replace(site, node=ast.BinOp(given["left"], SIGNS[function], given["right"])))


def _pow(site: Site, base: bool, other: ast.expr) -> Step:
    if not base:
        say = f"{site.x} is an exponent: the derivative of aˣ is aˣ · ln a."
        step = spread(site, say, "ln(other)", other=other)
        return replace(step, factors=(site.result(), *step.factors))
    try:
        power = ast.literal_eval(other)
    except ValueError:
        raise NoRule("a power that is not a number") from None
    say = "A power, element by element: the power rule, with the exponent going down by one."
    rest = "own" if power == 2 else "own**less"
    step = spread(site, say, rest, -1 if power < 0 else 1, own=site.child, less=number(power - 1))
    return replace(step, factors=(number(abs(power)), *step.factors)) if abs(power) != 1 else step


def _matmul(site: Site, left: bool, other: ast.expr) -> Step:
    before, after, with_ = site.before, site.after, site.scope.shape(other)
    if len(before) < 2 or len(with_) < 2:
        raise NoRule("a matrix product with a vector")
    sums: list[Sum] = []

    def new(axis: int) -> ast.expr:
        letter, total = site.run(axis)
        sums.append(total)
        return letter

    batch = []
    for axis in range(len(after) - 2):
        own = axis - len(after) + len(before)
        lone = own < 0 or (before[own] == 1 and after[axis] > 1)
        batch.append(new(axis) if lone else site.index[own])
    row, column = site.index[-2:]
    end = new(len(after) - 1 if left else len(after) - 2)
    out, meets = ([row, end], (column, end)) if left else ([end, column], (end, row))
    more = len(after) - len(with_)
    lead = [
        number(0) if n == 1 and after[k + more] > 1 else batch[k + more] for k, n in enumerate(with_[:-2])
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
    return Step((*batch, *out), say, (met,), sums=tuple(sums))


def one_way(*shapes: tuple[int, ...]) -> bool:
    """Whether the shapes of a product of matrices, and of its factors, leave one way to go back."""
    return len({size for shape in shapes for size in shape}) == 3


def _turned(node: ast.expr) -> ast.expr | None:
    """What stands before .T, .mT or .transpose(-2, -1): its elements are said by itself."""
    match node:
        case ast.Attribute(value, "T" | "mT"):
            return value
        case ast.Call(ast.Attribute(value, "transpose"), args):
            return value if sorted(map(ast.unparse, args)) == ["-1", "-2"] else None
    return None


def unary(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.UnaryOp)
    if isinstance(node.op, ast.UAdd):
        return Step(site.index, "")
    return Step(site.index, "The minus stays a minus.", sign=-1)


def einsum(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    equation = str(ast.literal_eval(node.args[0])).replace(" ", "")
    members = node.args[1:]
    if "->" not in equation or "." in equation:
        raise NoRule("this equation of einsum")
    left, _, out = equation.partition("->")
    terms = left.split(",")
    place = next(k for k, m in enumerate(members) if m is site.child)
    known: dict[str, ast.expr] = dict(zip(terms[place], site.index, strict=True))
    sums = []
    for k, term in enumerate([*terms, out]):
        for axis, letter in enumerate(term):
            if letter not in known:
                owner = members[k] if k < len(members) else site.node
                known[letter], one = site.over(site.scope.size(owner, axis))
                sums.append(one)
    factors = tuple(
        element(m, tuple(known[c] for c in terms[k])) for k, m in enumerate(members) if k != place
    )
    say = (
        f"einsum sums products over the letters that the result lacks. Backwards each letter of {site.x} "
        "stays, and the sum runs over the others: an einsum of what arrives with the other factors."
    )
    return Step(tuple(known[c] for c in out), say, factors, sums=tuple(sums))


def clamp(site: Site) -> Step:
    given = parts(site, "x", "min", "max")
    x = site.at(site.child, site.index)
    where = [code("x >= low", x=x, low=given["min"])] if "min" in given else []
    where += [code("high >= x", x=x, high=given["max"])] if "max" in given else []
    say = "What lies beyond a bound was set to the bound: nothing comes back to it. The rest passes."
    return Step(site.index, say, where=tuple(where))


def larger(site: Site) -> Step:
    """maximum and minimum of two."""
    given = parts(site, "a", "b")
    other = given["b"] if site.child is given["a"] else given["a"]
    if site.scope.shape(site.child) != site.after:
        raise NoRule("a maximum with what is broadcast")
    sign = ">" if operation(site.node) == "maximum" else "<"
    where = code(f"x {sign} other", x=site.at(site.child, site.index), other=site.at(other, site.index))
    say = "Of two numbers one is passed on, and gets the gradient; the other gets 0."
    return Step(site.index, say, where=(where,))
