"""The grader's own mutation test: no first-order mistake in a reference body may pass."""

from __future__ import annotations

import pytest
from conftest import GRADIENTS, solution
from local import Local, lecture_cmp

from grader import authored
from grader.core.exercise import Exercise, Task
from grader.mutants import Mutant, mutants

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


def made(exercise: str, description: Exercise) -> list[Mutant]:
    parts = authored.read(solution(exercise), f"solutions/{'/'.join(exercise.split('.'))}.py")
    shapes = description.shapes
    found = []
    for item in parts.gradients:
        known = [t for t in (*description.tensors, *parts.available(item)) if t in shapes]
        alike = {
            p: [t for t in known if t != p and shapes[t] == shapes[p]] for p in item.params if p in shapes
        }
        found += mutants(item, alike)
    return found


@pytest.mark.parametrize("exercise", GRADIENTS)
def test_no_mutant_that_is_not_equivalent_passes(
    exercise: str, exercises: dict[str, Task], capsys: pytest.CaptureFixture[str]
) -> None:
    description, fixtures = exercises[exercise]
    local = Local(description, fixtures)
    lecture = description.fixtures[0].name
    head = authored.read(solution(exercise), exercise).imports
    survivors: list[str] = []
    fooled = 0
    all_of_them = made(exercise, description)
    for mutant in all_of_them:
        source = f"{head}\n\n{mutant.source}\n"
        if local.passes(source, mutant.item):
            survivors.append(f"{exercise}.{mutant.key}")
        else:
            record = local.values(source, mutant.item)[lecture]
            fooled += lecture_cmp(record, fixtures.references[lecture].values[mutant.item])
    with capsys.disabled():
        print(
            f"\n{exercise}: {len(all_of_them)} mutants, {len(all_of_them) - len(survivors)} rejected, "
            f"{len(survivors)} equivalent; the lecture's cmp would have accepted {fooled} of the rejected"
        )
    assert [key for key in survivors if key not in EQUIVALENT] == []


def test_every_mutant_that_is_listed_as_equivalent_exists(exercises: dict[str, Task]) -> None:
    keys = {f"{e}.{m.key}" for e in GRADIENTS for m in made(e, exercises[e][0])}
    assert set(EQUIVALENT) <= keys
