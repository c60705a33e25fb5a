"""Names for the steps of a trace, those of the source's own variables and layers."""

from __future__ import annotations

import ast
import itertools
import keyword
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from grader.authoring.network.trace import Step

OUTER: dict[type, tuple[str, ...]] = {
    ast.Add: ("add",),
    ast.Sub: ("sub", "rsub"),
    ast.Mult: ("mul",),
    ast.Div: ("div", "reciprocal"),
    ast.MatMult: ("matmul",),
    ast.Pow: ("pow",),
    ast.USub: ("neg",),
}
TAKEN = {"torch", "F", "nn", "math", "forward", "inputs", "range", "float", "int", "len", "dict"}


@cache
def _statements(file: str) -> dict[int, ast.stmt]:
    """By line the innermost statement of a file that stands there."""
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return | ast.Expr):
            found |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), node)
    return found


def statement(step: Step) -> ast.stmt | None:
    file, line = step.where
    return _statements(file).get(line) if file else None


def _caller(step: Step, depth: int = 1) -> str:
    """The variable that the caller of a step's function gives its result to; "" where there is none."""
    if len(step.frames) <= depth:
        return ""
    file, line, _ = step.frames[-1 - depth]
    outer = _statements(file).get(line)
    if isinstance(outer, ast.Return) and isinstance(outer.value, ast.Call):
        return _caller(step, depth + 1)
    if not (isinstance(outer, ast.Assign) and isinstance(outer.value, ast.Call)):
        return ""
    target, function = outer.targets[0], step.frames[-depth][2]
    if function not in ("forward", ast.unparse(outer.value.func).rpartition(".")[2]):
        return ""
    if isinstance(target, ast.Name):
        return target.id
    inner = statement(step)
    returned = (
        inner.value.elts if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Tuple) else []
    )
    if isinstance(target, ast.Tuple) and len(returned) == len(target.elts):
        at = [k for k, one in enumerate(returned) if _is_outer(step, one) or _is_call(one, step.module)]
        if len(at) == 1:
            return _text(target.elts[at[0]])
    return ""


def _is_call(node: ast.AST, module: str) -> bool:
    """Whether an expression is a call of the layer at the end of a path: self.fc, self.transformer.wte."""
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    return called.startswith("self.") and called.rpartition(".")[2] == module.rpartition(".")[2]


def named(inputs: Sequence[Step], steps: Sequence[Step], sizes: Iterable[str]) -> None:
    """Give each input and step its name; the last of the steps is the loss."""
    runs: dict[ast.stmt, int] = defaultdict(int)
    bases: list[tuple[Step, str]] = []
    for step in inputs:
        path, _, leaf = step.name.rpartition(".")
        step.module = path
        if step.kind in ("parameter", "buffer"):
            layer = path.rpartition(".")[2]
            owner = layer if layer and not layer.isdigit() else _joined(path)
            bases.append((step, f"{owner}_{leaf}" if owner and leaf in ("weight", "bias") else leaf))
        else:
            bases.append((step, leaf))
    given: set[ast.stmt | None] = set()
    for step, later in itertools.zip_longest(steps, steps[1:]):
        node = statement(step)
        base, own = _base(step, node, runs)
        result = _result(step, node)
        within = later and any(_statements(file).get(line) is node for file, line, _ in later.frames)
        if result and not own and not within and node not in given:  # F.normalize: the last of its steps
            base, own = result, True
        if step.op == "detach" and not own and bases[-1][0] in step.operands():  # a layer's, under no_grad
            base, own = bases[-1][1], True
            bases[-1] = (bases[-1][0], f"{base}_live")
        (given.add if within and (node in given or (base, own) == (result, True)) else given.discard)(node)
        step.inline = not own  # may stand in its consumer's line
        bases.append((step, base))
    groups: dict[str, list[Step]] = defaultdict(list)
    for step, base in bases:
        groups[_clean(base)].append(step)
    taken = {*TAKEN, *sizes}
    names: dict[str, Step] = {}
    for base, group in groups.items():
        prefixes = _prefixes([s.module for s in group])
        for step in group:
            prefix = prefixes[step.module]
            name = _clean(f"{prefix}_{base}" if prefix and not base.startswith(prefix) else base)
            name = re.sub(r"(?<![a-z])([a-z_]+)_\1(?=_)", r"\1", name)  # out_proj_out_proj_weight
            step.name = _free(name, {*names, *(taken if step.kind != "given" else ())})  # inputs() has those
            names[step.name] = step
    for name, step in list(names.items()):
        if name.startswith("d") and name[1:] in names:  # d + a tensor's name is a gradient
            step.name = _free(f"{name}_", {*names, *taken})


def _base(step: Step, node: ast.stmt | None, runs: dict[ast.stmt, int]) -> tuple[str, bool]:
    """What a step is called, and whether its name is the source's own."""
    part = step.fn.partition("#")[2]
    value = getattr(node, "value", None)
    target = getattr(node, "target", None) or next(iter(getattr(node, "targets", [])), None)
    if isinstance(target, ast.Tuple) and part and len(target.elts) > int(part):
        return _text(target.elts[int(part)]), True
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
        for name, one in zip(target.elts, value.elts, strict=True):
            if _is_outer(step, one):
                return _text(name), True
        target = target.elts[0]
    elif isinstance(target, ast.Tuple):
        target = None
    elif isinstance(node, ast.Return) and isinstance(value, ast.Tuple) and (called := _caller(step)):
        return called, True
    layer = step.module.rpartition(".")[2]
    if value is not None and _is_layer(step, node):
        direct = _is_call(value, step.module)
        own = target.id if isinstance(target, ast.Name) and direct and _once(step, target.id) else ""
        if isinstance(node, ast.Return):
            own = _caller(step)
        own = own or _joined(step.module)
        return own or step.op, True
    if isinstance(node, ast.AugAssign):
        outer: ast.expr | None = ast.BinOp(ast.Name("a"), node.op, ast.Name("b"))
    else:
        outer = value
    if outer is not None and _is_outer(step, outer):
        total = sum(_is_outer(step, n) for n in ast.walk(value) if isinstance(n, ast.expr)) if value else 1
        total += isinstance(node, ast.AugAssign)
        runs[node] += 1  # type: ignore[index]
        if runs[node] % max(total, 1) == 0 and (result := _result(step, node)):  # type: ignore[index]
            return result, True
    stem = _text(target) if isinstance(target, ast.Name) else layer if layer and not layer.isdigit() else ""
    word = WORDS.get(step.op, step.op)
    return (f"{stem}_{word}" if stem and stem != word else word.replace("sum", "total")), False


def _result(step: Step, node: ast.stmt | None) -> str:
    """What a statement's value is called; "" where that is not said of one tensor."""
    target = getattr(node, "target", None) or next(iter(getattr(node, "targets", [])), None)
    if isinstance(target, ast.Name):
        return target.id
    if not isinstance(node, ast.Return) or isinstance(node.value, ast.Tuple | ast.Dict):
        return ""
    own = step.fn.partition("#")[0]
    return _caller(step) or (own if own not in ("forward", "<lambda>") else _joined(step.module) or "out")


WORDS = {"mul": "scaled", "matmul": "prod", "linalg_vector_norm": "norm", "clamp_min": "clamped",
         "clamp": "clamped", "add": "sum", "rsub": "sub", "div": "quot", "mean": "mean", "sum": "total",
         "cross_entropy_loss": "ce", "numpy_T": "T", "masked_fill": "masked", "softmax": "p",
         "select": "at", "slice": "part", "scaled_dot_product_attention": "att", "transpose": "turned",
         "flatten": "flat", "view": "shaped", "reshape": "shaped"}  # fmt: skip


def _is_outer(step: Step, node: ast.expr) -> bool:
    """Whether a step is what an expression does last."""
    op = step.op
    if isinstance(node, ast.BinOp):
        return op in OUTER.get(type(node.op), ())
    if isinstance(node, ast.UnaryOp):
        return op in OUTER.get(type(node.op), ())
    if isinstance(node, ast.Compare):
        return op in ("eq", "ne", "lt", "gt", "le", "ge")
    if isinstance(node, ast.Subscript):
        return op in ("select", "slice", "index", "part")
    if isinstance(node, ast.Attribute):
        return op in ("numpy_T", "transpose", "permute", "t", "part") and node.attr in ("T", "mT", "values")
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2].rstrip("_")
        return op == called or op.startswith((f"{called}_", f"linalg_{called}")) or (called, op) in SAME
    return False


SAME = {
    ("norm", "linalg_vector_norm"),
    ("max", "amax"),
    ("softmax", "_softmax"),
    ("reshape", "view"),
    ("squeeze", "view"),
    ("chunk", "slice"),
}


LAYERS = {"linear", "layer_norm", "embedding", "conv1d", "conv2d", "conv_transpose2d", "batch_norm",
          "rms_norm", "group_norm", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "gelu", "relu",
          "silu", "tanh", "sigmoid", "softmax", "leaky_relu", "elu", "kept", "flatten"}  # fmt: skip


def _is_layer(step: Step, node: ast.stmt | None) -> bool:
    """Whether a step is one of torch's layers, called in the statement."""
    leaf = step.module.rpartition(".")[2]
    if not leaf or node is None:
        return False
    lib = step.op in LAYERS
    calls = [ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)]
    inner = any(_is_call(n, step.module) for n in ast.walk(node)) or (
        leaf.isdigit() and not any(c.rpartition(".")[2] == step.op for c in calls)
    )
    loop = not any(step.op in c for c in calls) and not any(c.startswith(("F.", "torch.")) for c in calls)
    return lib and (inner or (loop and leaf.isdigit()) or (loop and step.op in ("linear", "layer_norm")))


def _once(step: Step, name: str) -> bool:
    """Whether a variable is assigned once only in the source's file's function."""
    file, line = step.where
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    around = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef) and n.lineno <= line <= (n.end_lineno or 0)
    ]
    if not around:
        return False
    inner = max(around, key=lambda n: n.lineno)
    stores = [
        n
        for n in ast.walk(inner)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
    ]
    return len(stores) == 1 and name not in {a.arg for a in inner.args.args}


def _text(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else "part"


def _joined(path: str) -> str:
    """The end of a layer's path, with the number of its place: blocks.0 as block0."""
    parts = _parts(path)
    return parts[-1] if parts else ""


def _parts(path: str) -> list[str]:
    parts: list[str] = []
    for word in path.split("."):
        if word.isdigit() and parts:
            stem = parts[-1]
            parts[-1] = (stem[:-1] if stem.endswith("s") and len(stem) > 3 else stem) + word
        elif word:
            parts.append(word)
    return parts


def _prefixes(paths: Sequence[str]) -> Mapping[str, str]:
    """For each path what tells it from the others: the parts in which they differ."""
    unique = list(dict.fromkeys(paths))
    if len(unique) == 1:
        return {unique[0]: ""}
    split = {p: _parts(p) for p in unique}
    depth = max(map(len, split.values()))
    if len({len(s) for s in split.values()}) > 1:
        return {p: "_".join(s[:-1] if p.rpartition(".")[2].isdigit() else s) for p, s in split.items()}
    differ = [k for k in range(depth) if len({s[k] for s in split.values()}) > 1]
    return {p: "_".join(s[k] for k in differ) for p, s in split.items()}


def _clean(name: str) -> str:
    name = re.sub(r"\W+", "_", name).strip("_") or "t"
    return f"{name}_" if keyword.iskeyword(name) or name[0].isdigit() else name


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        stem = f"{name}_" if name[-1].isdigit() else name
        free, number = f"{stem}{number}", number + 1
    return free
