"""Changes of an expression of any kind: comparisons, conditions, places, calls, collections, texts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import combinations

from grader.core.finding import Code
from grader.diagnosis.repairs.formulas import operand_dropped
from grader.diagnosis.repairs.source import Change, Edit, Source, is_number, method, subject

SIGNS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
         ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not"}  # fmt: skip
STRICT = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
OPPOSITE = {"==": "!=", "!=": "==", "in": "not in", "not in": "in", "is": "is not", "is not": "is",
            "<": ">=", ">": "<=", "<=": ">", ">=": "<"}  # fmt: skip
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


# --- comparisons and conditions ----------------------------------------------------------------------


def comparisons(s: Source) -> Iterator[Change]:
    for n in s.nodes:
        if not isinstance(n, ast.Compare) or len(n.ops) != 1:
            continue
        sign, a, b = SIGNS[type(n.ops[0])], s.text(n.left), s.text(n.comparators[0])
        whole = s.quoted(n)
        if sign in STRICT:
            told = f"{whole} is wrong where both are equal: `{STRICT[sign]}` is meant"
            yield s.change(n, f"({a}) {STRICT[sign]} ({b})", Code.COMPARISON, told, 10)
            told = f"{whole} compares the wrong way round"
            yield s.change(n, f"({a}) {TURNED[sign]} ({b})", Code.COMPARISON, told, 16)
        told = f"{whole} is the opposite of what is meant"
        yield s.change(n, f"({a}) {OPPOSITE[sign]} ({b})", Code.COMPARISON, told, 17)
        for other in ("<", "<=", ">", ">=", "==") if sign in ("==", "!=") else ("==", "!="):
            if other not in (sign, OPPOSITE[sign]):
                told = f"{whole} compares by `{sign}` where `{other}` is meant"
                yield s.change(n, f"({a}) {other} ({b})", Code.COMPARISON, told, 31)
                for name in s.params if is_number(n.comparators[0]) else ():
                    told = f"{whole} compares by `{sign}` with a number, where `{other}` with {name} is meant"
                    yield s.change(n, f"({a}) {other} ({name})", Code.HARD_CODED, told, 33)
        if sign == "==":
            told = f"{whole} asks for the whole to be equal, where its beginning is meant"
            yield s.change(n, f"({a}).startswith({b})", Code.COMPARISON, told, 34)


def _tests(s: Source) -> Iterator[ast.expr]:
    for n in s.nodes:
        if isinstance(n, ast.If | ast.While | ast.IfExp):
            yield n.test
        elif isinstance(n, ast.comprehension):
            yield from n.ifs


def conditions(s: Source) -> Iterator[Change]:
    for test in _tests(s):
        text, whole = s.text(test), s.quoted(test)
        if not isinstance(test, ast.Compare):
            told = f"the condition {whole} is the opposite of what is meant"
            yield s.change(test, f"not ({text})", Code.CONDITION, told, 16)
        if not isinstance(s.parents.get(id(test)), ast.While):
            told = f"the condition {whole} is one too many: it holds back what is always meant"
            yield s.change(test, "True", Code.CONDITION, told, 22)
            told = f"what is done if {whole} is one step too many"
            yield s.change(test, "False", Code.EXTRA_STEP, told, 21)
        for n in ast.walk(test):
            if isinstance(n, ast.Subscript) and not isinstance(n.slice, ast.Slice | ast.Tuple):
                index, of = s.text(n.slice), s.text(n.value)
                if not is_number(n.slice):
                    told = f"{s.quoted(n)} may lie past the end of {of}, which is not asked before"
                    yield s.change(test, f"({index}) < len({of}) and ({text})", Code.CONDITION, told, 14)
            if isinstance(n, ast.BoolOp):
                word = "and" if isinstance(n.op, ast.And) else "or"
                other = "or" if word == "and" else "and"
                parts = [f"({s.text(v)})" for v in n.values]
                told = f"`{word}` stands where `{other}` is meant"
                yield s.change(n, f" {other} ".join(parts), Code.CONDITION, told, 15)
                for k, part in enumerate(n.values):
                    told = f"the condition {s.quoted(part)} is one too many"
                    rest = parts[:k] + parts[k + 1 :]
                    yield s.change(n, f" {word} ".join(rest), Code.CONDITION, told, 20)
    for one in s.nodes:
        if isinstance(one, ast.IfExp):
            a, b, test_ = s.text(one.body), s.text(one.orelse), s.text(one.test)
            told = f"the two sides of {s.quoted(one)} are exchanged"
            yield s.change(one, f"({b}) if ({test_}) else ({a})", Code.CONDITION, told, 13)
            told = f"the condition {s.quoted(one.test)} is one too many"
            yield s.change(one, a, Code.CONDITION, told, 22)
            yield s.change(one, b, Code.CONDITION, told, 23)


# --- places ------------------------------------------------------------------------------------------


def places(s: Source) -> Iterator[Change]:
    """Off by one, in ranges, slices and indices; another slice or index."""
    yield from _ranges(s)
    for n in s.nodes:
        if isinstance(n, ast.Subscript):
            index = n.slice.elts if isinstance(n.slice, ast.Tuple) else [n.slice]
            for part in index:
                yield from _slice(s, n, part) if isinstance(part, ast.Slice) else _index(s, n, part)
            yield from _axes(s, n, index)
    yield from _ones(s)


def _ranges(s: Source) -> Iterator[Change]:
    for n in s.nodes:
        if not isinstance(n, ast.Call) or method(n) != "range" or not n.args or n.keywords:
            continue
        whole = s.quoted(n)
        stop = n.args[0] if len(n.args) == 1 else n.args[1]
        start = n.args[0] if len(n.args) > 1 else None
        text, rest = s.text(stop), "".join(f", {s.text(a)}" for a in n.args[2:])
        begin = s.text(start) if start is not None else "0"
        for new, told in (
            (f"range({begin}, ({text}) - 1{rest})", "ends one turn too late"),
            (f"range({begin}, ({text}) + 1{rest})", "ends one turn too early"),
            (f"range(({begin}) + 1, {text}{rest})", "begins one turn too early"),
            (f"range(({begin}) - 1, {text}{rest})", "begins one turn too late"),
            (f"range(({begin}) + 1, ({text}) + 1{rest})", "begins and ends one too early"),
            (f"range(({begin}) - 1, ({text}) - 1{rest})", "begins and ends one too late"),
        ):
            yield s.change(n, new, Code.OFF_BY_ONE, f"{whole} {told}", 17)
        if start is not None:
            yield s.change(n, f"range({text})", Code.WRONG_PART, f"{whole} begins too late", 20)


def _slice(s: Source, n: ast.Subscript, part: ast.Slice) -> Iterator[Change]:
    whole = s.quoted(n)
    low = s.text(part.lower) if part.lower else ""
    high = s.text(part.upper) if part.upper else ""
    step = f":{s.text(part.step)}" if part.step else ""
    tried: list[tuple[str, str, Code, int]] = []
    if low:
        tried += [
            (f"({low}) + 1:{high}", "begins one place too early", Code.OFF_BY_ONE, 18),
            (f"({low}) - 1:{high}", "begins one place too late", Code.OFF_BY_ONE, 18),
            (f":{high}", "lacks its beginning", Code.WRONG_PART, 24),
            (f"-({low}):{high}", "begins at another place than is meant", Code.WRONG_PART, 32),
        ]
    else:
        tried.append((f"1:{high}", "begins one place too early", Code.OFF_BY_ONE, 19))
    if high:
        tried += [
            (f"{low}:({high}) + 1", "ends one place too early", Code.OFF_BY_ONE, 18),
            (f"{low}:({high}) - 1", "ends one place too late", Code.OFF_BY_ONE, 18),
            (f"{low}:", "ends too early", Code.WRONG_PART, 24),
            (f"{low}:-({high})", "ends at another place than is meant", Code.WRONG_PART, 32),
        ]
    else:
        tried.append((f"{low}:-1", "ends one place too late", Code.OFF_BY_ONE, 19))
    if low and high:
        tried += [
            (f"({low}) + 1:({high}) + 1", "begins and ends one place too early", Code.OFF_BY_ONE, 18),
            (f"({low}) - 1:({high}) - 1", "begins and ends one place too late", Code.OFF_BY_ONE, 18),
        ]
    elif low or high:
        tried.append((f"{high}:{low}", "takes the other part than is meant", Code.WRONG_PART, 25))
    for name in s.scope:
        if name not in (low, high):
            for new in (f"{name}:{high}", f"{low}:{name}", f"{low}:{low} + {name}" if low else f"-{name}:"):
                tried.append((new, "takes another part than is meant", Code.WRONG_PART, 32))
    for new, told, code, rank in tried:
        yield s.change(n, [s.edit(part, new + step)], code, f"{whole} {told}", rank)
    if not step:
        told = f"{whole} goes forwards, where backwards is meant"
        yield s.change(n, f"({s.text(n)})[::-1]", Code.DIRECTION, told, 31)
    elif not low and not high:
        yield s.change(n, s.text(n.value), Code.DIRECTION, f"{whole} turns round what is meant as it is", 15)


def _index(s: Source, n: ast.Subscript, part: ast.expr) -> Iterator[Change]:
    whole, text = s.quoted(n), s.text(part)
    if is_number(part):
        for other in ("0", "-1", "1", "2"):
            if other != text:
                size = isinstance(n.value, ast.Attribute) and n.value.attr == "shape"
                what = "is the length of another axis" if size else "takes another place"
                told = f"{whole} {what} than is meant"
                code = Code.WRONG_SIZE if size else Code.WRONG_PART
                yield s.change(n, [s.edit(part, other)], code, told, 18)
        return
    if isinstance(part, ast.Constant | ast.Tuple):
        return
    for new, word in ((f"({text}) + 1", "before"), (f"({text}) - 1", "behind")):
        told = f"{whole} is one place {word} the one that is meant"
        yield s.change(n, [s.edit(part, new)], Code.OFF_BY_ONE, told, 19)


def _axes(s: Source, n: ast.Subscript, index: list[ast.expr]) -> Iterator[Change]:
    """The index of rows for that of columns; an index that is missing."""
    whole, of = s.quoted(n), s.text(n.value)
    if len(index) == 2:
        a, b = s.text(index[0]), s.text(index[1])
        told = f"the rows and the columns of {whole} are exchanged"
        edits = [s.edit(index[0], b), s.edit(index[1], a)]
        yield s.change(n, edits, Code.EXCHANGED, told, 14)
        if isinstance(index[0], ast.Slice) and not (index[0].lower or index[0].upper):
            told = f"{whole} takes a column, where a row is meant"
            yield s.change(n, [Edit(s.span(n)[0], s.span(n)[1], f"{of}[{b}]")], Code.WRONG_AXIS, told, 15)
    elif isinstance(n.ctx, ast.Load) and not isinstance(index[0], ast.Slice):
        told = f"{whole} takes a row, where a column is meant"
        yield s.change(n, f"{of}[:, {s.text(index[0])}]", Code.WRONG_AXIS, told, 26)
    if isinstance(n.ctx, ast.Load) and len(index) == 1:
        told = f"a part of {of} is taken, [{s.text(index[0])}], where all of it is meant"
        yield s.change(n, of, Code.WRONG_PART, told, 30)


def _ones(s: Source) -> Iterator[Change]:
    """1 added or subtracted too much, in one place or in all; 1 that is missing of a count."""
    found = [
        n
        for n in s.nodes
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub) and is_number(n.right, 1)
    ]
    for n in found:
        told = f"{s.quoted(n)} is one off: {s.quoted(n.left)} is meant"
        yield s.change(n, s.text(n.left), Code.OFF_BY_ONE, told, 21)
        other = "-" if isinstance(n.op, ast.Add) else "+"
        told = f"the sign of the 1 in {s.quoted(n)} is wrong"
        yield s.change(n, f"({s.text(n.left)}) {other} 1", Code.OFF_BY_ONE, told, 28)
    if len(found) > 1:
        told = f"{s.quoted(found[0])} is one off, as everywhere here: {s.quoted(found[0].left)} is meant"
        yield s.change(found[0], [s.put(n, s.text(n.left)) for n in found], Code.OFF_BY_ONE, told, 22)
    for one in s.nodes:
        parent = s.parents.get(id(one))
        counts = isinstance(parent, ast.BinOp | ast.Compare) or method(parent or one) in (
            "linspace",
            "arange",
        )
        read = isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and counts
        if read or isinstance(one, ast.Call) and method(one) == "len":
            for new, word in ((f"{s.text(one)} - 1", "large"), (f"{s.text(one)} + 1", "small")):
                told = f"{s.quoted(one)} is 1 too {word} there"
                yield s.change(one, new, Code.OFF_BY_ONE, told, 29)


# --- calls -------------------------------------------------------------------------------------------

RELATED = {
    "log": ("log10", "log2", "log1p"), "log2": ("log", "log10"), "log10": ("log", "log2"),
    "log_softmax": ("softmax",), "softmax": ("log_softmax", "sigmoid"), "sigmoid": ("tanh", "softmax"),
    "tanh": ("sigmoid", "relu"), "relu": ("tanh", "abs"), "std": ("var", "norm"), "var": ("std",),
    "norm": ("std", "sum"), "tril": ("triu",), "triu": ("tril",), "max": ("min", "argmax", "sum"),
    "min": ("max", "argmin"), "argmax": ("argmin", "max"), "argmin": ("argmax",), "amax": ("amin",),
    "all": ("any",), "any": ("all",), "sum": ("mean", "max", "prod", "len"), "mean": ("sum", "median"),
    "prod": ("sum",), "floor": ("ceil", "round"), "ceil": ("floor",), "round": ("int",), "int": ("round",),
    "zeros": ("ones", "empty"), "ones": ("zeros",), "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",), "Tensor": ("tensor",), "tensor": ("Tensor",), "append": ("extend",),
    "extend": ("append",), "startswith": ("endswith", "__eq__"), "endswith": ("startswith",),
    "find": ("rfind",), "rfind": ("find",), "index": ("rindex",), "split": ("splitlines",),
    "splitlines": ("split",), "cat": ("stack",), "stack": ("cat",), "set": ("list",),
    "list": ("set", "tuple"), "tuple": ("list", "set"), "sorted": ("reversed", "list"),
    "reversed": ("sorted",), "keys": ("values", "items"), "values": ("keys", "items"),
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
    yield from _along(s, [n for n in found if method(n) in ALONG])
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
        for part in n.args[:2]:
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
        rank = 21 if name == "set" else 18
        yield s.change(n, own, code or Code.ANOTHER_FUNCTION, told, rank)
        if len(alike) > 1 and n is alike[0]:
            yield s.change(n, edits, code or Code.ANOTHER_FUNCTION, told, rank + 1)
    of = subject(n)
    if name == "abs" and of is not None:
        told = f"the absolute value of {s.quoted(of)} is taken, where its square is meant"
        yield s.change(n, f"({s.text(of)}) ** 2", Code.ANOTHER_FUNCTION, told, 20)
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


def _along(s: Source, found: list[ast.Call]) -> Iterator[Change]:
    """Other axes, in one call or in several; all of a tensor."""
    for n in found:
        of, name = subject(n), method(n)
        if of is None:
            continue
        dims = _dims(s, n, of)
        along = f"along axis {dims}" if dims else "over all"
        if dims:
            told = f"{s.quoted(n)} goes {along}: all together is meant"
            for new in (f"({s.text(of)}).{name}()", f"({s.text(of)}).{name}().item()"):
                yield s.change(n, new, Code.WRONG_AXIS, told, 15)
        for to in AXES:
            if to == dims:
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


# --- what is returned, made into something else -------------------------------------------------------

WRAPPERS: tuple[tuple[str, Code, str], ...] = (
    ("-({0})", Code.SIGN, "the sign of {1} is wrong"),
    ("math.log({0})", Code.FUNCTION_MISSING, "{1} is given where its logarithm is meant"),
    ("-math.log({0})", Code.FUNCTION_MISSING, "{1} is given where its negative logarithm is meant"),
    ("({0}).log()", Code.FUNCTION_MISSING, "{1} is given where its logarithm is meant"),
    ("-({0}).log()", Code.FUNCTION_MISSING, "{1} is given where its negative logarithm is meant"),
    ("({0}).exp()", Code.FUNCTION_MISSING, "{1} is given where its exponential is meant"),
    ("math.exp({0})", Code.FUNCTION_MISSING, "{1} is given where its exponential is meant"),
    ("({0}) ** 0.5", Code.FUNCTION_MISSING, "{1} is given where its square root is meant"),
    ("({0}) ** 2", Code.EXPONENT, "{1} is given where its square is meant"),
    ("10.0 ** ({0})", Code.FUNCTION_MISSING, "{1} is given where 10 to the power of it is meant"),
    ("1 / ({0})", Code.FUNCTION_MISSING, "{1} is given where its inverse is meant"),
    ("1 - ({0})", Code.FUNCTION_MISSING, "{1} is given where 1 less it is meant"),
    ("abs({0})", Code.FUNCTION_MISSING, "{1} is given where its absolute value is meant"),
    ("({0}).tanh()", Code.FUNCTION_MISSING, "tanh is missing of {1}"),
    ("math.tanh({0})", Code.FUNCTION_MISSING, "tanh is missing of {1}"),
    ("({0}).sigmoid()", Code.FUNCTION_MISSING, "sigmoid is missing of {1}"),
    ("({0}).relu()", Code.FUNCTION_MISSING, "relu is missing of {1}"),
    ("({0}).softmax(-1)", Code.FUNCTION_MISSING, "softmax is missing of {1}"),
    ("({0}) / ({0}).sum(-1, keepdim=True)", Code.FACTOR_MISSING, "{1} is not divided by the sum of its row"),
    ("min(1.0, {0})", Code.FUNCTION_MISSING, "{1} may become larger than 1, which is not held back"),
    ("max(0, {0})", Code.FUNCTION_MISSING, "{1} may become less than 0, which is not held back"),
    ("sorted({0})", Code.FUNCTION_MISSING, "{1} is not sorted"),
    ("sorted({0}, reverse=True)", Code.FUNCTION_MISSING, "{1} is not sorted"),
    ("({0})[::-1]", Code.DIRECTION, "{1} is in the reverse of the order that is meant"),
    ("list({0})", Code.WRONG_TYPE, "{1} is no list"),
    ("tuple({0})", Code.WRONG_TYPE, "{1} is no tuple"),
    ("set({0})", Code.WRONG_TYPE, "{1} is no set"),
    ("dict({0})", Code.WRONG_TYPE, "{1} is no dict"),
    ('"".join({0})', Code.WRONG_TYPE, "the parts of {1} are not joined into one text"),
    ('b"".join({0})', Code.WRONG_TYPE, "the parts of {1} are not joined into bytes"),
    ("len({0})", Code.FUNCTION_MISSING, "{1} is given where its length is meant"),
    ("int({0})", Code.WRONG_TYPE, "{1} is no whole number"),
    ("float({0})", Code.WRONG_TYPE, "{1} is no float"),
    ("str({0})", Code.WRONG_TYPE, "{1} is no text"),
    ("round({0})", Code.FUNCTION_MISSING, "{1} is not rounded"),
    ("math.ceil({0})", Code.FUNCTION_MISSING, "{1} is not rounded up"),
    ("({0}).item()", Code.WRONG_TYPE, "{1} is a tensor, where a number is meant"),
    ("({0}).tolist()", Code.WRONG_TYPE, "{1} is a tensor, where a list is meant"),
    ("torch.tensor({0})", Code.WRONG_TYPE, "{1} is no tensor"),
    ("torch.stack({0})", Code.WRONG_TYPE, "the tensors of {1} are not stacked into one"),
    ("({0}).float()", Code.WRONG_DTYPE, "{1} is not of floats"),
    ("({0}).long()", Code.WRONG_DTYPE, "{1} is not of whole numbers"),
    ("({0}).T", Code.TRANSPOSED, "{1} is meant transposed"),
    ("({0}).squeeze()", Code.KEEPDIM, "{1} has an axis of length 1 too many"),
    ("({0}).flatten(1)", Code.WRONG_SHAPE, "{1} is meant with its last axes flattened"),
    ("({0}).clone()", Code.SHARED, "{1} is not copied: it is what was passed"),
    ("({0}).encode()", Code.WRONG_TYPE, "{1} is text, where bytes are meant"),
    ('({0}).decode("utf-8", errors="replace")', Code.WRONG_TYPE, "{1} is bytes, where text is meant"),
    ('({0}) + "\\n"', Code.TERM_MISSING, "a line end is missing after {1}"),
    ("({0})[0]", Code.WRONG_PART, "{1} is given where its first part is meant"),
    ("({0})[-1]", Code.WRONG_PART, "{1} is given where its last part is meant"),
    ("({0})[1:]", Code.WRONG_PART, "{1} has one too many at its beginning"),
    ("({0})[:-1]", Code.WRONG_PART, "{1} has one too many at its end"),
    ("({0}) + 1", Code.OFF_BY_ONE, "{1} is 1 too small"),
    ("({0}) - 1", Code.OFF_BY_ONE, "{1} is 1 too large"),
)  # fmt: skip


INNER = ("({0}).tanh()", "math.tanh({0})", "({0}).exp()", "({0}).log()", "({0}) ** 2", "({0}) ** 0.5")


def wrapped(s: Source) -> Iterator[Change]:
    """A function that is missing of what is returned, or of one of several that are."""
    for value in s.returned:
        parts = [value, *(value.elts if isinstance(value, ast.Tuple) else ())]
        if isinstance(value, ast.ListComp):
            parts.append(value.elt)
        elif isinstance(value, ast.DictComp):
            parts.append(value.value)
        if isinstance(value, ast.Tuple) and len(value.elts) > 1:
            told = "what is returned is no tensor, neither part"
            edits = [s.put(e, f"torch.tensor({s.text(e)})") for e in value.elts]
            yield s.change(value, edits, Code.WRONG_TYPE, told, 14)
        for part in parts:
            for new, code, told in WRAPPERS:
                if isinstance(part, ast.Tuple) and code is not Code.DIRECTION and "{0})[" not in new:
                    continue
                rank = 12 if code is Code.SIGN else 25
                yield s.change(part, new.format(s.text(part)), code, told.format("", s.quoted(part)), rank)
        for name in s.scope:
            told = f"{s.quoted(value)} is returned where {name} is meant"
            yield s.change(value, name, Code.ANOTHER_TENSOR, told, 32)
    for n in s.values:
        outer = s.parents.get(id(n))
        if (
            isinstance(n, ast.Name)
            and n.id in s.scope
            and not isinstance(outer, ast.Attribute | ast.Subscript)
        ):
            for new in INNER:
                spoken = new.replace("({0})", n.id) if new.startswith("({0})") else new.format(n.id)
                code = Code.EXPONENT if "** 2" in new else Code.FUNCTION_MISSING
                told = f"{n.id} is used where `{spoken}` is meant"
                yield s.change(n, new.format(n.id), code, told, 37)


def unindexed(s: Source) -> Iterator[Change]:
    """A tensor or list that is taken whole, where a part is meant as it is taken of another."""
    indices = dict.fromkeys(
        s.text(n.slice) for n in s.nodes if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load)
    )
    taken = {id(n.value) for n in s.nodes if isinstance(n, ast.Subscript)}
    for n in s.values:
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in s.scope and id(n) not in taken:
            for index in list(indices)[:6]:
                told = f"{n.id} is taken whole, where a part of it is meant, as of others here"
                yield s.change(n, f"{n.id}[{index}]", Code.WRONG_PART, told, 29)


# --- collections -------------------------------------------------------------------------------------


def collections(s: Source) -> Iterator[Change]:
    for n in s.nodes:
        index = isinstance(s.parents.get(id(n)), ast.Subscript)
        if isinstance(n, ast.Tuple | ast.List) and isinstance(n.ctx, ast.Load) and not index:
            yield from _elements(s, n)
        elif isinstance(n, ast.Dict):
            for a, b in combinations(n.values, 2):
                if s.text(a) != s.text(b):
                    told = f"{s.quoted(a)} and {s.quoted(b)} are exchanged"
                    edits = [s.edit(a, s.text(b)), s.edit(b, s.text(a))]
                    yield s.change(a, edits, Code.EXCHANGED, told, 20)
        elif isinstance(n, ast.DictComp):
            edits = [s.edit(n.key, s.text(n.value)), s.edit(n.value, s.text(n.key))]
            told = "the keys and the values are exchanged"
            yield s.change(n, edits, Code.EXCHANGED, told, 11)
        elif isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult) and isinstance(n.left, ast.List):
            if any(isinstance(e, ast.Call | ast.List | ast.ListComp) for e in n.left.elts):
                told = f"{s.quoted(n)} has one and the same thing that many times, not as many of them"
                new = f"[_x for _ in range({s.text(n.right)}) for _x in {s.text(n.left)}]"
                yield s.change(n, new, Code.SHARED, told, 5)
        elif isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add):
            told = f"{s.quoted(n.left)} and {s.quoted(n.right)} stand in the wrong order"
            yield s.change(n, f"({s.text(n.right)}) + ({s.text(n.left)})", Code.EXCHANGED, told, 15)
            yield from _shifted(s, n)
        elif isinstance(n, ast.Call) and method(n) == "sum" and n.args:
            yield from _summed(s, n)
        elif isinstance(n, ast.JoinedStr):
            yield from _text(s, n)
        if isinstance(n, ast.ListComp | ast.GeneratorExp | ast.For | ast.comprehension):
            yield from _iterated(s, n)


def _shifted(s: Source, n: ast.BinOp) -> Iterator[Change]:
    """[x] + y[:-1] for y[1:] + [x], and the reverse."""
    told = f"{s.quoted(n)} moves the wrong way: the new one comes in at the other end"
    for one, rest, new in (
        (n.left, n.right, "({y})[1:] + {x}"),
        (n.right, n.left, "{x} + ({y})[:-1]"),
    ):
        if isinstance(one, ast.List) and isinstance(rest, ast.Subscript):
            made = new.format(x=s.text(one), y=s.text(rest.value))
            yield s.change(n, made, Code.DIRECTION, told, 16)


def _elements(s: Source, n: ast.Tuple | ast.List) -> Iterator[Change]:
    parts = [s.text(e) for e in n.elts]
    for (i, a), (j, b) in combinations(enumerate(n.elts), 2):
        if parts[i] != parts[j]:
            told = f"{s.quoted(a)} and {s.quoted(b)} are exchanged"
            edits = [s.edit(a, parts[j]), s.edit(b, parts[i])]
            yield s.change(a, edits, Code.EXCHANGED, told, 18)
    left, right = ("(", ")") if isinstance(n, ast.Tuple) else ("[", "]")
    for k, e in enumerate(n.elts):
        rest = parts[:k] + parts[k + 1 :]
        comma = "," if len(rest) == 1 and left == "(" else ""
        told = f"the entry {s.quoted(e)} is one too many"
        yield s.change(n, [s.edit(n, f"{left}{', '.join(rest)}{comma}{right}")], Code.EXTRA_TERM, told, 19)
        if 0 < k < len(n.elts) - 1:
            told = f"the entries from {s.quoted(e)} on are too many"
            new = f"{left}{', '.join(parts[:k])}{',' if k == 1 and left == '(' else ''}{right}"
            yield s.change(n, [s.edit(n, new)], Code.EXTRA_TERM, told, 27)
    if len(parts) > 1:
        told = f"the entries of {s.quoted(n)} stand in the reverse of the order that is meant"
        yield s.change(n, [s.edit(n, f"{left}{', '.join(reversed(parts))}{right}")], Code.DIRECTION, told, 24)


def _summed(s: Source, n: ast.Call) -> Iterator[Change]:
    """A function of the sum for the sum of the function's values, and the reverse."""
    outer, inner = s.parents.get(id(n)), n.args[0]
    if not isinstance(inner, ast.GeneratorExp | ast.ListComp) or not isinstance(n.func, ast.Name):
        return
    elt, rest = s.text(inner.elt), s.data[s.span(inner.elt)[1] : s.span(inner)[1] - 1].decode()
    if isinstance(outer, ast.BinOp) and isinstance(outer.op, ast.Pow) and outer.left is n:
        power = s.text(outer.right)
        told = f"{s.quoted(outer)} is the power of the sum: the sum of the powers is meant"
        yield s.change(outer, f"sum(({elt}) ** {power}{rest})", Code.BRACKET, told, 9)
    if isinstance(inner.elt, ast.BinOp) and isinstance(inner.elt.op, ast.Pow):
        base, power = s.text(inner.elt.left), s.text(inner.elt.right)
        told = f"{s.quoted(n)} is the sum of the powers: the power of the sum is meant"
        yield s.change(n, f"sum(({base}){rest}) ** {power}", Code.BRACKET, told, 28)


def _text(s: Source, n: ast.JoinedStr) -> Iterator[Change]:
    alike = [m for m in s.nodes if isinstance(m, ast.JoinedStr) and s.text(m) == s.text(n)]
    values = [s.text(v.value) for v in n.values if isinstance(v, ast.FormattedValue)]
    if n is alike[0] and values:
        told = f"{s.quoted(n)} is a text: a tuple is meant"
        edits = [s.put(m, f"{', '.join(values)},") for m in alike]
        yield s.change(n, edits, Code.WRONG_TYPE, told, 11)


def _iterated(s: Source, n: ast.AST) -> Iterator[Change]:
    """What a loop goes over: in another order, another part, its pairs for its values."""
    if not isinstance(n, ast.For | ast.comprehension):
        return
    over, target = n.iter, n.target
    text, whole = s.text(over), s.quoted(over)
    if isinstance(target, ast.Tuple) and len(target.elts) == 2:
        a, b = target.elts
        told = f"{s.quoted(a)} and {s.quoted(b)} of {whole} are exchanged"
        yield s.change(target, [s.edit(a, s.text(b)), s.edit(b, s.text(a))], Code.EXCHANGED, told, 19)
    if method(over) not in ("reversed", "sorted", "range", "zip", "enumerate"):
        told = f"the loop goes over {whole} forwards: from the end backwards is meant"
        yield s.change(over, f"list({text})[::-1]", Code.DIRECTION, told, 12)
        told = f"the loop goes over {whole} as it is: sorted is meant"
        yield s.change(over, f"sorted({text})", Code.FUNCTION_MISSING, told, 27)
    for new, told in (("[1:]", "the first of {} is not meant"), ("[:-1]", "the last of {} is not meant")):
        if method(over) != "range":
            yield s.change(over, f"list({text}){new}", Code.WRONG_PART, told.format(whole), 30)
    if method(over) == "enumerate" and isinstance(over, ast.Call) and len(over.args) == 1:
        told = f"{whole} counts from 0, where 1 is meant"
        yield s.change(over, f"enumerate({s.text(over.args[0])}, 1)", Code.OFF_BY_ONE, told, 20)
    told = f"each of {whole} is taken as often as it comes, where once is meant"
    yield s.change(over, f"dict.fromkeys({text})", Code.FUNCTION_MISSING, told, 33)


# --- formulas -----------------------------------------------------------------------------------------


def formulas(s: Source) -> Iterator[Change]:
    """Parts of a formula that are too many; exponents; divisions of whole numbers; a derivative's form."""
    for n in s.nodes:
        if isinstance(n, ast.UnaryOp) and isinstance(n.op, ast.USub) and not is_number(n):
            told = f"the minus sign of {s.quoted(n.operand)} is one too many"
            yield s.change(n, s.text(n.operand), Code.TERM_SIGN, told, 12)
        if not isinstance(n, ast.BinOp):
            continue
        a, b = s.text(n.left), s.text(n.right)
        yield from operand_dropped(s, n)
        if isinstance(n.op, ast.FloorDiv):
            told = f"`//` rounds down: {s.quoted(n)} is meant with `/`"
            yield s.change(n, f"({a}) / ({b})", Code.OPERATOR, told, 8)
        if isinstance(n.op, ast.Div) and isinstance(s.parents.get(id(n)), ast.BinOp):
            told = f"{s.quoted(n)} may become larger than 1, which is not held back"
            yield s.change(n, f"min(1.0, ({a}) / ({b}))", Code.FUNCTION_MISSING, told, 30)
        if isinstance(n.op, ast.Div):
            told = f"`/` gives a float: {s.quoted(n)} is meant with `//`"
            yield s.change(n, f"({a}) // ({b})", Code.WRONG_TYPE, told, 11)
        if isinstance(n.op, ast.Mult):
            told = f"{s.quoted(n)} is meant as a power, with `**`"
            yield s.change(n, f"({a}) ** ({b})", Code.OPERATOR, told, 31)
            if s.text(n.left) in s.text(n.right) and isinstance(n.right, ast.BinOp):
                told = f"{s.quoted(n)} is the derivative of a sigmoid, from its output: of a tanh is meant"
                yield s.change(n, f"1 - ({a}) ** 2", Code.LOCAL_GRADIENT, told, 27)
        if isinstance(n.op, ast.Mod | ast.FloorDiv):
            other = "//" if isinstance(n.op, ast.Mod) else "%"
            told = f"{s.quoted(n)} is meant with `{other}`"
            yield s.change(n, f"({a}) {other} ({b})", Code.OPERATOR, told, 26)
        if isinstance(n.op, ast.Pow):
            told = f"the exponent of {s.quoted(n.left)} is off"
            for new in (
                f"({b}) + 1",
                f"({b}) - 1",
                f"({b}) * 2",
                f"({b}) / 2",
                f"-({b})",
                "2",
                "0.5",
                "-0.5",
            ):
                yield s.change(n, f"({a}) ** ({new})", Code.EXPONENT, told, 18)
    for n in s.values:
        if isinstance(n, ast.Name) and isinstance(s.parents.get(id(n)), ast.BinOp) and n.id in s.scope:
            yield s.change(n, f"{n.id} ** 2", Code.EXPONENT, f"{n.id} is meant squared", 24)
        if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add):
            told = f"{s.quoted(n.right)} is added where its opposite is meant"
            yield s.change(n, f"({s.text(n.left)}) + (-({s.text(n.right)}))", Code.TERM_SIGN, told, 19)


# --- brackets ----------------------------------------------------------------------------------------


def brackets(s: Source) -> Iterator[Change]:
    """A part of a formula that stands in or out of a bracket: of a function, a power, by precedence."""
    for n in s.values:
        if isinstance(n, ast.BinOp):
            yield from _out_of(s, n)
            yield from _precedence(s, n)
        if isinstance(n, ast.Call) and len(n.args) <= 1:
            yield from _into(s, n)
        base = n.left if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) else None
        if (
            isinstance(n, ast.BinOp)
            and isinstance(base, ast.BinOp)
            and isinstance(base.op, ast.Add | ast.Sub)
        ):
            a, b, c = s.text(base.left), s.text(base.right), s.text(n.right)
            sign = "+" if isinstance(base.op, ast.Add) else "-"
            told = f"a bracket in the wrong place: {s.quoted(base.right)} stands in the power"
            yield s.change(n, f"({a}) ** ({c}) {sign} ({b})", Code.BRACKET, told, 19)


def _out_of(s: Source, n: ast.BinOp) -> Iterator[Change]:
    """f(a) + b, where f(a + b) is meant."""
    call, sign = n.left, {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(n.op), "")
    if not sign:
        return
    b = s.text(n.right)
    told = f"{s.quoted(n.right)} stands outside of the bracket of {s.quoted(call)}, in which it is meant"
    if isinstance(call, ast.Call) and (of := subject(call)) is not None:
        yield s.change(
            n, [s.edit(n, _with(s, call, of, f"({s.text(of)}) {sign} ({b})"))], Code.BRACKET, told, 18
        )
    if isinstance(call, ast.BinOp) and isinstance(call.op, ast.Pow):
        told = f"{s.quoted(n.right)} stands outside of the power, in which it is meant"
        new = f"(({s.text(call.left)}) {sign} ({b})) ** ({s.text(call.right)})"
        yield s.change(n, new, Code.BRACKET, told, 19)


def _into(s: Source, n: ast.Call) -> Iterator[Change]:
    """f(a + b), where f(a) + b is meant."""
    of = subject(n)
    if isinstance(of, ast.BinOp):
        sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}.get(type(of.op), "")
        if sign:
            a, b = s.text(of.left), s.text(of.right)
            told = f"{s.quoted(of.right)} stands in the bracket of {method(n)}, outside of which it is meant"
            yield s.change(n, f"{_with(s, n, of, a)} {sign} ({b})", Code.BRACKET, told, 21)


def _with(s: Source, call: ast.Call, of: ast.expr, new: str) -> str:
    """A call of something else."""
    start, end = s.span(call)
    a, b = s.span(of)
    while s.data[a - 1 : a] == b"(" and s.data[b : b + 1] == b")" and a - 1 > start:
        a, b = a - 1, b + 1
    return s.data[start:a].decode() + f"({new})" + s.data[b:end].decode()


def _precedence(s: Source, n: ast.BinOp) -> Iterator[Change]:
    """(a * b) - c, where a * (b - c) is meant; a - (b - c) for (a - b) - c, and the reverse."""
    b, inner = s.text(n.right), n.left
    sign = s.data[s.span(n.left)[1] : s.span(n.right)[0]].decode().strip("() \n")
    path = inner
    while isinstance(path, ast.BinOp):
        path = path.right
        if isinstance(inner, ast.BinOp) and s.span(path)[1] == s.span(inner)[1]:
            start, _ = s.span(n)
            a, _ = s.span(path)
            new = s.data[start:a].decode() + f"(({s.text(path)}) {sign} ({b}))"
            told = f"brackets are missing: {s.quoted(n.right)} is meant together with {s.quoted(path)}"
            yield s.change(n, new, Code.BRACKET, told, 22)


# --- texts -------------------------------------------------------------------------------------------


def joined(s: Source) -> Iterator[Change]:
    """Texts and bytes: code points, parts that are decoded each for itself, patterns made of names."""
    for n in s.nodes:
        if isinstance(n, ast.ListComp) and method(n.elt) == "ord" and len(n.generators) == 1:
            told = "ord gives the number of a character, not its bytes, of which it may have several"
            over = s.text(n.generators[0].iter)
            yield s.change(n, f"list(({over}).encode())", Code.WRONG_TYPE, told, 8)
        if isinstance(n, ast.Call) and method(n) == "join" and len(n.args) == 1:
            part = n.args[0]
            inner = part.elt if isinstance(part, ast.ListComp | ast.GeneratorExp) else None
            if (
                isinstance(inner, ast.Call)
                and isinstance(inner.func, ast.Attribute)
                and method(inner) == "decode"
            ):
                bare, args = (
                    s.text(inner.func.value),
                    ", ".join(s.text(a) for a in (*inner.args, *inner.keywords)),
                )
                rest = s.data[s.span(inner)[1] : s.span(part)[1] - 1].decode()
                told = "each part is decoded for itself, though a character may lie over several"
                yield s.change(n, f'b"".join({bare}{rest}).decode({args})', Code.MISPLACED, told, 7)
            told = f"{s.quoted(part)} goes into a pattern as it is, with signs that mean something there"
            yield s.change(part, f"map(re.escape, {s.text(part)})", Code.PATTERN, told, 20)
        if isinstance(n, ast.Call) and method(n) == "split" and len(n.args) > 1:
            told = "what the pattern finds is lost: no group in it keeps it"
            yield s.change(n.args[0], f'"(" + {s.text(n.args[0])} + ")"', Code.PATTERN, told, 9)


QUANTIFIED = re.compile(r"\]|\)|\\[swdSWD]")


def texts(s: Source) -> Iterator[Change]:
    """What is written in a text: how errors are met, an encoding, a pattern."""
    for n in s.nodes:
        if not isinstance(n, ast.Constant) or not isinstance(n.value, str) or not n.value:
            continue
        if isinstance(s.parents.get(id(n)), ast.JoinedStr | ast.FormattedValue):
            continue
        value = n.value
        for group in (("strict", "ignore", "replace"), ("utf-8", "ascii", "latin-1", "utf-16")):
            for other in group if value in group else ():
                told = f"{value!r} stands where {other!r} is meant"
                yield s.change(n, repr(other), Code.CONSTANT, told, 12)
        if value.strip() != value and value.strip() or len(value) == 1:
            for other in dict.fromkeys((" ", "\n", "", value.strip(), " " + value, value + "\n")):
                told = f"the text {value!r} is another than is meant"
                yield s.change(n, repr(other), Code.CONSTANT, told, 31)
        if set(value) & set("\\[(") and method(s.parents.get(id(n)) or n) in (
            "findall", "compile", "split", "search", "match", "sub", "finditer", "fullmatch"
        ):  # fmt: skip
            yield from _pattern(s, n, value)


def _pattern(s: Source, n: ast.Constant, value: str) -> Iterator[Change]:
    groups = [m.start() for m in re.finditer(r"(?<!\\)\((?!\?)", value)]
    for at in groups:
        new = value[: at + 1] + "?:" + value[at + 1 :]
        told = "a group of the pattern captures: it gives the group alone, not all that is found"
        yield s.change(n, repr(new), Code.PATTERN, told, 8)
    for m in QUANTIFIED.finditer(value):
        end = m.end()
        follows = value[end : end + 1]
        told = f"how often {value[max(0, end - 8) : end]!r} may come in the pattern is off"
        for other in ("+", "*", "?", ""):
            if other != follows:
                new = value[:end] + other + value[end + (follows in ("+", "*", "?") and follows != "") :]
                yield s.change(n, repr(new), Code.PATTERN, told, 30)
    branches = _branches(value)
    for k in range(len(branches)):
        told = f"the pattern's branch {branches[k]!r} is one too many"
        yield s.change(n, repr("|".join(branches[:k] + branches[k + 1 :])), Code.PATTERN, told, 28)
    for a, b in combinations(range(len(branches)), 2):
        order = branches[:]
        order[a], order[b] = order[b], order[a]
        told = f"the pattern's branches {branches[a]!r} and {branches[b]!r} stand in the wrong order"
        yield s.change(n, repr("|".join(order)), Code.PATTERN, told, 32)


def _branches(pattern: str) -> list[str]:
    """A pattern at its outermost bars."""
    found, depth, start, k = [], 0, 0, 0
    while k < len(pattern):
        c = pattern[k]
        if c == "\\":
            k += 1
        elif c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == "|" and not depth:
            found.append(pattern[start:k])
            start = k + 1
        k += 1
    return [*found, pattern[start:]] if found else []
