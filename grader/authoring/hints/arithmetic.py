"""Sums, differences, products, quotients, powers, products of matrices, and what chooses of two."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from grader.authoring.hints.notation import element, number
from grader.authoring.hints.site import NoRule, Shape, Site, Step, axes_said, operation, parts, spread


def matmul(site: Site) -> Step:
    """The operator @, or a function of its name."""
    node = site.node
    if isinstance(node, ast.BinOp):
        left, right = node.left, node.right
    else:
        given = parts(site, "left", "right", *["bias"] * (operation(node) == "linear"))
        if site.child is given.get("bias"):
            return spread(site, f"{site.x} is added to each row.")
        if not {"left", "right"} <= {*given} <= {"left", "right", "bias"}:
            raise NoRule(ast.unparse(node))
        left, right = given["left"], given["right"]
    other = right if site.child is left else left
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
    if len(site.before) > 1 and (more := len(site.after) - len(site.before)) > 0:
        say += f" {site.x} is the same along {axes_said(range(more))}, so the sum runs over that too."
    shapes = map(site.scope.shape, (left, right))
    return _contracted(site, [left, right], equation(operation(node), *shapes), say)


def equation(called: str, a: Shape, b: Shape) -> str:
    """A product of matrices, of vectors, or of stacks of them, as einsum says it."""
    if called == "outer":
        return "i,k->ik"
    if called == "linear":
        lead = "abcdefgh"[: len(a) - 1]
        return f"{lead}j,kj->{lead}k"
    lead = "abcdefgh"[: max(len(a), len(b), 2) - 2]
    left, right = (lead[len(lead) - len(s) + 2 :] if len(s) > 2 else "" for s in (a, b))
    i, k = "i" * (len(a) > 1), "k" * (len(b) > 1)
    return f"{left}{i}j,{right}j{k}->{lead}{i}{k}"


def _contracted(site: Site, members: Sequence[ast.expr], equation: str, say: str) -> Step:
    """A sum of products over the letters that the result lacks."""
    left, _, out = equation.partition("->")
    terms, after = left.split(","), dict(zip(out, site.after, strict=True))
    place = next(k for k, m in enumerate(members) if m is site.child)
    own = zip(terms[place], site.index, site.before, strict=True)
    known = {c: x for c, x, n in own if after.get(c, n) == n}  # not along what was broadcast
    sums = []
    for term, member in zip(terms, members, strict=True):
        for axis, c in enumerate(term):
            if c not in known:
                size = site.scope.size(*((site.node, out.index(c)) if c in out else (member, axis)))
                known[c], one = site.over(size)
                sums.append(one)

    def met(member: ast.expr, term: str) -> ast.expr:
        sizes = zip(term, site.scope.shape(member), strict=True)
        at = [number(0) if n == 1 < after.get(c, 1) else known[c] for c, n in sizes]
        own = turned(member, len(at))
        return element(own, (*at[:-2], at[-1], at[-2])) if own else element(member, tuple(at))

    factors = tuple(met(m, terms[k]) for k, m in enumerate(members) if k != place)
    return Step(tuple(known[c] for c in out), say, factors, sums=tuple(sums))


def one_way(*shapes: tuple[int, ...]) -> bool:
    """Whether the shapes of a product of matrices, and of its factors, leave one way to go back."""
    return len({size for shape in shapes for size in shape}) == 3


def turned(node: ast.expr, axes: int) -> ast.expr | None:
    """What stands before .T, .mT or .transpose(-2, -1) of so many axes: its elements are said by itself."""
    match node:
        case ast.Attribute(value, "T" | "mT"):
            return value
        case ast.Call(ast.Attribute(value, "transpose"), args):
            last = [["-1", "-2"], *[["0", "1"]] * (axes == 2)]
            return value if sorted(map(ast.unparse, args)) in last else None
    return None


def einsum(site: Site) -> Step:
    node = site.node
    assert isinstance(node, ast.Call)
    equation = str(ast.literal_eval(node.args[0])).replace(" ", "")
    members = node.args[1:]
    if "->" not in equation or "." in equation:
        raise NoRule("this equation of einsum")
    say = (
        f"einsum sums products over the letters that the result lacks. Backwards each letter of {site.x} "
        "stays, and the sum runs over the others: an einsum of what arrives with the other factors."
    )
    return _contracted(site, members, equation, say)


def clamp(site: Site) -> Step:
    given = parts(site, "x", "min", "max")
    tests = [t for k, t in (("min", "hit(x >= min)"), ("max", "hit(max >= x)")) if k in given]
    say = "What lies beyond a bound was set to the bound: nothing comes back to it. The rest passes."
    return spread(site, say, " * ".join(tests), **{k: v for k, v in given.items() if k != "x"})
