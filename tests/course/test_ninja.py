"""The numbers of the core lecture, ex1 to ex4, on the saved minibatch."""

from __future__ import annotations

from typing import Any

import pytest
import safetensors.numpy
import torch
from conftest import parts_of

from grader.core.exercise import Task
from grader.core.graph import consumers


@pytest.fixture(scope="module")
def lecture(exercises: dict[str, Task]) -> Any:
    """lecture("ex1"): every tensor of the lecture fixture, and autograd's gradients."""

    def of(exercise: str) -> dict[str, torch.Tensor]:
        fixtures = exercises[exercise][1]
        given = safetensors.numpy.load(fixtures.given["lecture"])
        named = {**given, **fixtures.references["lecture"].values}
        return {k: torch.from_numpy(v.copy()) for k, v in named.items()}

    return of


def farthest(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


@pytest.mark.parametrize("exercise, count", [("ex1", 4137), ("ex4", 12297)])
def test_the_networks_have_the_lectures_numbers_of_parameters(
    exercise: str, count: int, lecture: Any
) -> None:
    env = lecture(exercise)
    assert sum(env[k].numel() for k in ("C", "W1", "b1", "W2", "b2", "bngain", "bnbias")) == count


def test_two_gradients_of_ex1_are_no_more_than_rounding(lecture: Any) -> None:
    env = lecture("ex1")
    assert 0 < float(env["dlogit_maxes"].abs().max()) < 1e-8  # allclose's own atol: zeros would pass there
    assert 0 < float(env["db1"].abs().max()) < 1e-8


def test_an_assignment_to_repeated_rows_keeps_only_the_last(lecture: Any) -> None:
    env = lecture("ex1")
    overwritten, added = torch.zeros_like(env["C"]), torch.zeros_like(env["C"])
    overwritten[env["Xb"]] += env["demb"]
    added.index_add_(0, env["Xb"].view(-1), env["demb"].view(-1, env["C"].shape[1]))
    assert farthest(overwritten, env["dC"]) > 0.01  # the lecture's own minibatch has 0.037
    assert farthest(added, env["dC"]) < 1e-8


def test_the_cross_entropy_in_one_step_is_within_a_hundred_millionth(lecture: Any) -> None:
    env = lecture("ex1")
    n = len(env["Yb"])
    dlogits = torch.softmax(env["logits"], 1)
    dlogits[range(n), env["Yb"]] -= 1
    assert farthest(dlogits / n, env["dlogits"]) < 1e-8  # about 5e-9
    assert float(lecture("ex2")["dlogits"].sum(1).abs().max()) < 1e-7


def test_the_batch_norm_in_one_step_and_what_bessels_correction_is_worth(lecture: Any) -> None:
    env = lecture("ex3")
    n = len(env["Yb"])
    total, weighted = env["dhpreact"].sum(0), (env["dhpreact"] * env["bnraw"]).sum(0)

    def dhprebn(correction: float) -> torch.Tensor:
        inner = n * env["dhpreact"] - total - correction * env["bnraw"] * weighted
        found: torch.Tensor = env["bngain"] * env["bnvar_inv"] / n * inner
        return found

    assert farthest(dhprebn(n / (n - 1)), env["dhprebn"]) < 2e-9  # about 9e-10
    assert farthest(dhprebn(1), env["dhprebn"]) == pytest.approx(3.7e-5, rel=0.05)
    assert float(env["dhprebn"].sum(0).abs().max()) < 1e-7


def test_the_variance_does_not_change_with_the_mean(lecture: Any) -> None:
    env = lecture("ex3")
    n, x, mean = len(env["Yb"]), env["hprebn"].double(), env["hprebn"].double().mean(0, keepdim=True)
    mean.requires_grad_()
    variance = ((x - mean) ** 2).sum(0) / (n - 1)
    (grad,) = torch.autograd.grad(variance.sum(), mean)
    assert float(grad.abs().max()) < 1e-12  # though 33 arrows leave the mean: to 32 differences, and to it


def test_the_tensors_with_a_second_branch_are_the_lectures() -> None:
    lines = parts_of("ex1").lines
    twice = {line.name for line in lines if len(consumers(lines, line.name)) > 1}
    assert twice == {"counts", "logits", "bndiff", "hprebn"}
