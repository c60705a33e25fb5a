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


# The forward pass, to read; the grader runs its own copy.
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
    raise NotImplementedError("dmargin: not written yet")


def dw(readb, readw, dmargin):
    """dw (5, 1): the gradient of the loss with respect to w.

    Forward:  margin = (readb @ w + b) - (readw @ w + b)
    Upstream: dmargin (4, 1)
    It stands twice in the line.
    """
    raise NotImplementedError("dw: not written yet")


def dreadb(w, dmargin):
    """dreadb (4, 5): the gradient of the loss with respect to readb.

    Forward:  margin = (readb @ w + b) - (readw @ w + b)
    Upstream: dmargin (4, 1)
    A column meets a row: each pair's number, times w.
    """
    raise NotImplementedError("dreadb: not written yet")


def dreadw(w, dmargin):
    """dreadw (4, 5): the gradient of the loss with respect to readw.

    Forward:  margin = (readb @ w + b) - (readw @ w + b)
    Upstream: dmargin (4, 1)
    """
    raise NotImplementedError("dreadw: not written yet")


def dbetter(better, endb, dreadb, P):
    """dbetter (4, 6, 5): the gradient of the loss with respect to better.

    Forward:  readb = better[range(P), endb]
    Upstream: dreadb (4, 5)
    Only the readout tokens get something: one place of each answer.
    """
    raise NotImplementedError("dbetter: not written yet")


def dworse(worse, endw, dreadw, P):
    """dworse (4, 6, 5): the gradient of the loss with respect to worse.

    Forward:  readw = worse[range(P), endw]
    Upstream: dreadw (4, 5)
    """
    raise NotImplementedError("dworse: not written yet")
