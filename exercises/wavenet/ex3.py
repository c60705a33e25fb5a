"""Batch norm over two axes in one step.

The same batch norm, (batch, position, channel) with statistics over the first two axes. The short
formula of the two-axis case holds here as well, as soon as n is read as what it stood for: how many
numbers share a mean. Write dx in terms of dy and what the forward pass has saved.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formula is
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, gamma, beta, W, Yb, n, t):
    # batch norm: each channel over the examples and the positions
    mean = x.mean((0, 1), keepdim=True)
    var = x.var((0, 1), keepdim=True)
    inv = (var + 1e-5)**-0.5
    xhat = (x - mean) * inv
    y = gamma * xhat + beta
    # non-linearity, all positions side by side, second linear layer
    h = torch.tanh(y)
    logits = h.view(n, -1) @ W
    loss = F.cross_entropy(logits, Yb)
    return loss


def dx(gamma, inv, xhat, dy, n, t):
    """dx (6, 4, 7): the gradient of the loss with respect to x.

    Forward:  the lines from mean down to y = gamma * xhat + beta
    Upstream: dy (6, 4, 7)
    Each channel of it sums to zero over the examples and the positions.
    """
    raise NotImplementedError("dx: not written yet")
