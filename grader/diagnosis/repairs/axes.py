"""Changes along axes: sums and means, their axes, running sums, slices, indices, loops."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.core.finding import Code
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number, method, subject

REDUCTIONS = frozenset(("sum", "mean", "max", "amax", "softmax", "log_softmax", "cumsum", "flip"))
DIMS = ("0", "1", "-1", "2", "(0, 1)", "(0, 2)", "(1, 2)", "(0, 1, 2)")


def _calls(s: Source) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    for n in s.nodes:
        of = subject(n) if isinstance(n, ast.Call) and method(n) in REDUCTIONS else None
        if isinstance(n, ast.Call) and of is not None and not s.compared(of):
            yield n, method(n), of


def _dims(call: ast.Call, of: ast.expr) -> str:
    """The axes that a call names, as text; nothing where it names none."""
    named = [k.value for k in call.keywords if k.arg in ("dim", "axis", "dims")]
    placed = [a for a in call.args if a is not of]
    found = named or placed
    return ", ".join(ast.unparse(f) for f in found[:2])


def _keeps(call: ast.Call) -> bool:
    return any(k.arg in ("keepdim", "keepdims") for k in call.keywords)


def _spoken(dims: str) -> str:
    inner = dims.strip("()[]")
    return f"axes {' and '.join(d.strip() for d in inner.split(','))}" if "," in inner else f"axis {inner}"


def reductions(s: Source) -> Iterator[Change]:
    calls = list(_calls(s))
    for n, name, of in calls:
        text, dims = f"({s.text(of)})", _dims(n, of)
        keep = ", keepdim=True" if _keeps(n) else ""
        along = f"along {_spoken(dims)}" if dims else "over all"
        if name in ("sum", "mean"):
            other = "sum" if name == "mean" else "mean"
            told = f"a {name} is taken where a {other} is meant"
            code = Code.MEAN_FOR_SUM if name == "mean" else Code.SUM_FOR_MEAN
            rank = 2 if name == "mean" else 33
            yield s.change(n, f"{text}.{other}({dims}{keep if dims else ''})", code, told, rank)
            if dims:
                flip = "" if keep else ", keepdim=True"
                told = "keepdim=True is missing" if flip else "keepdim=True keeps an axis that is to go"
                yield s.change(n, f"{text}.{name}({dims}{flip})", Code.KEEPDIM, told, 1)
            word = "summed up" if name == "sum" else "averaged"
            told = f"{s.quoted(of)} is {word} where each number is meant on its own"
            outer = s.parents.get(id(n))
            if not (isinstance(outer, ast.BinOp) and f"({s.text(outer.left)})" == text):  # else x - x is left
                yield s.change(n, text, Code.SUMMED, told, 3)
            if name == "mean":
                for k in s.about.shapes:
                    if k in s.about.wanted or k in s.params:
                        told = f"a plain mean is taken where a sum weighted by {k} is meant"
                        yield s.change(
                            n, f"({text} * {k}).sum({dims or '-1'}{keep})", Code.MEAN_FOR_SUM, told, 37, k
                        )
        if name in ("max", "amax"):
            told = "the maximum is taken where another of these numbers is meant"
            yield s.change(n, f"{text}.mean({dims or '-1'}{keep})", Code.OPERATOR, told, 40)
            taken = s.parents.get(id(n))
            whole = taken if isinstance(taken, ast.Attribute) and taken.attr == "values" else n
            if dims and (whole is not n or name == "amax"):
                told = f"{name} is used where sum is meant"
                yield s.change(whole, f"{text}.sum({dims}{keep})", Code.ANOTHER_FUNCTION, told, 20)
        if name == "cumsum":
            told = "the running sum goes forwards, where one from the end backwards is meant"
            yield s.change(n, f"{text}.flip({dims}).cumsum({dims}).flip({dims})", Code.DIRECTION, told, 5)
        for to in DIMS:
            if to == dims:
                continue
            told = f"{s.quoted(n)} goes {along}, where {_spoken(to)} {'are' if ',' in to else 'is'} meant"
            if name in ("sum", "mean"):
                for kept in (", keepdim=True", ""):
                    yield s.change(n, f"{text}.{name}({to}{kept})", Code.WRONG_AXIS, told, 4)
            elif "," not in to:
                yield s.change(n, f"{text}.{name}({to}{keep})", Code.WRONG_AXIS, told, 3)
    yield from _throughout(s, calls)


def products(s: Source) -> Iterator[Change]:
    """A product of sums, or with one sum, for the sum of the products."""
    for n in s.values:
        if not isinstance(n, ast.BinOp) or not isinstance(n.op, ast.Mult):
            continue
        sides = [
            (x, subject(x)) if isinstance(x, ast.Call) and method(x) == "sum" else (x, None)
            for x in (n.left, n.right)
        ]
        summed = [(x, of) for x, of in sides if of is not None and isinstance(x, ast.Call)]
        if not summed:
            continue
        call, of = summed[0]
        a, b = (s.text(o) if o is not None else s.text(x) for x, o in sides)
        _, end = s.span(of)
        tail = s.data[end : s.span(call)[1]].decode()
        tail = tail[tail.index(".sum") :] if ".sum" in tail else ".sum()"
        told = "a product of sums stands where the sum of the products is meant"
        if len(summed) == 1:
            told = f"only {s.quoted(of)} is summed: the product comes first, then its sum"
        yield s.change(n, f"(({a}) * ({b})){tail}", Code.SUMMED, told, 9)


def _throughout(s: Source, calls: list[tuple[ast.Call, str, ast.expr]]) -> Iterator[Change]:
    """Another axis in all of several calls; all sums as means, or the reverse."""
    if len(calls) < 2:
        return
    first = calls[0][0]
    for name, other, code in (("sum", "mean", Code.SUM_FOR_MEAN), ("mean", "sum", Code.MEAN_FOR_SUM)):
        ends = [
            s.span(n.func)[1] for n, _, _ in calls if isinstance(n.func, ast.Attribute) and method(n) == name
        ]
        if len(ends) > 1:
            told = f"{name}s are taken where {other}s are meant"
            yield s.change(first, [Edit(end - len(name), end, other) for end in ends], code, told, 33)
    for to in DIMS:
        for kept in (", keepdim=True", ""):
            edits: list[Edit] = []
            for n, name, of in calls:
                (_, middle), (_, end) = s.span(of), s.span(n)
                keep = kept if name in ("sum", "mean") else ""
                own = to if name in ("sum", "mean") or "," not in to else "-1"
                if isinstance(n.func, ast.Attribute) and n.func.value is of:
                    bracket = ")" if _wrapped(s, of) else ""
                    edits.append(Edit(middle, end, f"{bracket}.{name}({own}{keep})"))
            if len(edits) == len(calls):
                dims = _dims(first, calls[0][2])
                went = f"along {_spoken(dims)}" if dims else "over all"
                told = f"the sums go {went}, where {_spoken(to)} {'are' if ',' in to else 'is'} meant"
                yield s.change(first, edits, Code.WRONG_AXIS, told, 4)


def _wrapped(s: Source, node: ast.expr) -> bool:
    """Whether an expression stands in brackets, which are no part of its node."""
    _, end = s.span(node)
    return s.data[end : end + 1] == b")"


def sums(s: Source) -> Iterator[Change]:
    """A sum that is missing, over what is returned or over one term."""
    for n in s.returned:
        for dims in DIMS:
            for keep in ("", ", keepdim=True"):
                told = f"the sum over {_spoken(dims)} is missing"
                yield s.change(n, f"({s.text(n)}).sum({dims}{keep})", Code.NOT_SUMMED, told, 6)
    for n in s.values:
        if not isinstance(n, ast.BinOp) or not isinstance(n.op, ast.Add | ast.Sub | ast.Mult):
            continue
        for part in (n.left, n.right):
            if is_number(part) or isinstance(part, ast.Name) or method(part) == "ones_like":
                continue
            for dims in ("0", "-1", "(0, 1)"):
                told = f"the sum of {s.quoted(part)} over {_spoken(dims)} is missing"
                new = f"({s.text(part)}).sum({dims}, keepdim=True)"
                yield s.change(part, new, Code.NOT_SUMMED, told, 37)


ADDS = (
    "`{t}[…] {op} …` keeps only the last contribution where an index comes several times: "
    "index_add_, or a loop, adds all"
)


def assignments(s: Source) -> Iterator[Change]:
    """= or += through an index that may have a place several times; = for += and the reverse."""
    for n in s.nodes:
        if isinstance(n, ast.Assign) and len(n.targets) == 1 and isinstance(n.targets[0], ast.Subscript):
            target, op = n.targets[0], "="
        elif (
            isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Add) and isinstance(n.target, ast.Subscript)
        ):
            target, op = n.target, "+="
        else:
            yield from _plain(s, n)
            continue
        if op == "+=":
            yield from _plain(s, n)
        index, value, of = s.text(target.slice), n.value, s.text(target.value)
        if op == "=" and isinstance(value, ast.BinOp) and ast.unparse(value.left) == ast.unparse(target):
            value, op = value.right, "= … +"
        told = ADDS.format(t=of if of.isidentifier() else "d", op=op)
        new = f"{of}.index_put_((torch.as_tensor({index}),), {s.text(value)}, accumulate=True)"
        start, end = s.span(n)
        yield s.change(n, [Edit(start, end, new)], Code.ASSIGNED, told, 4)
        if op == "=":
            told = f"{s.quoted(target)} is assigned where it is to be added to: what was there is lost"
            yield s.change(
                n, [Edit(start, end, f"{s.text(target)} += {s.text(value)}")], Code.ASSIGNED, told, 6
            )
            told = f"the step {s.quoted(n)} is one too many"
            yield s.change(n, [Edit(start, end, "pass")], Code.EXTRA_STEP, told, 5)
        if op == "+=":
            told = f"{s.quoted(target)} is added to where it is to be assigned"
            yield s.change(n, [Edit(start, end, f"{s.text(target)} = {s.text(value)}")], Code.ADDED, told, 9)


def _plain(s: Source, n: ast.AST) -> Iterator[Change]:
    if isinstance(n, ast.AugAssign) and isinstance(n.target, ast.Name | ast.Subscript):
        start, end = s.span(n)
        told = f"the step {s.quoted(n)} is one too many"
        yield s.change(n, [Edit(start, end, "pass")], Code.EXTRA_STEP, told, 31)
        for op, word in (("+=", "added"), ("-=", "subtracted"), ("*=", "multiplied"), ("/=", "divided")):
            told = f"`{s.text(n.target)}` is to be {word} there"
            new = f"{s.text(n.target)} {op} {s.text(n.value)}"
            yield s.change(n, [Edit(start, end, new)], Code.OPERATOR, told, 15)
    if isinstance(n, ast.Assign) and len(n.targets) == 1 and isinstance(n.targets[0], ast.Name):
        name = n.targets[0].id
        if name in s.local and sum(isinstance(m, ast.Name) and m.id == name for m in s.nodes) > 2:
            start, end = s.span(n)
            told = f"{name} is assigned anew where it is to be added to: what was there before is lost"
            yield s.change(
                n, [Edit(start, end, f"{name} = {name} + ({s.text(n.value)})")], Code.ASSIGNED, told, 8
            )


def maxima(s: Source) -> Iterator[Change]:
    """The maximum for each number on its own."""
    for n in s.nodes:
        if isinstance(n, ast.Attribute) and n.attr == "values" and method(n.value) in ("max", "min"):
            of = subject(n.value) if isinstance(n.value, ast.Call) else None
            if of is not None and not s.compared(n):
                told = f"{method(n.value)} is taken of {s.quoted(of)} where each number is meant on its own"
                yield s.change(n, s.text(of), Code.EXTRA_STEP, told, 20)


def lengths(s: Source) -> Iterator[Change]:
    """The number of all elements for the length of one axis."""
    for n in s.nodes:
        if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Attribute) and n.value.attr == "shape":
            of = s.text(n.value.value)
            told = f"{s.quoted(n)} is the length of one axis: the number of all elements is meant"
            yield s.change(n, f"({of}).numel()", Code.WRONG_SIZE, told, 20)


def loops(s: Source) -> Iterator[Change]:
    """`return` inside a loop; a sum that begins anew in each turn."""
    for loop in s.nodes:
        if not isinstance(loop, ast.For):
            continue
        _, end = s.span(loop)
        start, _ = s.span(loop)
        indent = "\n" + " " * loop.col_offset
        for n in loop.body:
            a, b = s.span(n)
            if isinstance(n, ast.Return):
                told = "`return` stands inside the loop, which ends in its first turn"
                edits = [Edit(a, b, "pass"), Edit(end, end, f"{indent}{s.text(n)}")]
                yield s.change(n, edits, Code.LOOP, told, 1)
            if isinstance(n, ast.Assign):
                told = (
                    f"{s.quoted(n.targets[0])} begins anew in each turn of the loop: only the last part stays"
                )
                edits = [Edit(a, b, "pass"), Edit(start, start, f"{s.text(n)}{indent}")]
                yield s.change(n, edits, Code.LOOP, told, 2)


def choices(s: Source) -> Iterator[Change]:
    """The two sides of torch.where; parts of a cat or stack in another order; fresh randomness."""
    for n in s.nodes:
        if not isinstance(n, ast.Call):
            continue
        name = method(n)
        if name == "where" and len(n.args) == 3:
            condition, a, b = (s.text(x) for x in n.args)
            told = "the two sides of torch.where are exchanged"
            yield s.change(n, f"torch.where({condition}, {b}, {a})", Code.MASK, told, 8)
        if name == "masked_fill" and len(n.args) == 2 and isinstance(n.func, ast.Attribute):
            told = f"{s.quoted(n.args[1])} is filled in where 0 is meant"
            yield s.change(
                n, f"{s.text(n.func.value)}.masked_fill({s.text(n.args[0])}, 0.0)", Code.CONSTANT, told, 6
            )
        if name in ("dropout", "bernoulli", "rand_like") and (of := subject(n)) is not None:
            for mask in s.about.wanted:
                if mask in s.about.masks or mask in s.about.shapes:
                    told = f"{name} draws a new mask: the one of the forward pass, {mask}, is meant"
                    for scale in ("0.8", "0.9", "0.5", "1.0"):
                        yield s.change(
                            n, f"({s.text(of)}) * {mask} / {scale}", Code.FRESH_MASK, told, 6, mask
                        )
        if name in ("cat", "stack", "concat") and n.args and isinstance(n.args[0], ast.List | ast.Tuple):
            dims = s.text(n.args[1]) if len(n.args) > 1 else next((s.text(k.value) for k in n.keywords), "0")
            items = [s.text(e) for e in n.args[0].elts]
            for i in range(len(items)):
                for j in range(i + 1, len(items)):
                    order = items[:]
                    order[i], order[j] = order[j], order[i]
                    told = f"{s.quoted(n.args[0].elts[i])} and {s.quoted(n.args[0].elts[j])} are exchanged"
                    yield s.change(n, f"torch.{name}([{', '.join(order)}], {dims})", Code.EXCHANGED, told, 22)
            for to in ("0", "1", "2", "-1", "-2"):
                for how in ("cat", "stack"):
                    told = f"{name} goes along another axis than is meant"
                    if how != name:
                        told = f"{name} is used where {how} is meant"
                    yield s.change(n, f"torch.{how}([{', '.join(items)}], {to})", Code.WRONG_AXIS, told, 24)
