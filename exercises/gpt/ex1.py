"""Averages of the past, three ways, and the way back through each.

A token may look at itself and at what came before it, and the simplest way to look is to average.
The lecture computes that average three times: by a running sum, by a product with a triangular
matrix whose rows sum to 1, and by a softmax over scores in which the future is masked. In the
forward pass the three are one function. Here each works on a tensor of its own, x, y and z, so that
each has a backward pass of its own; you will see that they are one function there as well.

In the third way the weights come out of a softmax, so a gradient arrives at them too. That is the
way by which attention learns.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes: B examples, T positions, C channels.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, y, z, many, avg, later, scores, W, labels, B, T):
    # 1: a running sum, divided by how many there are so far: many is (T, 1), 1 to T
    sums = x.cumsum(1)
    mean1 = sums / many
    # 2: a triangular matrix, each row of which sums to 1
    mean2 = avg @ y
    # 3: a softmax over scores; at later positions they are minus infinity
    masked = scores.masked_fill(later, float("-inf"))
    wei = F.softmax(masked, 1)
    mean3 = wei @ z
    logits = (mean1 + mean2 + mean3) @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dsums(many, dmean1):
    """dsums (4, 8, 3): the gradient of the loss with respect to sums.

    Forward:  mean1 = sums / many
    Upstream: dmean1 (4, 8, 3)
    """
    raise NotImplementedError("dsums: not written yet")


def dx(dsums):
    """dx (4, 8, 3): the gradient of the loss with respect to x.

    Forward:  sums = x.cumsum(1)
    Upstream: dsums (4, 8, 3)
    An early token is in many of the sums. From which position on is x[:, t] in them?
    """
    raise NotImplementedError("dx: not written yet")


def davg(y, dmean2):
    """davg (8, 8): the gradient of the loss with respect to avg.

    Forward:  mean2 = avg @ y
    Upstream: dmean2 (4, 8, 3)
    One matrix serves all examples.
    Where it holds zeros its gradient is not zero: nothing keeps a plain matrix triangular.
    """
    raise NotImplementedError("davg: not written yet")


def dy(avg, dmean2):
    """dy (4, 8, 3): the gradient of the loss with respect to y.

    Forward:  mean2 = avg @ y
    Upstream: dmean2 (4, 8, 3)
    The transposed matrix looks ahead where the matrix looked back.
    """
    raise NotImplementedError("dy: not written yet")


def dz(wei, dmean3):
    """dz (4, 8, 3): the gradient of the loss with respect to z.

    Forward:  mean3 = wei @ z
    Upstream: dmean3 (4, 8, 3)
    """
    raise NotImplementedError("dz: not written yet")


def dwei(z, dmean3):
    """dwei (8, 8): the gradient of the loss with respect to wei.

    Forward:  mean3 = wei @ z
    Upstream: dmean3 (4, 8, 3)
    """
    raise NotImplementedError("dwei: not written yet")


def dmasked(wei, dwei):
    """dmasked (8, 8): the gradient of the loss with respect to masked.

    Forward:  wei = F.softmax(masked, 1)
    Upstream: dwei (8, 8)
    Every weight of a row depends on every score of that row.
    Where the score is minus infinity the weight is 0, and so is the gradient.
    """
    raise NotImplementedError("dmasked: not written yet")


def dscores(later, dmasked):
    """dscores (8, 8): the gradient of the loss with respect to scores.

    Forward:  masked = scores.masked_fill(later, float("-inf"))
    Upstream: dmasked (8, 8)
    What was overwritten has no way to the loss.
    """
    raise NotImplementedError("dscores: not written yet")
