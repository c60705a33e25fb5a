"""The story of one submission: run it, compare what it gave, say what came of it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader import choices, sparse
from grader.choices import Answer
from grader.compare import held, spread, values
from grader.compare_output import held as held_output
from grader.compare_output import known as known_output
from grader.fixture import Fixtures, shapes
from grader.harmless import text as harmless
from grader.runner.client import SHARED, Part, Run, Runner, sizes
from grader.submissions.flat import Script, script
from grader.verdict import Check, ExerciseReport, ItemReport, Verdict, place

TRAINING = "training"
OTHERWISE = "not found: nothing assigns"  # as runner/slicing.py says it
EXPLAINED = frozenset((Verdict.WRONG, Verdict.WRONG_SHAPE))
RETRY = 45.0  # seconds that runs without those who ended the process may take, before the rest is given up


def check(
    runner: Runner,
    exercise: Mapping[str, Any],
    fixtures: Fixtures,
    source: bytes,
    filename: str,
    items: Sequence[str] | None = None,
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> tuple[ExerciseReport, Run]:
    """Grade one submission's file on one exercise: its report, and how the run went.

    The runner must have loaded the exercise with the same fixtures. items: names to grade, or all.
    strict: flat code too must be right at other sizes than the lecture's.
    rename: what flat code calls otherwise, its names -> ours.
    Unreadable where the file is called a notebook and is none.
    """
    code = script(source, filename, exercise, rename)
    return _graded(runner, exercise, fixtures, code, filename, items, strict, None)


def check_several(
    runner: Runner,
    exercises: Sequence[tuple[Mapping[str, Any], Fixtures]],
    source: bytes,
    filename: str,
    strict: bool = False,
    rename: Mapping[str, str] | None = None,
) -> list[tuple[ExerciseReport, Run]]:
    """Grade one file on several exercises, whole: as `check` on each.

    Of flat code they are all run in one child first, which takes it apart once. That settles an exercise
    where all went well. Where something is not right after another exercise has run in that process, or it
    didn't come to its end, the exercise is run once more in a process of its own.
    """
    codes = [script(source, filename, exercise, rename) for exercise, _ in exercises]
    together: list[Run | None] = [None] * len(codes)
    if len(codes) > 1 and all(c.flat is not None and c.source == codes[0].source for c in codes):
        parts = [
            Part(e["id"], _on(f), [i["name"] for i in e["items"]], _steps(e, _lenient(c, strict)), c.flat)
            for (e, f), c in zip(exercises, codes, strict=True)
        ]
        together = list(runner.together(parts, codes[0].source, filename, SHARED, math.ceil(SHARED)))
    graded = []
    for number, ((exercise, fixtures), code) in enumerate(zip(exercises, codes, strict=True)):
        run = together[number]
        one = None
        if run and not run.ended:
            one = _graded(runner, exercise, fixtures, code, filename, None, strict, run)
            if number and not _settled(*one):
                one = None
        graded.append(one or _graded(runner, exercise, fixtures, code, filename, None, strict, None))
    return graded


def _settled(graded: ExerciseReport, run: Run) -> bool:
    """Whether nothing that another exercise did to the process can have cost this one anything."""
    early = {TRAINING if fixture == TRAINING else item for fixture, item in run.early}
    return all(item.passed or item.id.split(".")[-1] in early for item in graded.items)


def _on(fixtures: Fixtures) -> list[str]:
    return [name for name in fixtures.given if name != TRAINING]


def _graded(
    runner: Runner,
    exercise: Mapping[str, Any],
    fixtures: Fixtures,
    code: Script,
    filename: str,
    items: Sequence[str] | None,
    strict: bool,
    run: Run | None,
) -> tuple[ExerciseReport, Run]:
    """The report of one submission on one exercise, from `run` or else a run of its own."""
    asked = [item for item in exercise["items"] if items is None or item["name"] in items]
    lenient = _lenient(code, strict)
    training = _steps(exercise, lenient) if items is None or TRAINING in items else 0
    on = _on(fixtures)
    names = [item["name"] for item in asked]
    run = run or _run(runner, exercise, code, filename, on, names, training)
    answers = [_judged(exercise, item, fixtures, run, on, lenient) for item in asked]
    answers = choices.reconsider(runner, exercise, fixtures, answers, lenient)
    if lenient:
        answers = sparse.accept(runner, exercise, fixtures, code, filename, answers)
    diagnoses, places = _diagnoses(exercise, fixtures, answers, b"" if code.flat is not None else code.source)
    judged = []
    failed: list[Answer] = []
    for answer in answers:
        name = answer.item["name"]
        if code.flat is None:
            answer = _traced(exercise, fixtures, answer, code.source, diagnoses.get(name))
        answer = _after(answer, failed)
        judged.append(_report(exercise, answer, code, diagnoses.get(name), places.get(name), lenient))
    if training:
        judged.append(_training(exercise, fixtures, run, code, training))
    return ExerciseReport(exercise["id"], exercise["title"], tuple(judged), _unparsed(run, code)), run


def _lenient(code: Script, strict: bool) -> bool:
    """Whether it is the lecture's own notebook, whose text asks no more than the lecture's sizes."""
    return code.flat is not None and not code.ours and not strict


def _steps(exercise: Mapping[str, Any], lenient: bool) -> int:
    """How long an exercise trains; 0 where it doesn't."""
    plan = exercise["training"]
    return int(plan["few" if lenient else "steps"]) if plan else 0


def notes(graded: ExerciseReport, run: Run, filename: str) -> list[str]:
    """What there is to say of a submission as a whole."""
    name, said = harmless(filename), []
    if graded.unparsed:
        said.append(f"{name}: {graded.unparsed}; what parses was graded")
    if any(item.check.reason.startswith(OTHERWISE) for item in graded.items):
        said.append(
            f"{name}: a gradient of another name is found by its cmp('dh', yours, h), or with --rename FILE"
        )
    if run.truncated:
        said.append(f"{name} printed more than is shown")
    if run.ended:
        said.append(f"{name} {run.ended}")
    return said


def _run(
    runner: Runner,
    exercise: Mapping[str, Any],
    code: Script,
    filename: str,
    on: Sequence[str],
    names: Sequence[str],
    training: int,
) -> Run:
    """Run a submission; where an item ended the process, the others again without it."""
    left = list(names)
    run = first = runner.run(exercise["id"], code.source, filename, on, left, training, code.flat)
    records = dict(run.records)
    blamed: dict[str, tuple[str, bool]] = {}
    start = time.monotonic()
    while run.ended and run.loaded and len(names) > 1:
        guilty = next((n for f in on for n in left if (f, n) not in run.records), None)
        if guilty is None:
            break
        left.remove(guilty)
        blamed[guilty] = run.ended, run.over
        for fixture in on:
            records.pop((fixture, guilty), None)
        if not left or time.monotonic() - start > RETRY:
            break
        run = runner.run(exercise["id"], code.source, filename, on, left, training, code.flat)
        records |= run.records
    return replace(first, records=records, blamed=blamed)


def _unparsed(run: Run, code: Script) -> str:
    """What of a submission Python can't read, and where; empty where it can read it all."""
    if run.unparsed is None:
        return ""
    message, at = run.unparsed
    return f"{place(*code.place(at)) or 'the file'} is not Python ({harmless(message)})"


def _judged(
    exercise: Mapping[str, Any],
    item: Mapping[str, Any],
    fixtures: Fixtures,
    run: Run,
    on: Sequence[str],
    lenient: bool,
) -> Answer:
    """One item's records on all fixtures, each held against its saved reference."""
    records = {name: run.records.get((name, item["name"])) for name in on}
    answer = Answer(item, records, {})
    checks = {}
    for name, record in records.items():
        reference = fixtures.references[name]
        own = answer.key_in(reference)
        if record is not None and item.get("compare"):
            checks[name] = held_output(record, reference, item["name"], item["compare"] == "exact")
            continue
        checks[name] = gone(run, item["name"]) if record is None else held(record, reference, own)
        if lenient and record and checks[name].verdict is Verdict.WRONG_SHAPE:
            checks[name] = spread(record, reference, own) or checks[name]
    return replace(answer, checks=checks)


def _after(answer: Answer, failed: list[Answer]) -> Answer:
    """A wrong output whose function calls others, or shares a class with other items: which to mend first."""
    item = answer.item
    if not item.get("compare") or all(c.verdict.passed for c in answer.checks.values()):
        return answer
    before = [a.item["name"] for a in failed if a.item["name"] in item["uses"] or _shared(a.item, item)]
    failed.append(answer)
    if not before:
        return answer
    say = f"mend {before[0]} first, which it rests on"
    checks = {
        f: replace(c, reason=f"{c.reason}; {say}") if c.verdict in EXPLAINED else c
        for f, c in answer.checks.items()
    }
    return replace(answer, checks=checks)


def _shared(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return bool(set(a["asks"]) & set(b["asks"]))


def _diagnoses(
    exercise: Mapping[str, Any], fixtures: Fixtures, answers: Sequence[Answer], source: bytes
) -> tuple[dict[str, str], dict[str, str]]:
    """By item: the mistake that explains a wrong value; where none is known, the places that are wrong."""
    places: dict[str, str] = {}
    told = _hard_coded(exercise, answers, source)
    wrong = [
        a
        for a in answers
        if a.item["name"] not in told and any(c.verdict in EXPLAINED for c in a.checks.values())
    ]
    if not wrong:
        return told, places
    import json

    import numpy as np
    import safetensors.numpy

    from grader.diagnose import FIXTURES, Known, diagnose
    from grader.literals import words
    from grader.places import where
    from grader.relations import Evidence

    known = json.loads(fixtures.diagnosis)
    settings = {entry["name"]: sizes(entry["settings"]) for entry in exercise["fixtures"]}
    given = {f: safetensors.numpy.load(fixtures.given[f]) for f in FIXTURES if f in fixtures.given}
    lines = {line["name"]: line for line in exercise["lines"]}
    for answer in wrong:
        name = answer.item["name"]
        if answer.item.get("compare"):
            records = {f: r for f in FIXTURES if (r := answer.records.get(f)) is not None}
            mistakes = known.get(name, {}).get("mistakes", [])
            if found := known_output(mistakes, records, answer.item["compare"] == "exact"):
                told[name] = found
            else:
                places[name] = ""
            continue
        text = words(source, name) or (None, None)
        evidence = []
        for f in given:
            record, reference = answer.records.get(f), fixtures.references[f]
            value = values(record) if record is not None else None
            if value is not None and np.isfinite(value).all():
                key = answer.key_in(reference)
                wanted, size = reference.values[key].astype(float), reference.sizes[key]
                evidence.append(Evidence(f, value.astype(float), wanted, given[f], settings[f], size, *text))
        if len(evidence) > 1 and evidence[0].fixture == FIXTURES[0] and name in known:
            about = Known(known[name]["mistakes"], known[name]["branches"])
            if found := diagnose(answer.item, about, evidence, lines):
                told[name] = found
            elif all(e.answer.shape == e.reference.shape for e in evidence):
                places[name] = where(evidence[0])
        elif evidence and evidence[0].answer.shape == evidence[0].reference.shape:
            places[name] = where(evidence[0])
    return told, places


def _hard_coded(exercise: Mapping[str, Any], answers: Sequence[Answer], source: bytes) -> dict[str, str]:
    """By item: the numbers that stand for sizes, where an answer is right at the lecture's sizes alone."""
    from grader.literals import hard_coded

    settings = {entry["name"]: sizes(entry["settings"]) for entry in exercise["fixtures"]}
    told = {}
    for answer in answers:
        lecture = settings[next(iter(answer.checks))]
        passed = {f for f, c in answer.checks.items() if c.verdict.passed}
        if passed and passed == {f for f in answer.checks if settings[f] == lecture}:
            name = answer.item["name"]
            if passed != set(answer.checks) and (found := hard_coded(source, name, lecture)):
                told[name] = found
    return told


def _traced(
    exercise: Mapping[str, Any], fixtures: Fixtures, answer: Answer, source: bytes, diagnosis: str | None
) -> Answer:
    """The same answer; where its shape is wrong, or torch refused one, with the operation that made it so."""
    first, check = next(iter(answer.checks.items()))
    if check.verdict not in (Verdict.WRONG_SHAPE, Verdict.ERROR):
        return answer
    from grader.shape_rules import Tensor
    from grader.shapes import Came, explain

    settings = {entry["name"]: sizes(entry["settings"]) for entry in exercise["fixtures"]}
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
    try:
        told = explain(source, answer.item["name"], evidence, advise=diagnosis is None)
    except Exception:  # what only adds to a verdict must not cost it
        return answer
    if told is None:
        return answer
    reason = check.reason.removesuffix("; keepdim=True keeps the axis")
    joint = ": " if ": " not in reason else "; "
    return replace(answer, checks={**answer.checks, first: replace(check, reason=f"{reason}{joint}{told}")})


def _report(
    exercise: Mapping[str, Any],
    answer: Answer,
    code: Script,
    diagnosis: str | None = None,
    places: str | None = None,
    lenient: bool = False,
) -> ItemReport:
    """An item's report. places: where it is wrong, if no known mistake explains it; else None."""
    gone_on = [name for name, record in answer.records.items() if record is None]
    fixture, settled = decide(answer.checks, exercise, gone_on, lenient)
    lecture = next(iter(answer.checks.values()))
    record = next(iter(answer.records.values()))
    note = lecture.note
    if code.flat is not None and record and record.status == "value":
        told = harmless(record.message)  # what it is called there, or what changes it afterwards
        if settled.verdict.passed:
            note = _join(note, told)
        elif any(c.verdict.passed for c in answer.checks.values()):
            diagnosis = told or diagnosis
    if settled.verdict.passed and settled.note not in note:
        note = _join(note, settled.note)
    if answer.graded_for is not None:
        names = ", ".join("d" + t for t in sorted(answer.graded_for)) or "no upstream gradient"
        note = _join(note, f"graded for what it uses: {names}")
    if mutated := sorted({m for r in answer.records.values() if r for m in r.mutated}):
        what = ", ".join(harmless(m) for m in mutated)
        note = _join(note, f"changes its argument {what} in place, which what comes after would see")
    if places is not None and settled.verdict is Verdict.WRONG and not settled.reason.endswith("all zero"):
        unknown = "no known mistake matches"
        settled = replace(
            settled, reason=", ".join(t for t in (settled.reason, places) if t) + f"; {unknown}"
        )
    shown = replace(lecture, verdict=settled.verdict, reason=settled.reason, note=note)
    line = next((r.line for f in (fixture, *answer.records) if (r := answer.records[f]) and r.line), None)
    if line is None and gone_on:  # nothing came that could tell it
        match = re.search(rb"^def %s\b" % answer.item["name"].encode(), code.source, re.MULTILINE)
        line = code.source.count(b"\n", 0, match.start()) + 1 if match else None
    shape = tuple(exercise["shapes"][answer.item["tensor"]])
    name = f"{exercise['id']}.{answer.item['name']}"
    cell, line = code.place(line)
    return ItemReport(name, shape, shown, fixture, line, diagnosis, answer.checks, cell)


def decide(
    checks: Mapping[str, Check],
    exercise: Mapping[str, Any],
    gone_on: Collection[str] = (),
    lenient: bool = False,
) -> tuple[str, Check]:
    """The fixture that settles an item's verdict, and its check, reworded where only probes fail.

    gone_on: the fixtures on which nothing came, since the process ended before.
    lenient: the lecture's sizes are enough.
    """
    first = next(iter(checks))
    if not checks[first].verdict.passed:
        return first, checks[first]
    failed = {name: c for name, c in checks.items() if not c.verdict.passed}
    if not failed:
        return first, checks[first]
    settings = {entry["name"]: sizes(entry["settings"]) for entry in exercise["fixtures"]}
    same = [name for name in failed if settings[name] == settings[first]]
    name = same[0] if same else next(iter(failed))
    if lenient and not same:
        sizes_ = _differs(settings[first], settings[name])
        note = f"right at the lecture's sizes only; with {sizes_} {_fails(failed[name])}"
        return first, replace(checks[first], note=note)
    if name in gone_on:
        return name, failed[name]
    what = "another upstream gradient" if same else _differs(settings[first], settings[name])
    reason = f"right on the lecture's numbers, wrong in general: with {what}, {failed[name].reason}"
    return name, replace(failed[name], reason=reason)


def _fails(check: Check) -> str:
    """What an answer does that is not right."""
    if check.verdict is Verdict.ERROR:
        return f"it fails ({check.reason})" if check.reason else "it fails"
    return "its shape is wrong" if check.verdict is Verdict.WRONG_SHAPE else "it is wrong"


def gone(run: Run, name: str = "") -> Check:
    """The check of an item whose record never came."""
    if run.blamed and name not in run.blamed:
        return Check(Verdict.ERROR, f"not graded, since others ended the process: {', '.join(run.blamed)}")
    ended, over = run.blamed.get(name, (run.ended, run.over))
    who = "it" if name in run.blamed else "the submission"
    return Check(Verdict.OVER_LIMIT if over else Verdict.ERROR, f"{who} {ended or 'sent nothing for it'}")


def _training(
    exercise: Mapping[str, Any], fixtures: Fixtures, run: Run, code: Script, steps: int
) -> ItemReport:
    """The parameters after so many manual steps, all of them, against autograd's."""
    reference, whole = fixtures.references[TRAINING], exercise["training"]["steps"]
    few = "" if steps == whole else "few."
    names = exercise["training"]["parameters"]
    checks: dict[str, Check] = {}
    records = {name: run.records.get((TRAINING, name)) for name in names}
    for name in names:
        record = records[name]
        checks[name] = gone(run) if record is None else held(record, reference, few + name)
    name = max(names, key=lambda n: _rank(checks[n]))
    worst = checks[name]
    reason = worst.reason
    if reason and worst.verdict not in (Verdict.NOT_WRITTEN, Verdict.ERROR, Verdict.OVER_LIMIT):
        reason = f"{name} after {steps} steps: {reason}"
    taken = f"{steps} of {whole}" if few else str(steps)
    shown = replace(worst, reason=reason, note="" if reason else f"{taken} manual steps; worst is {name}")
    record = records[name]
    cell, line = code.place(record.line if record else None)
    count = sum(math.prod(exercise["shapes"][n]) for n in names)
    return ItemReport(f"{exercise['id']}.{TRAINING}", (count,), shown, TRAINING, line, None, checks, cell)


def _rank(check: Check) -> tuple[bool, float]:
    excess = (check.maxdiff or 0.0) / (check.tolerance or 1.0) if check.tolerance else check.maxdiff or 0.0
    return not check.verdict.passed, excess


def _differs(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    return f"other sizes ({', '.join(f'{k}={b[k]}' for k in a if a[k] != b[k])})"


def _join(*notes: str) -> str:
    return "; ".join(n for n in notes if n)
