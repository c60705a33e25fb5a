"""The losses of the training pipeline, held against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from command import grader
from conftest import ROOT
from test_gpt2 import names, run


def test_a_packed_row_is_read_one_token_on() -> None:
    env, _ = run("training-losses.ex1")
    assert torch.equal(env["Xb"].flatten()[1:], env["Yb"].flatten()[:-1])
    assert (env["packed"] == 0).any() and env["packed"][0] != 0


def test_the_masked_loss_is_torchs_with_an_ignored_index() -> None:
    env, grads = run("training-losses.ex2")
    labels = env["Yb"].masked_fill(env["answer"] == 0, -100)
    logits = env["logits"].clone().requires_grad_()
    loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    loss.backward()
    assert torch.allclose(env["loss"], loss)
    assert logits.grad is not None
    assert torch.allclose(grads["logits"], logits.grad, atol=1e-7)
    assert not grads["logits"][env["answer"] == 0].any()


def test_the_reward_models_bias_learns_nothing() -> None:
    _, grads = run("training-losses.ex3")
    assert grads["b"].abs().max() < 1e-6 < grads["w"].abs().max()


def test_only_the_readout_tokens_of_the_rewards_get_a_gradient() -> None:
    env, grads = run("training-losses.ex3")
    touched = grads["better"].abs().sum(-1) > 0
    assert touched.sum(1).tolist() == [1] * env["P"]
    assert touched.float().argmax(1).tolist() == env["endb"].tolist()


def test_an_answer_below_the_mean_reward_is_made_less_likely() -> None:
    env, grads = run("training-losses.ex4")
    own = grads["logits"].gather(2, env["tokens"].unsqueeze(2)).squeeze(2)
    good = env["weight"] > 0
    bad = env["weight"] < 0
    assert good.any() and bad.any()
    assert (own[good] < 0).all() and (own[bad] > 0).all()


def test_a_row_of_fine_tuning_masks_all_but_the_answer() -> None:
    x, y, mask = names("training-losses.ex5")["row"]([5, 6, 7], [8, 9], 0, 7)
    assert x == [5, 6, 7, 8, 9, 0, 0] and y == [6, 7, 8, 9, 0, 0, 0]
    assert [label for label, counts in zip(y, mask, strict=True) if counts] == [8, 9, 0]


@pytest.mark.parametrize(
    "words",
    [
        ("check", "training-losses.ex1.dlogits", "--solutions"),
        ("check", "training-losses", "--solutions"),
        ("show", "training-losses.ex1.dlogits"),
        ("list", "training-losses.ex1"),
        ("explain", "training-losses.ex1.dlogits"),
        ("build", "--check", "training-losses.ex1"),
    ],
    ids=" ".join,
)
def test_a_sets_name_may_have_a_hyphen(words: tuple[str, ...]) -> None:
    ran = grader(*words, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr
    assert "training-losses.ex1" in ran.stdout or words[0] in ("explain", "build")


def test_the_divergence_and_the_ranking_are_torchs() -> None:
    known = names("training-losses.ex6")
    g = torch.Generator().manual_seed(1)
    p, q = torch.randn((4, 6), generator=g), torch.randn((4, 6), generator=g)
    wanted = F.kl_div(q.log_softmax(1), p.log_softmax(1), reduction="none", log_target=True).sum(1)
    torch.testing.assert_close(known["kl"](p, q), wanted)
    assert known["kl"](p, p).abs().max() < 1e-6 and (known["kl"](p, q) > 0).all()
    rewards = torch.tensor([0.5, -1.0, 2.0])
    margins = torch.tensor([2.0 - 0.5, 2.0 + 1.0, 0.5 + 1.0])
    torch.testing.assert_close(known["ranking_loss"](rewards, [2, 0, 1]), F.softplus(-margins).mean())


def test_the_clipped_loss_moves_no_token_that_has_moved_far_enough() -> None:
    clipped = names("training-losses.ex6")["clipped"]
    ratio = torch.tensor([1.5, 0.5, 1.5, 0.5, 1.1]).requires_grad_()
    (grad,) = torch.autograd.grad(clipped(ratio, torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0]), 0.2), ratio)
    assert grad.tolist() == pytest.approx([0, 0, 0.2, -0.2, -0.2])
