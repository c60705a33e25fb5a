"""The numbers of the GPT lecture, and what its exercises say of one another and of torch."""

from __future__ import annotations

import math

import pytest
import torch
from test_wavenet import names, run


def test_the_loss_to_expect_of_65_characters() -> None:
    assert math.isclose(names("gpt.ex11")["expected_loss"](65), 4.17, abs_tol=0.005)


def test_the_three_averages_are_one() -> None:
    known = names("gpt.ex11")
    x = torch.randn(4, 8, 2)
    loop = known["by_loop"](x)
    torch.testing.assert_close(known["by_matrix"](x)[-1], loop)
    torch.testing.assert_close(known["by_softmax"](x)[-1], loop)
    torch.testing.assert_close(x.cumsum(1) / torch.arange(1.0, 9)[:, None], loop)


def test_the_three_averages_have_one_backward_pass() -> None:
    known = names("gpt.ex1")
    upstream = torch.randn(4, 8, 3)
    past = torch.tril(torch.ones(8, 8))
    many = past.sum(1, keepdim=True)
    by_sum = known["dx"](known["dsums"](many, upstream))
    torch.testing.assert_close(known["dy"](past / many, upstream), by_sum)
    torch.testing.assert_close(known["dz"](past / many, upstream), by_sum)


def test_text_comes_back_from_its_numbers() -> None:
    known = names("gpt.ex11")
    text = "hii there"
    chars = known["vocabulary"](text)
    assert known["decode"](known["encode"](text, chars), chars) == text


def test_scores_vary_as_much_as_a_head_is_wide_and_the_scale_takes_that_out() -> None:
    g = torch.Generator().manual_seed(1337)
    q, k = torch.randn((64, 8, 16), generator=g), torch.randn((64, 8, 16), generator=g)
    scores = q @ k.transpose(-2, -1)
    assert math.isclose(float(scores.var()), 16, rel_tol=0.1)
    assert math.isclose(float((scores * 16**-0.5).var()), 1, rel_tol=0.1)


def test_positions_that_were_not_read_have_no_gradient() -> None:
    known = names("gpt.ex3")
    dwpe = known["dwpe"](torch.randn(8, 5), torch.randn(6, 5), 6)
    assert dwpe[:6].all() and not dwpe[6:].any()


def test_attention_and_its_gradients_are_zero_ahead_of_a_token() -> None:
    env = run("gpt.ex4")
    known = names("gpt.ex4")
    dmasked = known["dmasked"](env["att"], torch.randn(env["att"].shape))
    for tensor in (env["att"], dmasked):
        assert not tensor[:, env["later"]].any()


def test_both_forms_of_several_heads_are_one() -> None:
    env = run("gpt.ex6", n_head=2, head_size=5)
    heads = [
        torch.nn.functional.scaled_dot_product_attention(
            env["q"][..., part], env["k"][..., part], env["v"][..., part], is_causal=True
        )
        for part in (slice(0, 5), slice(5, 10))
    ]
    torch.testing.assert_close(torch.cat(heads, -1), env["joined"])


@pytest.mark.parametrize("exercise", ["gpt.ex7", "gpt.ex8"])
def test_the_layer_norm_is_torchs(exercise: str) -> None:
    env = run(exercise)
    C = env["x"].shape[-1]
    wanted = torch.nn.functional.layer_norm(env["x"], (C,), env["gamma"], env["beta"], 1e-5)
    torch.testing.assert_close(env["y"], wanted, rtol=1e-4, atol=1e-5)


def test_a_token_of_the_fused_gradient_sums_to_zero_over_its_channels() -> None:
    env = run("gpt.ex8")
    dx = names("gpt.ex8")["dx"](env["gamma"], env["inv"], env["xhat"], torch.randn(env["y"].shape), env["C"])
    torch.testing.assert_close(dx.sum(-1), torch.zeros(dx.shape[:2]), atol=1e-4, rtol=0)
