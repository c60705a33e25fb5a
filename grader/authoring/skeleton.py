"""An authored file to begin with: from a forward function, and then an item for each of its tensors.

`begin` writes the statement, FIXTURES, inputs and forward; `items` what is to be written for each gradient,
once the shapes are known.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from grader.authoring.item import AuthoredError, assigns, parsed
from grader.authoring.straight_line import problem
from grader.core.exercise import Line
from grader.core.graph import consumers

TEXTS: dict[str, str] = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "skeleton.toml").read_text(encoding="utf-8")
)
STATEMENT, FIXTURES, INPUTS, FORWARD, ITEM = (
    TEXTS[part] for part in ("statement", "fixtures", "inputs", "forward", "item")
)
TORCH = ("import torch\n", "import torch.nn.functional as F\n")


def read(file: str) -> str:
    """A file's text; AuthoredError where it can't be read."""
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise AuthoredError(f"{file} can't be read: {said}") from None


def titled(name: str) -> str:
    """An exercise's title, of its set's name."""
    title = name.partition(".")[0].replace("-", " ").replace("_", " ")
    return title[:1].upper() + title[1:]


def begin(name: str, source: str = "", function: str = "", filename: str = "") -> str:
    """An authored file for the exercise `name`: from the forward function in `source`, or from nothing.

    FIXTURES, inputs, and what these and the function use are taken over from `source` where it has them.
    AuthoredError names the line that is not flat, and how to write it.
    """
    head = STATEMENT.replace("TITLE", titled(name))
    if not source:
        return "\n\n".join([head + "\n" + "".join(TORCH) + "\n" + FIXTURES, INPUTS, FORWARD])
    tree = parsed(source, filename)
    forward = _function(tree, function, filename)
    if found := problem(forward):
        raise AuthoredError(f"{filename}, line {found[0]}: {found[1]}")
    own = [
        n
        for n in tree.body
        if isinstance(n, ast.FunctionDef) and n.name == "inputs" or assigns(n, "FIXTURES")
    ]
    wanted = needed(tree, [forward, *own])
    for node in wanted:
        if isinstance(node, ast.FunctionDef) and node is not forward and node.name.startswith("d"):
            raise AuthoredError(
                f"{filename}, line {node.lineno}: {node.name} begins with d, as items do: call it otherwise"
            )
    if ast.get_docstring(tree):
        head = f"{ast.get_source_segment(source, tree.body[0])}\n"
    imports = [text_of(source, n) for n in wanted if isinstance(n, ast.Import | ast.ImportFrom)]
    constants = [text_of(source, n) for n in wanted if isinstance(n, ast.Assign)]
    if not any(assigns(n, "FIXTURES") for n in wanted):
        imports = imports if TORCH[0] in imports else [TORCH[0], *imports]
        constants.append(FIXTURES)
    blocks = ["".join(imports)] if imports else []
    functions = [text_of(source, n) for n in wanted if isinstance(n, ast.FunctionDef) and n is not forward]
    if not any(isinstance(n, ast.FunctionDef) and n.name == "inputs" for n in wanted):
        functions.insert(0, INPUTS)
    functions.append(text_of(source, forward).replace(forward.name, "forward", 1))
    return "\n\n".join(["\n".join([head, *blocks, *constants]), *functions])


def _function(tree: ast.Module, name: str, filename: str) -> ast.FunctionDef:
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    if name not in functions:
        has = f"it has {', '.join(functions)}" if functions else "it has none"
        inner = [m for c in tree.body if isinstance(c, ast.ClassDef) for m in c.body]
        if any(isinstance(m, ast.FunctionDef) and m.name == name for m in inner):
            has = "there it is a method: write it as a function of the tensors that it works with"
        raise AuthoredError(f"{filename} has no function {name or 'by that name'}; {has}")
    return functions[name]


def needed(tree: ast.Module, roots: Sequence[ast.stmt]) -> list[ast.stmt]:
    """What the exercise takes over of a file: some statements, and all that these use."""
    defined: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign):
            defined |= {n.id: node for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined |= {(a.asname or a.name).split(".")[0]: node for a in node.names}
    todo = [*roots]
    wanted: list[ast.stmt] = []
    while todo:
        node = todo.pop()
        if node in wanted:
            continue
        wanted.append(node)
        todo += [defined[n.id] for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in defined]
    return [node for node in tree.body if node in wanted]


def text_of(source: str, node: ast.stmt) -> str:
    lines = source.splitlines()
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(lines[first - 1 : node.end_lineno]) + "\n"


def items(
    inputs: Sequence[str],
    lines: Sequence[Line],
    shapes: Mapping[str, Sequence[int]],
    grads: Collection[str],
    sizes: Collection[str],
) -> dict[str, str]:
    """By item what is to be written for it, in backward order; without the loss.

    shapes: of every tensor at the lecture's sizes. grads: the tensors whose gradients there are.
    """
    backward: list[str] = []  # each after all that are made of it
    for line in reversed(lines):
        backward += [line.name, *(name for name in inputs if consumers(lines, name)[:1] == (line.name,))]
    asked = [tensor for tensor in backward[1:] if tensor in grads]
    return {f"d{tensor}": _item(tensor, tuple(lines), shapes, grads, sizes) for tensor in asked}


def _item(
    tensor: str,
    lines: tuple[Line, ...],
    shapes: Mapping[str, Sequence[int]],
    grads: Collection[str],
    sizes: Collection[str],
) -> str:
    reading = [line for line in lines if tensor in line.uses and line.name in grads]
    arrives = [line for line in reading if line is not lines[-1]]
    near = dict.fromkeys(name for line in reading for name in _near(line.code.strip(), tensor, line.uses))
    params = sorted(near, key=lambda name: name in sizes)

    def stated(name: str) -> str:
        return f"d{name} {tuple(shapes[name])}"

    upstream = [stated(line.name) for line in arrives]
    if lines[-1] in reading:
        alone = "none, the loss itself (its gradient is 1)"
        upstream.append("the loss itself, whose gradient is 1" if arrives else alone)
    return ITEM.format(
        name=f"d{tensor}",
        tensor=tensor,
        params=", ".join([*params, *(f"d{line.name}" for line in arrives)]),
        stated=stated(tensor),
        forward="\n              ".join(line.code.strip() for line in reading),
        upstream=", ".join(upstream),
    )


def _near(code: str, tensor: str, uses: Collection[str]) -> list[str]:
    """What of a line its local gradient with respect to a tensor may need: not the other summands."""
    statement = ast.parse(code).body[0]
    assert isinstance(statement, ast.Assign)
    node = statement.value

    def holds(part: ast.expr) -> bool:
        return tensor in _names(part)

    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        if holds(node.left) and holds(node.right):
            break
        node = node.left if holds(node.left) else node.right
    if isinstance(node, ast.Name):
        return []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
        factors = (node.left, node.right)
        if sum(map(holds, factors)) == 1:
            other, own = sorted(factors, key=holds)
            node = other if isinstance(own, ast.Name) else node
    return [name for name in uses if name in _names(node)]


def _names(node: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def gradients(source: str, filename: str) -> tuple[str, ...]:
    """The functions d<name> of an authored file."""
    return tuple(n.name for n in _functions(source, filename) if n.name.startswith("d"))


def unwritten(source: str, filename: str) -> list[ast.FunctionDef]:
    """The functions of an authored file that are still only a `raise NotImplementedError`."""
    return [node for node in _functions(source, filename) if _is_blank(node)]


def unsaid(source: str, filename: str) -> None:
    """AuthoredError where a docstring of a file, authored or a stub, still says TODO."""
    docs = (
        n
        for n in ast.walk(parsed(source, filename))
        if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)
    )
    if first := next((n for n in docs if "TODO" in (ast.get_docstring(n) or "")), None):
        line = first.body[0].lineno
        raise AuthoredError(f"{filename}, line {line}: what learners read there still says TODO")


def _functions(source: str, filename: str) -> list[ast.FunctionDef]:
    return [n for n in parsed(source, filename).body if isinstance(n, ast.FunctionDef)]


def _is_blank(node: ast.FunctionDef) -> bool:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return [type(n) for n in body] == [ast.Raise] and "NotImplementedError" in ast.unparse(body[0])
