"""LayerNorm in one step.

The same derivation as for the batch norm: to the normalised value, to the variance, to the mean, to
the input, then simplify. What differs is the axis, the variance (it divides by C, so no correction
is left over), and where gamma stands: it varies along the axis of the sums, so it can't be taken out
of them.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formula is
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, gamma, beta, W, labels, B, T):
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, keepdim=True, unbiased=False)
    inv = (var + 1e-5)**-0.5
    xhat = (x - mean) * inv
    y = gamma * xhat + beta
    logits = y @ W
    loss = F.cross_entropy(logits.view(B*T, -1), labels)
    return loss


def dx(gamma, inv, xhat, dy, C):
    """dx (4, 5, 7): the gradient of the loss with respect to x.

    Forward:  the lines from mean down to y = gamma * xhat + beta
    Upstream: dy (4, 5, 7)
    Each token's gradient sums to zero over its channels.
    """
    raise NotImplementedError("dx: not written yet")
