"""The grader's own mutation test: no first-order mistake in a reference body may pass, and each is named."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import GRADIENTS, sampled
from mutation import Outcome, chosen, made, run

from grader.authoring.slips.sentences import say
from grader.core.exercise import Task
from grader.diagnosis.diagnose import AS_IF

# The mutants that are the same function, by hand, each with its reason.
ARGMAX = "the maximum is at the same place: softmax and its steps are monotone in each row"
BROADCAST = "adding broadcasts, so the factor of ones does nothing"
LEADING = "differs only by a leading dimension of 1, which passes with a note"
ALIAS = "the same value; that it changes its argument is noted, not failed"
ONES = "dividing by one is multiplying by it"
SHIFT = "log-probabilities are logits less a number for each row: their softmax is the same"
ONE_POSITION = "one position is left, and a product over an axis of 1 is an elementwise one, broadcast"
TWO_FORMS = "the same pairs, once by view and once by slices"
SQUARE = "the table is square"
HANDED_ON = "a sum hands its gradient on: it is the same number one line later, another right choice"
GATE = "the ReLU's output is positive where its input is"
FOUR_AXES = "of four axes, axis 2 is axis -2"
VECTOR = "w is one column"
EQUIVALENT = {
    "ex1.dcounts: factor dropped: torch.ones_like(counts) * dcounts_sum -> dcounts_sum": BROADCAST,
    "ex1.dlogits: clone dropped: dnorm_logits.clone() -> dnorm_logits": ALIAS,
    "ex1.dlogits: another tensor: logits -> norm_logits": ARGMAX,
    "ex1.dlogits: another tensor: logits -> counts": ARGMAX,
    "ex1.dlogits: another tensor: logits -> probs": ARGMAX,
    "ex1.dlogits: another tensor: logits -> logprobs": ARGMAX,
    "ex1.dbndiff2: division for multiplication: 1.0 / (n - 1) * torch.ones_like(bndiff2) "
    "-> 1.0 / (n - 1) / torch.ones_like(bndiff2)": ONES,
    "ex1.dcounts: division for multiplication: torch.ones_like(counts) * dcounts_sum "
    "-> dcounts_sum / torch.ones_like(counts)": ONES,
    "ex1.dhprebn: division for multiplication: torch.ones_like(hprebn) * dbnmeani "
    "-> dbnmeani / torch.ones_like(hprebn)": ONES,
    "ex1.dhprebn: clone dropped: dbndiff.clone() -> dbndiff": ALIAS,
    "wavenet.ex1.dW1: another tensor: flat -> joined": TWO_FORMS,
    "wavenet.ex1.demb: clone dropped: dflat.reshape(emb.shape).clone() -> dflat.reshape(emb.shape)": ALIAS,
    "wavenet.ex2.ddiff2: division for multiplication: 1.0 / (n * t - 1) * torch.ones_like(diff2) "
    "-> 1.0 / (n * t - 1) / torch.ones_like(diff2)": ONES,
    "wavenet.ex2.dx: factor dropped: torch.ones_like(x) * dmean -> dmean": BROADCAST,
    "wavenet.ex4.dW3: elementwise for matrix product: x3.transpose(-2, -1) @ da3 "
    "-> x3.transpose(-2, -1) * da3": ONE_POSITION,
    "gpt.ex2.dtable: constant changed: 1 -> 0": SQUARE,
    "gpt.ex3.dwte: another tensor: dtok -> dx": HANDED_ON,
    "gpt.ex7.ddiff2: division for multiplication: 1.0 / C * torch.ones_like(diff2) "
    "-> 1.0 / C / torch.ones_like(diff2)": ONES,
    "gpt.ex7.dx: factor dropped: torch.ones_like(x) * dmean -> dmean": BROADCAST,
    "gpt.ex9.dproj: another tensor: ddropped -> dy": HANDED_ON,
    "gpt.ex9.dhidden: another tensor: hidden -> act": GATE,
    "gpt.ex10.dhidden: another tensor: hidden -> act": GATE,
    "modern.ex5.dh: another tensor: h -> said": GATE,
    "modern.ex6.dy: another tensor: y -> h": GATE,
    "modern.ex8.dp: another tensor: p -> a": GATE,
    "modern.ex8.dK: zeros for ones: torch.zeros_like(K) -> torch.ones_like(K)": "every place is assigned",
    "modern.ex7.dpickedb: another tensor: dlogpb -> dratiob": HANDED_ON,
    "modern.ex7.dlogitsw: another tensor: dlogpw -> dratiow": HANDED_ON,
    **{
        f"modern.ex8.dK: constant changed: {more}": "more zeros than are seen"
        for more in ("0 -> 1", "1 -> 2")
    },
    **{
        f"gpt.{ex}.{item}: sign dropped: -2 -> 2": FOUR_AXES
        for ex in ("ex6", "ex10")
        for item in ("dvh", "datt", "dkh")
    },
    "ex1.dhprebn: factor dropped: torch.ones_like(hprebn) * dbnmeani -> dbnmeani": BROADCAST,
    "mlp.ex2.dcounts: division for multiplication: torch.ones_like(counts) * dcounts_sum "
    "-> dcounts_sum / torch.ones_like(counts)": ONES,
    **{
        f"{ex}.dx: division for multiplication: torch.ones_like(x) * dmean "
        "-> dmean / torch.ones_like(x)": ONES
        for ex in ("wavenet.ex2", "gpt.ex7")
    },
    "gpt2.ex7.dnll: division for multiplication: torch.ones_like(nll) * dmicro.unsqueeze(1) "
    "-> dmicro.unsqueeze(1) / torch.ones_like(nll)": ONES,
    "training-losses.ex3.dreadb: view for transpose: w.T -> w.reshape(w.T.shape)": VECTOR,
    "training-losses.ex3.dreadw: view for transpose: w.T -> w.reshape(w.T.shape)": VECTOR,
    "gpt2.ex7.dlogits: another tensor: logits -> logprobs": SHIFT,
    "training-losses.ex4.dlogits: another tensor: logits -> logprobs": SHIFT,
}
PART = "nll and penalty enter the loss as they are: a gradient of the loss itself, which is a choice one has"
SHAPE = "of squares only the number of elements counts, and W has as many"
SIDE = "the output is positive where the input is"
EQUIVALENT |= {
    "bigrams.ex4.dlogits: factor dropped: dnll * (probs - F.one_hot(ys, num_classes=probs.shape[1])) "
    "-> probs - F.one_hot(ys, num_classes=probs.shape[1])": PART,
    "bigrams.ex4.dlogits: another tensor: dnll -> dloss": PART,
    "bigrams.ex4.dsquares: factor dropped: 0.01 / squares.numel() * torch.ones_like(squares) * dpenalty "
    "-> 0.01 / squares.numel() * torch.ones_like(squares)": PART,
    "bigrams.ex4.dsquares: another tensor: dpenalty -> dloss": PART,
    "bigrams.ex4.dsquares: another tensor: squares -> W": SHAPE,
    "bigrams.ex4.dsquares: division for multiplication: 0.01 / squares.numel() * torch.ones_like(squares) "
    "-> 0.01 / squares.numel() / torch.ones_like(squares)": ONES,
    "mlp.ex2.dlogits: another tensor: logits -> shifted": ARGMAX,
    "mlp.ex2.dlogits: another tensor: logits -> counts": ARGMAX,
    "mlp.ex2.dlogits: another tensor: logits -> logprobs": ARGMAX,
    "batchnorm.ex2.dxrelu: another tensor: xrelu -> yrelu": SIDE,
    "batchnorm.ex2.dxleaky: another tensor: xleaky -> yleaky": SIDE,
    "batchnorm.ex2.dxelu: another tensor: xelu -> yelu": SIDE,
}
for _item, _sum in {
    "ex1.dbngain": "(bnraw * dhpreact)",
    "ex1.dbnbias": "dhpreact",
    "ex1.dbnvar_inv": "(bndiff * dbnraw)",
    "ex1.dbnmeani": "(-dbndiff)",
    "ex4.dbngain": "(bnraw * dhpreact)",
    "ex4.dbnbias": "dhpreact",
    "batchnorm.ex3.dbngain": "(bnraw * dhpreact)",
    "batchnorm.ex3.dbnbias": "dhpreact",
    "batchnorm.ex3.dbnstdi": "((hprebn - bnmeani) * dbnraw)",
    "batchnorm.ex3.dbnmeani": "dbnraw",
}.items():
    EQUIVALENT[f"{_item}: keepdim dropped: {_sum}.sum(0, keepdim=True) -> {_sum}.sum(0)"] = LEADING
for _item, _sum in {
    "wavenet.ex2.dgamma": "(xhat * dy)",
    "wavenet.ex2.dbeta": "dy",
    "wavenet.ex2.dinv": "(diff * dxhat)",
    "wavenet.ex2.dmean": "(-ddiff)",
    "wavenet.ex4.dgamma1": "(xhat1 * (1.0 - h1 ** 2) * dh1)",
    "wavenet.ex4.dbeta1": "((1.0 - h1 ** 2) * dh1)",
    **{f"wavenet.ex4.dgamma{k}": f"(xhat{k} * dy{k})" for k in (2, 3)},
    **{f"wavenet.ex4.dbeta{k}": f"dy{k}" for k in (2, 3)},
}.items():
    EQUIVALENT[f"{_item}: keepdim dropped: {_sum}.sum((0, 1), keepdim=True) -> {_sum}.sum((0, 1))"] = LEADING


# What a relation says: the same mistake in other words, true of the value itself.
RELATION = re.compile(
    r"the sign is wrong|the branch through|what comes through|all (zero|ones)|right when transposed"
    r"|right (everywhere but )?at|exactly \S+ times|it is summed|it is (multiplied|divided) by"
    r"|.* is (passed through|written where)|1 too much everywhere|the sum over dim"
)


@dataclass(frozen=True)
class Ran:
    exercise: str
    outcomes: list[Outcome]


@pytest.fixture(scope="module", params=sampled(GRADIENTS, 16))
def ran(request: pytest.FixtureRequest, exercises: dict[str, Task]) -> Ran:
    """An exercise and its mutants, each run once for all tests here; some are diagnosed."""
    exercise: str = request.param
    found = made(exercise, exercises[exercise][0])
    return Ran(exercise, run(exercise, *exercises[exercise], found, chosen(exercise, found)))


def test_no_mutant_that_is_not_equivalent_passes(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    survivors = [f"{ran.exercise}.{o.mutant.key}" for o in ran.outcomes if o.passed]
    with capsys.disabled():
        print(
            f"\n{ran.exercise}: {len(ran.outcomes)} mutants, {len(ran.outcomes) - len(survivors)} rejected, "
            f"{len(survivors)} equivalent; the lecture's cmp would have accepted "
            f"{sum(o.fooled for o in ran.outcomes)} of the rejected"
        )
    assert [key for key in survivors if key not in EQUIVALENT] == []


def test_a_mutant_that_is_listed_as_equivalent_exists(ran: Ran) -> None:
    listed = {key for key in EQUIVALENT if key.startswith(f"{ran.exercise}.")}
    assert listed <= {f"{ran.exercise}.{o.mutant.key}" for o in ran.outcomes}


def test_every_exercise_with_equivalent_mutants_exists() -> None:
    assert {key.partition(": ")[0].rpartition(".")[0] for key in EQUIVALENT} <= set(GRADIENTS)


def unnamed(outcomes: list[Outcome], diagnosis: bytes | str) -> tuple[list[str], list[str], int]:
    """Of the mutants with a wrong value: those that get no diagnosis, those that get one that is neither
    their own nor an equal one's, and how many there are. diagnosis: what the fixtures carry of mistakes.
    """
    prints_of: dict[tuple[str, str], list[list[float]]] = {}  # (item, sentence) -> fingerprints
    for name, known in json.loads(diagnosis).items():
        for m in known["mistakes"]:
            prints = [p for on in m["on"].values() for p in on["prints"]]
            prints_of.setdefault((name, m["say"]), []).append(prints)
    told = [(o.mutant, o.report.mistake, o.prints) for o in outcomes if o.report and o.prints]
    for mutant, _, prints in told:
        prints_of.setdefault((mutant.item, say(mutant)), []).append(prints)
    silent, wrong = [], []
    for mutant, mistake, prints in told:
        if mistake and mistake.line:
            continue  # a change of its text was run, and found to make it right
        said = mistake.text if mistake else None
        equals = prints_of.get((mutant.item, (said or "").removeprefix(AS_IF)), [])
        if said is None:
            silent.append(mutant.key)
        elif not RELATION.match(said) and not any(
            len(prints) == len(other) and np.allclose(prints, other, 1e-3, 1e-4) for other in equals
        ):
            wrong.append(f"{mutant.key}: {said}")
    return silent, wrong, len(told)


def test_a_mutant_is_named_by_itself_or_by_an_equal_one(
    ran: Ran, exercises: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    silent, wrong, many = unnamed(ran.outcomes, exercises[ran.exercise][1].diagnosis)
    with capsys.disabled():
        named = many - len(silent) - len(wrong)
        print(f"\n{ran.exercise}: {named} of {many} wrong values named, {len(silent)} silent")
    assert (silent, wrong) == ([], [])
    assert many


@pytest.mark.slow
@pytest.mark.parametrize("exercise", [e for e in GRADIENTS if "." in e])
def test_every_other_mutant_is_named_too(exercise: str, exercises: dict[str, Task]) -> None:
    description, fixtures = exercises[exercise]
    found = made(exercise, description)
    usual = {m.key for m in chosen(exercise, found)}
    left = [m for m in found if m.key not in usual]
    silent, wrong, _ = unnamed(run(exercise, description, fixtures, left, left), fixtures.diagnosis)
    assert (silent, wrong) == ([], [])
