"""Hints: four rungs for every item, true numbers, formulas that are autograd's, and no solution in them."""

from __future__ import annotations

import ast
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from command import grader
from conftest import GRADIENTS, ROOT, parts_of, sampled, stub_of
from test_authored import TINY

from grader.authoring import authored
from grader.authoring.authored import RUNGS, AuthoredError
from grader.authoring.build import derive
from grader.authoring.hints.figures import figure
from grader.authoring.hints.notation import code, total, write
from grader.authoring.hints.operations import paths
from grader.authoring.hints.site import NoRule, Scope
from grader.core.graph import consumers
from grader.reference.program import Program
from grader.suite import fixtures

TOLD = {name: fixtures.hints(ROOT, fixtures.describe(ROOT, name)) for name in GRADIENTS}
ITEMS = [(name, item) for name in GRADIENTS for item in TOLD[name]["items"]]
by_item = pytest.mark.parametrize(("exercise", "item"), ITEMS, ids=[".".join(x) for x in ITEMS])


def rungs(exercise: str, item: str) -> dict[str, str]:
    return dict(TOLD[exercise]["items"][item]["rungs"])


@by_item
def test_every_item_has_four_rungs(exercise: str, item: str) -> None:
    texts = rungs(exercise, item)
    assert tuple(texts) == RUNGS
    assert all(text.strip() and len(text) < 2500 for text in texts.values())
    assert f"{item}[" in texts["formula"] and " = " in texts["formula"]
    for earlier in ("concept", "shapes"):
        assert f"{item}[" not in texts[earlier]


def test_every_exercise_has_hints_for_every_item() -> None:
    for name in GRADIENTS:
        assert list(TOLD[name]["items"]) == [i.name for i in fixtures.describe(ROOT, name).items]


# --- the numbers -----------------------------------------------------------------------------------


def stepped(program: Program, cut: set[str], tensor: str, env: dict[str, Any], upstream: Any) -> float:
    """Sum of upstream times what the tensor's lines give, each path stopping at the cut."""
    live, moved = dict(env), {tensor}
    total = 0.0
    for line in program.lines:
        if line.name == tensor or not moved & set(line.uses):
            continue
        out = program.step(line, live)
        if line.name in cut:
            total += float(
                (out.nan_to_num(neginf=0.0) * upstream[line.name]).sum()
            )  # a mask's infinity stays
        elif line.name == program.loss:
            total += float(out)
        else:
            live[line.name] = out
            moved.add(line.name)
    return total


@pytest.mark.parametrize(("exercise", "item"), sampled(ITEMS, 4))
def test_the_example_agrees_with_finite_differences(exercise: str, item: str) -> None:
    parts = parts_of(exercise)
    program = Program.of(parts.public, exercise)
    known = next(i for i in parts.items if i.name == item)
    data = TOLD[exercise]["items"][item]["example"]
    env = {k: _double(v) for k, v in program.draw({"seed": 1, **data["sizes"]}).items()}
    env = program.run(env)
    for name, value in data["values"].items():
        old = env[name]
        env[name] = torch.tensor(value, dtype=old.dtype) if isinstance(old, torch.Tensor) else value
    upstream = {k: torch.tensor(v, dtype=torch.float64) for k, v in data["upstream"].items()}
    stated = torch.tensor(data["result"], dtype=torch.float64)
    assert stated.shape == env[known.tensor].shape and stated.abs().max() > 1e-3
    step = 1e-5
    for at in torch.ones_like(stated).nonzero().tolist():
        ends = []
        for sign in (1, 0, -1):
            moved = env[known.tensor].clone()
            moved[tuple(at)] += sign * step
            there = {**env, known.tensor: moved}
            ends.append(stepped(program, set(parts.cut(known)), known.tensor, there, upstream))
        right, left = (ends[0] - ends[1]) / step, (ends[1] - ends[2]) / step
        told, kink = float(stated[tuple(at)]), abs(right - left) > 0.1  # of two largest
        near = min(right, left) - 1e-3 < told < max(right, left) + 1e-3
        assert near if kink else math.isclose((right + left) / 2, told, rel_tol=1e-5, abs_tol=1e-6), at


def _double(value: Any) -> Any:
    return value.double() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


def number(text: str) -> float:
    """What a figure on paper is worth."""
    text = text.removeprefix("≈")
    sign, text = (-1, text[1:]) if text.startswith("-") else (1, text)
    if text.startswith("ln "):
        return sign * math.log(int(text[3:]))
    top, _, bottom = text.partition("/")
    return sign * float(top) / float(bottom or 1)


@by_item
def test_what_is_printed_is_the_result(exercise: str, item: str) -> None:
    text = rungs(exercise, item)["example"]
    block = re.split(r"\n\n(?! )", text.partition("gives\n\n")[2])[0]
    title, *rows = block.splitlines()
    assert title.strip().startswith(item)
    shown = [number(x) for row in rows for x in re.findall(r"-?ln \d|≈?-?[\d./]+", row)]
    result = torch.tensor(TOLD[exercise]["items"][item]["example"]["result"], dtype=torch.float64)
    assert len(shown) == result.numel()
    assert all(
        math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-4)
        for a, b in zip(shown, result.flatten().tolist(), strict=True)
    )


ARITHMETIC = re.compile(r"One element in full: d\w+\[([\d,]+)\] = (.+)")
CALCULATED = [x for x in ITEMS if ARITHMETIC.search(rungs(*x)["example"])]
OTHERWISE = [x for x in ITEMS if x not in CALCULATED]


@pytest.mark.parametrize(("exercise", "item"), OTHERWISE, ids=[".".join(x) for x in OTHERWISE])
def test_an_example_without_arithmetic_only_moves_numbers_or_is_the_authors_own_hint(
    exercise: str, item: str
) -> None:
    parts = parts_of(exercise)
    of = next(i for i in parts.items if i.name == item)
    spans = not set(consumers(parts.lines, of.tensor)) <= {*parts.cut(of), parts.lines[-1].name}
    if not spans and item not in parts.hints:
        shown = TOLD[exercise]["items"][item]["example"]
        arrive = {abs(x) for v in shown["upstream"].values() for x in torch.tensor(v).flatten().tolist()}
        assert set(torch.tensor(shown["result"]).abs().flatten().tolist()) <= {0.0, *arrive}


@pytest.mark.parametrize(("exercise", "item"), CALCULATED, ids=[".".join(x) for x in CALCULATED])
def test_the_arithmetic_of_the_one_element_holds(exercise: str, item: str) -> None:
    told = TOLD[exercise]["items"][item]
    match = ARITHMETIC.search(told["rungs"]["example"])
    assert match
    at = tuple(map(int, match[1].split(",")))
    result = torch.tensor(told["example"]["result"], dtype=torch.float64)[at]
    for side in re.split(r" [=≈] ", match[2]):
        code = (
            side.replace("·", "*")
            .replace("²", "**2")
            .replace("³", "**3")
            .replace("^", "**")
            .replace("ln ", "_")
        )
        code = re.sub(r"(?<![\d)])-1\*\*", "-1**", code)
        value = eval(code, {f"_{k}": math.log(k) for k in range(2, 10)})
        assert math.isclose(value, float(result), rel_tol=1e-3), side


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"), (-0.0, "0"), (0.25, "0.25"), (-1 / 3, "-1/3"), (math.log(2), "ln 2"),
        (-math.log(3), "-ln 3"), (0.123456, "≈0.1235"), (1e-12, "0"), (3.99994, "≈4"),
    ],
)  # fmt: skip
def test_a_number_is_written_as_on_paper(value: float, text: str) -> None:
    assert figure(value) == text


# --- the table of operations -----------------------------------------------------------------------

g = torch.Generator().manual_seed(0)


def draw(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=g, dtype=torch.float64) + 0.5


X, V, B = draw(3, 4), draw(4), draw(2, 3, 4)
OTHERS = {
    "n": 3,
    "a": draw(3, 4),
    "row": draw(1, 4),
    "W": draw(4, 2),
    "M": draw(5, 3),
    "Q": draw(2, 4, 3),
    "ix": torch.tensor([[0, 2], [2, 2]]),
    "labels": torch.tensor([1, 3, 0]),
    "k": draw(5, 4),
    "two": 2,
    "place": torch.tensor([[1], [3], [0]]),
    "places": torch.tensor([[1, 1], [3, 0], [2, 0]]),
    "picks": torch.tensor([0, 2]),
    "others": torch.tensor([3, 1]),
    "mask": torch.tensor([[1, 0, 0, 1], [0, 0, 1, 0], [1, 1, 0, 0]]) > 0,
    "torch": torch,
    "F": torch.nn.functional,
}
LINES = [
    *(
        (f"y = x.{f}()", X)
        for f in (
            "exp",
            "log",
            "tanh",
            "sigmoid",
            "relu",
            "sqrt",
            "rsqrt",
            "square",
            "reciprocal",
            "neg",
            "sin",
            "cos",
            "abs",
            "clone",
        )
    ),
    *(
        (code, X)
        for code in (
            "y = torch.exp(x)",
            "y = F.relu(x - 1.0)",
            "y = F.gelu(x)",
            "y = F.leaky_relu(x - 1.0, 0.1)",
            "y = F.leaky_relu(x - 1.0)",
            "y = F.elu(x - 1.0)",
            "y = F.elu(x - 1.0, alpha=0.5)",
            "y = -x",
            "y = x + a",
            "y = a - x",
            "y = x * row",
            "y = x / a",
            "y = a / x",
            "y = x / 3",
            "y = x**3",
            "y = x**-1",
            "y = x.pow(2)",
            "y = torch.mul(a, x)",
            "y = torch.matmul(x, W)",
            "y = F.hardswish(x - 3.0)",
            "y = F.mish(x)",
            "y = F.hardtanh(x, 0.0, 0.9)",
            "y = F.huber_loss(x, a, delta=0.1)",
            "y = (x + 1e-5)**-0.5",
            "y = 2.0**x",
            "y = x @ W",
            "y = M @ x",
            "y = Q @ x.T.mT.transpose(0, 1).T",
            "y = x * x",
            "y = x * x.sum(1, keepdim=True)",
            "y = (x - x.mean(0, keepdim=True))**2",
            "y = x.sum()",
            "y = x.sum(0)",
            "y = x.sum(-1, keepdim=True)",
            "y = x.sum(dim=1)",
            "y = torch.sum(x, 0)",
            "y = x.mean()",
            "y = x.mean(1)",
            "y = x.mean((0, 1))",
            "y = x.max(1, keepdim=True).values",
            "y = x.max(0).values",
            "y = torch.max(x, 1).values",
            "y = x.var(0, keepdim=True)",
            "y = x.var(1, unbiased=False)",
            "y = x.std(1, keepdim=True)",
            "y = torch.softmax(x, 1)",
            "y = F.softmax(x, dim=-1)",
            "y = x.log_softmax(0)",
            "y = F.cross_entropy(x, labels)",
            "y = x.view(-1)",
            "y = x.view(2, 6)",
            "y = x.reshape(3, 2, 2)",
            "y = x.T",
            "y = x.transpose(0, 1)",
            "y = x.permute(1, 0)",
            "y = x.unsqueeze(1)",
            "y = torch.cat([a, x], 1)",
            "y = torch.cat((x, x), 0)",
            "y = torch.stack([a, x], 1)",
            "y = x[ix]",
            "y = x[range(n), labels]",
            "y = x[picks, others]",
            "y = x[torch.arange(2), others]",
            "y = x[ix, ix]",
            "y = x[:2]",
            "y = x[1:, 2]",
            "y = x[two]",
            "y = x[:, two]",
            "y = x[:, two - 1]",
            "y = x[0, two] * x[torch.tensor(1)]",
            "y = x[:, two:]",
            "y = x[:, two - 1 : 2 * two]",
            "y = x @ k.mT",
            "y = k @ x.T",
            "y = x.gather(1, place)",
            "y = x.gather(1, places)",
            "y = x.gather(1, labels.unsqueeze(-1))",
            "y = x.cumprod(1)",
            "y = x.prod(0, keepdim=True)",
            "y = x.min(1).values",
            "y = torch.maximum(x, row)",
            "y = x.clamp(min=0.3)",
            "y = x**a + a**x",
            "y = x * a * x.detach()",
            "y = x[:, ::2]",
            "y = x[:, 1::2]",
            "y = x[..., 1::2]",
            "y = x[:n]",
            "y = x.cumsum(1)",
            "y = torch.cumsum(x, dim=0)",
            "y = x.masked_fill(mask, -1.0)",
            "y = a.masked_fill(mask, x[0, 1])",
            "y = x.where(mask, 0.0) + a.where(mask, x)",
            "y = torch.where(mask, x, a)",
            "y = torch.where(mask, a, x)",
            "y = -x[range(n), labels].mean()",
            "y = 1/n * x.sum(0, keepdim=True)",
            "y = F.embedding(ix, x)",
        )
    ),
    ("y = a * x", V),
    ("y = (a + x).tanh()", V),
    ("y = x.expand(3, 4)", V),
    ("y = a @ W + x[:2]", V),
    ("y = x @ W", B),
    ("y = x @ Q", B),
    ("y = Q @ x", B),
    ("y = x.softmax(-1)", B),
    ("y = x.mean((0, 1), keepdim=True)", B),
    ("y = x.transpose(-2, -1)", B),
    ("y = x.view(6, 4)", B),
    ("y = x.view(2, 12)", B),
    ("y = x.flatten()", B),
    ("y = x.var((0, 1), keepdim=True)", B),
    ("y = x.var((0, 1), unbiased=False)", B),
    ("y = x.std((0, 2))", B),
    ("y = x @ Q.transpose(-2, -1).mT", B),
    ("y = x @ a.T", B),
    ("y = x @ x.transpose(-2, -1)", B),
    ("y = torch.cat([x, x], -1)[:, :n]", B),
    ("y = F.cross_entropy(x, labels, reduction='sum')", X),
    ("y = F.cross_entropy(x, labels, reduction='none')", X),
    ("y = F.cross_entropy(x, labels, label_smoothing=0.2)", X),
    ("y = x[:, -2:]", X),
    ("y = x[:-1, -3:-1]", X),
    ("y = F.linear(x, k, k[:, 0])", X),
    ("y = F.linear(k, x)", X),
    ("y = x @ k[0]", X),
    ("y = F.linear(a, k[:4], x)", V),
    ("y = torch.outer(x, a[0])", V),
    ("y = x.dot(a[0])", V),
    ("y = k @ x", V),
    ("y = x @ W", V),
    ("y = F.conv1d(x, k[:3, :3].unsqueeze(1), padding=1, groups=3)", B),
    ("y = F.conv1d(x, k[:, :3].reshape(5, 3, 1), padding='same')", B),
    ("y = F.conv1d(x, k[:, :3].reshape(5, 1, 3)[:3], padding='same', groups=3)", B),
    ("y = F.conv1d(a[:2].unsqueeze(0), x[:, :2, :2].reshape(4, 1, 2), groups=2)", B),
    ("y = F.conv_transpose1d(x, k[:3, :3].reshape(3, 1, 3), stride=2, padding=1, groups=3)", B),
    ("y = F.conv_transpose1d(a[:2].unsqueeze(0), x[:, :2], padding=1, output_padding=0, groups=2)", B),
    ("y = F.conv1d(a.unsqueeze(0), k[:3, :3].reshape(1, 3, 3), x[:1, 0, 0], stride=2)", B),
    ("y = F.avg_pool1d(x, 3, 2, padding=1)", B),
    ("y = F.avg_pool1d(x, 3)", B),
    ("y = F.layer_norm(x, (4,), k[0], k[1])", B),
    ("y = F.layer_norm(a, (4,), x, k[1])", V),
    ("y = F.rms_norm(x, (3, 4))", B),
    ("y = F.batch_norm(x, None, None, k[:3, 0], k[:3, 1], training=True)", B),
    ("y = F.batch_norm(a, None, None, k[0], x, training=True)", V),
    ("y = F.group_norm(x[:, :2], 2, k[:2, 0], k[:2, 1])", B),
    ("y = F.group_norm(x.mT, 2, k[0], k[1])", B),
    ("y = F.group_norm(Q, 1, x, k[1])", V),
    ("y = x.repeat(2, 3)", X),
    ("y = x.repeat(2, 1, 3)", X),
    ("y = x.repeat_interleave(two, 1)", X),
    ("y = F.interpolate(x.unsqueeze(0), scale_factor=2.0)", B),
    ("y = x.index_select(1, ix[0])", X),
    ("y = x[:, ix]", B),
    ("y = x[:, -1] * x[-2, 0]", X),
    ("y = x.movedim(0, 2)", B),
    ("y = x.movedim(source=0, destination=1)", B),
    ("y = x.movedim((0, 1), (-1, 0))", B),
    ("y = x.transpose(dim0=0, dim1=1)", B),
    ("y = x.permute(dims=(2, 0, -2))", B),
    ("y = torch.permute(x, (2, 0, 1))", B),
    ("y = x.repeat((2, 1, 1))", B),
    ("y = x.repeat(repeats=(two, 2, 1))", X),
    ("y = x.permute((2, 0, 1)) @ a", B),
    ("y = F.nll_loss(x, labels) + F.nll_loss(x, labels, reduction='sum')", X),
]


@pytest.mark.parametrize(("code", "x"), LINES, ids=[f"{c} {tuple(x.shape)}" for c, x in LINES])
def test_the_formula_of_an_operation_is_autograds(code: str, x: torch.Tensor) -> None:
    env: dict[str, Any] = {**OTHERS, "x": x.clone().requires_grad_()}
    exec(code, env)
    y: torch.Tensor = env["y"]
    dy = torch.randn(y.shape, generator=g, dtype=torch.float64)
    (wanted,) = torch.autograd.grad((y * dy).sum(), env["x"])
    known = {**{k: v for k, v in env.items() if k != "__builtins__"}, "x": x, "y": y.detach(), "dy": dy}
    found = paths("x", tuple(x.shape), "y", code, Scope(known, known), loss=False)
    scope = dict(known)
    for path in found:
        scope |= {k: Scope(scope, {}).value(v.code) for k, v in path.term.named.items()}
    for at in torch.ones_like(x).nonzero().tolist():
        got = sum(math.prod(f) for path in found for f in path.term.summands(tuple(at), scope))
        assert math.isclose(got, float(wanted[tuple(at)]), rel_tol=1e-9, abs_tol=1e-12), at
    assert total(tuple(p.term for p in found)).startswith("dx[")


def test_a_formula_says_whose_element_a_place_is() -> None:
    code = "y = x.gather(1, labels.unsqueeze(1)) * row.sum(1)"
    found = paths("x", tuple(X.shape), "y", code, Scope({**OTHERS, "x": X}, {**OTHERS, "x": X}), loss=False)
    text = total(tuple(p.term for p in found))
    assert "[labels[i] = j]" in text and "row.sum(1)[" in text, text


@pytest.mark.parametrize(
    ("pick", "shape", "said"),
    [
        ("x[picks, others]", (3, 4), "A number that was looked up several times receives one gradient for"),
        ("x[picks, others]", (3, 4, 2), "A row that was looked up several times"),
        ("x[torch.arange(2), others]", (3, 4), "torch.arange(2) and others together name a number"),
        ("x[range(n), labels]", (3, 4), "picks one number from each row of x."),
        ("x[labels, range(n)]", (4, 3), "picks one number from each column of x."),
        ("x[two]", (3, 4), "A slice: "),
    ],
)
def test_a_lookup_is_said_to_pick_once_only_where_it_does(
    pick: str, shape: tuple[int, ...], said: str
) -> None:
    env = {**OTHERS, "x": torch.zeros(shape)}
    (found,) = paths("x", shape, "y", f"y = {pick}", Scope(env, env), loss=False)
    assert said in " ".join(found.say)


def test_a_condition_on_no_index_of_a_sum_stands_before_it() -> None:
    env = {"x": torch.zeros(2, 2), "later": torch.ones(2, 2).triu(1) > 0, "torch": torch}
    code = "y = torch.softmax(x.masked_fill(later, -9.0), 1)"
    (found,) = paths("x", (2, 2), "y", code, Scope(env, env), loss=False)
    assert total((found.term,)).startswith("dx[i,j] = [not later[i,j]] · Σ_")


def test_of_sizes_that_are_alike_the_one_that_is_right_in_every_run_is_named() -> None:
    runs = [{"x": torch.zeros(2, size), "B": 2, "head_size": size} for size in (2, 2, 3)]
    assert [write(Scope(*runs).size(code("x"), axis)) for axis in (0, 1)] == ["B", "head_size"]


@pytest.mark.parametrize(
    ("exercise", "item", "mask"),
    [
        ("gpt.ex9", "dproj", "keep"),
        ("training-losses.ex2", "dpicked", "answer"),
        ("modern.ex6", "dx", "keep"),
    ],
)
def test_a_mask_is_one_in_the_example_too(exercise: str, item: str, mask: str) -> None:
    values = torch.tensor(TOLD[exercise]["items"][item]["example"]["values"][mask]).unique().tolist()
    assert len(values) == 2 and values[0] == 0


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_shapes_are_said_to_tell_only_where_the_sizes_differ(exercise: str) -> None:
    description = fixtures.describe(ROOT, exercise)
    shapes, told = description.shapes, fixtures.hints(ROOT, description)["items"]
    for item in description.items:
        rungs = told[item.name]["rungs"]
        for one in re.finditer(
            r"d(\w+) arrives as \S+ and (\w+) is .*?(?=\n|$)", rungs["shapes"].replace(",", "")
        ):
            sizes = {n for t in (item.tensor, one[1], one[2]) for n in shapes[t][-2:]}
            assert ("the two share" in one[0]) is (len(sizes) == 3)
            if "A matrix product" in rungs["concept"]:  # the derived one
                assert ("leave one way" in rungs["concept"]) is (len(sizes) == 3)


ARRIVES = re.compile(
    r"arrives? as (\S+?), (?:the (same) shape|"
    r"so ax[ie]s ([\d, and]+) ha(?:s|ve) to go: .*?, which (?:is|are) (kept|dropped))"
)


def test_what_is_said_to_become_of_axes_gives_the_shape() -> None:
    """Also of an einsum, in which axes go and others come, and of a slice."""
    seen = set()
    for (exercise, item), text in ((x, rungs(*x)["shapes"]) for x in ITEMS):
        for found in ARRIVES.finditer(" ".join(text.split())):
            out = [int(n) for n in re.findall(r"\d+", found[1])]
            gone = [int(n) for n in re.findall(r"\d+", found[3] or "")]
            left = [1 if a in gone else n for a, n in enumerate(out) if a not in gone or found[4] == "kept"]
            own = fixtures.describe(ROOT, exercise).shapes[item.removeprefix("d")]
            assert left == list(own), (exercise, item, found[0])
            seen.add(found[2] or found[4])
    assert seen == {"same", "kept", "dropped"}


def test_what_the_table_does_not_know_it_says() -> None:
    known = {**OTHERS, "x": X, "y": X}
    with pytest.raises(NoRule, match="gelu"):
        paths("x", (3, 4), "y", 'y = F.gelu(x, approximate="tanh")', Scope(known, known), loss=False)
    for unknown in ("x.erfc()", "x.repeat(ix.shape)", "x.permute(*(1, 0))"):
        with pytest.raises(NoRule, match=re.escape(unknown) + "|erfc"):
            paths("x", (3, 4), "y", f"y = {unknown}", Scope(known, known), loss=False)


# --- what an author says ---------------------------------------------------------------------------

MINE = 'HINTS = {"dy": {"concept": "An exponential,\\nin two lines.", "formula": "    dy[i,j] = mine"}}\n\n\n'


def with_hints(text: str) -> str:
    return TINY.replace("def inputs", text + "def inputs")


def test_an_authors_hints_go_before_and_leave_no_trace_elsewhere() -> None:
    files = derive(with_hints(MINE), "tiny")
    told = json.loads(fixtures.unpacked(files["fixtures/tiny/hints.json.gz"]))["items"]["dy"]["rungs"]
    assert told["concept"] == "An exponential, in two lines." and told["formula"] == "    dy[i,j] = mine"
    assert told["shapes"].startswith("dy has the shape of y")
    derived = fixtures.unpacked(files["fixtures/tiny/derived.json.gz"])
    assert b"HINTS" not in files["exercises/tiny.py"] + files["fixtures/tiny/exercise.json"] + derived


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HINTS = [1]\n\n\n", "HINTS is a dict by item"),
        ('HINTS = {"dq": {}}\n\n\n', "HINTS names 'dq', which is no item"),
        ('HINTS = {"dy": {"idea": "x"}}\n\n\n', "HINTS of dy: a dict of concept, shapes, example, formula"),
        ('HINTS = {"dy": {"concept": " "}}\n\n\n', "HINTS of dy: a dict of"),
        ('HINTS = {"dy": {"concept": str(1)}}\n\n\n', "HINTS holds plain texts only"),
    ],
)
def test_hints_that_break_a_rule_are_told_in_one_line(text: str, said: str) -> None:
    with pytest.raises(AuthoredError) as caught:
        authored.read(with_hints(text), "solutions/tiny.py")
    assert str(caught.value).startswith("solutions/tiny.py, line 14: ") and said in str(caught.value)


def test_an_operation_without_a_rule_asks_for_one_or_for_hints() -> None:
    source = TINY.replace("z = y.exp()", "z = y.erfc()").replace("def dy(z, dz)", "def dy(y, dz)")
    source = source.replace("return z * dz + 0.0", "return -dz * (-y * y).exp() * 2 / torch.pi**0.5")
    with pytest.raises(AuthoredError) as caught:
        derive(source, "tiny")
    message = str(caught.value)
    assert "dy: no rule for erfc in grader/authoring/hints" in message and 'HINTS = {"dy"' in message
    given = source.replace("def inputs", MINE + "def inputs")
    assert "fixtures/tiny/hints.json.gz" in derive(given, "tiny")


# --- no solution in them ---------------------------------------------------------------------------


def expressions(body: str) -> set[str]:
    """Every expression of a text in which something is calculated, without blanks."""
    kinds = ast.BinOp | ast.Call | ast.Subscript | ast.UnaryOp | ast.Compare
    nodes = [n for n in ast.walk(ast.parse(body)) if isinstance(n, kinds)]
    found = {ast.unparse(n) for n in nodes if any(isinstance(x, ast.Name) for x in ast.walk(n))}
    return {text.replace(" ", "") for text in found}


@pytest.mark.parametrize("name", GRADIENTS)
def test_no_expression_of_a_solution_is_in_the_hints(name: str) -> None:
    parts = parts_of(name)
    public = expressions(f"def f():\n    {'; '.join(x.code.strip() for x in parts.lines)}")
    told = json.dumps(TOLD[name], ensure_ascii=False).replace(" ", "").replace("\\n", "")
    checked = 0
    for item in parts.items:
        own = {e for e in expressions(item.source) if len(e) > 3} - public
        checked += len(own)
        assert [e for e in own if re.search(rf"(?<![\w.]){re.escape(e)}(?![\w.])", told)] == []
    assert checked >= len(parts.items)


# --- the ladder ------------------------------------------------------------------------------------


@pytest.fixture
def work(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "exercises", tmp_path / "exercises", ignore=shutil.ignore_patterns("__pycache__"))
    for name in GRADIENTS:
        stub = tmp_path.joinpath("exercises", *name.split(".")).with_suffix(".py")
        stub.write_text(stub_of(name))
    return tmp_path


def test_each_call_gives_the_next_rung_and_the_last_says_so(work: Path) -> None:
    for n, rung in enumerate(RUNGS, 1):
        ran = grader("hint", "ex1.dprobs", cwd=work)
        assert ran.returncode == 0 and ran.stdout.startswith(f"ex1.dprobs, hint {n} of 4: {rung}\n")
        assert ("gives the next" in ran.stdout) is (n < 4)
    again = grader("hint", "ex1.dprobs", cwd=work).stdout
    assert "hint 4 of 4: formula" in again and "That was the last one." in again
    assert grader("hint", "ex1.dh", cwd=work).stdout.startswith("ex1.dh, hint 1 of 4")


def test_a_rung_can_be_named_and_all_shown(work: Path) -> None:
    assert "hint 3 of 4: example" in grader("hint", "ex1.dprobs", "--rung", "3", cwd=work).stdout
    assert "hint 4 of 4: formula" in grader("hint", "ex1.dprobs", cwd=work).stdout
    everything = grader("hint", "ex1.dh", "--all", cwd=work).stdout
    assert [f"hint {n} of 4: {r}" in everything for n, r in enumerate(RUNGS, 1)] == [True] * 4
    assert grader("hint", "ex1.dh", "--rung", "5", cwd=work).returncode == 2


def test_a_hint_without_an_item_is_for_the_next(work: Path) -> None:
    assert grader("hint", cwd=work).stdout.startswith("ex1.dlogprobs, hint 1 of 4: concept")
    assert grader("hint", "ex4", cwd=work).stdout.startswith("ex4.dlogits, hint 1 of 4: concept")
    assert "ex4.training has no hints of its own" in grader("hint", "ex4.training", cwd=work).stdout


def test_what_the_last_check_found_stands_first_until_it_is_edited(work: Path) -> None:
    stub = work / "exercises/ex2.py"
    body = "    return -(F.softmax(logits, 1) - F.one_hot(Yb, logits.shape[1])) / n\n"
    wrong = re.sub(r"    raise NotImplementedError.*\n", lambda _: body, stub.read_text())
    stub.write_text(wrong)
    assert grader("check", "ex2", cwd=work).returncode == 1
    line = 1 + wrong.splitlines().index(body.rstrip("\n"))
    first = grader("hint", "ex2.dlogits", cwd=work).stdout.splitlines()[0]
    assert first.startswith("Your last check: wrong: ") and "sign" in first and f", line {line}." in first
    stub.write_text(wrong.replace("return -(", "return ("))
    first = grader("hint", "ex2.dlogits", cwd=work).stdout.splitlines()[0]
    assert "sign" in first and first.endswith("(edited since).")


def test_hints_that_were_altered_are_told_in_one_line(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "fixtures/ex1", tmp_path / "fixtures/ex1")
    path = tmp_path / "fixtures/ex1/hints.json.gz"
    path.write_bytes(fixtures.packed(fixtures.unpacked(path.read_bytes()).replace(b"dprobs", b"dprob5")))
    ran = grader("hint", "ex1.dprobs", cwd=tmp_path)
    assert ran.returncode == 3
    assert ran.stderr == "grader: fixtures/ex1/hints.json.gz was altered: `grader build ex1` rebuilds it\n"
