"""An item's answers on all fixtures: each held against its reference, and one verdict of them all."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.core import plain
from grader.core.calling import written
from grader.core.exercise import FEW, TRAINING, Exercise, Item, Output, Task
from grader.core.finding import Code, Finding
from grader.core.text import text as harmless
from grader.core.verdict import Check, ItemReport, Verdict
from grader.judging.choices import Answer
from grader.judging.compare import held, spread
from grader.judging.compare_outputs import held as held_output
from grader.judging.excerpts import excerpt
from grader.runner.host.client import Run
from grader.submissions.script import Script

# a name that is defined, assigned, or imported; possessive, so that it is linear
DEFINED = re.compile(rb"\b(?:def|class)\s++(\w++)|\b(\w++)\s*+(?:=(?!=)|[,)\]]|$)", re.M)
ABSENT = frozenset((Verdict.NOT_WRITTEN, Verdict.REFUSED))  # where no other item's mistake shows


def answered(item: Item, task: Task, run: Run, on: Sequence[str], lenient: bool) -> Answer:
    """One item's records on all fixtures, each held against its saved reference."""
    fixtures = task.fixtures
    records = {name: run.records.get((name, item.name)) for name in on}
    checks: dict[str, Check] = {}
    one = Answer(item, records, checks)
    key = one.key
    for name, record in records.items():
        reference = fixtures.references[name]
        own = key if key in reference.values else item.name
        if record is not None and isinstance(item, Output):
            check = held_output(record, reference, item.name, item.exact, bool(item.driver))
            uncalled = item.driver or check.verdict.passed or check.verdict in ABSENT
            checks[name] = check if uncalled else _called(check, item, task, name)
            continue
        checks[name] = gone(run, item.name) if record is None else held(record, reference, own)
        if lenient and record and checks[name].verdict is Verdict.WRONG_SHAPE:
            checks[name] = spread(record, reference, own) or checks[name]
    return one


def call_of(item: Output, task: Task, fixture: str) -> str:
    """How a function that no driver calls is called on a fixture, as it is written."""
    import safetensors.numpy

    given = safetensors.numpy.load(task.fixtures.given[fixture])
    own = {**task.exercise.sizes[fixture], **{k.removeprefix(f"{item.name}:"): v for k, v in given.items()}}
    shown = []
    for param in item.params:
        for name in (f"plain:{item.name}:{param}", f"plain:{param}"):
            if name in given:
                shown.append(written(plain.decode(given[name].tobytes())))
                break
        else:
            shown.append(written(own[param]) if param in own else param)
    return f"{item.name}({', '.join(shown)})"


def _called(check: Check, item: Output, task: Task, fixture: str) -> Check:
    """A failing check of a function that no driver calls, with the call."""
    call, finding = call_of(item, task, fixture), check.finding
    if finding and check.came and finding.code in (Code.ENTRIES_DIFFER, Code.VALUE_DIFFERS):
        _, *rest = finding.text.split("; ")
        said = "; ".join([f"{call} gives {check.came}, wanted {check.wanted}", *rest])
        finding = replace(finding, text=said)
    elif finding and finding.code is not Code.UNKNOWN_PARAMETER:
        finding = replace(finding, text=f"{call}: {finding.text}" if finding.text else call)
    return replace(check, finding=finding, call=harmless(call))


def nameless(exercise: Exercise, reports: Sequence[ItemReport], source: bytes) -> tuple[str, ...]:
    """The items that passed though a file of functions defines none of the name: for a person to look at.

    No verdict: a loop or a decorator may have made the function.
    """
    if not source:
        return ()
    asks = {i.name: i.asks if isinstance(i, Output) else (i.name,) for i in exercise.items}
    own = {r.id: asks.get(r.id.removeprefix(f"{exercise.id}."), ()) for r in reports if r.passed}
    if all(b"\ndef %s(" % name.encode() in source for asked in own.values() for name in asked):
        return ()  # as mostly, and sooner known
    defined = {(a or b).decode() for a, b in DEFINED.findall(source)}
    return tuple(name for name, asked in own.items() if not defined.issuperset(asked))


def in_order(answers: Sequence[Answer], first: Mapping[str, Output]) -> list[Answer]:
    """The answers, each wrong output that rests on another wrong one, or shares a class with it, with a word
    of which to mend first. first: by its name, the one that an output goes through.
    """
    failed: list[Output] = []
    return [_after(answer, failed, first) for answer in answers]


def wrong_outputs(answers: Sequence[Answer]) -> list[Output]:
    """Those whose failure may be another one's mistake, or make another one fail."""
    return [
        a.item
        for a in answers
        if isinstance(a.item, Output)
        and not all(c.verdict.passed or c.verdict in ABSENT for c in a.checks.values())
    ]


def _after(answer: Answer, failed: list[Output], first: Mapping[str, Output]) -> Answer:
    """failed: the wrong outputs before it, to which it is added."""
    item = answer.item
    if not isinstance(item, Output) or not wrong_outputs([answer]):
        return answer
    beside = [o for o in failed if o.about == item.about or o.about in item.asks and "." not in item.about]
    failed.append(item)
    before = first.get(item.name) or next(iter(beside), None)
    if not before:
        return answer
    say = f"fix {before.name} first, which it rests on"
    checks = {
        f: c
        if c.verdict.passed or c.verdict in ABSENT or c.code in (Code.WAITS, Code.UNDEFINED_NAME)
        else replace(c, finding=Finding(Code.RESTS_ON_ANOTHER, "; ".join(t for t in (c.reason, say) if t)))
        for f, c in answer.checks.items()
    }
    return replace(answer, checks=checks)


def report(
    exercise: Exercise,
    answer: Answer,
    code: Script,
    mistake: Finding | None = None,
    places: str | None = None,
    lenient: bool = False,
) -> ItemReport:
    """An item's report. places: where it is wrong, if no known mistake explains it; else None."""
    gone_on = [name for name, record in answer.records.items() if record is None]
    other = "other data" if isinstance(answer.item, Output) else "another upstream gradient"
    fixture, settled = decide(answer.checks, exercise, gone_on, lenient, other)
    lecture = next(iter(answer.checks.values()))
    record = next(iter(answer.records.values()))
    note = lecture.note
    if code.flat is not None and record and record.status == "value":
        told = harmless(record.message)  # what it is called there, or what changes it afterwards
        if settled.verdict.passed:
            note = _join(note, told)
        elif any(c.verdict.passed for c in answer.checks.values()):
            mistake = Finding(record.code or Code.OTHER_NAME, told) if told else mistake
    if settled.verdict.passed and settled.note not in note:
        note = _join(note, settled.note)
    if answer.graded_for is not None:
        names = ", ".join("d" + t for t in sorted(answer.graded_for)) or "no upstream gradient"
        note = _join(note, f"graded for what it uses: {names}")
    if record and record.forward and not settled.verdict.passed:
        told = harmless(record.forward)
        said = f"{told}; {mistake.text}" if mistake else told
        mistake = mistake.under(Code.OTHER_FORWARD, said) if mistake else Finding(Code.OTHER_FORWARD, said)
    if mutated := sorted({m for r in answer.records.values() if r for m in r.mutated}):
        what = ", ".join(harmless(m) for m in mutated)
        note = _join(note, f"changes its argument {what} in place, which what comes after would see")
    found = settled.finding
    if places is not None and found and settled.verdict is Verdict.WRONG and not found.says(Code.ALL_ZERO):
        located = ", ".join(t for t in (found.text, places) if t)
        found = replace(found, text=f"{located}; no known mistake matches")
    if found and mistake and found.code is mistake.code is Code.BRANCH_MISSING and settled.worst:
        found = replace(found, text=settled.worst.told("autograd has"))  # the mistake says which
    line = next((r.line for f in (fixture, *answer.records) if (r := answer.records[f]) and r.line), None)
    if line is None and gone_on:  # nothing came that could tell it
        match = re.search(rb"^def %s\b" % answer.item.name.encode(), code.source, re.MULTILINE)
        line = code.source.count(b"\n", 0, match.start()) + 1 if match else None
    shape = exercise.shapes[answer.item.tensor]
    name = f"{exercise.id}.{answer.item.name}"
    at = answer.records[fixture]
    sure = bool(mistake and mistake.line) or at is None or at.status != "value"
    line = mistake.line if mistake and mistake.line else line
    seen = None if settled.verdict.passed else excerpt(code, line, mistake or found, sure)
    there = mistake and mistake.line and seen and found and found.spot in seen.lines[-1][1]
    if found and there and lecture.verdict is Verdict.WRONG_SHAPE:  # the mistake says how it came about
        found = replace(found, text=f"came {lecture.shape}, wanted {shape}")
    shown = lecture
    if settled is not lecture or found is not lecture.finding or note != lecture.note:
        shown = replace(lecture, verdict=settled.verdict, finding=found, note=note, call=settled.call,
                        came=settled.came, wanted=settled.wanted, worst=settled.worst)  # fmt: skip
    count = code.count(line)
    cell, line = code.place(line)
    return ItemReport(name, shape, shown, fixture, line, mistake, answer.checks, cell, count, excerpt=seen)


def decide(
    checks: Mapping[str, Check],
    exercise: Exercise,
    gone_on: Collection[str] = (),
    lenient: bool = False,
    other: str = "another upstream gradient",
) -> tuple[str, Check]:
    """The fixture that settles an item's verdict, and its check, reworded where only probes fail.

    gone_on: the fixtures on which nothing came, since the process ended before.
    lenient: the lecture's sizes are enough. other: what a probe of the lecture's sizes has.
    """
    first = next(iter(checks))
    failed = {name: c for name, c in checks.items() if not c.verdict.passed}
    if not failed or first in failed:
        return first, checks[first]
    settings = exercise.sizes
    same = [name for name in failed if settings[name] == settings[first]]
    name = same[0] if same else next(iter(failed))
    if lenient and not same:
        sizes_ = _differs(settings[first], settings[name])
        note = f"right at the lecture's sizes only; with {sizes_} {_fails(failed[name])}"
        return first, replace(checks[first], note=note)
    finding = failed[name].finding
    if name in gone_on or finding is None:
        return name, failed[name]
    what = other if same else _differs(settings[first], settings[name])
    reason = f"right on the lecture's numbers, wrong in general: with {what}, {finding.text}"
    return name, replace(failed[name], finding=finding.under(Code.RIGHT_ON_LECTURE_ONLY, reason))


def _fails(check: Check) -> str:
    """What an answer does that is not right."""
    if check.verdict is Verdict.ERROR:
        return f"it fails ({check.reason})" if check.reason else "it fails"
    return "its shape is wrong" if check.verdict is Verdict.WRONG_SHAPE else "it is wrong"


def gone(run: Run, name: str = "") -> Check:
    """The check of an item whose record never came."""
    if run.blamed and name not in run.blamed:
        why = f"not graded, since others ended the process: {', '.join(run.blamed)}"
        return Check(Verdict.ERROR, Finding(Code.NOT_GRADED, why))
    ended, over = run.blamed.get(name, (run.ended, run.over))
    who = "it" if name in run.blamed else "the submission"
    verdict, code = (Verdict.OVER_LIMIT, Code.OVER_LIMIT) if over else (Verdict.ERROR, Code.ENDED)
    return Check(verdict, Finding(code, f"{who} {ended or 'sent nothing for it'}"))


def training(task: Task, run: Run, code: Script, steps: int) -> ItemReport:
    """The parameters after so many manual steps, all of them, against autograd's."""
    exercise, plan = task.exercise, task.exercise.training
    reference = task.fixtures.references[TRAINING]
    assert plan is not None
    names, whole = plan.parameters, plan.steps
    few = "" if steps == whole else FEW
    checks: dict[str, Check] = {}
    records = {name: run.records.get((TRAINING, name)) for name in names}
    for name in names:
        record = records[name]
        checks[name] = gone(run) if record is None else held(record, reference, few + name)
    name = max(names, key=lambda n: _rank(checks[n]))
    worst = checks[name]
    found = worst.finding
    if found and worst.verdict not in (Verdict.NOT_WRITTEN, Verdict.ERROR, Verdict.OVER_LIMIT):
        found = replace(found, text=f"{name} after {steps} steps: {found.text}")
    taken = f"{steps} of {whole}" if few else str(steps)
    whose = ", the update being the grader's" if code.flat is not None else ""
    note = "" if worst.reason else f"{taken} manual steps{whose}; worst is {name}"
    shown = replace(worst, finding=found, note=note)
    record = records[name]
    at = record.line if record else None
    seen = None if worst.verdict.passed else excerpt(code, at, None)
    cell, line = code.place(at)
    shape = (sum(math.prod(exercise.shapes[n]) for n in names),)
    name = f"{exercise.id}.{TRAINING}"
    return ItemReport(name, shape, shown, TRAINING, line, None, checks, cell, code.count(at), excerpt=seen)


def _rank(check: Check) -> tuple[bool, float]:
    excess = (check.maxdiff or 0.0) / (check.tolerance or 1.0) if check.tolerance else check.maxdiff or 0.0
    return not check.verdict.passed, excess


def _differs(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    return f"other sizes ({', '.join(f'{k}={b[k]}' for k in a if a[k] != b[k])})"


def _join(*notes: str) -> str:
    return "; ".join(n for n in notes if n)
