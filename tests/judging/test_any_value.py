"""Whatever a function gives, and however it is written, the grader has a verdict and no fault of its own."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from conftest import EXERCISES, GRADIENTS, ROOT, examples, parts_of, sampled
from hypothesis import given, settings
from hypothesis import strategies as st
from local import Local, after

from grader.authoring import authored
from grader.core import plain
from grader.core.exercise import Item, Reference, Task
from grader.core.verdict import ExerciseReport, ItemReport, Report, Verdict
from grader.judging import items
from grader.judging.findings import diagnoses
from grader.judging.shown import array
from grader.reports.document import document
from grader.runner import wire
from grader.runner.host.client import Run
from grader.runner.untrusted import packing
from grader.runner.untrusted.outputs import pack
from grader.submissions.script import Script
from grader.suite import fixtures

# Of the right gradient v and the first given tensor x: other shapes, types and values.
ODD = (
    "v.sum()",
    "v.reshape(-1)",
    "v[None]",
    "v.unsqueeze(-1)",
    "v.sum(0)",
    "v.sum(-1, keepdim=True)",
    "v.mT if v.ndim > 1 else v[:1]",
    "v.expand(2, *v.shape)",
    "v.flatten()[:0]",
    "v > 0",
    "v.long()",
    "v.to(torch.complex64)",
    "v.to_sparse()",
    "v * float('inf')",
    "v.flip(0)",
    "torch.zeros_like(v)",
    "torch.ones_like(v)",
    "-v.cumsum(-1)",
    "v.repeat_interleave(2, -1)",
    "x",
    "x * 1.0 + v.sum()",
)


@pytest.mark.parametrize("exercise", sampled(sorted(GRADIENTS, key=lambda e: e != "ex2"), 60))
def test_an_odd_value_gets_a_verdict(exercise: str, exercises: dict[str, Task]) -> None:
    local = Local(*exercises[exercise])
    for at, item in enumerate(parts_of(exercise).gradients):
        for change in ODD[at % 4 :: 4]:  # a quarter of them for each item
            x = item.params[0] if item.params else "v"
            source = after(item, f"x = {x}", f"return {change}")
            report = local.report(source, item.name)
            assert report.passed or report.check.reason, (item.name, change)


# --- what an output item gives -----------------------------------------------------------------------

numbers = st.one_of(
    st.sampled_from((10**400, -(10**4000), 1 << 53, 1 << 1100, 5e-324, 1.8e308, 0, -0.0, True, None)),
    st.integers(),
    st.floats(),
)
tensors = st.one_of(
    st.builds(lambda n: torch.tensor(n), st.one_of(st.floats(), st.integers(-9, 9), st.complex_numbers())),
    st.sampled_from(
        (
            torch.tensor([]),
            torch.zeros(0, 3),
            torch.zeros(2, 2, dtype=torch.complex64),
            torch.zeros((), device="meta"),
            torch.tensor(True),
            torch.eye(3).to_sparse(),
            torch.zeros(3, dtype=torch.bfloat16),
            torch.full((3,), float("inf"), dtype=torch.float64),
            torch.zeros(1 << 18),  # more than plain data may have
        )
    ),
)
leaves = st.one_of(numbers, tensors, st.text(max_size=5), st.binary(max_size=5), st.sets(numbers, max_size=3))
values = st.recursive(
    st.one_of(leaves, st.sets(tensors, max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(leaves.filter(lambda k: type(k) is not set), inner, max_size=3),
        st.builds(lambda one, n: [one] * n, inner, st.sampled_from((0, 60, 60_000))),
    ),
    max_leaves=6,
)


@cache
def suite(exercise: str) -> Task:
    description = fixtures.describe(ROOT, exercise)
    return Task(description, fixtures.read(ROOT, description))


def judged_as(exercise: str, item: Item, given: Mapping[str, Any]) -> ItemReport:
    """The report of an output item that gave these values, by fixture, through what carries them."""
    described, fixtures = suite(exercise)
    records = {}
    for name, value in given.items():
        parser = wire.Parser({(name, item.name)}, off=(), loaded=True)
        packed = packing.pack if isinstance(value, torch.Tensor) else pack
        parser.feed(wire.encode(*packed({"fixture": name, "item": item.name}, value)))
        records[name, item.name] = parser.records[name, item.name]
    answer = items.answered(
        item, Task(described, fixtures), Run(records, b"", False, "", False), list(given), False
    )
    told, places = diagnoses(None, Task(described, fixtures), [answer], Script(b""))
    name = item.name
    report = items.report(described, answer, Script(b""), told.get(name), places.get(name))
    document(Report("", (ExerciseReport(exercise, "", (report,)),)))
    assert report.passed == (report.check.code is None)
    return report


def author_has(reference: Reference, name: str) -> Any:
    """What the author's own gives, tensors as torch's."""
    if name in reference.values:
        return torch.from_numpy(np.array(reference.values[name]))

    def made(one: Any) -> Any:
        if type(one) is not plain.Tensor:
            return one
        return torch.from_numpy(array(one).copy()).to(getattr(torch, one.dtype))

    return plain.rebuilt(plain.decode(reference.plain[name]), made)


ITEMS = [(e, i) for e in EXERCISES for i in fixtures.describe(ROOT, e).outputs]


@settings(max_examples=examples(60))
@given(st.data())
def test_any_answer_to_an_output_item_gets_a_verdict(data: st.DataObject) -> None:
    exercise, item = data.draw(st.sampled_from(ITEMS))
    _, fixtures = suite(exercise)
    on = [name for name in fixtures.given if name != "training"]
    odd: Any = data.draw(values)
    right = {name: author_has(fixtures.references[name], item.name) for name in on}
    given: dict[str, Any] = dict.fromkeys(on, odd)
    where = data.draw(st.integers(-1, 9))
    if where >= 0:  # in the place of one of the author's numbers, or tensors
        for name, value in right.items():
            seen = [0]

            def put(one: Any, seen: list[int] = seen) -> Any:
                seen[0] += 1
                return odd if seen[0] == where + 1 else one

            try:
                given[name] = plain.rebuilt(value, put)
            except TypeError:  # nothing to be in a set, or a key
                given[name] = odd
    report = judged_as(exercise, item, given)
    assert report.passed or report.check.reason


# --- how a gradient is written -----------------------------------------------------------------------

digits = st.sampled_from(("1", "32", "0.5", "1e400", "0x" + "f" * 4000, "2j", "True", "'32'", "b''", "..."))


def longer(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    many = st.sampled_from((2, 60, 600, 1300))
    return st.one_of(
        # a sum of sums of sums would fill the memory before anybody judges it
        st.builds(lambda a, n: " + ".join([a] * min(n, 1 + 200_000 // len(a))), inner, many),
        st.builds(lambda a, n: f"({a})" + ".abs()" * n, inner, many),
        st.builds(lambda a, n: "-" * n + f"({a})", inner, many),
        st.builds(lambda a, n: "[" * n + a + "]" * n, inner, st.sampled_from((2, 60))),
        st.builds(lambda a, b: f"({a})[{b}]", inner, inner),
        st.builds(lambda a, b: f"({a}) ** ({b})", inner, inner),
        st.builds(lambda a, b: f"zeros_like({a}, k={b}).pow({b})", inner, inner),
        st.builds(lambda a: f"(lambda n: {a})", inner),
        st.builds(lambda a: f"[n for n in {a}]", inner),
    )


expressions = st.recursive(st.one_of(digits, st.just("n"), st.just("x.shape[0]")), longer, max_leaves=4)


@cache
def ex1() -> tuple[Local, authored.Item]:
    return Local(*suite("ex1")), parts_of("ex1").gradients[1]


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=examples(40))
@given(expressions, expressions, st.sampled_from(("v", "v * 2", "v * (1 if n == 32 else 2)", "v.sum()", "n")))
def test_any_source_of_a_gradient_gets_a_verdict(one: str, other: str, result: str) -> None:
    local, item = ex1()
    x = item.params[0]
    # what stands there is read by the grader, and not run, in whatever way the rest is changed
    lines = (
        "n = len(v)",
        f"x = {x}",
        "def never():",
        f"    k = {one}",
        f"    return {other}",
        f"return {result}",
    )
    source = after(item, *lines) + f"k = 1 if True else {one}\n"
    try:
        compile(source, "", "exec")
        ast.parse(source)
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return  # Python can't read it: tested in test_submissions
    report = local.report(source, item.name)
    assert report.passed or report.check.reason
    assert report.passed or result != "v"


@pytest.mark.parametrize("many", [1, 500])
def test_a_long_sum_hides_no_number_that_stands_for_a_size(many: int) -> None:
    local, item = ex1()
    report = local.report(after(item, f"return v + (len(v) - 32) * ({' + '.join(['1'] * many)})"), item.name)
    assert report.check.verdict is Verdict.WRONG
    assert report.diagnosis == "32 is written where n is meant"
