"""The numbers of the micrograd lecture, and the engine beside torch in double precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from authors import functions
from conftest import Grade, solution
from hypothesis import given
from hypothesis import strategies as st

from grader.core.verdict import Verdict

slopes, engine, net, both_sides, demo = (functions(f"micrograd.ex{k}") for k in range(1, 6))
Value = engine.Value
near = st.floats(-2, 2).map(lambda x: round(x, 3))


def parabola(x: float) -> float:
    return 3 * x**2 - 4 * x + 5


def test_the_slopes_of_the_parabola() -> None:
    assert parabola(3.0) == 20
    for x, slope in ((3.0, 14.0), (-3.0, -22.0), (2 / 3, 0.0)):
        assert slopes.numgrad(parabola, x, 1e-6) == pytest.approx(slope, abs=1e-4)


def test_the_slopes_of_a_product_and_a_sum() -> None:
    a, b, c, h = 2.0, -3.0, 10.0, 1e-6
    assert a * b + c == 4
    measured = [
        slopes.numgrad(lambda x: x * b + c, a, h),
        slopes.numgrad(lambda x: a * x + c, b, h),
        slopes.numgrad(lambda x: a * b + x, c, h),
    ]
    assert measured == pytest.approx([-3, 2, 1], abs=1e-6)


def test_a_step_that_is_too_small_measures_nothing() -> None:
    assert slopes.numgrad(parabola, 3.0, 1e-16) == 0


def test_the_graph_of_the_lecture_and_one_step_up_it() -> None:
    grads = slopes.lgraph(2.0, -3.0, 10.0, -2.0)
    assert grads == {"L": 1, "f": 4, "d": -2, "c": -2, "e": -2, "b": -4, "a": 6}
    assert slopes.raised(2.0, -3.0, 10.0, -2.0, 0.01) == pytest.approx(-7.286496, abs=1e-9)


def test_the_neuron_of_the_lecture_by_hand_and_by_the_engine() -> None:
    x1, x2, w1, w2, b = numbers = (2.0, 0.0, -3.0, 1.0, 6.8813735870195432)
    wanted = {"n": 0.5, "x1": -1.5, "w1": 1.0, "x2": 0.5, "w2": 0.0, "b": 0.5}
    assert slopes.neuron(*numbers) == pytest.approx(wanted, abs=1e-9)
    leaves = [Value(x) for x in numbers]
    for tanh in (Value.tanh, engine.tanh_from_exp):
        for leaf in leaves:
            leaf.grad = 0.0
        n = leaves[0] * leaves[2] + leaves[1] * leaves[3] + leaves[4]
        o = tanh(n)
        o.backward()
        assert o.data == pytest.approx(0.70710678, abs=1e-8)
        found = dict(zip(("x1", "x2", "w1", "w2", "b"), (leaf.grad for leaf in leaves), strict=True))
        assert {**found, "n": n.grad} == pytest.approx(wanted, abs=1e-9)


def test_a_number_that_is_used_twice_gets_both_gradients() -> None:
    a = Value(3.0)
    (a + a).backward()
    assert a.grad == 2
    a, b = Value(-2.0), Value(3.0)
    ((a * b) * (a + b)).backward()
    assert (a.grad, b.grad) == (-3, -8)


def test_the_expression_of_the_readme() -> None:
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + Value(10.0) / f
    g.backward()
    assert [round(x, 4) for x in (g.data, a.grad, b.grad)] == [24.7041, 138.8338, 645.5773]


@given(near, near, near)
def test_the_engine_is_torch_in_double(x: float, y: float, z: float) -> None:
    """One expression of every operation, each operand used more than once."""

    def expression(a: Any, b: Any, c: Any) -> Any:
        d = (a * b + c).tanh() + (a - b * 0.5).exp() * 2
        e = d / (c * c + 1.5) - (a + 0.25) ** 2 + 3 * b
        return (e * d).tanh() + (d * d + 1.0) ** -0.5 + e * 0.1

    mine = [Value(v) for v in (x, y, z)]
    theirs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, y, z)]
    out, right = expression(*mine), expression(*theirs)
    out.backward()
    right.backward()
    assert out.data == pytest.approx(right.item(), rel=1e-12)
    assert [v.grad for v in mine] == pytest.approx(
        [float(v.grad) for v in theirs if v.grad is not None], rel=1e-9, abs=1e-12
    )


def test_the_network_of_the_lecture_has_41_parameters() -> None:
    numbers = net.source([math.sin(k) for k in range(41)])
    assert len(net.MLP(3, [4, 4, 1], numbers).parameters()) == 41
    with pytest.raises(StopIteration):
        numbers()


def test_the_network_is_torchs_and_its_loss_falls_as_with_torch() -> None:
    """On numbers of the learner's own engine instead of the exercise's measured ones."""
    begin = torch.rand(41, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1
    points = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    targets = [1.0, -1.0, -1.0, 1.0]
    left = iter(begin.tolist())
    mine = net.MLP(3, [4, 4, 1], lambda: Value(next(left)))
    found = net.train(mine, points, targets, 20, 0.05)

    p = begin.clone().requires_grad_()
    wanted = []
    for _ in range(20):
        h, at = torch.tensor(points, dtype=torch.float64), 0
        for nin, nout in ((3, 4), (4, 4), (4, 1)):
            rows = p[at : at + (nin + 1) * nout].view(nout, nin + 1)
            h, at = torch.tanh(h @ rows[:, :-1].T + rows[:, -1]), at + rows.numel()
        loss = ((h[:, 0] - torch.tensor(targets)) ** 2).sum()
        (grad,) = torch.autograd.grad(loss, p)
        p = (p - 0.05 * grad).detach().requires_grad_()
        wanted.append(loss.item())
    assert found == pytest.approx(wanted, rel=1e-9) and found[-1] < found[0]
    assert [q.data for q in mine.parameters()] == pytest.approx(p.tolist(), rel=1e-9)


def test_what_a_function_is_called_with_varies() -> None:
    """h, rates, the keys of a step, the number of steps, the layers: none can be written down."""
    drawn = slopes.inputs(torch.Generator().manual_seed(1), 5)
    for name in ("widths", "rates"):
        assert len(set(drawn[name])) == len(drawn[name]) > 1
    assert len({tuple(values) for values in drawn["weights"]}) > 1
    steps = {settings["steps"] for settings in net.FIXTURES.values()}
    networks = net.inputs(torch.Generator().manual_seed(1), 3, 4, 4)["networks"]
    assert len(steps) > 1 and len({len(nouts) for nouts in networks}) > 1


def test_an_inner_node_is_used_twice() -> None:
    found = engine.use_accumulate(Value, [(3.0, 0.5)])
    inner = [grads for said, grads in found.items() if "c * c + c" in said]
    assert inner and all(grads["c.grad"] for grads in inner)


# --- graded: other right ways, and what only looks right ---------------------------------------------

NEG, SUB = "return self * -1", "return self + -Value.wrap(other)"
DIV = "return self * Value.wrap(other) ** -1"
OWN_DIVISION = """other = Value.wrap(other)
        out = Value(self.data / other.data, (self, other))

        def _backward():
            self.grad += out.grad / other.data
            other.grad += out.grad * -self.data / other.data**2

        out._backward = _backward
        return out"""
RIGHT = {
    "a difference turned round": [(SUB, "return -(Value.wrap(other) + -self)")],
    "a negative of more nodes": [(NEG, "return Value(0) + Value(-1) * self")],
    "one constant for all": [
        (NEG, "return self * MINUS"),
        ("def tanh_from_exp", "MINUS = Value(-1)\n\n\ndef tanh_from_exp"),
    ],
    "a division of its own": [(DIV, OWN_DIVISION)],
    "the set of children": [("self.children = tuple(children)", "self.children = set(children)")],
    "a list by levels": [
        ("        visit(self)\n        return found", "        visit(self)\n        return list(found)")
    ],
}
FORGOTTEN = [
    (
        "self.grad = 1.0\n",
        "for node in self.order():\n            node.grad = 0.0\n        self.grad = 1.0\n",
    )
]
LOOKS_RIGHT = {
    "a sum that remembers nothing": (
        "composed",
        [("return self + other", "return Value(other + self.data)")],
    ),
    "a product that remembers nothing": (
        "composed",
        [("return self * other", "return Value(other * self.data)")],
    ),
    "a negative that remembers nothing": ("composed", [(NEG, "return Value(-self.data)")]),
    "a division with the wrong sign": ("composed", [(DIV, OWN_DIVISION.replace("-self", "self"))]),
    "gradients forgotten first": ("accumulate", FORGOTTEN),
    "gradients forgotten first, by backward itself": ("backward", FORGOTTEN),
    "its own gradient added to": ("accumulate", [("self.grad = 1.0\n", "self.grad += 1.0\n")]),
    "open at zero": ("relu", [("if out.data > 0", "if self.data >= 0")]),
    "of the size alone": ("power", [("self.data ** (exponent - 1)", "abs(self.data) ** (exponent - 1)")]),
    "tanh itself": (
        "tanh_from_exp",
        [("    e = (x * 2).exp()\n    return (e - 1) / (e + 1)", "    return x.tanh()")],
    ),
    "a child left out": (
        "order",
        [("self.data + other.data, (self, other)", "self.data + other.data, (self,)")],
    ),
    "parents first": ("order", [("return found\n", "return found[::-1]\n")]),
    "a node twice": ("order", [("if node not in seen", "if True")]),
    "the last one missing": ("order", [("        return found\n", "        return found[:-1]\n")]),
}


def changed(pairs: Sequence[tuple[str, str]]) -> str:
    text = solution("micrograd.ex2")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize("pairs", RIGHT.values(), ids=RIGHT)
def test_an_engine_made_another_way_passes(pairs: list[tuple[str, str]], grade: Grade) -> None:
    report = grade(changed(pairs), "micrograd.ex2")
    assert all(one.passed for one in report.items), [(one.id, one.check.reason) for one in report.items]


@pytest.mark.parametrize("item, pairs", LOOKS_RIGHT.values(), ids=LOOKS_RIGHT)
def test_an_engine_that_looks_right_does_not_pass(
    item: str, pairs: list[tuple[str, str]], grade: Grade
) -> None:
    verdicts = {one.id: one.verdict for one in grade(changed(pairs), "micrograd.ex2").items}
    assert verdicts[f"micrograd.ex2.{item}"] in (Verdict.WRONG, Verdict.ERROR)


def test_tanh_is_there_again_after_the_item_that_does_without(grade: Grade) -> None:
    report = grade(solution("micrograd.ex2"), "micrograd.ex2", ["tanh_from_exp", "tanh", "backward"])
    assert all(one.verdict is Verdict.EXACT for one in report.items)


# --- the demo ----------------------------------------------------------------------------------------


def test_the_demos_network_has_337_parameters_and_its_training_is_torchs() -> None:
    assert len(demo.MLP(2, [16, 16, 1], demo.source([0.1] * 337)).parameters()) == 337
    settings = dict(demo.FIXTURES["lecture"])
    drawn = demo.inputs(torch.Generator().manual_seed(settings.pop("seed")), **settings)
    points, labels, begin = drawn["points"], drawn["labels"], drawn["begin"]
    left = iter(begin)
    mine = demo.MLP(2, [4, 1], lambda: both_sides.Value(next(left)))
    found = demo.train(mine, points, labels, 5, 1e-4)

    p = torch.tensor(begin[:17], dtype=torch.float64)
    X, y = torch.tensor(points, dtype=torch.float64), torch.tensor(labels)
    for k, (loss, accuracy) in enumerate(found):
        q = p.clone().requires_grad_()
        first, last = q[:12].view(4, 3), q[12:]
        scores = (X @ first[:, :2].T + first[:, 2]).relu() @ last[:4] + last[4]
        wanted = (1 - y * scores).relu().mean() + 1e-4 * (q * q).sum()
        assert loss == pytest.approx(wanted.item(), rel=1e-9)
        assert accuracy == pytest.approx(((scores > 0) == (y > 0)).double().mean().item())
        (grad,) = torch.autograd.grad(wanted, q)
        p = p - (1 - 0.9 * k / 5) * grad
    assert [q.data for q in mine.parameters()] == pytest.approx(p.tolist(), rel=1e-9)


def test_the_function_of_ones_own_is_differentiable_to_torch() -> None:
    numbers = torch.randn((2, 5), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    a, b = (row.clone().requires_grad_() for row in numbers)
    assert torch.autograd.gradcheck(both_sides.TanhProduct.apply, (a, b))
    torch.testing.assert_close(both_sides.TanhProduct.apply(a, b), torch.tanh(a * b))
