"""The numbers of the WaveNet lecture, and what its exercises say of one another."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from conftest import parts_of, solution

from grader.reference.program import Program


def names(exercise: str) -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "solution"}
    exec(compile(solution(exercise), exercise, "exec"), found)
    return found


def run(exercise: str, **sizes: int) -> dict[str, Any]:
    """Every tensor of an exercise's forward pass at other sizes than the lecture's."""
    program = Program.of(parts_of(exercise).public, exercise)
    settings = {**program.fixtures["lecture"], **sizes}
    return program.run(program.draw(settings))


@pytest.mark.parametrize(("sizes", "parameters"), [((27, 10, 68), 22397), ((27, 24, 128), 76579)])
def test_the_lectures_networks_have_as_many_parameters(sizes: tuple[int, int, int], parameters: int) -> None:
    assert names("wavenet.ex7")["count"](*sizes) == parameters
    env = run("wavenet.ex4", vocab_size=sizes[0], n_embd=sizes[1], n_hidden=sizes[2])
    trained = [k for k, v in env.items() if k.startswith(("C", "W", "b4", "gamma", "beta"))]
    assert sum(env[k].numel() for k in trained) == parameters


def test_the_lectures_shapes_at_a_context_of_eight() -> None:
    env = run("wavenet.ex4", n=32, n_embd=10, n_hidden=68)
    shapes = [tuple(env[k].shape) for k in ("emb", "x1", "a1", "x2", "a2", "x3", "a3", "logits")]
    assert shapes == [
        (32, 8, 10), (32, 4, 20), (32, 4, 68), (32, 2, 136), (32, 2, 68), (32, 1, 136), (32, 1, 68), (32, 27)
    ]  # fmt: skip


def test_a_view_lays_neighbours_side_by_side_as_the_even_and_the_odd_places_do() -> None:
    env = run("wavenet.ex1")
    assert torch.equal(env["flat"], env["joined"])


def test_the_convolution_gives_at_its_last_position_what_the_tree_gives() -> None:
    env = run("wavenet.ex5", T=4)
    last = env["x"][:, -4:]
    first = torch.cat([env["W1past"], env["W1now"]])
    second = torch.cat([env["W2past"], env["W2now"]])
    n = last.shape[0]
    level1 = torch.tanh(last.reshape(n, 2, -1) @ first + env["b1"])
    level2 = level1.reshape(n, 1, -1) @ second + env["b2"]
    torch.testing.assert_close(level2[:, 0], env["a2"][:, -1])


def test_the_running_statistics_have_one_number_for_each_channel() -> None:
    module = names("wavenet.ex7")["BatchNorm1d"](68)
    module(torch.randn(32, 4, 68))
    assert module.running_mean.shape == (1, 1, 68)


def test_the_first_version_keeps_other_statistics_for_every_position() -> None:
    known = names("wavenet.ex7")
    x = torch.randn(16, 4, 3) + torch.arange(4.0)[:, None]
    assert not torch.allclose(known["first_version"](x), known["mended"](x), atol=0.1)
    torch.testing.assert_close(known["first_version"](x[:, 0]), known["mended"](x[:, 0]))


def test_the_batch_norm_is_torchs_but_for_the_variance_that_normalises() -> None:
    x = torch.randn(6, 4, 5)
    m = x.shape[0] * x.shape[1]
    ours, theirs = names("wavenet.ex7")["BatchNorm1d"](5), torch.nn.BatchNorm1d(5, eps=1e-5)
    # with the channels on axis 1, where torch wants them; it normalises by the biased variance
    biased = theirs(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(ours(x), biased * ((m - 1) / m) ** 0.5, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(ours.running_mean.flatten(), theirs.running_mean)
    torch.testing.assert_close(ours.running_var.flatten(), theirs.running_var)
    ours.training = False
    theirs.eval()
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2)).transpose(1, 2))


def test_a_channel_of_the_fused_gradient_sums_to_zero_over_examples_and_positions() -> None:
    env = run("wavenet.ex3")
    dy = torch.randn(env["y"].shape)
    n, t = env["x"].shape[:2]
    dx = names("wavenet.ex3")["dx"](env["gamma"], env["inv"], env["xhat"], dy, n, t)
    torch.testing.assert_close(dx.sum((0, 1)), torch.zeros(dx.shape[2]), atol=1e-4, rtol=0)


def test_the_flat_network_and_the_wide_tree_have_the_lectures_numbers_of_parameters() -> None:
    assert names("wavenet.ex8")["flat_count"](27, 10, 200, 8) == 22097
    assert names("wavenet.ex7")["count"](27, 10, 200) == 170_897


def test_the_convolutions_are_torchs_and_reach_as_far_as_they_say() -> None:
    known = names("wavenet.ex8")
    g = torch.Generator().manual_seed(1)
    x, W1, W2, b = (torch.randn(shape, generator=g) for shape in ((2, 9, 4), (4, 3), (4, 3), (3,)))
    kernel = torch.stack([W1.T, W2.T], -1)  # (out, in, 2): the past first
    padded = torch.nn.functional.pad(x.transpose(1, 2), (3, 0))
    wanted = torch.nn.functional.conv1d(padded, kernel, b, dilation=3).transpose(1, 2)
    torch.testing.assert_close(known["dilated"](x, W1, W2, b, 3), wanted)
    assert known["receptive_field"](2, [2**k for k in range(10)]) == 1024

    def last(t: torch.Tensor) -> torch.Tensor:
        for dilation in (1, 2, 4):
            t = known["dilated"](t, torch.eye(4), torch.eye(4), torch.zeros(4), dilation)
        return t[:, -1]

    far, near = x.clone(), x.clone()
    far[:, 0] += 1  # the ninth position back: a receptive field of 8 doesn't reach it
    near[:, 1] += 1
    assert torch.equal(last(far), last(x)) and not torch.equal(last(near), last(x))


def test_what_is_squeezed_into_256_values_comes_back_nearly() -> None:
    known = names("wavenet.ex8")
    x = torch.linspace(-1, 1, 1001)
    codes = known["mu_law"](x, 255)
    assert (int(codes.min()), int(codes.max())) == (0, 255) and (codes.diff() >= 0).all()
    back = known["mu_law_back"](codes, 255)
    assert (back - x).abs().max() < 0.025 and (back - x)[x.abs() < 0.01].abs().max() < 0.0006


def test_the_tree_gives_what_the_convolution_gives() -> None:
    known = names("wavenet.ex8")
    g = torch.Generator().manual_seed(2)
    weights = [tuple(torch.randn(s, generator=g) for s in ((5, 5), (5, 5), (5,))) for _ in range(3)]
    x = torch.randn((3, 8, 5), generator=g)
    torch.testing.assert_close(known["by_tree"](x, weights), known["by_convolution"](x, weights))
