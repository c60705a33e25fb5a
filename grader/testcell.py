"""What a cell of an nbgrader or otter notebook calls to grade an item: `grader check` on the saved file.

The cell shares its process with the learner's code, which can therefore replace this function or its
answer. The references never come into that process, and the answers are made in the confined child, as
always; what can't be had here is a verdict that nobody could forge (docs/notebook-graders.md).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.core.errors import GraderFault, UsageError

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "import sys; sys.path.append(sys.argv.pop(1)); from grader.cli import entry; entry()"
_last: dict[tuple[str, bytes], dict[str, Any]] = {}  # the cells of one notebook share one report


class NotPassed(AssertionError):
    """An item is not passed, and why."""

    def _render_traceback_(self) -> list[str]:  # IPython's way: no lines of the grader's in a feedback
        return [f"Not passed: {self}"]


def require_passed(item: str, notebook: str) -> None:
    """Pass where `grader check` passes an item on all its fixtures; else NotPassed with the reason.

    item: "ex1.dprobs". notebook: the file, in the current folder; if the learner gave it another name, the
    only notebook there. UsageError where there is none or it can't be read, GraderFault where grading fails.
    """
    if "grader.runner.untrusted.child" in sys.modules:
        return  # it is this very cell that is being graded, without the mark that it is none of the answer
    path = _found(Path(notebook))
    exercise = item.rpartition(".")[0]
    data = path.read_bytes()
    if (exercise, data) not in _last:
        report = _report(exercise, path)
        _last.clear()
        _last[exercise, data] = report
    items = {i["id"]: i for e in _last[exercise, data]["exercises"] for i in e["items"]}
    if item not in items:
        raise UsageError(f"the grader that is installed here has no item {item}: export the notebook again")
    judged = items[item]
    said = judged["verdict"].replace("-", " ")
    if judged["passed"]:
        print(f"{item}: {said}")
        return
    reason = "; ".join(part for part in (judged["diagnosis"], judged["reason"]) if part)
    said += f": {reason}" if reason else ""
    raise NotPassed(f"{item}: {said}{_place(judged)}{_unsaved(data, path)}")


def _found(path: Path) -> Path:
    if path.is_file():
        return path
    others = sorted(path.parent.glob("*.ipynb"))
    if len(others) == 1:
        return others[0]
    raise UsageError(f"{path} is not in this folder: save the notebook under that name")


def _report(exercise: str, path: Path) -> dict[str, Any]:
    """The report on one file, by a process of its own: nothing of this one's modules is in it."""
    command = [sys.executable, "-I", "-c", COMMAND, str(ROOT), "check", exercise, "--submission", str(path)]
    ran = subprocess.run(
        [*command, "--strict", "--json", "--no-server"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ran.returncode == 2:
        raise UsageError(ran.stderr.strip().removeprefix("grader: "))
    try:
        return dict(json.loads(ran.stdout))
    except ValueError:
        raise GraderFault(
            f"this is the grader's own fault, not the notebook's: {ran.stderr.strip()}"
        ) from None


def _place(judged: dict[str, Any]) -> str:
    from grader.core.verdict import place

    where = place(judged["cell"], judged["line"], judged["execution_count"])
    return f" ({where})" if where and judged["verdict"] != "not-written" else ""


def _unsaved(data: bytes, path: Path) -> str:
    """A hint where what ran just before is not in the file."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    ran = shell.history_manager.input_hist_raw[:-1] if shell is not None else []
    saved = {"".join(cell.get("source", "")).strip() for cell in json.loads(data)["cells"]}
    if not ran or not ran[-1].strip() or ran[-1].strip() in saved:
        return ""
    return f". What ran last is not in {path.name} as it is saved: save it, and run this cell again"
