"""Which statements of flat code belong to which of the lecture's exercises. Runs nothing of a submission."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache

from grader.core.course import CHAIN_BEGINS, CHAIN_ENDS, FIRST_ALONE, FUSED, NOTEBOOK, OWN_LINES
from grader.submissions.flat.renames import PREFIXES
from grader.submissions.flat.statements import Code

TITLE = re.compile(r"(?=[\s*_>-]*#)[\s#*_>-]*exercise\s*(?:#\s*)?(\d)(\s+[a-z]+)?", re.IGNORECASE)
CONTENTS = 3  # headings with no code between them are a table of contents


def sections(code: Code, tensors: Sequence[str], several: bool) -> None:
    """Number the statements by the lecture's exercises: its headings, its own forward lines, or, where
    the learner has neither, a gradient's second making after the chain has come to its end.

    several: whether the file holds several; if not, all are of number 0."""
    if not several:
        for s in code.statements:
            s.section = 0
        return
    marks = _headings(code)
    at, current, gradients, ended, whole, sure = 0, 1, False, False, False, True
    ordered = sorted(marks)
    usual = _usual(tensors)
    made: set[str] = set()
    for s in code.statements:
        while at < len(ordered) and ordered[at] <= s.node.lineno:
            current, sure = marks[ordered[at]]
            at += 1
        gradients = gradients or any(_is_gradient(w, tensors) for w in map(usual, s.effect.written))
        if gradients or current > 1:
            current = max(current, _own_line(s.node))
        strong, reads = (frozenset(map(usual, w)) for w in (s.effect.strong, s.effect.reads))
        anew = strong - reads
        alone = any(re.fullmatch(FIRST_ALONE, w) for w in anew - made)
        if alone and not sure and current in (2, 3) and not s.placeholder:
            current = 1  # what looked like a heading was a remark
        ended = ended or bool(CHAIN_ENDS & strong)
        if anew & CHAIN_BEGINS:
            ended = False  # the chain, once more
        for exercise, (fused, first) in FUSED.items():
            if ended and current < exercise and _again(fused, anew, made) and first not in reads:
                current = exercise
        (begins, first), (ends, _) = FUSED.values()
        if whole and current == 3 and begins in anew and first not in reads:
            current = 4  # all together: after the fused batch norm the chain begins once more
        whole = current == 3 and (whole or (ends in strong and not s.placeholder))
        if not s.placeholder:
            made |= strong
        s.section = current


def _headings(code: Code) -> dict[int, tuple[int, bool]]:
    """By line the exercise that a heading names, and whether it is no remark: "# exercise 2 does it in one",
    or one that comes before another of its number.

    Not those of a table of contents.
    """
    marks: dict[int, tuple[int, bool]] = {}
    for number, line in enumerate(code.lines, 1):
        title = "#" in line and TITLE.match(line)
        if title and f"ex{title[1]}" in NOTEBOOK:
            marks[number] = int(title[1]), not (title[2] or "").strip().islower()
    last = {exercise: number for number, (exercise, _) in marks.items()}
    marks = {n: (exercise, sure and n == last[exercise]) for n, (exercise, sure) in marks.items()}
    if len(marks) < CONTENTS:
        return marks
    starts = sorted(s.node.lineno for s in code.statements)
    runs: dict[int, list[int]] = {}
    for number in marks:
        runs.setdefault(bisect_left(starts, number), []).append(number)
    listed = {n for run in runs.values() if len({marks[n][0] for n in run}) >= CONTENTS for n in run}
    return {number: mark for number, mark in marks.items() if number not in listed}


def _usual(tensors: Sequence[str]) -> Callable[[str], str]:
    """What is usually said for a name: dlogits for dL_dlogits."""
    rest = "|".join(re.escape(t) for t in sorted(tensors, key=len, reverse=True))
    other = "|".join(re.escape(p) for p in sorted(PREFIXES, key=len, reverse=True) if p != "d")
    spelt = re.compile(f"(?:{other})(?=(?:{rest})(?:_|$))")
    return cache(lambda name: spelt.sub("d", name, count=1) if spelt.match(name) else name)


def _again(name: str, anew: frozenset[str], made: set[str]) -> bool:
    """Whether a gradient that there is already is made anew, or one like it: dlogits_fast, not dlogits_dh."""
    return name in made and any(w.startswith(name) and not w.startswith(f"{name}_d") for w in anew)


def _is_gradient(name: str, tensors: Sequence[str]) -> bool:
    return name[:1] == "d" and any(name.endswith(t) for t in tensors if name[1:] == t or len(t) > 2)


def _own_line(node: ast.stmt) -> int:
    """2 for the lecture's fused cross entropy, 3 for its fused batch norm, 4 for its new start; else 0."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return 0
    for exercise, (target, parts) in OWN_LINES.items():
        if re.fullmatch(target, node.targets[0].id):
            code = ast.unparse(node.value)
            return exercise if all(part in code for part in parts) else 0
    return 0
