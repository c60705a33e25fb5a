"""The numbers of the GPT lecture, and what its exercises say of one another and of torch."""

from __future__ import annotations

import math
from typing import Any

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


# --- the transformer, forward ------------------------------------------------------------------------


def filled(module: Any) -> Any:
    g = torch.Generator().manual_seed(3)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=g) * 0.5
    return module


def test_the_attention_and_the_heads_are_torchs() -> None:
    known = names("gpt.ex12")
    x = torch.randn((2, 6, 8), generator=torch.Generator().manual_seed(1))
    sdpa = torch.nn.functional.scaled_dot_product_attention
    many = filled(known["MultiHeadAttention"](8, 2, 4, 10))
    heads = [sdpa(h.query(x), h.key(x), h.value(x), is_causal=True) for h in many.heads]
    torch.testing.assert_close(many(x), many.proj(torch.cat(heads, -1)))
    mask = torch.rand((6, 6), generator=torch.Generator().manual_seed(2)) > 0.5
    mask |= torch.eye(6).bool()
    torch.testing.assert_close(known["attention"](x, 2 * x, x + 1, mask), sdpa(x, 2 * x, x + 1, mask))
    torch.testing.assert_close(known["attention"](x, 2 * x, x + 1, None), sdpa(x, 2 * x, x + 1))


def test_the_block_is_torchs_encoder_layer_with_the_norm_first() -> None:
    known = names("gpt.ex12")
    block = filled(known["Block"](8, 2, 6))
    theirs: Any = torch.nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, norm_first=True, batch_first=True)
    attention = theirs.self_attn
    with torch.no_grad():
        for k, kind in enumerate(("query", "key", "value")):
            rows = torch.cat([getattr(h, kind).weight for h in block.sa.heads])
            attention.in_proj_weight[8 * k : 8 * k + 8] = rows
        attention.in_proj_bias.zero_()
        pairs = {
            block.sa.proj: attention.out_proj,
            block.ffwd.net[0]: theirs.linear1,
            block.ffwd.net[2]: theirs.linear2,
            block.ln1: theirs.norm1,
            block.ln2: theirs.norm2,
        }
        for mine, other in pairs.items():
            other.weight.copy_(mine.weight)
            other.bias.copy_(mine.bias)
        x = torch.randn((3, 6, 8), generator=torch.Generator().manual_seed(1))
        later = torch.triu(torch.ones(6, 6), 1).bool()
        torch.testing.assert_close(block(x), theirs(x, src_mask=later), rtol=1e-4, atol=1e-5)


def test_a_token_does_not_see_what_comes_after_it() -> None:
    gpt = filled(names("gpt.ex12")["GPT"](11, 8, 6, 2, 2))
    idx = torch.randint(11, (2, 6), generator=torch.Generator().manual_seed(1))
    changed = idx.clone()
    changed[:, 4:] = (idx[:, 4:] + 1) % 11
    torch.testing.assert_close(gpt(idx)[0][:, :4], gpt(changed)[0][:, :4])
    assert not torch.allclose(gpt(idx)[0][:, 4:], gpt(changed)[0][:, 4:])


def test_the_lectures_network_begins_near_the_loss_to_expect() -> None:
    """And the one of its end has 10.788929 million parameters."""
    known = names("gpt.ex12")
    whole = known["GPT"](65, 384, 256, 6, 6)
    assert sum(p.numel() for p in whole.parameters()) == 10_788_929
    torch.manual_seed(1337)
    small = known["GPT"](65, 32, 8, 4, 2)
    idx, targets = torch.randint(65, (2, 32, 8), generator=torch.Generator().manual_seed(1))
    assert math.isclose(small(idx, targets)[1].item(), 4.17, abs_tol=0.4)


def test_a_batch_begins_where_the_lectures_offsets_may_and_the_whole_text_is_reached() -> None:
    starts, n, T = names("gpt.ex12")["starts"], 20, 8
    found = starts(n, T, [k / 1000 for k in range(1000)])
    assert set(found) == set(
        torch.randint(n - T, (2000,), generator=torch.Generator().manual_seed(1)).tolist()
    )
    assert max(found) + T + 1 == n  # the last row's last target is the text's last token


def test_dropout_on_the_weights_is_torchs_and_not_there_in_use() -> None:
    known, x = names("gpt.ex12"), torch.randn((2, 6, 8), generator=torch.Generator().manual_seed(1))
    head = filled(known["Head"](8, 4, 6, 0.5))
    sdpa = torch.nn.functional.scaled_dot_product_attention
    q, k, v = head.query(x), head.key(x), head.value(x)
    torch.testing.assert_close(head.eval()(x), sdpa(q, k, v, is_causal=True))
    torch.manual_seed(1)
    dropped = head.train()(torch.cat([x] * 500))  # each weight is there in half of them, doubled
    means = dropped.view(500, *x.shape[:2], -1).mean(0)
    torch.testing.assert_close(means, sdpa(q, k, v, is_causal=True), rtol=0.2, atol=0.2)
    assert not torch.allclose(dropped[:2], dropped[2:4])
