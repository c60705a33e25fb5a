# ruff: noqa: E501
"""Mistakes as learners make them, in their own words, and the diagnosis that each must get.

Not as our solution is written: other orders, einsum, torch.sum, loops. None: an honest "not known".
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.verdict import ItemReport

SUM = "a sum is missing: the forward line replicates this tensor, so its gradient adds up"
MISTAKES: dict[str, tuple[str, str, str, str | None]] = {
    "mean for the sum down the batch": (
        "ex1", "db2", "def db2(dlogits):\n    return torch.mean(dlogits, dim=0)", "a mean is taken where a sum is meant",
    ),
    "mean by einsum and n": (
        "ex1", "dbnbias",
        "def dbnbias(dhpreact, n):\n    return torch.einsum('ij->j', dhpreact)[None] / n",
        "a mean is taken where a sum is meant",
    ),
    "sign of the log-probabilities": (
        "ex1", "dlogprobs",
        "def dlogprobs(logprobs, Yb, n):\n    d = 0 * logprobs\n    for i in range(n):\n        d[i, Yb[i]] = 1 / n\n    return d",
        "the sign is wrong",
    ),
    "no division by n": (
        "ex2", "dlogits",
        "def dlogits(logits, Yb, n):\n    d = logits.softmax(-1)\n    for i in range(n):\n        d[i, Yb[i]] -= 1\n    return d",
        "the division by n is missing",
    ),
    "no sum for the row's inverse": (
        "ex1", "dcounts_sum_inv", "def dcounts_sum_inv(counts, dprobs):\n    return dprobs.mul(counts)", SUM,
    ),
    "no keepdim": (
        "ex1", "dcounts_sum_inv",
        "def dcounts_sum_inv(counts, dprobs):\n    return torch.sum(dprobs * counts, dim=1)",
        "keepdim=True is missing",
    ),
    "first branch of counts only": (
        "ex1", "dcounts", "def dcounts(counts_sum_inv, dprobs):\n    return dprobs.mul(counts_sum_inv)",
        "the branch through counts_sum is left out: only what comes through probs is there",
    ),
    "first branch of bndiff only": (
        "ex1", "dbndiff", "def dbndiff(bnvar_inv, dbnraw):\n    return torch.einsum('ij,kj->ij', dbnraw, bnvar_inv)",
        "the branch through bndiff2 is left out: only what comes through bnraw is there",
    ),
    "the maximum's branch left out": (
        "ex1", "dlogits", "def dlogits(dnorm_logits):\n    return 1.0 * dnorm_logits",
        "the branch through logit_maxes is left out: only what comes through norm_logits is there",
    ),
    "the mean's branch left out": (
        "ex1", "dhprebn", "def dhprebn(dbndiff, n):\n    return dbndiff + 0",
        "the branch through bnmeani is left out: only what comes through bndiff is there",
    ),
    "the last write instead of the sum": (
        "ex1", "dC", "def dC(C, Xb, demb):\n    d = torch.zeros_like(C)\n    d[Xb] += demb\n    return d",
        "assigned where contributions add up: only the last one stays",
    ),
    "the last write by a loop": (
        "ex1", "dC",
        "def dC(C, Xb, demb):\n    d = torch.zeros_like(C)\n    for i in range(Xb.shape[0]):\n"
        "        for j in range(Xb.shape[1]):\n            d[Xb[i, j]] = demb[i, j]\n    return d",
        "assigned where contributions add up: only the last one stays",
    ),
    "tanh by its input": (
        "ex1", "dhpreact", "def dhpreact(hpreact, dh):\n    return dh - dh * hpreact.square()",
        "hpreact is used where another tensor of its shape is meant",
    ),
    "no tanh at all": (
        "ex1", "dhpreact", "def dhpreact(dh):\n    return dh.clone()",
        "dh is passed through as it came: the forward line's own derivative is missing",
    ),
    "n for n - 1": (
        "ex1", "dbndiff2", "def dbndiff2(bndiff2, dbnvar, n):\n    return dbnvar.expand(bndiff2.shape) / n",
        "n stands where the forward pass has n - 1",
    ),
    "a batch of 32": (
        "ex1", "dlogprobs",
        "def dlogprobs(logprobs, Yb, n):\n    d = torch.zeros(logprobs.shape)\n    d[torch.arange(n), Yb] = -1 / 32\n    return d",
        "32 is written where n is meant",
    ),
    "one less than a batch of 32": (
        "ex1", "dbndiff2", "def dbndiff2(bndiff2, dbnvar):\n    return dbnvar.expand(bndiff2.shape) / 31",
        "31 is written where n - 1 is meant",
    ),
    "the maximum's gradient left at zero": (
        "ex1", "dlogit_maxes", "def dlogit_maxes(dnorm_logits):\n    return dnorm_logits.sum(1, True) * 0", "all zero",
    ),
    "no minus for the maximum": (
        "ex1", "dlogit_maxes", "def dlogit_maxes(dnorm_logits):\n    return torch.einsum('ij->i', dnorm_logits)[:, None]",
        "the sign is wrong",
    ),
    "bnraw for bndiff": (
        "ex1", "dbnvar_inv", "def dbnvar_inv(bnraw, dbnraw):\n    return torch.sum(dbnraw * bnraw, 0, keepdim=True)",
        "bnraw is used where another tensor of its shape is meant",
    ),
    "something of its own": (
        "ex1", "dh", "def dh(W2, dlogits):\n    return torch.sin(dlogits @ W2.T) + 0.1", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("exercise", "name", "source", "diagnosis"), MISTAKES.values(), ids=MISTAKES)
def test_a_learners_mistake_is_named(
    exercise: str, name: str, source: str, diagnosis: str | None, item: Callable[..., ItemReport]
) -> None:
    report = item(f"import torch\n\n\n{source}\n", exercise, name)
    assert not report.passed
    assert report.diagnosis == diagnosis
