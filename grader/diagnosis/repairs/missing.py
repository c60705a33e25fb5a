"""What may be missing in a formula: a factor, a division, a sign, a sum."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import partial
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.numbers_in_code import valued
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number, method, names_in, subject


def terms(s: Source) -> list[ast.expr]:
    """What a factor may be missing of: what is returned, what is added up, what is summed."""
    found = list(s.returned)
    for n in s.values:
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub):
            found += [n.left, n.right]
        elif isinstance(n, ast.Call) and method(n) in ("sum", "mean") and (of := subject(n)):
            found.append(of)
    found += [n.value for n in s.nodes if isinstance(n, ast.AugAssign | ast.Assign)]
    return [n for n in {id(n): n for n in found}.values() if not is_number(n)]


def _counts(s: Source, n: ast.expr, text: str, sizes: list[str]) -> Iterator[Change]:
    """A division by a number of places that is missing."""
    for a, b in combinations(sizes, 2):
        told = f"the division by {a} * {b} is missing"
        yield s.change(n, f"{text} / ({a} * {b})", Code.FACTOR_MISSING, told, 45, a, b)
    for k in dict.fromkeys((*s.about.wanted, *s.params, s.about.tensor)):
        if k in s.about.masks or k in s.about.shapes:
            told = f"the division by the sum of {k} is missing"
            yield s.change(n, f"{text} / {k}.sum()", Code.FACTOR_MISSING, told, 46, k)
        if k in s.about.shapes:
            told = f"the division by the number of elements of {k} is missing"
            yield s.change(n, f"{text} / {k}.numel()", Code.FACTOR_MISSING, told, 46, k)
            told = f"the division by the length of an axis of {k} is missing"
            for axis in (0, -1):
                yield s.change(n, f"{text} / {k}.shape[{axis}]", Code.FACTOR_MISSING, told, 47, k)


def _around(s: Source, n: ast.expr, more: str) -> list[Edit]:
    """A factor after an expression, which itself stays open to another change."""
    start, end = s.span(n)
    return [Edit(start, start, "(("), Edit(end, end, f") {more})")]


def too_few(s: Source) -> Iterator[Change]:
    """A factor, a division, a sign or a sum that is missing."""
    about = s.about
    known = [*about.wanted, *(p for p in s.params if p not in about.wanted)]
    tensors = [k for k in known if k in about.shapes]
    masks = [k for k in known if k in about.masks]
    sizes = list(about.sizes)
    whole = {id(n) for n in s.returned}
    for n in terms(s):
        what = "" if id(n) in whole else f"in {s.quoted(n)} "
        text, rank = f"({s.text(n)})", 42 if id(n) in whole else 46
        times = partial(_around, s, n)
        yield s.change(n, f"-{text}", Code.TERM_SIGN if what else Code.SIGN, f"{what}the sign is wrong", 13)
        divisors = [d.right for d in ast.walk(n) if isinstance(d, ast.BinOp) and isinstance(d.op, ast.Div)]
        below = {k for d in divisors for k in names_in(d)}
        for k in (*tensors, *masks):
            again = k in valued(n) and k not in below
            for form in (k, f"{k}.unsqueeze(-1)", f"{k}.unsqueeze(1)", f"{k}.mT"):
                told = f"{what}the factor {k} is missing" + (" once more" if again else "")
                yield s.change(n, times(f"* {form}"), Code.FACTOR_MISSING, told, rank, k)
            if k in tensors:
                told = f"{what}the division by {k} is missing" + (" once more" if k in below else "")
                yield s.change(n, times(f"/ {k}"), Code.FACTOR_MISSING, told, rank, k)
        for k in sizes:
            for more, code, told in (
                (f"/ {k}", Code.FACTOR_MISSING, f"the division by {k} is missing"),
                (f"* {k}", Code.FACTOR_MISSING, f"the factor {k} is missing"),
                (f"* {k} ** -0.5", Code.FACTOR_MISSING, f"the scale by the root of {k} is missing"),
                (f"* {k} ** 0.5", Code.EXTRA_FACTOR, f"the scale by the root of {k} is taken once too often"),
                (f"* {k} / ({k} - 1)", Code.BESSEL, f"Bessel's correction, {k} / ({k} - 1), is left out"),
                (f"/ ({k} - 1)", Code.FACTOR_MISSING, f"the division by {k} - 1 is missing"),
            ):
                yield s.change(n, times(more), code, f"{what}{told}", rank, k)
            told = f"{what}{k} - 1 stands where {k} is meant, or a correction by them is one too many"
            yield s.change(n, times(f"* ({k} - 1) / {k}"), Code.BESSEL, told, rank + 1, k)
        if not what:
            yield from _counts(s, n, text, sizes)
            for k in tensors:
                for sign in "+-":
                    told = f"the term {k} is missing" if k not in names_in(n) else f"a term {k} is missing"
                    yield s.change(n, f"{text} {sign} {k}", Code.TERM_MISSING, told, 41, k)
        for number in dict.fromkeys(("2", "3", "0.5", *s.about.numbers)):
            for sign, word, later in (("/", "division by", 1), ("*", "factor", 0)):
                told = f"{what}the {word} {number} is missing"
                yield s.change(n, times(f"{sign} {number}"), Code.FACTOR_MISSING, told, rank + later)
