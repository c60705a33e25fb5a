"""The reward model: which of two answers is better.

People compare two answers to the same prompt. The reward model reads each of them, and at its last token,
the readout, a linear layer gives one number, the reward. The loss wants the better answer's reward to be
the higher one: it is -log of the sigmoid of their difference, the mean over P pairs.

Both answers go through the same layer, so the gradient of w comes from both. The bias b is part of both
rewards and cancels in the difference: its gradient is 0 whatever the pairs are. What the comparison
cannot see, it cannot teach; so b is not asked for.
"""

import torch
import torch.nn.functional as F

FIXTURES = {
    "lecture": dict(seed=1337, P=4, T=6, C=5),
    "probe-1": dict(seed=1, P=4, T=6, C=5),
    "probe-2": dict(seed=2, P=3, T=4, C=7),
    "probe-3": dict(seed=3, P=2, T=5, C=3),
}

HINTS = {
    "dmargin": {
        "concept": """
A function of each pair's margin alone, then the mean over the pairs. Write -log σ as log(1 +
exp(-margin)), or use the chain rule on the sigmoid; either way a sigmoid is left. It tends to 0 for a
pair that is clearly the right way round, and to -1/P for one that is clearly the
wrong way round.
""",
        "formula": """
    dmargin[i,0] = −(1 − σ(margin[i,0]))/P
""",
    },
}


def inputs(g, P, T, C):
    """Activations of both answers of each pair, the places of their last tokens, and the reward's layer."""
    return {
        "better": torch.randn((P, T, C), generator=g),
        "worse": torch.randn((P, T, C), generator=g),
        "endb": torch.randint(1, T, (P,), generator=g),
        "endw": torch.randint(1, T, (P,), generator=g),
        "w": torch.randn((C, 1), generator=g) * C**-0.5,
        "b": torch.randn(1, generator=g) * 0.1,
    }


def forward(better, worse, endb, endw, w, b, P):
    # activations at the readout tokens
    readb = better[range(P), endb]
    readw = worse[range(P), endw]
    # by how much the better answer's reward is the higher one
    margin = (readb @ w + b) - (readw @ w + b)
    loss = -F.logsigmoid(margin).mean()
    return loss


def dmargin(margin, P):
    """dmargin (4, 1): the gradient of the loss with respect to margin.

    Forward:  loss = -F.logsigmoid(margin).mean()
    Upstream: none, the loss itself (its gradient is 1)
    """
    return -(1.0 - torch.sigmoid(margin)) / P


def dw(readb, readw, dmargin):
    """dw (5, 1): the gradient of the loss with respect to w.

    Forward:  margin = (readb @ w + b) - (readw @ w + b)
    Upstream: dmargin (4, 1)
    It stands twice in the line.
    """
    return readb.T @ dmargin - readw.T @ dmargin


def dreadb(w, dmargin):
    """dreadb (4, 5): the gradient of the loss with respect to readb.

    Forward:  margin = (readb @ w + b) - (readw @ w + b)
    Upstream: dmargin (4, 1)
    A column meets a row: each pair's number, times w.
    """
    return dmargin * w.T


def dreadw(w, dmargin):
    """dreadw (4, 5): the gradient of the loss with respect to readw.

    Forward:  margin = (readb @ w + b) - (readw @ w + b)
    Upstream: dmargin (4, 1)
    """
    return -dmargin * w.T


def dbetter(better, endb, dreadb, P):
    """dbetter (4, 6, 5): the gradient of the loss with respect to better.

    Forward:  readb = better[range(P), endb]
    Upstream: dreadb (4, 5)
    Only the readout tokens get something: one place of each answer.
    """
    dbetter = torch.zeros_like(better)
    dbetter[range(P), endb] = dreadb
    return dbetter


def dworse(worse, endw, dreadw, P):
    """dworse (4, 6, 5): the gradient of the loss with respect to worse.

    Forward:  readw = worse[range(P), endw]
    Upstream: dreadw (4, 5)
    """
    dworse = torch.zeros_like(worse)
    dworse[range(P), endw] = dreadw
    return dworse
