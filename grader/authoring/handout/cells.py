"""An exercise as the cells of a notebook that is graded cell by cell. Pure text; runs nothing.

A gradient exercise has the cells of its own notebook, an exercise of outputs the functions and classes of
its stub. Behind what an item needs stands a cell that is to grade it, which each platform fills in.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.authoring import authored, notebook, read_outputs
from grader.core.exercise import TRAINING, Exercise
from grader.core.text import escaped

ENDING = (
    "install",
    "check-task",
    TRAINING,
    "check",
)  # of our own notebooks: what only a learner on his own needs
SAVE = "The cell behind it grades the notebook as it was last saved: save first."
GRADIENTS = f"Write each gradient in its cell and run it: `cmp` compares it with autograd's. {SAVE}"
OUTPUTS = f"Write each function and class in its cell and run it. {SAVE}"


@dataclass(frozen=True)
class Cell:
    """One cell. id: stable, and unique in the notebook. kind: "markdown" or "code".

    Of a cell to be written alone: solved, the same with the solution, or as it is where there is none at
    hand; regions, the lines of that, from and to, which are the learner's to write.
    Of a cell that grades alone: item, its name.
    """

    id: str
    kind: str
    source: str
    solved: str = ""
    regions: tuple[tuple[int, int], ...] = ()
    item: str = ""


def of(exercise: Exercise, begun: Mapping[str, str], solution: str | None = None) -> list[Cell]:
    """The cells of an exercise, from its description. begun: the texts of its stub and notebook.

    solution: its authored file's text, if it is here.

    AuthoredError where that breaks a rule.
    """
    parts = None if solution is None else authored.read(solution, f"the solution of {exercise.id}")
    cells = _gradients(exercise, begun, parts) if exercise.lines else _outputs(exercise, begun, parts)
    return list(cells)


def _gradients(
    exercise: Exercise, begun: Mapping[str, str], parts: authored.Authored | None
) -> Iterator[Cell]:
    solved = {}
    if parts is not None:
        settings = exercise.lecture.settings
        given = settings, exercise.training, exercise.shapes
        solved = _sources(notebook.notebook(parts, exercise.id, *given, solved=True))
    items = {item.name for item in exercise.items}
    kinds = {cell["id"]: cell["cell_type"] for cell in json.loads(begun["notebook"])["cells"]}
    for name, source in _sources(begun["notebook"]).items():
        if name == "statement":
            yield Cell(name, "markdown", source.replace(notebook.TASK, GRADIENTS))
        elif name in items:
            text = solved.get(name, source)
            above = text.count("\n")  # the last line is the learner's cmp
            yield Cell(name, "code", source, text, ((0, above),))
            yield _test(name)
        elif name not in ENDING and not name.startswith("picture"):
            yield Cell(name, kinds[name], source)
    if exercise.training:
        steps = exercise.training.steps
        told = f"The gradients above, in a training loop: {steps} steps are compared with autograd's."
        yield Cell(TRAINING, "markdown", f"## Training\n\n{told}")
        yield _test(TRAINING)


def _sources(notebook: str) -> dict[str, str]:
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(notebook)["cells"]}


def _test(item: str) -> Cell:
    return Cell(f"{item}-test", "code", "", item=item)


def _outputs(exercise: Exercise, begun: Mapping[str, str], parts: authored.Authored | None) -> Iterator[Cell]:
    blank = _definitions(begun["stub"])
    solved = _definitions(parts.source) if parts is not None else blank
    asked = {name for item in exercise.outputs for name in item.asks}
    opening = [f"# {escaped(exercise.title)}", *map(escaped, exercise.statement.split("\n\n")[1:])]
    yield Cell("about-exercise", "markdown", "\n\n".join([*opening, OUTPUTS]))
    tree = ast.parse(begun["stub"])
    if imports := [ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]:
        yield Cell("set-up", "code", "\n".join(imports))
    there: set[str] = set()
    left = list(exercise.outputs)
    for name, source in blank.items():
        there.add(name)
        if name not in asked and read_outputs.unwritten("", name) not in source:
            yield Cell(f"{name}-given", "code", source)
            continue
        yield Cell(name, "code", source, solved[name], _regions(solved[name]))
        ready = [item for item in left if there.issuperset(item.asks)]
        for item in ready:
            if item.driver:
                task = f"### {escaped(item.name)}\n\n{escaped(item.doc)}"
                yield Cell(f"{item.name}-task", "markdown", task)
            yield _test(item.name)
        left = [item for item in left if item not in ready]


def _definitions(source: str) -> dict[str, str]:
    """The functions and classes of a file, by name, in its order."""
    lines = source.splitlines()
    return {
        node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno])
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def _regions(source: str) -> tuple[tuple[int, int], ...]:
    """The lines of a definition that are the learner's: of each task what comes after its docstring."""
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    return tuple((task.body[0].end_lineno or 0, task.end_lineno or 0) for task in read_outputs.tasks(node))
