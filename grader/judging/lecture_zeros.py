"""Answers that use the zeros of the lecture's own upstream gradients.

The lecture's dlogprobs and dprobs are zero but at the labels. Who takes what arrives from there alone has
the lecture's gradients right, and not those of a dense random probe. One more probe settles it: the
lecture's tensors, with upstream gradients that are random where the lecture's aren't zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grader.core.exercise import ALT, Exercise, Fixtures, Task, is_probe
from grader.core.graph import uncovered
from grader.core.verdict import Check, Verdict
from grader.judging.choices import Answer
from grader.judging.compare import compare
from grader.runner.host.client import Part, Runner
from grader.submissions.script import Script
from grader.suite.fixtures import reference as read_reference

PROBE = "probe-sparse"
SPARSE = 0.5  # zeros of all elements


def accept(runner: Runner, task: Task, code: Script, answers: Sequence[Answer]) -> list[Answer]:
    """The answers, those passed that are right wherever the upstream gradients are zero as the lecture's."""
    exercise, fixtures = task
    lecture = exercise.lecture
    size = lecture.sizes
    same = [e.name for e in exercise.fixtures if e.sizes == size]
    same = [name for name in same if all(name in a.checks for a in answers)]
    probes = [name for name in same if is_probe(name)]
    able = [a for a in answers if probes and _only_on(a, probes, same) and _covered(exercise, a)]
    given, sparse = _given(fixtures, lecture.name, probes[0]) if able else (b"", set[str]())
    hopeful = {a.item.name: a for a in able if sparse & set(a.reads)}
    if not hopeful:
        return list(answers)
    entries = (replace(lecture, name=PROBE), *exercise.fixtures)
    own = replace(exercise, id=f"{exercise.id}~sparse", fixtures=entries)
    if runner.loaded.get(own.id) != own:
        runner.load(own, {PROBE: given})
    run = runner.run(Part(own.id, [PROBE], list(hopeful), flat=code.flat), code.file)
    cuts = {name: sorted(_cut(a)) for name, a in hopeful.items()}
    request = {
        "ask": "choices",
        "exercise": exercise.id,
        "choices": [{"item": i, "cut": cut, "alt": False} for i, cut in cuts.items()],
        "sizes": size,
    }
    reference = read_reference(runner.ask(request, given))
    passed = {}
    for number, name in enumerate(hopeful):
        record, key = run.records.get((PROBE, name)), str(number)
        if record and key in reference.values:
            check = compare(record, reference.values[key], reference.sizes[key])
            if check.verdict.passed:
                what = " and ".join("d" + t for t in sorted(sparse & set(hopeful[name].reads)))
                note = f"right where {what} is zero but at the labels, as here; wrong in general"
                passed[name] = _passed(hopeful[name], check, note)
    return [passed.get(a.item.name, a) for a in answers]


def _only_on(answer: Answer, probes: Sequence[str], same: Sequence[str]) -> bool:
    """Whether an answer is wrong on such probes alone, of all fixtures that have the lecture's sizes."""
    failed = [name for name in same if not answer.checks[name].verdict.passed]
    wrong = all(answer.checks[name].verdict is Verdict.WRONG for name in failed)
    return bool(failed) and wrong and set(failed) <= set(probes)


def _covered(exercise: Exercise, answer: Answer) -> bool:
    """Whether what an answer reads carries all that flows back: no branch is left out."""
    reads = frozenset(answer.reads)
    return bool(reads) and uncovered(exercise.lines, answer.item.tensor, reads) is None


def _cut(answer: Answer) -> frozenset[str]:
    usual = frozenset(answer.item.cut)
    return usual if usual <= set(answer.reads) else frozenset(answer.reads)


def _given(fixtures: Fixtures, lecture: str, probe: str) -> tuple[bytes, set[str]]:
    """The probe's given tensors as a file, and the tensors whose upstream gradients are mostly zero."""
    import numpy as np
    import safetensors.numpy

    tensors = safetensors.numpy.load(fixtures.given[lecture])
    random = safetensors.numpy.load(fixtures.given[probe])
    sparse = set()
    for name, value in tensors.items():
        if name[:1] == "d" and name[1:] in tensors and random[name].shape == value.shape:
            tensors[name] = np.asarray(random[name] * (value != 0))
            if (value == 0).mean() > SPARSE:
                sparse.add(name[1:])
    for name in random.keys() - tensors.keys():
        if name.startswith(ALT):
            tensors[name] = random[name]
    return safetensors.numpy.save(tensors), sparse


def _passed(answer: Answer, check: Check, note: str) -> Answer:
    """The answer with `check` in the place of what failed, and the note where a report takes it from."""
    checks = {f: check if is_probe(f) and not c.verdict.passed else c for f, c in answer.checks.items()}
    lecture = next(iter(checks))
    return replace(answer, checks={**checks, lecture: replace(checks[lecture], note=note)})
