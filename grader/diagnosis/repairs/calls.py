"""Changes of a call: whether, of what, with which arguments, along which axis."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.repairs.source import LIBRARIES, Change, Edit, Source, is_number, method, subject

RELATED = {
    "log": ("log10", "log2", "log1p"), "log2": ("log", "log10"), "log10": ("log", "log2"),
    "log_softmax": ("softmax",), "softmax": ("log_softmax", "sigmoid"), "sigmoid": ("tanh", "softmax"),
    "tanh": ("sigmoid", "relu"), "relu": ("tanh", "abs"), "std": ("var", "norm"), "var": ("std",),
    "norm": ("std", "sum"), "tril": ("triu",), "triu": ("tril",), "max": ("min", "argmax", "sum"),
    "min": ("max", "argmin"), "argmax": ("argmin", "max"), "argmin": ("argmax",), "amax": ("amin",),
    "all": ("any",), "any": ("all",), "sum": ("mean", "max", "prod", "len"), "mean": ("sum", "median"),
    "prod": ("sum",), "floor": ("ceil", "round"), "ceil": ("floor",), "round": ("int",),
    "zeros": ("ones", "empty"), "ones": ("zeros",), "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",), "Tensor": ("tensor",), "tensor": ("Tensor",), "append": ("extend",),
    "extend": ("append",), "startswith": ("endswith", "__eq__"), "endswith": ("startswith",),
    "find": ("rfind",), "rfind": ("find",), "index": ("rindex",), "split": ("splitlines",),
    "splitlines": ("split",), "cat": ("stack",), "stack": ("cat",),
    "list": ("tuple",), "tuple": ("list",), "sorted": ("reversed", "list"),
    "keys": ("values", "items"), "values": ("keys", "items"),
    "items": ("keys", "values"), "pop": ("popleft",), "add": ("append",),
    "search": ("match", "fullmatch", "findall"), "match": ("search", "fullmatch"), "fullmatch": ("match",),
    "view": ("reshape",), "rand": ("randn",), "randn": ("rand",), "expand": ("repeat",), "abs": ("square",),
    "cumsum": ("sum", "cumprod"), "isdigit": ("isnumeric",), "maximum": ("minimum",),
    "minimum": ("maximum",), "exp": ("log",), "sqrt": ("square",), "bernoulli": ("rand_like",),
    "lstrip": ("rstrip",), "strip": ("rstrip",),
}  # fmt: skip
AXES = ("0", "1", "-1", "2", "(0, 1)")
ALONG = frozenset(
    ("sum", "mean", "max", "min", "std", "var", "softmax", "log_softmax", "cumsum", "all", "any", "argmax",
     "argmin", "norm", "cat", "stack", "unsqueeze", "squeeze", "amax", "amin", "prod", "median", "flatten",
     "flip", "unbind", "split", "chunk")
)  # fmt: skip


CALLED = frozenset(("item", "tolist", "values", "items", "keys", "mean", "sum", "copy", "clone"))


def calls(s: Source) -> Iterator[Change]:
    found = [n for n in s.nodes if isinstance(n, ast.Call)]
    for n in found:
        yield from _called(s, n)
        yield from _arguments(s, n)
        yield from _related(s, n, found)
        yield from _before(s, n)
    yield from _along(s, [n for n in found if method(n) in ALONG])
    yield from _sizes(s, found)
    for one in s.nodes:
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Attribute | ast.Name):
            told = f"{s.quoted(one.value)} is only named, not called: its brackets are missing"
            yield s.change(one, f"{s.text(one)}()", Code.NOT_CALLED, told, 2)
        called = (
            isinstance(s.parents.get(id(one)), ast.Call) and getattr(s.parents[id(one)], "func", None) is one
        )
        if isinstance(one, ast.Attribute) and not called and one.attr in CALLED:
            told = f"{s.quoted(one)} is only named, not called: its brackets are missing"
            yield s.change(one, f"{s.text(one)}()", Code.NOT_CALLED, told, 24)


def _called(s: Source, n: ast.Call) -> Iterator[Change]:
    name = method(n)
    if not n.args and not n.keywords and isinstance(n.func, ast.Name | ast.Attribute):
        parent = s.parents.get(id(n))
        told = f"{s.quoted(n)} is called at once, where the function itself is meant: without brackets"
        yield s.change(n, s.text(n.func), Code.NOT_CALLED, told, 8 if isinstance(parent, ast.Assign) else 24)
    of = subject(n)
    if isinstance(of, ast.Name) and of.id in ("dict", "bytes", "str", "re") and n.args:
        of = n.args[0]
    if isinstance(n.func, ast.Name) and len(n.args) > 1 and not isinstance(n.args[0], ast.Starred):
        for part in (a for a in n.args[:2] if not is_number(a)):
            told = f"{name} is one step too many: {s.quoted(part)} is meant as it is"
            yield s.change(n, s.text(part), Code.EXTRA_STEP, told, 27)
    elif of is not None and name not in ("range", "len", "append", "items", "zip"):
        told = f"{name} is one step too many" if name else f"the call of {s.quoted(n.func)} is one too many"
        yield s.change(n, s.text(of), Code.EXTRA_STEP, told, 20)


def _arguments(s: Source, n: ast.Call) -> Iterator[Change]:
    name = method(n)
    whole = f"of {name}" if name else "there"
    args = [*n.args, *n.keywords]
    head = s.text(n.func)
    texts = [s.text(a) for a in args]
    for k, arg in enumerate(args):
        word = arg.arg or "" if isinstance(arg, ast.keyword) else ""
        code = {"keepdim": Code.KEEPDIM, "correction": Code.BESSEL, "unbiased": Code.BESSEL}.get(
            word, Code.EXTRA_STEP
        )
        rest = texts[:k] + texts[k + 1 :]
        if isinstance(arg, ast.keyword):
            told = f"the argument {s.quoted(arg)} {whole} is not meant"
            yield s.change(n, [s.edit(n, f"{head}({', '.join(rest)})")], code, told, 21)
            value = arg.value
            if isinstance(value, ast.Constant) and type(value.value) is bool:
                edit = s.edit(value, repr(not value.value))
                code = Code.DIRECTION if word == "reverse" else code
                code = Code.CONSTANT if code is Code.EXTRA_STEP else code
                told = f"{s.quoted(arg)} is the opposite of what is meant"
                yield s.change(n, [edit], code, told, 15)
        elif len(args) > 1 or not isinstance(n.func, ast.Name):
            told = f"the argument {s.quoted(arg)} {whole} is one too many"
            yield s.change(n, [s.edit(n, f"{head}({', '.join(rest)})")], code, told, 26)
    for a, b in combinations(n.args, 2):
        told = f"the arguments {s.quoted(a)} and {s.quoted(b)} {whole} are exchanged"
        yield s.change(n, [s.edit(a, s.text(b)), s.edit(b, s.text(a))], Code.EXCHANGED, told, 22)
    more: list[tuple[str, Code, str, int]] = []
    if name in ("var", "std"):
        more.append(("correction=0", Code.BESSEL, f"{name} divides by n - 1, where n is meant", 18))
    if name in ("sum", "mean", "var", "std", "max", "amax", "softmax", "all", "any") and n.args:
        more.append(("keepdim=True", Code.KEEPDIM, "keepdim=True is missing", 12))
    if name in ("sorted", "sort"):
        told = f"{name} goes by the first part of each, where its second is meant"
        more.append(("key=lambda one: one[1]", Code.WRONG_PART, told, 24))
        more.append(("reverse=True", Code.DIRECTION, f"{name} goes upwards, where downwards is meant", 17))
    if name in ("max", "min", "sorted") and len(n.args) == 1 and isinstance(n.func, ast.Name):
        of = s.text(n.args[0])
        told = f"{name} compares the keys of {of} themselves, where their values are meant"
        more.append((f"key={of}.get", Code.ANOTHER_TENSOR, told, 17))
        told = f"{name} of nothing is an error: {s.quoted(n.args[0])} may be empty"
        more.append(("default=None", Code.CONDITION, told, 18))
    if name in ("triu", "tril"):
        off = "1" if name == "triu" else "-1"
        more.append((off, Code.MASK, f"{name} keeps the diagonal, which is not meant", 14))
    if name == "one_hot" and len(args) == 1:
        told = "one_hot makes as many columns as the largest number needs: how many there are is to be passed"
        counts = [form for k in s.scope for form in (k, f"len({k})", f"{k}.shape[0]", f"{k}.shape[1]")]
        more += [(count, Code.WRONG_SIZE, told, 13) for count in counts]
    if name == "split":
        more.append(("1", Code.WRONG_PART, "split cuts at every place, where the first alone is meant", 30))
    for new, code, told, rank in more:
        if new.partition("=")[0] not in [k.arg for k in n.keywords]:
            yield s.change(n, [s.edit(n, f"{head}({', '.join([*texts, new])})")], code, told, rank)
    for param in s.params:
        if param != "self" and not any(isinstance(m, ast.Name) and m.id == param for m in s.nodes):
            told = f"{param} is not passed to {name or s.quoted(n.func)}, nor used elsewhere"
            placed = [s.text(a) for a in n.args]
            edit = s.edit(n, f"{head}({', '.join([*placed, param, *texts[len(placed) :]])})")
            yield s.change(n, [edit], Code.UNUSED, told, 12)


def _related(s: Source, n: ast.Call, found: list[ast.Call]) -> Iterator[Change]:
    name = method(n)
    _, end = s.span(n.func)
    alike = [m for m in found if method(m) == name]
    for other in RELATED.get(name, ()):
        code = {"sum mean": Code.SUM_FOR_MEAN, "mean sum": Code.MEAN_FOR_SUM}.get(f"{name} {other}")
        spoken = "==" if other == "__eq__" else other
        told = f"{name} is used where {spoken} is meant"
        edits = [Edit(s.span(m.func)[1] - len(name.encode()), s.span(m.func)[1], other) for m in alike]
        own = [Edit(end - len(name.encode()), end, other)]
        yield s.change(n, own, code or Code.ANOTHER_FUNCTION, told, 18)
        if len(alike) > 1 and n is alike[0]:
            yield s.change(n, edits, code or Code.ANOTHER_FUNCTION, told, 19)
    of = subject(n)
    if name == "abs" and of is not None:
        told = f"the absolute value of {s.quoted(of)} is taken, where its square is meant"
        yield s.change(n, f"({s.text(of)}) ** 2", Code.ANOTHER_FUNCTION, told, 20)
    if name == "mean" and of is not None and not _dims(s, n, of):
        told = f"{s.quoted(n)} counts columns too: the mean of the rows' sums is meant"
        yield s.change(n, f"({s.text(of)}).sum(-1).mean()", Code.MEAN_FOR_SUM, told, 21)
    if name in ("mean", "sum", "max") and of is not None and _dims(s, n, of) in ("1", "-2"):
        told = f"{name} goes over all places of axis {_dims(s, n, of)}: the last one is meant"
        yield s.change(n, f"({s.text(of)})[:, -1]", Code.WRONG_PART, told, 28)
    if name == "mean" and isinstance(of, ast.Call) and method(of) == "abs" and (inner := subject(of)):
        told = f"the mean of the absolute values of {s.quoted(inner)} is taken: their std is meant"
        yield s.change(n, f"({s.text(inner)}).std()", Code.ANOTHER_FUNCTION, told, 18)
    if name == "cross_entropy" and len(n.args) > 1:
        a, b = s.text(n.args[0]), s.text(n.args[1])
        told = "cross_entropy takes logits: of probabilities it takes the softmax once more"
        yield s.change(n, f"F.nll_loss(({a}).log(), {b})", Code.EXTRA_STEP, told, 12)
    if name in ("max", "min") and isinstance(n.func, ast.Name) and len(n.args) == 1 and not n.keywords:
        inner = n.args[0]
        if (
            isinstance(inner, ast.Call)
            and method(inner) == "values"
            and isinstance(inner.func, ast.Attribute)
        ):
            d = s.text(inner.func.value)
            told = f"{s.quoted(n)} is the value, where its key is meant"
            yield s.change(n, f"{name}({d}, key={d}.get)", Code.ANOTHER_TENSOR, told, 9)
    if name == "bytes" and len(n.args) == 1 and not isinstance(n.args[0], ast.List):
        told = f"{s.quoted(n)} makes so many zero bytes: one byte of this number is meant, bytes([…])"
        yield s.change(n, f"bytes([{s.text(n.args[0])}])", Code.WRONG_TYPE, told, 7)
    if name == "chr" and n.args:
        told = "chr makes text: a byte is meant"
        yield s.change(n, f"bytes([{s.text(n.args[0])}])", Code.WRONG_TYPE, told, 8)


def _sizes(s: Source, found: list[ast.Call]) -> Iterator[Change]:
    """Wherever the mean of absolute values is taken for a spread, the standard deviation."""
    whole = [(n, of) for n in found if method(n) == "mean" and isinstance(of := subject(n), ast.Call)]
    means = [(n, s.text(inner)) for n, of in whole if method(of) == "abs" and (inner := subject(of))]
    if len(means) > 1:
        told = (
            f"{s.quoted(means[0][0])} and others are means of absolute values: standard deviations are meant"
        )
        edits = [s.put(n, f"({inner}).std()") for n, inner in means]
        yield s.change(means[0][0], edits, Code.ANOTHER_FUNCTION, told, 18)


def _before(s: Source, n: ast.Call) -> Iterator[Change]:
    """Of two methods, one of what the other gives, the other one first."""
    inner = n.func.value if isinstance(n.func, ast.Attribute) else None
    if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
        of = inner.func.value
        first, then = ((s.text(c).removeprefix(s.text(o))) for c, o in ((inner, of), (n, inner)))
        a, b = method(inner), method(n)
        if a != b and not (isinstance(of, ast.Name) and of.id in LIBRARIES):
            told = f"{a} is taken before {b}: {b} is meant first, then {a}"
            yield s.change(n, s.text(of) + then + first, Code.MISPLACED, told, 16)


def _along(s: Source, found: list[ast.Call]) -> Iterator[Change]:
    """Other axes, in one call or in several; all of a tensor."""
    for n in found:
        of, name = subject(n), method(n)
        if of is None or (isinstance(n.func, ast.Name) and len(n.args) > 1):  # Python's max(a, b)
            continue
        dims = _dims(s, n, of)
        along = f"along axis {dims}" if dims else "over all"
        if dims:
            told = f"{s.quoted(n)} goes {along}: all together is meant"
            for new in (f"({s.text(of)}).{name}()", f"({s.text(of)}).{name}().item()"):
                yield s.change(n, new, Code.WRONG_AXIS, told, 15)
        inner = subject(of) if isinstance(of, ast.Call) and method(of) in ALONG else None
        summed = _dims(s, of, inner) if inner is not None and isinstance(of, ast.Call) else ""
        for to in AXES:
            if to in (dims, summed):
                continue
            told = f"{s.quoted(n)} goes {along}, where {_axis(to)} meant"
            for new in _onto(s, n, of, to):
                yield s.change(n, new, Code.WRONG_AXIS, told, 16)
    together = [n for n in found if method(n) in ("sum", "mean", "std", "var") and subject(n) is not None]
    every = {_dims(s, n, subject(n) or n) for n in together}
    for to in AXES if len(together) > 1 and len(every) == 1 else ():
        went = f"along axis {min(every)}" if min(every) else "over all"
        told = f"{s.quoted(together[0])} and others go {went}, where {_axis(to)} meant"
        news = [list(_onto(s, n, subject(n) or n, to)) for n in together] if to not in every else []
        for ones in zip(*news, strict=False):
            edits = [s.put(n, one) for n, one in zip(together, ones, strict=True)]
            yield s.change(together[0], edits, Code.WRONG_AXIS, told, 17)


def _axis(to: str) -> str:
    return f"axes {to.strip('()').replace(', ', ' and ')} are" if "," in to else f"axis {to} is"


def _onto(s: Source, n: ast.Call, of: ast.expr, to: str) -> Iterator[str]:
    """A call along another axis, its other arguments as they are."""
    named = [k.value for k in n.keywords if k.arg in ("dim", "axis", "dims")]
    placed = [a for a in n.args if a is not of]
    if axis := (named or placed)[:1]:
        start, end = s.span(n)
        a, b = s.span(axis[0])
        moved = s.data[start:a].decode() + to + s.data[b:end].decode()
        yield moved
        if to != "(0, 1)" and all(k.arg != "keepdim" for k in n.keywords):
            yield f"{moved.removesuffix(')')}, keepdim=True)"
        if method(n) in ("max", "min"):
            yield f"{moved}.values"
        return
    more = "".join(f", {s.text(k)}" for k in n.keywords)
    if method(n) in ("max", "min"):
        yield f"({s.text(of)}).{method(n)}({to}, keepdim=True).values"
        yield f"({s.text(of)}).{method(n)}({to}).values"
    elif method(n) not in ("cat", "stack"):
        yield f"({s.text(of)}).{method(n)}({to}{more})"
        yield f"({s.text(of)}).{method(n)}({to}, keepdim=True{more})"
    else:
        yield f"torch.{method(n)}({s.text(of)}, {to})"


def _dims(s: Source, n: ast.Call, of: ast.expr) -> str:
    named = [k.value for k in n.keywords if k.arg in ("dim", "axis", "dims")]
    return ", ".join(s.text(a) for a in (named or [a for a in n.args if a is not of])[:1])
