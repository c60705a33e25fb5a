"""nbgrader and otter as their users have them: in an environment of their own, started as commands.

Their versions, and those of what they import, are pinned in notebook-graders.txt. torch and the grader are
those of the running environment, so that nothing of size is fetched.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from conftest import DEADLINE, ROOT

PINS = Path(__file__).with_name("notebook-graders.txt")
UNREACHABLE = re.compile(r"ConnectionError|NewConnectionError|NameResolutionError|timed out|ProxyError")
MASK = {"GRADER_NO_SERVER", "NO_COLOR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}

Ran = subprocess.CompletedProcess[str]


class NotReachable(Exception):
    """There is no package index to be had here."""


class Environment:
    """nbgrader and otter in a folder; what they print is in what they raise."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.bin / "python",
            "install",
            "--quiet",
        ]
        quick = ["--no-deps", "--no-compile", "--disable-pip-version-check", "--retries", "1"]
        done = subprocess.run([*pip, *quick, "-r", PINS], text=True, capture_output=True)
        if done.returncode and UNREACHABLE.search(done.stderr):
            raise NotReachable(done.stderr.strip().splitlines()[-1])
        assert not done.returncode, done.stderr
        site = next(folder.glob("lib/python*/site-packages"))
        packages = Path(torch.__file__).parent.parent
        (site / "running.pth").write_text(f"{packages}\n{ROOT}\n")

    def run(self, *words: str | Path, cwd: Path) -> Ran:
        """A command of theirs, or `python`, as in a shell in which the environment is active."""
        environ = {k: v for k, v in os.environ.items() if k not in MASK}
        environ["PATH"] = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        environ["JUPYTER_PLATFORM_DIRS"] = "1"
        command: list[str | Path] = [self.bin / words[0], *map(str, words[1:])]
        done = subprocess.run(command, cwd=cwd, env=environ, text=True, capture_output=True, timeout=DEADLINE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def otter(self, notebook: Path, autograder: Path, folder: Path) -> dict[str, tuple[float, float]]:
        """`otter run`: by test, the score and the most that it could be."""
        folder.mkdir()
        self.run("otter", "run", "--no-logo", "-a", autograder, "-o", folder, notebook, cwd=folder)
        tests = json.loads((folder / "results.json").read_text())["tests"]
        return {t["name"]: (t["score"], t["max_score"]) for t in tests if "score" in t}


def gradebook(course: Path) -> dict[str, dict[str, tuple[float | None, float]]]:
    """What nbgrader's database has after autograding: by student and cell, the score and the maximum.

    A score is None where somebody has to give it by hand.
    """
    query = """
        SELECT s.student_id, c.name, g.auto_score, m.max_score
        FROM grade g JOIN base_cell c ON c.id = g.cell_id JOIN grade_cells m ON m.id = c.id
        JOIN submitted_notebook n ON n.id = g.notebook_id
        JOIN submitted_assignment s ON s.id = n.assignment_id
    """
    found: dict[str, dict[str, tuple[float | None, float]]] = {}
    with sqlite3.connect(course / "gradebook.db") as db:
        for student, cell, score, most in db.execute(query):
            found.setdefault(student, {})[cell] = score, most
    return found


def exported(course: Path) -> dict[str, tuple[float, float]]:
    """What `nbgrader export` wrote: by student, the score and the maximum."""
    with (course / "grades.csv").open(newline="") as file:
        return {r["student_id"]: (float(r["score"]), float(r["max_score"])) for r in csv.DictReader(file)}


def cells(path: Path) -> list[dict[str, Any]]:
    """A notebook's cells, the source of each as one text."""
    return [{**c, "source": "".join(c["source"])} for c in json.loads(path.read_text())["cells"]]


def written(path: Path, answers: dict[str, str], to: Path) -> Path:
    """A student's copy of a notebook: with other sources in the cells that have these ids."""
    book = json.loads(path.read_text())
    missing = answers.keys() - {cell["id"] for cell in book["cells"]}
    assert not missing, missing
    for cell in book["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(book))
    return to
