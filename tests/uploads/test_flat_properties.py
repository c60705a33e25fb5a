"""What must not change a verdict in flat code, and what must change exactly one."""

from __future__ import annotations

import ast
import contextlib
import json
from typing import Any

import flatcode
import pytest
from conftest import examples, parts_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local import Local
from mutation import made

from grader.authoring.slips.mutants import Mutant
from grader.core.exercise import File, How, Task
from grader.judging.grade import grade
from grader.runner.host.client import Runner
from grader.submissions.flat.effects import analyse

SLOW = settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
HEAD = flatcode.PARTS["setup"] + flatcode.PARTS["forward"]
# the reference, and three mistakes, so that no transformation can hide behind "all is right"
BASE = (
    flatcode.PARTS["ex1"]
    .replace("dcounts += dcounts_sum\n", "")
    .replace("dbnmeani = -dbndiff.sum(0, keepdim=True)", "dbnmeani = -dbndiff")
    .replace("dhprebn += dbnmeani / n", "dhprebn += dbnmeani.sum(0) / n")
    .replace("(bnvar + 1e-5)**-1.5", "bnvar**-1.5")
)
MISTAKEN = {"ex1.dcounts", "ex1.dbnmeani", "ex1.dbnvar"}
SCRATCH = (
    "print(dprobs.shape)",
    "plt.imshow(dlogits.detach())",
    "1/0",
    "undefined.attribute",
    "cmp('logits', dlogits, logits)",
    "x = torch.randn(3)\nfor n_ in range(3):\n    x += n_",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "!ls",
    "def oops(:\n    pass",
    "assert torch.allclose(dh, h.grad)",
    "%timeit dh.sum()",
)


class Judge:
    """ex1 graded in a child or here; one object, since hypothesis prints a failing test's arguments."""

    def __init__(self, runner: Runner, ex1: Task) -> None:
        self.runner, self.ex1 = runner, ex1
        self.local = Local(*ex1)
        # without clone() flat code spoils another item, and a function by itself doesn't
        self.mutants = [m for m in made("ex1", ex1.exercise) if m.kind != "clone dropped"]

    def failed(self, source: str | bytes, name: str = "x.py", strict: bool = False) -> set[str]:
        """The items that don't pass."""
        data = source.encode() if isinstance(source, str) else source
        report, _ = grade(self.runner, self.ex1, File(name, data), How(strict=strict))
        return {i.id for i in report.items if not i.passed}


@pytest.fixture(scope="session")
def judge(runner: Runner, exercises: dict[str, Task]) -> Judge:
    return Judge(runner, exercises["ex1"])


def names_of(node: ast.stmt) -> tuple[set[str], set[str]]:
    """All names of a statement, and those that it may write: an oracle apart from `flat.reads_writes`."""
    every = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    stored = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript) and isinstance(part.ctx, ast.Store):
            stored |= {n.id for n in ast.walk(part.value) if isinstance(n, ast.Name)}
    return every, stored


@st.composite
def shuffled(draw: st.DrawFn) -> list[str]:
    """BASE's statements in an order that gives the same values."""
    left = ast.parse(BASE).body
    out = []
    while left:
        free = []
        for i, node in enumerate(left):
            every, stored = names_of(node)
            before = [names_of(other) for other in left[:i]]
            if not any(stored & e or every & s for e, s in before):
                free.append(i)
        out.append(ast.unparse(left.pop(draw(st.sampled_from(free)))))
    return out


@st.composite
def dressed(draw: st.DrawFn) -> bytes:
    """The same code, through temporaries and blocks, spread over cells among scratch cells."""
    cells = [[]]  # type: list[list[str]]
    for number, text in enumerate(draw(shuffled())):
        node = ast.parse(text).body[0]
        if isinstance(node, ast.Assign) and draw(st.booleans()):
            target, name = ast.unparse(node.targets[0]), draw(st.sampled_from(["tmp", "tmp2", f"t{number}"]))
            text = f"{name} = {ast.unparse(node.value)}\n{target} = {name}"
        around = draw(st.sampled_from(["", "", "", "with torch.no_grad():", "if True:"]))
        if around:
            text = around + "\n" + "\n".join("    " + line for line in text.split("\n"))
        cells[-1].append(text)
        if draw(st.integers(0, 3)) == 0:
            if draw(st.booleans()):
                cells.append([draw(st.sampled_from(SCRATCH))])
            cells.append([])
    sources = [HEAD, *("\n".join(cell) for cell in cells if cell)]
    return json.dumps(flatcode.notebook([("code", s) for s in sources])).encode()


def test_the_base_has_its_three_mistakes(judge: Judge) -> None:
    assert judge.failed(HEAD + BASE) == MISTAKEN


@SLOW
@given(source=dressed())
def test_how_the_code_is_laid_out_changes_no_verdict(source: bytes, judge: Judge) -> None:
    assert judge.failed(source, "x.ipynb") == MISTAKEN


# --- one mistake fails one item --------------------------------------------------------------------

PARTS = parts_of("ex1")


def statements(item: str, source: str) -> list[str]:
    """A function's body as flat statements that make d<item>."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    last = body[-1]
    assert isinstance(last, ast.Return) and last.value is not None
    flat = [ast.unparse(n) for n in body[:-1]]
    if ast.unparse(last.value) != item:
        flat.append(f"{item} = {ast.unparse(last.value)}")
    return flat


def flat_solution(mutant: Mutant | None = None) -> str:
    lines = [HEAD]
    for item in PARTS.items:
        changed = mutant and mutant.item == item.name
        lines += statements(item.name, mutant.source if mutant and changed else item.source)
    return "\n".join(lines) + "\n"


def test_the_solution_as_flat_code_is_right_at_every_size(judge: Judge) -> None:
    assert judge.failed(flat_solution(), strict=True) == set()


@settings(SLOW, max_examples=examples(40))
@given(data=st.data())
def test_a_change_of_one_item_fails_exactly_that_item(data: st.DataObject, judge: Judge) -> None:
    mutant = judge.mutants[data.draw(st.integers(0, len(judge.mutants) - 1))]
    alike = judge.local.passes(f"{PARTS.imports}\n\n{mutant.source}\n", mutant.item)
    failed = judge.failed(flat_solution(mutant), strict=True)
    assert failed == (set() if alike else {f"ex1.{mutant.item}"}), mutant.key


# --- effects, held against what running shows ------------------------------------------------------

VARIABLES = ("a", "b", "c", "d")


@st.composite
def statement(draw: st.DrawFn) -> str:
    x, y, z = (draw(st.sampled_from(VARIABLES)) for _ in range(3))
    return draw(
        st.sampled_from(
            [
                f"{x} = [*{y}, 1]",
                f"{x} = {y}",
                f"{x}.append(len({y}))",
                f"{x}[0] = {y}[0]",
                f"{x} += {y}[:1]",
                f"{x}, {y} = {z}, [2]",
                f"for i in range(2):\n    {x}.append(i)",
                f"if {x}:\n    {y} = [3]",
                f"with nothing():\n    {x} = {y}[:]",
                f"{x} = [v for v in {y} if v in {z}]",
                f"print(({x} := {y} * 2))",
                f"{x} = (lambda {y}: {y}[:])({z})",
                f"def f():\n    return {x}[:]",
                f"{x} = f()",
                f"if {z}:\n    {x} = {y}",
                f"try:\n    {x} = {y}\nexcept KeyError:\n    pass",
                f"{x} = {y} = [4]",
            ]
        )
    )


@given(program=st.lists(statement(), min_size=1, max_size=8))
def test_no_statement_changes_or_reads_more_than_its_effect_says(program: list[str]) -> None:
    nodes = [ast.parse(text).body[0] for text in program]
    scope: dict[str, Any] = {v: [i] for i, v in enumerate(VARIABLES)}
    scope |= {"nothing": contextlib.nullcontext, "f": lambda: [9], "print": lambda *_: None}
    for node, effect in analyse(nodes, lambda node, effect: (node, effect)):
        before = {v: (id(scope[v]), list(scope[v])) for v in VARIABLES}
        try:
            exec(compile(ast.Module([node], []), "x", "exec"), scope)
        except (IndexError, TypeError):  # of an empty list, or of f where it is none
            return
        changed = {v for v in VARIABLES if before[v] != (id(scope[v]), list(scope[v]))}
        assert changed <= effect.strong | effect.weak | effect.shared, ast.unparse(node)
        assert effect.strong & set(VARIABLES) <= {v for v in VARIABLES if v in ast.unparse(node)}
