"""What is found out about a wrong answer: the mistake, where it shows, what made its shape wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from grader.core import plain
from grader.core.errors import swallowing
from grader.core.exercise import Exercise, Output, Task
from grader.core.finding import Code, Finding
from grader.core.verdict import Check, Verdict, place
from grader.diagnosis.shapes import Came, Words, explain, read, refuses
from grader.judging.choices import Answer
from grader.judging.compare import reshaped
from grader.runner.host.client import Part, Run, Runner
from grader.submissions.script import Script

RAISED = re.compile(r"(?:Runtime|Type|Name|UnboundLocal|Index|Attribute)Error\b")  # by what can't be computed
EXPLICABLE = frozenset(
    (
        Verdict.WRONG,
        Verdict.WRONG_SHAPE,
        Verdict.ERROR,
        Verdict.NOT_FINITE,
        Verdict.WRONG_DTYPE,
        Verdict.NOT_A_TENSOR,
    )
)


def _explicable(answer: Answer) -> bool:
    """Whether it is wrong, or meets with what can't be: what else it raises says enough itself."""
    if isinstance(answer.item, Output):
        return all(c.verdict.passed or _of_output(c) for c in answer.checks.values())
    return any(
        check.verdict in EXPLICABLE
        and (check.verdict is not Verdict.ERROR or RAISED.match(getattr(answer.records[f], "message", "")))
        for f, check in answer.checks.items()
    )


def _of_output(check: Check) -> bool:
    return check.verdict in EXPLICABLE and check.code not in (Code.WAITS, Code.ENDED, Code.NOT_GRADED)


def diagnoses(
    runner: Runner | None, task: Task, answers: Sequence[Answer], code: Script
) -> tuple[dict[str, Finding], dict[str, str]]:
    """By item: the mistake that explains a wrong value; where none is known, the places that are wrong.

    runner: it runs a wrong function once more, with one change at a time; without it nothing is run.
    """
    told = _hard_coded(task.exercise, answers, code.functions)
    wrong = [
        a
        for a in answers
        if a.item.name not in told and not all(c.verdict.passed for c in a.checks.values()) and _explicable(a)
    ]
    if not wrong:
        return told, {}
    from grader.judging.mistakes import Mistakes

    mistakes = Mistakes(task, code)
    for answer in wrong:
        mistakes.by_value(answer)
    if runner:
        mistakes.by_change(runner, wrong)
    return told | mistakes.told, mistakes.places


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
    (check, *_), (record, *_) = answer.checks.values(), answer.records.values()
    if check.finding is None or record is None:
        return False
    refused = check.verdict is Verdict.ERROR and refuses(record.message)
    return refused or check.verdict is Verdict.WRONG_SHAPE


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
        reason = reshaped(evidence[0].shape or (), evidence[0].wanted)
    joint = ": " if ": " not in reason else "; "
    finding = replace(finding.under(told.code, f"{reason}{joint}{told.text}"), spot=told.spot)
    return replace(answer, checks={**answer.checks, first: replace(check, finding=finding)})
