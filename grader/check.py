"""The story of one submission: run it, compare what it gave, say what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from grader.authored import Line, uncovered
from grader.compare import compare
from grader.fixture import Fixtures, Reference
from grader.fixture import reference as read_reference
from grader.harmless import text as harmless
from grader.runner.client import Run, Runner, sizes
from grader.runner.wire import ALT, Record
from grader.verdict import Check, ExerciseReport, ItemReport, Verdict

TRAINING = "training"


def check(
    runner: Runner,
    exercise: Mapping[str, Any],
    fixtures: Fixtures,
    source: bytes,
    filename: str,
    items: Sequence[str] | None = None,
) -> tuple[ExerciseReport, Run]:
    """Grade one submission's file on one exercise: its report, and how the run went.

    The runner must have loaded the exercise with the same fixtures. items: names to grade, or all.
    """
    names = [item["name"] for item in exercise["items"]]
    asked = [name for name in names if items is None or name in items]
    training = bool(exercise["training"]) and (items is None or TRAINING in items)
    on = [name for name in fixtures.given if name != TRAINING]
    run = runner.run(exercise["id"], source, filename, on, asked, training)
    judged = [_Item(runner, exercise, fixtures, run, on, name).report() for name in asked]
    if training:
        judged.append(_training(exercise, fixtures, run))
    return ExerciseReport(exercise["id"], exercise["title"], tuple(judged)), run


class _Item:
    """One item of a run, on its way to a report."""

    def __init__(
        self, runner: Runner, exercise: Mapping[str, Any], fixtures: Fixtures, run: Run, on: list[str], name: str
    ) -> None:
        self.runner, self.exercise, self.fixtures, self.run, self.on = runner, exercise, fixtures, run, on
        self.item = next(item for item in exercise["items"] if item["name"] == name)
        self.records = {f: run.records.get((f, name)) for f in on}
        self.lines = tuple(Line(x["name"], x["code"], tuple(x["uses"])) for x in exercise["lines"])

    @property
    def name(self) -> str:
        return str(self.item["name"])

    @property
    def first(self) -> Record | None:
        return self.records[self.on[0]]

    def report(self) -> ItemReport:
        checks = self.judge(self.fixtures.references)
        note = ""
        if any(c.verdict is Verdict.WRONG for c in checks.values()):
            checks, note = self.other_choices(checks)
        fixture, worst = decide(checks, self.exercise)
        if mutated := sorted({m for r in self.records.values() if r for m in r.mutated}):
            what = ", ".join(harmless(m) for m in mutated)
            note = _join(note, f"changes its argument {what} in place: later lines of a script would see that")
        lecture = checks[self.on[0]]
        shown = replace(
            lecture,
            verdict=worst.verdict,
            reason=harmless(worst.reason),
            note=_join(lecture.note, note),
        )
        line = next((r.line for f in (fixture, *self.on) if (r := self.records[f]) and r.line), None)
        shape = tuple(self.exercise["shapes"][self.item["tensor"]])
        return ItemReport(f"{self.exercise['id']}.{self.name}", shape, shown, fixture, line, checks=checks)

    def judge(self, references: Mapping[str, Reference], prefix: str | None = None) -> dict[str, Check]:
        """A check for each fixture, against the item's reference there."""
        checks = {}
        for fixture in self.on:
            record, reference = self.records[fixture], references[fixture]
            if record is None:
                checks[fixture] = gone(self.run)
                continue
            key = self.name
            alternative = ALT + self.name
            if prefix is None and alternative in reference.values and self.reads_siblings(record):
                key = alternative
            checks[fixture] = compare(record, reference.values[key], reference.sizes[key])
        return checks

    def reads_siblings(self, record: Record) -> bool:
        return any(name in self.item["siblings"] for name in record.reads)

    def other_choices(self, saved: dict[str, Check]) -> tuple[dict[str, Check], str]:
        """The checks against the upstream gradients that the learner's function really reads.

        Returns the saved ones, and perhaps what to say of them, where no other choice is better.
        """
        first = self.first
        if first is None or first.status != "value":
            return saved, ""
        reads = tuple(sorted({r[1:] for r in first.reads if r not in self.item["siblings"]}))
        usual = frozenset(self.item["cut"])
        for cut in _subsets(reads):
            if cut == usual:
                continue
            references = self.on_demand(cut)
            if references is None:
                continue
            checks = self.judge(references, prefix="")
            if all(c.verdict.passed for c in checks.values()):
                names = ", ".join("d" + t for t in sorted(cut)) or "no upstream gradient"
                return checks, f"graded for what it uses: {names}"
        path = uncovered(self.lines, self.item["tensor"], frozenset(reads))
        if path and not uncovered(self.lines, self.item["tensor"], usual):
            what = " -> ".join(path)
            reason = f"a branch is left out: nothing that you use carries what flows back along {what}"
            return {k: _explained(c, reason) for k, c in saved.items()}, ""
        return saved, ""

    def on_demand(self, cut: frozenset[str]) -> dict[str, Reference] | None:
        """References for another cut: the saved ones off the probes, the oracle's on them."""
        references: dict[str, Reference] = {}
        for entry in self.exercise["fixtures"]:
            name = entry["name"]
            if name not in self.on:
                continue
            record = self.records[name]
            if record is None:
                return None
            saved = self.fixtures.references[name]
            if not name.startswith("probe"):
                references[name] = saved
                continue
            alt = self.reads_siblings(record)
            request = {
                "exercise": self.exercise["id"],
                "choices": [{"item": self.name, "cut": sorted(cut), "alt": alt}],
                "sizes": sizes(entry["settings"]),
            }
            answer = read_reference(self.runner.ask(request, self.fixtures.given[name]))
            if "0" not in answer.values:
                return None
            references[name] = Reference({self.name: answer.values["0"]}, {self.name: answer.sizes["0"]})
        return references


def decide(checks: Mapping[str, Check], exercise: Mapping[str, Any]) -> tuple[str, Check]:
    """The fixture that settles an item's verdict, and its check, reworded where only probes fail."""
    first = next(iter(checks))
    if not checks[first].verdict.passed:
        return first, checks[first]
    failed = {name: c for name, c in checks.items() if not c.verdict.passed}
    if not failed:
        return first, checks[first]
    settings = {entry["name"]: sizes(entry["settings"]) for entry in exercise["fixtures"]}
    same = [name for name in failed if settings[name] == settings[first]]
    name = same[0] if same else next(iter(failed))
    what = "another upstream gradient" if same else _differs(settings[first], settings[name])
    reason = f"right on the lecture's numbers, wrong in general: with {what}, {failed[name].reason}"
    return name, replace(failed[name], reason=reason)


def gone(run: Run) -> Check:
    """The check of an item whose record never came."""
    verdict = Verdict.OVER_LIMIT if run.over else Verdict.ERROR
    return Check(verdict, f"the submission {run.ended or 'sent nothing for it'}")


def _training(exercise: Mapping[str, Any], fixtures: Fixtures, run: Run) -> ItemReport:
    """The parameters after the manual steps, all of them, against autograd's."""
    reference = fixtures.references[TRAINING]
    names = exercise["training"]["parameters"]
    checks: dict[str, Check] = {}
    records = {name: run.records.get((TRAINING, name)) for name in names}
    for name in names:
        record = records[name]
        checks[name] = gone(run) if record is None else compare(record, reference.values[name], reference.sizes[name])
    name = max(names, key=lambda n: _rank(checks[n]))
    worst = checks[name]
    steps = exercise["training"]["steps"]
    reason = worst.reason
    if reason and worst.verdict not in (Verdict.NOT_WRITTEN, Verdict.ERROR, Verdict.OVER_LIMIT):
        reason = f"{name} after {steps} steps: {reason}"
    shown = replace(worst, reason=harmless(reason), note="" if reason else f"{steps} manual steps; worst is {name}")
    record = records[name]
    line = record.line if record else None
    count = sum(math.prod(exercise["shapes"][n]) for n in names)
    return ItemReport(f"{exercise['id']}.{TRAINING}", (count,), shown, TRAINING, line, checks=checks)


def _rank(check: Check) -> tuple[bool, float]:
    excess = (check.maxdiff or 0.0) / (check.tolerance or 1.0) if check.tolerance else check.maxdiff or 0.0
    return not check.verdict.passed, excess


def _subsets(names: Iterable[str]) -> list[frozenset[str]]:
    names = list(names)[:6]
    return [frozenset(c) for k in range(len(names), -1, -1) for c in combinations(names, k)]


def _explained(check: Check, reason: str) -> Check:
    return replace(check, reason=reason) if check.verdict is Verdict.WRONG else check


def _differs(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    return ", ".join(f"{k} {b[k]} for {a[k]}" for k in a if a[k] != b[k])


def _join(*notes: str) -> str:
    return "; ".join(n for n in notes if n)
