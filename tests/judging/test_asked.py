"""What a task's text says is asked: other right ways pass, and what meets only the tame cases does not."""

from __future__ import annotations

import pytest
from conftest import ROOT, Grade, solution, stub_of

from grader.core.verdict import Verdict
from grader.suite import fixtures

NORM = "return sum((grad**2).sum() for grad in grads) ** 0.5"

RIGHT = {
    "a number for a tensor of one": (
        "gpt2.ex9", NORM, "return math.sqrt(sum(float((grad**2).sum()) for grad in grads))",
        "norm: a number where the solution returns a tensor of one",
    ),
    "a loss as a number": (
        "mlp.ex1", "labels].mean()", "labels].mean().item()",
        "loss: a number where the solution returns a tensor of one",
    ),
    "clipped in place": ("gpt2.ex9", "[grad * factor for", "[grad.mul_(factor) for", ""),
    "moments in place": (
        "gpt2.ex9", "    m = 0.9 * m + (1 - 0.9) * grad\n    v = 0.95 * v + (1 - 0.95) * grad**2\n",
        "    m.lerp_(grad, 1 - 0.9)\n    v.mul_(0.95).addcmul_(grad, grad, value=1 - 0.95)\n", "",
    ),
    "parameters in place": (
        "gpt2.ex9", "p = p * (1 - lr * decay) - lr * mhat / (vhat**0.5 + 1e-8)",
        "p.mul_(1 - lr * decay).sub_(lr * mhat / (vhat**0.5 + 1e-8))", "",
    ),
    "normalised in place": (
        "wavenet.ex7", "    return (x - mean) / torch.sqrt(var + eps)\n\n\nclass BatchNorm1d",
        "    return x.sub_(mean).div_(torch.sqrt(var + eps))\n\n\nclass BatchNorm1d", "",
    ),
    "counted with numbers": (
        "batchnorm.ex1", "return (h.abs() > limit).float().mean().item()",
        "return sum(abs(x) > limit for x in h.flatten().tolist()) / h.numel()", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("exercise, old, new, noted", RIGHT.values(), ids=RIGHT)
def test_another_right_way_passes(exercise: str, old: str, new: str, noted: str, grade: Grade) -> None:
    text = solution(exercise)
    assert text.count(old) == 1
    report = grade(text.replace(old, new), exercise)
    assert all(one.passed for one in report.items), [(one.id, one.check.reason) for one in report.items]
    notes = [f"{one.id.split('.')[-1]}: {one.check.note}" for one in report.items if one.check.note]
    assert notes == ([noted] if noted else [])


LOOKS_RIGHT = {
    "the norm without its root": ("gpt2.ex9.norm", NORM, "return float(sum((g**2).sum() for g in grads))"),
    "True for a norm": ("gpt2.ex9.norm", NORM, "return True"),
    "a softmax without its maximum": (
        "gpt2.ex10.online", "new = torch.maximum(high, part.max())", "new = torch.zeros(())",
    ),
    "a maximum that begins at 0": ("gpt2.ex10.online", 'torch.tensor(float("-inf"))', "torch.tensor(0.0)"),
    "the logarithm of a softmax": (
        "mlp.ex1.loss", "logprobs = shifted - shifted.exp().sum(1, keepdim=True).log()",
        "logprobs = (shifted.exp() / shifted.exp().sum(1, keepdim=True)).log()",
    ),
    "documents that end in 0": ("training-losses.ex5.packed", "document + [end]", "document + [0]"),
    "a row that ends in 0": ("training-losses.ex5.row", "answer + [end]", "answer + [0]"),
    "a row filled with 0": (
        "training-losses.ex5.row", "x + [end] * spare, y + [end]", "x + [0] * spare, y + [end]",
    ),
    "momentum by heart": (
        "wavenet.ex7.running", "self.running_mean + self.momentum * mean", "self.running_mean + 0.1 * mean",
    ),
    "eps by heart": ("wavenet.ex7.batchnorm", "var + self.eps", "var + 1e-5"),
    "the mended one's eps by heart": (
        "wavenet.ex7.mended", "    return (x - mean) / torch.sqrt(var + eps)\n\n\nclass BatchNorm1d",
        "    return (x - mean) / torch.sqrt(var + 1e-5)\n\n\nclass BatchNorm1d",
    ),
    "both axes squeezed": ("wavenet.ex7.flatten", "x.squeeze(1) if x.shape[1] == 1 else x", "x.squeeze()"),
    "a sum as large as the number": ("gpt.ex11.generate", "sums <= u", "sums < u"),
    "a sum that is no more than the number": ("bigrams.ex1.sample", "cumsum(0) > u", "cumsum(0) >= u"),
    "as far as the limit": ("batchnorm.ex1.saturated", "h.abs() > limit).float", "h.abs() >= limit).float"),
    "dead at the limit": ("batchnorm.ex1.dead", "h.abs() > limit).all", "h.abs() >= limit).all"),
    "a ReLU open at 0": ("batchnorm.ex2.dxrelu", "(xrelu > 0)", "(xrelu >= 0)"),
    "a hidden ReLU open at 0": ("gpt.ex9.dhidden", "(hidden > 0)", "(hidden >= 0)"),
}  # fmt: skip


@pytest.mark.parametrize("item, old, new", LOOKS_RIGHT.values(), ids=LOOKS_RIGHT)
def test_what_is_right_on_tame_cases_alone_does_not_pass(item: str, old: str, new: str, grade: Grade) -> None:
    exercise, name = item.rsplit(".", 1)
    text = solution(exercise)
    assert old in text
    (report,) = grade(text.replace(old, new), exercise, [name]).items
    assert report.verdict in (Verdict.WRONG, Verdict.NOT_FINITE, Verdict.NOT_A_TENSOR)


def test_a_mistake_is_known_whether_it_came_as_a_number_or_as_a_tensor(grade: Grade) -> None:
    rootless = NORM.removesuffix(" ** 0.5").removeprefix("return ")
    told = []
    for value in (rootless, f"float({rootless})"):
        (report,) = grade(solution("gpt2.ex9").replace(NORM, f"return {value}"), "gpt2.ex9", ["norm"]).items
        assert report.verdict is Verdict.WRONG
        told.append(report.diagnosis)
    assert told[0] and told[0] == told[1]


@pytest.mark.parametrize("exercise", ["gpt2.ex5", "gpt2.ex8"])
def test_the_example_of_the_positions_has_a_row_that_was_not_used(exercise: str) -> None:
    rungs = fixtures.hints(ROOT, fixtures.describe(ROOT, exercise))["items"]["dwpe"]["rungs"]
    rows = rungs["example"].split("dwpe")[1].split("\n\n")[0].splitlines()[1:]
    assert len(rows) == 3 and set(rows[-1].split()) == {"0"}


def test_the_text_says_how_a_bias_is_called() -> None:
    assert '"mlp.proj.bias"' in stub_of("gpt2.ex10")
