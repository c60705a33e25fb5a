"""The second lecture's figures, by the author's own functions of the set bigrams."""

from __future__ import annotations

import math

import pytest
import torch
from authors import Net, functions
from conftest import Grade, solution
from test_names import LECTURE

from grader.core.verdict import Verdict
from grader.reference.lecture import LETTERS, bigrams, embedded_names, read_names

CHARS = "." + LETTERS
SEED = 2147483647
table, network, around = (functions(f"bigrams.ex{k}") for k in (1, 2, 5))
with_the_lectures_names = pytest.mark.skipif(not LECTURE.is_file(), reason=f"no names at {LECTURE}")


def weights() -> torch.Tensor:
    return torch.randn((27, 27), generator=torch.Generator().manual_seed(SEED))


def test_emma_is_five_pairs() -> None:
    xs, ys = network.pairs(["emma"], CHARS)
    assert (xs.tolist(), ys.tolist()) == ([0, 5, 13, 13, 1], [5, 13, 13, 1, 0])
    g = torch.Generator()
    assert [t.tolist() for t in bigrams(g, 5, 27)] == [xs.tolist(), ys.tolist()]


def test_the_loss_of_emma_falls_as_in_the_lecture() -> None:
    pairs = network.pairs(["emma"], CHARS)
    found = network.losses(network.onehot(pairs, 27), pairs, weights(), 0.1, 3)
    assert [round(loss, 4) for loss in found] == [3.7693, 3.7492, 3.7292]


def test_the_steps_of_exercise_3_give_the_same_losses() -> None:
    net, W, found = Net("bigrams.ex3"), weights(), []
    xs, ys = network.pairs(["emma"], CHARS)
    for _ in range(3):
        full = net({"n": 5, "xenc": torch.eye(27)[xs], "ys": ys, "W": W})
        found.append(round(float(full["loss"]), 4))
        W = W - 0.1 * full["dW"]
    assert found == [3.7693, 3.7492, 3.7292]


def test_the_regularisation_adds_its_share_of_every_weight_to_the_gradient() -> None:
    xs, ys = network.pairs(["emma"], CHARS)
    env = {"n": 5, "xenc": torch.eye(27)[xs], "ys": ys, "W": weights()}
    one = torch.ones(())
    plain = Net("bigrams.ex3")(env)["dW"]
    regularised = Net("bigrams.ex4")(env, dnll=one, dpenalty=one)["dW"]
    torch.testing.assert_close(regularised - plain, 2 * 0.01 * weights() / 729, rtol=1e-3, atol=1e-7)


def test_a_row_of_the_table_sums_to_one_and_a_column_does_not() -> None:
    N = table.counts(embedded_names()[:200], CHARS)
    P = table.probs(N, 1)
    assert N.dtype == torch.int32 and int(N[5, 13]) > 0
    torch.testing.assert_close(P.sum(1), torch.ones(27))
    assert not torch.allclose(P.sum(0), torch.ones(27), atol=0.1)


def test_words_are_drawn_as_often_as_the_table_says() -> None:
    """With numbers evenly spread, each first letter comes as often as its probability."""
    N = table.counts(embedded_names()[:500], CHARS)
    P = table.probs(N, 1)
    letters = [table.sample(P, CHARS, [(k + 0.5) / 1000, 0.0]) for k in range(1000)]
    assert sum(words == [""] for words in letters) == pytest.approx(1000 * float(P[0, 0]), abs=2)


@with_the_lectures_names
def test_the_lectures_counts_and_likelihoods() -> None:
    names = read_names(LECTURE)
    N = table.counts(names, CHARS)
    at = {pair: int(N[CHARS.index(pair[0]), CHARS.index(pair[1])]) for pair in ("n.", "a.", "an")}
    assert len(names) == 32_033 and sorted({len(name) for name in names})[::13] == [2, 15]
    assert at == {"n.": 6763, "a.": 6640, "an": 5438} and int(N.sum()) == 228_146
    share = N / N.sum()
    smoothed = table.probs(N, 1)
    plain = N / N.sum(1, keepdim=True)
    assert round(float(-(share[N > 0] * plain[N > 0].log()).sum()), 4) == 2.4540
    assert round(float(-(share * smoothed.log()).sum()), 4) == 2.4546
    few = names[:300]  # what the author's function gives is that sum
    own = table.counts(few, CHARS)
    expected = float(-(own * smoothed.log()).sum() / own.sum())
    assert table.nll(few, CHARS, smoothed) == pytest.approx(expected, rel=1e-5)


@with_the_lectures_names
def test_the_network_comes_to_the_lectures_losses_on_all_its_names() -> None:
    names = read_names(LECTURE)
    N = table.counts(names, CHARS).float()
    n = int(N.sum())

    def gradient(W: torch.Tensor) -> torch.Tensor:  # of all pairs, each distinct one once
        found: torch.Tensor = (N.sum(1, keepdim=True) * W.softmax(1) - N) / n
        return found

    def loss(W: torch.Tensor) -> float:
        return round(float(-(N * W.log_softmax(1)).sum() / n), 4)

    xs, ys = network.pairs(names, CHARS)
    env = {"n": n, "xenc": torch.eye(27).double()[xs], "ys": ys, "W": weights().double()}
    full = Net("bigrams.ex3")(env)
    assert round(float(full["loss"]), 4) == loss(weights()) == 3.7590
    torch.testing.assert_close(full["dW"], gradient(weights().double()), rtol=1e-9, atol=1e-12)
    W, found = weights(), {}
    for step in range(201):
        found[step] = loss(W)
        W = W - 50 * gradient(W)
    assert (found[100], found[200]) == (2.4727, 2.4623)


def test_the_dict_has_the_tables_counts_and_the_product_its_likelihood() -> None:
    words = list(embedded_names())[:50]
    counts, N = around.counted(words), table.counts(words, CHARS)
    assert {pair: int(N[CHARS.index(pair[0]), CHARS.index(pair[1])]) for pair in counts} == counts
    assert sum(counts.values()) == int(N.sum())
    P = table.probs(N, 1)
    pairs = sum(len(word) + 1 for word in words[:3])
    assert -math.log(around.likelihood(words[:3], CHARS, P)) / pairs == pytest.approx(
        table.nll(words[:3], CHARS, P), rel=1e-4
    )


def test_the_network_draws_what_the_table_draws() -> None:
    P = table.probs(table.counts(list(embedded_names())[:200], CHARS), 1)
    uniforms = torch.rand(300, generator=torch.Generator().manual_seed(1)).tolist()
    assert around.sample(P.log(), CHARS, uniforms) == table.sample(P, CHARS, uniforms)


def test_two_letters_tell_more_than_one() -> None:
    words = list(embedded_names())[:500]
    pairs = table.probs(table.counts(words, CHARS), 0.01)
    threes = around.trigram_probs(around.trigrams(words, CHARS), 0.01)
    assert around.trigram_nll(words[:50], CHARS, threes) < table.nll(words[:50], CHARS, pairs)


@pytest.mark.parametrize("name, factor", [("dlogits", "dnll * "), ("dsquares", " * dpenalty")])
def test_the_gradients_from_above_are_1_in_the_lecture_and_an_answer_without_them_is_wrong(
    name: str, factor: str, grade: Grade
) -> None:
    program = Net("bigrams.ex4").program
    env, gradients = program.gradients(program.draw(program.fixtures["lecture"]))
    assert env["loss"] == env["nll"] + env["penalty"] and gradients["nll"] == gradients["penalty"] == 1
    text = solution("bigrams.ex4")
    assert text.count(factor) == 1
    found = grade(text.replace(factor, ""), "bigrams.ex4")
    assert [i.verdict for i in found.items if i.id.endswith(f".{name}")] == [Verdict.WRONG]
