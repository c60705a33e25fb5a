"""`from grader import cmp, check`, in the lecture's own flow: forward, backward, gradients, cmp."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import command
import nbformat
import pytest
import torch
from conftest import DEADLINE, ROOT, examples, parts_of, sampled, solution
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from mutation import made
from nbclient import NotebookClient
from test_mutants import EQUIVALENT

import grader
from grader.core.exercise import Task
from grader.core.finding import Code, Finding
from grader.core.verdict import Check, ExerciseReport, ItemReport, Report, Verdict
from grader.learner.notebook import Result
from grader.reports import cell

PARTS = {name: parts_of(name) for name in ("ex1", "ex2", "ex3", "ex4")}
Namespace = dict[str, Any]


def forward(exercise: str = "ex1", n: int = 32, n_hidden: int = 64, retain: bool = True) -> Namespace:
    """A notebook's globals after the cells of the forward pass and of backward()."""
    parts, module = PARTS[exercise], {"__name__": "authored"}
    exec(solution(exercise), module)
    g = torch.Generator().manual_seed(2147483647)
    ns: Namespace = {"torch": torch, "F": torch.nn.functional, "n": n, **grader_names()}
    ns |= module["inputs"](g, n, 3, 27, 10, n_hidden)  # type: ignore[operator]
    for name in parts.inputs:
        if isinstance(ns[name], torch.Tensor) and ns[name].is_floating_point():
            ns[name].requires_grad_()
    for line in parts.lines:
        exec(line.code.strip(), ns)
        if retain:
            ns[line.name].retain_grad()
    ns[parts.lines[-1].name].backward()
    return ns


def grader_names() -> Namespace:
    return {"cmp": grader.cmp, "check": grader.check}


def lecture(exercise: str = "ex1", **sizes: int) -> Namespace:
    """The same with every gradient written, as the solution writes it."""
    module: Namespace = {"__name__": "authored"}
    ns = forward(exercise, sizes.get("n", 32), sizes.get("n_hidden", 64))
    exec(solution(exercise), module)
    with torch.no_grad():
        for item in PARTS[exercise].items:
            own = [ns[p] if p in ns else ns[p[1:]].grad for p in item.params]
            ns[item.name] = module[item.name](*own)
    return ns


def rows(ns: Namespace, exercise: str = "ex1") -> dict[str, ItemReport]:
    report = grader.check(exercise, ns).report
    return {item.id.partition(".")[2]: item for item in report.items}


def told(item: ItemReport) -> str:
    return "; ".join(t for t in (item.diagnosis, item.check.reason, item.check.note) if t)


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """line("cmp(…)", ns): the line that it prints in that namespace, and, after a |, the one below it."""

    def one(code: str, ns: Namespace) -> str:
        capsys.readouterr()
        exec(code, ns)
        out, err = capsys.readouterr()
        assert err == "" and out.count("\n") == 1 + out.count("\n  ")
        return out.rstrip("\n").replace("\n  ", " | ")

    return one


def by_the_lecture(name: str, dt: torch.Tensor, grad: torch.Tensor) -> str:
    """The line that the lecture's comparison prints, by its formula."""
    figures = {
        "exact": f"{torch.all(dt == grad).item()!s:5s}",
        "approximate": f"{torch.allclose(dt, grad)!s:5s}",
        "maxdiff": str((dt - grad).abs().max().item()),
    }
    return " | ".join([name.ljust(15), *(f"{k}: {v}" for k, v in figures.items())])


# cmp


@pytest.mark.parametrize(("n", "n_hidden"), [(32, 64), (16, 200), (5, 3)])
def test_the_lecture_line_for_right_gradients(n: int, n_hidden: int, line: Callable[..., str]) -> None:
    ns = lecture(n=n, n_hidden=n_hidden)
    for item in PARTS["ex1"].items:
        said = line(f"cmp('{item.tensor}', {item.name}, {item.tensor})", ns)
        common = by_the_lecture(item.tensor, ns[item.name], ns[item.tensor].grad)
        assert said.startswith(common)
        assert said.removeprefix(common).startswith((" | undecided: ", " | right: ")) or said == common


def test_cmp_gives_nothing_back() -> None:
    ns = lecture()
    exec("given_back = cmp('probs', dprobs, probs)", ns)
    assert ns["given_back"] is None  # no echo below a cell that ends with it


WRONG = [
    ("sign", "dprobs = -dprobs", "probs", "the sign is wrong"),
    ("scale", "dh = dh * n", "h", "exactly n times what it should be"),
    ("one branch", "dcounts = counts_sum_inv * dprobs", "counts", "through counts_sum is left out"),
    ("branch's sign", "dcounts -= 2*dcounts_sum", "counts", "through counts_sum has the wrong sign"),
    ("bessel", "dbndiff2 = dbndiff2 * (n-1) / n", "bndiff2", "exactly (n-1)/n times"),
    ("passed through", "dhpreact = dh.clone()", "hpreact", "dh is passed through as it came"),
    ("zero", "dprobs = torch.zeros_like(dprobs)", "probs", "all zero"),
    ("mean for sum", "dlogit_maxes = dlogit_maxes / 27", "logit_maxes", "exactly 1/vocab_size"),
    ("broadcast", "db1 = db1.repeat(32, 1)", "b1", "came (32, 64), wanted (64,)"),
    ("too narrow", "dlogprobs = dlogprobs.sum(1, keepdim=True)", "logprobs", "came (32, 1), wanted (32, 27)"),
    ("nan", "dC = dC * float('nan')", "C", "not finite, the first is NaN"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "tensor", "reason"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_a_wrong_gradient_is_named_by_both(
    code: str, tensor: str, reason: str, line: Callable[..., str]
) -> None:
    ns = lecture()
    exec(code, ns)
    said = line(f"cmp('{tensor}', d{tensor}, {tensor})", ns)
    assert said.startswith(by_the_lecture(tensor, ns["d" + tensor], ns[tensor].grad) + " | wrong: ")
    assert reason in said
    found = rows(ns)
    assert {k for k, item in found.items() if not item.passed} == {"d" + tensor}
    assert reason in told(found["d" + tensor])


@pytest.mark.parametrize("args", [("ex1", 3), (3, {}), ({}, "ex1"), (None, None)])
def test_check_says_what_it_takes(args: tuple[Any, Any]) -> None:
    result = grader.check(*args)
    assert not result
    assert 'check takes a name and the namespace: check("ex1", globals())' in str(result)


@pytest.mark.parametrize("tensor", ["logit_maxes", "b1"])
def test_of_a_zero_where_all_cancels_the_doubt_is_told(tensor: str, line: Callable[..., str]) -> None:
    ns = lecture()
    exec(f"d{tensor} = torch.zeros_like(d{tensor})", ns)
    said = line(f"cmp('{tensor}', d{tensor}, {tensor})", ns)
    assert (
        " | undecided: all of it is rounding here, so that these numbers can't tell right from wrong: "
        in said
    )
    found = rows(ns)["d" + tensor]
    assert not found.passed
    assert "these numbers can't tell right from wrong" in found.check.reason


def test_of_what_is_rounding_it_is_not_said_that_it_is_right_for_a_wrong_gradient() -> None:
    ns = lecture()
    exec("dhprebn = dhprebn * 2; db1 = dhprebn.flip(0).cumsum(0)[-1]", ns)
    found = rows(ns)["db1"]
    assert found.passed and found.check.note.startswith("all of it is rounding here")
    assert "right for" not in told(found)


def test_a_shape_that_only_broadcasts_is_told(line: Callable[..., str]) -> None:
    ns = lecture()
    exec("dbnmeani = (-dbndiff).sum(0)", ns)
    said = line("cmp('bnmeani', dbnmeani, bnmeani)", ns)
    assert "approximate: True" in said and "(64,) for (1, 64)" in said


LINES = [
    ("not written", "cmp('C', None, C)", "not written yet"),
    ("a function", "cmp('C', lambda: 0, C)", "not a tensor: a function"),
    ("an array", "cmp('C', dC.numpy(), C)", "not a tensor: NumPy's ndarray"),
    ("a number", "cmp('C', 1.0, C)", "not a tensor: float"),
    ("double", "cmp('C', dC.double(), C)", "float64, wanted float32"),
    ("shape", "cmp('W2', dW2.T, W2)", "right when transposed"),
    ("device", "cmp('C', torch.empty(27, 10, device='meta'), C)", "it is on meta"),
    ("swapped", "cmp('C', C, dC)", "the arguments look swapped"),
    ("exchanged", "cmp(dC, C, 'C')", "the first argument is a tensor: cmp(name, gradient, tensor)"),
    ("no tensor", "cmp('C', dC, None)", "the third argument is no tensor"),
    ("input", "cmp('x', dC, torch.ones(27, 10))", "does not require one"),
    ("no backward", "cmp('x', dC, torch.ones(27, 10, requires_grad=True))", "loss.backward() comes first"),
    ("control", "cmp('\\x1b[2J', dC, C)", "\\x1b[2J"),
]


@pytest.mark.parametrize(("code", "words"), [x[1:] for x in LINES], ids=[x[0] for x in LINES])
def test_a_slip_is_one_clear_line(code: str, words: str, line: Callable[..., str]) -> None:
    assert words in line(code, lecture())


def test_no_retain_grad_is_one_clear_line(line: Callable[..., str]) -> None:
    ns = forward(retain=False)
    assert ".retain_grad() on it before" in line("cmp('h', torch.zeros(32, 64), h)", ns)


def test_backward_run_twice_is_not_the_learners_gradient(line: Callable[..., str]) -> None:
    ns = lecture()
    for name in PARTS["ex1"].inputs:  # the leaves alone keep their .grad when the forward pass runs again
        if getattr(ns[name], "requires_grad", False):
            ns[name].grad.mul_(2)
    assert "t.grad is 2 times the gradient" in line("cmp('W2', dW2, W2)", ns)


@pytest.mark.parametrize("sign", [1, -1])
@given(seed=st.integers(0, 2**31 - 1), k=st.integers(2, 500), up=st.booleans())
@hypothesis_settings(max_examples=examples(25))
def test_a_scaled_gradient_without_an_exercise(sign: int, seed: int, k: int, up: bool) -> None:
    """cmp on any tensor, with nothing but the two arrays: the factor is found, whatever the numbers."""
    import contextlib
    import io

    t = torch.randn(4, 3, generator=torch.Generator().manual_seed(seed), requires_grad=True)
    (t**3).sum().backward()
    assert t.grad is not None
    factor = (k if up else 1 / k) * sign
    with contextlib.redirect_stdout(io.StringIO()) as out:
        grader.cmp("t", t.grad * factor, t)
        grader.cmp("t", -t.grad, t)
        grader.cmp("t", t.grad.clone(), t)
    _, scaled, _, negative, right = out.getvalue().splitlines()
    assert "wrong: exactly " in scaled and str(k) in scaled.partition("exactly")[2]
    assert "the sign is wrong" in negative
    assert right.endswith("maxdiff: 0.0")


# check


@pytest.mark.parametrize(("n", "n_hidden"), [(32, 64), (16, 200), (5, 3)])
@pytest.mark.parametrize("exercise", ["ex1", "ex2", "ex3", "ex4"])
def test_right_gradients_pass_at_any_size(exercise: str, n: int, n_hidden: int) -> None:
    result = grader.check(exercise, lecture(exercise, n=n, n_hidden=n_hidden))
    assert result, result
    assert len(result.report.items) == len(PARTS[exercise].items)


@pytest.mark.parametrize("item", [i.name for i in PARTS["ex1"].items])
def test_only_the_line_at_fault_is_blamed(item: str) -> None:
    """One gradient is off, and all after it are made from it: each of those is right for what it got."""
    parts, ns, module = PARTS["ex1"], forward(), {"__name__": "authored"}
    exec(solution("ex1"), module)
    with torch.no_grad():
        for i in parts.items:
            ns[i.name] = module[i.name](*(ns[p] for p in i.params))  # type: ignore[operator]
            if i.name == item:
                noise = torch.randn(ns[item].shape, generator=torch.Generator().manual_seed(1))
                ns[item] = ns[item] + 0.01 * noise
    found = rows(ns)
    assert [k for k, i in found.items() if not i.passed] == [item]


def test_what_received_a_wrong_gradient_says_where_the_error_comes_from(line: Callable[..., str]) -> None:
    ns = lecture()
    exec("dlogits = dlogits * 2; dh = dlogits @ W2.T", ns)
    found = rows(ns)
    assert found["dh"].passed and "right for the dlogits that it received" in told(found["dh"])
    assert "right for the dlogits that it received" in line("cmp('h', dh, h)", ns)


def test_a_shortcut_past_a_wrong_gradient_is_right() -> None:
    ns = lecture()
    exec("dbndiff = dbndiff * 3", ns)  # dhprebn is there already, from the right one
    assert [k for k, i in rows(ns).items() if not i.passed] == ["dbndiff"]


def test_two_names_for_one_memory() -> None:
    ns = lecture()
    exec("dhprebn = dbndiff; dhprebn += 1.0/n * (torch.ones_like(hprebn) * dbnmeani)", ns)
    found = rows(ns)
    assert [k for k, i in found.items() if not i.passed] == ["dbndiff"]
    assert "shares its memory with dhprebn" in told(found["dbndiff"])


def test_what_these_numbers_cannot_settle_is_said() -> None:
    ns = lecture()
    exec("dlogits = dnorm_logits.clone(); db1 = dhprebn.flip(0).cumsum(0)[-1]", ns)
    found = rows(ns)
    assert "what comes through logit_maxes is rounding here" in told(found["dlogits"])
    assert "all of it is rounding here" in told(found["db1"])


def test_what_is_not_written_or_no_tensor() -> None:
    ns = lecture()
    del ns["dC"]
    ns |= {"demb": None, "dW1": len, "db1": 1.0, "dembcat": ns["dembcat"].numpy()}
    verdicts = {k: i.verdict for k, i in rows(ns).items() if not i.passed}
    lost = dict.fromkeys(("dembcat", "dW1", "db1"), Verdict.NOT_A_TENSOR)
    assert verdicts == {**lost, "dC": Verdict.NOT_WRITTEN, "demb": Verdict.NOT_WRITTEN}


def test_a_forward_pass_that_was_changed_is_not_the_gradients_fault() -> None:
    ns = lecture()
    ns["W2"].data += 0.1 * ns["dW2"]  # a step of descent after the forward pass
    result = grader.check("ex1", ns)
    judged = [i for i in result.report.items if not i.passed]
    assert {i.id for i in judged} == {"ex1.dh", "ex1.dW2", "ex1.db2"}
    assert all("can't be judged, since logits is not what" in i.check.reason for i in judged)
    assert len(result.report.notes) == 1 and result.report.notes[0].startswith("logits is not what")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"C": None}, "this namespace has no tensor C"),
        ({"C": torch.ones(27, 2)}, "can't be run on this namespace's"),
        ({"Xb": torch.zeros(0, 3, dtype=torch.long)}, "Xb is empty"),
    ],
)
def test_a_forward_pass_that_is_not_there(change: Mapping[str, Any], words: str) -> None:
    result = grader.check("ex1", {**lecture(), **change})
    assert not result and words in repr(result) and "\n" not in repr(result)
    assert "Traceback" not in repr(result)


def test_an_exercise_that_is_not_there() -> None:
    result = grader.check("ex11", {})
    assert not result and repr(result).startswith("there is no exercise ex11")


def test_a_name_that_was_used_again_is_made_anew() -> None:
    result = grader.check("ex1", {**lecture(), "probs": torch.ones(1, 27), "h": len})
    assert result and "probs has another shape" in result.report.notes[0]


def test_one_item_alone() -> None:
    assert [i.id for i in grader.check("ex1.dh", lecture()).report.items] == ["ex1.dh"]


def test_nothing_is_changed(capsys: pytest.CaptureFixture[str]) -> None:
    ns = lecture()
    tensors = {k: v for k, v in ns.items() if isinstance(v, torch.Tensor)}
    before = {k: (v._version, v.detach().clone(), v.grad) for k, v in tensors.items()}
    grads = {k: v.grad.clone() for k, v in tensors.items() if v.requires_grad and v.grad is not None}
    state, threads, names = torch.get_rng_state(), torch.get_num_threads(), set(ns)
    with torch.no_grad():
        assert repr(grader.check("ex1", ns)) and grader.check("ex1", ns)._repr_html_()
        exec("cmp('h', dh, h)\ncmp('C', dC, C)", ns)
        assert not torch.is_grad_enabled()
    assert torch.equal(state, torch.get_rng_state()) and threads == torch.get_num_threads()
    assert set(ns) == names
    for k, (version, values, grad) in before.items():
        assert ns[k] is tensors[k] and ns[k]._version == version and torch.equal(ns[k], values)
        assert ns[k].grad is grad and (k not in grads or torch.equal(ns[k].grad, grads[k]))


# Right on these numbers, to the last bits: what `grader check` tells by its probes, and no value here can.
ALIKE_HERE = {
    "ex1.dlogits: another tensor: logits -> dnorm_logits",
    "ex1.dh: another tensor: dlogits -> dnorm_logits",
    "ex1.dW2: another tensor: dlogits -> dnorm_logits",
    "ex1.db2: another tensor: dlogits -> dnorm_logits",
    "ex1.dbnvar: constant changed: 1e-05 -> 5e-06",
}


@pytest.mark.parametrize("exercise", sampled(["ex2", "ex1", "ex3", "ex4"], 4))
@pytest.mark.parametrize("each", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_no_mutant_passes_unless_the_doubt_is_said(
    each: int, exercise: str, exercises: dict[str, Task]
) -> None:
    """Every first-order mistake in a reference body, or some, with its value under the item's own name."""
    right = lecture(exercise)
    survivors, doubted = [], 0
    for mutant in made(exercise, exercises[exercise][0])[::each]:
        scope: Namespace = {"torch": torch, "F": torch.nn.functional}
        exec(mutant.source, scope)
        code = scope[mutant.item].__code__
        names = code.co_varnames[: code.co_argcount]
        arguments = [right[p] if p in right else right[p[1:]].grad for p in names]
        with torch.no_grad():
            copies = (a.clone() if isinstance(a, torch.Tensor) else a for a in arguments)
            try:
                value = scope[mutant.item](*copies)
            except Exception:
                continue  # the learner has a traceback
        (item,) = grader.check(f"{exercise}.{mutant.item}", {**right, mutant.item: value}).report.items
        doubted += "these numbers can't tell" in item.check.note
        if item.passed and "these numbers can't tell" not in item.check.note:
            survivors.append(f"{exercise}.{mutant.key}")
    # a size written as a number is that size, on the one batch that there is
    left = [key for key in survivors if ": hard-coded: " not in key]
    assert [key for key in left if key not in {*EQUIVALENT, *ALIKE_HERE}] == []
    assert doubted < 30  # the rounding of dlogit_maxes and db1, and the maximum's branch of dlogits


# where it shows


def test_the_block_in_the_documentation_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """In the lecture's notebook, with every gradient right but dlogit_maxes."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/notebook.md").read_text(), re.DOTALL)
    ns = lecture()
    ns["dlogit_maxes"] = ns["dlogit_maxes"] / 27
    *code, last = block.splitlines()
    exec("\n".join(code), ns)
    said = capsys.readouterr().out.splitlines()
    shown = [x.removeprefix("# ") for x in code if x.startswith("# ")]
    figures = re.compile(r"maxdiff: \S+")
    assert [figures.sub("", x) for x in said] == [figures.sub("", x) for x in shown]
    table = repr(eval(last, ns))
    assert (
        "24 of 26 right on this batch; 1 wrong, 1 undecided. Next: dlogit_maxes. `grader check` on" in table
    )


class Page(HTMLParser):
    """The tags and the text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.styles: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"style", "scope", "class", "src", "alt"}
        self.tags.append(tag)
        self.styles.append(dict(attrs).get("style") or "")
        if tag == "img":  # which has no end, and loads nothing
            assert (dict(attrs)["src"] or "").startswith("data:image/png;base64,")
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_stays_text() -> None:
    hostile = "</td><script>alert(1)</script><img src=x onerror=alert(1)>&amp;"
    found = Finding(Code.ERROR, hostile)
    item = ItemReport(hostile, (1,), Check(Verdict.WRONG, found, hostile), "namespace", None, found)
    page = Page(cell.render(Report(hostile, (ExerciseReport(hostile, hostile, (item,)),), notes=(hostile,))))
    assert not {"script", "img"} & set(page.tags)
    assert page.text.count(hostile) >= 5


def test_a_hostile_type_stays_text() -> None:
    kind = type("<script>\x1b[2J", (), {})
    page = Page(grader.check("ex1", {**lecture(), "dC": kind()})._repr_html_())
    assert "script" not in page.tags and "<script>\\x1b[2J" in page.text


def run(code: str, tmp_path: Path) -> str:
    """What a process prints that has run this from another folder."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_package_imports_nothing_heavy(tmp_path: Path) -> None:
    code = """
    import sys, grader
    assert not {"torch", "numpy", "rich", "grader.learner.notebook"} & set(sys.modules)
    from grader import cmp, check
    import grader.learner.notebook, grader.judging.grade
    assert "torch" not in sys.modules and grader.check is check is grader.learner.notebook.check
    try:
        grader.nothing
    except AttributeError as error:
        print(error)
    """
    assert run(code, tmp_path) == "module 'grader' has no attribute 'nothing'\n"


FORWARD = """
import torch, torch.nn.functional as F
{lines}
loss.backward()
dlogprobs = torch.zeros_like(logprobs)
dlogprobs[range(n), Yb] = -1.0 / n
dprobs = -(1.0 / probs) * dlogprobs
"""


def cells() -> str:
    """The forward pass as a learner's cells."""
    ns = ["from grader.lecture import minibatch, parameters", "n = 32"]
    ns += ["g = torch.Generator().manual_seed(1)", "globals().update(minibatch(g, n, 3, 27))"]
    ns += ["globals().update(parameters(g, 3, 27, 10, 64))"]
    ns += ["for p in (C, W1, b1, W2, b2, bngain, bnbias): p.requires_grad = True"]
    ns += [f"{x.code.strip()}; {x.name}.retain_grad()" for x in PARTS["ex1"].lines]
    return FORWARD.format(lines="\n".join(ns))


def test_outside_of_jupyter_it_is_a_table_of_text(tmp_path: Path) -> None:
    code = f"{cells()}\nfrom grader import check\nimport sys\nsys.displayhook(check('ex1', globals()))"
    out = run(code, tmp_path)
    lines = out.splitlines()
    assert lines[0].split() == ["item", "shape", "exact", "approximate", "maxdiff", "verdict"]
    assert lines[1].split() == ["ex1.dlogprobs", "32×27", "yes", "yes", "0", "right"]
    assert lines[2].startswith("ex1.dprobs") and "wrong: the sign is wrong" in lines[2]
    assert lines[3].startswith("not written yet: dcounts_sum_inv, dcounts_sum, ")
    assert lines[4].startswith("1 of 26 right on this batch; 1 wrong, 24 not written. Next: dprobs.")
    assert len(lines) == 5


def luminance(colour: str) -> float:
    """As WCAG 2 has it, of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_has_contrast_in_a_light_theme_and_in_a_dark_one() -> None:
    """What has a colour has a ground of its own, whatever the page's; all else is in the theme's colours."""
    ns = lecture()
    exec("dprobs = -dprobs; db1 = torch.zeros_like(b1); dC = None", ns)
    shown = grader.check("ex1", ns)._repr_html_()
    for sort in cell.GROUNDS:
        shown += cell.compared(sort, "said", [("yours", ns["dh"].numpy(), 1.0)])
    coloured = [style for style in Page(shown).styles if re.search(r"(^|[; ])color:", style)]
    assert len(coloured) >= 4
    for style in coloured:
        ink, ground = (re.search(rf"(?:^|[; ]){k}: (#\w{{6}})", style) for k in ("color", "background-color"))
        assert ink and ground, f"a colour without a ground of its own: {style}"
        assert contrast(ink[1], ground[1]) >= 4.5
    assert contrast("#000000", "#ffffff") == 21 and contrast("#777777", "#ffffff") < 4.5


CELLS = {
    "dlogprobs": "dlogprobs = torch.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1.0/32",  # for n
    "dprobs": "dprobs = -dlogprobs / probs",  # the sign
    "dcounts_sum_inv": "dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)",  # right, of a wrong one
    "dcounts_sum": "dcounts_sum = dcounts_sum_in * -counts_sum**-2",  # a name
    "dcounts": "dcounts = dprobs * W2",  # shapes
    "dnorm_logits": "dnorm_logits = None",
    "dlogit_maxes": "dlogit_maxes = torch.zeros(32, 1)",  # right by the lecture's cmp
    "db1": "db1 = torch.zeros(64)",
    "dembcat": "dembcat = torch.ones(2, 3)",  # no shape that broadcasts
    "demb": "demb = dembcat.view(emb.shape)",  # right, but for what it receives
}


def ran(sources: Mapping[str, str], folder: Path) -> Any:
    """The notebook of ex1 with that code in some of its cells, run."""
    book = nbformat.reads((ROOT / "exercises/ex1.ipynb").read_text(), as_version=4)
    for one in book.cells:
        if one.id in sources:
            one.source = "\n".join([sources[one.id], *one.source.split("\n")[1:]])
    book.metadata.pop("grader")  # which a kernel doesn't know
    book.cells.append(nbformat.v4.new_code_cell("%load_ext grader\ndh = torch.ones_like(h)", id="load"))
    book.cells.append(nbformat.v4.new_code_cell("%%check dhpreact\ndhpreact = (1 - h**2) * dh", id="magic"))
    book.cells.append(
        nbformat.v4.new_code_cell("%%check dbnraw\ndbnraw = -bngain * dhpreact", id="wrong-magic")
    )
    book.cells.append(nbformat.v4.new_code_cell('draw("dead", globals())', id="drawn"))
    book.cells.insert(0, nbformat.v4.new_code_cell("import this_is_no_module", id="before"))
    here = {"metadata": {"path": str(folder)}}
    NotebookClient(book, timeout=DEADLINE, allow_errors=True, resources=here).execute()
    nbformat.validate(book)
    return book


def shown(outputs: list[Any]) -> str:
    """What a cell's outputs say, without markup."""
    texts = [o.get("text", "") for o in outputs if o.output_type == "stream"]
    texts += [Page(o.data["text/html"]).text + "\n" for o in outputs if "data" in o and "text/html" in o.data]
    return "".join(texts)


@pytest.fixture(scope="module")
def told_in_a_kernel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, Any]]:
    """A notebook with mistakes, run; and by item what the command says of the saved file."""
    folder = tmp_path_factory.mktemp("kernel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
            patch.setenv(name, str(folder / name))
        book = ran(CELLS, folder)
    nbformat.write(book, folder / "mine.ipynb")
    done = command.grader("check", "ex1", "mine.ipynb", "--json", cwd=folder)
    (graded,) = json.loads(done.stdout)["exercises"]
    return book, {item["id"].partition(".")[2]: item for item in graded["items"]}


def test_cell_table_and_command_have_one_verdict(told_in_a_kernel: tuple[Any, dict[str, Any]]) -> None:
    book, items = told_in_a_kernel
    outputs = {one.id: one for one in book.cells if one.cell_type == "code"}
    table = next(Page(o.data["text/html"]) for o in outputs["check"].outputs if "data" in o)
    for name in CELLS.keys() - {"dnorm_logits", "demb"}:
        said = shown(outputs[name].outputs)
        if items[name]["passed"]:
            why = "right for the dprobs that it received: what is wrong in it comes from there"
            assert f"right {why}" in said and f"ex1.{name}32×1nono" in table.text and why in table.text
        else:
            why = items[name]["diagnosis"] or items[name]["reason"]
            place = f"(cell [{outputs[name].execution_count}], line {items[name]['line']})"
            assert why in said and why in table.text
            assert place in said and place in table.text
            assert "wrong" in said and "right" not in said.split("wrong", 1)[0]
    assert items["dcounts_sum_inv"]["passed"] and not items["dlogit_maxes"]["passed"]
    assert "not written yet: dnorm_logits, dlogits, dh, " in table.text
    assert "its code is; it has made nothing here, since dembcat is wrong" in table.text
    assert "2 of 26 right; 7 wrong, 17 not written. Next: dlogprobs." in table.text
    assert "batch" not in table.text.rpartition("not written yet")[2]


def test_the_lecture_s_line_comes_first_then_the_row_with_pictures(
    told_in_a_kernel: tuple[Any, dict[str, Any]],
) -> None:
    (made,) = [one for one in told_in_a_kernel[0].cells if one.id == "dprobs"]
    stream, row = made.outputs
    assert re.fullmatch(
        r"probs           \| exact: False \| approximate: False \| maxdiff: [\d.]+\n", stream.text
    )
    page = Page(row.data["text/html"])
    assert page.text.startswith("wrong the sign is wrong") and page.tags.count("img") == 3
    assert page.text.endswith("yoursautograd'sdifference")
    assert "the sign is wrong" in row.data["text/plain"]


def test_a_cell_that_raised_gets_the_command_s_help(told_in_a_kernel: tuple[Any, dict[str, Any]]) -> None:
    book, items = told_in_a_kernel
    for name, words in {"dcounts_sum": "did you mean dcounts_sum_inv?", "dcounts": "must match"}.items():
        (made,) = [one for one in book.cells if one.id == name]
        assert [o.output_type for o in made.outputs] == ["error", "display_data"]
        said = shown(made.outputs)
        assert words in said and items[name]["reason"] in said
    (demb,) = [one for one in book.cells if one.id == "demb"]
    assert "right demb: its code is; the cell stopped, since dembcat is wrong" in shown(demb.outputs)
    (before,) = [one for one in book.cells if one.id == "before"]  # it has nothing to do with an exercise
    assert [o.output_type for o in before.outputs] == ["error"]


def test_the_magic_runs_a_cell_and_checks_it(told_in_a_kernel: tuple[Any, dict[str, Any]]) -> None:
    book, _ = told_in_a_kernel
    by_id = {one.id: one for one in book.cells}
    for name, item, verdict in (
        ("magic", "dhpreact", "right"),
        ("wrong-magic", "dbnraw", "wrong the sign is"),
    ):
        said = shown(by_id[name].outputs)
        assert f"ex1.{item}" in said and verdict in said, said


def test_a_cell_draws_a_picture_of_what_the_notebook_has(
    told_in_a_kernel: tuple[Any, dict[str, Any]],
) -> None:
    (made,) = [one for one in told_in_a_kernel[0].cells if one.id == "drawn"]
    (shown,) = made.outputs
    read = ElementTree.fromstring(shown.data["text/html"])
    assert read.attrib["data-picture"] == "dead" and "64 neurons" in shown.data["text/plain"]


def test_the_result_is_true_when_all_is_right() -> None:
    assert isinstance(grader.check("ex2", lecture("ex2")), Result)
    assert bool(grader.check("ex2", lecture("ex2"))) and not grader.check("ex2", forward("ex2"))
