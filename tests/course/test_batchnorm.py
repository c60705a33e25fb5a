"""The fourth lecture's figures, by the author's own functions of the set batchnorm."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from authors import Net, functions
from test_bigrams import with_the_lectures_names
from test_names import LECTURE

from grader.reference.lecture import dataset, minibatch, parameters, read_names, splits

start, layers, modules = (functions(f"batchnorm.ex{k}") for k in (1, 5, 6))


def test_the_loss_to_expect_is_the_lectures() -> None:
    assert round(start.expected_loss(27), 4) == 3.2958


def test_deep_networks_have_the_lectures_numbers_of_parameters() -> None:
    assert start.parameter_count(27, 3, 10, 100, 5) == (46497, 47024)
    shallow = {k: v for k, v in parameters(torch.Generator(), 3, 27, 10, 200).items() if k != "b1"}
    assert sum(p.numel() for p in shallow.values()) == 12097


def test_the_layer_is_torchs_but_for_the_variance_it_divides_by() -> None:
    """torch.nn.BatchNorm1d normalises with the variance over n, and keeps the one over n - 1."""
    g = torch.Generator().manual_seed(1)
    own, torchs = layers.BatchNorm1d(6), torch.nn.BatchNorm1d(6)
    for _ in range(5):
        x = 3 * torch.randn((32, 6), generator=g) + 1
        given = own(x)
        wanted = torchs(x).detach()
    torch.testing.assert_close(own.running_mean, torchs.running_mean)
    torch.testing.assert_close(own.running_var, torchs.running_var)
    torch.testing.assert_close(given, wanted * (31 / 32) ** 0.5, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(given, wanted, rtol=1e-3)
    own.training = False
    torchs.eval()
    torch.testing.assert_close(own(x), torchs(x).detach(), rtol=1e-4, atol=1e-5)


def test_a_batch_that_does_not_vary_gives_the_bias() -> None:
    assert layers.BatchNorm1d(4)(torch.ones(8, 4)).tolist() == [[0.0] * 4] * 8


def test_the_bias_before_a_batch_norm_has_no_gradient_but_rounding() -> None:
    g = torch.Generator().manual_seed(1)
    env = {"n": 32, **minibatch(g, 32, 3, 27), **parameters(g, 3, 27, 10, 64)}
    net = Net("batchnorm.ex3")
    full = net(env, dhpreact=net.program.gradients(env)[1]["hpreact"])
    assert full["db1"].abs().max() < 1e-7 < 1e-4 < full["dhprebn"].abs().max()


def test_a_stack_of_linear_layers_gives_what_its_product_gives() -> None:
    env = functions("batchnorm.ex4").inputs(torch.Generator().manual_seed(1), 8, 6, 10, 4, 5)
    W = layers.collapsed([env["Wa"], env["Wb"], env["Wc"]])
    torch.testing.assert_close(env["x"] @ env["Wa"] @ env["Wb"] @ env["Wc"], env["x"] @ W)


def test_an_update_is_a_thousandth_of_its_weights_where_the_ratio_is_minus_three() -> None:
    w = torch.randn((30, 200), generator=torch.Generator().manual_seed(1))
    assert layers.update_ratios([w, w[0]], [w, w[0]], 1e-3) == pytest.approx([-3.0], abs=1e-4)


@with_the_lectures_names
def test_the_lectures_first_losses_and_saturation() -> None:
    xs, ys = (torch.tensor(t) for t in dataset(splits(read_names(LECTURE))[0]))
    g = torch.Generator().manual_seed(2147483647)
    shapes = [(27, 10), (30, 200), (200,), (200, 27), (27,)]
    C, W1, b1, W2, b2 = (torch.randn(shape, generator=g) for shape in shapes)
    ix = torch.randint(0, len(xs), (32,), generator=g)
    embcat = C[xs[ix]].view(32, -1)

    def loss(scale: float) -> float:
        return round(float(F.cross_entropy(h @ (W2 * scale) + b2 * (scale == 1), ys[ix])), 4)

    h = torch.tanh(embcat @ W1 + b1)
    assert [loss(scale) for scale in (1, 0.1, 0.01, 0)] == [27.8817, 4.2326, 3.3221, 3.2958]
    assert round(100 * start.saturated(h, 0.99), 2) == 60.95
    assert not start.dead(h, 0.99).all()
    kept = torch.tanh(embcat @ start.kaiming(W1, 5 / 3))
    assert round(100 * start.saturated(kept, 0.99), 1) == 8.1


def test_the_modules_are_torchs() -> None:
    g = torch.Generator().manual_seed(1)
    x, noise = torch.randn((7, 5), generator=g), torch.randn((5, 3), generator=g)
    ours, theirs = modules.Linear(noise), torch.nn.Linear(5, 3)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight.T)
        theirs.bias.zero_()
        torch.testing.assert_close(ours(x), theirs(x))
        norm, nn_norm = modules.BatchNorm1d(5), torch.nn.BatchNorm1d(5)
        for batch in (x, 2 * x + 1):
            torch.testing.assert_close(norm(batch), nn_norm(batch))
        torch.testing.assert_close(norm.running_mean, nn_norm.running_mean)
        torch.testing.assert_close(norm.running_var, nn_norm.running_var)
        norm.training = False
        nn_norm.eval()
        torch.testing.assert_close(norm(x[:1]), nn_norm(x[:1]))


def test_the_spread_of_a_deep_stack_goes_as_in_the_lecture() -> None:
    """With a gain of 1 it shrinks, with 5/3 it stays near 0.65, with 3 a good part is saturated."""
    g = torch.Generator().manual_seed(2147483647)
    x = torch.randn((1000, 200), generator=g)
    noises = [torch.randn((200, 200), generator=g) for _ in range(5)]
    last = {gain: modules.spread(x, noises, gain, 0.97)[-1] for gain in (1, 5 / 3, 3)}
    assert last[1][0] < 0.4 and last[1][1] < 0.001
    assert last[5 / 3][0] == pytest.approx(0.65, abs=0.03) and last[5 / 3][1] < 0.1
    assert last[3][0] > 0.75 and last[3][1] > 0.2
