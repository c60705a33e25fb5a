"""The lecture's own numbers and laws, by running what the set gpt2 is made of."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from conftest import parts_of, solution

from grader.reference.forward import Env
from grader.reference.program import Program


def run(exercise: str, fixture: str = "lecture") -> tuple[Env, Env]:
    """The tensors of an exercise's forward pass on a fixture, and autograd's gradients."""
    program = made(exercise)
    return program.gradients(program.draw(program.fixtures[fixture]))


def made(exercise: str) -> Program:
    return Program.of(parts_of(exercise).public, exercise)


def names(exercise: str) -> dict[str, Any]:
    """The author's functions."""
    space: dict[str, Any] = {}
    exec(compile(solution(exercise), exercise, "exec"), space)
    return space


def test_layer_norm_is_torchs() -> None:
    env, grads = run("gpt2.ex1")
    out = F.layer_norm(env["x"], env["w"].shape, env["w"], env["b"])
    assert torch.allclose(env["out"], out, atol=1e-6)
    assert grads["x"].sum(-1).abs().max() < 1e-6


def test_the_gate_is_gelu_with_tanh() -> None:
    env, _ = run("gpt2.ex2")
    assert torch.allclose(env["act"], F.gelu(env["h"], approximate="tanh"), atol=1e-6)


def test_attention_is_torchs() -> None:
    env, _ = run("gpt2.ex3")
    y = F.scaled_dot_product_attention(env["q"], env["k"], env["v"], is_causal=True)
    assert torch.allclose(env["y"], y, atol=1e-6)


def test_the_keys_bias_learns_nothing() -> None:
    env, grads = run("gpt2.ex3")
    size = env["nh"] * env["hs"]
    thirds = grads["bqkv"].split(size)
    assert thirds[1].abs().max() < 1e-6 * thirds[2].abs().max()


def test_softmax_in_pieces_is_the_softmax() -> None:
    env, _ = run("gpt2.ex6")
    keys, values = torch.cat([env["k1"], env["k2"]]), torch.cat([env["v1"], env["v2"]])
    whole = torch.softmax(env["q"] @ keys.T * env["hs"] ** -0.5, 1) @ values
    assert torch.allclose(env["out"], whole, atol=1e-6)


def test_accumulated_gradients_are_those_of_the_large_batch() -> None:
    env, grads = run("gpt2.ex7")
    weight = env["W"].clone().requires_grad_()
    logits = env["X"].flatten(0, 1) @ weight + env["b"]
    F.cross_entropy(logits, env["Y"].flatten()).backward()
    assert weight.grad is not None
    assert torch.allclose(grads["W"], weight.grad, atol=1e-7)


@pytest.mark.parametrize("exercise", ["gpt2.ex5", "gpt2.ex8"])
def test_padding_gets_no_gradient_and_unused_positions_neither(exercise: str) -> None:
    env, grads = run(exercise)
    assert not grads["logits"][:, :, env["V"] :].any()
    assert not grads["wpe"][env["T"] :].any() and grads["wpe"][: env["T"]].all()


def test_the_whole_net_has_sixteen_parameters_and_an_item_for_each() -> None:
    parts = parts_of("gpt2.ex8")
    env, grads = run("gpt2.ex8")
    parameters = [k for k in parts.inputs if isinstance(env[k], torch.Tensor) and env[k].is_floating_point()]
    assert len(parameters) == 16
    assert {"d" + p for p in parameters} <= {item.name for item in parts.items}
    assert all(grads[p].abs().max() > 1e-6 for p in parameters)


def test_the_numbers_of_the_124m_model() -> None:
    own = names("gpt2.ex10")
    assert own["count"](50257, 1024, 768, 12) == 124_439_808
    assert round(50257 * 768 / 124_439_808, 2) == 0.31
    assert own["micro_steps"](2**19, 16, 1024, 1) == 32
    assert math.isclose(own["std"]("h.0.attn.proj.weight", 12), 0.02 / math.sqrt(24))


def test_the_schedule_at_its_corners() -> None:
    rate = names("gpt2.ex9")["rate"]
    at = {
        step: rate(step, 715, 19073, 6e-4, 6e-5) for step in (0, 714, 715, (715 + 19073) // 2, 19073, 19074)
    }
    wanted = {0: 6e-4 / 715, 714: 6e-4, 715: 6e-4, 9894: 3.3e-4, 19073: 6e-5, 19074: 6e-5}
    assert at == pytest.approx(wanted, rel=1e-9)


def test_clipping_and_adamw_are_torchs() -> None:
    own, program = names("gpt2.ex9"), made("gpt2.ex9")
    env = program.draw(program.fixtures["probe-2"])
    params = [torch.zeros_like(g).requires_grad_() for g in env["grads"]]
    for p, g in zip(params, env["grads"], strict=True):
        p.grad = g.clone()
    length = torch.nn.utils.clip_grad_norm_(params, 1.0)
    assert torch.allclose(own["norm"](env["grads"]), length)
    for p, g in zip(params, own["clipped"](env["grads"], 1.0), strict=True):
        assert p.grad is not None and torch.allclose(p.grad, g)
    p = env["p"].clone().requires_grad_()
    optimiser = torch.optim.AdamW([p], lr=env["lr"], betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    for grad in env["steps"]:
        p.grad = grad.clone()
        optimiser.step()
    found = own["use_adamw"](own["adamw"], env["p"], env["steps"], env["lr"], 0.1)
    assert torch.allclose(list(found.values())[len(env["steps"]) - 1]["p"], p, atol=1e-6)


def test_no_two_processes_read_the_same_tokens() -> None:
    own = names("gpt2.ex10")
    batches = list(own["use_loader"](own["Loader"], list(range(49)), 2, 3, 2).values())
    read = [batches[:9], batches[9:]]
    epoch = [token for rank in read for x, _ in rank[:4] for row in x for token in row]
    assert sorted(epoch) == list(range(48))
    assert all(rank[4] == rank[0] for rank in read)
    assert all([t + 1 for row in x for t in row] == [t for row in y for t in row] for r in read for x, y in r)


# --- around the training -----------------------------------------------------------------------------


def test_the_figures_of_the_long_run() -> None:
    own = names("gpt2.ex11")
    assert own["rounded_up"](50257, 128) == 50304
    assert own["steps"](10**10, 2**19, 375_000_000) == (19073, 715)
    assert round(own["expected_loss"](50257), 2) == 10.82


def test_a_stream_grows_as_the_root_of_what_is_added_and_not_at_all_when_scaled() -> None:
    g = torch.Generator().manual_seed(1)
    noises = [torch.randn(768, generator=g) for _ in range(100)]
    growth = names("gpt2.ex11")["residual_growth"]
    assert growth(torch.zeros(768), noises, 1.0)[-1] == pytest.approx(10, rel=0.1)
    assert growth(torch.zeros(768), noises, 0.1)[-1] == pytest.approx(1, rel=0.1)


def test_the_exams_loss_is_torchs_over_the_endings_alone() -> None:
    own = names("gpt2.ex11")
    tokens, mask = own["hellaswag_row"]([5, 6], [[1], [2, 3], [4, 4, 4], [7, 8]])
    logits = torch.randn((*tokens.shape, 9), generator=torch.Generator().manual_seed(1))
    labels = tokens.masked_fill(mask == 0, -100)
    wanted = [F.cross_entropy(logits[k, :-1], labels[k, 1:], ignore_index=-100) for k in range(4)]
    assert torch.allclose(own["hellaswag_loss"](logits, tokens, mask), torch.stack(wanted))


def test_the_k_likeliest_are_drawn_as_often_as_they_are_likely() -> None:
    own = names("gpt2.ex11")
    logits = torch.tensor([[0.5, 2.0, -1.0, 1.5, 0.0]])
    kept = own["top_k"](logits, 3)[0]
    assert torch.allclose(kept, torch.softmax(logits[0].masked_fill(logits[0] < 0.5, -math.inf), 0))
    uniforms = [(k + 0.5) / 2000 for k in range(2000)]
    drawn = own["sampled"](logits.expand(2000, 5), 3, uniforms).bincount(minlength=5) / 2000
    assert torch.allclose(drawn, kept, atol=2e-3)


def test_bf16_keeps_the_range_and_seven_bits_of_the_mantissa() -> None:
    bf16 = names("gpt2.ex11")["bf16"]
    x = torch.tensor([3e38, 1e-38, 1 + 2**-7, 1 + 2**-9])
    found = bf16(x)
    assert found.isfinite().all() and found[2] == x[2] and found[3] == 1
    bits = found.view(torch.int32)
    assert not (bits & 0xFFFF).any()


def test_tf32_keeps_the_range_and_ten_bits_of_the_mantissa() -> None:
    tf32 = names("gpt2.ex11")["tf32"]
    x = torch.tensor([3e38, 1e-38, 1 + 2**-10, 1 + 2**-10 + 2**-11, -1 - 2**-11])
    assert tf32(x)[2:].tolist() == [1 + 2**-10, 1 + 2**-10, -1.0]
    assert tf32(x).isfinite().all() and not (tf32(x).view(torch.int32) & 0x1FFF).any()


def test_autocasts_types_are_torchs_where_its_cpu_does_as_a_gpu_does() -> None:
    graph = [
        ("x", "add", ["tok", "pos"]), ("q", "linear", ["x"]), ("wei", "matmul", ["q", "q"]),
        ("a", "gelu", ["q"]), ("r", "relu", ["x"]), ("m", "mul", ["q", "a"]),
        ("s", "add", ["x", "q"]), ("c", "cat", ["q", "s"]),
    ]  # fmt: skip
    w = torch.ones(4, 4)
    does: dict[str, Any] = {k: getattr(torch, k) for k in ("matmul", "add", "mul", "relu")}
    does |= {"linear": lambda a: F.linear(a, w), "gelu": F.gelu, "cat": lambda *some: torch.cat(some)}
    found = {"tok": torch.ones(4, 4), "pos": torch.ones(4, 4)}
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for name, kind, operands in graph:
            found[name] = does[kind](*(found[one] for one in operands))
    told = names("gpt2.ex11")["autocast"](graph, {"tok": "float32", "pos": "float32"})
    assert told == {name: str(found[name].dtype).removeprefix("torch.") for name, _, _ in graph}


def test_a_run_goes_on_from_its_checkpoint_as_if_nothing_had_been() -> None:
    own, program = names("gpt2.ex11"), made("gpt2.ex11")
    env = program.draw(program.fixtures["lecture"])
    found = own["use_resumed"](own["Training"], *(env[k] for k in ("weight", "noises", "rate", "seeds")))
    went_on = found.pop("two steps more")
    again = [weight for said, weight in found.items() if said.endswith("the same two steps")]
    assert len(again) == 3 and all(torch.equal(weight, went_on) for weight in again)
    assert not torch.equal(found["two steps"], went_on)
