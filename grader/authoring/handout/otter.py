"""An exercise for otter: the student's notebook, and a test file for each item. Pure.

The tests are files for `otter generate`, and stand in the notebook's metadata too, so that a student needs
the notebook alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.authoring.handout.cells import Cell
from grader.authoring.handout.nbgrader import stem
from grader.authoring.notebook import new_cell, written

SET_UP = """\
import otter

grader = otter.Notebook("{notebook}")"""
TEST = '''\
"""Graded as `grader check` grades the notebook, as it was last saved."""

from otter.test_files import test_case

OK_FORMAT = False
name = "{item}"
points = {points}


@test_case(points={points}, hidden=False)
def test_{item}():
    from grader.testcell import require_passed

    require_passed("{exercise}.{item}", "{notebook}")
'''


def files(exercise: str, cells: Sequence[Cell], points: Mapping[str, float], address: str) -> dict[str, str]:
    """Texts by path: the notebook, tests/, and what the environment that grades has to have.

    address: the grader's wheel, with its digest.
    """
    notebook = f"{stem(exercise)}.ipynb"
    tests = {
        cell.item: TEST.format(exercise=exercise, item=cell.item, points=points[cell.item], notebook=notebook)
        for cell in cells
        if cell.item
    }
    return {
        notebook: _notebook(exercise, cells, tests),
        **{f"tests/{item}.py": text for item, text in tests.items()},
        "requirements.txt": f"backprop-grader @ {address}\n",
    }


def _notebook(exercise: str, cells: Sequence[Cell], tests: Mapping[str, str]) -> str:
    ours = {"grader": {"test": True}}
    set_up = SET_UP.format(notebook=f"{stem(exercise)}.ipynb")
    made = [new_cell("otter-set-up", "code", set_up, ours)]
    for cell in cells:
        source = f'grader.check("{cell.item}")' if cell.item else cell.source
        made.append(new_cell(cell.id, cell.kind, source, ours if cell.item else None))
    return written(exercise, made, {"otter": {"OK_FORMAT": False, "tests": dict(tests)}})
