"""The third lecture's figures, by the author's own functions of the set mlp."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from authors import Net, functions
from test_bigrams import CHARS, with_the_lectures_names
from test_names import LECTURE

from grader.reference.lecture import minibatch, mlp_parameters, read_names, splits

contexts, training, around = (functions(f"mlp.ex{k}") for k in (1, 5, 6))


def test_a_context_moves_on_by_one_letter() -> None:
    X, Y = contexts.dataset(["emma"], CHARS, 3)
    assert X.tolist() == [[0, 0, 0], [0, 0, 5], [0, 5, 13], [5, 13, 13], [13, 13, 1]]
    assert Y.tolist() == [5, 13, 13, 1, 0]


@pytest.mark.parametrize(("n_embd", "n_hidden", "count"), [(2, 100, 3481), (2, 300, 10281), (10, 200, 11897)])
def test_the_lectures_networks_have_the_lectures_numbers_of_parameters(
    n_embd: int, n_hidden: int, count: int
) -> None:
    assert training.parameter_count(27, 3, n_embd, n_hidden) == count
    drawn = mlp_parameters(torch.Generator(), 3, 27, n_embd, n_hidden)
    assert sum(p.numel() for p in drawn.values()) == count


def test_the_softmax_is_the_lectures_however_large_the_logits_are() -> None:
    logits = torch.tensor([[-2.0, 3.0, -3.0, 0.0, 5.0]])
    for shift in (0.0, 100.0, -1000.0):
        assert float(contexts.softmax(logits + shift)[0, 4]) == pytest.approx(0.8747, abs=1e-4)


def test_learning_rates_are_spaced_by_their_exponents() -> None:
    found = training.rates(-3, 0, 1000)
    torch.testing.assert_close(found, 10 ** torch.linspace(-3, 0, 1000))
    ratios = found[1:] / found[:-1]
    assert (float(found[0]), float(found[-1])) == pytest.approx((0.001, 1.0))
    torch.testing.assert_close(ratios, ratios[0].expand(999), rtol=1e-4, atol=0)


def test_the_cross_entropy_line_by_line_and_the_fused_one_have_the_same_gradient() -> None:
    g = torch.Generator().manual_seed(1)
    inputs = {**minibatch(g, 8, 3, 27), **mlp_parameters(g, 3, 27, 2, 12)}
    full = Net("mlp.ex2")({"n": 8, **inputs})
    fused = (F.softmax(full["logits"], 1) - F.one_hot(full["Yb"], 27)) / 8
    torch.testing.assert_close(full["dlogits"], fused, rtol=1e-4, atol=1e-7)


def test_the_five_gradients_of_the_set_are_autograds() -> None:
    g = torch.Generator().manual_seed(1)
    inputs = {**minibatch(g, 8, 3, 27), **mlp_parameters(g, 3, 27, 2, 12)}
    dlogits = Net("mlp.ex2")({"n": 8, **inputs})["dlogits"]
    layers = Net("mlp.ex3")({"n": 8, **inputs}, dlogits=dlogits)
    table = Net("mlp.ex4")(inputs, dembcat=layers["dembcat"])
    leaves = {k: v.clone().requires_grad_() for k, v in inputs.items() if k not in ("Xb", "Yb")}
    h = torch.tanh(leaves["C"][inputs["Xb"]].view(8, -1) @ leaves["W1"] + leaves["b1"])
    F.cross_entropy(h @ leaves["W2"] + leaves["b2"], inputs["Yb"]).backward()
    for name in ("W1", "b1", "W2", "b2"):
        torch.testing.assert_close(layers["d" + name], leaves[name].grad)
    torch.testing.assert_close(table["dC"], leaves["C"].grad)


@with_the_lectures_names
def test_the_lectures_names_split_into_the_lectures_numbers() -> None:
    names = read_names(LECTURE)
    shuffled = sum(splits(names), [])
    parts = training.splits(shuffled)
    assert (len(parts[0]), len(parts[0]) + len(parts[1])) == (25626, 28829)
    assert parts == splits(names)
    assert [len(contexts.dataset(part, CHARS, 3)[1]) for part in parts] == [182_625, 22_655, 22_866]


def test_the_samplers_lecture_fixture_has_words() -> None:
    settings = dict(training.FIXTURES["lecture"])
    drawn = training.inputs(torch.Generator().manual_seed(settings.pop("seed")), **settings)
    network, chars, uniforms = (drawn[name] for name in ("network", "chars", "uniforms"))
    assert len(training.sample(network, chars, settings["block_size"], uniforms)) > 2


def test_the_strides_and_places_are_torchs() -> None:
    x = torch.arange(60).view(3, 4, 5)
    assert around.strides((3, 4, 5)) == x.stride()
    part = x[1:, ::2].transpose(1, 2)
    at = around.place(part.storage_offset(), part.stride(), (1, 3, 1))
    assert x.view(-1)[at] == part[1, 3, 1]


def test_a_batch_is_learnt_by_heart_and_the_perplexity_is_the_losss() -> None:
    X, Y = torch.tensor([[1, 2], [2, 3], [3, 1]]), torch.tensor([1, 2, 3])
    network = {"W": torch.zeros(8, 4), "b": torch.zeros(4)}
    losses = around.overfit(network, X, Y, 200, around.gradients_of, 1.0)
    assert losses[0] == pytest.approx(math.log(4)) and losses[-1] < 0.02
    assert around.perplexity([losses[0]] * 3) == pytest.approx(4)


def test_without_the_direct_connections_bengios_network_is_the_lectures() -> None:
    g = torch.Generator().manual_seed(1)
    C, H, U = (torch.randn(shape, generator=g) for shape in ((6, 2), (6, 5), (5, 6)))
    X = torch.randint(6, (4, 3), generator=g)
    zero = torch.zeros(6, 6)
    found = around.direct(C, X, H, torch.zeros(5), U, zero, torch.zeros(6))
    torch.testing.assert_close(found, contexts.hidden(C, X, H, torch.zeros(5)) @ U)
    assert around.bengio_count(27, 10, 200, 3, False) == 11897
