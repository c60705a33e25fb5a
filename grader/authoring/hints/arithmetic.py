"""Sums, differences, products, quotients, powers, products of matrices, and what chooses of two."""

from __future__ import annotations

import ast

from grader.authoring.hints.notation import Sum, element, number
from grader.authoring.hints.site import NoRule, Site, Step, parts, spread


def matmul(site: Site) -> Step:
    """The operator @, or a function of its name."""
    node = site.node
    if isinstance(node, ast.BinOp):
        left, right = node.left, node.right
    else:
        given = parts(site, "left", "right")
        if {*given} != {"left", "right"}:
            raise NoRule(ast.unparse(node))
        left, right = given["left"], given["right"]
    first = site.child is left
    return _matmul(site, first, right if first else left)


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
    tests = [t for k, t in (("min", "hit(x >= min)"), ("max", "hit(max >= x)")) if k in given]
    say = "What lies beyond a bound was set to the bound: nothing comes back to it. The rest passes."
    return spread(site, say, " * ".join(tests), **{k: v for k, v in given.items() if k != "x"})
