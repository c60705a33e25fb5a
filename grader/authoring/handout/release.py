"""What students get: a repository's files, made of an exercise's fixtures alone. No solution is read.

The fixtures hold the references, which `grader check` needs. The hints' last rung is left out where that is
wished.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grader import __version__
from grader.authoring.handout.wheel import Wheel, torch
from grader.core import course
from grader.core.exercise import Exercise
from grader.suite import fixtures
from grader.suite.find import Suite

MANIFEST = ".release.json"
WORKFLOW = ".github/workflows/autograde.yml"
POLICY = "policy.toml"
IGNORED = (
    ".grader/\n.ipynb_checkpoints/\n__pycache__/\n*.bak\n*.feedback.ipynb\n/report.html\n/loss-ex4.svg\n"
)
Files = dict[str, bytes]  # by path below the release

NOTEBOOKS = """
Each exercise that has a file `.ipynb` beside it is a notebook too: do either. `grader check` grades the
`.py` file, and naming the notebook grades that.
"""


def files(
    suite: Suite, exercises: Sequence[str], wheel: Wheel, formulas: bool = True, policy: bytes | None = None
) -> Files:
    """Every file of a release, by path, but the wheel. GraderFault where a fixture is missing or damaged.

    wheel: what installs the grader. formulas: whether the hints' last rung is given.
    """
    out: Files = {}
    released = []
    for name in exercises:
        described = suite.describe(name)
        path = "/".join(name.split("."))
        parts = fixtures.files(suite.root, described)
        if not formulas:
            parts["hints.json"] = without_formulas(parts["hints.json"])
        hints = fixtures.stated(parts["hints.json"])
        public = replace(described, hints=hints)
        released.append(public)
        out |= {f"fixtures/{path}/{file}.gz": fixtures.packed(content) for file, content in parts.items()}
        out[f"fixtures/{path}/exercise.json"] = fixtures.seal(public).encode()
        begun = json.loads(parts["derived.json"])
        out[f"exercises/{path}.py"] = begun["stub"].encode()
        if "notebook" in begun:
            out[f"exercises/{path}.ipynb"] = begun["notebook"].encode()
    out["README.md"] = readme(released, wheel, bool(policy)).encode()
    out[".gitignore"] = IGNORED.encode()
    out[WORKFLOW] = workflow(exercises, wheel, fixtures.sealed(released)).encode()
    if policy is not None:
        out[POLICY] = policy
    return out


def without_formulas(hints: bytes) -> bytes:
    """hints.json without the last rung of each item."""
    told = json.loads(hints)
    for item in told["items"].values():
        del item["rungs"]["formula"]
    return json.dumps(told, indent=1, ensure_ascii=False).encode()


def readme(described: Sequence[Exercise], wheel: Wheel, policy: bool) -> str:
    first = described[0]
    sets = dict.fromkeys(course.set_of(d.id) for d in described)
    path = "/".join(first.id.split("."))
    rows = (f"| `{d.id}` | {len(d.items) + bool(d.training)} | {d.title} |" for d in described)
    row = f"\n| `{POLICY}` | what the items are worth: `grader check --policy {POLICY}` |" if policy else ""
    return _data("release.md").format(
        title=course.title(next(iter(sets))) if len(sets) == 1 else "Backpropagation by hand",
        torch=torch(),
        wheel=wheel.by_hand,
        first=first.id,
        stub=f"exercises/{path}.py",
        item=f"{first.id}.{first.items[0].name}",
        notebooks=NOTEBOOKS if any(d.notebook for d in described) else "",
        exercises="\n".join(rows),
        policy=row,
    )


def workflow(exercises: Sequence[str], wheel: Wheel, digest: str) -> str:
    """GitHub's file that grades at each push, with what was released and nothing else."""
    text = _data("autograde.yml")
    names = "\n          ".join(textwrap.wrap(" ".join(exercises), 96))
    values = {"TORCH": torch(), "WHEEL": wheel.address, "TARGETS": names, "DIGEST": digest}
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _data(name: str) -> str:
    return Path(__file__).parents[2].joinpath("data", name).read_text(encoding="utf-8")


def manifest(files: Files) -> str:
    """What was written, so that a later release knows which files somebody has edited."""
    marks = {path: fixtures.digest(data) for path, data in sorted(files.items())}
    return json.dumps({"grader": __version__, "files": marks}, indent=1) + "\n"
