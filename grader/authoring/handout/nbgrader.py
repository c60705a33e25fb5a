"""An exercise as a notebook for nbgrader's `source/`: cells of its metadata schema 3. Pure.

`nbgrader generate_assignment` makes the students' notebook of it, with the checksums by which
`nbgrader autograde` knows, and puts back, a locked cell that was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grader.authoring.handout.cells import Cell
from grader.authoring.notebook import new_cell, written

SCHEMA = 3
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
TEST = """\
# graded as `grader check` grades this notebook, as it was last saved
from grader.testcell import require_passed
require_passed("{exercise}.{item}", "{notebook}")"""


def stem(exercise: str) -> str:
    """What nbgrader and otter call an exercise's notebook: gpt-ex3 of gpt.ex3."""
    return exercise.replace(".", "-")


def notebook(exercise: str, cells: Sequence[Cell], points: Mapping[str, float]) -> str:
    """The instructor's notebook as JSON text. points: by item, what it is worth."""
    made = []
    for cell in cells:
        metadata = _metadata(f"{stem(exercise)}-{cell.id}", cell, points) if cell.kind == "code" else {}
        made.append(new_cell(cell.id, cell.kind, _source(exercise, cell), metadata))
    return written(exercise, made)


def _metadata(grade_id: str, cell: Cell, points: Mapping[str, float]) -> dict[str, Any]:
    """Code that is not the learner's to write is locked: what was changed there is put back.

    Texts are none of nbgrader's cells: it can put a deleted test back only behind one that it grades.
    """
    answer = bool(cell.regions)
    about: dict[str, Any] = {
        "schema_version": SCHEMA,
        "grade": bool(cell.item),
        "solution": answer,
        "locked": not answer,
        "task": False,
        "grade_id": grade_id,
    }
    if cell.item:
        return {"nbgrader": {**about, "points": points[cell.item]}, "grader": {"test": True}}
    return {"nbgrader": about}


def _source(exercise: str, cell: Cell) -> str:
    if cell.item:
        return TEST.format(exercise=exercise, item=cell.item, notebook=f"{stem(exercise)}.ipynb")
    return _marked(cell) if cell.regions else cell.source


def _marked(cell: Cell) -> str:
    """The solution, with nbgrader's delimiters around what it takes out."""
    lines = cell.solved.split("\n")
    for first, last in reversed(cell.regions):
        indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
        lines[first:last] = [indent + BEGIN, *lines[first:last], indent + END]
    return "\n".join(lines)
