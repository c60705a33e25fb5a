"""What an item uses is the learner's choice: answers that are right for other upstream gradients.

The saved references belong to the upstream gradients of the stub's signature. An answer that is
wrong against them is asked again, for what the learner's function reads or a part of it: autograd's
answer to those comes from the trusted oracle, on the probes, where all upstream gradients are random
and independent. What agrees there on every probe is a right gradient for that choice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from grader.core.exercise import ALT, Exercise, Gradient, Item, Reference, Task, is_probe
from grader.core.finding import Code
from grader.core.graph import uncovered
from grader.core.limits import MAX_CHOICES
from grader.core.verdict import Check, Verdict
from grader.judging.compare import compare
from grader.runner.host.client import Runner
from grader.runner.wire import Record
from grader.suite.fixtures import reference as read_reference

Cut = frozenset[str]  # the tensors whose upstream gradients an answer is made from
MOST = 4  # gradients that one function reads; of more, only the first are considered


@dataclass(frozen=True)
class Answer:
    """One item's records and checks by fixture. graded_for: another choice than the stub's."""

    item: Item
    records: Mapping[str, Record | None]
    checks: Mapping[str, Check]
    graded_for: Cut | None = None

    @property
    def key(self) -> str:
        """The name of its reference on a probe: the other one where it asked for a sibling's gradient."""
        siblings = not set(self.item.siblings).isdisjoint(self.record_reads)
        return f"{ALT if siblings else ''}{self.item.name}"

    def key_in(self, reference: Reference) -> str:
        """The same, where that fixture has another one; off the probes there is only the usual."""
        return self.key if self.key in reference.values else self.item.name

    @property
    def record_reads(self) -> tuple[str, ...]:
        """All that its code reads of upstream gradients, siblings too."""
        record = next(iter(self.records.values()))
        return record.reads if record else ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The tensors whose upstream gradients its code reads."""
        known = set(self.item.available) - set(self.item.siblings)
        return tuple(r[1:] for r in self.record_reads if r in known)  # what a child says is not believed


def reconsider(runner: Runner, task: Task, answers: list[Answer], lenient: bool = False) -> list[Answer]:
    """The answers, those that are right for another choice passed, and a left-out branch named.

    lenient: it is enough to be right at the lecture's sizes.
    """
    exercise, fixtures = task
    settings = exercise.sizes
    first = next(iter(settings.values()))
    enough = {name for name, own in settings.items() if own == first or not lenient}
    open_ = {
        a.item.name: [
            c for c in _subsets(a.reads) if c != frozenset(a.item.cut) and _open(exercise, a.item, c)
        ]
        for a in answers
        if isinstance(a.item, Gradient) and _worth_asking(a, enough)
    }
    by_name = {a.item.name: a for a in answers}
    fitting: dict[tuple[str, Cut], dict[str, Check]] = {
        (name, cut): {} for name, cuts in open_.items() for cut in cuts
    }
    nothing: set[str] = set()
    probes = [entry.name for entry in exercise.fixtures if entry.is_probe]
    # the smallest first: mostly none is left after it
    for probe in sorted(probes, key=lambda n: (n not in enough, len(fixtures.given[n]))):
        # of too many those that an answer reads all of, then with one less: each item's likeliest
        asked = sorted(fitting, key=lambda c: min(len(by_name[c[0]].reads), MOST) - len(c[1]))
        for choice in asked[MAX_CHOICES:]:
            del fitting[choice]
        wanted = [(name, cut, by_name[name].key) for name, cut in fitting]
        found, vanishing = _ask(runner, task, probe, wanted)
        for name, cut, key in wanted:
            record = by_name[name].records[probe]
            reference = found.get((name, cut, key))
            if (name, cut, key) in vanishing and cut == frozenset(by_name[name].reads):
                nothing.add(name)
            bound = fixtures.references[probe].bounds.get(name, 0.0)
            check = compare(record, *reference, bound) if record and reference else None
            if probe in enough and not (check and check.verdict.passed):
                del fitting[name, cut]
            elif check:
                fitting[name, cut][probe] = check
    return [
        _settled(exercise, a, fitting, a.item.name in nothing) if a.item.name in open_ else a for a in answers
    ]


def _open(exercise: Exercise, item: Item, cut: Cut) -> bool:
    """Whether a choice is one: past a single number that is no loss, its gradient is left out, not chosen."""
    path = uncovered(exercise.lines, item.tensor, cut)
    return not any(exercise.shapes[t] == () and t != exercise.loss for t in path or ())


def _worth_asking(answer: Answer, enough: Collection[str]) -> bool:
    """Whether an answer is of the right form, right where all choices agree, and wrong on a probe."""
    wrong = {name for name, c in answer.checks.items() if name in enough and not c.verdict.passed}
    return bool(wrong) and all(answer.checks[name].verdict is Verdict.WRONG for name in wrong)


def _settled(
    exercise: Exercise, answer: Answer, fitting: Mapping[tuple[str, Cut], Mapping[str, Check]], vanishes: bool
) -> Answer:
    name, usual = answer.item.name, frozenset(answer.item.cut)
    rest = {f: c for f, c in answer.checks.items() if not is_probe(f)}
    if all(c.verdict.passed for c in rest.values()):
        for (other, cut), checks in fitting.items():
            if other == name:
                both = {**answer.checks, **rest, **checks}
                return replace(answer, checks={f: both[f] for f in answer.checks}, graded_for=cut)
    lines = exercise.lines
    path = uncovered(lines, answer.item.tensor, frozenset(answer.reads))
    if vanishes:
        direct = " and ".join("d" + t for t in sorted(usual))
        code = Code.CANCELS
        reason = (
            f"from what you use it cancels to nothing, as a zero would: make it from {direct}"
            if answer.reads
            else f"it is to be made from {direct}, which may be anything"
        )
    elif path and answer.reads and not uncovered(lines, answer.item.tensor, usual):
        what = " -> ".join(path if len(path) < 5 else (*path[:3], "…", path[-1]))
        code = Code.BRANCH_MISSING
        reason = (
            f"a branch seems to be left out: no gradient that you use carries what flows back along {what}"
        )
    else:
        return answer
    wrong = {
        f: replace(c, finding=c.finding.under(code, "; ".join(r for r in (reason, c.reason) if r)))
        for f, c in answer.checks.items()
        if c.finding
    }
    return replace(answer, checks={**answer.checks, **wrong})


def _ask(
    runner: Runner,
    task: Task,
    probe: str,
    wanted: Sequence[tuple[str, Cut, str]],
) -> tuple[dict[tuple[str, Cut, str], tuple[Any, float]], set[tuple[str, Cut, str]]]:
    """The oracle's references on one probe, each with its size, and the choices that cancel to nothing."""
    if not wanted:
        return {}, set()
    request = {
        "ask": "choices",
        "exercise": task.exercise.id,
        "choices": [{"item": i, "cut": sorted(cut), "alt": key != i} for i, cut, key in wanted],
        "sizes": task.exercise.sizes[probe],
    }
    answer = read_reference(runner.ask(request, task.fixtures.given[probe]))
    numbered = {str(n): one for n, one in enumerate(wanted)}
    vanishing = {numbered[n.removeprefix("vanishes.")] for n in answer.values if n.startswith("vanishes.")}
    return {numbered[n]: (v, answer.sizes[n]) for n, v in answer.values.items() if n in numbered}, vanishing


def chosen(runner: Runner, task: Task, answer: Answer, probes: Sequence[str]) -> dict[str, tuple[Any, float]]:
    """By probe the reference for the upstream gradients that a function reads, and its size.

    Nothing where those are the stub's, or an answer came of none.
    """
    cut = frozenset(answer.reads)
    if not cut or cut == frozenset(answer.item.cut):
        return {}
    one = (answer.item.name, cut, answer.key)
    found = {}
    for probe in probes:
        references, _ = _ask(runner, task, probe, [one])
        if one in references:
            found[probe] = references[one]
    return found


def _subsets(names: Sequence[str]) -> list[Cut]:
    few = names[:MOST]
    return [frozenset(c) for k in range(len(few), -1, -1) for c in combinations(few, k)]
