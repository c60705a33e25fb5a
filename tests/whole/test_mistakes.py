"""Mistakes as learners make them, in their own words, and the diagnosis that each must get.

Each function in tests/mistakes/EXERCISE.py (or SET/EXERCISE.py) is one mistake. The comment above it names
it, and ends in one of

    # expect: REGEX   the diagnosis must match, whatever the case
    # expect: none    nobody could tell: no diagnosis
    # silent: REGEX   what a good teacher would say; no diagnosis knows it yet, and none may be wrong
    # passes: TEXT    right after all; the note has this text
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from local import Local

from grader.core.exercise import Task

FOLDER = Path(__file__).parent.with_name("mistakes")
FILES = {".".join(p.relative_to(FOLDER).with_suffix("").parts): p for p in sorted(FOLDER.rglob("*.py"))}
HEAD = "import torch\nimport torch.nn.functional as F\n\n\n"


@dataclass(frozen=True)
class Mistake:
    """One wrong function; kind: expect, silent or passes."""

    title: str
    item: str
    kind: str
    text: str
    source: str


def read(text: str) -> list[Mistake]:
    """The mistakes of one file: each function with the comment that stands over it."""
    lines = text.splitlines()
    found = []
    for node in ast.parse(text).body:
        assert isinstance(node, ast.FunctionDef)
        title, said = lines[node.lineno - 3], lines[node.lineno - 2]
        match = re.fullmatch(r"# (expect|silent|passes): (.+)", said)
        assert match, f"line {node.lineno}: {node.name} declares nothing"
        source = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        found.append(Mistake(title.removeprefix("# "), node.name, match[1], match[2], source))
    return found


FIRST = [(exercise, 8) for exercise in [*reversed(FILES)][::4]]  # ex1 has by far the most
WHOLE = [pytest.param(exercise, 1, marks=pytest.mark.slow) for exercise in FILES]


@pytest.mark.parametrize(("exercise", "each"), [*FIRST, *WHOLE])
def test_learners_mistakes_are_named_rightly_or_not_at_all(
    exercise: str, each: int, exercises: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    local = Local(*exercises[exercise])
    outcome: Counter[str] = Counter()
    wrong, lost, new, other = [], [], [], []
    for mistake in read(FILES[exercise].read_text(encoding="utf-8"))[::each]:
        report = local.report(f"{HEAD}{mistake.source}\n", mistake.item)
        told = report.diagnosis
        assert report.passed == (report.check.code is None), mistake
        what = f"{mistake.item}, {mistake.title}: {told}"
        if mistake.kind == "passes" or report.passed:
            if not (mistake.kind == "passes" and report.passed and mistake.text in report.check.note):
                other.append(f"{what} {report.verdict} {report.check.note}")
        elif told is None:
            outcome["not at all"] += 1
            if mistake.kind == "expect" and mistake.text != "none":
                lost.append(f"{what} {report.verdict}: {report.check.reason}")
        elif mistake.text != "none" and re.search(mistake.text, told, re.I):
            outcome["rightly"] += 1
            if mistake.kind == "silent":
                new.append(what)
        else:
            outcome["wrongly"] += 1
            wrong.append(what)
    with capsys.disabled():
        shares = ", ".join(f"{outcome[k]} {k}" for k in ("rightly", "wrongly", "not at all"))
        print(f"\n{exercise}: {sum(outcome.values())} learners' mistakes: diagnosed {shares}")
    assert not wrong, "diagnosed wrongly:\n" + "\n".join(wrong)
    assert not lost, "declared, and no longer diagnosed:\n" + "\n".join(lost)
    assert not new, "diagnosed by now: `# expect:` instead of `# silent:`\n" + "\n".join(new)
    assert not other, "passes, or was to:\n" + "\n".join(other)
