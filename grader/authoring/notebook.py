"""From an authored file to a notebook: the learner's, and the solution's. Pure text; runs nothing.

The cells are in the lecture's style: the forward pass, one tensor a line; then, for each item, its
task and a cell `dprobs = None  # replace None` that ends in the live check. The same source gives the
same bytes: ids are the items' names, and there are no outputs.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grader.authoring.authored import Authored, AuthoredError, Item
from grader.core.exercise import Training, sizes
from grader.core.text import escaped

CONFIGURES = ("FIXTURES", "TRAINING", "HINTS")  # for `grader build`, not for a learner
TASK = "Write each gradient in place of its `None` and run the cell: `cmp` compares it with autograd's."
INSTALL = """\
# For a hosted notebook, as on Colab: where the grader is installed, this does nothing.
import subprocess
import sys
from glob import glob
from importlib.util import find_spec

WHEEL = ""  # its address, with #sha256=...; without one, the wheel that lies beside this notebook
if find_spec("grader") is None:
    wheels = [WHEEL] if WHEEL else glob("backprop_grader-*.whl")
    assert wheels, "upload the grader's wheel beside this notebook, or name its address (docs/install.md)"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", wheels[-1]], check=True)"""
PICTURES = "## Pictures\n\nAs the lecture shows them, of what is in this notebook now."
DRAWN = {  # by picture the names that it is drawn of
    "row": ("logits", "dlogits", "Yb"),
    "dlogits": ("dlogits",),
    "averages": ("wei",),
    "attention": ("att",),
    "embedding": ("C", "dC"),
    "activations": ("h", "hpreact"),
    "gradients": ("h", "hpreact", "dh"),
    "wpe": ("wpe", "dwpe"),
}
OF_FUNCTIONS = re.compile(  # a paragraph that has nothing to say to a notebook
    r"\bby\s+name\b|[Yy]our (?:functions|formulas)|[Ff]ormulas? (?:is|are)\s+asked|\b(?:probes?|fixtures?)\b"
)
ELSEWHERE = (
    "This notebook and `exercises/{file}.py` are two ways to do the same exercise. "
    "`grader check {exercise}` grades the file, `grader check exercises/{file}.ipynb` this notebook: each "
    "gradient on its own, at other sizes and with other upstream gradients too."
)


def notebook(
    parts: Authored,
    exercise: str,
    settings: Mapping[str, Any],
    training: Training | None,
    shapes: Mapping[str, Any],
    solved: bool = False,
) -> str:
    """A notebook as JSON text, in nbformat 4.5. settings: the lecture fixture's, its seed and sizes.

    training: the plan of the exercise's training run, if it has one. shapes: by name of each tensor and of
    each gradient that there is. solved: with the solution for None; AuthoredError where a function's body
    can't be written as flat statements.
    """
    cells = _cells(parts, exercise, settings, training, shapes, solved)
    return written(exercise, [new_cell(*one) for one in cells])


def new_cell(name: str, kind: str, source: str, metadata: Mapping[str, Any] | None = None) -> Any:
    """A cell of nbformat. name: its id; kind: markdown or code."""
    import nbformat

    new = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    return new(source, id=name, metadata=dict(metadata or {}))


def written(exercise: str, cells: Sequence[Any], metadata: Mapping[str, Any] | None = None) -> str:
    """Cells of nbformat as the text of a notebook, which says what exercise it is."""
    import nbformat

    about = {
        "grader": {"exercise": exercise},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        **(metadata or {}),
    }
    book = nbformat.v4.new_notebook(cells=list(cells), metadata=about, nbformat_minor=5)
    nbformat.validate(book)
    return str(nbformat.writes(book)) + "\n"


def _cells(
    parts: Authored,
    exercise: str,
    settings: Mapping[str, Any],
    training: Training | None,
    shapes: Mapping[str, Any],
    solved: bool,
) -> Iterator[tuple[str, str, str]]:
    """Id, kind and source of each cell."""
    file = exercise.replace(".", "/")
    about = [one for one in parts.statement.split("\n\n")[1:] if not OF_FUNCTIONS.search(one)]
    opening = [f"# {escaped(parts.title)}", *map(_prose, about), TASK]
    yield "statement", "markdown", "\n\n".join(opening)
    yield "install", "code", INSTALL
    drawn = _drawn(parts, shapes)
    yield "set-up", "code", _imports(parts, "check, cmp, draw" if drawn else "check, cmp")
    names = [name for name in parts.inputs if "d" + name in shapes]
    kept = [line.name for line in parts.lines[:-1] if "d" + line.name in shapes]
    p = _free("p", parts)
    yield "inputs", "code", f"{_inputs(parts, settings)}\n{_each(p, names)}\n    {p}.requires_grad = True"
    yield "forward", "code", _forward(parts, names, kept)
    items = {item.tensor for item in parts.items}
    if outside := [line.name for line in parts.lines if line.name in parts.upstream - items]:
        yield "upstream-task", "markdown", "What arrives from upstream is autograd's here."
        yield "upstream", "code", "\n".join(f"d{t} = {t}.grad" for t in outside)
    for item in parts.items:
        yield f"{item.name}-task", "markdown", _task(item)
        answer = statements(item) if solved else f"{item.name} = None  # replace None"
        yield item.name, "code", f"{answer}\ncmp('{item.tensor}', {item.name}, {item.tensor})"
    yield "check-task", "markdown", f"## All of them\n\n{ELSEWHERE.format(exercise=exercise, file=file)}"
    if training:
        yield "training", "markdown", _training(training, file)
    yield "check", "code", f'check("{exercise}", globals())'
    if drawn:
        yield "pictures", "markdown", PICTURES
    for name in drawn:
        yield f"picture-{name}", "code", f'draw("{name}", globals())'


def _drawn(parts: Authored, shapes: Mapping[str, Any]) -> list[str]:
    """The lecture's pictures that a notebook of these names has the values of, to be looked at."""
    there = {*parts.inputs, *(line.name for line in parts.lines), *(item.name for item in parts.items)}
    flat = len(shapes.get("dlogits", ())) == 2
    return [name for name, of in DRAWN.items() if there.issuperset(of) and (flat or "dlogits" not in of)]


def _prose(text: str) -> str:
    """Text as Markdown, in which `code` stays code."""
    pieces = re.split(r"(`[^`\n]+`)", text)
    return "".join(piece if k % 2 else escaped(piece) for k, piece in enumerate(pieces))


def _imports(parts: Authored, own: str) -> str:
    nodes = [n for n in ast.parse(parts.program).body if isinstance(n, ast.Import | ast.ImportFrom)]
    lines = [ast.unparse(n) for n in nodes]
    theirs = [line for line in lines if not line.startswith("from grader")]
    ours = [line for line in lines if line.startswith("from grader")]
    return "\n".join([*theirs, "", f"from grader import {own}", *ours])


def _inputs(parts: Authored, settings: Mapping[str, Any]) -> str:
    """Sizes, the authored functions that draw the inputs, and the inputs themselves, by name."""
    own = sizes(settings)
    tensors = [name for name in parts.inputs if name not in own]
    helpers = "\n\n\n".join(_helpers(parts.program))
    return "\n".join(
        [
            *(f"{name} = {value!r}" for name, value in own.items()),
            f"\n\n{helpers}\n\n",
            "# the lecture's minibatch and parameters, as `grader check` has them",
            f"g = torch.Generator().manual_seed({settings['seed']})",
            f"start = inputs(g, {', '.join(f'{k}={k}' for k in own)})",
            *(f"{name} = start[{name!r}]" for name in tensors),
        ]
    )


def _each(variable: str, names: Sequence[str]) -> str:
    """The head of a loop over tensors."""
    one = f"for {variable} in [{', '.join(names)}]:"
    if len(one) <= 96:
        return one
    lines = textwrap.wrap(", ".join(names) + ",", 96)
    return "\n".join([f"for {variable} in [", *("    " + line for line in lines), "]:"])


def _free(name: str, parts: Authored) -> str:
    """A loop's variable that is no tensor of the forward pass."""
    taken = {*parts.inputs, *(line.name for line in parts.lines)}
    return name if name not in taken else f"one_{name}"


def _helpers(program: str) -> Iterator[str]:
    """The functions of the program besides forward, and the constants that they read."""
    body = ast.parse(program).body
    functions = [n for n in body if isinstance(n, ast.FunctionDef) and n.name != "forward"]
    read = {n.id for f in functions for n in ast.walk(f) if isinstance(n, ast.Name)}
    for node in body:
        names = {ast.unparse(t) for t in node.targets} if isinstance(node, ast.Assign) else set()
        if node in functions or (names & read and not names & set(CONFIGURES)):
            yield ast.get_source_segment(program, node) or ""


def _forward(parts: Authored, parameters: Sequence[str], kept: Sequence[str]) -> str:
    """The forward pass, flat, and autograd's backward pass over it, as the lecture writes them; running it
    again is no harm. kept: the tensors whose gradients are to be kept.
    """
    node = ast.parse(parts.forward).body[0]
    assert isinstance(node, ast.FunctionDef)
    lines = parts.forward.split("\n")
    first = (node.body[0].end_lineno or 0) if ast.get_docstring(node) else _header_end(node)
    if lines[first].startswith(")"):  # of a signature of several lines
        first += 1
    text = textwrap.dedent("\n".join(lines[first : node.body[-1].lineno - 1])).strip("\n")
    loss, p, t = parts.lines[-1].name, _free("p", parts), _free("t", parts)
    return "\n".join(
        [
            text,
            "",
            "# autograd's gradients, to compare with",
            f"{_each(p, parameters)}\n    {p}.grad = None",
            f"{_each(t, kept)}\n    {t}.retain_grad()",
            f"{loss}.backward()",
        ]
    )


def _header_end(node: ast.FunctionDef) -> int:
    """The line on which a function's signature ends; its body and comments are below."""
    arguments = [a.end_lineno or 0 for a in (*node.args.args, *node.args.kwonlyargs)]
    return max([node.lineno, *arguments])


def _task(item: Item) -> str:
    """An item's docstring: what is quoted from the code stays in its columns."""
    first, _, rest = item.doc.partition("\n\n")
    quoted: list[str] = []
    said: list[str] = []
    for line in rest.split("\n"):
        is_quoted = line.startswith(("Forward:", "Upstream:", " "))
        (quoted if is_quoted and not said else said).append(line)
    parts = [f"### {escaped(item.name)}", _prose(first)]
    parts += ["```text\n" + "\n".join(quoted) + "\n```"] if quoted else []
    parts += [_prose("\n".join(said).strip())] if "".join(said).strip() else []
    return "\n\n".join(parts)


def _training(plan: Training, file: str) -> str:
    return (
        f"`grader check exercises/{file}.ipynb` also makes a training loop of these cells: it takes "
        f"{plan.steps} steps with your gradients and compares the parameters with those that autograd's "
        "training ends with. Here it is one minibatch, so that every gradient can be looked at."
    )


def statements(item: Item) -> str:
    """A function's body as flat statements that end with its gradient's name.

    `return X` becomes `dprobs = X`. AuthoredError where it returns elsewhere than in its last line.
    """
    function = ast.parse(item.source).body[0]
    assert isinstance(function, ast.FunctionDef)
    last = function.body[-1]
    returns = [n for n in ast.walk(function) if isinstance(n, ast.Return)]
    if not isinstance(last, ast.Return) or last.value is None or returns != [last]:
        raise AuthoredError(f"{item.name}: only a body with one return, its last line, goes into a notebook")
    begin = function.body[0].end_lineno or 0  # the docstring
    lines = item.source.split("\n")
    above, returned = lines[begin : last.lineno - 1], lines[last.lineno - 1 :]
    if ast.unparse(last.value) == item.name:
        returned = []
    else:
        returned[0] = returned[0].replace("return ", f"{item.name} = ", 1)
    return textwrap.dedent("\n".join([*above, *returned])).strip("\n")
