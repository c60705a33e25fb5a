"""What is found out about a wrong answer: the mistake, where it shows, what made its shape wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from grader.core.errors import swallowing
from grader.core.exercise import Exercise, Output, Task
from grader.core.finding import Code, Finding
from grader.core.verdict import Check, Verdict
from grader.judging.choices import Answer
from grader.judging.compare import LOST_AXIS
from grader.runner.host.client import Runner
from grader.submissions.script import Script
from grader.suite.fixtures import shapes

RAISED = re.compile(r"(?:Runtime|Type|Name|UnboundLocal|Index|Attribute)Error\b")  # by what can't be computed
EXPLAINED = frozenset(
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
        check.verdict in EXPLAINED
        and (check.verdict is not Verdict.ERROR or RAISED.match(getattr(answer.records[f], "message", "")))
        for f, check in answer.checks.items()
    )


def _of_output(check: Check) -> bool:
    return check.verdict in EXPLAINED and check.code not in (Code.WAITS, Code.ENDED, Code.NOT_GRADED)


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


def traced(task: Task, answer: Answer, source: bytes, mistake: Finding | None) -> Answer:
    """The same answer; where its shape is wrong, or torch refused one, with the operation that made it so."""
    exercise, fixtures = task
    first, check = next(iter(answer.checks.items()))
    finding = check.finding
    if not source or finding is None or check.verdict not in (Verdict.WRONG_SHAPE, Verdict.ERROR):
        return answer
    from grader.diagnosis.shapes.explain import Came, explain
    from grader.diagnosis.shapes.values import Tensor

    settings = exercise.sizes
    evidence: list[Came] = []
    for f, record in answer.records.items():
        if record is None or answer.checks[f].verdict is not check.verdict:
            evidence = evidence[:1]
            break
        known = {n: Tensor(s, kind) for n, (s, kind) in shapes(fixtures.given[f]).items()}
        shape = record.shape if check.verdict is Verdict.WRONG_SHAPE else None
        reference = fixtures.references[f]
        wanted = reference.values.get(answer.key_in(reference))
        if wanted is None:  # plain data has no shape
            return answer
        evidence.append(Came({**settings[f], **known}, wanted.shape, shape, record.message, record.line))
    told = None
    with swallowing(f"{answer.item.name} the story of its shape"):
        told = explain(source, answer.item.name, evidence, advise=mistake is None)
    if told is None:
        return answer
    reason = finding.text
    if finding.code is Code.KEEPDIM and told.code is Code.AXIS_DROPPED:  # which says it better
        reason = reason.removesuffix(f"; {LOST_AXIS}")
    joint = ": " if ": " not in reason else "; "
    finding = finding.under(told.code, f"{reason}{joint}{told.text}")
    return replace(answer, checks={**answer.checks, first: replace(check, finding=finding)})
