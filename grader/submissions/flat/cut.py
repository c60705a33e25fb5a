"""Flat code, as in a notebook: for each gradient a function, cut out of the statements that make it.

The learner's statements are sorted by what they read and write. The last one that writes `dprobs`,
and those before it that it depends on, become the body of a function dprobs(...): its parameters are
the forward tensors and the upstream gradients that they read, which the grader passes in as it does
for a stub. So each item is judged on its own, scratch cells cost nothing, and a data set that isn't
here isn't missed. Untrusted side; runs nothing of a submission.
"""

from __future__ import annotations

import re

from grader.core.exercise import Exercise
from grader.submissions.flat.dataflow import flow
from grader.submissions.flat.renames import called, forward
from grader.submissions.flat.sections import sections
from grader.submissions.flat.slicing import Flat, Slicer
from grader.submissions.flat.statements import Code

RENAME = re.compile(r"^# grader: rename (\w+) = (\w+)$", re.MULTILINE)  # what a [rename] table says


def read(code: Code, exercise: Exercise, section: int | None) -> Flat:
    """Cut one exercise's items out of flat code.

    section: the lecture's number of the exercise where the file holds several; None: the whole file.
    """
    statements, tensors = code.statements, exercise.tensors
    sections(code, tensors, section is not None)
    here = [i for i, s in enumerate(statements) if s.section == (section or 0)]
    told = dict(RENAME.findall(code.text))
    passed = forward(statements, exercise, section)
    theirs = passed.renamed | told
    own = called(code, here, tensors, theirs)
    own |= {ours[1:]: their for their, ours in told.items() if ours[0] == "d" and ours[1:] in tensors}
    first = [i for i, s in enumerate(statements) if s.section == 1] if section in (2, 3) else []
    before = called(code, first, tensors, theirs)  # what they receive was made there
    lines = [(line.name, line.uses) for line in exercise.lines]
    following = flow(code, here, own, before | own, theirs, exercise)
    slicer = Slicer(code, following, passed.guesses, passed.other, lines)
    flat = Flat()
    for item in exercise.gradients:
        slicer.cut(item, flat)
    ours = {one: their for their, one in theirs.items()}
    for line in exercise.lines:
        if line.name in passed.other:
            slicer.cut_line(line, ours.get(line.name, line.name), flat)
    if exercise.training and all(t in own for t in exercise.training.parameters):
        slicer.cut_whole(exercise.training.parameters, flat)
    flat.imports = [statements[i].node for i in sorted(flat.imported)]
    return flat
