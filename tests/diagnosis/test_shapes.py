"""The shapes inside a function: what is recorded is what torch does; what is said of it is true."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from conftest import Grade, examples, sampled
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from local import Local
from test_mistakes import FILES, HEAD, read

from grader.core import plain
from grader.core.exercise import File, Task
from grader.core.verdict import Verdict
from grader.diagnosis import shapes
from grader.diagnosis.shapes import Came, Step, Words, explain
from grader.runner.host.client import Part, Runner
from grader.runner.untrusted.recording import MOST, Recording

ARGUMENTS = {
    "a": torch.rand(4, 3),
    "b": torch.rand(4, 1),
    "c": torch.rand(3),
    "d": torch.rand(3, 4),
    "e": torch.rand(4, 1, 3),
    "x": torch.tensor([0, 2, 1, 1]),
}


def recorded(source: str, **given: Any) -> tuple[Any, int, list[Step], str]:
    """What f of a source gives, the step that made it, all steps, and an error's text."""
    names: dict[str, Any] = {"torch": torch, "F": F}
    exec(compile(source, "f.py", "exec"), names)
    value, error = None, ""
    with Recording("f.py") as recording:
        try:
            value = names["f"](**given)
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
    told = recording.told(value)
    found = shapes.read(plain.decode(plain.encode(told)))
    assert found is not None
    return value, *found, error


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


def extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, words("+ - * / @ >"), inner),
        st.builds("({}).{}()".format, inner, words("exp t clone squeeze sum mean flatten float")),
        st.builds("({}).{}".format, inner, words("T mT")),
        st.builds("({}).{}({})".format, inner, words("sum mean amax unsqueeze"), words("0 1 -1")),
        st.builds("torch.{}({}, dim={}, keepdim=True)".format, words("sum amin"), inner, words("0 1")),
        st.builds("({}).max({}).values".format, inner, words("0 1")),
        st.builds("({})[{}]".format, inner, st.sampled_from(["0", ":2", "None", "x", "..., 0", "[0, 1]"])),
        st.builds("torch.{}([{}, {}])".format, words("cat stack"), inner, inner),
        st.builds("torch.where({} > 0, {}, 0.0)".format, inner, inner),
    )


EXPRESSION = st.recursive(st.sampled_from([*ARGUMENTS, "2"]), extended, max_leaves=5)


@settings(max_examples=examples(200))
@given(EXPRESSION, EXPRESSION)
def test_each_step_is_an_expression_of_the_source_that_has_that_shape(one: str, two: str) -> None:
    """The oracle is Python: what stands at a step's place, evaluated, has the shape that was recorded."""
    source = f"def f(a, b, c, d, e, x):\n    for _ in range(2):\n        z = {one}\n    return {two}\n"
    value, result, steps, error = recorded(source, **ARGUMENTS)
    assume(steps)
    spoken = Words(source.encode(), str)
    for step in steps:
        again = (
            eval(spoken.written(step), {"torch": torch}, dict(ARGUMENTS)) if step.shape is not None else None
        )
        values = again if isinstance(again, torch.Tensor) else getattr(again, "values", again)
        assert step.shape is None or tuple(values.shape) == step.shape  # type: ignore[union-attr]
    assert all(step.shape is not None for step in steps[:-1]) and (steps[-1].shape is not None or error)
    if isinstance(value, torch.Tensor) and result >= 0:
        assert steps[result].shape == tuple(value.shape)


def test_what_is_too_much_is_not_told() -> None:
    with Recording(__file__) as recording:
        for _ in range(MOST + 1):
            value = ARGUMENTS["a"] + 1
    assert recording.told(value) is None


@given(
    st.recursive(
        st.none() | st.integers(-3, 5) | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=6),
        max_leaves=40,
    )
)
def test_anything_else_that_a_child_tells_is_nothing(told: Any) -> None:
    found = shapes.read(told)
    assert found is None or found[1] == [] and found[0] == -1


def test_a_step_made_of_later_ones_is_nothing() -> None:
    assert shapes.read([0, [["add", [1, 1, 0, 1], [[0, [2]]], [2], None]]]) is None
    assert shapes.read([1, [["add", [1, 1, 0, 1], [[-1, [2]]], [2], None]]]) is None
    assert shapes.read([0, [["add", [1, 1, 0, 1], [[-1, [2]]], [2], None]]]) is not None


def test_no_place_of_a_child_s_leads_out_of_the_source() -> None:
    wild = [(0, 0, 0, 5), (9, 9, 0, 1), (1, 7, 0, 3), (2, 1, 0, 1), (1, 1, 90, 80), (-1, 1, 0, 1)]
    for place in wild:
        step = Step("sum", place, ((-1, (3, 4)),), (3,), (1,))
        assert Words(b"def f(a): pass", "on line {}".format).code(step) == f"what stands on line {place[0]}"


# --- what is said ------------------------------------------------------------------------------------


def said(body: str, wanted: str, advise: bool = True) -> str | None:
    """What `explain` says where torch's own shapes came, at two sizes; wanted: an expression of sizes."""
    source = f"import torch\ndef f(n, m, h, g, v):\n{textwrap.indent(body, '    ')}\n"
    evidence = []
    for n, m in ((32, 27), (7, 11)):
        inputs = {"h": torch.rand(n, m), "g": torch.rand(n, m), "v": torch.rand(n)}
        value, result, steps, error = recorded(source, n=n, m=m, **inputs)
        shape, line = (None, steps[-1].place[0]) if error else (tuple(value.shape), None)
        evidence.append(Came(steps, result, tuple(eval(wanted, {"n": n, "m": m})), shape, error, line))
    found = explain(Words(source.encode(), "on line {}".format), evidence, advise)
    return found.text if found else None


@pytest.mark.parametrize(
    ("body", "wanted", "told"),
    [
        ("return (h * g).sum(1)", "(n, 1)", "`(h * g).sum(1)` on line 3 drops axis 1: keepdim=True keeps it"),
        ("s = h.sum(1)\nreturn -s", "(n, 1)", "`h.sum(1)` on line 3 drops axis 1: keepdim=True keeps it"),
        (
            "s = h.sum(0)\nreturn 2 * s",
            "(n,)",
            "`h.sum(0)` on line 3 goes along axis 0 of (32, 27), where axis 1 has to go",
        ),
        (
            "a = h.sum(1, keepdim=True)\nreturn a * v",
            "(n, 1)",
            "broadcast to (32, 32) by `a * v` on line 4: (32, 1) and (32,)",
        ),
        ("return h.T @ g", "(n, n)", "`h.T @ g` on line 3 makes it of (27, 32) and (32, 27)"),
        ("return (h * g).sum()", "(n, 1)", "`(h * g).sum()` on line 3 goes over all of (32, 27)"),
        ("return h[:, None] * 2", "(n, m)", "`h[:, None]` on line 3 makes it of (32, 27)"),
        (
            "return h.sum(1)",
            "(n + 3,)",
            "`h.sum(1)` on line 3 makes it of (32, 27); axis 0 has 32 of its 35 places",
        ),
        ("return h * g", "(n, 1)", None),
        ("return h @ g", "(n, m)", "`h @ g` has (32, 27) and (32, 27)"),
        (
            "x = 1\nreturn h * v",
            "(n, m)",
            "`h * v` has (32, 27) and (32,): they would fit with `v.unsqueeze(1)`",
        ),
        (
            "return h[:4] @ g",
            "(n, 4)",
            "`h[:4] @ g` has (4, 27) and (32, 27): they would fit with the first transposed, as the second",
        ),
        ("return v * h[0]", "(n, m)", "`v * h[0]` has (32,) and (27,): they would fit with `v.unsqueeze(1)`"),
        ("return (v + 1) * h[0]", "(n, m)", "`(v + 1) * h[0]` has (32,) and (27,)"),
        ("return h.view(n, n)", "(n, n)", "`h.view(n, n)` has (32, 27)"),
    ],
)
def test_the_operation_is_named(body: str, wanted: str, told: str | None) -> None:
    assert said(body, wanted) == told


def test_with_a_diagnosis_only_the_fact_is_told() -> None:
    assert said("return h.sum(1)", "(n, 1)", advise=False) == "`h.sum(1)` on line 3 drops axis 1"
    assert said("return h * v", "(n, m)", advise=False) == "`h * v` has (32, 27) and (32,)"


def test_nothing_is_said_of_a_shape_that_did_not_come() -> None:
    spoken = Words(b"def f(h):\n    return h.sum(1)\n", str)

    def came(n: int, shape: tuple[int, ...]) -> Came:
        step = Step("sum", (2, 2, 11, 19), ((-1, (n, 3)),), (n,), (1,))
        return Came([step], 0, (n, 1), shape)

    assert explain(spoken, [came(4, (4,)), came(5, (5,))])
    assert explain(spoken, [came(4, (4,)), came(5, (3,))]) is None
    assert explain(spoken, [came(4, (4,))]) is None


def test_a_learners_text_is_shown_harmless(grade: Grade) -> None:
    hidden = '{"\u202e\x1b[31m": None}["\u202e\x1b[31m"]'
    source = f"{HEAD}def dbnmeani(dbndiff):\n    return dbndiff.sum(1, False, dtype={hidden})\n"
    report = grade(source, "ex1")
    (item,) = [item for item in report.items if item.id == "ex1.dbnmeani"]
    said = f"{item.diagnosis}; {item.check.reason}; {item.excerpt}"
    assert "axis 1" in said and "dbndiff.sum(1" in said and not re.search("[\x1b\u202e]", said)


@pytest.mark.parametrize("exercise", sampled(FILES, 5))
def test_learners_wrong_shapes_are_traced_to_their_line(
    exercise: str, exercises: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each wrong shape that an operation of the function made, or its line; the code quoted is there."""
    local = Local(*exercises[exercise])
    traced, silent = 0, []
    for mistake in read(FILES[exercise].read_text(encoding="utf-8")):
        source = f"{HEAD}{mistake.source}\n"
        report = local.report(source, mistake.item)
        if report.verdict is not Verdict.WRONG_SHAPE:
            assert " on line " not in report.check.reason
            continue
        quoted = re.search(r"`(.+)` on line (\d+)|stands on line (\d+)", report.check.reason)
        if quoted is None and report.mistake and report.mistake.line:
            continue  # the mistake marks the line of it
        if quoted is None:
            silent.append(mistake.title)
            continue
        traced += 1
        line = source.splitlines()[int(quoted[2] or quoted[3]) - 1]
        assert quoted[1] is None or quoted[1] in line
        if quoted[1] and report.check.shape is not None:
            assert f"came {report.check.shape}" in report.check.reason
    with capsys.disabled():
        print(f"\n{exercise}: wrong shapes traced: {traced} of {traced + len(silent)}")
    passed_on = ("sum", "not expanded", "view forgotten", "shape of emb", "no sum", "as a number", "sizes")
    assert all(any(word in title for word in passed_on) for title in silent), silent


def test_a_refusal_of_torch_names_its_operands(item: Any) -> None:
    source = HEAD + "def dprobs(probs, dlogprobs):\n    x = probs.T\n    return dlogprobs * x\n"
    reason = item(source, "ex1", "dprobs").check.reason
    assert "must match" in reason and "`dlogprobs * x` has (32, 27) and (27, 32)" in reason


def test_a_helper_and_a_loop_are_followed(item: Any) -> None:
    source = HEAD + textwrap.dedent("""
        def rows(t):
            return t.sum(1)

        def dcounts_sum(dcounts_sum_inv, counts_sum):
            for _ in range(1):
                d = -counts_sum**-2 * dcounts_sum_inv
            return rows(d)
    """)
    reason = item(source, "ex1", "dcounts_sum").check.reason
    assert "`t.sum(1)` on line" in reason and "drops axis 1" in reason


def test_nothing_is_recorded_of_what_was_not_asked(exercises: dict[str, Task], runner: Runner) -> None:
    part = Part("ex1", ["lecture"], (), recorded=("dh",))
    run = runner.run(
        part, File("x.py", (HEAD + "def dh(dlogits, W2):\n    return dlogits @ W2.T\n").encode())
    )
    assert list(run.records) == [("lecture", "in dh")]
