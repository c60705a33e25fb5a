"""A tree of two levels as a dilated causal convolution.

The tree computes one vector for one context. To get one at every position of a long text, slide it
along: then a level is a convolution with a kernel of 2, causal since it looks only back, and dilated
since level 2 looks two steps back and not one. At the last position both give the same numbers; but
what the convolution computed for one position, the next ones use again. There are two levels here and no
batch norm, to keep to what is new.

In the forward pass a convolution is written out: past1 holds x one step later (zeros come in at the
start), and each half of the kernel is a matrix of its own. Walking back, what moved later in time
has to move earlier, and what fell off the end receives nothing.

Parameters are passed by name; you may ask for others, which `grader show` lists. The formulas are
asked at several sizes.
"""

import torch
import torch.nn.functional as F


# The forward pass, to read; the grader runs its own copy.
def forward(x, before1, before2, W1past, W1now, b1, W2past, W2now, b2, labels, n, T):
    # dilation 1: each position and the one before it
    past1 = torch.cat([before1, x], 1)[:, :T]
    a1 = past1 @ W1past + x @ W1now + b1
    h1 = torch.tanh(a1)
    # dilation 2: each position and the one two before it
    past2 = torch.cat([before2, h1], 1)[:, :T]
    a2 = past2 @ W2past + h1 @ W2now + b2
    # a prediction at every position
    logits = a2.view(n * T, -1)
    loss = F.cross_entropy(logits, labels)
    return loss


def dW2past(past2, da2):
    """dW2past (7, 9): the gradient of the loss with respect to W2past.

    Forward:  a2 = past2 @ W2past + h1 @ W2now + b2
    Upstream: da2 (4, 8, 9)
    The kernel's older half. One matrix for all examples and positions.
    """
    raise NotImplementedError("dW2past: not written yet")


def dpast2(W2past, da2):
    """dpast2 (4, 8, 7): the gradient of the loss with respect to past2.

    Forward:  a2 = past2 @ W2past + h1 @ W2now + b2
    Upstream: da2 (4, 8, 9)
    """
    raise NotImplementedError("dpast2: not written yet")


def dh1(W2now, da2, dpast2):
    """dh1 (4, 8, 7): the gradient of the loss with respect to h1.

    Forward:  a2 = past2 @ W2past + h1 @ W2now + b2
              past2 = torch.cat([before2, h1], 1)[:, :T]
    Upstream: da2 (4, 8, 9), dpast2 (4, 8, 7)
    Read by two lines. What stands at place t of past2 stood at place t - 2 of h1.
    """
    raise NotImplementedError("dh1: not written yet")


def da1(h1, dh1):
    """da1 (4, 8, 7): the gradient of the loss with respect to a1.

    Forward:  h1 = torch.tanh(a1)
    Upstream: dh1 (4, 8, 7)
    """
    raise NotImplementedError("da1: not written yet")


def db1(da1):
    """db1 (7,): the gradient of the loss with respect to b1.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    raise NotImplementedError("db1: not written yet")


def dW1now(x, da1):
    """dW1now (5, 7): the gradient of the loss with respect to W1now.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    raise NotImplementedError("dW1now: not written yet")


def dW1past(past1, da1):
    """dW1past (5, 7): the gradient of the loss with respect to W1past.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    raise NotImplementedError("dW1past: not written yet")


def dpast1(W1past, da1):
    """dpast1 (4, 8, 5): the gradient of the loss with respect to past1.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
    Upstream: da1 (4, 8, 7)
    """
    raise NotImplementedError("dpast1: not written yet")


def dx(W1now, da1, dpast1):
    """dx (4, 8, 5): the gradient of the loss with respect to x.

    Forward:  a1 = past1 @ W1past + x @ W1now + b1
              past1 = torch.cat([before1, x], 1)[:, :T]
    Upstream: da1 (4, 8, 7), dpast1 (4, 8, 5)
    Read by two lines. The last position of x never gets into past1.
    """
    raise NotImplementedError("dx: not written yet")
