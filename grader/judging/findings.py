"""What is found out about a wrong answer: the mistake, where it shows, what made its shape wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.core import plain
from grader.core.errors import swallowing
from grader.core.exercise import Exercise, Gradient, Output, Task
from grader.core.finding import Code, Finding
from grader.core.verdict import Verdict, place
from grader.diagnosis.shapes import Came, Words, drops, explain, read
from grader.judging.choices import Answer
from grader.judging.compare import LOST_AXIS, values
from grader.judging.output_fingerprints import known as known_output
from grader.runner.host.client import Part, Run, Runner
from grader.submissions.script import Script

RAISED = re.compile(r"(?:Runtime|Type|Name|UnboundLocal|Index|Attribute)Error\b")  # by what can't be computed
EXPLAINED = frozenset((Verdict.WRONG, Verdict.WRONG_SHAPE))
REPAIRED = EXPLAINED | {Verdict.ERROR, Verdict.NOT_FINITE, Verdict.WRONG_DTYPE, Verdict.NOT_A_TENSOR}
SETTLED = frozenset(  # what is true of any code that gives such values
    (
        Code.SIGN,
        Code.HARD_CODED,
        Code.PASSED_THROUGH,
        Code.LOCAL_GRADIENT,
        Code.BRANCH_MISSING,
        Code.BRANCH_SIGN,
        Code.ANOTHER_GRADIENT,
    )
)


def _explicable(answer: Answer) -> bool:
    """Whether it is wrong, or meets with what can't be: what else it raises says enough itself."""
    return any(
        check.verdict in REPAIRED
        and (check.verdict is not Verdict.ERROR or RAISED.match(getattr(answer.records[f], "message", "")))
        for f, check in answer.checks.items()
    )


def diagnoses(
    runner: Runner | None, task: Task, answers: Sequence[Answer], code: Script
) -> tuple[dict[str, Finding], dict[str, str]]:
    """By item: the mistake that explains a wrong value; where none is known, the places that are wrong.

    runner: it runs a wrong function once more, with one change at a time; without it nothing is run.
    """
    exercise, fixtures = task
    source = code.functions
    places: dict[str, str] = {}
    told = _hard_coded(exercise, answers, source)
    wrong = [a for a in answers if a.item.name not in told and _explicable(a)]
    if not wrong:
        return told, places
    import json

    import numpy as np
    import safetensors.numpy

    from grader.diagnosis.diagnose import FIXTURES, Known, diagnose
    from grader.diagnosis.numbers_in_code import words
    from grader.diagnosis.positions import where
    from grader.diagnosis.relations import Evidence, same
    from grader.judging.repairs import Search

    known = json.loads(fixtures.diagnosis)
    settings = exercise.sizes
    given = {f: safetensors.numpy.load(fixtures.given[f]) for f in FIXTURES if f in fixtures.given}
    lines = {line.name: line for line in exercise.lines}

    def another(item: Gradient, evidence: Sequence[Evidence]) -> Finding | None:
        """Another item's gradient, of whatever shape."""
        for other in exercise.gradients:
            wanted = [fixtures.references[e.fixture].values.get(other.name) for e in evidence]
            if other.name != item.name and all(
                w is not None and w.size > 1 and same(e, e.answer, w.astype(float))
                for e, w in zip(evidence, wanted, strict=True)
            ):
                on = tuple(e.fixture for e in evidence)
                return Finding(Code.ANOTHER_GRADIENT, f"this is {other.name}", on=on)
        return None

    def explain(answer: Answer) -> None:
        name = answer.item.name
        item = answer.item
        if isinstance(item, Output):
            records = {f: r for f in FIXTURES if (r := answer.records.get(f)) is not None}
            mistakes = known.get(name, {}).get("mistakes", [])
            if found := known_output(mistakes, records, fixtures.references, name, item.exact):
                told[name] = found
            else:
                places[name] = ""
            return
        uses, numbers = words(source, name) or (None, None)
        lecture = exercise.lecture.sizes
        evidence = []
        for f in given:
            record, reference = answer.records.get(f), fixtures.references[f]
            value = values(record) if record is not None else None
            if value is not None and np.isfinite(value).all():
                key = answer.key_in(reference)
                wanted, size = reference.values[key].astype(float), reference.sizes[key]
                at = (f, value.astype(float), wanted, given[f], settings[f])
                evidence.append(Evidence(*at, size, uses, numbers, lecture))
        if len(evidence) > 1 and evidence[0].fixture == FIXTURES[0] and name in known:
            about = Known(known[name]["mistakes"], known[name]["branches"])
            found = diagnose(item, about, evidence, lines) or another(item, evidence)
            if found:
                if found.code is not Code.KEEPDIM or drops(
                    source, name
                ):  # else what is said of the shape is enough
                    told[name] = found
            elif all(e.answer.shape == e.reference.shape for e in evidence):
                places[name] = where(evidence[0])
        elif evidence and evidence[0].answer.shape == evidence[0].reference.shape:
            places[name] = where(evidence[0])

    for answer in wrong:
        if any(c.verdict in EXPLAINED for c in answer.checks.values()):
            with swallowing(f"{answer.item.name} its diagnosis"):
                explain(answer)
    searching = Search(runner, task, code, given) if runner else None
    for answer in wrong if searching else ():
        name = answer.item.name
        doubtful = name not in told or told[name].code not in SETTLED
        if isinstance(answer.item, Gradient) and name in known and doubtful:
            with swallowing(f"{name} the change that makes it right"):
                about = Known(known[name]["mistakes"], known[name]["branches"])
                if searching and (found := searching.explain(answer, about)):
                    if found.code is Code.UPSTREAM_MISSING and name in told:
                        continue  # which says more
                    told[name] = found
                    places.pop(name, None)
    return told, places


def _hard_coded(exercise: Exercise, answers: Sequence[Answer], source: bytes) -> dict[str, Finding]:
    """By item: the numbers that stand for sizes, where an answer is right at the lecture's sizes alone."""
    from grader.diagnosis.numbers_in_code import hard_coded

    settings = exercise.sizes
    told = {}
    for answer in answers:
        lecture = settings[next(iter(answer.checks))]
        passed = {f for f, c in answer.checks.items() if c.verdict.passed}
        if passed and passed == {f for f in answer.checks if settings[f] == lecture}:
            name = answer.item.name
            with swallowing(f"{name} a look at its numbers"):
                if passed != set(answer.checks) and (found := hard_coded(source, name, lecture)):
                    told[name] = found
    return told


def traced(
    runner: Runner, task: Task, answers: Sequence[Answer], code: Script, told: Mapping[str, Finding]
) -> list[Answer]:
    """The same answers; where a shape is wrong, or torch refused one, with the operation that made it so.

    told: the mistakes that are known, by item: of their items only the operation is said, not its remedy.
    """
    shapeless = [a for a in answers if _shapeless(a)]
    if not shapeless:
        return list(answers)
    on = list(shapeless[0].checks)[:2]
    names = tuple(a.item.name for a in shapeless)
    run = runner.run(Part(task.exercise.id, on, (), flat=code.flat, recorded=names), code.file)
    words = Words(code.source, lambda line: _at(*code.place(line), code.count(line)))
    return [_traced(task, a, run, words, a.item.name not in told) if a in shapeless else a for a in answers]


def _shapeless(answer: Answer) -> bool:
    """Whether a tensor's shape is wrong, or torch refused some."""
    if isinstance(answer.item, Output) and answer.item.driver:
        return False  # plain data has no shape
    check = next(iter(answer.checks.values()))
    return check.finding is not None and check.verdict in (Verdict.WRONG_SHAPE, Verdict.ERROR)


def _at(cell: int | None, line: int | None, count: int | None) -> str:
    return f"{'in' if cell else 'on'} {place(cell, line, count)}"


def _traced(task: Task, answer: Answer, run: Run, words: Words, advise: bool) -> Answer:
    first, check = next(iter(answer.checks.items()))
    evidence: list[Came] = []
    for f, record in answer.records.items():
        if record is None or answer.checks[f].verdict is not check.verdict:
            break
        sent = run.records.get((f, f"in {answer.item.name}"))
        reference = task.fixtures.references[f]
        wanted = reference.values.get(answer.key_in(reference))
        steps = read(plain.decode(sent.data)) if sent and sent.data else None
        if wanted is None or steps is None:
            break
        shape = record.shape if check.verdict is Verdict.WRONG_SHAPE else None
        evidence.append(Came(steps[1], steps[0], wanted.shape, shape, record.message, record.line))
    told = None
    with swallowing(f"{answer.item.name} the story of its shape"):
        told = explain(words, evidence, advise)
    if told is None or check.finding is None:
        return answer
    finding, reason = check.finding, check.finding.text
    if finding.code is Code.KEEPDIM and told.code is Code.AXIS_DROPPED:  # which says it better
        reason = reason.removesuffix(f"; {LOST_AXIS}")
    joint = ": " if ": " not in reason else "; "
    finding = finding.under(told.code, f"{reason}{joint}{told.text}")
    return replace(answer, checks={**answer.checks, first: replace(check, finding=finding)})
