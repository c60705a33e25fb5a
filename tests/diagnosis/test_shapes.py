"""The shape trace: what it says is what torch does, for any expression; and it never runs anything."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from conftest import examples, sampled
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from local import Local
from test_mistakes import FILES, HEAD, read

from grader.core.exercise import Task
from grader.core.verdict import Verdict
from grader.diagnosis.shapes.explain import Came, explain
from grader.diagnosis.shapes.trace import function, trace
from grader.diagnosis.shapes.values import Tensor

SIZES = {"n": 4, "m": 3}
ARGUMENTS = {
    "a": torch.rand(4, 3),
    "b": torch.rand(4, 1),
    "c": torch.rand(3),
    "d": torch.rand(3, 4),
    "e": torch.rand(4, 1, 3),
    "s": torch.rand(()),
    "x": torch.tensor([0, 2, 1, 1]),
    "y": torch.tensor([[0, 1], [2, 2], [1, 0], [0, 0]]),
    **SIZES,
}


def kind(t: torch.Tensor) -> str:
    return "b" if t.dtype == torch.bool else "f" if t.is_floating_point() else "i"


GIVEN = {
    k: Tensor(tuple(v.shape), kind(v)) if isinstance(v, torch.Tensor) else v for k, v in ARGUMENTS.items()
}


def traced(body: str, given: dict[str, Any] = GIVEN) -> Any:
    source = f"def f({', '.join(given)}):\n{textwrap.indent(body, '    ')}\n"
    tree = function(source.encode(), "f")
    assert tree
    return trace(tree, given), source


def computed(source: str) -> torch.Tensor | None:
    """What torch makes of it; None where it refuses."""
    names: dict[str, Any] = {"torch": torch, "F": F}
    exec(source, names)
    try:
        value: torch.Tensor = names["f"](
            **{k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in ARGUMENTS.items()}
        )
        return value
    except Exception:
        return None


DIM = st.sampled_from(["0", "1", "-1", "2", "-2", "None", "(0, 1)"])
ONE = st.sampled_from(["0", "1", "-1", "2"])
SIZE = st.sampled_from(
    ["n", "m", "1", "-1", "n * m", "12", "a.shape[0]", "len(x)", "x.size(0)", "d.shape[-1]", "n - 1"]
)
INDEX = st.sampled_from(
    [
        "0",
        "-1",
        ":",
        "None",
        "...",
        "1:",
        ":2",
        "::2",
        "x",
        "y",
        "range(n)",
        "[0, 1]",
        "torch.arange(m)",
        "s > 0",
        "n",
    ]
)


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


def extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def method(names: str) -> st.SearchStrategy[str]:
        return st.builds("({}).{}()".format, inner, words(names))

    def reduce(form: str, *more: str) -> st.SearchStrategy[str]:
        names = words("sum mean std var prod amax amin logsumexp argmax argmin max min any")
        keep = st.sampled_from(["", ", keepdim=True", ", keepdims=True", ", keepdim=False", *more])
        end = st.sampled_from(["", "", ".values", ".indices", "[0]"])
        return st.builds(form.format, inner, names, DIM, keep, end)

    return st.one_of(
        st.builds("({} {} {})".format, inner, words("+ - * / ** @ > =="), inner),
        st.builds("(-{})".format, inner),
        method(
            "exp log tanh t clone squeeze sum mean max flatten ravel abs float long numel dim size contiguous"
        ),
        st.builds("({}).{}".format, inner, st.sampled_from(["T", "mT", "shape", "ndim", "data"])),
        reduce("({0}).{1}({2}{3}){4}", ", True"),
        reduce("({0}).{1}(dim={2}{3}){4}"),
        reduce("torch.{1}({0}, {2}{3}){4}", ", True"),
        st.builds("({}).{}({})".format, inner, words("squeeze unsqueeze cumsum softmax size"), ONE),
        st.builds(
            "({}).{}({}, {})".format,
            inner,
            words("view reshape expand repeat transpose permute flatten"),
            SIZE | ONE,
            SIZE | ONE,
        ),
        st.builds(
            "({}).{}({})".format,
            inner,
            words("view_as expand_as reshape_as mul div add"),
            inner,
        ),
        st.builds("({})[{}]".format, inner, INDEX),
        st.builds("({})[{}, {}]".format, inner, INDEX, INDEX),
        st.builds("({})[{}, {}, {}]".format, inner, INDEX, INDEX, INDEX),
        st.builds("torch.{}({})".format, words("zeros_like ones_like exp t"), inner),
        st.builds("torch.{}([{}, {}], {})".format, words("cat stack"), inner, inner, ONE),
        st.builds("torch.zeros({}, {})".format, SIZE, SIZE),
        st.builds("torch.full(({}, {}), 0.5)".format, SIZE, SIZE),
        st.builds("F.one_hot({}, {})".format, inner, SIZE),
        st.builds("F.softmax({}, dim={})".format, inner, ONE),
        st.builds("torch.where({} > 0, {}, {})".format, inner, inner, inner),
        st.builds(
            "torch.einsum('{}', {}, {})".format,
            st.sampled_from(["ij,ij->i", "ij,ij->j", "ij,jk->ik", "ij,jk", "ij,ij->", "i,j->ij", "ij,j"]),
            inner,
            inner,
        ),
    )


LEAVES = st.sampled_from([*ARGUMENTS, "2", "0.5", "1/n"])
EXPRESSION = st.recursive(LEAVES, extended, max_leaves=5)


@settings(max_examples=examples(300))
@given(EXPRESSION)
def test_an_expression_has_the_shape_that_torch_gives_it_or_none(expression: str) -> None:
    found, source = traced(f"return {expression}")
    if found is None:
        return
    value = computed(source)
    if found.clash:
        assert value is None
    elif value is not None:  # what torch refuses for another reason never came
        assert isinstance(value, torch.Tensor) and tuple(value.shape) == found.shape


# torch refuses most
@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.filter_too_much])
@given(EXPRESSION, EXPRESSION, EXPRESSION, st.sampled_from(["=", "+=", "*=", "-="]))
def test_so_does_a_body_of_several_statements(one: str, two: str, three: str, how: str) -> None:
    found, source = traced(
        f"p = {one}\nq, r = {two}, p\np {how} q\nfor i in range(2):\n    b = p\nr[0] = 1\n"
        f"return r + {three} * p"
    )
    value = computed(source)
    assume(found and value is not None)
    assert value is not None
    assert found.clash is None and tuple(value.shape) == found.shape


COVERED = """
a * b
a @ d
(a * c).sum(0)
a.sum(1, keepdim=True)
torch.sum(a, dim=-1)
a.mean()
a.max(1).values
a.max(1, keepdim=True).indices
a.var(0, keepdim=True, unbiased=True)
a.view(-1)
a.reshape(m, n).T
a.flatten(0)
a.t() @ b
e.transpose(0, 2)
e.permute(2, 0, 1)
e.squeeze(1).unsqueeze(-1)
a[:, None] * b[None]
a[range(n), x]
a[0]
c[y]
a[x][:, 1:]
a.exp().log().pow(2) ** -0.5
torch.zeros_like(a) + torch.ones(n, 1)
torch.zeros((n, m), dtype=torch.float32)
a.clone().float()
F.one_hot(x, num_classes=a.shape[1])
F.one_hot(a.max(1).indices, m) * b
F.softmax(a, 1)
torch.cat([a, b], dim=1)
torch.stack((c, c))
torch.einsum("ij,ik->jk", a, b)
torch.where(a > 0, a, 0.0)
torch.einsum("ij->j", a)
a.expand(2, -1, -1).sum((0, 1))
torch.arange(n).float().view(-1, 1) * a
""".strip().splitlines()


@pytest.mark.parametrize("expression", COVERED)
def test_what_learners_write_is_followed(expression: str) -> None:
    found, source = traced(f"return {expression}")
    value = computed(source)
    assert found is not None and value is not None and found.shape == tuple(value.shape)


@pytest.mark.parametrize(
    "body",
    [
        "return mystery(a)",
        "if n > 2:\n    a = b\nreturn a",
        "return a[a > 0]",
        "a.unsqueeze_(0)\nreturn a",
        "a.data = b\nreturn a",
        "while True: pass",
        "return [a for _ in range(2)]",
        "torch = 1\nreturn torch.zeros(3)",
        "return F.one_hot(x)",
        "return lambda: a",
        "return a.view(10**20)",
        "return 10**10**10 * a[9**9**9:]",
    ],
)
def test_what_is_not_a_matter_of_shapes_has_no_trace(body: str) -> None:
    assert traced(body)[0] is None


@pytest.mark.parametrize(
    "source",
    [
        "def f(a):\n    return " + "-" * 3000 + "a",
        "def f(a):\n    return " + "(" * 150 + "a" + ")" * 150,
        "def f(a):\n    return " + "a + " * 2500 + "a",
        "def f(a):\n    return a" + ".T" * 2000,
        "def f(a):\n    x = [a]\n" + "    x = [x, x]\n" * 60 + "    return torch.tensor(x)",
        "def f(a):\n    x = [0]\n" + "    x = [x, x]\n" * 60 + "    return a[x]",
        "def f(a):\n    return a" + ".sum(1, True)" * 500,
        "def f(a):\n" + "    a = a * a[:, None]\n" * 60 + "    return a",
        "def f(a):\n    return a.view(" + "9" * 4000 + ")",
        "def f(a):\n    return torch.einsum('" + "i" * 10**5 + "', a)",
        "\x00",
        "def f(a): return '\ud800'",
    ],
    ids=range(12),
)
def test_a_hostile_source_costs_nothing(source: str) -> None:
    came = [Came({"a": Tensor((n, 3))}, (n,), (n, 3)) for n in (4, 5)]
    assert explain(source.encode("utf-8", "surrogatepass"), "f", came) is None


# --- what is said ------------------------------------------------------------------------------------


def said(body: str, wanted: str, advise: bool = True, message: str = "") -> str | None:
    """What `explain` says where torch's own shapes came, at two sizes; wanted: an expression of sizes."""
    source = f"import torch\ndef f(n, m, h, g, v):\n{textwrap.indent(body, '    ')}\n"
    names: dict[str, Any] = {}
    exec(source, names)
    evidence = []
    for n, m in ((32, 27), (7, 11)):
        inputs = {"h": torch.rand(n, m), "g": torch.rand(n, m), "v": torch.rand(n)}
        shape, told, line = None, "", None
        try:
            shape = tuple(names["f"](n, m, **inputs).shape)
        except RuntimeError as error:
            told = f"RuntimeError: {error}"
            line = error.__traceback__.tb_next.tb_lineno  # type: ignore[union-attr]
        known = {"n": n, "m": m, **{k: Tensor(tuple(t.shape)) for k, t in inputs.items()}}
        evidence.append(Came(known, tuple(eval(wanted, {"n": n, "m": m})), shape, told, line))
    found = explain(source.encode(), "f", evidence, advise)
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
        ("x = 1\nreturn h * v", "(n, m)", "`h * v` has (32, 27) and (32,)"),
        ("return h.view(n, n)", "(n, n)", "`h.view(n, n)` has (32, 27)"),
    ],
)
def test_the_operation_is_named(body: str, wanted: str, told: str | None) -> None:
    assert said(body, wanted) == told


def test_with_a_diagnosis_only_the_fact_is_told() -> None:
    assert said("return h.sum(1)", "(n, 1)", advise=False) == "`h.sum(1)` on line 3 drops axis 1"


def test_nothing_is_said_of_a_shape_that_did_not_come() -> None:
    source = b"def f(h):\n    return h.sum(1)\n"
    right = [Came({"h": Tensor((n, 3))}, (n, 1), (n,)) for n in (4, 5)]
    assert explain(source, "f", right)
    assert explain(source, "f", [right[0], Came({"h": Tensor((5, 3))}, (5, 1), (3,))]) is None
    assert explain(source, "f", right[:1]) is None


def test_a_learners_text_is_shown_harmless() -> None:
    source = 'def f(h):\n    return h.sum(1,  # \x1b[31m\n        )  * float("\u202e1")\n'
    told = explain(source.encode(), "f", [Came({"h": Tensor((n, 3))}, (n, 1), (n,)) for n in (4, 5)])
    assert told is None or not re.search("[\x1b\u202e]", told.text)


@pytest.mark.parametrize("exercise", sampled(FILES, 3))
def test_learners_wrong_shapes_are_traced_to_their_line(
    exercise: str, exercises: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each wrong shape that an operation of the function made, and no other; the code quoted is there."""
    local = Local(*exercises[exercise])
    traced, silent = 0, []
    for mistake in read(FILES[exercise].read_text(encoding="utf-8")):
        source = f"{HEAD}{mistake.source}\n"
        report = local.report(source, mistake.item)
        if report.verdict is not Verdict.WRONG_SHAPE:
            assert " on line " not in report.check.reason
            continue
        quoted = re.search(r"`(.+)` on line (\d+)|stands on line (\d+)", report.check.reason)
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


def test_every_rule_is_an_operation_of_torch() -> None:
    from grader.diagnosis.shapes.rules import REDUCTIONS, RULES

    for name in {*RULES, *REDUCTIONS}:
        assert hasattr(torch, name) or hasattr(torch.Tensor, name) or hasattr(F, name), name
